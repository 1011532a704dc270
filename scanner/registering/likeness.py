"""Registered forms that look alike: which pages, in how many places they differ, and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.forms.findings import Finding, Severity
from scanner.forms.template import Form
from scanner.geometry import Box
from scanner.messages import gettext as _
from scanner.messages import ngettext
from scanner.reading.blank import BlankPage
from scanner.reading.identify import FormIndex
from scanner.settings import Settings

FEW_PLACES = 8
"""Two pages that differ in no more places than this are easily taken for each other."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two pages with much print in common."""

    form: str
    page: int
    other_form: str
    other_page: int
    places: tuple[Box, ...]
    """Where they differ, the largest difference first, in millimetres on the first page."""


def find_likenesses(forms: Sequence[Form], settings: Settings | None = None) -> list[Likeness]:
    """Every pair of pages of different forms that have much print in common.

    What is compared is what a reading compares: print outside the targets and codes.

    Raises:
        FormError: A blank cannot be read.
    """
    settings = settings or Settings()
    blanks = [BlankPage(form, page, settings.working_dpi) for form in forms for page in form.pages]
    index = FormIndex(blanks, settings)
    found = {}
    for blank in blanks:
        for other, difference in index.lookalikes(blank.key).items():
            if other[0] == blank.key[0] or (other, blank.key) in found:
                continue
            scale = 1 / blank.px_per_mm
            places = tuple(spot.box.scaled(scale, scale) for spot in difference.spots)
            found[blank.key, other] = Likeness(*blank.key, *other, places)
    return list(found.values())


def check_likeness(forms: Sequence[Form]) -> dict[str, list[Finding]]:
    """What is found by comparing all forms of a folder; an entry for each form.

    Pages that carry codes of their own are told apart by these.

    Raises:
        FormError: A blank cannot be read.
    """
    coded = {(form.id, page.number) for form in forms for page in form.pages if page.code}
    findings: dict[str, list[Finding]] = {form.id: [] for form in forms}
    for likeness in find_likenesses(forms):
        this = likeness.form, likeness.page
        other = likeness.other_form, likeness.other_page
        if {this, other} <= coded or len(likeness.places) > FEW_PLACES:
            continue
        for (form, page), (other_form, other_page) in ((this, other), (other, this)):
            findings[form].append(_finding(page, other_form, other_page, likeness.places))
    return findings


def _finding(page: int, other_form: str, other_page: int, places: Sequence[Box]) -> Finding:
    if not places:
        return Finding(
            Severity.FAULT,
            _("This page cannot be told from page {other_page} of form {other_form}.").format(
                other_page=other_page, other_form=other_form
            ),
            _("Keep only one of them, or print a code or another title on each."),
            page,
            60,
        )
    message = ngettext(
        "Page {other_page} of form {other_form} differs from this one in {n} place only: {where}.",
        "Page {other_page} of form {other_form} differs from this one in {n} places only: {where}.",
        len(places),
    ).format(
        other_page=other_page,
        other_form=other_form,
        n=len(places),
        where="; ".join(_where(places)),
    )
    return Finding(
        Severity.WARNING,
        message,
        _("Print a code or another title on each, or scan the two forms into counts of their own."),
        page,
        15,
    )


def _where(places: Sequence[Box]) -> Iterator[str]:
    for box in places[:_SHOWN]:
        x, y = box.center
        yield _("{x:.0f} mm from the left and {y:.0f} mm from the top").format(x=x, y=y)
    if len(places) > _SHOWN:
        yield _("and {more} more").format(more=len(places) - _SHOWN)
