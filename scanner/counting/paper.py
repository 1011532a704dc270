"""One page image at its place in the scan, and what the forms say about the pages of a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scanner.ballot import Reason
from scanner.forms.template import Form


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
    skew_deg: float | None = None
    """How crooked it lies in the scan, if that is known."""


class Paper:
    """What the forms say about the pages of a sheet.

    Args:
        forms: The forms that the pages were read with.
    """

    def __init__(self, forms: Iterable[Form]) -> None:
        self.forms: Mapping[str, Form] = {form.id: form for form in forms}
        self._ranks = {
            (form.id, number): rank
            for form in self.forms.values()
            for rank, number in enumerate(sorted(page.number for page in form.pages))
        }

    def page_count(self, form: str) -> int:
        """How many pages a sheet of a form has."""
        return len(self.forms[form].pages)

    def rank(self, slot: PageSlot, form: str) -> int:
        """The place of a page among those of a form, from 0."""
        return self._ranks[form, slot.page]

    def candidates(self, slot: PageSlot) -> list[str]:
        """Every form that the page may be of, the surest first."""
        names = (slot.form, *slot.alternatives)
        return [name for name in names if name and (name, slot.page) in self._ranks]

    def is_single(self, slot: PageSlot) -> bool:
        """True for a page that was read and is a whole sheet by itself."""
        return slot.form is not None and all(
            self.page_count(form) == 1 for form in self.candidates(slot)
        )

    def common_form(self, slots: Sequence[PageSlot]) -> str | None:
        """The form of which all these can be pages, each once; the surest first."""
        common = set.intersection(*(set(self.candidates(slot)) for slot in slots))
        fitting = sorted(form for form in common if self.page_count(form) >= len(slots))
        if not fitting or len({slot.page for slot in slots}) < len(slots):
            return None
        return next((slot.form for slot in slots if slot.form in fitting), fitting[0])

    def forms_told_by_serial(self, slots: Iterable[PageSlot]) -> set[str]:
        """Forms with a code on every page, of which at least one page has a serial."""
        seen = {slot.form for slot in slots if slot.form is not None and slot.serial}
        return {form for form in seen if all(page.code for page in self.forms[form].pages)}

    def is_form_certain(self, slots: Sequence[PageSlot], form: str) -> bool:
        """One form fits all pages, and each page was read in places that are that form's."""
        common = set.intersection(*(set(self.candidates(slot)) for slot in slots))
        return len(common) <= 1 and all(
            slot.form is not None and self._has_same_targets(slot.form, form, slot.page)
            for slot in slots
        )

    def _has_same_targets(self, one: str, other: str, page: int) -> bool:
        return one == other or self._targets(one, page) == self._targets(other, page)

    def _targets(self, form: str, page: int) -> list[tuple[str, str, object]]:
        targets = self.forms[form].targets_on(page)
        return [(contest.id, option.id, option.box) for contest, option in targets]
