"""What the figures of a count ask its database: sums, never sheet by sheet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import sqlalchemy as sa

from scanner.ballot import ContestReading, ContestState, Reason
from scanner.counting.sheet_rules import SheetRules
from scanner.counting.store_base import CountDatabase
from scanner.counting.store_rows import split
from scanner.counting.store_schema import contest_reading, is_standing, sheet


class FigureStore(CountDatabase):
    """The sums of what was read."""

    def may_be_void(self, rules: SheetRules) -> list[int]:
        """The sheets that a rule of the count may make void, as they were read; maybe more."""
        asked = {
            ContestState.BLANK: {Reason.BLANK_SHEET, Reason.BLANK_CONTEST},
            ContestState.OVERVOTE: {Reason.OVERVOTE},
        }
        states = [state for state, reasons in asked.items() if not rules.void.isdisjoint(reasons)]
        query = (
            sa.select(contest_reading.c.sheet)
            .join_from(contest_reading, sheet)
            .where(contest_reading.c.state.in_(states), is_standing(sheet.c.id))
            .distinct()
        )
        return [row["sheet"] for row in self._rows(query)]

    def reading_sums(self) -> Iterator[tuple[str, ContestReading, int]]:
        """Every answer as it was read: the form, the reading without reasons, on how many sheets.

        Those of sheets in doubt are among them.
        """
        number = sa.func.count().label("number")
        answer = (contest_reading.c.contest, contest_reading.c.state, contest_reading.c.marked)
        query = (
            sa.select(sheet.c.form, *answer, number)
            .join_from(contest_reading, sheet)
            .where(sheet.c.form.is_not(None), is_standing(sheet.c.id))
            .group_by(sheet.c.form, *answer)
        )
        for row in self._rows(query):
            marked = tuple(json.loads(row["marked"]))
            reading = ContestReading(row["contest"], ContestState(row["state"]), marked)
            yield row["form"], reading, row["number"]

    def sheet_sums(self) -> tuple[Counter[str], Counter[str]]:
        """How many sheets each form has, and how many are refused by their first reason."""
        query = (
            sa.select(sheet.c.form, sheet.c.reasons, sa.func.count().label("number"))
            .where(is_standing(sheet.c.id))
            .group_by(sheet.c.form, sheet.c.reasons)
        )
        of_form: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        for row in self._rows(query):
            if row["form"] is not None:
                of_form[row["form"]] += row["number"]
            else:
                reasons = split(row["reasons"])
                refused[reasons[0].value if reasons else ""] += row["number"]
        return of_form, refused
