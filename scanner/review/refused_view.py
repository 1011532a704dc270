"""What the page of refused sheets shows, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from scanner.ballot import MarkState, PageReading, Reason, SheetStatus, UnreadablePage
from scanner.counting.adjudication import resolve, sheet_label
from scanner.counting.people import Person, Role
from scanner.counting.records import WHOLE_FILE
from scanner.counting.results import readers_of
from scanner.counting.reworked import LoosePage, LooseSheet, Rework
from scanner.counting.second_look import SecondLook
from scanner.messages import describe, ngettext
from scanner.messages import gettext as _
from scanner.publishing.record_lines import rework_in_words
from scanner.publishing.screen import place_of
from scanner.review import addresses
from scanner.review.context import Desk

THUMBNAIL_PX = 240
MOST_PARTNERS = 12
MOST_SHEETS = 120
MOST_REWORKS = 100


@dataclass(frozen=True, slots=True)
class PageCard:
    """One page of a sheet as it is shown small."""

    id: int
    place: str
    """File and page."""
    what: str
    """As what it was read, or why not."""
    picture: str
    """Its address; empty where there is none."""


@dataclass(frozen=True, slots=True)
class SheetCard:
    """One sheet in the list."""

    sheet: int
    label: str
    reasons: tuple[str, ...]
    pages: tuple[PageCard, ...]


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file that cannot be opened at all."""

    sheet: int
    label: str
    name: str
    reason: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done with sheets."""

    id: int
    at: datetime
    by: str
    what: str
    why: str
    sheets: tuple[tuple[int, str], ...]
    """What it came to: numbers and labels."""
    can_be_undone: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole list."""

    loose: tuple[SheetCard, ...]
    more: int
    """Sheets that are not in the list, since it is long."""
    files: tuple[BrokenFile, ...]
    deeds: tuple[Deed, ...]


def view_all(desk: Desk, person: Person) -> Overview:
    """Sheets that somebody has to put right, files that cannot be opened, and what was done."""
    loose = [one for one in _waiting(desk) if not one.is_set_aside]
    sheets = [one for one in loose if not _is_file(one)]
    return Overview(
        loose=tuple(view_sheet(desk, one, person) for one in sheets[:MOST_SHEETS]),
        more=max(0, len(sheets) - MOST_SHEETS),
        files=tuple(_broken(one) for one in loose if _is_file(one)),
        deeds=view_deeds(desk, desk.store.reworks()[-MOST_REWORKS:]),
    )


def view_sheet(desk: Desk, loose: LooseSheet, person: Person) -> SheetCard:
    """A sheet with its pages."""
    return SheetCard(
        sheet=loose.sheet,
        label=sheet_label(loose.sheet),
        reasons=tuple(describe(reason) for reason in loose.reasons),
        pages=tuple(_page_card(desk, loose, page, person) for page in loose.pages),
    )


def view_partners(desk: Desk, sheet: LooseSheet, person: Person) -> tuple[SheetCard, ...]:
    """Other sheets that may have the missing page, the nearest in the scan first."""
    others = [
        other
        for other in _waiting(desk)
        if other.sheet != sheet.sheet and not other.is_set_aside and not _is_file(other)
        if _may_be_one(desk, sheet, other)
    ]
    others.sort(key=lambda other: (_apart(sheet, other), other.sheet))
    return tuple(view_sheet(desk, other, person) for other in others[:MOST_PARTNERS])


def view_deeds(desk: Desk, reworks: Sequence[Rework]) -> tuple[Deed, ...]:
    """What was done, the latest first."""
    gone = desk.store.gone_sheets()
    deeds = []
    for rework in reversed(reworks):
        deeds.append(
            Deed(
                id=rework.id,
                at=rework.at.astimezone(),
                by=rework.by,
                what=_deed_in_words(rework),
                why=rework.why,
                sheets=tuple((made, sheet_label(made)) for made in rework.made if made not in gone),
                can_be_undone=rework.stands(gone),
            )
        )
    return tuple(deeds)


def look_in_words(desk: Desk, look: SecondLook) -> tuple[str, list[str]]:
    """What came of reading a page again: a sentence, and what is to be known besides."""
    found = look.result
    if isinstance(found, UnreadablePage):
        return _("It could not be read this time either."), [*_why_not(desk, found)]
    form = desk.forms[found.form]
    states = [target.state for target in found.targets]
    marked, doubtful = states.count(MarkState.MARKED), states.count(MarkState.DOUBTFUL)
    title = _("Read as {form}, page {page}.").format(form=form.title or form.id, page=found.page)
    lines = [
        ngettext("{n} box is marked.", "{n} boxes are marked.", marked).format(n=marked),
    ]
    if doubtful:
        text = ngettext(
            "{n} box is doubtful and goes to the desk.",
            "{n} boxes are doubtful and go to the desk.",
            doubtful,
        )
        lines.append(text.format(n=doubtful))
    lines += _doubts_in_words(found)
    return title, lines


