"""Who is at which browser: sessions, kept in memory, known to the browser by a cookie.

A session first comes in (by the address that the program printed, or by the pass phrase of the
office network), then a person signs in at it. Its key changes at both moments, so that a key
that somebody planted in a browser before is worth nothing after.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum

MAX_STRANGERS = 500
"""Sessions that have not come in; more than so many of them push the oldest out."""
KEY_BYTES = 32


class Entrance(StrEnum):
    """How a session came in."""

    ADDRESS = "address"
    """By the one-time address: whoever started the program."""
    PASS_PHRASE = "pass_phrase"


@dataclass(slots=True)
class Session:
    """One browser."""

    key: str = field(default_factory=lambda: secrets.token_urlsafe(KEY_BYTES))
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(KEY_BYTES))
    entrance: Entrance | None = None
    person: int | None = None
    """Id of the person who is signed in."""
    last_seen: float = field(default_factory=time.monotonic)
    """Seconds of the monotonic clock."""
    was_idle: bool = False
    """The person was signed out because nothing was done for a while."""
    needs_cookie: bool = False
    """The browser does not know the key yet."""
    messages: list[str] = field(default_factory=list)
    """To be shown on the next page, once."""

    @property
    def is_inside(self) -> bool:
        """Whether it may see more than the entrance."""
        return self.entrance is not None

    def take_messages(self) -> list[str]:
        """What is to be shown now; it is shown once."""
        taken, self.messages = self.messages, []
        return taken


class Sessions:
    """All sessions of a running server; safe to be used by several threads.

    Args:
        idle_seconds: After so long without a request a person is signed out.
    """

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._by_key: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: str | None, *, is_activity: bool = True) -> Session | None:
        """The session with that key, its person signed out if nothing was done for too long.

        Args:
            key: What the browser's cookie says.
            is_activity: False for what a page asks by itself: it keeps nobody signed in.
        """
        with self._lock:
            session = self._by_key.get(key or "")
            if session is None:
                return None
            if session.person is not None and self._is_idle(session):
                session.person, session.was_idle = None, True
            if is_activity:
                session.last_seen = time.monotonic()
            return session

    def keep(self, session: Session) -> None:
        """Remember a session and have its browser told, if that is not done yet."""
        with self._lock:
            if session.key in self._by_key:
                return
            self._add(session)
            strangers = [key for key, known in self._by_key.items() if not known.is_inside]
            for key in strangers[: max(0, len(strangers) - MAX_STRANGERS)]:
                del self._by_key[key]

    def come_in(self, session: Session, entrance: Entrance) -> None:
        """Let a session in, under a new key."""
        with self._lock:
            session.entrance = entrance
            self._renew(session)

    def sign_in(self, session: Session, person: int) -> None:
        """A person is at it from now on, under a new key."""
        with self._lock:
            session.person, session.was_idle = person, False
            self._renew(session)

    def sign_out(self, session: Session) -> None:
        """Nobody is at it any more; it stays inside, under a new key."""
        with self._lock:
            session.person = None
            self._renew(session)

    def _is_idle(self, session: Session) -> bool:
        return time.monotonic() - session.last_seen > self._idle_seconds

    def _renew(self, session: Session) -> None:
        self._by_key.pop(session.key, None)
        session.key = secrets.token_urlsafe(KEY_BYTES)
        session.csrf = secrets.token_urlsafe(KEY_BYTES)
        self._add(session)

    def _add(self, session: Session) -> None:
        session.needs_cookie = True
        session.last_seen = time.monotonic()
        self._by_key[session.key] = session
