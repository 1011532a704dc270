"""The record of the count: who did what and when, and the proof that nothing was altered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from scanner.counting.adjudication import Stage, open_questions
from scanner.counting.journal import Entry
from scanner.counting.people import Person, Role
from scanner.counting.results import readers_of
from scanner.counting.second_reader import SecondReader
from scanner.publishing.record_lines import EntryLine, tell
from scanner.review.context import Answer, Desk, DeskOf, Signed, show

router = APIRouter(prefix="/log")

ENTRIES_A_PAGE = 50
HIGHEST = 2**53

Number = Annotated[int | None, Query(ge=1, le=HIGHEST)]


class Proof(Answer):
    """Whether the record is whole."""

    entries: int
    """How many there are."""
    hash: str
    """That of the last."""
    faults: list[str]
    """What does not hold, in sentences; none where all of it does."""


@router.get("", response_class=HTMLResponse, include_in_schema=False)
def log_page(
    request: Request,
    desk: DeskOf,
    person: Signed,
    sheet: Annotated[str, Query(max_length=20)] = "",
    who: Annotated[str, Query(max_length=200)] = "",
    before: Number = None,
) -> HTMLResponse:
    """The record, newest first."""
    number = sheet.strip()
    wanted = int(number) if number.isascii() and number.isdigit() else None
    is_asked = bool(number) and wanted is None
    entries = (
        []
        if is_asked or (wanted is not None and wanted > HIGHEST)
        else desk.store.latest_entries(
            ENTRIES_A_PAGE + 1, before=before, sheet=wanted, who=who or None
        )
    )
    shown = entries[:ENTRIES_A_PAGE]
    return show(
        request,
        "log.html",
        lines=_in_words(desk, person, shown),
        older=shown[-1].number if len(entries) > len(shown) else None,
        is_newest=before is None,
        sheet=number,
        who=who,
        names=desk.store.who_wrote(),
    )


@router.get("/proof")
def prove(desk: DeskOf, _person: Signed) -> Proof:
    """Prove that no entry was altered, left out or put in later."""
    faults = desk.store.verify()
    number, last = desk.store.head()
    return Proof(entries=number, hash=last, faults=faults)


def _in_words(desk: Desk, person: Person, entries: Sequence[Entry]) -> list[tuple[EntryLine, bool]]:
    """The entries, and of each whether what it says is kept from this person for now."""
    forms = list(desk.forms.values())
    kept = _still_blind(desk, entries) if person.role is not Role.OBSERVER else set()
    return [(tell(entry, forms), (entry.sheet, entry.contest) in kept) for entry in entries]


def _still_blind(desk: Desk, entries: Sequence[Entry]) -> set[tuple[int | None, str | None]]:
    """What a second reader is asked for, and so must not be told."""
    if desk.store.second_reader() is SecondReader.NONE:
        return set()
    readers = readers_of(desk.store, list(desk.forms.values()))
    sheets = {entry.sheet for entry in entries if entry.sheet is not None}
    made = desk.store.some_decisions(sheets)
    return {
        (record.sheet, question.contest)
        for record in desk.store.some_sheets(sheets)
        for question in open_questions(
            record, made.get(record.sheet, ()), desk.forms[record.form or ""].rule, readers
        )
        if question.stage is not Stage.COMMITTEE
    }
