"""Who decides next: one reader, a second one, the committee; and what is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import ContestReading, ContestState, Reason, SheetStatus
from scanner.counting.adjudication import (
    Decision,
    SheetRecord,
    Stage,
    Verdict,
    open_questions,
    resolve,
    stage_for,
    standing,
)
from scanner.counting.decision_checks import check_decision
from scanner.counting.second_reader import (
    ONE_READER,
    Readers,
    SecondReader,
    close_contests,
    is_close,
)
from scanner.errors import BadArgumentsError
from scanner.forms.template import Contest, Form, Option, Page

NOON = datetime(2023, 10, 27, 12, tzinfo=UTC)
CLEAR = ContestReading("c1", ContestState.VOTED, ("o1",))
UNCLEAR = ContestReading("c2", ContestState.IN_DOUBT, ("o1",), (Reason.UNCLEAR_MARK,))
RECORD = SheetRecord(1, 1, "form", (), (CLEAR, UNCLEAR))
IN_ORDER = SheetRecord(1, 1, "form", (Reason.PAGE_ORDER,), (CLEAR, UNCLEAR))
ALL, DOUBTS = Readers(SecondReader.ALL), Readers(SecondReader.DOUBTS)


def contest(contest_id: str, y: int) -> Contest:
    options = tuple(Option(id=f"o{n}", x=10 * n, y=y, w=5, h=5) for n in (1, 2, 3))
    return Contest(id=contest_id, options=options)


FORM = Form(
    id="form",
    pages=(Page(number=1, blank="page-1.png", width_mm=210, height_mm=297),),
    contests=(contest("c1", 10), contest("c2", 30)),
)


class Desk:
    """Decisions as they are made one after the other, with their ids."""

    def __init__(self, record: SheetRecord = RECORD, readers: Readers = ONE_READER) -> None:
        self.record = record
        self.readers = readers
        self.made: list[Decision] = []

    def say(
        self, verdict: Verdict, contest: str | None, *options: str, by: str = "Lan", **more: Any
    ) -> int:
        """Decide, as what it is this person's turn to; gives the id."""
        made = Decision(1, verdict, by, "rõ", NOON, contest, options, **more)
        if "stage" not in more and verdict is not Verdict.WITHDRAW:
            rule = FORM.rule
            made = replace(made, stage=stage_for(made, self.record, self.made, rule, self.readers))
        check_decision(made, self.record, FORM, self.made)
        self.made.append(replace(made, id=len(self.made) + 1))
        return len(self.made)

    def choose(self, option: str, *, contest: str = "c2", by: str = "Lan", **more: Any) -> int:
        return self.say(Verdict.OPTIONS, contest, option, by=by, **more)

    def take_back(self, number: int, contest: str | None = "c2", **more: Any) -> int:
        return self.say(Verdict.WITHDRAW, contest, undoes=number, **more)

    def asked(self) -> list[tuple[str | None, Stage]]:
        found = open_questions(self.record, self.made, FORM.rule, self.readers)
        return [(one.contest, one.stage) for one in found]

    def reasons(self, contest: str | None = "c2") -> tuple[Reason, ...]:
        found = open_questions(self.record, self.made, FORM.rule, self.readers)
        return next((one.reasons for one in found if one.contest == contest), ())

    def status(self) -> SheetStatus:
        return resolve(self.record, self.made, FORM, self.readers).status

    def counts(self, contest: str = "c2") -> tuple[str, ...]:
        votes = resolve(self.record, self.made, FORM, self.readers).votes
        return next(vote.options for vote in votes if vote.contest == contest)


# --- taken back ----------------------------------------------------------------------------------


def test_a_decision_that_is_taken_back_counts_no_more() -> None:
    desk = Desk()
    first = desk.choose("o2")
    assert (desk.status(), desk.counts()) == (SheetStatus.DECIDED, ("o2",))
    desk.take_back(first)
    assert desk.status() is SheetStatus.IN_DOUBT
    assert desk.asked() == [("c2", Stage.FIRST)]
    assert len(desk.made) == 2


def test_taking_back_the_later_one_leaves_the_earlier_one() -> None:
    desk = Desk()
    desk.choose("o2")
    desk.take_back(desk.choose("o3"))
    assert (desk.status(), desk.counts()) == (SheetStatus.DECIDED, ("o2",))


def test_a_refusal_taken_back_lets_the_sheet_count_again() -> None:
    desk = Desk(SheetRecord(1, 1, "form", (), (CLEAR,)))
    refusal = desk.say(Verdict.REFUSE, None)
    assert desk.status() is SheetStatus.REFUSED
    desk.take_back(refusal, None)
    assert desk.status() is SheetStatus.CLEAN


