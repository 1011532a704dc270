"""Words that several pages need: the navigation, the roles, and what the scripts have to say."""

from __future__ import annotations

from dataclasses import dataclass

from scanner.counting.people import Role
from scanner.messages import LANGUAGES
from scanner.messages import gettext as _

LANGUAGE_NAMES = dict(zip(LANGUAGES, ("English", "Tiếng Việt"), strict=True))
"""Each in itself, so that it is found by whoever wants it."""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation."""

    path: str
    name: str


def places() -> list[Place]:
    """The pages of a count in the order of the work, in the current language."""
    return [
        Place("/", _("Progress")),
        Place("/desk", _("Doubts")),
        Place("/refused", _("Refused")),
        Place("/wall", _("Wall")),
        Place("/check", _("Random check")),
        Place("/words", _("Written words")),
        Place("/log", _("Record")),
        Place("/people", _("People")),
    ]


def role_name(role: Role) -> str:
    """A role in words, in the current language."""
    names = {
        Role.READER: _("reader"),
        Role.COMMITTEE: _("committee"),
        Role.OBSERVER: _("observer"),
    }
    return names[role]


def script_texts() -> dict[str, str]:
    """What ``base.js`` says, by name: no script holds a text of its own."""
    return {
        "offline": _("The server does not answer. Nothing was saved; try again."),
        "offlineRemedy": _("Is the program still running in its window?"),
        "signedOut": _("You are signed out. Nothing was saved."),
        "signIn": _("Sign in again"),
        "close": _("Close"),
    }
