"""Pages in scan order become sheets: whose page is whose, and where that is not certain.

A serial number in a printed code says which pages belong together. Without one, the order of
the pages is the only evidence. The order in which the pages of a sheet come is learned from
the pile; a group of pages that has it, complete and without a gap, is a sheet. What is left
over is a sheet in doubt, and so is a neighbour that could as well own the page left over. A
break ends there: each group stands by its own pages, never by a number counted from the top.

Two things cannot be seen from the order, and other parts of the program watch for them: two
sheets of a double feed that lack the facing pages (the number of sheets collected differs),
and a first page laid under the whole pile (the pile then lies backs first, which is said).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import groupby
from typing import TypeVar

from scanner.ballot import REFUSING, Reason
from scanner.forms.template import Form

T = TypeVar("T")

Pattern = tuple[int, ...]
"""The ranks of a sheet's pages (from 0) in the order in which they are scanned."""

BLANK_BACKS_SHARE = 0.8
"""From this share of pages followed by a blank one, blank pages are the backs of the paper."""


class PageOrder(StrEnum):
    """In which order the pages of a sheet come out of the scanner."""

    LEARNED = "learned"
    FRONTS_FIRST = "fronts_first"
    BACKS_FIRST = "backs_first"


@dataclass(frozen=True, slots=True)
class PageSlot:
    """One page image at its place in the scan: as much of its reading as its place needs."""

    position: int
    """Place in the batch, from 0."""
    pile: int = 0
    """Pages of different piles (scanned files of many pages) never form one sheet by order."""
    form: str | None = None
    """The form it was read as; None for a page that is refused."""
    page: int = 0
    serial: str | None = None
    alternatives: tuple[str, ...] = ()
    """Other forms that fit the page as well."""
    refusal: Reason | None = None
    """Why the page is refused; None for a page that was read."""
    reasons: tuple[Reason, ...] = ()
    """Doubts that the place in the scan brings: order not trusted, same image seen before."""


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
) -> list[SheetDraft]:
    """Put the pages of a batch together to sheets.

    Args:
        pages: The pages in scan order.
        forms: The forms they were read with.
        order: What is known about the order of pages within a sheet.

    Returns:
        Sheets in the order of their first pages; every page is in exactly one of them.
    """
    paper = _Paper({form.id: form for form in forms})
    with_serial = paper.forms_told_by_serial(pages)
    groups = paper.group_by_serial([slot for slot in pages if _is_told(slot, with_serial)])
    for _, pile in groupby(pages, key=lambda slot: slot.pile):
        groups += _PileReader(paper, list(pile), with_serial, order).groups()
    drafts = [paper.draft(group) for group in groups]
    drafts += [
        SheetDraft((slot.position,), None, (slot.refusal,))
        for slot in pages
        if slot.refusal is not None
    ]
    return sorted(drafts, key=lambda draft: min(draft.pages))


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


def lies_backs_first(drafts: Iterable[SheetDraft]) -> bool:
    """True if most sheets of several pages came with a later page first."""
    several = [draft.pages for draft in drafts if len(draft.pages) > 1]
    return 2 * sum(pages[0] > pages[-1] for pages in several) > len(several)


def _is_told(slot: PageSlot, with_serial: set[str]) -> bool:
    """A printed serial says whose page it is."""
    return slot.form in with_serial and bool(slot.serial)


