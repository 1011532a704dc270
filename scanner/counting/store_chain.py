"""How the record is written: each entry in the transaction of what it is about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from scanner.counting.journal import NOTHING_BEFORE, Action, Draft, Entry, canonical, plain, seal
from scanner.counting.store_schema import (
    check_draw,
    check_end,
    check_reading,
    decision,
    event_log,
    journal,
    rework,
    wall_screen,
    written,
)

Row = Mapping[str, Any]

WITNESSED = (
    decision,
    event_log,
    rework,
    wall_screen,
    check_draw,
    check_reading,
    check_end,
    written,
)
"""The tables of which every row has an entry that repeats it."""


def append(connection: sa.Connection, draft: Draft, *, at: str | None = None) -> Entry:
    """Enter something into the record.

    Args:
        connection: Of the transaction in which that is written; both are kept or none.
        draft: What to enter.
        at: ISO 8601; this moment unless told.
    """
    last = connection.execute(
        sa.select(journal.c.number, journal.c.hash).order_by(journal.c.number.desc()).limit(1)
    ).first()
    number, previous = (0, NOTHING_BEFORE) if last is None else (last.number, last.hash)
    moment = at or datetime.now(UTC).isoformat()
    entry = seal(draft, number=number + 1, at=moment, previous=previous)
    connection.execute(journal.insert().values(**_values(entry)))
    return entry


def append_row(
    connection: sa.Connection, table: sa.Table, values: Row, draft: Draft
) -> tuple[int, Entry]:
    """Add a row to a table, and an entry that repeats it, so that its alteration shows.

    Args:
        connection: Of the transaction.
        table: With a column ``id``; none of its columns holds a real number.
        values: The row, without its id.
        draft: What to enter about it.

    Returns:
        The id of the row, and the entry.
    """
    added = connection.execute(table.insert().values(**values)).inserted_primary_key
    assert added is not None
    number = int(added[0])
    return number, witness(connection, table, number, draft)


def witness(
    connection: sa.Connection, table: sa.Table, row_id: int, draft: Draft, *, at: str | None = None
) -> Entry:
    """Enter something about a row that is there, and repeat the row.

    Args:
        connection: Of the transaction.
        table: As for :func:`append_row`.
        row_id: The row.
        draft: What to enter about it.
        at: As for :func:`append`.
    """
    row = connection.execute(sa.select(table).where(table.c.id == row_id)).one()
    kept = {"table": table.name, "row": plain(row._asdict())}
    return append(connection, replace(draft, detail={**draft.detail, **kept}), at=at)


def entry_of(row: Row) -> Entry:
    """An entry from its row.

    Raises:
        ValueError: The row is none that was ever written so.
    """
    detail = json.loads(row["detail"])
    if canonical(detail) != row["detail"]:
        raise ValueError("not canonical")
    return Entry(**{**row, "action": Action(row["action"]), "detail": detail})


def enter_the_past(connection: sa.Connection) -> tuple[int, int]:
    """Enter what was written before there was a record, in the order in which it happened.

    Nothing of it is changed. Where two happened at the same moment, the decision comes later.

    Returns:
        How many decisions and how many events.
    """
    decisions = connection.execute(sa.select(decision)).all()
    events = connection.execute(sa.select(event_log)).all()
    past = [(datetime.fromisoformat(row.at), 0, row.id, row) for row in events]
    past += [(datetime.fromisoformat(row.at), 1, row.id, row) for row in decisions]
    for _moment, is_decision, number, row in sorted(past, key=lambda one: one[:3]):
        if is_decision:
            draft = Draft(row.who, Action.DECIDED, {}, row.sheet, row.contest)
            witness(connection, decision, number, draft, at=row.at)
        else:
            witness(connection, event_log, number, draft_of_event(row.detail), at=row.at)
    return len(decisions), len(events)


def draft_of_event(detail: str) -> Draft:
    """What is entered about a row of the list of what happened; the row itself says it all.

    Args:
        detail: The row's own detail, as JSON.
    """
    return Draft(str(json.loads(detail).get("by", "")), Action.EVENT, {})


def _values(entry: Entry) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in Entry.__slots__}
    return values | {"detail": canonical(entry.detail)}
