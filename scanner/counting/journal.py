"""The record of a count: entries that are only ever added, each chained to the one before.

The hash of an entry is taken over all the rest of it, the hash of the entry before among that,
written as canonical JSON (RFC 8785). So an entry that is altered, moved, left out or put in later
shows, and anybody can work it out again with other tools. That the last entries were not cut off
shows where the hash of the last one was written down elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import rfc8785

NOTHING_BEFORE = "0" * 64
"""What the first entry names as the hash of the one before it."""


class Action(StrEnum):
    """What an entry is about."""

    DECIDED = "decided"
    WITHDRAWN = "withdrawn"
    ESCALATED = "escalated"
    NOTED = "noted"
    FLAGGED = "flagged"
    SCREEN_CHECKED = "screen_checked"
    CHECK_DRAWN = "check_drawn"
    CHECK_READ = "check_read"
    CHECK_ENDED = "check_ended"
    WORDS_TYPED = "words_typed"
    REWORKED = "reworked"
    PERSON_ADDED = "person_added"
    PERSON_CHANGED = "person_changed"
    POLICY = "policy"
    SIGNED_IN = "signed_in"
    EVENT = "event"
    """What the program did, or was told on the command line: a batch, other limits, papers."""


class Fault(StrEnum):
    """In what an entry does not hold."""

    NUMBER = "number"
    """Its number does not follow on the one before: an entry is missing, or there twice."""
    PREVIOUS = "previous"
    """It names another hash than that of the entry before it."""
    CONTENT = "content"
    """Its hash is not that of what it says."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be entered.

    A real number in ``detail`` is written as text, so that no hash depends on how a machine
    rounds it.
    """

    who: str
    """The name of a person; empty for the program itself."""
    action: Action
    detail: Mapping[str, Any]
    """Plain JSON."""
    sheet: int | None = None
    contest: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the record."""

    number: int
    """From 1 on, without a gap."""
    at: str
    """ISO 8601 with the time zone."""
    who: str
    action: Action
    sheet: int | None
    contest: str | None
    detail: Mapping[str, Any]
    previous: str
    """The hash of the entry before, 64 hexadecimal digits."""
    hash: str

    @property
    def moment(self) -> datetime:
        """When it was entered."""
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True, slots=True)
class Break:
    """The first entry at which the chain does not hold."""

    number: int
    fault: Fault


def seal(draft: Draft, *, number: int, at: str, previous: str) -> Entry:
    """The entry that a draft becomes.

    Args:
        draft: What is to be entered.
        number: Its number, one more than that of the entry before.
        at: ISO 8601 with the time zone.
        previous: The hash of the entry before, or :data:`NOTHING_BEFORE`.
    """
    entry = Entry(
        number=number,
        at=at,
        who=plain(draft.who),
        action=draft.action,
        sheet=draft.sheet,
        contest=plain(draft.contest),
        detail=plain(draft.detail),
        previous=previous,
        hash="",
    )
    return Entry(**_fields(entry), hash=_hash(entry))


def find_break(entries: Iterable[Entry]) -> Break | None:
    """The first entry that does not hold, if there is one.

    Args:
        entries: The whole record, oldest first.
    """
    number, previous = 0, NOTHING_BEFORE
    for entry in entries:
        fault = _fault_of(entry, number, previous)
        if fault is not None:
            return Break(entry.number, fault)
        number, previous = entry.number, entry.hash
    return None


def canonical(value: Any) -> str:
    """Plain JSON in the one way of writing it.

    Raises:
        ValueError: It is not plain JSON.
    """
    return rfc8785.dumps(value).decode()


def plain(value: Any) -> Any:
    """A value as an entry keeps it: real numbers as text, no letter that no file can hold."""
    if isinstance(value, str):
        return str(value).encode("utf-8", "backslashreplace").decode()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def _fault_of(entry: Entry, number: int, previous: str) -> Fault | None:
    if entry.number != number + 1:
        return Fault.NUMBER
    if entry.previous != previous:
        return Fault.PREVIOUS
    return None if entry.hash == _hash(entry) else Fault.CONTENT


def _fields(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Entry.__slots__ if name != "hash"}


def _hash(entry: Entry) -> str:
    return hashlib.sha256(canonical(_fields(entry)).encode()).hexdigest()
