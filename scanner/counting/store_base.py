"""A count's database as it is opened, written to and read from; the queries lie on top of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from scanner import __version__
from scanner.counting.records import DATABASE_FILE, IMAGES_FOLDER, LOCK_FILE
from scanner.counting.store_chain import append_row, draft_of_event, enter_the_past
from scanner.counting.store_rows import Row, pack
from scanner.counting.store_schema import (
    SCHEMA_VERSION,
    bring_up_to_date,
    connect,
    event_log,
    exclusive_lock,
    schema_of,
    storage_faults,
)
from scanner.errors import CountError, KiemPhieuError
from scanner.messages import gettext as _

ROWS_AT_ONCE = 500
FIRST_WITH_RECORD = 3
RECORD_BEGUN = "record begun"
PAPERS = "papers"
"""Noted where the figures of papers issued and collected are given."""
SEALED = "sealed"
OPENED_AGAIN = "opened again"
"""Noted where a count is closed, and where it is opened again: the later one holds."""


class CountDatabase:
    """One open count; a context manager.

    Args:
        folder: The count's folder.
        create: Begin a count if there is none.
        even_sealed: Bring it up to date even where it is sealed: a passing copy, or a count that is
            about to be opened again.

    Raises:
        CountError: There is no count, it is damaged, or a newer program made it; or it was sealed
            with an older one, and would have to be changed to be read.
        StorageError: No right to write there, or no space left.
    """

    def __init__(self, folder: Path, *, create: bool = False, even_sealed: bool = False) -> None:
        self.folder = folder
        self._even_sealed = even_sealed
        path = folder / DATABASE_FILE
        if not create and not path.is_file():
            raise CountError(
                _("There is no count here."),
                remedy=_("Begin one with 'kiemphieu scan COUNT FILES...'."),
                path=folder,
            )
        with storage_faults(folder):
            (folder / IMAGES_FOLDER).mkdir(parents=True, exist_ok=True)
        self._engine = connect(path)
        try:
            self._set_up()
        except KiemPhieuError:
            self._engine.dispose()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._engine.dispose()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other programs from scanning into this count.

        Raises:
            CountError: Another one is at it.
        """
        with storage_faults(self.folder), exclusive_lock(self.folder / LOCK_FILE):
            yield

    @contextmanager
    def _write(self, *, even_sealed: bool = False) -> Iterator[sa.Connection]:
        """A transaction: all that is written in it is kept, or none.

        Args:
            even_sealed: It is about the seal itself, or about a count that has no tables yet.

        Raises:
            CountError: The count is sealed.
        """
        with (
            storage_faults(self.folder),
            self._engine.connect() as connection,
            connection.execution_options(for_writing=True).begin(),
        ):
            if not even_sealed:
                refuse_if_sealed(connection, self.folder)
            yield connection

    def _rows(self, query: sa.Select[Any]) -> Iterator[Row]:
        """Rows as they come, never all at once."""
        with storage_faults(self.folder), self._engine.connect() as connection:
            streaming = connection.execution_options(yield_per=ROWS_AT_ONCE)
            yield from (row._asdict() for row in streaming.execute(query))

    def _set_up(self) -> None:
        with self._write(even_sealed=True) as connection:
            former = schema_of(connection)
            if former is not None and former < SCHEMA_VERSION and not self._even_sealed:
                _refuse_to_alter_sealed(connection, self.folder)
            version = bring_up_to_date(connection, program=__version__, now=now())
            if former is not None and former < FIRST_WITH_RECORD:
                decisions, events = enter_the_past(connection)
                note(connection, RECORD_BEGUN, {"decisions": decisions, "events": events})
        if version is None or version > SCHEMA_VERSION:
            raise CountError(
                _("A newer program made this count."),
                remedy=_("Update kiemphieu and try again."),
                path=self.folder,
            )


def now() -> str:
    """This moment as the database keeps it."""
    return datetime.now(UTC).isoformat()


def note(connection: sa.Connection, what: str, detail: Mapping[str, Any]) -> None:
    """Add to the list of what happened to the count, and to the record."""
    values = {"at": now(), "what": what, "detail": pack(detail)}
    append_row(connection, event_log, values, draft_of_event(values["detail"]))


def is_sealed(connection: sa.Connection) -> bool:
    """Whether a count is closed, by what was noted last."""
    query = (
        sa.select(event_log.c.what)
        .where(event_log.c.what.in_((SEALED, OPENED_AGAIN)))
        .order_by(event_log.c.id.desc())
        .limit(1)
    )
    return connection.scalar(query) == SEALED


def refuse_if_sealed(connection: sa.Connection, folder: Path) -> None:
    """See that a count may be written to.

    Raises:
        CountError: It is sealed.
    """
    if is_sealed(connection):
        raise CountError(
            _("This count is sealed: nothing more is written to it."),
            remedy=_(
                "Where it must be, the committee opens it again, which stays on the record:"
                " 'kiemphieu seal COUNT --open-again --by NAME --why REASON'."
            ),
            path=folder,
        )


def _refuse_to_alter_sealed(connection: sa.Connection, folder: Path) -> None:
    if sa.inspect(connection).has_table(event_log.name) and is_sealed(connection):
        raise CountError(
            _("This count was sealed with an older program, and stays as it is."),
            remedy=_(
                "'kiemphieu verify' checks it all the same; to read it, use a copy of the"
                " folder: 'kiemphieu seal COPY --open-again --by NAME --why REASON'."
            ),
            path=folder,
        )