@dataclass(frozen=True)
class _Paper:
    """What the forms say about the pages of a sheet."""

    forms: Mapping[str, Form]

    def page_count(self, form: str) -> int:
        return len(self.forms[form].pages)

    def rank(self, slot: PageSlot, form: str) -> int:
        return sorted(page.number for page in self.forms[form].pages).index(slot.page)

    def candidates(self, slot: PageSlot) -> set[str]:
        """Every form that the page may be of."""
        return {
            name
            for name in (slot.form, *slot.alternatives)
            if name is not None and self._has_page(name, slot.page)
        }

    def common_form(self, slots: Sequence[PageSlot]) -> str | None:
        """The form of which all these can be pages, each once; the surest first."""
        common = set.intersection(*(self.candidates(slot) for slot in slots))
        fitting = sorted(form for form in common if self.page_count(form) >= len(slots))
        if not fitting or len({slot.page for slot in slots}) < len(slots):
            return None
        return next((slot.form for slot in slots if slot.form in fitting), fitting[0])

    def forms_told_by_serial(self, pages: Sequence[PageSlot]) -> set[str]:
        """Forms with a code on every page, of which at least one page has a serial."""
        seen = {slot.form for slot in pages if slot.form is not None and slot.serial}
        return {form for form in seen if all(page.code for page in self.forms[form].pages)}

    def group_by_serial(self, slots: Sequence[PageSlot]) -> list[_Group]:
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
            group = _Group(pages, form, complete=len(pages) == self.page_count(form))
            if (form, serial, 1) in copies:
                group.flags.add(Reason.PAGE_TWICE)
            groups.append(group)
        return groups

    def draft(self, group: _Group) -> SheetDraft:
        """A group as a sheet, with every doubt about its pages and its form."""
        flags = set(group.flags)
        flags.update(reason for slot in group.slots for reason in slot.reasons)
        if not group.complete:
            flags.add(Reason.PAGE_MISSING)
        if not self._is_form_certain(group):
            flags.add(Reason.FORM_UNCERTAIN)
        ordered = sorted(group.slots, key=lambda slot: (slot.page, slot.position))
        serial = next((slot.serial for slot in ordered if slot.serial), None)
        reasons = tuple(reason for reason in Reason if reason in flags)
        return SheetDraft(tuple(slot.position for slot in ordered), group.form, reasons, serial)

    def _has_page(self, form: str, page: int) -> bool:
        return form in self.forms and self.forms[form].page(page) is not None

    def _is_form_certain(self, group: _Group) -> bool:
        """One form fits all pages, and each page was read in places that are that form's."""
        common = set.intersection(*(self.candidates(slot) for slot in group.slots))
        if len(common) > 1:
            return False
        return all(
            slot.form is not None and self._same_targets(slot.form, group.form, slot.page)
            for slot in group.slots
        )

    def _same_targets(self, one: str, other: str, page: int) -> bool:
        return one == other or [
            (contest.id, option.id, option.box)
            for contest, option in self.forms[one].targets_on(page)
        ] == [
            (contest.id, option.id, option.box)
            for contest, option in self.forms[other].targets_on(page)
        ]


