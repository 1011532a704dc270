"""Random checks in the count's database. Draws, readings and ends are only ever added."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from scanner.ballot import MarkState
from scanner.counting.journal import Action, Draft
from scanner.counting.random_check import (
    Draw,
    DrawnTarget,
    End,
    Figures,
    Population,
    Seen,
    SureTarget,
    TargetName,
)
from scanner.counting.store_base import CountDatabase, now
from scanner.counting.store_chain import append_row
from scanner.counting.store_flags import add_flag
from scanner.counting.store_rows import Row
from scanner.counting.store_schema import (
    check_draw,
    check_end,
    check_reading,
    check_target,
    is_standing,
    mark,
    sheet,
    sheet_page,
    storage_faults,
)
from scanner.errors import BadArgumentsError, CountError
from scanner.messages import gettext as _

TARGETS_AT_ONCE = 5000
SHEETS_AT_ONCE = 500
SURE = (MarkState.MARKED, MarkState.UNMARKED)


class CheckStore(CountDatabase):
    """What a count knows of its random checks."""

    def sure_targets(self) -> Iterator[SureTarget]:
        """Every target of which the machine was sure, by sheet, page and place."""
        query = (
            sa.select(sheet_page.c.sheet, mark.c.contest, mark.c.option, mark.c.state)
            .join_from(sheet, sheet_page, sheet_page.c.sheet == sheet.c.id)
            .join(mark, mark.c.page == sheet_page.c.page)
            .where(mark.c.state.in_(SURE), is_standing(sheet.c.id))
            .order_by(sheet_page.c.sheet, sheet_page.c.place, mark.c.place)
        )
        with storage_faults(self.folder), self._engine.connect() as connection:
            found = connection.execution_options(yield_per=TARGETS_AT_ONCE).execute(query)
            for number, contest, option, state in found:
                yield SureTarget(number, contest, option, MarkState(state))

    def states_of(self, names: Collection[TargetName]) -> dict[TargetName, MarkState]:
        """What some targets were read as."""
        sheets = sorted({sheet_id for sheet_id, _contest, _option in names})
        found: dict[TargetName, MarkState] = {}
        for start in range(0, len(sheets), SHEETS_AT_ONCE):
            query = (
                sa.select(sheet_page.c.sheet, mark.c.contest, mark.c.option, mark.c.state)
                .join_from(sheet_page, mark, mark.c.page == sheet_page.c.page)
                .where(sheet_page.c.sheet.in_(sheets[start : start + SHEETS_AT_ONCE]))
            )
            for row in self._rows(query):
                name = row["sheet"], row["contest"], row["option"]
                found[name] = MarkState(row["state"])
        return {name: found[name] for name in names}

    def add_draw(
        self, seed: str, population: Population, targets: Sequence[SureTarget], who: str
    ) -> int:
        """Enter a draw.

        Args:
            seed: Digits.
            population: What was drawn from.
            targets: Those drawn, in the order of the draw.
            who: Name of the person who typed the seed.

        Returns:
            The number of the draw.

        Raises:
            BadArgumentsError: There was a draw with this seed already.
        """
        names = [[target.sheet, target.contest, target.option] for target in targets]
        values = {
            "seed": seed,
            "population": population.size,
            "fingerprint": population.fingerprint,
            "targets": json.dumps(names, ensure_ascii=False),
            "who": who,
            "at": now(),
        }
        with self._write() as connection:
            if connection.scalar(sa.select(check_draw.c.id).where(check_draw.c.seed == seed)):
                raise BadArgumentsError(
                    _("There was a draw with this seed already."), remedy=_("Throw the dice anew.")
                )
            draft = Draft(who, Action.CHECK_DRAWN, {"drawn": len(targets)})
            number, _entry = append_row(connection, check_draw, values, draft)
            # What was read is no part of the record: whoever reads it must not know.
            rows = [
                {
                    "draw": number,
                    "place": place,
                    "sheet": target.sheet,
                    "contest": target.contest,
                    "option": target.option,
                    "state": target.state,
                }
                for place, target in enumerate(targets)
            ]
            connection.execute(check_target.insert(), rows)
        return number

    def draws(self) -> list[Draw]:
        """Every draw of the count, oldest first."""
        query = (
            sa.select(
                check_draw,
                check_end.c.figures,
                check_end.c.who.label("ended_by"),
                check_end.c.at.label("ended_at"),
            )
            .join_from(check_draw, check_end, isouter=True)
            .order_by(check_draw.c.id)
        )
        return [_draw_of(row) for row in self._rows(query)]

    def find_draw(self, number: int) -> Draw:
        """One draw.

        Raises:
            CountError: There is none of that number.
        """
        for one in self.draws():
            if one.id == number:
                return one
        raise CountError(_("There is no random check {number}.").format(number=number))

    def drawn_targets(self, number: int) -> list[DrawnTarget]:
        """The targets of a draw in its order, each with its latest reading."""
        with storage_faults(self.folder), self._engine.connect() as connection:
            return _drawn(connection, number)

    def add_reading(self, number: int, place: int, verdict: Seen, who: str) -> None:
        """Enter what a person sees at a target; the latest reading of a target counts.

        Args:
            number: The draw.
            place: Of the target in the draw, from 0.
            verdict: What the person sees.
            who: Name of the person.

        Raises:
            BadArgumentsError: The check has ended, or has no such target.
        """
        values = {"draw": number, "place": place, "verdict": verdict, "who": who, "at": now()}
        with self._write() as connection:
            _refuse_ended(connection, number)
            row = connection.execute(
                sa.select(check_target.c.sheet, check_target.c.contest).where(
                    check_target.c.draw == number, check_target.c.place == place
                )
            ).first()
            if row is None:
                raise BadArgumentsError(_("This check has no such box."))
            draft = Draft(who, Action.CHECK_READ, {}, row.sheet, row.contest)
            append_row(connection, check_reading, values, draft)

    def end_draw(
        self, number: int, work_out: Callable[[Sequence[DrawnTarget]], Figures], who: str
    ) -> Figures:
        """Enter that a check has ended: from now on it takes no reading.

        What a person sees otherwise than the machine is flagged at the same time.

        Args:
            number: The draw.
            work_out: Gives the figures of all readings up to this moment.
            who: Name of the person who ends it.

        Raises:
            BadArgumentsError: It has ended before.
        """
        with self._write() as connection:
            _refuse_ended(connection, number)
            targets = _drawn(connection, number)
            figures = work_out(targets)
            plain = json.dumps(figures.to_plain(), sort_keys=True)
            values = {"draw": number, "figures": plain, "who": who, "at": now()}
            append_row(connection, check_end, values, Draft(who, Action.CHECK_ENDED, {}))
            for one in targets:
                if one.is_wrong:
                    target = one.target.sheet, one.target.contest, one.target.option
                    add_flag(connection, target, who, why=_("Random check"))
        return figures


def _drawn(connection: sa.Connection, number: int) -> list[DrawnTarget]:
    readings = sa.select(check_reading.c.place, check_reading.c.verdict)
    ordered = readings.where(check_reading.c.draw == number).order_by(check_reading.c.id)
    latest = {row.place: Seen(row.verdict) for row in connection.execute(ordered)}
    query = sa.select(check_target).where(check_target.c.draw == number)
    return [
        DrawnTarget(
            row.place,
            SureTarget(row.sheet, row.contest, row.option, MarkState(row.state)),
            latest.get(row.place),
        )
        for row in connection.execute(query.order_by(check_target.c.place))
    ]


def _refuse_ended(connection: sa.Connection, number: int) -> None:
    if connection.scalar(sa.select(check_end.c.id).where(check_end.c.draw == number)):
        raise BadArgumentsError(
            _("This check has ended; no reading is taken any more."),
            remedy=_("Begin another one with a new seed."),
        )


def _draw_of(row: Row) -> Draw:
    end = None
    if row["figures"] is not None:
        figures = Figures.from_plain(json.loads(row["figures"]))
        end = End(figures, row["ended_by"], datetime.fromisoformat(row["ended_at"]))
    return Draw(
        id=row["id"],
        seed=row["seed"],
        population=Population(row["population"], row["fingerprint"]),
        drawn=len(json.loads(row["targets"])),
        who=row["who"],
        at=datetime.fromisoformat(row["at"]),
        end=end,
    )
