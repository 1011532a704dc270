"""What is kept of each sheet of a trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SheetRecord:
    """One sheet of a trial: a line of its file."""

    seed: int
    form: str
    page: int
    habit: str
    pen: str
    paper: list[str]
    placing: list[str]
    scanner: str
    positions: int
    clear: int
    """Targets of which a careful person would be sure."""
    marked: int
    """Of these, those that are marked."""
    status: str
    """``read``, ``refused`` or ``wrong form``."""
    asked: bool
    """Whether a person is shown the sheet."""
    reasons: list[str]
    read: int = 0
    """Clear targets on a page that was taken for what it is."""
    silent: list[dict[str, Any]] = field(default_factory=list)
    caught: int = 0
    """Clear targets read wrongly in a question that a person is asked about."""
    doubts: int = 0
    """Clear targets in doubt."""
    doubt_reasons: dict[str, list[int]] = field(default_factory=dict)
    """Why clear targets are in doubt: by reason, how many unmarked and how many marked ones."""
    unclear_asked: int = 0
    """Targets of which nobody could be sure, in a question that a person is asked about."""
    must_ask: bool = False
    """Whether a careful person would ask about anything on the sheet."""
    bins: dict[int, list[float]] = field(default_factory=dict)
    """Of questions that nobody is asked about, where the machine is taken at its word. By number
    of the bin: clear targets, how many of them are marked, the sum of their probabilities."""
    asked_bins: dict[int, list[float]] = field(default_factory=dict)
    """The same of questions that a person is asked about: two marks where one may be made are asked
    about because one of them may be none, however dark."""
    seconds: tuple[float, float] = (0.0, 0.0)
    """To draw and to read."""
    by_batch: dict[str, Any] = field(default_factory=dict)
    """What else comes out where the doubts are settled that the batch settles: ``silent``,
    ``doubts``, ``caught`` and ``asked`` once more."""
