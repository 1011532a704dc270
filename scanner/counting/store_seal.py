"""Whether a count is sealed, and how that is entered in its record."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from scanner.counting.people import Person, Role, is_pin, is_same_name
from scanner.counting.store_base import (
    OPENED_AGAIN,
    SEALED,
    CountDatabase,
    is_sealed,
    note,
    refuse_if_sealed,
)
from scanner.counting.store_schema import person, storage_faults
from scanner.errors import BadArgumentsError, CountError
from scanner.messages import gettext as _


class SealStore(CountDatabase):
    """What a count knows of its own seal."""

    @property
    def is_sealed(self) -> bool:
        """Whether the record says that it is closed."""
        with storage_faults(self.folder), self._engine.connect() as connection:
            return is_sealed(connection)

    def refuse_if_sealed(self) -> None:
        """See that it may be written to; every writing does that by itself as well.

        Raises:
            CountError: It is sealed.
        """
        with storage_faults(self.folder), self._engine.connect() as connection:
            refuse_if_sealed(connection, self.folder)

    def enter_seal(self, by: str, keys: Sequence[str]) -> None:
        """Enter in the record that it is closed; from now on nobody writes to it.

        Args:
            by: Who seals it; empty where only the keys say so.
            keys: Fingerprints of the keys that sign.
        """
        with self._write(even_sealed=True) as connection:
            note(connection, SEALED, {"by": by, "keys": list(keys)})

    def prove(self, name: str, pin: str) -> Person:
        """The person who proves to be the one of that name; nothing is written.

        Even a wrong PIN would alter what is sealed. Whoever can try PINs so has the file itself.

        Raises:
            BadArgumentsError: Name or PIN are wrong, or the person takes part no more.
        """
        for row in self._rows(sa.select(person)):
            if is_same_name(row["name"], name) and row["is_active"] and is_pin(pin, row["pin"]):
                return Person(row["id"], row["name"], Role(row["role"]), is_active=True)
        raise BadArgumentsError(
            _("The name or the PIN is wrong."),
            remedy=_("Try again, or ask the committee for a new PIN."),
        )

    def enter_opened_again(self, by: str, why: str, seal: str) -> None:
        """Enter in the record that it may be written to again.

        Args:
            by: Who opens it.
            why: The reason.
            seal: The digest of the seal that holds no longer; empty where there is none.
        """
        with self._write(even_sealed=True) as connection:
            note(connection, OPENED_AGAIN, {"by": by, "why": why, "seal": seal})

    def settle(self) -> None:
        """Bring all that was written into the one file of the database.

        Raises:
            CountError: Another program has the count open at this moment.
        """
        with storage_faults(self.folder):
            connection = self._engine.raw_connection()
            try:
                # Outside any transaction, which is where alone it can be done.
                cursor = connection.cursor()
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                (is_busy, *_pages) = cursor.fetchall()[0]
                cursor.close()
            finally:
                connection.close()
        if is_busy:
            raise CountError(
                _("Another program has this count open."),
                remedy=_("Close the review page, and run the same command again."),
                path=self.folder,
            )
