"""The words of the desk: times, readings and answers as a clerk reads them."""

from __future__ import annotations

import pytest

from scanner.ballot import MarkState, Reason, TargetMeasures, TargetReading
from scanner.counting.adjudication import Decision, Verdict
from scanner.counting.queue import Pile
from scanner.counting.results import now
from scanner.forms.template import Contest, Option, Rule
from scanner.review.desk_words import (
    answer_in_words,
    left_in_words,
    pile_name,
    reading_in_words,
    reasons_in_words,
    rule_in_words,
    time_in_words,
)

MEASURES = TargetMeasures(0.5, 0.3, 0.0, 0.0, 0.0, 3.0, 0.0, 0.1, 0.95)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "1 min"),
        (89, "1 min"),
        (600, "10 min"),
        (3600, "1 h"),
        (4 * 3600 + 600, "4 h 10 min"),
        (11 * 3600 + 2400, "12 h"),
    ],
)
def test_a_time_is_said_as_one_says_it(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words


def test_what_is_left_is_said_with_its_time_if_that_is_known() -> None:
    assert left_in_words(0, 5.0) == "Nothing is left here."
    assert left_in_words(1, None) == "1 doubt left"
    assert left_in_words(40, 200.0) == "40 doubts left, about 3 min at the present pace"


@pytest.mark.parametrize("probability", [0.0, 0.0004, 0.5, 0.9996, 1.0])
@pytest.mark.parametrize("state", MarkState)
def test_nothing_that_was_read_is_said_to_be_certain(state: MarkState, probability: float) -> None:
    reading = TargetReading("q1", "o1", state, probability, MEASURES)
    for is_struck in (False, True):
        words = reading_in_words(reading, is_struck=is_struck)
        assert "100" not in words
        assert " 0 %" not in words or state is not MarkState.DOUBTFUL


def test_how_sure_is_said_of_what_was_read() -> None:
    unmarked = TargetReading("q1", "o1", MarkState.UNMARKED, 0.04, MEASURES)
    assert reading_in_words(unmarked, is_struck=False) == "not marked, 96 % sure"
    assert reading_in_words(unmarked, is_struck=True) == "left, 96 % sure"
    unclear = TargetReading("q1", "o1", MarkState.DOUBTFUL, 0.43, MEASURES)
    assert reading_in_words(unclear, is_struck=False) == "unclear, 43 % likely marked"


def test_only_reasons_that_ask_for_a_person_are_told() -> None:
    reasons = (Reason.UNCLEAR_MARK, Reason.BLANK_CONTEST, Reason.SAME_PAPER)
    words = reasons_in_words(reasons, Rule(), doubles=[7])
    assert words == [
        "It is not clear whether this box is marked.",
        "The same paper seems to have been scanned twice.",
        "Compare it with 0007.",
    ]
    assert len(reasons_in_words([Reason.BLANK_CONTEST], Rule(review=("blank_contest",)))) == 1


def test_every_verdict_and_list_has_its_words() -> None:
    said = {
        answer_in_words(Decision(1, one, "Lan", "rõ", now(), "q1", ("o1",)), None)
        for one in Verdict
    }
    assert len(said) == len(Verdict)
    assert len({pile_name(pile) for pile in Pile}) == len(Pile)


def test_the_rule_of_a_contest_says_how_many_may_be_chosen() -> None:
    boxes = tuple(Option(id=f"o{n}", x=10, y=10 * n, w=4, h=4) for n in (1, 2, 3))
    assert rule_in_words(Contest(id="q1", options=boxes)) == "One answer."
    assert rule_in_words(Contest(id="q1", max=2, options=boxes)) == "2 answers at most, of 3."
    names = tuple(one.model_copy(update={"shape": "strike"}) for one in boxes)
    struck = rule_in_words(Contest(id="q1", max=2, options=names))
    assert struck == "Names are struck out; those that are left are chosen, 2 at most."
