"""What the desk shows of the queue: its lists, its filters, and one screen of its doubts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scanner.counting.adjudication import sheet_label
from scanner.counting.people import Person, Role
from scanner.counting.queue import Counts, Doubt, Filter, Pile
from scanner.messages import describe
from scanner.messages import gettext as _
from scanner.review.context import Desk
from scanner.review.desk_words import left_in_words, pile_name, question_name, reasons_in_words

LINES = 100
"""On one screen."""

Address = Callable[..., str]
"""The address of the queue with some of its filters changed, by their names in the address."""


@dataclass(frozen=True, slots=True)
class ListTab:
    """One list, with how many doubts lie in it."""

    name: str
    url: str
    number: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a filter, with how many doubts it would leave."""

    value: str
    title: str
    number: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """One filter."""

    name: str
    title: str
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class Line:
    """One doubt of the queue."""

    sheet: str
    url: str
    question: str
    form: str
    reasons: str
    list: str
    batch: int
    held_by: str


def view_queue(
    desk: Desk, person: Person, wanted: Filter, start: int, address: Address, place: Address
) -> dict[str, Any]:
    """The values of the page of the queue.

    Args:
        desk: The count.
        person: Who looks.
        wanted: The filters.
        start: How many doubts come before those that are shown.
        address: Makes addresses of the queue.
        place: Makes the address of a doubt.
    """
    counts = desk.queue.count(wanted, person)
    doubts = desk.queue.doubts(wanted, person)
    shown = doubts[start : start + LINES]
    names = {one.id: one.name for one in desk.store.people()}
    held = {
        sheet: names.get(who, "?") for sheet, who in desk.store.held().items() if who != person.id
    }
    may_begin = bool(doubts) and person.role is not Role.OBSERVER
    return {
        "status_line": status_text(desk, person, wanted, len(doubts)),
        "begin": "/desk/next" + address(start=None).removeprefix("/desk") if may_begin else "",
        "lists": _tabs(counts, wanted, person, address),
        "choices": [one for one in _filters(desk, counts, wanted) if len(one.choices) > 1],
        "wanted": wanted,
        "is_filtered": wanted != Filter(pile=wanted.pile),
        "unfiltered": address(reason=None, form=None, batch=None, question=None, start=None),
        "lines": [_line(desk, doubt, held, place) for doubt in shown],
        "first": start + 1,
        "last": start + len(shown),
        "total": len(doubts),
        "earlier": address(start=max(start - LINES, 0) or None) if start else "",
        "later": address(start=start + LINES) if start + LINES < len(doubts) else "",
        "empty": _empty(wanted, person),
    }


def status_text(desk: Desk, person: Person, wanted: Filter, left: int | None = None) -> str:
    """How many doubts a filter leaves, and how long they take at the present pace."""
    number = desk.queue.left(wanted, person) if left is None else left
    if wanted.pile is Pile.DECIDED:
        return _("{number} decided").format(number=number)
    pace = desk.queue.pace()
    return left_in_words(number, pace.seconds_for(number) if pace is not None else None)


def _tabs(counts: Counts, wanted: Filter, person: Person, address: Address) -> list[ListTab]:
    mine = _("for anybody") if person.role is Role.OBSERVER else _("for you")
    tabs = [ListTab(mine, address(pile=None, start=None), counts.mine, wanted.pile is None)]
    tabs += [
        ListTab(
            pile_name(pile),
            address(pile=pile.value, start=None),
            counts.piles.get(pile, 0),
            wanted.pile is pile,
        )
        for pile in Pile
    ]
    return tabs


def _filters(desk: Desk, counts: Counts, wanted: Filter) -> list[Choices]:
    reasons = [
        Choice(reason.value, describe(reason), number, reason is wanted.reason)
        for reason, number in sorted(counts.reasons.items(), key=lambda one: -one[1])
    ]
    forms = [
        Choice(form_id, desk.forms[form_id].title or form_id, number, form_id == wanted.form)
        for form_id, number in sorted(counts.forms.items())
    ]
    batches = [
        Choice(str(batch), str(batch), number, batch == wanted.batch)
        for batch, number in sorted(counts.batches.items())
    ]
    order = [(form.id, one.id) for form in desk.forms.values() for one in form.contests]
    questions = [
        Choice(
            "/".join(key),
            question_name(desk.forms[key[0]], key[1]),
            counts.questions[key],
            key == wanted.question,
        )
        for key in order
        if counts.questions.get(key)
    ]
    return [
        Choices("reason", _("Why it asks"), reasons),
        Choices("form", _("Form"), forms),
        Choices("batch", _("Batch"), batches),
        Choices("question", _("Question"), questions),
    ]


def _line(desk: Desk, doubt: Doubt, held: Mapping[int, str], place: Address) -> Line:
    form = desk.forms[doubt.form]
    return Line(
        sheet=sheet_label(doubt.sheet),
        url=place(doubt.place),
        question=question_name(form, doubt.contest),
        form=form.title or form.id if len(desk.forms) > 1 else "",
        reasons=" ".join(reasons_in_words(doubt.reasons, form.rule)),
        list=pile_name(doubt.pile),
        batch=doubt.batch,
        held_by=held.get(doubt.sheet, ""),
    )


def _empty(wanted: Filter, person: Person) -> str:
    if wanted != Filter(pile=wanted.pile):
        return _("Nothing fits these filters.")
    if wanted.pile is None and person.role is not Role.OBSERVER:
        return _("Nothing waits for you. Every doubt that you may decide is decided.")
    return _("This list is empty.")
