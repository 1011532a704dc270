"""Pages become sheets; a break in their order is found, confined and flagged."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scanner.ballot import Reason
from scanner.counting.sheets import (
    PageOrder,
    PageSlot,
    SheetDraft,
    assemble,
    interleave,
    lies_backs_first,
)
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
        ("B1 F1 B2 F2 B3 F3", "F1+B1 F2+B2 F3+B3"),
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
        ("F1 B1 F2 C3 F4 B4", "F1+B1 F2! C3! F4+B4"),
        # Leaves printed on one side, scanned on both.
        ("F1 _ B1 _ F2 _ B2 _", "F1+B1 F2+B2"),
        # A back that was not printed.
        ("F1 B1 F2 _ F3 B3 F4 B4", "F1+B1 F2! F3+B3 F4+B4"),
        # A page scanned twice: which of the two belongs to the front?
        ("F1 B1 F2 B2 B3 F4 B4", "F1+B1 F2+B2! B3! F4+B4"),
    ],
)
def test_a_break_in_the_order_is_found_and_confined(words: str, sheets: str) -> None:
    assert told(words, assemble(scan(words), FORMS)) == sheets.split()


def test_a_page_left_over_says_that_its_other_page_is_missing() -> None:
    drafts = assemble(scan("F1 B1 F2 F3 B3"), FORMS)
    assert [draft.reasons for draft in drafts] == [(), (MISSING, ORDER), (ORDER,)]


def test_what_is_known_about_the_order_decides_where_the_pile_cannot() -> None:
    words = "B1 F2 B2 F3 B3"
    assert told(words, assemble(scan(words), FORMS, PageOrder.FRONTS_FIRST)) == [
        "B1!",
        "F2+B2",
        "F3+B3",
    ]
    assert told(words, assemble(scan(words), FORMS, PageOrder.BACKS_FIRST)) == [
        "F2+B1",
        "F3+B2",
        "B3!",
    ]


def test_a_foreign_page_between_front_and_back_parts_them() -> None:
    words = "F1 B1 F2 ? B2 F3 B3"
    drafts = assemble(scan(words), FORMS, PageOrder.FRONTS_FIRST)
    assert told(words, drafts) == ["F1+B1", "F2!", "B2!", "F3+B3"]


def test_piles_are_put_together_each_by_itself() -> None:
    words = "F1 B1 F2 B2 B3 F3 B4 F4"
    slots = scan(words)
    piles = [
        PageSlot(s.position, pile=int(s.position >= 4), form=s.form, page=s.page) for s in slots
    ]
    assert told(words, assemble(piles, FORMS)) == ["F1+B1", "F2+B2", "F3+B3", "F4+B4"]


def test_a_pile_that_lies_backs_first_is_known_as_such() -> None:
    assert lies_backs_first(assemble(scan("B1 F1 B2 F2 S3"), FORMS))
    assert not lies_backs_first(assemble(scan("F1 B1 F2 B2 S3"), FORMS))
    assert not lies_backs_first(assemble(scan("S1 S2"), FORMS))


def test_a_refused_page_is_listed_by_itself_with_its_reason() -> None:
    drafts = assemble(scan("S1 ? _"), FORMS)
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
    assert assemble(slots, FORMS)[0].reasons == (Reason.SAME_IMAGE,)


def coded(position: int, page: int, serial: str | None) -> PageSlot:
    return PageSlot(position, form="coded", page=page, serial=serial)


def test_a_serial_puts_pages_together_wherever_they_lie() -> None:
    slots = [coded(0, 2, "b"), coded(1, 1, "a"), coded(2, 1, "b"), coded(3, 2, "a")]
    drafts = assemble(slots, FORMS)
    assert [(draft.pages, draft.serial, draft.reasons) for draft in drafts] == [
        ((2, 0), "b", ()),
        ((1, 3), "a", ()),
    ]


def test_a_serial_that_comes_twice_flags_both_copies() -> None:
    slots = [coded(0, 1, "a"), coded(1, 2, "a"), coded(2, 1, "a"), coded(3, 1, "b")]
    drafts = assemble([*slots, coded(4, 2, "b")], FORMS)
    assert [(draft.pages, draft.reasons) for draft in drafts] == [
        ((0, 1), (Reason.PAGE_TWICE,)),
        ((2,), (MISSING, Reason.PAGE_TWICE)),
        ((3, 4), ()),
    ]


def test_a_page_whose_serial_cannot_be_read_is_never_joined_silently() -> None:
    slots = [coded(0, 1, "a"), coded(1, 2, None), coded(2, 1, None), coded(3, 2, None)]
    drafts = assemble(slots, FORMS)
    assert all(draft.reasons for draft in drafts)


def test_a_page_that_fits_two_forms_follows_the_page_that_fits_one() -> None:
    slots = [
        PageSlot(0, form="other", page=1),
        PageSlot(1, form="two", page=2, alternatives=("other",)),
    ]
    (draft,) = assemble(slots, FORMS)
    assert (draft.form, draft.pages, draft.reasons) == ("other", (0, 1), ())


def test_a_page_read_in_places_that_are_not_those_of_the_form_is_in_doubt() -> None:
    moved = form("other", 2, x=20)
    slots = [
        PageSlot(0, form="other", page=1),
        PageSlot(1, form="two", page=2, alternatives=("other",)),
    ]
    (draft,) = assemble(slots, (TWO, moved))
    assert draft.reasons == (Reason.FORM_UNCERTAIN,)


def test_a_sheet_that_fits_two_forms_on_every_page_goes_before_a_person() -> None:
    slots = [
        PageSlot(0, form="two", page=1, alternatives=("other",)),
        PageSlot(1, form="two", page=2, alternatives=("other",)),
        PageSlot(2, pile=1, form="one", page=1, alternatives=("two",)),
    ]
    drafts = assemble(slots, FORMS)
    assert drafts[0].reasons == (Reason.FORM_UNCERTAIN,)
    assert Reason.FORM_UNCERTAIN in drafts[1].reasons


def test_fronts_and_backs_of_two_files_are_put_side_by_side() -> None:
    assert interleave("abc", "xyz", reversed_=False) == list("axbycz")
    assert interleave("abc", "zyx", reversed_=True) == list("axbycz")
    assert interleave("abc", "x", reversed_=False) == list("axbc")
    assert interleave("a", "xyz", reversed_=False) == list("axyz")


# --- one page removed or moved in any pile ------------------------------------------------------

FORM_OF = {2: "two", 3: "three", 4: "four"}
Voter = int
Leaf = tuple[Voter, int]


def pile(voters: int, pages: int, order: PageOrder) -> list[Leaf]:
    """(voter, page number) of a pile in scan order."""
    numbers = list(range(1, pages + 1))
    if order is PageOrder.BACKS_FIRST:
        numbers = [n for i in range(0, pages, 2) for n in reversed(numbers[i : i + 2])]
    return [(voter, number) for voter in range(voters) for number in numbers]


def slots_of(leaves: Sequence[Leaf], pages: int) -> list[PageSlot]:
    return [PageSlot(i, form=FORM_OF[pages], page=n) for i, (_, n) in enumerate(leaves)]


def owners(draft: SheetDraft, leaves: Sequence[Leaf]) -> set[Voter]:
    return {leaves[position][0] for position in draft.pages}


piles = st.tuples(
    st.integers(2, 7),
    st.sampled_from(sorted(FORM_OF)),
    st.sampled_from([PageOrder.FRONTS_FIRST, PageOrder.BACKS_FIRST]),
)


@given(piles)
def test_an_undisturbed_pile_is_put_together_without_a_doubt(
    kind: tuple[int, int, PageOrder],
) -> None:
    voters, pages, order = kind
    leaves = pile(voters, pages, order)
    drafts = assemble(slots_of(leaves, pages), FORMS)
    assert [owners(draft, leaves) for draft in drafts] == [{voter} for voter in range(voters)]
    assert all(not draft.reasons for draft in drafts)


@given(piles, st.data())
def test_no_unflagged_sheet_has_pages_of_two_voters_when_a_page_is_removed(
    kind: tuple[int, int, PageOrder], data: st.DataObject
) -> None:
    voters, pages, order = kind
    leaves = pile(voters, pages, order)
    lost = leaves.pop(data.draw(st.integers(0, len(leaves) - 1)))
    drafts = assemble(slots_of(leaves, pages), FORMS)
    for draft in drafts:
        assert draft.reasons or owners(draft, leaves) == {draft_voter(draft, leaves)}
        assert draft.reasons or lost[0] not in owners(draft, leaves)
    assert any(draft.reasons for draft in drafts)


def draft_voter(draft: SheetDraft, leaves: Sequence[Leaf]) -> Voter:
    return leaves[draft.pages[0]][0]


@given(piles, st.booleans(), st.data())
def test_no_unflagged_sheet_has_pages_of_two_voters_when_a_page_is_moved(
    kind: tuple[int, int, PageOrder], is_order_known: bool, data: st.DataObject
) -> None:
    voters, pages, order = kind
    leaves = pile(voters, pages, order)
    moved_from = data.draw(st.integers(0, len(leaves) - 1))
    moved_to = data.draw(st.integers(0, len(leaves) - 1))
    leaves.insert(moved_to, leaves.pop(moved_from))
    whole_way = abs(moved_to - moved_from) == len(leaves) - 1
    # Under or over the whole pile: it then lies as if turned over, which is said of the batch.
    assume(is_order_known or not whole_way)
    drafts = assemble(
        slots_of(leaves, pages), FORMS, order if is_order_known else PageOrder.LEARNED
    )
    for draft in drafts:
        assert draft.reasons or len(owners(draft, leaves)) == 1
    assert sorted(p for draft in drafts for p in draft.pages) == list(range(len(leaves)))


@given(st.integers(8, 30), st.data())
def test_a_missing_back_never_shifts_the_sheets_after_it(voters: int, data: st.DataObject) -> None:
    leaves = pile(voters, 2, PageOrder.FRONTS_FIRST)
    voter = data.draw(st.integers(0, voters - 2))
    leaves.remove((voter, 2))
    drafts = assemble(slots_of(leaves, 2), FORMS)
    flagged = {min(owners(draft, leaves)) for draft in drafts if draft.reasons}
    assert flagged == {voter, voter + 1}


@given(st.lists(st.sampled_from(["F", "B", "G", "C", "S", "_", "?"]), max_size=30))
def test_every_page_is_in_exactly_one_sheet(words: list[str]) -> None:
    drafts = assemble(scan(" ".join(words)), FORMS)
    assert sorted(p for draft in drafts for p in draft.pages) == list(range(len(words)))
