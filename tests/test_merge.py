"""Many units become one: what is added, what is left out, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.counting.form_map import FormMapping
from scanner.counting.merge import RollUp, merge
from scanner.counting.notices import NoticeKind
from scanner.counting.rules import Denominator, ShareRule
from scanner.counting.tally import Gap
from scanner.counting.tally_file import TallyFile, TallyOption, TallyOverride
from scanner.counting.unit_tree import UnitTree
from scanner.counting.weighing import weighted_shares
from scanner.errors import BadArgumentsError, TallyMismatchError
from tests.mailed_tallies import AT, Ballot, change_form, count, filed, mail

TREE = UnitTree.model_validate(
    {
        "quota": 10,
        "periods": [
            {"id": "2026-Q1", "due": "2026-03-20"},
            {"id": "2026-Q2", "due": "2026-06-20"},
        ],
        "unit": {
            "id": "province",
            "name": "Province",
            "units": [
                {
                    "id": "north",
                    "name": "North",
                    "own_tally": True,
                    "quota": 5,
                    "units": [{"id": "n1", "name": "N1"}, {"id": "n2", "name": "N2"}],
                },
                {"id": "south", "name": "South", "units": [{"id": "s1", "name": "S1"}]},
            ],
        },
    }
)
UNITS = ("north", "n1", "n2", "s1")
QUARTERS = ("2026-Q1", "2026-Q2")
A, B, C = Ballot((0,), (0, 1), 0), Ballot((1,), (2,), 1), Ballot((), (0, 1, 2))


def add(*tallies: TallyFile, tree: UnitTree = TREE, **more: Any) -> RollUp:
    return merge(tallies, tree, at=AT, **more)


def total_of(result: RollUp) -> TallyFile:
    assert result.total is not None
    return result.total


def figures(tally: TallyFile) -> tuple[object, ...]:
    """All that a tally counts, without where it came from."""
    sums = {one.sha256 for one in tally.sources} & {one.within for one in tally.sources}
    leaves = {one.sha256 for one in tally.sources} - sums
    return (
        tally.sheets, tally.forms, tally.gaps, tally.breakdowns, tally.decisions, tally.rule,
        tally.created_at, leaves,
    )  # fmt: skip


def kinds(result: RollUp) -> list[NoticeKind]:
    return [notice.kind for notice in result.notices]


def choices(most: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(0, 2), max_size=most).map(lambda one: tuple(sorted(one)))


ballots = st.builds(Ballot, choices(2), choices(3), st.sampled_from((None, 0, 1)))
piles = st.lists(st.tuples(st.sampled_from(UNITS), st.sampled_from(QUARTERS), ballots), min_size=1)


def split(pile: Sequence[tuple[str, str, Ballot]]) -> list[TallyFile]:
    """A tally for each unit and quarter that has a ballot."""
    places = dict.fromkeys((unit, quarter) for unit, quarter, _ballot in pile)
    return [
        count(unit, quarter, [one for name, when, one in pile if (name, when) == (unit, quarter)])
        for unit, quarter in places
    ]


@settings(max_examples=60, deadline=None)
@given(piles, st.randoms())
def test_any_split_into_units_gives_the_sums_of_one_pile(
    pile: list[tuple[str, str, Ballot]], random: Any
) -> None:
    whole = count("x", "2026", [one for _unit, _quarter, one in pile])
    tallies = split(pile)
    random.shuffle(tallies)
    total = total_of(add(*tallies, period="2026"))
    assert total.forms == whole.forms
    assert total.sheets == whole.sheets
    by_field = [one for one in total.breakdowns if one.by == "contest:field"]
    assert by_field == [*whole.breakdowns]


@settings(max_examples=60, deadline=None)
@given(piles, st.randoms())
def test_any_order_of_merging_gives_the_same_tally(
    pile: list[tuple[str, str, Ballot]], random: Any
) -> None:
    tallies = split(pile)
    first = total_of(add(*tallies, period="2026"))
    random.shuffle(tallies)
    assert total_of(add(*tallies, period="2026")) == first


@settings(max_examples=60, deadline=None)
@given(piles)
def test_merging_merges_equals_merging_all(pile: list[tuple[str, str, Ballot]]) -> None:
    tallies = split(pile)
    at_once = total_of(add(*tallies, period="2026"))
    north = [
        one for one in tallies if one.unit is not None and one.unit.id in {"north", "n1", "n2"}
    ]
    quarters = [[one for one in north if one.period == quarter] for quarter in QUARTERS]
    town = TREE.find("north")
    assert town is not None
    of_town = TREE.model_copy(update={"unit": town})
    sums = [
        filed(total_of(add(*own, tree=of_town, period=quarter)), f"north-{quarter}.json")
        for quarter, own in zip(QUARTERS, quarters, strict=True)
        if own
    ]
    others = [one for one in tallies if one not in north]
    assert figures(total_of(add(*sums, *others, period="2026"))) == figures(at_once)


@settings(max_examples=30, deadline=None)
@given(piles)
def test_the_groups_by_unit_and_by_period_add_up_to_the_whole(
    pile: list[tuple[str, str, Ballot]],
) -> None:
    total = total_of(add(*split(pile), period="2026"))
    for by in ("unit", "period"):
        (breakdown,) = [one for one in total.breakdowns if one.by == by]
        assert sum(group.valid for group in breakdown.groups) == total.sheets.valid
        for number, contest in enumerate(total.forms[0].contests):
            parts = [group.contests[number] for group in breakdown.groups if group.contests]
            assert sum(one.blank for one in parts) == contest.blank
            assert sum(one.options[0].votes for one in parts) == contest.options[0].votes


def test_every_level_has_its_own_sum() -> None:
    result = add(
        count("north", "2026-Q1", [A]), count("n1", "2026-Q1", [A, B]), count("s1", "2026-Q1", [C])
    )
    north, south = result.parts
    assert result.period.id == "2026-Q1"
    assert [total_of(one).sheets.valid for one in (result, north, south)] == [4, 3, 1]
    assert north.parts[1].total is None


def test_a_merged_tally_is_a_tally_file_that_can_be_merged_again(tmp_path: Path) -> None:
    wards = [
        mail(count(unit, "2026-Q1", [A, B]), tmp_path, f"{unit}.json") for unit in ("n1", "n2")
    ]
    town = TREE.find("north")
    assert town is not None
    sum_ = total_of(add(*wards, tree=TREE.model_copy(update={"unit": town})))
    north = mail(sum_, tmp_path, "north.json")
    assert north == sum_
    total = total_of(add(north, mail(count("s1", "2026-Q1", [C]), tmp_path, "s1.json")))
    province = mail(total, tmp_path, "province.json")
    assert province.sheets.valid == 5
    chain = {source.sha256: source.within for source in province.sources}
    assert chain[wards[0].sha256] == chain[wards[1].sha256] == north.sha256
    assert chain[north.sha256] == ""


def test_every_file_behind_a_sum_is_named_with_its_hash() -> None:
    tallies = [count(unit, "2026-Q1", [A]) for unit in UNITS]
    total = total_of(add(*tallies))
    assert {one.sha256 for one in total.sources} == {one.sha256 for one in tallies}
    assert [one.unit.id for one in total.sources] == ["north", "n1", "n2", "s1"]


def test_the_same_file_twice_is_added_once_with_a_notice() -> None:
    tally = count("n1", "2026-Q1", [A, B])
    result = add(tally, replace(tally, file="copy.json"))
    assert total_of(result).sheets.valid == 2
    (notice,) = result.notices
    assert (notice.kind, notice.file, notice.other) == (
        NoticeKind.SAME_FILE, "copy.json", "n1-2026-Q1.json",
    )  # fmt: skip


def test_a_file_that_a_sum_has_in_it_is_added_once_with_a_notice() -> None:
    ward = count("n1", "2026-Q1", [A, B])
    north = filed(total_of(add(ward, count("n2", "2026-Q1", [C]))), "sum.json")
    north = replace(north, unit=count("north", "2026-Q1", []).unit)
    result = add(ward, north)
    assert total_of(result).sheets.valid == 3
    assert kinds(result) == [NoticeKind.WITHIN]


def test_two_different_files_for_one_unit_and_period_are_refused_naming_both() -> None:
    one, other = count("n1", "2026-Q1", [A]), count("n1", "2026-Q1", [B])
    with pytest.raises(TallyMismatchError) as caught:
        add(replace(one, file="a.json"), replace(other, file="b.json"))
    assert "a.json" in caught.value.message
    assert "b.json" in caught.value.message
    assert one.sha256[:12] in caught.value.message
    assert other.sha256[:12] in caught.value.message


def test_a_year_beside_one_of_its_quarters_is_refused() -> None:
    with pytest.raises(TallyMismatchError, match="same unit and period"):
        add(count("n1", "2026", [A]), count("n1", "2026-Q2", [B]))


def test_two_sums_that_share_a_ward_are_refused() -> None:
    n1, n2, s1 = (count(unit, "2026-Q1", [A]) for unit in ("n1", "n2", "s1"))
    first = filed(total_of(add(n1, n2)), "first.json")
    second = filed(total_of(add(n1, s1)), "second.json")
    with pytest.raises(TallyMismatchError, match=r"first\.json.*second\.json|second.*first"):
        add(first, second)


def test_a_total_that_is_not_parted_and_one_of_its_wards_are_refused() -> None:
    with pytest.raises(TallyMismatchError, match="same unit and period"):
        add(count("south", "2026-Q1", [A]), count("s1", "2026-Q1", [B]))


def test_two_sums_of_the_same_files_with_different_figures_are_refused() -> None:
    honest = total_of(add(count("n1", "2026-Q1", [A]), count("n2", "2026-Q1", [B])))
    sheets = replace(honest.sheets, void=1, clean=3)
    with pytest.raises(TallyMismatchError, match="same unit and period"):
        add(filed(honest, "a.json"), filed(replace(honest, sheets=sheets), "b.json"))


def test_a_unit_that_the_tree_does_not_have_is_refused() -> None:
    with pytest.raises(TallyMismatchError, match=r"west.*not in the tree"):
        add(count("west", "2026-Q1", [A]))


def test_a_tally_that_does_not_say_whose_it_is_is_refused() -> None:
    with pytest.raises(TallyMismatchError, match="does not say"):
        add(replace(count("n1", "2026-Q1", [A]), unit=None))


def test_a_tally_of_another_period_is_left_out_with_a_notice() -> None:
    result = add(count("n1", "2026-Q1", [A]), count("n1", "2026-Q2", [B]), period="2026-Q1")
    assert total_of(result).sheets.valid == 1
    assert kinds(result) == [NoticeKind.OTHER_PERIOD]


def test_a_tally_that_reaches_beyond_the_period_is_refused() -> None:
    with pytest.raises(TallyMismatchError, match="partly outside"):
        add(count("n1", "2026-03-01/2026-04-30", [A]), period="2026-Q1")


def test_tallies_of_several_years_need_a_period() -> None:
    with pytest.raises(BadArgumentsError, match="more than one year"):
        add(count("n1", "2025-Q1", [A]), count("n1", "2026-Q1", [B]))


def test_units_that_are_missing_late_or_short_are_told() -> None:
    late = datetime(2026, 3, 21, tzinfo=UTC)
    result = add(
        count("n1", "2026-Q1", [A] * 10),
        count("n2", "2026-Q1", [A] * 9, at=late),
        count("north", "2026-Q1", [A] * 5),
    )
    standings = {one.unit.id: one for one in result.standings()}
    assert [name for name, one in standings.items() if one.missing] == ["s1"]
    assert [name for name, one in standings.items() if one.late] == ["n2"]
    assert [name for name, one in standings.items() if one.is_short] == ["n2", "s1"]
    assert (standings["north"].quota, standings["north"].returned) == (5, 5)


def test_quotas_of_a_year_are_those_of_its_periods() -> None:
    result = add(count("n1", "2026-Q1", [A] * 12), count("n1", "2026-Q2", [A] * 8), period="2026")
    n1 = next(one for one in result.standings() if one.unit.id == "n1")
    assert (n1.quota, n1.returned, n1.is_short, n1.missing) == (20, 20, False, ())
    assert n1.short_periods == (("2026-Q2", 8),)


def test_wards_that_came_by_the_sum_of_their_town_are_not_missing() -> None:
    wards = [count(unit, "2026-Q1", [A] * 10) for unit in ("n1", "n2")]
    north = replace(filed(total_of(add(*wards)), "n.json"), unit=count("north", "", []).unit)
    standings = {one.unit.id: one for one in add(north).standings()}
    assert standings["n1"].missing == ()
    assert standings["n1"].returned == 10
    assert standings["north"].missing == ("2026-Q1",)


def test_the_missing_quarter_is_worked_out_from_the_known_total_and_added_to_nothing() -> None:
    tree = UnitTree.model_validate(
        {
            "periods": [{"id": f"2021-Q{number}"} for number in (1, 2, 3, 4)],
            "unit": {"id": "w", "name": "W", "totals": [{"period": 2021, "returned": 1348}]},
        }
    )
    papers = (("2021-Q1", 201), ("2021-Q2", 273), ("2021-Q3", 386))
    three = [count("w", period, [A] * number) for period, number in papers]
    result = add(*three, tree=tree, period="2021")
    (standing,) = result.standings()
    assert standing.worked_out == (("2021-Q4", 488),)
    assert total_of(result).sheets.valid == 860
    four = add(*three, count("w", "2021-Q4", [A] * 488), tree=tree)
    assert total_of(four).sheets.valid == 1348
    assert kinds(four) == []
    five = add(*three, count("w", "2021-Q4", [A] * 489), tree=tree)
    assert kinds(five) == [NoticeKind.TOTAL]


def test_what_one_unit_does_not_know_is_not_known_of_the_sum() -> None:
    known, unknown = count("n1", "2026-Q1", [A], issued=5), count("n2", "2026-Q1", [A])
    assert total_of(add(known)).sheets.issued == 5
    assert total_of(add(known, unknown)).sheets.issued is None


def test_what_does_not_close_in_one_unit_never_makes_up_for_another() -> None:
    more = replace(count("n1", "2026-Q1", [A]), gaps=(Gap("scanned", "collected", 2, 1),))
    less = replace(count("n2", "2026-Q1", [A]), gaps=(Gap("scanned", "collected", 1, 2),))
    result = add(more, less)
    assert [gap.what for gap in total_of(result).gaps] == [
        "N1, 2026-Q1: scanned", "N2, 2026-Q1: scanned",
    ]  # fmt: skip
    assert kinds(result) == [NoticeKind.GAPS, NoticeKind.GAPS]


def test_a_group_that_one_unit_hides_is_hidden_in_the_sum() -> None:
    hiding = count("n1", "2026-Q1", [A, B])
    first, *others = hiding.breakdowns[0].groups
    groups = (replace(first, contests=None), *others)
    hiding = replace(hiding, breakdowns=(replace(hiding.breakdowns[0], groups=groups),))
    total = total_of(add(hiding, count("n2", "2026-Q1", [A])))
    by_field = next(one for one in total.breakdowns if one.by == "contest:field")
    assert [group.contests is None for group in by_field.groups] == [True, False, False]
    assert by_field.groups[0].valid == 2


def test_a_breakdown_that_one_unit_lacks_is_none_of_the_sum() -> None:
    lacking = replace(count("n1", "2026-Q1", [A]), breakdowns=())
    total = total_of(add(lacking, count("n2", "2026-Q1", [A])))
    assert [one.by for one in total.breakdowns] == ["period", "unit"]


def test_people_of_different_units_are_not_taken_for_one() -> None:
    total = total_of(add(count("n1", "2026-Q1", [A]), count("n2", "2026-Q1", [A])))
    assert [one.by for one in total.decisions] == ["Lan (N1)", "Lan (N2)"]


def test_a_sum_is_final_if_all_its_tallies_are() -> None:
    final = count("n1", "2026-Q1", [A])
    override = TallyOverride("Minh", "Một phiếu rách.", AT)
    passed = replace(count("n2", "2026-Q1", [A]), overrides=(override,))
    total = total_of(add(final, passed))
    assert total.is_final
    assert [one.by for one in total.overrides] == ["Minh (N2)"]
    result = add(final, replace(passed, is_final=False))
    assert not total_of(result).is_final
    assert kinds(result) == [NoticeKind.NOT_FINAL]


def test_members_of_all_units_are_added() -> None:
    rule = ShareRule(Denominator.MEMBERS, members=20)
    tallies = [replace(count(unit, "2026-Q1", [A]), rule=rule) for unit in ("n1", "n2")]
    assert total_of(add(*tallies)).rule.members == 40


def test_rules_that_differ_give_way_to_the_usual_one_with_a_notice() -> None:
    other = replace(count("n2", "2026-Q1", [A]), rule=ShareRule(Denominator.ANSWERED))
    result = add(count("n1", "2026-Q1", [A]), other)
    assert total_of(result).rule == ShareRule()
    assert kinds(result) == [NoticeKind.RULES]


def renamed(tally: TallyFile, contest: str, option: str, **changes: Any) -> TallyFile:
    """Another version of the form, in which an option is called otherwise."""
    contests = tuple(
        replace(
            one,
            options=tuple(
                replace(answer, **changes) if answer.id == option else answer
                for answer in one.options
            ),
        )
        if one.id == contest
        else one
        for one in tally.forms[0].contests
    )
    return change_form(tally, contests=contests, version="2", hash="b" * 64)


def test_versions_with_the_same_ids_and_words_are_added_with_a_notice() -> None:
    newer = renamed(count("n2", "2026-Q1", [B]), "q1", "very", label="RẤT  hài lòng")
    result = add(count("n1", "2026-Q1", [A]), newer)
    form = total_of(result).forms[0]
    assert (form.version, form.hash) == ("2", "b" * 64)
    assert [one.votes for one in form.contests[0].options] == [1, 1, 0]
    assert kinds(result) == [NoticeKind.VERSIONS]


def test_versions_whose_words_differ_are_refused() -> None:
    other = renamed(count("n2", "2026-Q1", [B]), "q1", "very", label="Không hài lòng")
    with pytest.raises(TallyMismatchError, match=r"n2-2026-Q1\.json.*'Không hài lòng'"):
        add(count("n1", "2026-Q1", [A]), other)


def test_votes_go_by_ids_where_options_are_printed_in_another_order() -> None:
    tally = count("n2", "2026-Q1", [A])
    first, *others = tally.forms[0].contests
    turned = replace(first, options=first.options[::-1])
    other = change_form(tally, contests=(turned, *others), version="0", hash="b" * 64)
    form = total_of(add(count("n1", "2026-Q1", [A]), other)).forms[0]
    first_option = form.contests[0].options[0]
    assert (first_option.id, first_option.votes) == ("very", 2)


def test_a_mapping_file_says_what_is_what() -> None:
    old = renamed(count("n2", "2026-Q1", [A, B]), "q1", "very", id="a", label="Rất tốt")
    mapping = FormMapping.model_validate(
        {"forms": [{"form": "survey", "version": 2, "to": "survey",
                    "contests": {"q1": {"options": {"a": "very"}}}}]}
    )  # fmt: skip
    result = add(count("n1", "2026-Q1", [A]), old, mapping=mapping)
    (form,) = total_of(result).forms
    assert form.contests[0].options[0] == TallyOption("very", "Rất hài lòng", 2)
    assert form.hash == "a" * 64
    assert kinds(result) == [NoticeKind.MAPPED]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"to": "other"}, "no tally has the form other"),
        ({"to": "survey"}, "the option a of q1 has no place"),
        ({"to": "survey", "leave_out": ["q1"]}, "the contests q1 are not accounted for"),
        ({"to": "survey", "contests": {"q1": {"to": "q2"}}}, "several contests become q2"),
        ({"to": "survey", "contests": {"q9": {}}}, "it has no contests q9"),
        ({"to": "survey", "contests": {"q2": {"options": {"desk": "hours"}}},
          "leave_out": ["q1"], "not_asked": ["q1"]}, "cannot become one"),
    ],
)  # fmt: skip
def test_a_mapping_that_does_not_fit_is_refused(rule: dict[str, Any], message: str) -> None:
    old = renamed(count("n2", "2026-Q1", [A]), "q1", "very", id="a")
    mapping = FormMapping.model_validate({"forms": [{"form": "survey", "version": "2", **rule}]})
    with pytest.raises(TallyMismatchError, match=message):
        add(count("n1", "2026-Q1", [A]), old, mapping=mapping)


def test_what_a_version_did_not_ask_is_counted_for_those_that_were_asked() -> None:
    tally = count("n2", "2026-Q1", [A, B])
    old = change_form(tally, contests=tally.forms[0].contests[1:], version="0", hash="b" * 64)
    mapping = FormMapping.model_validate(
        {"forms": [{"form": "survey", "hash": "bb", "to": "survey", "not_asked": ["q1"]}]}
    )
    breakdowns = tuple(
        replace(one, groups=tuple(replace(group, contests=None) for group in one.groups))
        for one in old.breakdowns
    )
    total = total_of(add(count("n1", "2026-Q1", [A]), replace(old, breakdowns=breakdowns),
                         mapping=mapping))  # fmt: skip
    assert [one.counted for one in total.forms[0].contests] == [1, 3, 3]


def test_weights_make_ballots_weigh_what_their_unit_says() -> None:
    tree = UnitTree.model_validate(
        {
            "unit": {
                "id": "t",
                "name": "T",
                "units": [
                    {"id": "n1", "name": "N1", "weight": "3/2"},
                    {"id": "n2", "name": "N2"},
                ],
            }
        }
    )
    total = total_of(add(count("n1", "2026", [A, A]), count("n2", "2026", [B]), tree=tree))
    form = total.forms[0]
    weighted = weighted_shares(total, form, form.contests[0])
    assert weighted == [Decimal("75.00"), Decimal("25.00"), Decimal("0.00")]
