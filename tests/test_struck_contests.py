"""Names struck out and boxes blackened: the rules as tables, and how they go through a tally."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scanner.ballot import (
    ContestReading,
    ContestState,
    MarkState,
    Reason,
    SheetStatus,
    TargetMeasures,
    TargetReading,
)
from scanner.counting.adjudication import Decision, SheetRecord, Verdict, resolve
from scanner.counting.intake import read_sheet
from scanner.counting.sheets import SheetDraft
from scanner.counting.tally import add_up
from scanner.forms.template import Contest, Form, Option, Page, Rule
from scanner.reading.decide import decide_contest, decide_target
from scanner.reading.decide_words import has_other_ink, probability_of_words
from scanner.settings import Settings

Shape = Literal["box", "oval", "circle", "arrow", "cell", "label", "strike"]
NOTHING = TargetMeasures(0, 0, 0, 0, 0, 20, 0, 0.1, 1)
LEFT, DOUBT, STRUCK = MarkState.UNMARKED, MarkState.DOUBTFUL, MarkState.MARKED
share = st.floats(0, 1)
words = st.builds(
    TargetMeasures,
    inside=share,
    weight=share,
    outline=share,
    outside=share,
    label_mm=st.floats(0, 70),
    extent_mm=st.floats(2, 70),
    through=st.just(0.0),
    residual_mm=st.floats(0, 0.7),
    print_match=st.just(1.0),
)


def ballot(names: int, seats: int, shape: Shape = "strike") -> Contest:
    return Contest(
        id="q",
        max=seats,
        options=tuple(
            Option(id=f"o{n}", shape=shape, x=30, y=20 + 10 * n, w=40, h=5) for n in range(names)
        ),
    )


def form_of(contest: Contest, rule: Rule | None = None) -> Form:
    page = Page(number=1, blank="page-1.png", width_mm=210, height_mm=297)
    return Form(id="bau", pages=(page,), contests=(contest,), rule=rule or Rule())


def readings(*states: MarkState) -> list[TargetReading]:
    reasons = {DOUBT: (Reason.UNCLEAR_MARK,)}
    return [
        TargetReading("q", f"o{n}", state, 0.5, NOTHING, reasons.get(state, ()))
        for n, state in enumerate(states)
    ]


def decide(measures: TargetMeasures, shape: Shape) -> TargetReading:
    return decide_target("q", "o0", measures, covered=True, settings=Settings(), shape=shape)


@pytest.mark.parametrize(
    ("seats", "states", "state", "chosen", "reasons"),
    [
        (1, (STRUCK, LEFT, STRUCK), ContestState.VOTED, ("o1",), ()),
        (2, (STRUCK, LEFT, LEFT), ContestState.VOTED, ("o1", "o2"), ()),
        (2, (STRUCK, LEFT, STRUCK), ContestState.UNDERVOTE, ("o1",), (Reason.UNDERVOTE,)),
        (1, (STRUCK, LEFT, LEFT), ContestState.OVERVOTE, ("o1", "o2"), (Reason.OVERVOTE,)),
        (2, (STRUCK, STRUCK, STRUCK), ContestState.BLANK, (), (Reason.ALL_STRUCK,)),
        (
            2,
            (LEFT, LEFT, LEFT),
            ContestState.OVERVOTE,
            ("o0", "o1", "o2"),
            (Reason.OVERVOTE, Reason.NOTHING_STRUCK),
        ),
        (3, (LEFT, LEFT, LEFT), ContestState.VOTED, ("o0", "o1", "o2"), (Reason.NOTHING_STRUCK,)),
        (1, (STRUCK, LEFT, DOUBT), ContestState.IN_DOUBT, ("o1",), (Reason.UNCLEAR_MARK,)),
        (1, (STRUCK, STRUCK, DOUBT), ContestState.IN_DOUBT, (), (Reason.UNCLEAR_MARK,)),
        (
            1,
            (LEFT, LEFT, DOUBT),
            ContestState.IN_DOUBT,
            ("o0", "o1"),
            (Reason.UNCLEAR_MARK, Reason.OVERVOTE),
        ),
    ],
)
def test_the_names_that_are_left_are_chosen(
    seats: int,
    states: tuple[MarkState, ...],
    state: ContestState,
    chosen: tuple[str, ...],
    reasons: tuple[Reason, ...],
) -> None:
    found = decide_contest(ballot(3, seats), readings(*states), Rule())
    assert (found.state, found.marked, found.reasons) == (state, chosen, reasons)


@given(st.lists(st.sampled_from([LEFT, DOUBT, STRUCK]), min_size=1, max_size=7), st.integers(1, 7))
def test_no_name_counts_unless_it_is_surely_left_and_the_ballot_is_valid(
    states: list[MarkState], seats: int
) -> None:
    found = decide_contest(ballot(len(states), seats), readings(*states), Rule())
    left = tuple(f"o{n}" for n, state in enumerate(states) if state is LEFT)
    assert found.marked == left
    if DOUBT in states:
        assert found.state is ContestState.IN_DOUBT
    elif found.state in {ContestState.VOTED, ContestState.UNDERVOTE}:
        assert 1 <= len(left) <= seats
    else:
        assert not 1 <= len(left) <= seats


def test_a_form_may_put_ballots_on_which_nothing_is_struck_before_a_person() -> None:
    targets, contest = readings(LEFT, LEFT), ballot(2, 2)
    rule = Rule(review=("nothing_struck",))
    assert decide_contest(contest, targets, Rule()).state is ContestState.VOTED
    assert decide_contest(contest, targets, rule).state is ContestState.IN_DOUBT


def test_in_one_contest_all_names_are_struck_out_or_none() -> None:
    box = Option(id="box", x=10, y=10, w=4, h=4)
    name = Option(id="name", shape="strike", x=20, y=10, w=40, h=5)
    with pytest.raises(ValidationError, match="either all names are struck out or none"):
        Contest(id="q", options=(name, box))
    with pytest.raises(ValidationError, match="either all names are struck out or none"):
        Contest(id="q", options=(box, name))


def sheet(*states: MarkState, rule: Rule | None = None, seats: int = 1) -> SheetRecord:
    form = form_of(ballot(len(states), seats), rule)
    return read_sheet(SheetDraft((1,), "bau", ()), form, (), readings(*states), (1, 1))


def test_a_sheet_on_which_nothing_is_struck_is_blank_and_one_with_all_struck_is_not() -> None:
    assert Reason.BLANK_SHEET in sheet(LEFT, LEFT, seats=2).reasons
    assert Reason.BLANK_SHEET not in sheet(STRUCK, STRUCK).reasons
    assert Reason.BLANK_SHEET not in sheet(STRUCK, LEFT).reasons


def test_the_tally_counts_the_names_that_are_left_and_waits_for_spoilt_ballots() -> None:
    form = form_of(ballot(3, 1))
    ballots = [
        sheet(STRUCK, LEFT, STRUCK),
        sheet(STRUCK, LEFT, STRUCK),
        sheet(LEFT, STRUCK, STRUCK),
        sheet(STRUCK, STRUCK, STRUCK),
        sheet(LEFT, LEFT, LEFT),
    ]
    open_ = add_up([resolve(one, (), form) for one in ballots], [form])
    assert open_.forms[0].contests[0].options == {"o0": 1, "o1": 2, "o2": 0}
    assert (open_.clean, open_.in_doubt) == (3, 2)
    at = datetime(2025, 1, 1, tzinfo=UTC)
    accept = Decision(1, Verdict.ACCEPT, "Lan", "seen", at)
    final = add_up([resolve(one, (accept,), form) for one in ballots], [form])
    figures = final.forms[0].contests[0]
    assert figures.options == {"o0": 1, "o1": 2, "o2": 0}
    assert (figures.blank, figures.overvote, final.closes) == (1, 1, True)


def test_a_person_names_those_who_are_elected_not_those_who_are_struck_out() -> None:
    form = form_of(ballot(3, 1))
    record = sheet(STRUCK, LEFT, DOUBT)
    at = datetime(2025, 1, 1, tzinfo=UTC)
    made = Decision(1, Verdict.OPTIONS, "Lan", "o2 is struck out", at, "q", ("o1",))
    final = resolve(record, (made,), form)
    assert final.status is SheetStatus.DECIDED
    assert final.votes[0].options == ("o1",)
    assert final.votes[0].state is ContestState.VOTED


# One name, one label.


@pytest.mark.parametrize(
    ("shape", "inside", "state"),
    [
        ("strike", 0.0, LEFT),
        ("strike", 0.05, LEFT),
        ("strike", 0.2, DOUBT),
        ("strike", 0.5, DOUBT),
        ("strike", 0.7, DOUBT),
        ("strike", 0.85, STRUCK),
        ("strike", 1.0, STRUCK),
        ("label", 0.0, LEFT),
        ("label", 0.12, LEFT),
        ("label", 0.28, DOUBT),
        ("label", 0.5, DOUBT),
        ("label", 0.75, STRUCK),
        ("label", 1.0, STRUCK),
    ],
)
def test_a_part_of_a_name_struck_out_or_of_a_ring_is_a_doubt(
    shape: Shape, inside: float, state: MarkState
) -> None:
    assert decide(replace(NOTHING, inside=inside, weight=inside), shape).state is state


@pytest.mark.parametrize(
    ("shape", "measured"),
    [
        ("strike", {"outline": 0.9}),
        ("strike", {"outside": 0.1, "label_mm": 30.0}),
        ("label", {"outline": 0.4}),
        ("label", {"inside": 1.0, "weight": 1.0, "outline": 0.9}),
    ],
)
def test_ink_on_words_that_is_no_mark_of_their_kind_is_a_doubt(
    shape: Shape, measured: dict[str, float]
) -> None:
    """A line under a name or a ring around it, where names are struck out; a label struck out."""
    found = decide(replace(NOTHING, **measured), shape)
    assert found.state is DOUBT
    assert found.reasons == (Reason.INK_WITHOUT_MARK,)


@given(words, st.sampled_from(["strike", "label"]), share)
def test_more_of_a_stroke_never_makes_a_mark_less_likely(
    one: TargetMeasures, shape: Shape, more: float
) -> None:
    longer = replace(one, inside=max(one.inside, more))
    assert 0 < probability_of_words(one, shape) <= probability_of_words(longer, shape) < 1


@given(words, st.sampled_from(["strike", "label"]))
def test_faint_ink_alone_never_strikes_a_name_out_nor_is_it_overlooked(
    one: TargetMeasures, shape: Shape
) -> None:
    faint = replace(one, inside=0.0, outline=0.0)
    assert decide(faint, shape).state is not STRUCK
    if faint.weight > 0.3:
        assert decide(faint, shape).state is DOUBT


@given(words, st.sampled_from(["strike", "label"]))
def test_words_that_are_read_as_unmarked_bear_nothing_else(
    one: TargetMeasures, shape: Shape
) -> None:
    found = decide(one, shape)
    assert found.state is not LEFT or not has_other_ink(one, shape, marked=False)


def test_a_line_that_runs_on_across_the_page_strikes_nobody_out() -> None:
    """A fold, or dust on the scanner's glass."""
    assert decide(replace(NOTHING, inside=1.0, weight=1.0, through=1.0), "strike").state is DOUBT