@dataclass(frozen=True)
class _PileReader:
    """Puts the pages of one pile together by their order."""

    paper: _Paper
    slots: Sequence[PageSlot]
    with_serial: set[str]
    order: PageOrder

    def groups(self) -> list[_Group]:
        """Every page of the pile that was read and that no serial places, in one group each."""
        free = [slot for slot in self.slots if slot.form and not self._is_told(slot)]
        groups = [
            _Group([slot], slot.form or "", complete=True) for slot in free if self._is_single(slot)
        ]
        for run in self.runs:
            groups += self._groups_of_run(run)
        for group in groups:
            if group.form in self.with_serial:
                group.flags.add(Reason.PAGE_ORDER)
        return groups

    @cached_property
    def runs(self) -> list[list[PageSlot]]:
        """Stretches of pages of several-page forms with nothing else in between."""
        runs: list[list[PageSlot]] = [[]]
        for slot in self.slots:
            if slot.form and not self._is_told(slot) and not self._is_single(slot):
                runs[-1].append(slot)
            elif not (slot.refusal is Reason.BLANK_PAGE and self._blanks_are_backs):
                runs.append([])
        return [run for run in runs if run]

    @cached_property
    def patterns(self) -> dict[int, tuple[Pattern, bool]]:
        """For each number of pages: the order within a sheet, and whether it is certain."""
        counts = {self.paper.page_count(f) for s in self.slots for f in self.paper.candidates(s)}
        return {count: self._learn(count) for count in sorted(counts, reverse=True) if count > 1}

    def _is_told(self, slot: PageSlot) -> bool:
        return _is_told(slot, self.with_serial)

    def _is_single(self, slot: PageSlot) -> bool:
        return all(self.paper.page_count(form) == 1 for form in self.paper.candidates(slot))

    @cached_property
    def _blanks_are_backs(self) -> bool:
        """Paper printed on one side went through a scanner for both."""
        followers = [b for a, b in zip(self.slots, self.slots[1:], strict=False) if a.form]
        blanks = sum(slot.refusal is Reason.BLANK_PAGE for slot in followers)
        printed = sum(slot.form is not None for slot in self.slots)
        return blanks > 0 and blanks >= BLANK_BACKS_SHARE * (printed - 1)

    def _learn(self, count: int) -> tuple[Pattern, bool]:
        ascending = tuple(range(count))
        if self.order is PageOrder.FRONTS_FIRST:
            return ascending, True
        plausible = _plausible_patterns(count)
        if self.order is PageOrder.BACKS_FIRST:
            return plausible[1], True
        found = [sum(self._count(run, pattern) for run in self.runs) for pattern in plausible]
        best = max(found)
        pattern = plausible[found.index(best)]
        is_certain = found.count(best) == 1
        if count > 2 and pattern != ascending:
            # The order of leaves turned round fits almost as often as the true one, and after
            # one moved page more often: only a pile without any fault proves such an order.
            is_certain = is_certain and best * count == sum(len(run) for run in self.runs)
        return pattern, is_certain

    def _count(self, run: Sequence[PageSlot], pattern: Pattern) -> int:
        """How many sheets with this order of pages the run holds."""
        place, count = 0, 0
        while place < len(run):
            fits = self._sheet_at(run, place, pattern) is not None
            count += fits
            place += len(pattern) if fits else 1
        return count

    def _sheet_at(self, run: Sequence[PageSlot], place: int, pattern: Pattern) -> _Group | None:
        slots = list(run[place : place + len(pattern)])
        form = self.paper.common_form(slots) if len(slots) == len(pattern) else None
        if form is None or self.paper.page_count(form) != len(pattern):
            return None
        ranks = tuple(self.paper.rank(slot, form) for slot in slots)
        return _Group(slots, form, complete=True) if ranks == pattern else None

    def _groups_of_run(self, run: Sequence[PageSlot]) -> list[_Group]:
        groups: list[_Group] = []
        gap: list[PageSlot] = []
        place = 0
        while place < len(run):
            sheet = self._certain_sheet_at(run, place)
            if sheet is None:
                gap.append(run[place])
                place += 1
                continue
            groups += self._close_gap(groups, gap, sheet)
            groups.append(sheet)
            gap = []
            place += len(sheet.slots)
        return groups + self._close_gap(groups, gap, None)

    def _certain_sheet_at(self, run: Sequence[PageSlot], place: int) -> _Group | None:
        for pattern, is_certain in self.patterns.values():
            sheet = self._sheet_at(run, place, pattern)
            if sheet is not None:
                if not is_certain:
                    sheet.flags.add(Reason.PAGE_ORDER)
                return sheet
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
        if sheet.form not in self.paper.candidates(slot):
            return False
        pattern = self.patterns[len(sheet.slots)][0]
        return self.paper.rank(slot, sheet.form) != pattern[0 if is_before else -1]

    def _pieces(self, gap: Sequence[PageSlot]) -> list[_Group]:
        """What is left over, as far as possible in whole sheets; all of it in doubt."""
        pieces: list[_Group] = []
        for slot in gap:
            last = pieces[-1] if pieces and not pieces[-1].complete else None
            form = self.paper.common_form([*last.slots, slot]) if last is not None else None
            if last is not None and form is not None:
                last.slots.append(slot)
                last.form = form
                last.complete = len(last.slots) == self.paper.page_count(form)
                last.flags.add(Reason.PAGE_ORDER)
            else:
                pieces.append(_Group([slot], slot.form or "", complete=False))
        return pieces


def _plausible_patterns(count: int) -> list[Pattern]:
    """The orders that a scanner gives: as printed, each leaf turned, leaves reversed, or both."""
    ascending = list(range(count))
    leaves = [ascending[i : i + 2] for i in range(0, count, 2)]
    turned = [rank for leaf in leaves for rank in reversed(leaf)]
    backwards = [rank for leaf in reversed(leaves) for rank in leaf]
    patterns = [tuple(ascending), tuple(turned), tuple(backwards), tuple(reversed(ascending))]
    return list(dict.fromkeys(patterns))
