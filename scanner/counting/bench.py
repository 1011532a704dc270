"""Where sheets are put together anew, by the rules by which pages become sheets in every scan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scanner.ballot import ContestReading, ContestState, PageReading, Reason, TargetReading
from scanner.counting.adjudication import SheetRecord, resolve
from scanner.counting.batch_grey import greys_of
from scanner.counting.intake import read_sheet
from scanner.counting.limits import settings_in_force
from scanner.counting.paper import Paper
from scanner.counting.records import WHOLE_FILE
from scanner.counting.results import readers_of
from scanner.counting.reworked import (
    Leaf,
    NewSheet,
    Plan,
    Rework,
    ReworkKind,
    typed,
    typed_contests,
)
from scanner.counting.sheets import SheetDraft
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError
from scanner.forms.template import Form
from scanner.messages import gettext as _


@dataclass(frozen=True, slots=True)
class Hand:
    """Who does something, and why."""

    by: str
    why: str


class Bench:
    """Where sheets are put together anew."""

    def __init__(self, store: Store, forms: Sequence[Form]) -> None:
        self._store = store
        self._forms = list(forms)
        self._by_id = {form.id: form for form in forms}
        self._paper = Paper(forms)
        self._readers = readers_of(store, forms)

    def settled(self, leaf: Leaf, reading: PageReading) -> tuple[TargetReading, ...]:
        """The targets of a new reading, their doubts settled where the whole batch can do it."""
        settings = settings_in_force(self._store)[leaf.batch]
        greys = greys_of(self._store, leaf.batch, self._forms)
        form = self._by_id[reading.form]
        return tuple(greys.settle(target, form, settings) for target in reading.targets)

    def leaves(self, sheet: int) -> list[Leaf]:
        """The pages of a sheet.

        Raises:
            CountError: There is no such sheet.
        """
        return self._store.leaves(self._store.sheet(sheet).sheet)

    def batch_of(self, leaves: Sequence[Leaf]) -> int:
        """The batch of a sheet: that of its first page."""
        return leaves[0].batch

    def make(self, leaves: Sequence[Leaf], former: Sequence[int]) -> NewSheet:
        """One sheet of some pages; of a single page that could not be read a refused one.

        Raises:
            BadArgumentsError: The pages cannot be one sheet.
        """
        read = [leaf for leaf in leaves if leaf.slot.form is not None]
        known, by_hand = self._typed_so_far(former)
        if not read and known is not None and len(leaves) > 1:
            return self.make_typed(leaves, known, former)
        if not read:
            return self._refused(leaves)
        form = self._common_form(read, len(leaves))
        ordered = sorted(leaves, key=lambda leaf: (leaf.slot.page or len(form.pages) + 1, leaf.id))
        flags = self._flags(ordered, form, former)
        targets = [target for leaf in ordered for target in leaf.targets]
        doubts = [reason for leaf in ordered for reason in leaf.reasons]
        draft = SheetDraft((), form.id, flags, _serial(read))
        record = read_sheet(draft, form, doubts, targets, (0, self.batch_of(ordered)))
        if len(read) < len(leaves):
            _see_that_they_open(leaves)
            by_hand |= {contest.id for contest in form.contests} - {one.contest for one in targets}
        by_hand -= {one.contest for leaf in leaves if leaf.reading for one in leaf.targets}
        return NewSheet(typed(record, by_hand), tuple(ordered))

    def make_typed(self, leaves: Sequence[Leaf], form_id: str, former: Sequence[int]) -> NewSheet:
        """A sheet of a form on which nothing was read.

        Raises:
            BadArgumentsError: There is no such form, or the sheet has more pages than it.
        """
        form = self._by_id.get(form_id)
        if form is None:
            raise BadArgumentsError(_("There is no such form in this count."))
        if len(leaves) > len(form.pages):
            raise _too_many_pages(form)
        _see_that_they_open(leaves)
        contests = tuple(
            ContestReading(contest.id, ContestState.IN_DOUBT, (), (Reason.TYPED_BY_HAND,))
            for contest in form.contests
        )
        serial = _serial([leaf for leaf in leaves if leaf.slot.form == form_id])
        flags = [*self._repeats(leaves, form, serial, former)]
        # Who types without a page before them would guess what stands on it.
        if len(leaves) < len(form.pages):
            flags.append(Reason.PAGE_MISSING)
        reasons = tuple(reason for reason in Reason if reason in flags)
        record = SheetRecord(0, self.batch_of(leaves), form.id, reasons, contests, serial)
        return NewSheet(record, tuple(leaves))

    def plan(
        self,
        kind: ReworkKind,
        former: tuple[int, ...],
        sheets: Sequence[NewSheet],
        hand: Hand,
        said: Mapping[str, Any],
    ) -> Plan:
        """All that is to be written, with what the sheets counted as and count as from now on.

        Raises:
            BadArgumentsError: No name or no reason is given.
        """
        if not hand.by.strip() or not hand.why.strip():
            raise BadArgumentsError(
                _("Putting sheets together anew needs a name and a reason."),
                remedy=_("Write in a few words why."),
            )
        return Plan(
            kind=kind,
            former=former,
            sheets=tuple(sheets),
            by=hand.by,
            why=hand.why,
            told=said,
            before=tuple(self.said_of(self._store.sheet(number)) for number in former),
            after=tuple(self.said_of(new.record) for new in sheets),
        )

    def write(
        self,
        kind: ReworkKind,
        former: tuple[int, ...],
        sheets: Sequence[NewSheet],
        hand: Hand,
        said: Mapping[str, Any] | None = None,
    ) -> Rework:
        """Write new sheets in place of former ones."""
        return self._store.save_rework(self.plan(kind, former, sheets, hand, said or {}))

    def said_of(self, record: SheetRecord) -> dict[str, Any]:
        """What a sheet counts as, for the record of the count: plain JSON."""
        decisions = self._store.decisions_on(record.sheet) if record.sheet else []
        form = self._by_id.get(record.form or "")
        final = resolve(record, decisions, form, self._readers)
        return {
            "form": record.form,
            "status": final.status.value,
            "reasons": [reason.value for reason in record.reasons],
            "votes": {vote.contest: [vote.state.value, *vote.options] for vote in final.votes},
        }

    def _typed_so_far(self, former: Sequence[int]) -> tuple[str | None, set[str]]:
        """The form and the contests that are typed by hand on the former sheets."""
        form, contests = None, set()
        for number in former:
            record = self._store.sheet(number)
            own = typed_contests(record)
            form = record.form if own else form
            contests |= own
        return form, contests

    def _refused(self, leaves: Sequence[Leaf]) -> NewSheet:
        if len(leaves) > 1:
            raise BadArgumentsError(
                _("None of these pages could be read."),
                remedy=_("Read one of them again, or type its answers by hand."),
            )
        (leaf,) = leaves
        assert leaf.slot.refusal is not None
        return NewSheet(SheetRecord(0, leaf.batch, None, (leaf.slot.refusal,)), (leaf,))

    def _common_form(self, read: Sequence[Leaf], pages: int) -> Form:
        name = self._paper.common_form([leaf.slot for leaf in read])
        if name is None:
            raise BadArgumentsError(
                _("These pages cannot be one sheet: they are of two forms, or the same page twice.")
            )
        form = self._by_id[name]
        if pages > len(form.pages):
            raise _too_many_pages(form)
        if len({leaf.slot.serial for leaf in read if leaf.slot.serial}) > 1:
            raise BadArgumentsError(
                _("These pages cannot be one sheet: their printed numbers differ.")
            )
        return form

    def _flags(
        self, leaves: Sequence[Leaf], form: Form, former: Sequence[int]
    ) -> tuple[Reason, ...]:
        """The doubts about a sheet as a whole; who pairs pages by hand has settled their order."""
        read = [leaf for leaf in leaves if leaf.slot.form is not None]
        flags = {*self._repeats(leaves, form, _serial(read), former)}
        if len(leaves) < len(form.pages):
            flags.add(Reason.PAGE_MISSING)
        if not self._paper.is_form_certain([leaf.slot for leaf in read], form.id):
            flags.add(Reason.FORM_UNCERTAIN)
        return tuple(reason for reason in Reason if reason in flags)

    def _repeats(
        self, leaves: Sequence[Leaf], form: Form, serial: str | None, former: Sequence[int]
    ) -> Iterable[Reason]:
        """Whether the same image, or the same printed number, counts already."""
        # A page of text only may be the same image for all voters.
        hashes = {
            leaf.image_hash
            for leaf in leaves
            if leaf.image_hash and (leaf.slot.form is None or form.targets_on(leaf.slot.page))
        }
        if self._store.standing_images(hashes, former):
            yield Reason.SAME_IMAGE
        if serial and (form.id, serial) in self._store.standing_serials(former):
            yield Reason.PAGE_TWICE


def _see_that_they_open(leaves: Iterable[Leaf]) -> None:
    if any(leaf.number == WHOLE_FILE for leaf in leaves):
        raise BadArgumentsError(
            _("This file cannot be opened at all; nobody can see what is on it."),
            remedy=_("Scan its sheets again."),
        )


def _serial(leaves: Sequence[Leaf]) -> str | None:
    return next((leaf.slot.serial for leaf in leaves if leaf.slot.serial), None)


def _too_many_pages(form: Form) -> BadArgumentsError:
    return BadArgumentsError(
        _("A sheet of {form} has only {pages} pages.").format(form=form.id, pages=len(form.pages)),
        remedy=_("Take the sheet apart first."),
    )
