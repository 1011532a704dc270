"""From one doubt to the next: what is free, what is held, what can be taken back."""

from __future__ import annotations

from scanner.counting.adjudication import Decision, Verdict, standing
from scanner.counting.people import Person, Role
from scanner.counting.queue import Doubt, Filter, Place
from scanner.counting.store import Store
from scanner.review.context import Answer, Desk
from scanner.review.desk_address import place_address, queue_address
from scanner.review.desk_list import status_text

MOST_LOOKED_AT = 200
"""Among so many of a person's last decisions the one to be taken back is looked for."""


class Step(Answer):
    """What came of something that a person did, and where it goes on."""

    saved: bool
    """Whether it is on the record; if not, title and text say why."""
    next: str = ""
    """Address of the next doubt, which is the person's now; empty if there is none."""
    queue: str = ""
    """Address of the queue."""
    status: str = ""
    """How many doubts are left, in words."""
    title: str = ""
    text: str = ""
    known: int = 0
    """Id of the decision that was faster."""
    may_save: bool = False
    """Whether it may be saved as well, over that one."""


def free_next(desk: Desk, person: Person, wanted: Filter, place: Place | None) -> Doubt | None:
    """The next doubt that nobody else is at."""
    held = {sheet for sheet, who in desk.store.held().items() if who != person.id}
    return desk.queue.next_after(place, person, wanted, held=held)


def hold_next(desk: Desk, person: Person, wanted: Filter, place: Place | None) -> Step:
    """Take the next doubt, and give back the sheet of the one before.

    Args:
        desk: The count.
        person: Whose.
        wanted: The filters.
        place: The one before; None at the beginning.
    """
    held = {sheet for sheet, who in desk.store.held().items() if who != person.id}
    following = desk.queue.next_after(place, person, wanted, held=held)
    former = place[0] if place is not None else None
    while following is not None and person.role is not Role.OBSERVER:
        if desk.store.hold(following.sheet, person.id, instead_of=former) is None:
            break
        # Somebody else took it in this very moment.
        held.add(following.sheet)
        following = desk.queue.next_after(place, person, wanted, held=held)
    if following is None and former is not None:
        desk.store.release(former, person.id)
    return Step(
        saved=True,
        next=place_address(following.place, wanted) if following is not None else "",
        queue=queue_address(wanted),
        status=status_text(desk, person, wanted),
    )


def last_own(store: Store, person: Person) -> Decision | None:
    """The last decision of a person that still counts, or their last call for the committee."""
    for made in store.decisions_of(person.name, MOST_LOOKED_AT):
        is_of_desk = made.verdict not in {Verdict.WITHDRAW, Verdict.FLAG}
        if is_of_desk and made.id in {one.id for one in standing(store.decisions_on(made.sheet))}:
            return made
    return None
