"""What every sheet counts as in the end: valid, void, in review or no paper, and its votes.

This is the one place where it is worked out. Whatever states a figure, a page, a table, a document
or a file for other programs, takes it from here, so that all of them state the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scanner.counting.adjudication import Decision, SheetRecord, resolve
from scanner.counting.second_reader import ONE_READER, Readers
from scanner.counting.sheet_rules import SheetRules, judge
from scanner.counting.tally import CastVoteRecord
from scanner.forms.template import Form


@dataclass(frozen=True, slots=True)
class Finals:
    """By what the sheets of one count become final votes."""

    forms: Mapping[str, Form]
    """By id."""
    rules: SheetRules
    readers: Readers = ONE_READER

    def of(self, record: SheetRecord, decisions: Sequence[Decision]) -> CastVoteRecord:
        """The final votes of a sheet, with its standing.

        Args:
            record: The sheet as read.
            decisions: All decisions on it, oldest first.
        """
        form = self.forms.get(record.form) if record.form is not None else None
        return judge(resolve(record, decisions, form, self.readers), form, self.rules)
