"""A person's decisions: added, never overwriting, the latest counts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scanner.ballot import ContestReading, ContestState, Reason, SheetStatus
from scanner.counting.adjudication import (
    Decision,
    SheetRecord,
    Verdict,
    open_doubts,
    resolve,
    sheet_label,
)
from scanner.counting.decision_checks import check_decision
from scanner.counting.tally import REFUSED_BY_PERSON
from scanner.errors import BadArgumentsError
from scanner.forms.template import Contest, Form, Option, Page, Rule

NOON = datetime(2023, 10, 27, 12, tzinfo=UTC)
CLEAR = ContestReading("c1", ContestState.VOTED, ("o1",))
UNCLEAR = ContestReading("c2", ContestState.IN_DOUBT, ("o1",), (Reason.UNCLEAR_MARK,))
TOO_MANY = ContestReading("c1", ContestState.OVERVOTE, ("o1", "o2"), (Reason.OVERVOTE,))


def contest(contest_id: str, most: int, y: int) -> Contest:
    options = tuple(Option(id=f"o{n}", x=10 * n, y=y, w=5, h=5) for n in (1, 2, 3))
    return Contest(id=contest_id, max=most, options=options)


FORM = Form(
    id="form",
    pages=(Page(number=1, blank="page-1.png", width_mm=210, height_mm=297),),
    contests=(contest("c1", 1, 10), contest("c2", 2, 30)),
)


def sheet(*contests: ContestReading, reasons: tuple[Reason, ...] = ()) -> SheetRecord:
    return SheetRecord(1, 1, "form", reasons, contests)


def decision(verdict: Verdict, contest: str | None = None, *options: str) -> Decision:
    return Decision(1, verdict, "Lan", "nhìn rõ", NOON, contest, options)


def test_a_sheet_without_doubts_is_clean_and_counts_as_read() -> None:
    final = resolve(sheet(CLEAR), [], FORM)
    assert final.status is SheetStatus.CLEAN
    assert [(vote.options, vote.is_decided) for vote in final.votes] == [(("o1",), False)]


def test_a_sheet_in_doubt_is_decided_when_its_last_doubt_is() -> None:
    other = ContestReading("c1", ContestState.IN_DOUBT, (), (Reason.MARK_BESIDE_BOX,))
    record = sheet(other, UNCLEAR)
    first = decision(Verdict.BLANK, "c1")
    assert resolve(record, [], FORM).status is SheetStatus.IN_DOUBT
    assert resolve(record, [first], FORM).status is SheetStatus.IN_DOUBT
    final = resolve(record, [first, decision(Verdict.OPTIONS, "c2", "o2", "o3")], FORM)
    assert final.status is SheetStatus.DECIDED
    assert [vote.state for vote in final.votes] == [ContestState.BLANK, ContestState.VOTED]
    assert final.votes[1].options == ("o2", "o3")


def test_the_latest_decision_counts() -> None:
    made = [decision(Verdict.OPTIONS, "c2", "o1"), decision(Verdict.OVERVOTE, "c2")]
    (vote,) = resolve(sheet(UNCLEAR), made, FORM).votes
    assert (vote.state, vote.options) == (ContestState.OVERVOTE, ())
    (vote,) = resolve(sheet(UNCLEAR), made[::-1], FORM).votes
    assert (vote.state, vote.options) == (ContestState.UNDERVOTE, ("o1",))


def test_a_clean_sheet_can_be_corrected() -> None:
    final = resolve(sheet(CLEAR), [decision(Verdict.OPTIONS, "c1", "o3")], FORM)
    assert final.status is SheetStatus.DECIDED
    assert final.votes[0].options == ("o3",)


def test_pages_in_doubt_count_only_when_the_sheet_is_accepted() -> None:
    record = sheet(CLEAR, reasons=(Reason.PAGE_ORDER,))
    assert resolve(record, [], FORM).status is SheetStatus.IN_DOUBT
    # A decision on a contest says nothing about whose pages they are.
    settled = [decision(Verdict.OPTIONS, "c1", "o1")]
    assert resolve(record, settled, FORM).status is SheetStatus.IN_DOUBT
    assert resolve(record, [decision(Verdict.ACCEPT)], FORM).status is SheetStatus.DECIDED


def test_accepting_a_sheet_does_not_decide_a_contest_in_doubt() -> None:
    record = sheet(UNCLEAR, reasons=(Reason.PAGE_ORDER,))
    accepted = [decision(Verdict.ACCEPT)]
    assert open_doubts(record, accepted, FORM.rule) == [("c2", (Reason.UNCLEAR_MARK,))]
    assert resolve(record, accepted, FORM).status is SheetStatus.IN_DOUBT


def test_accepting_a_sheet_settles_an_overvote_as_read() -> None:
    final = resolve(sheet(TOO_MANY), [decision(Verdict.ACCEPT)], FORM)
    assert final.status is SheetStatus.DECIDED
    assert (final.votes[0].state, final.votes[0].options) == (ContestState.OVERVOTE, ())


def test_a_refused_sheet_counts_for_nobody_until_it_is_accepted_again() -> None:
    refused = [decision(Verdict.REFUSE)]
    final = resolve(sheet(CLEAR), refused, FORM)
    assert (final.status, final.refusal, final.votes) == (
        SheetStatus.REFUSED,
        REFUSED_BY_PERSON,
        (),
    )
    again = resolve(sheet(CLEAR), [*refused, decision(Verdict.ACCEPT)], FORM)
    assert again.status is SheetStatus.DECIDED


def test_a_page_of_no_form_is_refused_with_its_reason() -> None:
    record = SheetRecord(1, 1, None, (Reason.UNKNOWN_FORM,))
    final = resolve(record, [], None)
    assert (final.status, final.refusal) == (SheetStatus.REFUSED, "unknown_form")


def test_a_form_can_ask_for_a_person_at_blanks() -> None:
    blank = ContestReading("c1", ContestState.BLANK, (), (Reason.BLANK_CONTEST,))
    strict = FORM.model_copy(update={"rule": Rule(review=("blank_contest",))})
    assert resolve(sheet(blank), [], FORM).status is SheetStatus.CLEAN
    assert resolve(sheet(blank), [], strict).status is SheetStatus.IN_DOUBT


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        (decision(Verdict.OPTIONS, "c9", "o1"), "no contest c9"),
        (decision(Verdict.OPTIONS, "c1", "o9"), "no option o9"),
        (decision(Verdict.OPTIONS, "c1", "o1", "o2"), "allows 1"),
        (decision(Verdict.OPTIONS, "c2", "o1", "o1"), "twice"),
        (decision(Verdict.OPTIONS, "c1"), "which options"),
        (decision(Verdict.OPTIONS), "which contest"),
        (decision(Verdict.ACCEPT, "c1"), "Only a whole sheet"),
        (Decision(1, Verdict.BLANK, " ", "why", NOON, "c1"), "a name"),
        (Decision(1, Verdict.BLANK, "Lan", "", NOON, "c1"), "a reason"),
    ],
)
def test_a_decision_that_cannot_be_carried_out_is_refused(made: Decision, fault: str) -> None:
    with pytest.raises(BadArgumentsError, match=fault):
        check_decision(made, sheet(CLEAR, UNCLEAR), FORM)


def test_nothing_can_be_decided_on_a_page_of_no_form() -> None:
    record = SheetRecord(1, 1, None, (Reason.UNKNOWN_FORM,))
    with pytest.raises(BadArgumentsError, match="0001 is refused"):
        check_decision(decision(Verdict.ACCEPT), record, None)


def test_sheets_are_written_with_four_figures_or_more() -> None:
    assert [sheet_label(n) for n in (7, 12345)] == ["0007", "12345"]
