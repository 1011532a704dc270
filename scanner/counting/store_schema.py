"""The tables of a count's database, and how it is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, MetaData, Table, event

from scanner.ballot import TargetMeasures
from scanner.counting.store_rows import MEASURES
from scanner.errors import CountError, StorageError
from scanner.messages import gettext as _

SCHEMA_VERSION = 2
"""1: as of 0.1. 2: also the limits that were changed after reading, and the
papers that seem to have been scanned twice."""
BUSY_TIMEOUT_S = 20.0

metadata = MetaData()


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(name, metadata, *columns)


def _key(name: str = "id") -> Column[Any]:
    return Column(name, sa.Integer, primary_key=True)


def _number(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, sa.Integer, nullable=nullable)


def _text(name: str, *, nullable: bool = False, index: bool = False) -> Column[Any]:
    return Column(name, sa.String, nullable=nullable, index=index)


def _real(name: str) -> Column[Any]:
    return Column(name, sa.Float, nullable=False)


def _part_of(table: str, *, key: bool = False) -> Column[Any]:
    """A column that names the row this one belongs to."""
    target = ForeignKey(f"{table}.id")
    return Column(table, target, primary_key=key, nullable=False, index=not key)


count = _table(
    "count",
    _key(),
    _number("schema"),
    _text("program"),
    _text("created"),
    _number("issued", nullable=True),
    _number("collected", nullable=True),
)
form = _table(
    "form",
    Column("id", sa.String, primary_key=True),
    _text("hash"),
    _text("folder"),
    _text("yaml"),
)
batch = _table(
    "batch",
    _key(),
    _text("request"),
    _text("settings"),
    _text("state"),
    _text("started"),
    _text("finished", nullable=True),
)
file = _table(
    "file",
    _key(),
    _part_of("batch"),
    _number("place"),
    _text("hash", index=True),
    _text("name"),
    _text("stored"),
    _number("pages"),
    _text("known_as", nullable=True),
    _text("refusal", nullable=True),
    _text("evidence"),
)
page = _table(
    "page",
    _key(),
    _part_of("batch"),
    _number("position"),
    _part_of("file"),
    _number("number"),
    _number("pile"),
    _text("flags"),
    _number("is_read"),
    _text("image_hash", index=True),
    _text("refusal", nullable=True),
    _text("form", nullable=True),
    _text("form_hash", nullable=True),
    _number("page", nullable=True),
    _number("rotation", nullable=True),
    _text("homography", nullable=True),
    _text("reasons"),
    _text("serial", nullable=True),
    _text("alternatives"),
    _text("evidence"),
)
mark = _table(
    "mark",
    _part_of("page", key=True),
    _key("place"),
    _text("contest"),
    _text("option"),
    _text("state"),
    _real("probability"),
    *map(_real, MEASURES),
    _text("reasons"),
)
sheet = _table(
    "sheet",
    _key(),
    _part_of("batch"),
    _text("form", nullable=True),
    _text("reasons"),
    _text("serial", nullable=True),
)
sheet_page = _table("sheet_page", _part_of("sheet", key=True), _key("place"), _part_of("page"))
contest_reading = _table(
    "contest_reading",
    _part_of("sheet", key=True),
    _key("place"),
    _text("contest"),
    _text("state"),
    _text("marked"),
    _text("reasons"),
)
decision = _table(
    "decision",
    _key(),
    _part_of("sheet"),
    _text("contest", nullable=True),
    _text("verdict"),
    _text("options"),
    _text("who"),
    _text("why"),
    _text("at"),
)
limits = _table(
    "limits",
    _key(),
    _part_of("batch"),
    _text("settings"),
    _text("who"),
    _text("why"),
    _text("at"),
    _text("program"),
)
former_mark = _table(
    "former_mark",
    _part_of("limits", key=True),
    _part_of("page", key=True),
    _key("place"),
    _text("state"),
    _real("probability"),
    _text("reasons"),
)
same_paper = _table(
    "same_paper",
    _part_of("page", key=True),
    Column("other", ForeignKey("page.id"), primary_key=True, nullable=False),
    _real("score"),
    _real("limit"),
)
event_log = _table("event_log", _key(), _text("at"), _text("what"), _text("detail"))


def bring_up_to_date(connection: sa.Connection, *, program: str, now: str) -> int | None:
    """Make the tables of a count that has none; add what an older program did not know.

    Nothing that is there is changed but the version of the schema.

    Returns:
        The version of the schema; one above :data:`SCHEMA_VERSION` is left as it is. None for a
        database that is no count.
    """
    if not sa.inspect(connection).has_table("count"):
        metadata.create_all(connection)
        first = {"id": 1, "schema": SCHEMA_VERSION, "program": program, "created": now}
        connection.execute(count.insert().values(**first))
    version = connection.scalar(sa.select(count.c.schema))
    if version is None or version >= SCHEMA_VERSION:
        return version
    metadata.create_all(connection)
    _add_measures(connection)
    connection.execute(count.update().values(schema=SCHEMA_VERSION))
    return SCHEMA_VERSION


def _add_measures(connection: sa.Connection) -> None:
    """Columns for measures that the program did not take when the count was read.

    A measure that came later says with its default what holds where nobody took it.
    """
    there = {column["name"] for column in sa.inspect(connection).get_columns(mark.name)}
    for measure in fields(TargetMeasures):
        if measure.name not in there and measure.default is not MISSING:
            connection.exec_driver_sql(
                f"ALTER TABLE {mark.name} ADD COLUMN {measure.name} FLOAT NOT NULL"
                f" DEFAULT {float(measure.default)}"
            )


def connect(path: Path) -> sa.Engine:
    """The engine of a count's database; what is written in one transaction is there as a whole."""
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_TIMEOUT_S}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        # Left alone, the driver begins no transaction for a schema, and half of one could stay.
        connection.isolation_level = None
        for setting in ("journal_mode = WAL", "foreign_keys = ON", "synchronous = FULL"):
            connection.execute(f"PRAGMA {setting}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        for_writing = connection.get_execution_options().get("for_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if for_writing else "BEGIN")

    return engine


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Keep other processes out; the system gives the lock back even when this one is killed.

    Raises:
        CountError: Another process holds it.
    """
    lock = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise CountError(
            _("Another scan into this count is running."),
            remedy=_("Wait until it has finished, or stop it."),
            path=path.parent,
        ) from error
    try:
        yield
    finally:
        lock.close()


@contextmanager
def storage_faults(folder: Path) -> Iterator[None]:
    """Faults of the disk and of the database become errors that say what to do.

    Raises:
        StorageError: No right to write there, or no space left.
        CountError: The database is busy or damaged.
    """
    try:
        yield
    except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
        cause = error.orig if isinstance(error, sa.exc.DatabaseError) else error
        raise _explain(str(cause), folder) from error
    except OSError as error:
        raise cannot_write(str(error.strerror or error), folder) from error


def cannot_write(why: str, folder: Path) -> StorageError:
    """The error for a disk that is full or write-protected."""
    return StorageError(
        _("The count cannot be written: {why}.").format(why=why),
        remedy=_("Make space or choose another folder, then run the same command again."),
        path=folder,
    )


def _explain(why: str, folder: Path) -> CountError | StorageError:
    if "locked" in why or "busy" in why:
        return CountError(
            _("Another program is writing to this count."),
            remedy=_("Try again in a moment."),
            path=folder,
        )
    if any(word in why for word in ("full", "readonly", "unable to open", "disk I/O")):
        return cannot_write(why, folder)
    return CountError(
        _("The count's database is damaged: {why}.").format(why=why),
        remedy=_("Take the count from a copy, or scan again into a new one."),
        path=folder,
    )
