"""What the desk shows of one doubt, put together from the count; no page is made here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.ballot import PageReading, Reason
from scanner.counting.adjudication import Answers, Decision, sheet_label, standing
from scanner.counting.journal import Action
from scanner.counting.people import Person, Role
from scanner.counting.queue import Doubt, Pile, is_for
from scanner.counting.store import Store
from scanner.counting.store_pictures import PicturedPage
from scanner.forms.template import TEXT_SHAPES, Contest, Form
from scanner.geometry import Box
from scanner.messages import gettext as _
from scanner.publishing.cutting import Mask
from scanner.review.context import Desk, mask_for
from scanner.review.desk_pictures import (
    DIGITS,
    Drawing,
    Readings,
    Shown,
    Side,
    draw_contest,
    draw_sides,
    shown_picture,
)
from scanner.review.desk_words import (
    answer_in_words,
    question_name,
    reading_in_words,
    reasons_in_words,
    rule_in_words,
)

AROUND_MM = 1.6
"""Shown around a target, beyond its outline, where it is shown larger."""
MOST_DOUBLES = 3
"""So many other sheets that seem to be the same paper are shown beside one."""


@dataclass(frozen=True, slots=True)
class OptionLine:
    """One option to choose."""

    id: str
    label: str
    reading: str
    """What the machine read, in words; empty where it is not to be told or there is nothing."""
    state: str
    crop: int
    """Which of the crops shows it."""
    near: Box | None
    """The part of that crop around it, to be shown larger; None where there is none."""


@dataclass(frozen=True, slots=True)
class OtherSheet:
    """A sheet that seems to be the same paper."""

    name: str
    sheet: int
    sides: list[Side]


@dataclass(frozen=True, slots=True)
class DoubtView:
    """Everything that is shown of one doubt."""

    doubt: Doubt
    where: str
    question: str
    rule: str
    reasons: list[str]
    badge: str
    """What is special about it, or why this person cannot decide it; mostly empty."""
    may_decide: bool
    may_act: bool
    may_escalate: bool
    known: int
    """Id of the last decision on it; 0 where there is none."""
    known_sheet: int
    """The same of the sheet as a whole."""
    crop_hash: str
    max: int
    is_struck: bool
    options: list[OptionLine]
    crops: list[Drawing]
    sides: list[Side]
    others: list[OtherSheet]
    remarks: list[str]

    @property
    def title(self) -> str:
        """The title of the page."""
        return f"{sheet_label(self.doubt.sheet)} · {self.question}"

    def crop_names(self) -> list[str]:
        """A name for each crop that no other one on the page has."""
        place = f"{self.doubt.sheet}-{self.doubt.form}-{self.doubt.contest}"
        digest = hashlib.sha256(place.encode()).hexdigest()[:16]
        return [f"crop-{digest}-{number}" for number, _crop in enumerate(self.crops)]

    def pictures(self) -> list[str]:
        """Addresses of the images that are seen at first."""
        drawings = [*self.crops, *(side.drawing for side in self.sides if side.is_first)]
        return [address for drawing in drawings for address in drawing.addresses()]


def view_doubt(desk: Desk, doubt: Doubt, person: Person) -> DoubtView:
    """Put together what a person sees of a doubt.

    Args:
        desk: The count.
        doubt: The doubt, or something that was decided.
        person: Who looks at it.

    Raises:
        CountError: The sheet is not there any more.
    """
    form = desk.forms[doubt.form]
    contest = form.contest(doubt.contest) if doubt.contest is not None else None
    masked = mask_for(person)
    pages = list(desk.store.pictured_pages([doubt.sheet]))
    shown = Shown(doubt.contest, _readings(desk.store, pages), doubt.is_blind)
    crops = [*_crops(desk, form, contest, pages, shown)] if contest is not None else []
    decisions = desk.store.decisions_on(doubt.sheet)
    doubles = desk.store.same_papers().get(doubt.sheet, ())
    picture = shown_picture(desk.pictures, doubt.sheet, doubt.contest, pages, masked=masked)
    may_decide, badge = _turn_of(doubt, person)
    return DoubtView(
        doubt=doubt,
        where=_("Sheet {number} · {form}").format(
            number=sheet_label(doubt.sheet), form=form.title or form.id
        ),
        question=question_name(form, doubt.contest),
        rule=rule_in_words(contest) if contest is not None else "",
        reasons=_reasons(doubt, form, doubles),
        badge=badge,
        may_decide=may_decide,
        may_act=person.role is not Role.OBSERVER,
        may_escalate=may_decide and doubt.pile in {Pile.OPEN, Pile.SECOND},
        known=last_known(decisions, doubt.contest),
        known_sheet=last_known(decisions, None),
        crop_hash=picture.sha256 if picture is not None else "",
        max=contest.max if contest is not None else 1,
        is_struck=contest is not None and contest.is_struck,
        options=[*_option_lines(contest, crops, shown)] if contest is not None else [],
        crops=crops,
        sides=draw_sides(desk.pictures, form, pages, shown, masked=masked),
        others=[*_others(desk, doubt, doubles, masked=masked)],
        remarks=[] if doubt.is_blind else [*_remarks(desk.store, doubt, decisions, form)],
    )


def last_known(decisions: Sequence[Decision], contest: str | None) -> int:
    """Id of the last decision on a contest, or with None on the sheet as a whole; 0 for none."""
    return max((one.id for one in decisions if one.contest == contest), default=0)


def _turn_of(doubt: Doubt, person: Person) -> tuple[bool, str]:
    """Whether a person may decide this now, and what there is to say about it."""
    if person.role is Role.OBSERVER:
        return False, _("You observe: you see everything and change nothing.")
    if doubt.pile is Pile.DECIDED:
        return True, _("Decided. A new decision replaces the one before.")
    if is_for(doubt, person):
        return True, _("Second reading") if doubt.is_blind else ""
    if doubt.is_escalated:
        return False, _("Only the committee may decide this.")
    return False, _("You have read this already; the second reader is another person.")


def _reasons(doubt: Doubt, form: Form, doubles: Sequence[int]) -> list[str]:
    if doubt.is_blind:
        return [_("Another person has read this. Read it yourself, without knowing what they saw.")]
    return reasons_in_words(doubt.reasons, form.rule, doubles)


def _readings(store: Store, pages: Sequence[PicturedPage]) -> Readings:
    found = {}
    for page in pages:
        reading = store.reading(page.page) if page.form is not None else None
        if isinstance(reading, PageReading):
            found.update({(one.contest, one.option): one for one in reading.targets})
    return found


def _option_lines(contest: Contest, crops: Sequence[Drawing], shown: Shown) -> Iterator[OptionLine]:
    near = {
        outline.option: (number, outline.box.grown(AROUND_MM))
        for number, crop in enumerate(crops)
        for outline in crop.outlines
        if outline.option
    }
    # Printed words are as large in the crop, and more than nine would leave no room for it.
    if len(contest.options) > DIGITS or contest.options[0].shape in TEXT_SHAPES:
        near.clear()
    for option in contest.options:
        reading = shown.readings.get((contest.id, option.id)) if not shown.is_blind else None
        words = reading_in_words(reading, is_struck=contest.is_struck) if reading else ""
        state = reading.state.value if reading else "place"
        crop, box = near.get(option.id, (0, None))
        yield OptionLine(option.id, option.label or option.id, words, state, crop, box)


def _crops(
    desk: Desk, form: Form, contest: Contest, pages: Sequence[PicturedPage], shown: Shown
) -> Iterator[Drawing]:
    """A crop for each page that the contest is on."""
    laid = {page.form_page: page for page in pages if page.form == form.id and page.homography}
    numbers = dict.fromkeys(option.page for option in contest.options)
    there = [number for number in numbers if number in laid]
    for number in there:
        yield draw_contest(desk.pictures, form, contest, laid[number], shown)
    if not there:
        yield draw_contest(desk.pictures, form, contest, None, shown)


def _others(
    desk: Desk, doubt: Doubt, doubles: Sequence[int], *, masked: Mask
) -> Iterator[OtherSheet]:
    if doubt.contest is not None or Reason.SAME_PAPER not in doubt.reasons:
        return
    for other in doubles[:MOST_DOUBLES]:
        form = desk.forms.get(desk.store.sheet(other).form or "")
        if form is None:
            continue
        pages = list(desk.store.pictured_pages([other]))
        shown = Shown(None, _readings(desk.store, pages), is_blind=False)
        sides = draw_sides(desk.pictures, form, pages, shown, masked=masked)
        name = _("Sheet {number}").format(number=sheet_label(other))
        yield OtherSheet(name, other, sides)


def _remarks(
    store: Store, doubt: Doubt, decisions: Sequence[Decision], form: Form
) -> Iterator[str]:
    """What people have decided on this so far, and noted, oldest first."""
    by_id = {one.id: one for one in decisions}
    counts = Answers.of(standing(decisions), doubt.contest).counts
    for entry in store.entries(sheet=doubt.sheet):
        moment = entry.moment.astimezone()
        if entry.contest != doubt.contest:
            continue
        made = by_id.get(entry.detail.get("row", {}).get("id", 0))
        if entry.action is Action.NOTED:
            text = str(entry.detail.get("text", ""))
        elif made is not None:
            said = (answer_in_words(made, form), made.note)
            text = " — ".join(part for part in said if part)
        else:
            continue
        line = _("{name}, {time}: {text}").format(
            name=entry.who, time=f"{moment:%d/%m %H:%M}", text=text
        )
        is_counted = made is not None and counts is not None and made.id == counts.id
        yield _("{line} (this counts)").format(line=line) if is_counted else line
