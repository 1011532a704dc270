"""The rules of a contest, as tables and as properties: no image is seen here."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import ContestState, MarkState, Reason, TargetMeasures, TargetReading
from scanner.forms.template import Contest, Option, Rule
from scanner.reading.decide import (
    decide_contest,
    decide_target,
    needs_review,
    probability_of_mark,
)
from scanner.settings import Settings

SETTINGS = Settings()
CLEAN = TargetMeasures(
    inside=0.0,
    weight=0.0,
    outline=0.0,
    outside=0.0,
    label_mm=0.0,
    extent_mm=3.0,
    through=0.0,
    residual_mm=0.1,
    print_match=0.97,
)
share = st.floats(0, 1)
measures = st.builds(
    TargetMeasures,
    inside=share,
    weight=share,
    outline=share,
    outside=share,
    label_mm=st.floats(0, 70),
    extent_mm=st.floats(0, 30),
    through=st.sampled_from([0.0, 1.0]),
    residual_mm=st.floats(0, 3),
    print_match=share,
)
rules = st.builds(
    Rule,
    cancel=st.sampled_from(["none", "filled"]),
    review=st.lists(
        st.sampled_from(["undervote", "blank_contest", "blank_sheet"]), unique=True
    ).map(tuple),
)


def contest_of(options: int, choose: int = 1) -> Contest:
    return Contest(
        id="q",
        max=choose,
        options=tuple(Option(id=f"o{n}", x=10, y=10 * n, w=4, h=4) for n in range(options)),
    )


def decide(option: str, measured: TargetMeasures, *, covered: bool = True) -> TargetReading:
    return decide_target("q", option, measured, covered=covered, settings=SETTINGS, shape="box")


def inked(inside: float, **others: float) -> TargetMeasures:
    return replace(CLEAN, inside=inside, weight=inside * 0.8, **others)


def readings(*inside: float, **others: float) -> list[TargetReading]:
    """Targets o0, o1, … with so much ink inside; the other measures for all of them."""
    return [decide(f"o{n}", inked(ink, **others)) for n, ink in enumerate(inside)]


# One target.


@pytest.mark.parametrize(
    ("inside", "state"),
    [
        (0.0, MarkState.UNMARKED),
        (0.01, MarkState.UNMARKED),
        (0.03, MarkState.UNMARKED),
        (0.085, MarkState.DOUBTFUL),
        (0.25, MarkState.MARKED),
        (0.5, MarkState.MARKED),
        (1.0, MarkState.MARKED),
    ],
)
def test_three_states_by_the_ink_inside_the_outline(inside: float, state: MarkState) -> None:
    reading = decide("o0", inked(inside))
    assert reading.state is state
    assert reading.reasons == ((Reason.UNCLEAR_MARK,) if state is MarkState.DOUBTFUL else ())


def test_ink_that_lies_mostly_around_a_box_is_no_sure_mark_of_it() -> None:
    for outside, state in ((0.1, MarkState.MARKED), (0.15, MarkState.DOUBTFUL)):
        assert decide("o0", inked(0.3, outside=outside)).state is state


def test_dots_all_over_one_box_more_are_a_doubt_and_dots_inside_alone_are_not() -> None:
    for around, state in ((0.007, ContestState.IN_DOUBT), (0.0, ContestState.VOTED)):
        dots = decide("o0", inked(0.008, extent_mm=0.3, outline=around, outside=around))
        result = decide_contest(contest_of(2), [dots, decide("o1", inked(YES))], Rule())
        assert result.state is state


def test_more_shade_than_strokes_is_no_sure_mark_but_long_strokes_are() -> None:
    for weight, stroke_mm, state in (
        (0.25, 0.0, MarkState.MARKED),
        (0.32, 0.0, MarkState.DOUBTFUL),
        (0.32, 2.5, MarkState.MARKED),
    ):
        ink = replace(CLEAN, inside=0.3, weight=weight, stroke_mm=stroke_mm)
        assert decide("o0", ink).state is state


@given(measures, share)
def test_more_ink_that_is_no_paler_never_makes_a_mark_less_likely(
    one: TargetMeasures, inside: float
) -> None:
    covered = max(one.inside, inside)
    more = replace(one, inside=covered, weight=max(one.weight, covered))
    assert 0.0 <= probability_of_mark(one) <= probability_of_mark(more) <= 1.0


def test_a_probability_lies_strictly_between_no_ink_and_much_ink() -> None:
    none, some, much = (probability_of_mark(inked(ink)) for ink in (0.0, 0.085, 0.6))
    assert none < 0.01 < some < 0.99 < much


def test_a_light_pencil_mark_with_little_dark_ink_is_not_overlooked() -> None:
    light = replace(CLEAN, inside=0.02, weight=0.12)
    assert decide("o0", light).state is not MarkState.UNMARKED


@given(measures)
def test_ink_outside_the_outline_is_never_a_mark(one: TargetMeasures) -> None:
    empty = replace(one, inside=0.0, weight=0.0)
    assert decide("o0", empty).state is not MarkState.MARKED


@given(share)
def test_shade_without_a_stroke_is_never_a_mark(weight: float) -> None:
    """What shows through from the other side has no stroke, however dark it is."""
    assert decide("o0", replace(CLEAN, weight=weight)).state is not MarkState.MARKED


@pytest.mark.parametrize(
    ("inside", "through", "state"),
    [
        (0.16, 0.0, MarkState.MARKED),
        (0.16, 1.0, MarkState.DOUBTFUL),
        (0.45, 1.0, MarkState.DOUBTFUL),
        (0.45, 0.0, MarkState.MARKED),
        (0.0, 1.0, MarkState.UNMARKED),
    ],
)
def test_one_line_right_through_a_box_is_a_doubt_unless_it_misses_the_inside(
    inside: float, through: float, state: MarkState
) -> None:
    one = replace(CLEAN, inside=inside, weight=inside, through=through)
    assert decide("o0", one).state is state


@given(measures, st.booleans())
def test_a_doubtful_target_has_a_reason_and_a_clear_one_has_none(
    one: TargetMeasures, covered: bool
) -> None:
    reading = decide("o0", one, covered=covered)
    assert (reading.state is MarkState.DOUBTFUL) == bool(reading.reasons)
    assert reading.target == "q/o0"
    assert reading.measures is one


@given(measures)
def test_where_the_print_is_not_the_forms_nothing_is_read(one: TargetMeasures) -> None:
    other = replace(one, print_match=SETTINGS.min_print_match - 0.01)
    reading = decide("o0", other)
    assert reading.state is MarkState.DOUBTFUL
    assert Reason.PRINT_MISMATCH in reading.reasons


@given(measures)
def test_where_the_print_lies_too_far_away_nothing_is_read(one: TargetMeasures) -> None:
    reading = decide("o0", replace(one, residual_mm=SETTINGS.max_residual_mm + 0.01))
    assert reading.state is MarkState.DOUBTFUL
    assert Reason.MISALIGNED in reading.reasons


@given(measures)
def test_where_the_scan_has_no_paper_nothing_is_read(one: TargetMeasures) -> None:
    reading = decide("o0", one, covered=False)
    assert reading.state is MarkState.DOUBTFUL
    assert Reason.OUTSIDE_SCAN in reading.reasons


@given(st.floats(0.5, 0.999), st.floats(0.001, 0.5), share)
def test_thresholds_come_from_the_settings(high: float, low: float, inside: float) -> None:
    settings = Settings(clearly_marked=high, clearly_unmarked=low)
    one = inked(inside)
    probability = probability_of_mark(one)
    state = decide_target("q", "o0", one, covered=True, settings=settings, shape="box").state
    if low < probability < high:
        assert state is MarkState.DOUBTFUL
    else:
        assert state is (MarkState.MARKED if probability >= 0.5 else MarkState.UNMARKED)


# One contest.

NO, MAYBE, YES = 0.0, 0.085, 0.4


@pytest.mark.parametrize(
    ("choose", "ink", "state", "marked", "reasons"),
    [
        (1, (NO, YES, NO), ContestState.VOTED, ("o1",), ()),
        (1, (NO, NO, NO), ContestState.BLANK, (), (Reason.BLANK_CONTEST,)),
        (1, (YES, YES, NO), ContestState.OVERVOTE, ("o0", "o1"), (Reason.OVERVOTE,)),
        (1, (YES, YES, YES), ContestState.OVERVOTE, ("o0", "o1", "o2"), (Reason.OVERVOTE,)),
        (1, (YES, MAYBE, NO), ContestState.IN_DOUBT, ("o0",), (Reason.UNCLEAR_MARK,)),
        (2, (YES, NO, YES), ContestState.VOTED, ("o0", "o2"), ()),
        (2, (YES, NO, NO), ContestState.UNDERVOTE, ("o0",), (Reason.UNDERVOTE,)),
        (2, (NO, NO, NO), ContestState.BLANK, (), (Reason.BLANK_CONTEST,)),
        (2, (YES, YES, YES), ContestState.OVERVOTE, ("o0", "o1", "o2"), (Reason.OVERVOTE,)),
        (3, (YES, YES, YES), ContestState.VOTED, ("o0", "o1", "o2"), ()),
    ],
)
def test_what_the_marks_of_a_contest_amount_to(
    choose: int,
    ink: tuple[float, ...],
    state: ContestState,
    marked: tuple[str, ...],
    reasons: tuple[Reason, ...],
) -> None:
    result = decide_contest(contest_of(3, choose), readings(*ink), Rule())
    assert (result.contest, result.state, result.marked, result.reasons) == (
        "q",
        state,
        marked,
        reasons,
    )


@given(st.lists(measures, min_size=1, max_size=6), st.integers(1, 6), rules)
def test_no_option_counts_as_marked_while_it_is_doubtful(
    many: list[TargetMeasures], choose: int, rule: Rule
) -> None:
    targets = [decide(f"o{n}", one) for n, one in enumerate(many)]
    result = decide_contest(contest_of(len(many), choose), targets, rule)
    states = {target.option: target.state for target in targets}
    assert all(states[option] is MarkState.MARKED for option in result.marked)
    if MarkState.DOUBTFUL in states.values():
        assert result.state is ContestState.IN_DOUBT


@given(st.lists(measures, min_size=1, max_size=6), st.integers(1, 6), rules)
def test_the_state_follows_from_the_marks_and_the_limit(
    many: list[TargetMeasures], choose: int, rule: Rule
) -> None:
    targets = [decide(f"o{n}", one) for n, one in enumerate(many)]
    result = decide_contest(contest_of(len(many), choose), targets, rule)
    count = len(result.marked)
    match result.state:
        case ContestState.VOTED:
            assert count == choose
        case ContestState.UNDERVOTE:
            assert 0 < count < choose
        case ContestState.BLANK:
            assert count == 0
        case ContestState.OVERVOTE:
            assert count > choose
        case ContestState.IN_DOUBT:
            assert needs_review(result.reasons, rule)
    if result.state not in (ContestState.IN_DOUBT, ContestState.OVERVOTE):
        assert not needs_review(result.reasons, rule)


@given(st.lists(measures, min_size=1, max_size=6), st.integers(1, 6), rules)
def test_every_reason_of_a_target_is_kept_with_its_contest(
    many: list[TargetMeasures], choose: int, rule: Rule
) -> None:
    targets = [decide(f"o{n}", one) for n, one in enumerate(many)]
    result = decide_contest(contest_of(len(many), choose), targets, rule)
    assert {reason for target in targets for reason in target.reasons} <= set(result.reasons)
    assert len(set(result.reasons)) == len(result.reasons)


def test_the_options_of_a_missing_page_put_the_contest_in_doubt() -> None:
    result = decide_contest(contest_of(3), readings(YES, NO), Rule())
    assert result.state is ContestState.IN_DOUBT
    assert Reason.PAGE_MISSING in result.reasons


def test_ink_beside_a_box_is_a_doubt_only_where_nothing_is_marked() -> None:
    blank = decide_contest(contest_of(2), readings(NO, NO, outside=0.1), Rule())
    voted = decide_contest(contest_of(2), readings(NO, YES, outside=0.1), Rule())
    assert Reason.MARK_BESIDE_BOX in blank.reasons
    assert blank.state is ContestState.IN_DOUBT
    assert voted.state is ContestState.VOTED


def test_a_mark_on_the_outline_of_one_box_too_many_is_a_doubt() -> None:
    result = decide_contest(contest_of(2), readings(NO, YES, outline=0.04), Rule())
    assert result.state is ContestState.IN_DOUBT
    assert Reason.MARK_BESIDE_BOX in result.reasons


def test_a_mark_half_on_the_outline_and_half_inside_of_one_box_too_many_is_a_doubt() -> None:
    for outline, state in ((0.02, ContestState.IN_DOUBT), (0.0, ContestState.VOTED)):
        half = decide("o0", inked(0.02, extent_mm=0.9, outline=outline))
        result = decide_contest(contest_of(2), [half, decide("o1", inked(YES))], Rule())
        assert result.state is state


@pytest.mark.parametrize("other", [NO, YES])
def test_a_thin_line_inside_is_a_doubt_unless_it_is_the_tail_of_a_mark(other: float) -> None:
    for length_mm, through, is_doubt in ((3.0, 0.0, True), (1.5, 0.0, False), (3.0, 1.0, False)):
        line = decide("o0", inked(0.012, extent_mm=length_mm, through=through))
        result = decide_contest(contest_of(2), [line, decide("o1", inked(other))], Rule())
        assert (result.state is ContestState.IN_DOUBT) is is_doubt


@pytest.mark.parametrize("size_mm", [0.3, 0.5, 1.0])
def test_ink_in_a_box_of_a_contest_that_was_left_out_is_a_doubt_however_small_its_pieces(
    size_mm: float,
) -> None:
    """Of a mark on the outline, whose print hides it, no more than its ends may be seen."""
    result = decide_contest(contest_of(2), readings(0.02, NO, extent_mm=size_mm), Rule())
    assert result.state is ContestState.IN_DOUBT


def test_a_circled_label_is_a_doubt_only_where_nothing_is_marked() -> None:
    blank = decide_contest(contest_of(2), readings(NO, NO, label_mm=12.0), Rule())
    voted = decide_contest(contest_of(2), readings(NO, YES, label_mm=12.0), Rule())
    assert Reason.INK_WITHOUT_MARK in blank.reasons
    assert blank.state is ContestState.IN_DOUBT
    assert voted.state is ContestState.VOTED


def test_a_filled_box_is_never_silently_cancelled() -> None:
    filled, crossed = readings(0.95, 0.35)
    for targets in ([filled, decide("o1", CLEAN)], [filled, crossed]):
        result = decide_contest(contest_of(2), targets, Rule(cancel="filled"))
        assert result.state is ContestState.IN_DOUBT
        assert Reason.POSSIBLE_CORRECTION in result.reasons
        assert "o0" in result.marked


def test_a_filled_box_is_an_ordinary_mark_where_the_form_has_no_such_rule() -> None:
    result = decide_contest(contest_of(2), readings(0.95, NO), Rule(cancel="none"))
    assert result.state is ContestState.VOTED
    assert result.reasons == ()


@pytest.mark.parametrize(
    ("review", "ink", "choose"),
    [("undervote", (YES, NO, NO), 2), ("blank_contest", (NO, NO, NO), 1)],
)
def test_a_form_may_ask_for_a_person_where_others_do_not(
    review: str, ink: tuple[float, ...], choose: int
) -> None:
    contest = contest_of(3, choose)
    strict = Rule.model_validate({"review": [review]})
    assert decide_contest(contest, readings(*ink), strict).state is ContestState.IN_DOUBT
    assert decide_contest(contest, readings(*ink), Rule()).state is not ContestState.IN_DOUBT


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_asks_for_a_person_but_those_ignored_by_default(reason: Reason) -> None:
    ignored = {
        *(Reason.UNDERVOTE, Reason.BLANK_CONTEST, Reason.BLANK_SHEET),
        Reason.NOTHING_STRUCK,
    }
    assert needs_review([reason], Rule()) == (reason not in ignored)
    strict = Rule(review=("undervote", "blank_contest", "blank_sheet", "nothing_struck"))
    assert needs_review([reason], strict)


def test_nothing_to_report_needs_no_person() -> None:
    assert not needs_review([], Rule(review=("undervote", "blank_contest", "blank_sheet")))
