"""Where each paper of a count lies: its batch, and its place in that pile.

What is looked up on paper, by whoever checks the count, is found by these two numbers.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from scanner.counting.adjudication import SheetRecord
from scanner.counting.store import Store
from scanner.counting.tally import NOT_PAPER


@dataclass(frozen=True, slots=True)
class PaperPlace:
    """The place of one sheet."""

    batch: int
    place: int
    """From 1, in the order in which the batch was scanned; unprinted backs, foreign sheets and
    copies take no place."""


def is_paper(record: SheetRecord) -> bool:
    """Whether a sheet is one that was collected, and no unprinted back, copy or foreign sheet."""
    return record.form is not None or not record.reasons or record.reasons[0] not in NOT_PAPER


def paper_places(store: Store) -> dict[int, PaperPlace]:
    """The place of each paper of a count by the number of its sheet, batch by batch in order.

    Refused papers have a place as well: the pile has them.

    Args:
        store: The count.
    """
    first_page: dict[int, int] = {}
    for sheet, source in store.sources():
        first_page[sheet] = min(source.position, first_page.get(sheet, source.position))
    piles: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for record in store.sheets():
        if is_paper(record):
            # A sheet that was put together anew has a late number and an early place.
            piles[record.batch].append((first_page.get(record.sheet, 0), record.sheet))
    return {
        sheet: PaperPlace(batch, place)
        for batch, pile in sorted(piles.items())
        for place, (_position, sheet) in enumerate(sorted(pile), start=1)
    }
