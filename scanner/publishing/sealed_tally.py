"""The tally that is sealed with a count, and whether the count still gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from scanner import __version__
from scanner.counting.account import close_of
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.reconcile import require_final
from scanner.counting.store import Store
from scanner.counting.tally_making import TallyHeading
from scanner.forms.template import Form
from scanner.publishing.tally_json import build_tally, check_tally
from scanner.publishing.tally_parsing import parse_tally

FIGURES = ("sheets", "forms", "breakdowns", "gaps", "decisions", "batches", "limit_changes")
"""The members of a tally that follow from its count alone."""


def final_tally(
    store: Store, forms: Sequence[Form], at: datetime, heading: TallyHeading
) -> dict[str, Any]:
    """The tally of a count that is final, as plain data.

    Args:
        store: The count.
        forms: The count's forms.
        at: When it is made, with a time zone.
        heading: What it says about itself.

    Raises:
        CountError: The count is not final, and no two people let it pass.
    """
    require_final(close_of(store, forms), path=store.folder)
    data = build_tally(store, forms, at, heading)
    check_tally(data)
    return data


def recount(store: Store, sealed: Mapping[str, Any]) -> bool | None:
    """Whether a count still gives the figures of the tally that was sealed with it.

    Args:
        store: The count, or a passing copy of its database with its forms.
        sealed: The tally.

    Returns:
        None where it was made by another version of the program and differs: what one version
        worked out and wrote, another may word otherwise.
    """
    former = parse_tally(sealed)
    heading = TallyHeading(former.unit, former.period, smallest_group=former.smallest_group)
    present = build_tally(store, load_kept_forms(store), former.generated_at, heading)
    agrees = all(_plain(present.get(name)) == _plain(sealed.get(name)) for name in FIGURES)
    return None if not agrees and former.program != __version__ else agrees


def _plain(value: Any) -> Any:
    """A value as it is after it was written and read: lists for tuples, whole reals as numbers."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
