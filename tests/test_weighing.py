"""Weighted shares: what weights may change and what they may not, and where they are written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.counting.merge import RollUp, merge
from scanner.counting.rules import Denominator, Rounding, ShareRule, answer_shares
from scanner.counting.tally_file import TallyFile, TallyUnit, TallyWeight
from scanner.counting.unit_tree import UnitTree
from scanner.counting.weighing import describe_weights, weighted_answers, weighted_shares
from scanner.errors import BadArgumentsError, TallyMismatchError
from scanner.messages import speaking
from scanner.publishing.documents.blocks import Paragraph, Table
from scanner.publishing.documents.compose import compose
from scanner.publishing.documents.facts import Facts, Kind
from scanner.publishing.documents.figures import overall_index, weighted_index
from scanner.publishing.tally_json import read_tally, tally_data, write_tally
from tests.document_facts import ward_unit
from tests.document_files import docx_texts, opened, pdf_text, printed
from tests.mailed_tallies import AT, Ballot, count, filed, mail

UNITS = ("n1", "n2", "n3")
A, B, C = Ballot((0,), (0, 1), 0), Ballot((1,), (2,), 1), Ballot((), (0, 1, 2))

picks = st.sets(st.integers(0, 2), max_size=3).map(lambda one: tuple(sorted(one)))
ballots = st.builds(Ballot, picks, picks, st.sampled_from((None, 0, 1)))
piles = st.lists(st.lists(ballots, max_size=6), min_size=3, max_size=3)
weights = st.lists(
    st.fractions(min_value="1/40", max_value=60, max_denominator=40), min_size=3, max_size=3
)
rules = st.builds(
    ShareRule,
    st.sampled_from([Denominator.VALID, Denominator.ANSWERED, Denominator.RETURNED]),
    st.integers(0, 2),
    st.sampled_from(list(Rounding)),
)


def tree_of(*weights_of: Fraction | int) -> UnitTree:
    units = [
        {"id": name, "name": name.upper(), "weight": str(Fraction(weight))}
        for name, weight in zip(UNITS, weights_of, strict=True)
    ]
    return UnitTree.model_validate({"unit": {"id": "t", "name": "T", "units": units}})


def roll_up(
    pile: Sequence[Sequence[Ballot]], tree: UnitTree, rule: ShareRule | None = None
) -> RollUp:
    rule = rule or ShareRule(decimals=2)
    tallies = [
        replace(count(name, "2026", own), rule=rule) for name, own in zip(UNITS, pile, strict=True)
    ]
    return merge([filed(one, one.file) for one in tallies], tree, at=AT)


def total_of(result: RollUp) -> TallyFile:
    assert result.total is not None
    return result.total


def weighed(total: TallyFile, weights_of: Sequence[Fraction]) -> TallyFile:
    """A sum whose units weigh so much, whether or not they differ."""
    made = (
        TallyWeight(TallyUnit(name), weight) for name, weight in zip(UNITS, weights_of, strict=True)
    )
    return replace(total, weights=tuple(made))


def all_shares(total: TallyFile) -> list[tuple[list[Decimal], list[Decimal | None]]]:
    (form,) = total.forms
    return [weighted_answers(total, form, contest) for contest in form.contests]


@settings(max_examples=80, deadline=None)
@given(piles, rules, st.fractions(min_value="1/40", max_value=60, max_denominator=40))
def test_where_all_weigh_alike_the_shares_are_those_without_weights(
    pile: list[list[Ballot]], rule: ShareRule, weight: Fraction
) -> None:
    total = total_of(roll_up(pile, tree_of(1, 1, 1), rule))
    (form,) = total.forms
    usual = [
        answer_shares(
            [one.votes for one in contest.options],
            [contest.blank, contest.overvote],
            total.whole(form, contest),
            rule,
            most=contest.max,
        )
        for contest in form.contests
    ]
    assert all_shares(weighed(total, [weight] * 3)) == usual


@settings(max_examples=80, deadline=None)
@given(piles, rules, weights, st.fractions(min_value="1/90", max_value=900, max_denominator=90))
def test_only_what_weights_are_of_each_other_matters(
    pile: list[list[Ballot]], rule: ShareRule, weights_of: list[Fraction], scale: Fraction
) -> None:
    total = total_of(roll_up(pile, tree_of(1, 1, 1), rule))
    scaled = [scale * weight for weight in weights_of]
    assert all_shares(weighed(total, weights_of)) == all_shares(weighed(total, scaled))


@settings(max_examples=80, deadline=None)
@given(piles, rules, st.lists(st.integers(1, 4), min_size=3, max_size=3))
def test_a_whole_weight_is_as_if_each_ballot_had_been_cast_so_often(
    pile: list[list[Ballot]], rule: ShareRule, times: list[int]
) -> None:
    total = total_of(roll_up(pile, tree_of(1, 1, 1), rule))
    often = [own * number for own, number in zip(pile, times, strict=True)]
    copied = total_of(roll_up(often, tree_of(1, 1, 1), rule))
    plain = all_shares(weighed(copied, [Fraction(1)] * 3))
    assert all_shares(weighed(total, [Fraction(one) for one in times])) == plain
    assert weighted_index(weighed(total, [Fraction(one) for one in times])) == _index(copied)


def _index(total: TallyFile) -> Decimal | None:
    found = overall_index(total.forms[0].contests, total.rule)
    return found[1] if found else None


def test_weights_are_written_and_read_back_and_alter_no_count(tmp_path: Path) -> None:
    pile = [[A, A], [B], [C, B]]
    heavy = total_of(roll_up(pile, tree_of(Fraction(3, 2), 1, 2)))
    plain = total_of(roll_up(pile, tree_of(1, 1, 1)))
    assert replace(heavy, weights=()) == plain
    again = mail(heavy, tmp_path, "heavy.json")
    assert again == heavy
    assert [one.weight for one in again.weights] == [Fraction(3, 2), 1, 2]
    data = json.loads((tmp_path / "heavy.json").read_text("utf-8"))
    assert data["format"] == 2
    assert [one["weight"] for one in data["weights"]] == ["3/2", "1", "2"]
    options = data["forms"][0]["contests"][0]["options"]
    # A weighs 3 in all, B 1 and 2, C 2: of 8 there are 3 and 3, and 2 blank.
    assert [(one["votes"], one["percent"], one["weighted_percent"]) for one in options] == [
        (2, "40.00", "37.50"), (2, "40.00", "37.50"), (0, "0.00", "0.00"),
    ]  # fmt: skip


def test_where_all_weigh_alike_the_file_says_nothing_of_weights() -> None:
    data = tally_data(total_of(roll_up([[A], [B], [C]], tree_of(4, 4, 4))))
    assert "weights" not in data
    assert "weighted_percent" not in json.dumps(data)


def test_weights_that_are_not_those_of_the_units_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "heavy.json"
    write_tally(total_of(roll_up([[A], [B], [C]], tree_of(1, 2, 3))), path)
    data = json.loads(path.read_text("utf-8"))
    data["weights"][0]["unit"]["id"] = "n9"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(TallyMismatchError, match="not those of its units"):
        read_tally(path)
    data["weights"][0] = {"unit": {"id": "n1", "name": ""}, "weight": "0.5"}
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(TallyMismatchError, match=r"weights\[0\]"):
        read_tally(path)


def test_figures_by_unit_that_do_not_make_the_sum_are_not_weighted() -> None:
    total = total_of(roll_up([[A], [B], [C]], tree_of(1, 2, 3)))
    less = tuple(
        replace(one, groups=one.groups[:-1]) if one.by == "unit" else one
        for one in total.breakdowns
    )
    (form,) = total.forms
    with pytest.raises(BadArgumentsError, match="do not make the sum"):
        weighted_shares(replace(total, breakdowns=less), form, form.contests[0])


def test_a_higher_sum_weighs_by_its_own_tree(tmp_path: Path) -> None:
    town = mail(total_of(roll_up([[A, A], [B], [C]], tree_of(1, 2, 3))), tmp_path, "town.json")
    assert town.weights
    province = UnitTree.model_validate(
        {"unit": {"id": "p", "name": "P", "units": [{"id": "t", "name": "T"}]}}
    )
    assert merge([town], province, at=AT).total is not None
    assert total_of(merge([town], province, at=AT)).weights == ()


def test_the_roll_up_shows_weights_and_says_how_under_the_table() -> None:
    result = roll_up([[A, A], [B], [C, B]], tree_of(Fraction(3, 2), 1, 2))
    facts = Facts(unit=ward_unit(), tally=total_of(result), roll_up=result)
    document = compose(Kind.ROLLUP, facts)
    blocks = [block for part in document.parts for block in part.blocks]
    tables = [block for block in blocks if isinstance(block, Table)]
    assert "Trọng số" in [column.title for column in tables[0].columns]
    place = [column.title for column in tables[0].columns].index("Trọng số")
    assert [row.cells[place] for row in tables[0].rows] == ["3/2", "1", "2", ""]
    assert "Tỷ lệ có trọng số (%)" in [column.title for column in tables[1].columns]
    first = tables[1].rows[0].cells
    assert first[4:6] == ("40,00", "37,50")
    after = blocks[blocks.index(tables[1]) + 1]
    assert isinstance(after, Paragraph)
    with speaking("vi"):
        assert after.text.endswith(describe_weights())
    for texts in ("\n".join(docx_texts(opened(document))), pdf_text(printed(document))):
        assert "37,50" in texts
    usual = roll_up([[A, A], [B], [C, B]], tree_of(1, 1, 1))
    plain = compose(Kind.ROLLUP, Facts(unit=ward_unit(), tally=total_of(usual), roll_up=usual))
    assert "trọng số" not in "\n".join(docx_texts(opened(plain))).casefold()