@pytest.mark.parametrize("number", [0, 2, 7])
def test_what_is_not_there_or_was_taken_back_before_cannot_be_taken_back(number: int) -> None:
    desk = Desk()
    desk.take_back(desk.choose("o2"))
    with pytest.raises(BadArgumentsError, match="taken back"):
        desk.take_back(number)


def test_a_decision_on_another_contest_is_not_taken_back() -> None:
    desk = Desk()
    number = desk.choose("o2", contest="c1")
    with pytest.raises(BadArgumentsError, match="taken back"):
        desk.take_back(number, "c2")


def test_only_the_committee_takes_back_what_others_decided() -> None:
    desk = Desk()
    number = desk.choose("o2")
    with pytest.raises(BadArgumentsError, match="committee"):
        desk.take_back(number, by="Minh")
    desk.take_back(number, by="Hoa", stage=Stage.COMMITTEE)
    assert desk.status() is SheetStatus.IN_DOUBT


# --- flags ---------------------------------------------------------------------------------------


def test_a_flagged_contest_is_in_doubt_until_somebody_decides_later() -> None:
    desk = Desk(SheetRecord(1, 1, "form", (), (CLEAR,)))
    desk.say(Verdict.FLAG, "c1", "o1")
    assert (desk.status(), desk.reasons("c1")) == (SheetStatus.IN_DOUBT, (Reason.FLAGGED,))
    desk.choose("o1", contest="c1", by="Minh")
    assert desk.status() is SheetStatus.DECIDED


def test_a_decision_from_before_the_flag_does_not_answer_it() -> None:
    desk = Desk()
    desk.choose("o2")
    desk.say(Verdict.FLAG, "c2", "o2", by="Minh")
    assert desk.asked() == [("c2", Stage.FIRST)]
    assert Reason.FLAGGED in desk.reasons()
    desk.choose("o2")
    assert desk.asked() == []


def test_a_flag_taken_back_asks_nothing() -> None:
    desk = Desk(SheetRecord(1, 1, "form", (), (CLEAR,)))
    flag = desk.say(Verdict.FLAG, "c1", "o1")
    desk.take_back(flag, "c1")
    assert desk.status() is SheetStatus.CLEAN


def test_a_sheet_accepted_after_the_flag_stands_as_read_and_before_it_does_not() -> None:
    desk = Desk(SheetRecord(1, 1, "form", (), (CLEAR,)))
    desk.say(Verdict.ACCEPT, None)
    desk.say(Verdict.FLAG, "c1", "o1")
    assert desk.status() is SheetStatus.IN_DOUBT
    desk.say(Verdict.ACCEPT, None)
    assert (desk.status(), desk.counts("c1")) == (SheetStatus.DECIDED, ("o1",))


def test_a_flag_on_what_the_committee_decided_goes_to_the_committee() -> None:
    desk = Desk()
    desk.choose("o2", by="Hoa", stage=Stage.COMMITTEE)
    desk.say(Verdict.FLAG, "c2", "o2", by="Minh")
    assert desk.asked() == [("c2", Stage.COMMITTEE)]


# --- the committee -------------------------------------------------------------------------------


def test_what_is_handed_to_the_committee_waits_for_it_alone() -> None:
    desk = Desk()
    desk.say(Verdict.ESCALATE, "c2", note="không rõ")
    assert desk.asked() == [("c2", Stage.COMMITTEE)]
    with pytest.raises(BadArgumentsError, match="Only the committee"):
        desk.choose("o2", stage=Stage.FIRST)
    desk.choose("o2", by="Hoa", stage=Stage.COMMITTEE)
    assert (desk.status(), desk.counts()) == (SheetStatus.DECIDED, ("o2",))


def test_what_was_decided_can_still_be_handed_to_the_committee() -> None:
    desk = Desk()
    desk.choose("o2")
    desk.say(Verdict.ESCALATE, "c2", by="Minh")
    assert desk.status() is SheetStatus.IN_DOUBT


def test_a_whole_sheet_can_be_handed_to_the_committee() -> None:
    desk = Desk(SheetRecord(1, 1, "form", (), (CLEAR,)))
    desk.say(Verdict.ESCALATE, None)
    assert desk.asked() == [(None, Stage.COMMITTEE)]
    desk.say(Verdict.REFUSE, None, by="Hoa", stage=Stage.COMMITTEE)
    assert desk.status() is SheetStatus.REFUSED


def test_no_reader_decides_after_the_committee() -> None:
    desk = Desk()
    desk.choose("o2", by="Hoa", stage=Stage.COMMITTEE)
    with pytest.raises(BadArgumentsError, match="Only the committee"):
        desk.choose("o3", stage=Stage.FIRST)
    desk.choose("o3", by="Hoa", stage=Stage.COMMITTEE)
    assert desk.counts() == ("o3",)


