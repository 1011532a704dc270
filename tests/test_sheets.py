"""Pages become sheets; a break in their order is found, confined and flagged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import Reason
from scanner.counting.page_order import PageOrder
from scanner.counting.paper import PageSlot
from scanner.counting.sheets import SheetDraft, assemble, interleave
from scanner.forms.template import Contest, Form, Option, Page

ORDER = Reason.PAGE_ORDER
MISSING = Reason.PAGE_MISSING


def form(form_id: str, pages: int, *, code: bool = False, x: float = 10) -> Form:
    """A form with one contest on each page."""
    return Form(
        id=form_id,
        pages=tuple(
            Page(
                number=n,
                blank=f"page-{n}.png",
                width_mm=210,
                height_mm=297,
                code=f"{form_id}/{n}" if code else None,
            )
            for n in range(1, pages + 1)
        ),
        contests=tuple(
            Contest(id=f"c{n}", options=(Option(id="yes", page=n, x=x, y=10, w=5, h=5),))
            for n in range(1, pages + 1)
        ),
    )


ONE, TWO, OTHER_TWO, THREE, FOUR = (
    form("one", 1),
    form("two", 2),
    form("other", 2),
    form("three", 3),
    form("four", 4),
)
CODED = form("coded", 2, code=True)
FORMS = (ONE, TWO, OTHER_TWO, THREE, FOUR, CODED)
LETTERS = {
    "F": ("two", 1),
    "B": ("two", 2),
    "G": ("other", 1),
    "C": ("other", 2),
    "S": ("one", 1),
}


def scan(words: str) -> list[PageSlot]:
    """``F1 B1`` are front and back; ``_`` a blank page, ``?`` an unknown one, S a one-page form."""
    slots = []
    for position, word in enumerate(words.split()):
        if word[0] in LETTERS:
            name, page = LETTERS[word[0]]
            slots.append(PageSlot(position, form=name, page=page))
        else:
            refusal = Reason.BLANK_PAGE if word == "_" else Reason.UNKNOWN_FORM
            slots.append(PageSlot(position, refusal=refusal))
    return slots


def told(words: str, drafts: Sequence[SheetDraft]) -> list[str]:
    """Sheets in the words of the scan; ``!`` after those that are flagged."""
    names = words.split()
    return [
        "+".join(names[position] for position in draft.pages) + ("!" if draft.reasons else "")
        for draft in drafts
        if not draft.is_refused
    ]


@pytest.mark.parametrize(
    ("words", "sheets"),
    [
        ("F1 B1 F2 B2 F3 B3", "F1+B1 F2+B2 F3+B3"),
        # A pile that lies in another order than printed waits until somebody says so.
        ("B1 F1 B2 F2 B3 F3", "F1+B1! F2+B2! F3+B3!"),
        # Unless a break in it leaves no other order.
        ("B1 F1 B2 F2 F3 B4 F4 B5 F5", "F1+B1 F2+B2! F3! F4+B4 F5+B5"),
        # A missing back: the next sheet could own it as well, all others stand.
        ("F1 B1 F2 F3 B3 F4 B4", "F1+B1 F2! F3+B3! F4+B4"),
        # A missing front.
        ("F1 B1 B2 F3 B3 F4 B4", "F1+B1! B2! F3+B3 F4+B4"),
        # Two missing backs far apart.
        ("F1 B1 F2 F3 B3 F4 B4 F5 B5 F6 F7 B7", "F1+B1 F2! F3+B3! F4+B4 F5+B5 F6! F7+B7!"),
        # A back that came too late is never silently joined with another front.
        ("F1 B1 F2 F3 B2 B3 F4 B4 F5 B5", "F1+B1 F2! F3+B2! B3! F4+B4 F5+B5"),
        # A sheet laid in the wrong way round, or two pages exchanged: nobody can tell.
        ("F1 B1 F2 B2 B3 F3 F4 B4 F5 B5", "F1+B1 F2+B2! F3+B3! F4+B4! F5+B5"),
        # An unreadable page stands where the back should be: only its own sheet is in doubt.
        ("F1 B1 F2 ? F3 B3", "F1+B1 F2! F3+B3"),
        ("F1 B1 ? B2 F3 B3", "F1+B1 B2! F3+B3"),
        # A foreign page between two sheets does no harm.
        ("F1 B1 ? F2 B2", "F1+B1 F2+B2"),
        # The first or the last page is missing: where the sheets begin is not known any more.
        ("B1 F2 B2 F3 B3", "B1! F2+B2! F3+B3!"),
        ("F1 B1 F2 B2 F3", "F1+B1! F2+B2! F3!"),
        # One-page forms, with and without the blank backs of a scanner for both sides.
        ("S1 S2 S3", "S1 S2 S3"),
        ("S1 _ S2 _ S3 _", "S1 S2 S3"),
        # Several forms in one pile.
        ("F1 B1 G2 C2 S3 F4 B4", "F1+B1 G2+C2 S3 F4+B4"),
        ("F1 B1 F2 G3 C3 F4 B4", "F1+B1 F2! G3+C3 F4+B4"),
        # One page put among sheets of another form does as much; where, cannot be told.
        ("F1 B1 F2 C3 F4 B4", "F1+B1! F2! C3! F4+B4!"),
        # Leaves printed on one side, scanned on both.
        ("F1 _ B1 _ F2 _ B2 _", "F1+B1 F2+B2"),
        # A back that was not printed.
        ("F1 B1 F2 _ F3 B3 F4 B4", "F1+B1 F2! F3+B3 F4+B4"),
        # A page scanned twice: which of the two belongs to the front?
        ("F1 B1 F2 B2 B3 F4 B4", "F1+B1 F2+B2! B3! F4+B4"),
    ],
)
def test_a_break_in_the_order_is_found_and_confined(words: str, sheets: str) -> None:
    assert told(words, assemble(scan(words), FORMS).sheets) == sheets.split()


def test_a_page_left_over_says_that_its_other_page_is_missing() -> None:
    drafts = assemble(scan("F1 B1 F2 F3 B3"), FORMS).sheets
    assert [draft.reasons for draft in drafts] == [(), (MISSING, ORDER), (ORDER,)]


def test_what_is_known_about_the_order_decides_where_the_pile_cannot() -> None:
    words = "B1 F2 B2 F3 B3"
    assert told(words, assemble(scan(words), FORMS, PageOrder.FRONTS_FIRST).sheets) == [
        "B1!",
        "F2+B2",
        "F3+B3",
    ]
    assert told(words, assemble(scan(words), FORMS, PageOrder.BACKS_FIRST).sheets) == [
        "F2+B1",
        "F3+B2",
        "B3!",
    ]


def test_a_foreign_page_between_front_and_back_parts_them() -> None:
    words = "F1 B1 F2 ? B2 F3 B3"
    drafts = assemble(scan(words), FORMS, PageOrder.FRONTS_FIRST).sheets
    assert told(words, drafts) == ["F1+B1", "F2!", "B2!", "F3+B3"]


def in_piles(words: str, sizes: Sequence[int]) -> list[PageSlot]:
    piles = [pile for pile, size in enumerate(sizes) for _ in range(size)]
    return [replace(slot, pile=pile) for slot, pile in zip(scan(words), piles, strict=True)]


def test_piles_are_put_together_each_by_itself() -> None:
    words = "F1 B1 F2 B2 B3 F3 B4 F4"
    assembly = assemble(in_piles(words, (4, 4)), FORMS)
    assert told(words, assembly.sheets) == ["F1+B1", "F2+B2", "F3+B3!", "F4+B4!"]
    assert assembly.needs_order


def test_only_a_pile_whose_order_would_help_asks_for_it() -> None:
    assert assemble(scan("B1 F1 B2 F2 S3"), FORMS).needs_order
    assert not assemble(scan("F1 B1 F2 F3 B3"), FORMS).needs_order
    assert not assemble(scan("B1 F1"), FORMS, PageOrder.BACKS_FIRST).needs_order
    assert not assemble(scan("S1 S2 F3"), FORMS).needs_order
    untrusted = [replace(slot, reasons=(ORDER,)) for slot in scan("B1 F1 B2 F2")]
    assert not assemble(untrusted, FORMS).needs_order


def test_a_refused_page_is_listed_by_itself_with_its_reason() -> None:
    drafts = assemble(scan("S1 ? _"), FORMS).sheets
    assert [(draft.pages, draft.form, draft.is_refused) for draft in drafts] == [
        ((0,), "one", False),
        ((1,), None, True),
        ((2,), None, True),
    ]
    assert drafts[1].reasons == (Reason.UNKNOWN_FORM,)
    assert drafts[2].reasons == (Reason.BLANK_PAGE,)


def test_doubts_of_a_page_become_doubts_of_its_sheet() -> None:
    slots = [
        PageSlot(0, form="two", page=1),
        PageSlot(1, form="two", page=2, reasons=(Reason.SAME_IMAGE,)),
    ]
    assert assemble(slots, FORMS).sheets[0].reasons == (Reason.SAME_IMAGE,)


def coded(position: int, page: int, serial: str | None) -> PageSlot:
    return PageSlot(position, form="coded", page=page, serial=serial)


def test_a_serial_puts_pages_together_wherever_they_lie() -> None:
    slots = [coded(0, 2, "b"), coded(1, 1, "a"), coded(2, 1, "b"), coded(3, 2, "a")]
    drafts = assemble(slots, FORMS).sheets
    assert [(draft.pages, draft.serial, draft.reasons) for draft in drafts] == [
        ((2, 0), "b", ()),
        ((1, 3), "a", ()),
    ]


def test_a_serial_that_comes_twice_flags_both_copies() -> None:
    slots = [coded(0, 1, "a"), coded(1, 2, "a"), coded(2, 1, "a"), coded(3, 1, "b")]
    drafts = assemble([*slots, coded(4, 2, "b")], FORMS).sheets
    assert [(draft.pages, draft.reasons) for draft in drafts] == [
        ((0, 1), (Reason.PAGE_TWICE,)),
        ((2,), (MISSING, Reason.PAGE_TWICE)),
        ((3, 4), ()),
    ]


def test_a_page_whose_serial_cannot_be_read_is_never_joined_silently() -> None:
    slots = [coded(0, 1, "a"), coded(1, 2, None), coded(2, 1, None), coded(3, 2, None)]
    drafts = assemble(slots, FORMS).sheets
    assert all(draft.reasons for draft in drafts)


def test_a_page_that_fits_two_forms_follows_the_page_that_fits_one() -> None:
    slots = [
        PageSlot(0, form="other", page=1),
        PageSlot(1, form="two", page=2, alternatives=("other",)),
    ]
    (draft,) = assemble(slots, FORMS).sheets
    assert (draft.form, draft.pages, draft.reasons) == ("other", (0, 1), ())


def test_a_page_read_in_places_that_are_not_those_of_the_form_is_in_doubt() -> None:
    moved = form("other", 2, x=20)
    slots = [
        PageSlot(0, form="other", page=1),
        PageSlot(1, form="two", page=2, alternatives=("other",)),
    ]
    (draft,) = assemble(slots, (TWO, moved)).sheets
    assert draft.reasons == (Reason.FORM_UNCERTAIN,)


def test_a_sheet_that_fits_two_forms_on_every_page_goes_before_a_person() -> None:
    slots = [
        PageSlot(0, form="two", page=1, alternatives=("other",)),
        PageSlot(1, form="two", page=2, alternatives=("other",)),
        PageSlot(2, pile=1, form="one", page=1, alternatives=("two",)),
    ]
    drafts = assemble(slots, FORMS).sheets
    assert drafts[0].reasons == (Reason.FORM_UNCERTAIN,)
    assert Reason.FORM_UNCERTAIN in drafts[1].reasons


def test_fronts_and_backs_of_two_files_are_put_side_by_side() -> None:
    assert interleave("abc", "xyz", reversed_=False) == list("axbycz")
    assert interleave("abc", "zyx", reversed_=True) == list("axbycz")
    assert interleave("abc", "x", reversed_=False) == list("axbc")
    assert interleave("a", "xyz", reversed_=False) == list("axyz")


@given(st.lists(st.sampled_from(["F", "B", "G", "C", "S", "_", "?"]), max_size=30))
def test_every_page_is_in_exactly_one_sheet(words: list[str]) -> None:
    drafts = assemble(scan(" ".join(words)), FORMS).sheets
    assert sorted(p for draft in drafts for p in draft.pages) == list(range(len(words)))
