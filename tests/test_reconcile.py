"""Every paper is accounted for, or the count is not final."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import ContestState, Reason, SheetStatus
from scanner.counting.reconcile import (
    Account,
    BatchFacts,
    Closing,
    Override,
    PointKind,
    add_accounts,
    closing_in_words,
    fingerprint,
    point_in_words,
    reconcile,
    require_final,
)
from scanner.counting.sheet_rules import SheetRules, judge
from scanner.counting.tally import (
    REFUSED_BY_PERSON,
    CastVote,
    CastVoteRecord,
    Judged,
    Standing,
)
from scanner.errors import CountError
from scanner.forms.template import Contest, Form, Option, Page

VALID, VOID = Judged(Standing.VALID), Judged(Standing.VOID, "blank_sheet")
WAITS, NO_PAPER = Judged(Standing.IN_REVIEW), Judged(Standing.NOT_PAPER, "blank_page")
NOTHING, STRICT = SheetRules(frozenset()), SheetRules(frozenset({Reason.OVERVOTE}))
MOMENT = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)

BLANK, OVER = ContestState.BLANK, ContestState.OVERVOTE
VOTED, UNDER = ContestState.VOTED, ContestState.UNDERVOTE


def contest(name: str, *, breakdown: bool = False) -> Contest:
    return Contest(id=name, breakdown=breakdown, options=(Option(id="o", x=1, y=1, w=5, h=5),))


FORM = Form(
    id="f",
    pages=(Page(number=1, blank="page-1.png", width_mm=210, height_mm=297),),
    contests=(contest("field", breakdown=True), contest("a"), contest("b")),
)


def sheet(field: ContestState, a: ContestState, b: ContestState) -> CastVoteRecord:
    votes = zip(("field", "a", "b"), (field, a, b), strict=True)
    return CastVoteRecord(1, "f", SheetStatus.CLEAN, tuple(CastVote(*vote) for vote in votes))


def refused(why: str) -> CastVoteRecord:
    return CastVoteRecord(1, None, SheetStatus.REFUSED, refusal=why)


@pytest.mark.parametrize(
    ("record", "rules", "standing", "reason"),
    [
        (sheet(BLANK, VOTED, VOTED), SheetRules(), Standing.VALID, ""),
        (sheet(VOTED, VOTED, BLANK), SheetRules(), Standing.VALID, ""),
        (sheet(VOTED, OVER, VOTED), SheetRules(), Standing.VALID, ""),
        (sheet(OVER, VOTED, VOTED), STRICT, Standing.VALID, ""),
        (sheet(VOTED, OVER, VOTED), STRICT, Standing.VOID, "overvote"),
        (sheet(VOTED, UNDER, VOTED), STRICT, Standing.VALID, ""),
        (sheet(BLANK, BLANK, BLANK), SheetRules(), Standing.VOID, "blank_sheet"),
        (sheet(VOTED, BLANK, BLANK), SheetRules(), Standing.VOID, "blank_sheet"),
        (sheet(BLANK, BLANK, BLANK), NOTHING, Standing.VALID, ""),
        (
            sheet(VOTED, VOTED, BLANK),
            SheetRules(frozenset({Reason.BLANK_CONTEST})),
            Standing.VOID,
            "blank_contest",
        ),
        (refused(Reason.VOID_SHEET), NOTHING, Standing.VOID, "void_sheet"),
        (refused(REFUSED_BY_PERSON), NOTHING, Standing.VOID, REFUSED_BY_PERSON),
        (refused(Reason.BLANK_PAGE), SheetRules(), Standing.NOT_PAPER, "blank_page"),
        (refused(Reason.COPY_OF_SHEET), SheetRules(), Standing.NOT_PAPER, "copy_of_sheet"),
        (refused(Reason.FOREIGN_SHEET), SheetRules(), Standing.NOT_PAPER, "foreign_sheet"),
    ],
)
def test_a_sheet_is_void_by_the_rules_of_its_count_and_by_no_others(
    record: CastVoteRecord, rules: SheetRules, standing: Standing, reason: str
) -> None:
    form = FORM if record.form else None
    assert judge(record, form, rules).judged == Judged(standing, reason)


@pytest.mark.parametrize(
    "why", [Reason.UNKNOWN_FORM, Reason.UNREADABLE_FILE, Reason.IMAGE_TOO_LARGE]
)
def test_no_machine_declares_a_paper_void(why: Reason) -> None:
    assert judge(refused(why), None, SheetRules()).standing is Standing.IN_REVIEW


def test_a_count_may_say_that_strange_pages_are_void() -> None:
    rules = SheetRules(frozenset({Reason.UNKNOWN_FORM}))
    judged = judge(refused(Reason.UNKNOWN_FORM), None, rules).judged
    assert judged == Judged(Standing.VOID, "unknown_form")


def test_a_sheet_in_doubt_is_neither_valid_nor_void() -> None:
    blank = sheet(BLANK, BLANK, BLANK)
    waiting = CastVoteRecord(1, "f", SheetStatus.IN_DOUBT, blank.votes)
    assert judge(waiting, FORM, SheetRules()).standing is Standing.IN_REVIEW
    assert judge(blank, FORM, SheetRules()).void == "blank_sheet"


def test_a_rule_that_no_sheet_can_break_is_refused() -> None:
    with pytest.raises(ValueError, match="unclear_mark"):
        SheetRules(frozenset({Reason.UNCLEAR_MARK}))


def kinds(closing: Closing) -> list[PointKind]:
    return [point.kind for point in closing.open_points]


def closing_of(told: BatchFacts, *judged: Judged) -> Closing:
    return reconcile([(1, one) for one in judged], {1: BatchFacts()}, told)


def test_a_count_of_which_every_paper_is_known_is_final() -> None:
    closing = closing_of(BatchFacts(100, 3, 3), VALID, VALID, VOID, NO_PAPER)
    assert (closing.is_final, closing.closes, kinds(closing)) == (True, True, [])
    assert closing_in_words(closing.whole) == (
        "issued 100 ≥ collected 3 = counted by hand 3 = scanned 3 = 2 valid + 1 void + 0 in review"
    )
    require_final(closing)


@pytest.mark.parametrize(
    ("told", "judged", "kind", "words"),
    [
        (BatchFacts(2, 3, 3), (VALID,) * 3, PointKind.EXCEEDS, "collected 3, but issued 2"),
        (BatchFacts(9, 4, 3), (VALID,) * 3, PointKind.DIFFERS, "collected 4, but counted by hand"),
        (BatchFacts(9, 3, 3), (VALID,) * 2, PointKind.DIFFERS, "counted by hand 3, but scanned 2"),
        (BatchFacts(9, 3), (VALID,) * 4, PointKind.DIFFERS, "collected 3, but scanned 4"),
        (BatchFacts(9), (VALID,) * 4, PointKind.NOT_COUNTED, "Nobody has told"),
        (BatchFacts(3, 3, 3), (VALID, VALID, WAITS), PointKind.IN_REVIEW, "wait for a person: 1"),
    ],
)
def test_a_count_that_does_not_close_gets_no_final_documents(
    told: BatchFacts, judged: tuple[Judged, ...], kind: PointKind, words: str
) -> None:
    closing = closing_of(told, *judged)
    assert kinds(closing) == [kind]
    assert words in point_in_words(closing.open_points[0])
    assert not closing.is_final
    with pytest.raises(CountError, match="not final"):
        require_final(closing)


def test_a_sheet_that_got_lost_within_the_program_shows() -> None:
    closing = reconcile([(1, VALID)], {1: BatchFacts()}, BatchFacts(None, 2, 2), sheets={1: 2})
    assert "scanned 2, but valid + void + in review 1" in point_in_words(closing.open_points[0])
    assert "scanned 2 ≠ 1 valid" in closing_in_words(closing.whole)


def test_two_batches_whose_faults_make_up_for_each_other_do_not_close() -> None:
    facts = {1: BatchFacts(hand_count=2), 2: BatchFacts(hand_count=2)}
    closing = reconcile([(1, VALID), (2, VALID), (2, VALID), (2, VOID)], facts)
    assert closing.whole.hand_count == closing.whole.scanned == 4
    assert [(point.batch, point.figure, point.other_figure) for point in closing.open_points] == [
        (1, 2, 1),
        (2, 2, 3),
    ]


def test_what_is_told_of_the_count_must_be_the_sum_of_its_batches() -> None:
    facts = {1: BatchFacts(hand_count=1), 2: BatchFacts(hand_count=2)}
    judged = [(1, VALID), (2, VALID), (2, VALID)]
    assert reconcile(judged, facts).is_final
    closing = reconcile(judged, facts, BatchFacts(hand_count=4))
    assert "counted by hand 4, but the batches together 3" in point_in_words(closing.open_points[0])


def test_a_batch_that_nobody_counted_is_not_taken_for_an_empty_one() -> None:
    facts = {1: BatchFacts(hand_count=1), 2: BatchFacts()}
    closing = reconcile([(1, VALID), (2, VALID)], facts)
    assert (closing.whole.hand_count, kinds(closing)) == (None, [PointKind.NOT_COUNTED])


def test_a_scan_that_was_broken_off_makes_nothing_final() -> None:
    closing = reconcile([(1, VALID)], {1: BatchFacts()}, BatchFacts(None, 1), is_unfinished=True)
    assert kinds(closing) == [PointKind.UNFINISHED]


def passes(by: str, closing: Closing) -> Override:
    return Override(by, "Một tờ bị rách.", MOMENT, fingerprint(closing.open_points))


def test_it_takes_two_people_to_let_a_count_pass() -> None:
    facts, told = {1: BatchFacts()}, BatchFacts(None, 3)
    first = reconcile([(1, VALID)], facts, told)

    def after(*overrides: Override) -> Closing:
        return reconcile([(1, VALID)], facts, told, overrides=overrides)

    lan, minh = passes("Lan", first), passes("Minh", first)
    assert not after(lan).is_final
    assert not after(lan, passes(" LAN ", first)).is_final
    both = after(lan, minh)
    assert (both.is_final, both.is_overridden, both.closes) == (True, True, False)
    assert [one.by for one in both.overrides] == ["Lan", "Minh"]


def test_who_let_one_gap_pass_let_no_other_one_pass() -> None:
    facts, told = {1: BatchFacts()}, BatchFacts(None, 3)
    first = reconcile([(1, VALID)], facts, told)
    overrides = [passes("Lan", first), passes("Minh", first)]
    later = reconcile([(1, VALID), (1, VALID)], facts, told, overrides=overrides)
    assert (later.is_final, later.overrides) == (False, ())


def test_a_count_that_closes_is_not_overridden() -> None:
    closing = closing_of(BatchFacts(None, 1), VALID)
    overrides = [passes("Lan", closing), passes("Minh", closing)]
    again = reconcile([(1, VALID)], {1: BatchFacts()}, BatchFacts(None, 1), overrides=overrides)
    assert (again.is_final, again.is_overridden) == (True, False)


SHEETS = st.lists(
    st.sampled_from([VALID, VOID, WAITS, NO_PAPER, Judged(Standing.VOID, "void_sheet")]),
    max_size=40,
)


@given(SHEETS, st.data())
def test_any_split_into_batches_in_any_order_has_the_same_sums(
    judged: list[Judged], data: st.DataObject
) -> None:
    batches = [data.draw(st.integers(1, 5)) for _one in judged]
    in_some_order = data.draw(st.permutations(list(zip(batches, judged, strict=True))))
    facts = {number: BatchFacts() for number in range(1, 6)}
    split = reconcile(in_some_order, facts)
    whole = reconcile([(1, one) for one in judged], {1: BatchFacts()})
    assert split.whole == whole.whole
    accounts = data.draw(st.permutations(split.batches))
    cut = data.draw(st.integers(0, len(accounts)))
    halves = [add_accounts(accounts[:cut]), add_accounts(accounts[cut:])]
    assert add_accounts(halves) == split.whole


@given(SHEETS)
def test_every_sheet_is_valid_void_waiting_or_no_paper(judged: list[Judged]) -> None:
    account: Account = reconcile([(1, one) for one in judged], {1: BatchFacts()}).whole
    assert account.accounted == account.scanned == len(judged) - account.not_paper
    assert sum(account.void_by_reason.values()) == account.void
    assert account.returned == account.scanned
