"""What a person should know of tallies that were added up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NoticeKind(StrEnum):
    """What a person should know of a merge that was done."""

    SAME_FILE = "same_file"
    """A file was given twice."""
    WITHIN = "within"
    """All that a file adds is in another one already."""
    OTHER_PERIOD = "other_period"
    """A file is of another period and was left out."""
    VERSIONS = "versions"
    """Versions of a form differ, and agree in ids, words and limits."""
    MAPPED = "mapped"
    """A form was mapped by the mapping file."""
    RULES = "rules"
    """The percentages of the files were made by rules that differ."""
    PROVISIONAL = "provisional"
    """Sheets of it wait for a person."""
    GAPS = "gaps"
    """It does not close."""
    NOT_FINAL = "not_final"
    """It is not settled of each paper what became of it, and no two people let it pass."""
    TOTAL = "total"
    """The papers of a unit are not those that its known total says."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a person should know."""

    kind: NoticeKind
    file: str
    """The name of the file, or of the unit where it is about none."""
    other: str = ""
    """Another file, a form, a period or a figure."""
