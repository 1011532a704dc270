"""How figures become percentages, and what each way of rounding promises."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.counting.rules import (
    Denominator,
    Rounding,
    Satisfaction,
    ShareRule,
    answer_shares,
    describe_rule,
    index_of,
    number_text,
    percent_text,
    share,
    shares,
)
from scanner.messages import speaking

COUNTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=8)
DECIMALS = st.integers(0, 2)
WHOLE_PERCENT, TWO_DECIMALS = ShareRule(), ShareRule(decimals=2)


def texts(counts: list[int], whole: int, rule: ShareRule) -> list[str]:
    return [str(value) for value in shares(counts, whole, rule)]


@st.composite
def parts(draw: st.DrawFn) -> tuple[list[int], int]:
    """Figures of a whole, which may be more than their sum, or less."""
    counts = draw(COUNTS)
    return counts, draw(st.one_of(st.just(sum(counts)), st.integers(1, 10**10)))


def exact(count: int, whole: int) -> Fraction:
    return Fraction(100 * count, whole) if whole else Fraction(0)


def last_digit(rule: ShareRule) -> Fraction:
    return Fraction(1, 10**rule.decimals)


@given(parts(), DECIMALS)
def test_no_percentage_that_is_rounded_half_up_is_further_off_than_half_a_digit(
    figures: tuple[list[int], int], decimals: int
) -> None:
    counts, whole = figures
    rule = ShareRule(decimals=decimals)
    for count, value in zip(counts, shares(counts, whole, rule), strict=True):
        off = Fraction(value) - exact(count, whole)
        assert -last_digit(rule) / 2 < off <= last_digit(rule) / 2


@given(parts(), DECIMALS)
def test_no_percentage_that_is_cut_off_is_more_than_the_true_one(
    figures: tuple[list[int], int], decimals: int
) -> None:
    counts, whole = figures
    rule = ShareRule(decimals=decimals, rounding=Rounding.TRUNCATE)
    for count, value in zip(counts, shares(counts, whole, rule), strict=True):
        assert 0 <= exact(count, whole) - Fraction(value) < last_digit(rule)


@given(COUNTS, DECIMALS)
def test_the_largest_remainder_makes_a_whole_of_100(counts: list[int], decimals: int) -> None:
    rule = ShareRule(decimals=decimals, rounding=Rounding.LARGEST_REMAINDER)
    made = shares(counts, sum(counts), rule)
    assert sum(made) == (100 if sum(counts) else 0)


@given(parts(), DECIMALS)
def test_the_largest_remainder_is_fair(figures: tuple[list[int], int], decimals: int) -> None:
    counts, whole = figures
    rule = ShareRule(decimals=decimals, rounding=Rounding.LARGEST_REMAINDER)
    made = shares(counts, whole, rule)
    for count, value in zip(counts, made, strict=True):
        assert abs(Fraction(value) - exact(count, whole)) < last_digit(rule)
        assert count or not value
    in_order = sorted(zip(counts, made, strict=True))
    assert [value for _count, value in in_order] == sorted(made)
    plain = ShareRule(decimals=decimals)
    assert sum(made) == share(sum(counts), whole, plain)


@given(parts(), DECIMALS, st.sampled_from(Rounding))
def test_each_percentage_has_the_decimals_of_the_rule(
    figures: tuple[list[int], int], decimals: int, rounding: Rounding
) -> None:
    counts, whole = figures
    for value in shares(counts, whole, ShareRule(decimals=decimals, rounding=rounding)):
        assert isinstance(value, Decimal)
        assert value.as_tuple().exponent == -decimals


def test_the_three_ways_of_rounding_that_offices_publish() -> None:
    assert texts([23, 12, 3], 38, WHOLE_PERCENT) == ["61", "32", "8"]
    cut = ShareRule(decimals=2, rounding=Rounding.TRUNCATE)
    assert texts([1983, 2128, 104, 99], 4215, cut) == ["47.04", "50.48", "2.46", "2.34"]
    forced = ShareRule(rounding=Rounding.LARGEST_REMAINDER)
    assert texts([23, 12, 3], 38, forced) == ["60", "32", "8"]
    assert texts([305, 15, 0], 320, TWO_DECIMALS) == ["95.31", "4.69", "0.00"]


def test_a_half_goes_up_and_never_to_the_even_digit() -> None:
    assert texts([1, 3, 5], 200, WHOLE_PERCENT) == ["1", "2", "3"]


def test_of_equal_remainders_the_one_printed_first_is_served_first() -> None:
    forced = ShareRule(rounding=Rounding.LARGEST_REMAINDER)
    assert texts([1, 1, 1], 3, forced) == ["34", "33", "33"]


def test_the_share_of_nothing_is_nothing() -> None:
    assert texts([0, 0], 0, TWO_DECIMALS) == ["0.00", "0.00"]


@pytest.mark.parametrize("counts", [[-1], [3, -3]])
def test_a_figure_below_0_has_no_share(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="below 0"):
        shares(counts, 10, WHOLE_PERCENT)


@pytest.mark.parametrize(
    ("denominator", "members", "whole"),
    [
        (Denominator.RETURNED, None, 120),
        (Denominator.VALID, None, 118),
        (Denominator.ANSWERED, None, 114),
        (Denominator.MEMBERS, 500, 500),
    ],
)
def test_a_percentage_is_of_what_the_rule_says(
    denominator: Denominator, members: int | None, whole: int
) -> None:
    rule = ShareRule(denominator=denominator, members=members)
    assert rule.whole(returned=120, valid=118, answered=114) == whole


@pytest.mark.parametrize(
    ("denominator", "decimals", "members"),
    [
        (Denominator.VALID, 3, None),
        (Denominator.VALID, -1, None),
        (Denominator.MEMBERS, 0, None),
        (Denominator.MEMBERS, 0, 0),
        (Denominator.VALID, 0, 100),
    ],
)
def test_a_rule_that_says_nothing_sensible_is_refused(
    denominator: Denominator, decimals: int, members: int | None
) -> None:
    with pytest.raises(ValueError, match=r"decimals|member"):
        ShareRule(denominator, decimals, members=members)


UNITS = st.lists(
    st.integers(0, 10**6).flatmap(
        lambda answers: st.builds(Satisfaction, st.integers(0, answers), st.just(answers))
    ),
    min_size=1,
    max_size=12,
)


@given(UNITS, st.data())
def test_the_index_of_a_town_is_that_of_all_its_ballots(
    units: list[Satisfaction], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(units)))
    wards = [units[:cut], units[cut:]]
    added = [
        Satisfaction(sum(one.satisfied for one in ward), sum(one.answers for one in ward))
        for ward in wards
    ]
    assert index_of(added, TWO_DECIMALS) == index_of(units, TWO_DECIMALS)


def test_the_index_is_no_mean_of_percentages() -> None:
    wards = [Satisfaction(1, 1), Satisfaction(0, 99)]
    assert index_of(wards, TWO_DECIMALS) == Decimal("1.00")
    assert index_of([Satisfaction(35, 38)], TWO_DECIMALS) == Decimal("92.11")


def test_options_blanks_and_overvotes_are_rounded_as_parts_of_one_whole() -> None:
    forced = ShareRule(rounding=Rounding.LARGEST_REMAINDER)
    options, rest = answer_shares([1, 1], [1, 0], 3, forced, most=1)
    assert ([*map(str, options)], [*map(str, rest)]) == (["34", "33"], ["33", "0"])


def test_of_the_valid_answers_a_blank_is_no_part() -> None:
    answered = ShareRule(Denominator.ANSWERED, rounding=Rounding.LARGEST_REMAINDER)
    options, rest = answer_shares([1, 1, 1], [5, 2], 3, answered, most=1)
    assert ([*map(str, options)], rest) == (["34", "33", "33"], [None, None])


def test_options_of_which_several_may_be_chosen_are_rounded_each_by_itself() -> None:
    forced = ShareRule(rounding=Rounding.LARGEST_REMAINDER)
    options, rest = answer_shares([1, 1, 1], [0, 0], 3, forced, most=2)
    assert ([*map(str, options)], [*map(str, rest)]) == (["33", "33", "33"], ["0", "0"])


def test_figures_are_written_as_each_language_writes_them() -> None:
    assert percent_text(Decimal("95.31"), "vi") == "95,31 %"
    assert percent_text(Decimal("95.31"), "en-US") == "95.31 %"
    assert percent_text(Decimal(0), "vi") == "0 %"
    assert number_text(1348, "vi_VN.UTF-8") == "1.348"
    assert number_text(1348, "en") == "1,348"


def test_the_rule_is_told_in_words() -> None:
    members = ShareRule(Denominator.MEMBERS, 1, Rounding.TRUNCATE, 463)
    assert describe_rule(members) == (
        "Percentages are of all 463 members, cut off to 1 decimal. They need not add up to 100 %."
    )
    said = {
        describe_rule(ShareRule(denominator, decimals, rounding))
        for denominator in (Denominator.RETURNED, Denominator.VALID, Denominator.ANSWERED)
        for decimals in (0, 1, 2)
        for rounding in Rounding
    }
    assert len(said) == 27
    with speaking("vi"):
        assert describe_rule(ShareRule()) not in said