def may_see_scans(desk: Desk, person: Person) -> bool:
    """Whether they may see a page of which nobody knows where on it something private stands."""
    has_private = any(form.private for form in desk.forms.values())
    return person.role is not Role.OBSERVER or not has_private


def _waiting(desk: Desk) -> list[LooseSheet]:
    """The loose sheets on which nobody has decided as wholes yet."""
    forms = [*desk.forms.values()]
    readers = readers_of(desk.store, forms)
    loose = desk.store.loose_sheets()
    decisions = desk.store.some_decisions([one.sheet for one in loose if one.form is not None])
    found = []
    for one in loose:
        if one.sheet in decisions:
            record, form = desk.store.sheet(one.sheet), desk.forms.get(one.form or "")
            final = resolve(record, decisions[one.sheet], form, readers)
            if final.status is not SheetStatus.IN_DOUBT:
                continue
        found.append(one)
    return found


def _is_file(sheet: LooseSheet) -> bool:
    return any(page.source.number == WHOLE_FILE for page in sheet.pages)


def _page_card(desk: Desk, sheet: LooseSheet, page: LoosePage, person: Person) -> PageCard:
    source = page.source
    picture = ""
    if source.number != WHOLE_FILE and may_see_scans(desk, person):
        picture = addresses.raw(source.page, width=THUMBNAIL_PX)
    if page.form is not None and sheet.form == page.form:
        picture = addresses.page(sheet.sheet, page.page, width=THUMBNAIL_PX)
    return PageCard(source.page, place_of(source.name, source.number), _what(desk, page), picture)


def _what(desk: Desk, page: LoosePage) -> str:
    if page.refusal is not None:
        return describe(page.refusal)
    form = desk.forms.get(page.form or "")
    title = form.title or form.id if form is not None else page.form
    return _("{form}, page {page}").format(form=title, page=page.page)


def _broken(sheet: LooseSheet) -> BrokenFile:
    page = sheet.pages[0]
    reason = page.refusal or Reason.UNREADABLE_FILE
    remedies = {
        Reason.ENCRYPTED_FILE: _(
            "Open it with its password, save it without one, and scan that file into the count."
        ),
        Reason.IMAGE_TOO_LARGE: _("Scan the sheets again at 300 dots per inch or less."),
    }
    remedy = remedies.get(
        reason,
        _(
            "Copy it from the scanner once more, or scan its sheets again; then scan that file"
            " into the count."
        ),
    )
    return BrokenFile(
        sheet=sheet.sheet,
        label=sheet_label(sheet.sheet),
        name=Path(page.source.name).name,
        reason=describe(reason),
        detail=str(page.evidence.get("error", "")),
        remedy=remedy,
    )


def _may_be_one(desk: Desk, one: LooseSheet, other: LooseSheet) -> bool:
    """Whether the pages of two sheets could be those of one."""
    forms = {sheet.form for sheet in (one, other) if sheet.form is not None}
    if len(forms) > 1:
        return False
    pages = [page for sheet in (one, other) for page in sheet.pages]
    read = [page.page for page in pages if page.form is not None]
    most = max((len(form.pages) for form in desk.forms.values()), default=1)
    form = desk.forms.get(next(iter(forms), ""))
    return len(pages) <= (len(form.pages) if form else most) and len(set(read)) == len(read)


def _apart(one: LooseSheet, other: LooseSheet) -> tuple[bool, int]:
    """How far two sheets lie from each other in the scan; another batch is further than any."""
    nearest = min(
        abs(here.source.position - there.source.position)
        for here in one.pages
        for there in other.pages
    )
    return one.batch != other.batch, nearest


def _why_not(desk: Desk, page: UnreadablePage) -> list[str]:
    lines = [describe(page.reason)]
    form_id, _slash, number = str(page.evidence.get("most_alike", "")).partition("/")
    form = desk.forms.get(form_id)
    found = page.evidence.get("print_found")
    if form is not None and isinstance(found, int | float):
        text = _("Of the print of {form}, page {page}, {percent} % was found there.")
        lines.append(
            text.format(form=form.title or form.id, page=number, percent=round(100 * found))
        )
    lines.append(_("Put the corners where they belong, or choose another form or page."))
    return lines


def _doubts_in_words(reading: PageReading) -> list[str]:
    found = {*reading.reasons, *(reason for one in reading.targets for reason in one.reasons)}
    return [describe(reason) for reason in Reason if reason in found]


def _deed_in_words(rework: Rework) -> str:
    sheets = ", ".join(sheet_label(number) for number in rework.former)
    return ngettext(
        "Sheet {sheets}: {deed}.", "Sheets {sheets}: {deed}.", len(rework.former)
    ).format(sheets=sheets, deed=rework_in_words(rework.kind, rework.told))
