"""The wall in the count's database: its targets by how sure the machine was of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from scanner.ballot import MarkState
from scanner.counting.adjudication import Decision
from scanner.counting.journal import Action, Draft
from scanner.counting.store_base import CountDatabase, now
from scanner.counting.store_chain import append_row
from scanner.counting.store_flags import add_flag
from scanner.counting.store_rows import Row, decision_of
from scanner.counting.store_schema import (
    batch,
    decision,
    is_standing,
    limits,
    mark,
    page,
    rework,
    sheet,
    sheet_page,
    wall_screen,
    wall_seen,
)
from scanner.counting.wall import (
    WALLS,
    Place,
    Remark,
    Spot,
    TargetName,
    Wall,
    WallTarget,
    remark_on,
)
from scanner.messages import gettext as _

Version = tuple[int | None, ...]

_CHANGING = (batch, sheet, limits, rework)
"""What is added to whenever other targets come onto a wall or leave one."""
_PLACE = (mark.c.probability, mark.c.page, mark.c.place)


class WallStore(CountDatabase):
    """What a count knows of its targets as a wall."""

    def wall_targets(
        self, wall: Wall, limit: int, *, after: Place | None = None, unseen: bool = False
    ) -> list[WallTarget]:
        """The next targets of a wall, the least sure first.

        Args:
            wall: Which targets.
            limit: So many at most.
            after: Those after this one only.
            unseen: Those only that nobody has looked over.
        """
        query = _target_query().where(*_conditions(wall)).limit(limit)
        columns = sa.tuple_(*_PLACE)
        if wall.state is MarkState.MARKED:
            query = query.order_by(*_PLACE)
        else:
            query = query.order_by(*(column.desc() for column in _PLACE))
        if after is not None:
            key = sa.tuple_(sa.literal(after.probability), after.page, after.place)
            query = query.where(columns > key if wall.state is MarkState.MARKED else columns < key)
        if unseen:
            is_it = (wall_seen.c.page == mark.c.page) & (wall_seen.c.place == mark.c.place)
            query = query.where(~sa.exists().where(is_it, *_still_read_so(wall.state)))
        return [_target_of(row) for row in self._rows(query)]

    def wall_totals(self, state: MarkState) -> dict[TargetName, int]:
        """How many targets were read so, by form, contest and option.

        Counted once: to count a million of them takes a second.
        """
        version = self._wall_version()
        known = self._counted.get(state)
        if known is None or known[0] != version:
            known = self._counted[state] = version, self._count_targets(state)
        return known[1]

    def _count_targets(self, state: MarkState) -> dict[TargetName, int]:
        query = (
            sa.select(sheet.c.form, mark.c.contest, mark.c.option, sa.func.count().label("number"))
            .join_from(mark, sheet_page, sheet_page.c.page == mark.c.page)
            .join(sheet, sheet.c.id == sheet_page.c.sheet)
            .where(mark.c.state == state, is_standing(sheet.c.id))
            .group_by(sheet.c.form, mark.c.contest, mark.c.option)
        )
        return _by_name(self._rows(query))

    def wall_seen(self, state: MarkState) -> dict[TargetName, int]:
        """How many of those were on a screen that was looked over, by form, contest, option."""
        seen = (
            sa.select(wall_seen.c.page, wall_seen.c.place)
            .where(*_still_read_so(state))
            .distinct()
            .subquery()
        )
        is_it = (mark.c.page == seen.c.page) & (mark.c.place == seen.c.place)
        names = (sheet.c.form, mark.c.contest, mark.c.option)
        # Not asked for by state: the database would go through all that were read so.
        query = (
            sa.select(*names, mark.c.state, sa.func.count().label("number"))
            .join_from(seen, mark, is_it)
            .join(sheet_page, sheet_page.c.page == mark.c.page)
            .join(sheet, sheet.c.id == sheet_page.c.sheet)
            .where(is_standing(sheet.c.id))
            .group_by(*names, mark.c.state)
        )
        return _by_name(row for row in self._rows(query) if row["state"] == state)

    def seen_by(self, state: MarkState, targets: Iterable[WallTarget]) -> dict[Spot, str]:
        """Who has looked over some targets last, by page and place."""
        query = (
            sa.select(wall_seen.c.page, wall_seen.c.place, wall_screen.c.who)
            .join_from(wall_seen, wall_screen, wall_screen.c.id == wall_seen.c.screen)
            .where(
                wall_screen.c.state == state,
                wall_seen.c.page.in_({one.at.page for one in targets}),
            )
            .order_by(wall_seen.c.screen)
        )
        return {(row["page"], row["place"]): row["who"] for row in self._rows(query)}

    def targets_at(self, spots: Collection[Spot]) -> dict[Spot, WallTarget]:
        """Some targets by page and place; no entry for one that is on no wall."""
        query = _target_query().where(sa.tuple_(mark.c.page, mark.c.place).in_(spots))
        found = map(_target_of, self._rows(query))
        return {target.spot: target for target in found if target.state in WALLS}

    def remarks(self, targets: Iterable[WallTarget]) -> dict[Spot, Remark]:
        """What people have said of some targets, by page and place."""
        shown = list(targets)
        query = sa.select(decision).where(decision.c.sheet.in_({one.sheet for one in shown}))
        made: defaultdict[int, list[Decision]] = defaultdict(list)
        for row in self._rows(query.order_by(decision.c.id)):
            made[row["sheet"]].append(decision_of(row))
        return {one.spot: remark_on(one, made[one.sheet]) for one in shown}

    def add_screen(
        self, wall: Wall, targets: Sequence[WallTarget], odd: Collection[Spot], who: str
    ) -> int:
        """Enter that a person has looked over a screen, and put the odd ones out into the queue.

        What waits in the queue already is not put there again.

        Args:
            wall: The wall.
            targets: All that was on the screen.
            odd: Those of them that a person wants to be seen again.
            who: Name of the person.

        Returns:
            How many were put into the queue.
        """
        values = {
            "state": wall.state,
            "form": wall.form,
            "contest": wall.contest,
            "option": wall.option,
            "targets": json.dumps([one.spot for one in targets]),
            "who": who,
            "at": now(),
        }
        known = self.remarks(targets)
        flagged = [one for one in targets if one.spot in odd and not known[one.spot].is_flagged]
        with self._write() as connection:
            draft = Draft(who, Action.SCREEN_CHECKED, {"odd": len(flagged)})
            number, _entry = append_row(connection, wall_screen, values, draft)
            seen = [
                {"page": page_id, "place": place, "screen": number}
                for page_id, place in (one.spot for one in targets)
            ]
            connection.execute(wall_seen.insert(), seen)
            for one in flagged:
                add_flag(connection, (one.sheet, one.contest, one.option), who, why=_("Wall"))
        return len(flagged)

    def _wall_version(self) -> Version:
        """Other numbers than before as soon as other targets may be on a wall."""
        latest = (sa.select(sa.func.max(table.c.id)).scalar_subquery() for table in _CHANGING)
        query = sa.select(*(number.label(f"n{place}") for place, number in enumerate(latest)))
        return tuple(next(self._rows(query)).values())

    @cached_property
    def _counted(self) -> dict[MarkState, tuple[Version, dict[TargetName, int]]]:
        """The totals that were counted before, with what they were counted of."""
        return {}


def _conditions(wall: Wall) -> list[sa.ColumnElement[bool]]:
    asked = (
        (sheet.c.form, wall.form),
        (mark.c.contest, wall.contest),
        (mark.c.option, wall.option),
    )
    wanted = [column == value for column, value in asked if value is not None]
    return [mark.c.state == wall.state, *wanted]


def _still_read_so(state: MarkState) -> tuple[sa.ColumnElement[bool], ...]:
    """Looked over as what they are read as: other limits may have changed it since."""
    of_state = sa.select(wall_screen.c.id).where(wall_screen.c.state == state)
    return (wall_seen.c.screen.in_(of_state),)


def _target_query() -> sa.Select[Any]:
    return (
        sa.select(
            *_PLACE,
            mark.c.contest,
            mark.c.option,
            mark.c.state,
            sheet_page.c.sheet,
            sheet.c.form,
            page.c.page.label("printed_page"),
        )
        .join_from(mark, sheet_page, sheet_page.c.page == mark.c.page)
        .join(sheet, sheet.c.id == sheet_page.c.sheet)
        .join(page, page.c.id == mark.c.page)
        .where(is_standing(sheet.c.id))
    )


def _target_of(row: Row) -> WallTarget:
    return WallTarget(
        at=Place(row["probability"], row["page"], row["place"]),
        sheet=row["sheet"],
        form=row["form"],
        contest=row["contest"],
        option=row["option"],
        state=MarkState(row["state"]),
        printed_page=row["printed_page"],
    )


def _by_name(rows: Iterable[Row]) -> dict[TargetName, int]:
    return {(row["form"], row["contest"], row["option"]): row["number"] for row in rows}
