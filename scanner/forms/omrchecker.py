"""OMRChecker's ``template.json``, brought to the shape of our own lists of targets.

Read are the files of its releases from 2021 on (``pageDimensions``, ``fieldBlocks``) and of its
later development (``templateDimensions``, ``bubbleFieldType``, ``customBubbleFieldTypes``). A block
is a grid: from ``origin``, the top left corner of the first bubble, the values of one field follow
each other every ``bubblesGap`` pixels in the block's direction, and its fields every ``labelsGap``
pixels across it. All pixels are those of a page of ``pageDimensions``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner.errors import FormError
from scanner.geometry import Box
from scanner.messages import gettext as _

_DIMENSIONS = ("pageDimensions", "templateDimensions")
_DIGITS = tuple("0123456789")
FIELD_TYPES: dict[str, tuple[tuple[str, ...], str]] = {
    "QTYPE_INT": (_DIGITS, "vertical"),
    "QTYPE_INT_FROM_1": ((*_DIGITS[1:], "0"), "vertical"),
    "QTYPE_INT_11": ((*_DIGITS, "10"), "vertical"),
    "QTYPE_ROLL": (_DIGITS, "vertical"),
    "QTYPE_MED": (("E", "H"), "vertical"),
    "QTYPE_MCQ2": (tuple("AB"), "horizontal"),
    "QTYPE_MCQ3": (tuple("ABC"), "horizontal"),
    "QTYPE_MCQ4": (tuple("ABCD"), "horizontal"),
    "QTYPE_MCQ5": (tuple("ABCDE"), "horizontal"),
    "QTYPE_MCQ6": (tuple("ABCDEF"), "horizontal"),
}
"""The values of a field of each type, and the direction in which they follow each other."""
_RANGE = re.compile(r"^(.*?)(\d+)\.{2,3}(\d+)$")
_MOST_FIELDS = 2000
_ROUND_BUBBLE = 0.15
"""A bubble this much wider than high, or less, is a circle; else an oval."""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One target of a template."""

    where: str
    """The place in the file, for messages."""
    value: str
    shape: str
    box: Box
    """Pixels of the template's page."""


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a template: its name, what it is part of, and its bubbles."""

    name: str
    title: str
    bubbles: tuple[Bubble, ...]


@dataclass(frozen=True, slots=True)
class OmrTemplate:
    """A whole template."""

    size_px: tuple[float, float]
    """Width and height of the page that its pixels are counted on."""
    fields: tuple[Field, ...]
    notes: tuple[str, ...] = ()
    """What of the file has no meaning here."""


def is_omr_template(data: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a template of OMRChecker."""
    return "fieldBlocks" in data and any(name in data for name in _DIMENSIONS)


def read_omr_template(data: Mapping[str, Any], path: Path) -> OmrTemplate:
    """Read a template.

    Args:
        data: The JSON object of the file.
        path: The file, for messages.

    Raises:
        FormError: Names the block, the field and what to do.
    """
    return _Reader(path, data).template()


