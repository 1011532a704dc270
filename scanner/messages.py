"""What the user reads, in English or Vietnamese.

The sentences in the code are the English ones. Translations lie in
``scanner/locale/<language>/LC_MESSAGES/kiemphieu.po`` and are compiled in memory when they are
first needed, so no compiled catalog has to be kept in step with its source.

The language is chosen once a process: what :func:`set_language` was told, else the environment
variables ``KIEMPHIEU_LANG``, ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` in this order, else English.
A server that talks to several people at once chooses it for each request, by :func:`speaking`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from scanner.ballot import ContestState, MarkState, Reason, SheetStatus

DOMAIN = "kiemphieu"
LOCALE_FOLDER = Path(__file__).with_name("locale")
SOURCE_LANGUAGE = "en"
LANGUAGES = (SOURCE_LANGUAGE, "vi")
"""The languages there are texts for; the first is that of the code."""

Described = MarkState | ContestState | SheetStatus | Reason

_ENVIRONMENT = ("KIEMPHIEU_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
_chosen: list[str] = []
_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)


def set_language(language: str | None) -> None:
    """Choose the language of all messages that follow.

    Args:
        language: A code such as ``vi``, ``vi_VN.UTF-8`` or ``en-US``; None goes back to what the
            environment says.

    Raises:
        ValueError: There are no texts in that language.
    """
    _chosen.clear()
    if language is None:
        return
    _chosen.append(_sure(language))


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """The language of all messages inside, for this request or task and no other.

    Args:
        language: A code as for :func:`set_language`.

    Raises:
        ValueError: There are no texts in that language.
    """
    before = _spoken.set(_sure(language))
    try:
        yield
    finally:
        _spoken.reset(before)


def current_language() -> str:
    """The code of the language in use, one of :data:`LANGUAGES`."""
    spoken = _spoken.get()
    if spoken is not None:
        return spoken
    if _chosen:
        return _chosen[0]
    for variable in _ENVIRONMENT:
        value = os.environ.get(variable)
        if value:
            return known_language(value) or SOURCE_LANGUAGE
    return SOURCE_LANGUAGE


def gettext(message: str) -> str:
    """The message in the current language; the message itself where it has no translation."""
    return _catalog(current_language()).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """The message for ``count`` things in the current language."""
    return _catalog(current_language()).ngettext(singular, plural, count)


def describe(value: Described) -> str:
    """A word or a sentence for a member of one of the closed lists, in the current language."""
    return gettext(ENGLISH[type(value)][value.value])


def _sure(language: str) -> str:
    known = known_language(language)
    if known is None:
        raise ValueError(f"no texts in {language!r}; there are: {', '.join(LANGUAGES)}")
    return known


def known_language(language: str) -> str | None:
    """``vi_VN.UTF-8`` -> ``vi``; ``C`` and ``POSIX`` are English; None for any other."""
    code = language.replace("-", "_").partition(".")[0].partition("_")[0].lower()
    if code in {"c", "posix"}:
        return SOURCE_LANGUAGE
    return code if code in LANGUAGES else None


@cache
def _catalog(language: str) -> NullTranslations:
    """The translations of a language, compiled from its text catalog."""
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    # Imported here because an English run, and each worker process, starts faster without Babel.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    path = LOCALE_FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    compiled = BytesIO()
    with path.open("rb") as stream:
        write_mo(compiled, read_po(stream, locale=language, domain=DOMAIN))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _(message: str) -> str:
    """Mark a text for translation; :func:`describe` looks it up."""
    return message


ENGLISH: dict[type[StrEnum], dict[str, str]] = {
    MarkState: {
        MarkState.MARKED: _("marked"),
        MarkState.UNMARKED: _("not marked"),
        MarkState.DOUBTFUL: _("doubtful"),
    },
    ContestState: {
        ContestState.VOTED: _("voted"),
        ContestState.UNDERVOTE: _("undervote"),
        ContestState.BLANK: _("blank"),
        ContestState.OVERVOTE: _("overvote"),
        ContestState.IN_DOUBT: _("unclear"),
    },
    SheetStatus: {
        SheetStatus.CLEAN: _("clean"),
        SheetStatus.IN_DOUBT: _("in doubt"),
        SheetStatus.DECIDED: _("decided"),
        SheetStatus.REFUSED: _("refused"),
    },
    Reason: {
        Reason.UNCLEAR_MARK: _("It is not clear whether this box is marked."),
        Reason.MARK_BESIDE_BOX: _("There is a mark beside the box, not in it."),
        Reason.INK_WITHOUT_MARK: _("There is ink in the box that does not look like a mark."),
        Reason.POSSIBLE_CORRECTION: _("The voter may have taken this mark back."),
        Reason.OVERVOTE: _("More options are chosen than allowed."),
        Reason.ALL_STRUCK: _("All names are struck out."),
        Reason.PRINT_MISMATCH: _("The print beside the box is not that of the registered form."),
        Reason.MISALIGNED: _("The page does not lie exactly on the registered form here."),
        Reason.OUTSIDE_SCAN: _("This box lies outside the scanned image."),
        Reason.FORM_UNCERTAIN: _("The page fits more than one registered form."),
        Reason.OTHER_VERSION: _("The page looks like another version of the registered form."),
        Reason.PAGE_MISSING: _("A page of this sheet is missing."),
        Reason.PAGE_TWICE: _("A page of this sheet is there twice."),
        Reason.PAGE_ORDER: _("The pages came out of order; they may not belong together."),
        Reason.SAME_IMAGE: _("The same image was scanned before."),
        Reason.SAME_PAPER: _("The same paper seems to have been scanned twice."),
        Reason.TYPED_BY_HAND: _("What is on this sheet was typed by hand."),
        Reason.FLAGGED: _("A person wants to see this again."),
        Reason.READERS_DISAGREE: _("Two readers did not see the same."),
        Reason.UNDERVOTE: _("Fewer options are chosen than allowed."),
        Reason.BLANK_CONTEST: _("Nothing is marked in this contest."),
        Reason.BLANK_SHEET: _("Nothing is marked on the whole sheet."),
        Reason.NOTHING_STRUCK: _("No name is struck out."),
        Reason.UNKNOWN_FORM: _("The page is not of any registered form."),
        Reason.BLANK_PAGE: _("Nothing is printed on this page."),
        Reason.UNREADABLE_FILE: _("The file is broken, empty or of an unknown kind."),
        Reason.ENCRYPTED_FILE: _("The PDF is protected by a password."),
        Reason.IMAGE_TOO_LARGE: _("The image has more pixels than any scanner makes."),
        Reason.FOREIGN_SHEET: _("A person has set it aside: no ballot of this count."),
        Reason.COPY_OF_SHEET: _("A person has set it aside: a copy of another sheet."),
        Reason.VOID_SHEET: _("A person has declared it void."),
    },
}
"""The English text of every member; keyed by its list first, as members of two lists may have
the same value."""
