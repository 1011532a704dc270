"""The addresses of pictures: numbers only, so that none of them can name a file."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from scanner.forms.template import Form


def page(sheet: int, number: int, *, width: int | None = None) -> str:
    """A page of a sheet, as it lies on its form."""
    return _with(f"/picture/sheet/{sheet}/page/{number}", width=width)


def crop(form: Form, sheet: int, contest: str, *, page: int | None = None) -> str:
    """A contest of a sheet; ``page`` for one that is on several."""
    return _with(f"/picture/sheet/{sheet}/contest/{place_of(form, contest)}", page=page)


def header(form: Form, sheet: int, contest: str) -> str:
    """The head of the table that a contest is a row of; there is none for other contests."""
    return f"/picture/sheet/{sheet}/header/{place_of(form, contest)}"


def target(form: Form, sheet: int, contest: str, option: str, *, height: int | None = None) -> str:
    """One target of a sheet."""
    asked = form.contests[place_of(form, contest) - 1]
    number = next(n for n, one in enumerate(asked.options, start=1) if one.id == option)
    path = f"/picture/sheet/{sheet}/target/{place_of(form, contest)}/{number}"
    return _with(path, height=height)


def blank(form: Form, number: int, *, width: int | None = None) -> str:
    """A page of the blank of a form."""
    return _with(f"/picture/blank/{quote(form.id)}/page/{number}", width=width)


def blank_crop(form: Form, contest: str, *, page: int | None = None) -> str:
    """The same part of the blank that :func:`crop` shows of a sheet."""
    path = f"/picture/blank/{quote(form.id)}/contest/{place_of(form, contest)}"
    return _with(path, page=page)


def raw(page_id: int, *, width: int | None = None, turn: int | None = None) -> str:
    """A page as it was scanned, by the id of the page."""
    return _with(f"/picture/raw/{page_id}", width=width, turn=turn)


def place_of(form: Form, contest: str) -> int:
    """The number of a contest in its form, from 1.

    Raises:
        StopIteration: The form has no such contest.
    """
    return next(n for n, one in enumerate(form.contests, start=1) if one.id == contest)


def _with(path: str, **given: int | None) -> str:
    asked = {name: value for name, value in given.items() if value is not None}
    return f"{path}?{urlencode(asked)}" if asked else path
