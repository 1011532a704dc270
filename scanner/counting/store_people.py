"""The people of a count in its database, and what each of them is at."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import sqlalchemy as sa

from scanner.counting.journal import Action, Draft
from scanner.counting.people import (
    Person,
    Role,
    hash_pin,
    is_pin,
    is_same_name,
    tidy_name,
    wait_after,
)
from scanner.counting.store_base import CountDatabase
from scanner.counting.store_chain import append
from scanner.counting.store_rows import Row
from scanner.counting.store_schema import hold, person
from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _
from scanner.messages import ngettext


def plain_person(row: Row) -> dict[str, Any]:
    """What the record says of a person; of the PIN only that it is another one now."""
    return {
        "id": row["id"],
        "name": row["name"],
        "role": row["role"],
        "is_active": bool(row["is_active"]),
        "pin": hashlib.sha256(row["pin"].encode()).hexdigest(),
    }


class PeopleStore(CountDatabase):
    """Who takes part in a count, and which sheet each of them has before them."""

    def people(self) -> list[Person]:
        """Everybody, also those who take part no more, in the order in which they came."""
        return [_person_of(row) for row in self._rows(sa.select(person).order_by(person.c.id))]

    def find_person(self, name: str) -> Person | None:
        """The person of that name, if there is one."""
        return next((one for one in self.people() if is_same_name(one.name, name)), None)

    def add_person(self, name: str, pin: str, role: Role, by: str) -> Person:
        """Let somebody take part.

        Args:
            name: Unlike the names of all others.
            pin: At least four digits.
            role: What they may do.
            by: Who lets them.

        Raises:
            BadArgumentsError: The name is there already, or name or PIN are none.
        """
        kept, known_as = hash_pin(pin), tidy_name(name)
        with self._write() as connection:
            if any(is_same_name(row.name, known_as) for row in connection.execute(_NAMES)):
                raise BadArgumentsError(
                    _("There is a person of that name already: {name}.").format(name=known_as),
                    remedy=_("Choose another name, or change that person."),
                )
            values = {"name": known_as, "role": role, "pin": kept, "is_active": 1, "wrong_pins": 0}
            added = connection.execute(person.insert().values(**values)).inserted_primary_key
            assert added is not None
            _enter(connection, int(added[0]), Action.PERSON_ADDED, by)
            return Person(int(added[0]), known_as, role, is_active=True)

    def change_person(
        self,
        person_id: int,
        by: str,
        *,
        role: Role | None = None,
        pin: str | None = None,
        is_active: bool | None = None,
    ) -> Person:
        """Change what somebody may do, or their PIN; None leaves a thing as it is.

        Args:
            person_id: Whom.
            by: Who changes it.
            role: What they may do from now on.
            pin: Their new PIN.
            is_active: Whether they take part.

        Raises:
            BadArgumentsError: There is no such person, the PIN is none, or nobody would be left
                who may say who takes part.
        """
        asked: dict[str, Any] = {"role": role, "is_active": is_active}
        if pin is not None:
            asked |= {"pin": hash_pin(pin), "wrong_pins": 0}
        values = {name: value for name, value in asked.items() if value is not None}
        # A new PIN ends the wait for the old one.
        values |= {"waits_until": None} if pin is not None else {}
        with self._write() as connection:
            is_it = person.c.id == person_id
            former = connection.execute(sa.select(person).where(is_it)).first()
            if former is None:
                raise BadArgumentsError(_("There is no such person."))
            if values:
                connection.execute(person.update().where(is_it).values(**values))
                if is_active is False:
                    connection.execute(hold.delete().where(hold.c.person == person_id))
                if former.role == Role.COMMITTEE and former.is_active:
                    _see_to_committee(connection)
                detail = {"former": plain_person(former._asdict())}
                _enter(connection, person_id, Action.PERSON_CHANGED, by, detail)
            return _person_of(connection.execute(sa.select(person).where(is_it)).one()._asdict())

    def check_pin(self, name: str, pin: str) -> Person:
        """The person who proves to be the one of that name; it is entered in the record.

        After three wrong PINs in a row every further one makes them wait twice as long.

        Raises:
            BadArgumentsError: Name or PIN are wrong, the person takes part no more, or must wait.
        """
        known = self.find_person(name)
        kept = self._take_attempt(known.id) if known is not None and known.is_active else ""
        if not is_pin(pin, kept) or known is None:
            raise BadArgumentsError(
                _("The name or the PIN is wrong."),
                remedy=_("Try again, or ask the committee for a new PIN."),
            )
        with self._write() as connection:
            rested = person.update().where(person.c.id == known.id)
            connection.execute(rested.values(wrong_pins=0, waits_until=None))
            append(connection, Draft(known.name, Action.SIGNED_IN, {}))
        return known

    def hold(
        self, sheet: int, person_id: int, seconds: float = 120, *, instead_of: int | None = None
    ) -> int | None:
        """Take a sheet, so that nobody else decides on it at the same time.

        Args:
            sheet: The sheet.
            person_id: Who takes it, or keeps it.
            seconds: How long without being taken anew.
            instead_of: A sheet of theirs that they give back once they have this one.

        Returns:
            None if they have it now; else who has it.
        """
        with self._write() as connection:
            moment = datetime.now(UTC)
            until = (moment + timedelta(seconds=seconds)).isoformat()
            row = connection.execute(sa.select(hold).where(hold.c.sheet == sheet)).first()
            if row is not None and row.person != person_id and _is_later(row.until, moment):
                return int(row.person)
            connection.execute(hold.delete().where(hold.c.sheet == sheet))
            connection.execute(hold.insert().values(sheet=sheet, person=person_id, until=until))
            if instead_of not in {None, sheet}:
                is_former = (hold.c.sheet == instead_of) & (hold.c.person == person_id)
                connection.execute(hold.delete().where(is_former))
        return None

    def release(self, sheet: int, person_id: int) -> None:
        """Give a sheet back; nothing happens where the person does not have it."""
        is_it = (hold.c.sheet == sheet) & (hold.c.person == person_id)
        with self._write() as connection:
            connection.execute(hold.delete().where(is_it))

    def held(self) -> Mapping[int, int]:
        """Who has which sheet at this moment: ids of people by sheet."""
        moment = datetime.now(UTC)
        found = self._rows(sa.select(hold))
        return {row["sheet"]: row["person"] for row in found if _is_later(row["until"], moment)}

    def _take_attempt(self, person_id: int) -> str:
        """What is kept of a person's PIN; the attempt counts as wrong until it proves right.

        So however many attempts come at once, each but the first few has to wait.
        """
        is_it = person.c.id == person_id
        with self._write() as connection:
            moment = datetime.now(UTC)
            row = connection.execute(sa.select(person).where(is_it)).one()
            if row.waits_until is not None and _is_later(row.waits_until, moment):
                wait = ceil((datetime.fromisoformat(row.waits_until) - moment).total_seconds())
                raise BadArgumentsError(
                    _("Too many wrong PINs."),
                    remedy=ngettext(
                        "Wait {seconds} second.", "Wait {seconds} seconds.", wait
                    ).format(seconds=wait),
                )
            wrong = row.wrong_pins + 1
            wait_next = wait_after(wrong)
            until = (moment + wait_next).isoformat() if wait_next else None
            connection.execute(
                person.update().where(is_it).values(wrong_pins=wrong, waits_until=until)
            )
        return str(row.pin)


_NAMES = sa.select(person.c.name)


def _person_of(row: Row) -> Person:
    return Person(row["id"], row["name"], Role(row["role"]), bool(row["is_active"]))


def _is_later(until: str, moment: datetime) -> bool:
    return datetime.fromisoformat(until) > moment


def _enter(
    connection: sa.Connection,
    person_id: int,
    action: Action,
    by: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    row = connection.execute(sa.select(person).where(person.c.id == person_id)).one()._asdict()
    append(connection, Draft(by, action, {**(detail or {}), "person": plain_person(row)}))


def _see_to_committee(connection: sa.Connection) -> None:
    """See that somebody is left who may say who takes part.

    Raises:
        BadArgumentsError: Nobody is.
    """
    rest = sa.select(person.c.id).where(person.c.role == Role.COMMITTEE, person.c.is_active == 1)
    if connection.scalar(rest.limit(1)) is None:
        raise BadArgumentsError(
            _("Somebody of the committee must be left."),
            remedy=_("Add another member of the committee first."),
        )
