"""Figures parted into groups, what a form asks too much of, and which answers are satisfied."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import ContestState, SheetStatus
from scanner.counting.breakdown import NO_GROUP, By, break_down, by_answer, by_batch
from scanner.counting.effort import measure_effort
from scanner.counting.reconcile import BatchFacts
from scanner.counting.rules import Satisfaction
from scanner.counting.satisfaction import index_parts, satisfaction_of, satisfied_options
from scanner.counting.tally import CastVote, CastVoteRecord, FormTally, Sums
from scanner.forms.template import Contest, Form, Option, Page

COLUMNS = ("o1", "o2", "o3")


def contest(name: str, *, breakdown: bool = False, most: int = 1, options: int = 3) -> Contest:
    made = tuple(Option(id=f"o{n}", x=10 * n, y=10, w=5, h=5) for n in range(1, options + 1))
    return Contest(id=name, max=most, breakdown=breakdown, options=made)


FORM = Form(
    id="f",
    pages=(Page(number=1, blank="page-1.png", width_mm=210, height_mm=297),),
    contests=(
        contest("field", breakdown=True, most=3),
        contest("a"),
        contest("b"),
        contest("c"),
        contest("d", options=2),
    ),
)
FIELD = FORM.contests[0]


def sheet(number: int, **chosen: str) -> CastVoteRecord:
    """A clean sheet: options by contest, ``""`` for a blank, ``"?"`` for an overvote."""
    votes = []
    for one in FORM.contests:
        options = tuple(chosen.get(one.id, "").split())
        if options == ("?",):
            votes.append(CastVote(one.id, ContestState.OVERVOTE))
        else:
            full = ContestState.VOTED if len(options) == one.max else ContestState.UNDERVOTE
            votes.append(CastVote(one.id, full if options else ContestState.BLANK, options))
    return CastVoteRecord(number, "f", SheetStatus.CLEAN, tuple(votes))


ANSWER = st.sampled_from(["", "?", *COLUMNS])
SHEETS = st.lists(st.fixed_dictionaries({"a": ANSWER, "b": ANSWER, "c": ANSWER}), max_size=30).map(
    lambda rows: [sheet(number, **row) for number, row in enumerate(rows)]
)


def total(records: list[CastVoteRecord]) -> FormTally:
    sums = Sums()
    for record in records:
        sums.add(record)
    return sums.tally([FORM]).forms[0]


def figures(tallies: list[FormTally]) -> list[list[int]]:
    """The figures of each contest, added up over some tallies."""
    return [
        [
            sum(values)
            for values in zip(
                *(
                    [
                        *sums.contests[place].options.values(),
                        sums.contests[place].blank,
                        sums.contests[place].overvote,
                        sums.contests[place].undervotes,
                        sums.contests[place].counted,
                    ]
                    for sums in tallies
                ),
                strict=True,
            )
        ]
        for place in range(len(FORM.contests))
    ]


@given(SHEETS, st.data())
def test_any_split_into_batches_has_the_sums_of_the_whole(
    records: list[CastVoteRecord], data: st.DataObject
) -> None:
    batches = {record.sheet: data.draw(st.integers(1, 4)) for record in records}
    in_some_order = data.draw(st.permutations(records))
    groups = break_down(in_some_order, FORM, by_batch(batches, {}))
    assert sum(sums.counted for sums in groups.values()) == len(records)
    assert not records or figures(list(groups.values())) == figures([total(records)])
    assert all(one.closes for sums in groups.values() for one in sums.contests)


def test_batches_of_one_channel_are_one_group() -> None:
    records = [sheet(number, a="o1") for number in range(1, 5)]
    batches = {1: 1, 2: 2, 3: 3, 4: 10}
    facts = {
        1: BatchFacts(channel="post", day="2026-03-30"),
        2: BatchFacts(channel="box", day="2026-03-31"),
        3: BatchFacts(channel="post", day="2026-03-31"),
    }
    channels = break_down(records, FORM, by_batch(batches, facts, By.CHANNEL))
    assert {name: sums.counted for name, sums in channels.items()} == {
        "box": 1,
        "post": 2,
        NO_GROUP: 1,
    }
    days = break_down(records, FORM, by_batch(batches, facts, By.DAY))
    assert list(days) == ["2026-03-30", "2026-03-31", NO_GROUP]
    assert list(break_down(records, FORM, by_batch(batches, facts))) == ["1", "2", "3", "10"]


def test_a_sheet_of_two_fields_is_in_both_and_one_of_none_in_its_own_group() -> None:
    records = [sheet(1, field="o1 o3", a="o1"), sheet(2, field="o1", a="o2"), sheet(3, a="o3")]
    groups = break_down(records, FORM, by_answer(FIELD))
    assert {name: sums.counted for name, sums in groups.items()} == {"o1": 2, "o3": 1, NO_GROUP: 1}
    assert groups["o1"].contests[1].options == {"o1": 1, "o2": 1, "o3": 0}


def test_sheets_of_other_forms_are_in_no_group() -> None:
    other = CastVoteRecord(1, "other", SheetStatus.CLEAN, ())
    assert break_down([other], FORM, by_batch({1: 1}, {})) == {}


def test_one_column_throughout_is_seen_and_blanks_are_no_column() -> None:
    records = [
        sheet(1, a="o1", b="o1", c="o1", d="o2"),
        sheet(2, a="o2", b="o2", c="o3", d="o1"),
        sheet(3, a="o3", b="o3"),
        sheet(4, a="?", b="o1", c="o1"),
    ]
    effort = measure_effort(records, FORM)
    assert (effort.sheets, effort.asked, effort.complete, effort.lined_up) == (4, 3, 2, 1)
    told = [(one.contest, one.blank, one.follows, one.repeats) for one in effort.questions]
    assert told == [("a", 0, 0, 0), ("b", 0, 3, 3), ("c", 1, 3, 2), ("d", 2, 0, 0)]
    assert (effort.blank_first, effort.blank_last) == (0, 3)


def test_of_two_questions_nobody_is_said_to_mark_one_column_throughout() -> None:
    short = FORM.model_copy(update={"contests": FORM.contests[:3]})
    effort = measure_effort([sheet(1, a="o1", b="o1")], short)
    assert (effort.asked, effort.complete, effort.lined_up) == (0, 0, 0)


def test_a_question_is_on_satisfaction_if_all_its_answers_are() -> None:
    three = {"1": "Rất hài lòng", "2": "HÀI  LÒNG", "3": "Không hài lòng"}
    assert satisfied_options(three) == {"1", "2"}
    decomposed = {option: unicodedata.normalize("NFD", label) for option, label in three.items()}
    assert satisfied_options(decomposed) == {"1", "2"}
    for other in ({"1": "Đúng hẹn", "2": "Hài lòng"}, {"1": "Hài lòng"}, {"1": "Bình thường"}):
        assert satisfied_options(other) == frozenset()
    votes = {"1": 6, "2": 29, "3": 3}
    assert satisfaction_of(votes, three) == Satisfaction(35, 38)
    assert index_parts([(votes, three), ({"1": 5}, {"1": "Có"})]) == [Satisfaction(35, 38)]
