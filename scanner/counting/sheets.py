"""Pages in scan order become sheets: whose page is whose, and where that is not certain.

A serial number in a printed code says which pages belong together. Without one, the order of
the pages is the only evidence. Pages that have the order of their pile, complete and without a
gap, are a sheet. What is left over is a sheet in doubt, and so is a neighbour that could as
well own the page left over. A break ends there: each group stands by its own pages, never by a
number counted from the top. Where the order of a pile is not certain, all its sheets are in
doubt until somebody tells it.

What no order of pages shows, another part of the program must watch for: two sheets of a double
feed that lack the facing pages (the number of sheets collected differs), fronts and backs from
two files of which both lack a page (equal numbers again), and an order that looks like another
(:mod:`scanner.counting.page_order`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeVar

from scanner.ballot import REFUSING, Reason
from scanner.counting.page_order import (
    KnownOrder,
    PageOrder,
    drop_blank_backs,
    learn_order,
    pattern_of,
)
from scanner.counting.paper import PageSlot, Paper
from scanner.forms.template import Form

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SheetDraft:
    """The pages of one sheet, and the doubts about their belonging together."""

    pages: tuple[int, ...]
    """Positions of its pages in the batch, in the order of the form's pages."""
    form: str | None
    """None for a refused page."""
    reasons: tuple[Reason, ...] = ()
    serial: str | None = None

    @property
    def is_refused(self) -> bool:
        """True for a page that is listed and never counted."""
        return any(reason in REFUSING for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Assembly:
    """The sheets of a batch."""

    sheets: tuple[SheetDraft, ...]
    """In the order of their first pages; every page is in exactly one of them."""
    needs_order: bool = False
    """The order of a pile is not certain: its sheets are in doubt until somebody tells it."""


@dataclass
class _Group:
    """Slots that are taken as one sheet while a run is put together."""

    slots: list[PageSlot]
    form: str
    complete: bool
    flags: set[Reason] = field(default_factory=set)


def assemble(
    pages: Sequence[PageSlot],
    forms: Iterable[Form],
    order: PageOrder = PageOrder.LEARNED,
) -> Assembly:
    """Put the pages of a batch together to sheets.

    Args:
        pages: The pages in scan order.
        forms: The forms they were read with.
        order: What is known about the order of pages within a sheet.
    """
    paper = Paper(forms)
    with_serial = paper.forms_told_by_serial(pages)
    groups = _group_by_serial([slot for slot in pages if _is_told(slot, with_serial)], paper)
    needs_order = False
    for _, members in groupby(pages, key=lambda slot: slot.pile):
        pile = drop_blank_backs(list(members))
        known = KnownOrder(order, is_certain=True)
        loose = [slot for slot in pile if not _is_told(slot, with_serial)]
        if order is PageOrder.LEARNED:
            known = learn_order(paper, loose)
        found = _PileReader(paper, pile, with_serial, known).groups()
        # Where no pair of pages is trusted anyway, the order would not help.
        could_help = not all(Reason.PAGE_ORDER in slot.reasons for slot in pile)
        is_open = not known.is_certain and any(len(group.slots) > 1 for group in found)
        needs_order |= is_open and could_help
        groups += found
    drafts = [_draft(group, paper) for group in groups]
    drafts += [
        SheetDraft((slot.position,), None, (slot.refusal,))
        for slot in pages
        if slot.refusal is not None
    ]
    return Assembly(tuple(sorted(drafts, key=lambda draft: min(draft.pages))), needs_order)


def interleave(fronts: Sequence[T], backs: Sequence[T], *, reversed_: bool) -> list[T]:
    """The pages of a feeder that reads one side, as a feeder for both would give them.

    Args:
        fronts: All fronts in scan order.
        backs: All backs in scan order.
        reversed_: The backs were scanned from the last sheet to the first, as they come out
            when the whole pile is turned over.

    Returns:
        Front, back, front, back, ...; where one side has more pages, they follow at the end,
        and nothing says any more which page belongs to which (the caller must flag all).
    """
    ordered = list(reversed(backs)) if reversed_ else list(backs)
    paired = [page for pair in zip(fronts, ordered, strict=False) for page in pair]
    return [*paired, *fronts[len(ordered) :], *ordered[len(fronts) :]]


def _is_told(slot: PageSlot, with_serial: set[str]) -> bool:
    """A printed serial says whose page it is."""
    return slot.form in with_serial and bool(slot.serial)


def _group_by_serial(slots: Iterable[PageSlot], paper: Paper) -> list[_Group]:
    """Pages with one serial are one sheet; a page that comes again begins a second copy."""
    copies: dict[tuple[str, str, int], list[PageSlot]] = defaultdict(list)
    times: dict[tuple[str, str, int], int] = defaultdict(int)
    for slot in slots:
        assert slot.form is not None
        assert slot.serial is not None
        seen = (slot.form, slot.serial, slot.page)
        copies[slot.form, slot.serial, times[seen]].append(slot)
        times[seen] += 1
    groups = []
    for (form, serial, _), pages in copies.items():
        group = _Group(pages, form, complete=len(pages) == paper.page_count(form))
        if (form, serial, 1) in copies:
            group.flags.add(Reason.PAGE_TWICE)
        groups.append(group)
    return groups


def _draft(group: _Group, paper: Paper) -> SheetDraft:
    """A group as a sheet, with every doubt about its pages and its form."""
    flags = set(group.flags)
    flags.update(reason for slot in group.slots for reason in slot.reasons)
    if not group.complete:
        flags.add(Reason.PAGE_MISSING)
    if not paper.is_form_certain(group.slots, group.form):
        flags.add(Reason.FORM_UNCERTAIN)
    ordered = sorted(group.slots, key=lambda slot: (slot.page, slot.position))
    serial = next((slot.serial for slot in ordered if slot.serial), None)
    reasons = tuple(reason for reason in Reason if reason in flags)
    return SheetDraft(tuple(slot.position for slot in ordered), group.form, reasons, serial)


class _PileReader:
    """Puts the pages of one pile together by their order."""

    def __init__(
        self, paper: Paper, slots: Sequence[PageSlot], with_serial: set[str], order: KnownOrder
    ) -> None:
        self._paper = paper
        self._slots = slots
        self._with_serial = with_serial
        self._order = order
        forms = {form for slot in slots for form in paper.candidates(slot)}
        counts = sorted({paper.page_count(form) for form in forms}, reverse=True)
        self._patterns = {count: pattern_of(order.order, count) for count in counts if count > 1}

    def groups(self) -> list[_Group]:
        """Every page of the pile that was read and that no serial places, in one group each."""
        groups = []
        for run in self._runs():
            if self._paper.is_single(run[0]):
                groups.append(_Group(run, run[0].form or "", complete=True))
            else:
                groups += self._groups_of_run(run)
        for group in groups:
            if group.form in self._with_serial:
                group.flags.add(Reason.PAGE_ORDER)
        return groups

    def _runs(self) -> list[list[PageSlot]]:
        """Stretches of pages of several-page forms with nothing else between; others singly."""
        runs: list[list[PageSlot]] = [[]]
        for slot in self._slots:
            if slot.form is None or _is_told(slot, self._with_serial):
                runs.append([])
            elif self._paper.is_single(slot):
                runs += [[slot], []]
            else:
                runs[-1].append(slot)
        return [run for run in runs if run]

    def _groups_of_run(self, run: Sequence[PageSlot]) -> list[_Group]:
        groups: list[_Group] = []
        gap: list[PageSlot] = []
        place = 0
        while place < len(run):
            sheet = self._sheet_at(run, place)
            if sheet is None:
                gap.append(run[place])
                place += 1
                continue
            groups += self._close_gap(groups, gap, sheet)
            groups.append(sheet)
            gap = []
            place += len(sheet.slots)
        return groups + self._close_gap(groups, gap, None)

    def _sheet_at(self, run: Sequence[PageSlot], place: int) -> _Group | None:
        """The sheet whose pages lie from here on, complete and in order."""
        for count, pattern in self._patterns.items():
            slots = list(run[place : place + count])
            form = self._paper.common_form(slots) if len(slots) == count else None
            if form is None or self._paper.page_count(form) != count:
                continue
            if tuple(self._paper.rank(slot, form) for slot in slots) == pattern:
                flags = set() if self._order.is_certain else {Reason.PAGE_ORDER}
                return _Group(slots, form, complete=True, flags=flags)
        return None

    def _close_gap(
        self, before: Sequence[_Group], gap: Sequence[PageSlot], after: _Group | None
    ) -> list[_Group]:
        """Sheets in doubt from what lies between two sheets; flags these where they may err."""
        if not gap:
            return []
        pieces = self._pieces(gap)
        if before and self._could_own(before[-1], gap[0], is_before=True):
            before[-1].flags.add(Reason.PAGE_ORDER)
            pieces[0].flags.add(Reason.PAGE_ORDER)
        if after is not None and self._could_own(after, gap[-1], is_before=False):
            after.flags.add(Reason.PAGE_ORDER)
            pieces[-1].flags.add(Reason.PAGE_ORDER)
        return pieces

    def _could_own(self, sheet: _Group, slot: PageSlot, *, is_before: bool) -> bool:
        """True unless the page is one with which a sheet begins (or ends, if it lies before)."""
        if sheet.form not in self._paper.candidates(slot):
            return False
        pattern = self._patterns[len(sheet.slots)]
        return self._paper.rank(slot, sheet.form) != pattern[0 if is_before else -1]

    def _pieces(self, gap: Sequence[PageSlot]) -> list[_Group]:
        """What is left over, as far as possible in whole sheets; all of it in doubt."""
        pieces: list[_Group] = []
        for slot in gap:
            last = pieces[-1] if pieces and not pieces[-1].complete else None
            form = self._paper.common_form([*last.slots, slot]) if last is not None else None
            if last is not None and form is not None:
                last.slots.append(slot)
                last.form = form
                last.complete = len(last.slots) == self._paper.page_count(form)
                last.flags.add(Reason.PAGE_ORDER)
            else:
                pieces.append(_Group([slot], slot.form or "", complete=False))
        return pieces
