"""What people decided, in the count's database: rows that are only ever added."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

import sqlalchemy as sa

from scanner.counting import store_rows as rows
from scanner.counting.adjudication import Decision, Verdict
from scanner.counting.journal import Action, Draft
from scanner.counting.second_reader import SecondReader
from scanner.counting.store_base import CountDatabase
from scanner.counting.store_chain import append, append_row
from scanner.counting.store_schema import count, decision, sheet
from scanner.errors import BadArgumentsError, CountError
from scanner.messages import gettext as _

LONGEST_TEXT = 4000
"""Letters of a reason or a note."""

ACTIONS = {
    Verdict.WITHDRAW: Action.WITHDRAWN,
    Verdict.FLAG: Action.FLAGGED,
    Verdict.ESCALATE: Action.ESCALATED,
}
"""What is entered in the record; any other verdict is a decision."""


class Save(Protocol):
    """Writes one decision within :meth:`DecisionStore.deciding`."""

    def __call__(self, made: Decision, detail: Mapping[str, Any]) -> Decision:
        """Write it with what the record is to say of it besides; gives it with its id."""


class DecisionStore(CountDatabase):
    """What a count knows of the decisions of people."""

    @contextmanager
    def deciding(self) -> Iterator[Save]:
        """Keep everybody else from writing; what is read inside is what is decided on.

        All that is saved inside is kept, or none of it.
        """
        with self._write() as connection:
            yield lambda made, detail: _add(connection, made, detail)

    def add_decision(self, made: Decision) -> Decision:
        """Add a decision as it is, with its entry in the record; those made before stay.

        Returns:
            The decision with its id.
        """
        with self._write() as connection:
            return _add(connection, made, {})

    def decisions(self) -> Mapping[int, list[Decision]]:
        """All decisions by sheet, oldest first; no entry for a sheet without one."""
        found: defaultdict[int, list[Decision]] = defaultdict(list)
        for row in self._rows(sa.select(decision).order_by(decision.c.id)):
            found[row["sheet"]].append(rows.decision_of(row))
        return dict(found)

    def decisions_on(self, sheet_id: int) -> list[Decision]:
        """All decisions on one sheet, oldest first."""
        query = sa.select(decision).where(decision.c.sheet == sheet_id).order_by(decision.c.id)
        return [rows.decision_of(row) for row in self._rows(query)]

    def flag(self, sheet_id: int, contest: str | None, option: str | None, who: str) -> Decision:
        """Ask that a contest be looked at again, by whoever is next.

        Args:
            sheet_id: The sheet.
            contest: The contest; None for the sheet as a whole.
            option: What it is about, if it is about one.
            who: Who asks.
        """
        options = (option,) if option is not None else ()
        return self._call(Verdict.FLAG, sheet_id, contest, who, options=options)

    def escalate(self, sheet_id: int, contest: str | None, who: str, note: str = "") -> Decision:
        """Ask that the committee decide on a contest, or with None on the sheet as a whole."""
        return self._call(Verdict.ESCALATE, sheet_id, contest, who, note=note)

    def note_on(self, sheet_id: int, contest: str | None, who: str, text: str) -> None:
        """Enter a note about a sheet in the record; nothing follows from it.

        Raises:
            BadArgumentsError: It says nothing, or far too much.
            CountError: There is no such sheet.
        """
        if not text.strip():
            raise BadArgumentsError(_("A note says something."))
        check_length(text)
        with self._write() as connection:
            self._see_to_sheet(connection, sheet_id)
            append(connection, Draft(who, Action.NOTED, {"text": text}, sheet_id, contest))

    def second_reader(self) -> SecondReader:
        """Which answers a second person gives as well."""
        return SecondReader(next(self._rows(sa.select(count.c.second_reader)))["second_reader"])

    def set_second_reader(self, policy: SecondReader, who: str) -> None:
        """Choose which answers a second person gives as well, from now on and for all so far."""
        with self._write() as connection:
            former = connection.scalar(sa.select(count.c.second_reader))
            if former != policy:
                connection.execute(count.update().values(second_reader=policy))
                detail = {"second_reader": policy, "former": former}
                append(connection, Draft(who, Action.POLICY, detail))

    def _call(
        self,
        verdict: Verdict,
        sheet_id: int,
        contest: str | None,
        who: str,
        *,
        options: tuple[str, ...] = (),
        note: str = "",
    ) -> Decision:
        check_length(note)
        moment = datetime.now(UTC)
        made = Decision(
            sheet_id, verdict, who, "", moment, contest=contest, options=options, note=note
        )
        with self._write() as connection:
            self._see_to_sheet(connection, sheet_id)
            return _add(connection, made, {})

    def _see_to_sheet(self, connection: sa.Connection, sheet_id: int) -> None:
        if connection.scalar(sa.select(sheet.c.id).where(sheet.c.id == sheet_id)) is None:
            raise no_such_sheet(sheet_id, self)


def no_such_sheet(sheet_id: int, store: CountDatabase) -> CountError:
    """The error for a number that no sheet has."""
    return CountError(
        _("There is no sheet {number}.").format(number=sheet_id),
        remedy=_("'kiemphieu list COUNT' shows the sheets."),
        path=store.folder,
    )


def check_length(text: str) -> None:
    """See that a reason or a note is one.

    Raises:
        BadArgumentsError: It is longer than :data:`LONGEST_TEXT`.
    """
    if len(text) > LONGEST_TEXT:
        raise BadArgumentsError(
            _("This text has more than {most} letters.").format(most=LONGEST_TEXT),
            remedy=_("Write less."),
        )


def _add(connection: sa.Connection, made: Decision, detail: Mapping[str, Any]) -> Decision:
    action = ACTIONS.get(made.verdict, Action.DECIDED)
    draft = Draft(made.by, action, detail, made.sheet, made.contest)
    number, _entry = append_row(connection, decision, rows.decision_values(made), draft)
    return replace(made, id=number)
