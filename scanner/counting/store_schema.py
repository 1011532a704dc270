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

SCHEMA_VERSION = 3
"""1: as of 0.1. 2: also the limits that were changed after reading, and the
papers that seem to have been scanned twice. 3: also the record of all that people
do, the people, and what they do on the review page."""
BUSY_TIMEOUT_S = 20.0
NO_LIMIT = 0

metadata = MetaData()


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(name, metadata, *columns)


def _key(name: str = "id") -> Column[Any]:
    return Column(name, sa.Integer, primary_key=True)


def _number(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, sa.Integer, nullable=nullable)


def _text(name: str, *, nullable: bool = False, index: bool = False) -> Column[Any]:
    return Column(name, sa.String, nullable=nullable, index=index)


def _added_text(name: str, *, default: str = "") -> Column[Any]:
    """A text that rows of an older program do not have."""
    return Column(name, sa.String, nullable=False, server_default=default)


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
    _added_text("second_reader", default="none"),
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
    _added_text("stage", default="first"),
    _added_text("note"),
    _added_text("crop"),
    _number("undoes", nullable=True),
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
journal = _table(
    "journal",
    _key("number"),
    _text("at"),
    _text("who"),
    _text("action"),
    Column("sheet", sa.Integer, nullable=True, index=True),
    _text("contest", nullable=True),
    _text("detail"),
    _text("previous"),
    _text("hash"),
)
person = _table(
    "person",
    _key(),
    Column("name", sa.String, nullable=False, unique=True),
    _text("role"),
    _text("pin"),
    _number("is_active"),
    _number("wrong_pins"),
    _text("waits_until", nullable=True),
)
hold = _table("hold", _part_of("sheet", key=True), _part_of("person"), _text("until"))
rework = _table(
    "rework",
    _key(),
    _text("kind"),
    _text("former"),
    _text("made"),
    _text("told"),
    _text("who"),
    _text("why"),
    _text("at"),
    _number("undoes", nullable=True),
)
superseded = _table(
    "superseded",
    _part_of("rework", key=True),
    _part_of("sheet", key=True),
    Column("by", ForeignKey("sheet.id"), primary_key=True, nullable=False),
)
read_again = _table(
    "read_again",
    _part_of("page", key=True),
    Column("origin", ForeignKey("page.id"), nullable=False, index=True),
    _text("told"),
)


wall_order = sa.Index(
    "mark_by_probability",
    mark.c.state,
    mark.c.probability,
    mark.c.page,
    mark.c.place,
    mark.c.contest,
    mark.c.option,
)
"""In which the wall shows targets; with all that its filters ask for."""
wall_screen = _table(
    "wall_screen",
    _key(),
    _text("state"),
    _text("form", nullable=True),
    _text("contest", nullable=True),
    _text("option", nullable=True),
    _text("targets"),
    _text("who"),
    _text("at"),
)
wall_seen = _table(
    "wall_seen",
    Column("page", ForeignKey("page.id"), primary_key=True, nullable=False),
    _key("place"),
    Column("screen", ForeignKey("wall_screen.id"), primary_key=True, nullable=False),
)
check_draw = _table(
    "check_draw",
    _key(),
    Column("seed", sa.String, nullable=False, unique=True),
    _number("population"),
    _text("fingerprint"),
    _text("targets"),
    _text("who"),
    _text("at"),
)
check_target = _table(
    "check_target",
    Column("draw", ForeignKey("check_draw.id"), primary_key=True, nullable=False),
    _key("place"),
    Column("sheet", ForeignKey("sheet.id"), nullable=False),
    _text("contest"),
    _text("option"),
    _text("state"),
)
check_reading = _table(
    "check_reading",
    _key(),
    Column("draw", ForeignKey("check_draw.id"), nullable=False, index=True),
    _number("place"),
    _text("verdict"),
    _text("who"),
    _text("at"),
)
check_end = _table(
    "check_end",
    _key(),
    Column("draw", ForeignKey("check_draw.id"), nullable=False, unique=True),
    _text("figures"),
    _text("who"),
    _text("at"),
)
comment_ink = _table(
    "comment_ink",
    _part_of("page", key=True),
    Column("comment", sa.String, primary_key=True, nullable=False),
    _real("ink_mm2"),
)
written = _table(
    "written",
    _key(),
    _part_of("sheet"),
    _text("comment"),
    _text("kind"),
    _number("letters"),
    _text("fingerprint"),
    _text("who"),
    _text("at"),
)
written_text = _table("written_text", _part_of("written", key=True), _text("salt"), _text("text"))


def gone_sheets() -> sa.Select[Any]:
    """The ids of the sheets that count no more: other sheets were made of their pages.

    Of a rework that was undone nothing holds any more.
    """
    undone = sa.select(rework.c.undoes).where(rework.c.undoes.is_not(None))
    return sa.select(superseded.c.sheet).where(superseded.c.rework.not_in(undone))


def is_standing(sheet_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether a sheet is one of the count's; where it is not, it is in no figure."""
    return sheet_id.not_in(gone_sheets())


def schema_of(connection: sa.Connection) -> int | None:
    """The version of the schema of a count; None where there is none yet."""
    if not sa.inspect(connection).has_table("count"):
        return None
    return connection.scalar(sa.select(count.c.schema))


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
    for table in (count, decision):
        _add_columns(connection, table)
    wall_order.create(connection, checkfirst=True)
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


def _add_columns(connection: sa.Connection, table: Table) -> None:
    """Columns of a table that older programs did not have."""
    there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    for column in table.columns:
        if column.name not in there:
            described = sa.schema.CreateColumn(column).compile(connection)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {described}")


def connect(path: Path) -> sa.Engine:
    """The engine of a count's database; what is written in one transaction is there as a whole."""
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_TIMEOUT_S},
        # Who waits for the right to write holds a connection; who writes must get another to read.
        pool_size=NO_LIMIT,
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