# What a blackened box means.


def boxes(rule: Rule, *inside: float, seats: int = 1, shape: Shape = "box") -> ContestReading:
    contest = ballot(len(inside), seats, shape)
    targets = [
        decide_target(
            "q",
            f"o{n}",
            replace(NOTHING, inside=ink, weight=0.8 * ink, extent_mm=4),
            covered=True,
            settings=Settings(),
            shape=shape,
        )
        for n, ink in enumerate(inside)
    ]
    return decide_contest(contest, targets, rule)


NO_RULE, CANCELS = Rule(), Rule(cancel="fill-cancels")
NO, CROSS, DENSE, BLACK = 0.0, 0.35, 0.7, 0.95


@pytest.mark.parametrize(
    ("rule", "ink", "state", "is_correction"),
    [
        # Without a rule a filled box is a mark like any other.
        (NO_RULE, (BLACK, NO, NO), ContestState.VOTED, False),
        (NO_RULE, (BLACK, CROSS, NO), ContestState.OVERVOTE, False),
        (NO_RULE, (BLACK, BLACK, NO), ContestState.OVERVOTE, False),
        # With it a person decides wherever a box may be cancelled, by filling or by scribbling.
        (CANCELS, (CROSS, NO, NO), ContestState.VOTED, False),
        (CANCELS, (CROSS, CROSS, NO), ContestState.OVERVOTE, False),
        (CANCELS, (NO, NO, NO), ContestState.BLANK, False),
        (CANCELS, (BLACK, NO, NO), ContestState.IN_DOUBT, True),
        (CANCELS, (BLACK, CROSS, NO), ContestState.IN_DOUBT, True),
        (CANCELS, (DENSE, NO, NO), ContestState.IN_DOUBT, True),
        (CANCELS, (DENSE, CROSS, NO), ContestState.IN_DOUBT, True),
        (CANCELS, (BLACK, BLACK, CROSS), ContestState.IN_DOUBT, True),
    ],
)
def test_what_a_blackened_box_means(
    rule: Rule, ink: tuple[float, ...], state: ContestState, is_correction: bool
) -> None:
    found = boxes(rule, *ink)
    assert found.state is state
    assert (Reason.POSSIBLE_CORRECTION in found.reasons) == is_correction


