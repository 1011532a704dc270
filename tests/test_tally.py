"""The rules of adding up, as tables of numbers."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import ContestState, Reason, SheetStatus
from scanner.counting.tally import (
    REFUSED_BY_PERSON,
    CastVote,
    CastVoteRecord,
    ContestTally,
    add_up,
    percent,
)
from scanner.forms.template import Contest, Form, Option, Page

OPTIONS = ("o1", "o2", "o3")


def form(form_id: str, most: int) -> Form:
    options = tuple(Option(id=o, x=10 * n, y=10, w=5, h=5) for n, o in enumerate(OPTIONS))
    return Form(
        id=form_id,
        pages=(Page(number=1, blank="page-1.png", width_mm=210, height_mm=297),),
        contests=(Contest(id="c", max=most, options=options),),
    )


SINGLE, DOUBLE = form("single", 1), form("double", 2)
FORMS = (SINGLE, DOUBLE)


@st.composite
def votes(draw: st.DrawFn, most: int) -> CastVote:
    chosen = tuple(draw(st.lists(st.sampled_from(OPTIONS), unique=True)))
    if len(chosen) > most:
        return CastVote("c", ContestState.OVERVOTE)
    if not chosen:
        return CastVote("c", ContestState.BLANK)
    state = ContestState.VOTED if len(chosen) == most else ContestState.UNDERVOTE
    return CastVote("c", state, chosen)


@st.composite
def records(draw: st.DrawFn) -> CastVoteRecord:
    paper = draw(st.sampled_from(FORMS))
    status = draw(st.sampled_from(list(SheetStatus)))
    if status is SheetStatus.REFUSED:
        reason = draw(st.sampled_from([Reason.UNKNOWN_FORM, Reason.BLANK_PAGE]))
        return CastVoteRecord(0, None, status, refusal=reason)
    return CastVoteRecord(0, paper.id, status, (draw(votes(paper.contests[0].max)),))


@given(st.lists(records(), max_size=40))
def test_every_sheet_and_every_choice_is_accounted_for(sheets: list[CastVoteRecord]) -> None:
    tally = add_up(sheets, FORMS)
    assert tally.scanned == len(sheets)
    assert tally.clean + tally.decided + tally.in_doubt + tally.refused == tally.scanned
    assert sum(tally.refused_by_reason.values()) == tally.refused
    assert sum(sums.counted + sums.in_doubt for sums in tally.forms) + tally.refused == len(sheets)
    assert tally.closes
    (single,), (double,) = (sums.contests for sums in tally.forms)
    assert sum(single.options.values()) + single.blank + single.overvote == single.counted
    given_votes = sum(double.options.values())
    assert given_votes + double.undervotes + 2 * double.overvote == 2 * double.counted


@given(st.lists(records(), max_size=20), st.randoms())
def test_the_order_of_sheets_changes_nothing(sheets: list[CastVoteRecord], chance: object) -> None:
    shuffled = list(sheets)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert add_up(shuffled, FORMS) == add_up(sheets, FORMS)


def voted(status: SheetStatus, *options: str) -> CastVoteRecord:
    return CastVoteRecord(1, "single", status, (CastVote("c", ContestState.VOTED, options),))


def test_a_sheet_in_doubt_gives_no_vote_to_anyone() -> None:
    sheets = [voted(SheetStatus.CLEAN, "o1"), voted(SheetStatus.IN_DOUBT, "o1")]
    tally = add_up(sheets, FORMS)
    contest = tally.forms[0].contests[0]
    assert contest.options == {"o1": 1, "o2": 0, "o3": 0}
    assert (contest.in_doubt, contest.counted) == (1, 1)
    assert tally.is_provisional


def test_a_decided_sheet_counts_like_a_clean_one() -> None:
    sheets = [voted(SheetStatus.CLEAN, "o1"), voted(SheetStatus.DECIDED, "o1")]
    tally = add_up(sheets, FORMS)
    assert tally.forms[0].contests[0].options["o1"] == 2
    assert not tally.is_provisional


def refused(reason: str) -> CastVoteRecord:
    return CastVoteRecord(1, None, SheetStatus.REFUSED, refusal=reason)


def test_papers_that_do_not_agree_are_named() -> None:
    sheets = [voted(SheetStatus.CLEAN, "o1")] * 3
    assert add_up(sheets, FORMS, issued=5, collected=3).closes
    (gap,) = add_up(sheets, FORMS, issued=5, collected=4).gaps()
    assert (gap.what, gap.figure, gap.other, gap.other_figure) == ("scanned", 3, "collected", 4)
    (gap,) = add_up(sheets, FORMS, issued=2).gaps()
    assert (gap.what, gap.other) == ("scanned", "issued")
    (gap,) = add_up(sheets, FORMS, issued=2, collected=3).gaps()
    assert (gap.what, gap.other) == ("collected", "issued")


def test_unprinted_backs_are_no_papers_but_refused_sheets_are() -> None:
    sheets = [voted(SheetStatus.CLEAN, "o1"), refused(Reason.BLANK_PAGE)]
    assert add_up(sheets, FORMS, collected=1).closes
    tally = add_up([*sheets, refused(REFUSED_BY_PERSON)], FORMS, collected=2)
    assert tally.closes
    assert tally.refused_by_reason == {"blank_page": 1, "refused_by_person": 1}


def test_a_contest_that_lost_a_vote_does_not_close() -> None:
    whole = ContestTally("c", 1, {"o1": 1}, 1, 0, 1, 0, 2)
    assert whole.closes
    assert not ContestTally("c", 1, {"o1": 1}, 0, 0, 1, 0, 2).closes
    assert not ContestTally("c", 2, {"o1": 1}, 0, 0, 0, 0, 1).closes


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [(23, 38, 61), (19, 38, 50), (6, 38, 16), (29, 38, 76), (3, 38, 8), (1, 8, 13), (0, 0, 0)],
)
def test_shares_are_whole_percent_with_halves_up(part: int, whole: int, share: int) -> None:
    assert percent(part, whole) == share


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_shares_are_those_of_decimal_arithmetic(part: int, whole: int) -> None:
    exact = Decimal(100 * part) / Decimal(whole)
    assert percent(part, whole) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))