# --- two readers ---------------------------------------------------------------------------------


def test_equal_answers_of_two_people_stand() -> None:
    desk = Desk(readers=DOUBTS)
    desk.choose("o2")
    assert (desk.status(), desk.asked()) == (SheetStatus.IN_DOUBT, [("c2", Stage.SECOND)])
    desk.choose("o2", by="Minh")
    assert (desk.status(), desk.counts()) == (SheetStatus.DECIDED, ("o2",))


def test_different_answers_wait_for_the_committee() -> None:
    desk = Desk(readers=DOUBTS)
    desk.choose("o2")
    desk.choose("o3", by="Minh")
    assert desk.asked() == [("c2", Stage.COMMITTEE)]
    assert Reason.READERS_DISAGREE in desk.reasons()
    for person in ("Lan", "Minh", "Tư"):
        with pytest.raises(BadArgumentsError, match="Only the committee"):
            desk.choose("o3", by=person, stage=Stage.FIRST)
    desk.choose("o1", by="Hoa", stage=Stage.COMMITTEE)
    assert (desk.status(), desk.counts()) == (SheetStatus.DECIDED, ("o1",))


@pytest.mark.parametrize("name", ["Lan", " lan ", "LAN"])
def test_nobody_is_both_readers(name: str) -> None:
    desk = Desk(readers=DOUBTS)
    desk.choose("o2")
    with pytest.raises(BadArgumentsError, match="another person"):
        desk.choose("o2", by=name, stage=Stage.SECOND)
    desk.choose("o3", by=name)
    assert desk.asked() == [("c2", Stage.SECOND)]


def test_the_second_reader_does_not_become_the_first_as_well() -> None:
    desk = Desk(readers=DOUBTS)
    first = desk.choose("o2")
    desk.choose("o2", by="Minh")
    desk.take_back(first)
    assert desk.asked() == [("c2", Stage.FIRST)]
    with pytest.raises(BadArgumentsError, match="another person"):
        desk.choose("o2", by="Minh", stage=Stage.FIRST)
    desk.choose("o2", by="Tư", stage=Stage.FIRST)
    assert desk.status() is SheetStatus.DECIDED


def test_there_is_no_second_reader_without_a_first() -> None:
    with pytest.raises(BadArgumentsError, match="Nobody has read"):
        Desk(readers=DOUBTS).choose("o2", stage=Stage.SECOND)


def test_after_a_flag_both_read_again() -> None:
    desk = Desk(readers=DOUBTS)
    desk.choose("o2")
    desk.choose("o2", by="Minh")
    desk.say(Verdict.FLAG, "c2", "o2", by="Hoa")
    assert desk.asked() == [("c2", Stage.FIRST)]
    desk.choose("o3", by="Minh", stage=Stage.FIRST)
    assert desk.asked() == [("c2", Stage.SECOND)]
    desk.choose("o3", by="Lan", stage=Stage.SECOND)
    assert (desk.status(), desk.counts()) == (SheetStatus.DECIDED, ("o3",))


def test_who_differs_stays_so_whatever_is_asked_for_later() -> None:
    desk = Desk(readers=DOUBTS)
    desk.choose("o2")
    desk.choose("o3", by="Minh")
    desk.readers = ONE_READER
    assert desk.asked() == [("c2", Stage.COMMITTEE)]


@pytest.mark.parametrize(
    ("policy", "correction", "doubt", "whole"),
    [
        (SecondReader.NONE, False, False, False),
        (SecondReader.DOUBTS, False, True, True),
        (SecondReader.ALL, True, True, True),
    ],
)
def test_which_answers_need_a_second_reader(
    policy: SecondReader, correction: bool, doubt: bool, whole: bool
) -> None:
    desk = Desk(IN_ORDER, Readers(policy))
    desk.choose("o2", contest="c1")
    desk.choose("o2", contest="c2")
    desk.say(Verdict.ACCEPT, None)
    waits = {contest for contest, stage in desk.asked() if stage is Stage.SECOND}
    assert ("c1" in waits, "c2" in waits, None in waits) == (correction, doubt, whole)


def test_only_close_contests_need_a_second_reader() -> None:
    desk = Desk(readers=Readers(SecondReader.CLOSE, frozenset({("form", "c2")})))
    desk.choose("o2", contest="c1")
    desk.choose("o2", contest="c2")
    assert desk.asked() == [("c2", Stage.SECOND)]