@given(st.lists(share, min_size=1, max_size=5), st.integers(1, 5))
def test_a_heavily_filled_box_is_never_decided_without_a_person_where_filling_cancels(
    ink: list[float], seats: int
) -> None:
    found = boxes(CANCELS, *ink, seats=seats)
    if max(ink) >= DENSE:
        assert found.state is ContestState.IN_DOUBT


@pytest.mark.parametrize("rule", [NO_RULE, CANCELS])
@pytest.mark.parametrize(("struck", "is_asked"), [(0.0, False), (0.3, False), (0.8, True)])
def test_a_marked_box_whose_label_is_struck_out_goes_before_a_person(
    rule: Rule, struck: float, is_asked: bool
) -> None:
    marks = {"o0": CROSS, "o1": NO}
    targets = [
        decide_target(
            "q",
            name,
            replace(NOTHING, inside=ink, weight=0.8 * ink, extent_mm=4, label_struck=struck),
            covered=True,
            settings=Settings(),
            shape="box",
        )
        for name, ink in marks.items()
    ]
    found = decide_contest(ballot(2, 1, "box"), targets, rule)
    assert (found.state is ContestState.IN_DOUBT) == is_asked
    assert (Reason.POSSIBLE_CORRECTION in found.reasons) == is_asked


def test_the_older_word_for_the_rule_means_the_same() -> None:
    older = Rule.model_validate({"cancel": "filled"})
    assert older.fill_cancels
    assert boxes(older, BLACK, NO) == boxes(CANCELS, BLACK, NO)
    assert not Rule().fill_cancels


def test_words_are_circled_not_blackened() -> None:
    found = boxes(CANCELS, 1.0, NO, shape="label")
    assert found.state is ContestState.VOTED
