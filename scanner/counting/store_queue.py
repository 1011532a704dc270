"""What the queue of doubts asks the database: only what may be in doubt, never the whole count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from scanner.ballot import ContestState
from scanner.counting import store_rows as rows
from scanner.counting.adjudication import Decision, SheetRecord
from scanner.counting.journal import Action
from scanner.counting.store_pages import PageStore, flag_same_paper
from scanner.counting.store_schema import contest_reading, decision, is_standing, journal, sheet
from scanner.forms.template import Form
from scanner.reading.decide import needs_review

IDS_AT_ONCE = 500


class QueueStore(PageStore):
    """What a count knows of its doubts."""

    def suspects(self, forms: Iterable[Form]) -> list[int]:
        """The sheets that may wait for a person, or on which one has decided, in scan order.

        Args:
            forms: The count's forms; a sheet of another form, or of none, is not among them.
        """
        found: set[int] = set(self.same_papers())
        for form in forms:
            doubtful = [
                _asking(sheet.c.id, sheet.c.reasons, self._that_ask(sheet.c.reasons, form)),
                _asking(
                    contest_reading.c.sheet,
                    contest_reading.c.reasons,
                    self._that_ask(contest_reading.c.reasons, form),
                ),
                sa.select(contest_reading.c.sheet).where(
                    contest_reading.c.state == ContestState.IN_DOUBT
                ),
                sa.select(decision.c.sheet),
            ]
            own = sa.select(sheet.c.id).where(
                sheet.c.form == form.id,
                is_standing(sheet.c.id),
                sheet.c.id.in_(sa.union(*doubtful)),
            )
            found.update(row["id"] for row in self._rows(own))
        return sorted(found)

    def some_sheets(self, numbers: Collection[int]) -> Iterator[SheetRecord]:
        """These sheets, in scan order; what is not a standing sheet of a form is left out."""
        papers = self.same_papers()
        for some in _portions(sorted(numbers)):
            query = (
                sa.select(
                    sheet,
                    contest_reading.c.contest,
                    contest_reading.c.state,
                    contest_reading.c.marked,
                    contest_reading.c.reasons.label("doubts"),
                )
                .join_from(sheet, contest_reading, isouter=True)
                .where(sheet.c.id.in_(some), sheet.c.form.is_not(None), is_standing(sheet.c.id))
                .order_by(sheet.c.id, contest_reading.c.place)
            )
            for _number, members in groupby(self._rows(query), key=lambda row: row["id"]):
                yield flag_same_paper(rows.sheet_of(list(members)), papers)

    def some_decisions(self, numbers: Collection[int]) -> Mapping[int, list[Decision]]:
        """The decisions on these sheets, oldest first; no entry for a sheet without one."""
        found: defaultdict[int, list[Decision]] = defaultdict(list)
        for some in _portions(sorted(numbers)):
            query = sa.select(decision).where(decision.c.sheet.in_(some)).order_by(decision.c.id)
            for row in self._rows(query):
                found[row["sheet"]].append(rows.decision_of(row))
        return dict(found)

    def decisions_of(self, who: str, most: int) -> list[Decision]:
        """The last decisions of a person, latest first."""
        query = sa.select(decision).where(decision.c.who == who).order_by(decision.c.id.desc())
        return [rows.decision_of(row) for row in self._rows(query.limit(most))]

    def decided_at(self, most: int) -> list[datetime]:
        """When the last decisions were made, oldest first."""
        query = (
            sa.select(journal.c.at)
            .where(journal.c.action == Action.DECIDED)
            .order_by(journal.c.number.desc())
            .limit(most)
        )
        return sorted(datetime.fromisoformat(row["at"]) for row in self._rows(query))

    def _that_ask(self, column: sa.Column[Any], form: Form) -> list[str]:
        """Those of the sets of reasons in a column that put a form's sheets before a person."""
        query = sa.select(column.label("reasons")).where(column != "").distinct()
        found = [row["reasons"] for row in self._rows(query)]
        return [joined for joined in found if needs_review(rows.split(joined), form.rule)]


def _asking(
    number: sa.Column[Any], reasons: sa.Column[Any], wanted: Sequence[str]
) -> sa.Select[Any]:
    return sa.select(number).where(reasons.in_(wanted))


def _portions(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """So many at a time as a query can name."""
    for start in range(0, len(numbers), IDS_AT_ONCE):
        yield numbers[start : start + IDS_AT_ONCE]
