"""The faults of a YAML file in words: each with its line and its field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from scanner.messages import gettext as _

_MOST_FAULTS = 3


class MisplacedError(ValueError):
    """A fault that a check finds deeper than where it stands.

    Args:
        message: What is wrong.
        location: The steps from the checked part to the faulty field.
    """

    def __init__(self, message: str, location: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.location = tuple(location)


def explain_faults(error: ValidationError, data: Any) -> str:
    """The first faults of a file, each with its line and field.

    Args:
        error: What the check of ``data`` raised.
        data: The file as ruamel.yaml read it for a round trip, so with its lines.
    """
    faults = []
    for fault in error.errors()[:_MOST_FAULTS]:
        inner = fault.get("ctx", {}).get("error")
        deeper = inner.location if isinstance(inner, MisplacedError) else ()
        location = _without_tags(data, (*fault["loc"], *deeper))
        field = ".".join(str(step) for step in location) or "form"
        faults.append(
            _("line {line}, {field}: {reason}").format(
                line=_line_of(data, location), field=field, reason=_reason(fault)
            )
        )
    return "; ".join(faults)


def _reason(fault: Mapping[str, Any]) -> str:
    match fault["type"]:
        case "missing":
            return _("this field is missing")
        case "extra_forbidden":
            return _("there is no such field")
        case "string_type":
            return _("this is no text; put it in quotes")
        case "literal_error":
            return _("it must be {known}").format(known=fault["ctx"]["expected"])
        case "string_pattern_mismatch" if fault["loc"][-1] == "id":
            return _("use up to 64 letters a–z, digits, points, hyphens and underscores")
        case "union_tag_invalid":
            known = fault["ctx"]["expected_tags"]
            return _("there is no such kind; there are {known}").format(known=known)
        case "union_tag_not_found":
            return _("the field 'kind' is missing")
        case _other:
            return re.sub(r"^Value error, ", "", fault["msg"])


def _without_tags(node: Any, location: Sequence[str | int]) -> tuple[str | int, ...]:
    """The location without the names of kinds, which are steps to pydantic but not to a reader."""
    steps: list[str | int] = []
    for number, step in enumerate(location):
        last = number == len(location) - 1
        if isinstance(node, CommentedMap) and node.get("kind") == step and step not in node:
            continue
        steps.append(step)
        if not last:
            known = isinstance(node, CommentedMap) and step in node
            listed = isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node)
            node = node[step] if known or listed else None
    return tuple(steps)


def _line_of(node: Any, location: Sequence[str | int]) -> int:
    """The line, from 1, at which a field of the YAML stands (or its nearest parent)."""
    line = 1
    for step in location:
        if isinstance(node, CommentedMap) and step in node:
            line = node.lc.key(step)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line = node.lc.item(step)[0] + 1
        else:
            break
        node = node[step]
    return line