def test_two_people_refuse_a_sheet() -> None:
    desk = Desk(SheetRecord(1, 1, "form", (), (CLEAR,)), ALL)
    desk.say(Verdict.REFUSE, None)
    assert desk.status() is SheetStatus.IN_DOUBT
    desk.say(Verdict.REFUSE, None, by="Minh")
    assert desk.status() is SheetStatus.REFUSED


# --- close ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("votes", "places", "disputed", "close"),
    [
        ([10, 8, 1], 1, 2, True),
        ([10, 8, 1], 1, 1, False),
        ([10, 10], 1, 0, False),
        ([10, 10], 1, 1, True),
        ([9, 3, 9], 2, 6, True),
        ([9, 3, 9], 2, 5, False),
        ([5, 4], 2, 9, False),
        ([], 1, 3, False),
    ],
)
def test_a_contest_is_close_where_the_disputed_sheets_bridge_the_gap(
    votes: list[int], places: int, disputed: int, close: bool
) -> None:
    assert is_close(votes, places, disputed) is close


@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=4),
    st.integers(1, 2),
    st.lists(st.sets(st.integers(0, 3), max_size=2), max_size=4),
)
def test_where_a_contest_is_not_close_no_answer_of_people_changes_who_leads(
    votes: list[int], places: int, said: Sequence[set[int]]
) -> None:
    final = list(votes)
    for answer in said:
        for option in sorted(answer)[:places]:
            if option < len(final):
                final[option] += 1
    if not is_close(votes, places, len(said)) and len(votes) > places:
        order = sorted(range(len(votes)), key=lambda option: -votes[option])
        leading, others = order[:places], order[places:]
        assert not said or min(final[one] for one in leading) > max(final[one] for one in others)


def test_close_contests_are_named_by_their_form() -> None:
    votes = {("form", "c1"): {"o1": 9, "o2": 1}, ("form", "c2"): {"o1": 5, "o2": 4}}
    disputed = {("form", "c1"): 2, ("form", "c2"): 2}
    assert close_contests([FORM], votes, disputed) == {("form", "c2")}


# --- whatever people do --------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.sampled_from(list(Verdict)),
        st.sampled_from([None, "c1", "c2"]),
        st.sampled_from(["o1", "o2"]),
        st.sampled_from(["Lan", "Minh", "Hoa"]),
        st.integers(0, 8),
    ),
    max_size=10,
)


def work_through(desk: Desk, several: Sequence[tuple[Verdict, str | None, str, str, int]]) -> None:
    """Do what can be done of it."""
    for verdict, about, option, person, number in several:
        options = (option,) if verdict in {Verdict.OPTIONS, Verdict.FLAG} and about else ()
        more = {"undoes": number} if verdict is Verdict.WITHDRAW else {}
        before = list(desk.made)
        try:
            desk.say(verdict, about, *options, by=person, **more)
        except BadArgumentsError:
            assert desk.made == before


@given(steps, st.sampled_from([ONE_READER, ALL, DOUBTS]))
def test_only_standing_decisions_count(
    several: Sequence[tuple[Verdict, str | None, str, str, int]], readers: Readers
) -> None:
    desk = Desk(IN_ORDER, readers)
    work_through(desk, several)
    left = standing(desk.made)
    assert resolve(desk.record, desk.made, FORM, readers) == resolve(
        desk.record, left, FORM, readers
    )
    assert all(one.verdict is not Verdict.WITHDRAW for one in left)
    undone = {one.undoes for one in desk.made if one.verdict is Verdict.WITHDRAW}
    assert {one.id for one in desk.made} == {one.id for one in left} | undone | {
        one.id for one in desk.made if one.verdict is Verdict.WITHDRAW
    }


@given(steps, st.sampled_from([ONE_READER, ALL, DOUBTS]))
def test_nothing_counts_while_something_is_asked(
    several: Sequence[tuple[Verdict, str | None, str, str, int]], readers: Readers
) -> None:
    desk = Desk(IN_ORDER, readers)
    work_through(desk, several)
    is_counted = desk.status() in {SheetStatus.CLEAN, SheetStatus.DECIDED}
    assert is_counted != bool(desk.asked() or desk.status() is SheetStatus.REFUSED)


@given(steps, st.sampled_from([ONE_READER, ALL, DOUBTS]))
def test_the_committee_can_always_settle_everything(
    several: Sequence[tuple[Verdict, str | None, str, str, int]], readers: Readers
) -> None:
    desk = Desk(IN_ORDER, readers)
    work_through(desk, several)
    for about, _stage in desk.asked():
        if about is None:
            desk.say(Verdict.ACCEPT, None, by="Chủ tịch", stage=Stage.COMMITTEE)
        else:
            desk.choose("o1", contest=about, by="Chủ tịch", stage=Stage.COMMITTEE)
    assert desk.asked() == []