@dataclass(frozen=True, slots=True)
class _Reader:
    path: Path
    data: Mapping[str, Any]

    def template(self) -> OmrTemplate:
        dimensions = next(name for name in _DIMENSIONS if name in self.data)
        size = self._pair(self.data, dimensions, "template.json")
        blocks = self.data["fieldBlocks"]
        if not isinstance(blocks, Mapping) or not blocks:
            raise self._fault("template.json", "fieldBlocks", _("must be an object with blocks"))
        parts = self._parts()
        fields = [
            field
            for name, block in blocks.items()
            for field in self._fields(str(name), block, parts)
        ]
        self._refuse_doubles(fields)
        self._refuse_outside(fields, size)
        return OmrTemplate(size, tuple(fields), tuple(self._notes()))

    def _fields(self, name: str, block: Any, parts: Mapping[str, str]) -> Iterator[Field]:
        where = _("block {name!r}").format(name=name)
        if not isinstance(block, Mapping):
            raise self._fault(where, name, _("must be an object"))
        values, direction = self._values(block, where)
        origin = self._pair(block, "origin", where, least=None)
        own = "bubbleDimensions" in block
        size = self._pair(block if own else self.data, "bubbleDimensions", where)
        labels = self._labels(block, where)
        gap = self._number(block, "bubblesGap", where) if len(values) > 1 else 0.0
        step = self._number(block, "labelsGap", where) if len(labels) > 1 else 0.0
        for row, label in enumerate(labels):
            bubbles = []
            for place, value in enumerate(values):
                along, across = place * gap, row * step
                dx, dy = (along, across) if direction == "horizontal" else (across, along)
                spot = _("{where}, field {label!r}, value {value!r}").format(
                    where=where, label=label, value=value
                )
                box = Box(origin[0] + dx, origin[1] + dy, size[0], size[1])
                bubbles.append(Bubble(spot, value, _shape(box), box))
            whole = parts.get(label)
            yield Field(label, f"{whole}: {label}" if whole else label, tuple(bubbles))

    def _values(self, block: Mapping[str, Any], where: str) -> tuple[tuple[str, ...], str]:
        field = "bubbleFieldType" if "bubbleFieldType" in block else "fieldType"
        known = FIELD_TYPES | self._own_types()
        if field in block:
            kind = str(block[field])
            if kind not in known:
                raise self._fault(
                    where,
                    field,
                    _("{kind!r} is none of {known}").format(kind=kind, known=", ".join(known)),
                )
            values, direction = known[kind]
        else:
            values, direction = self._bubble_values(block, where), "vertical"
        direction = str(block.get("direction", direction))
        if direction not in {"vertical", "horizontal"}:
            raise self._fault(where, "direction", _("must be 'vertical' or 'horizontal'"))
        return values, direction

    def _own_types(self) -> dict[str, tuple[tuple[str, ...], str]]:
        types = self.data.get("customBubbleFieldTypes") or {}
        found = {}
        for name, item in types.items() if isinstance(types, Mapping) else ():
            where = _("field type {name!r}").format(name=name)
            if not isinstance(item, Mapping):
                raise self._fault(where, str(name), _("must be an object"))
            values = self._bubble_values(item, where)
            found[str(name)] = values, str(item.get("direction", "vertical"))
        return found

    def _bubble_values(self, item: Mapping[str, Any], where: str) -> tuple[str, ...]:
        values = item.get("bubbleValues")
        if not isinstance(values, list) or not values:
            raise self._fault(where, "bubbleValues", _("must be a list of values"))
        return tuple(str(value) for value in values)

    def _labels(self, block: Mapping[str, Any], where: str) -> list[str]:
        labels = block.get("fieldLabels")
        if not isinstance(labels, list) or not labels:
            raise self._fault(where, "fieldLabels", _("must be a list of names"))
        return [name for label in labels for name in self._spread(str(label), where)]

    def _spread(self, label: str, where: str) -> list[str]:
        """All the names of a range: "q1..4" is q1, q2, q3, q4."""
        named = _RANGE.match(label)
        if named is None:
            return [label]
        stem, first, last = named[1], int(named[2]), int(named[3])
        if not first <= last < first + _MOST_FIELDS:
            raise self._fault(
                where, "fieldLabels", _("{label!r} is no range upwards").format(label=label)
            )
        return [f"{stem}{number}" for number in range(first, last + 1)]

    def _parts(self) -> dict[str, str]:
        """Which whole a field is a part of: the digits of a number, for instance."""
        wholes = self.data.get("customLabels") or {}
        if not isinstance(wholes, Mapping):
            raise self._fault("template.json", "customLabels", _("must be an object"))
        parts: dict[str, str] = {}
        for whole, labels in wholes.items():
            if not isinstance(labels, list):
                raise self._fault("customLabels", str(whole), _("must be a list of names"))
            for label in labels:
                for name in self._spread(str(label), "customLabels"):
                    if name != whole:
                        parts[name] = str(whole)
        return parts

    def _notes(self) -> Iterator[str]:
        steps = self.data.get("preProcessors") or []
        names = (
            [str(step.get("name", "")) for step in steps if isinstance(step, Mapping)]
            if isinstance(steps, list)
            else []
        )
        if any(name.startswith("Crop") or "Align" in name for name in names):
            yield _(
                "The template's preProcessors ({names}) are not carried out. Its positions are "
                "those of the page after them: the blank must be cropped in the same way."
            ).format(names=", ".join(names))
        elif names:
            yield _("The template's preProcessors ({names}) are not carried out.").format(
                names=", ".join(names)
            )

    def _refuse_doubles(self, fields: Sequence[Field]) -> None:
        seen: set[str] = set()
        for field in fields:
            if field.name in seen:
                raise self._fault(
                    "fieldBlocks",
                    "fieldLabels",
                    _("{name!r} is there twice").format(name=field.name),
                )
            seen.add(field.name)

    def _refuse_outside(self, fields: Sequence[Field], size: tuple[float, float]) -> None:
        for field in fields:
            for bubble in field.bubbles:
                box = bubble.box
                if box.x < 0 or box.y < 0 or box.right > size[0] or box.bottom > size[1]:
                    raise self._fault(bubble.where, "origin", _("the bubble lies outside the page"))

    def _pair(
        self, item: Mapping[str, Any], name: str, where: str, least: float | None = 1.0
    ) -> tuple[float, float]:
        value = item.get(name)
        if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
            raise self._fault(where, name, _("must be a list of two numbers"))
        if least is not None and min(value) < least:
            raise self._fault(where, name, _("must be more than 0"))
        return float(value[0]), float(value[1])

    def _number(self, item: Mapping[str, Any], name: str, where: str) -> float:
        value = item.get(name)
        if not _is_number(value):
            raise self._fault(where, name, _("must be a number"))
        return float(str(value))

    def _fault(self, where: str, field: str, message: str) -> FormError:
        return FormError(
            _("{where}, field {field!r}: {message}.").format(
                where=where, field=field, message=message
            ),
            remedy=_("Correct it in OMRChecker's template.json."),
            path=self.path,
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shape(box: Box) -> str:
    return "circle" if abs(box.w / box.h - 1) <= _ROUND_BUBBLE else "oval"
