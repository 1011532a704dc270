"""Small counts with doubts, on which people decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scanner.counting.adjudication import Decision, Verdict
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.results import decide, now
from scanner.counting.store import Store
from scanner.forms.template import Form
from tests.stored_counts import ink, make_count

EMPTY, CLEAR, WEAK = ink(0.001), ink(0.5), ink(0.11)


def count_with_doubts(folder: Path, form: Form) -> Path:
    """Six sheets of two contests, c1 and c2: one in doubt at c1, one at c2, one at both."""
    first, second = (CLEAR, EMPTY, EMPTY), (EMPTY, CLEAR, EMPTY)
    unclear = (WEAK, EMPTY, EMPTY)
    sheets = [
        (first, first),
        (unclear, first),
        (first, unclear),
        (unclear, unclear),
        (second, second),
        (first, second),
    ]
    return make_count(folder, form, sheets)


def say(
    store: Store,
    sheet: int,
    verdict: Verdict,
    contest: str | None = None,
    *options: str,
    by: str = "Lan",
    **more: Any,
) -> None:
    """Decide as a person does; ``more`` are other fields of the decision."""
    made = Decision(sheet, verdict, by, "nhìn rõ", now(), contest, options, **more)
    decide(store, load_kept_forms(store), made)
