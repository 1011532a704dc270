"""A tally that is mailed: it comes back as it went, and says no more than it may."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import Reason
from scanner.counting.rules import Denominator, Rounding, ShareRule
from scanner.counting.sheet_rules import SheetRules
from scanner.counting.store import Store
from scanner.counting.tally_file import TallyFile, TallyGroup, TallyUnit
from scanner.counting.tally_making import hide_small_groups
from scanner.errors import ExitCode, TallyMismatchError, UnreadableFileError
from scanner.publishing.tally_json import (
    OLD_SCHEMA_FILE,
    check_tally,
    percents,
    read_tally,
    tally_data,
    write_tally,
)
from tests.conftest import Run
from tests.figure_counts import FIELD, QUESTION, SEVERAL, WARD, make_figures, tally_of


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_figures(tmp_path_factory.mktemp("figures"))


@pytest.fixture(scope="module")
def tally(count: Path) -> TallyFile:
    return tally_of(count)


def test_a_tally_comes_back_as_it_was_written(tally: TallyFile, tmp_path: Path) -> None:
    path = tmp_path / "phuong-3.json"
    write_tally(tally, path)
    found = read_tally(path)
    assert found == tally
    assert (found.file, found.sha256) == (
        "phuong-3.json",
        hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    assert tally_data(found) == json.loads(path.read_text("utf-8"))


def test_a_tally_says_whose_it_is_and_how_it_closes(tally: TallyFile) -> None:
    sheets = tally.sheets
    assert (tally.unit, tally.period) == (TallyUnit("w3", "Phường Ba"), "2026-Q1")
    assert (sheets.issued, sheets.collected, sheets.paper) == (25, 20, 20)
    assert (sheets.valid, sheets.void, sheets.in_review) == (19, 1, 0)
    assert sheets.void_by_reason == {"blank_sheet": 1}
    assert tally.is_final
    assert not tally.is_provisional
    assert [(one.by, one.decisions, one.sheets) for one in tally.decisions] == [("Lan", 3, 2)]


def test_a_void_sheet_is_in_no_figure_of_a_contest(tally: TallyFile) -> None:
    (form,) = tally.forms
    figures = {
        one.id: ([option.votes for option in one.options], one.blank, one.overvote)
        for one in form.contests
    }
    assert figures == {
        FIELD: ([10, 7, 1], 1, 0),
        QUESTION: ([8, 5, 4], 1, 1),
        SEVERAL: ([10, 11, 6], 1, 1),
    }
    assert all(one.counted == form.valid == 19 for one in form.contests)
    assert all(one.closes for one in form.contests)


def test_every_breakdown_adds_up_to_the_whole(tally: TallyFile) -> None:
    assert [one.by for one in tally.breakdowns] == ["batch", f"contest:{FIELD}"]
    (form,) = tally.forms
    for breakdown in tally.breakdowns:
        assert sum(group.valid for group in breakdown.groups) == form.valid
        for place, contest in enumerate(form.contests):
            parts = [group.contests[place] for group in breakdown.groups if group.contests]
            for number, option in enumerate(contest.options):
                assert sum(part.options[number].votes for part in parts) == option.votes
            assert sum(part.blank for part in parts) == contest.blank


def test_percentages_follow_the_rule_of_the_count(count: Path, tally: TallyFile) -> None:
    (form,) = tally.forms
    question = form.contests[1]
    rules = {
        ShareRule(): ["42", "26", "21"],
        ShareRule(decimals=2): ["42.11", "26.32", "21.05"],
        ShareRule(Denominator.RETURNED, 1): ["40.0", "25.0", "20.0"],
        ShareRule(Denominator.ANSWERED, 0, Rounding.LARGEST_REMAINDER): ["47", "29", "24"],
        ShareRule(Denominator.MEMBERS, 1, members=40): ["20.0", "12.5", "10.0"],
    }
    for rule, expected in rules.items():
        assert percents(replace(tally, rule=rule), form, question) == expected


def test_the_rules_of_a_count_are_those_of_its_tally(count: Path, tmp_path: Path) -> None:
    rule = ShareRule(Denominator.RETURNED, 2)
    own = make_figures(tmp_path)
    with Store(own) as store:
        store.set_rules(rule, SheetRules(frozenset({Reason.OVERVOTE})), "Lan")
    made = tally_of(own)
    assert made.rule == rule
    assert made.sheets.void_by_reason == {"overvote": 1}
    assert made.forms[0].returned == 20


def to_first_format(data: dict[str, Any]) -> dict[str, Any]:
    """The same count as versions before 2 would have written it."""
    old = {
        name: data[name]
        for name in ("program", "generated_at", "is_provisional", "closes", "gaps", "decisions",
                     "batches", "limit_changes")
    }  # fmt: skip
    sheets = ("issued", "collected", "scanned", "clean", "decided", "in_doubt", "refused",
              "counted", "blank_pages", "refused_by_reason")  # fmt: skip
    own = ("clean", "decided", "in_doubt", "counted")
    contest = ("id", "title", "max", "counted", "blank", "overvote", "undervotes", "in_doubt")
    return old | {
        "format": 1,
        "count": {name: data["count"][name] for name in ("name", "created_at", "created_with")},
        "sheets": {name: data["sheets"][name] for name in sheets},
        "forms": [
            {name: form[name] for name in ("id", "title", "version", "hash")}
            | {
                "sheets": {name: form["sheets"][name] for name in own},
                "contests": [
                    {name: one[name] for name in contest}
                    | {"options": [o | {"percent": int(o["percent"])} for o in one["options"]]}
                    for one in form["contests"]
                ],
            }
            for form in data["forms"]
        ],
    }  # fmt: skip


def test_a_tally_of_before_is_still_read(tally: TallyFile, tmp_path: Path) -> None:
    old = to_first_format(tally_data(tally))
    # Then every sheet that could be read was counted.
    for contest in old["forms"][0]["contests"]:
        contest["counted"] += 1
        contest["blank"] += 1
        contest["undervotes"] += contest["max"]
    schema = json.loads(OLD_SCHEMA_FILE.read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(old)
    path = tmp_path / "old.json"
    path.write_text(json.dumps(old), encoding="utf-8")
    found = read_tally(path)
    assert (found.unit, found.period, found.rule) == (None, "", ShareRule())
    assert (found.sheets.valid, found.sheets.void, found.forms[0].returned) == (20, 0, 20)
    assert [one.votes for one in found.forms[0].contests[1].options] == [8, 5, 4]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda data: data["forms"][0]["contests"][1]["options"][0].update(votes=9), "khao-sat/c1"),
        (lambda data: data["forms"][0]["contests"][2].update(blank=2, undervotes=1), "khao-sat/c2"),
        (lambda data: data["sheets"].update(valid=20), "20 valid"),
        (lambda data: data["sheets"].update(valid=-1), "$.sheets.valid"),
        (lambda data: data.update(format=3), "3"),
        (lambda data: data.update(note="?"), "note"),
    ],
)
def test_a_tally_whose_figures_do_not_hold_is_refused(
    tally: TallyFile, tmp_path: Path, change: Callable[[dict[str, Any]], None], place: str
) -> None:
    data = tally_data(tally)
    change(data)
    path = tmp_path / "tally.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(TallyMismatchError) as caught:
        read_tally(path)
    assert place in caught.value.message
    assert caught.value.path == path


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xff\xfe{}"])
def test_what_is_no_json_is_unreadable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tally.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError):
        read_tally(path)
    with pytest.raises(UnreadableFileError):
        read_tally(tmp_path / "none.json")


@pytest.mark.parametrize("data", [[], None, {}, {"format": [1]}, {"format": "1"}])
def test_other_json_is_no_tally(data: object) -> None:
    with pytest.raises(TallyMismatchError):
        check_tally(data)


def test_a_small_group_has_no_figures_of_its_own(count: Path) -> None:
    made = tally_of(count, replace(WARD, smallest_group=3))
    by_field = made.breakdowns[1]
    assert [(one.id, one.valid, one.contests is None) for one in by_field.groups] == [
        ("dat_dai", 10, False),
        ("tu_phap", 7, True),
        ("ho_tich", 1, True),
        ("[blank]", 1, True),
    ]
    assert all(one.contests is not None for one in made.breakdowns[0].groups)
    check_tally(tally_data(made))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(0, 12))
def test_what_is_hidden_is_not_found_by_taking_away(sizes: list[int], smallest: int) -> None:
    groups = [TallyGroup(str(number), "", size, ()) for number, size in enumerate(sizes)]
    made = hide_small_groups(groups, smallest)
    hidden = [one.valid for one in made if one.contests is None]
    shown = [one.valid for one in made if one.contests is not None and one.valid]
    assert all(size >= smallest for size in shown)
    if hidden:
        assert min(hidden) < smallest
        assert not shown or (len(hidden) > 1 and sum(hidden) >= smallest)


def test_unit_and_period_are_given_where_it_is_exported(
    run: Run, count: Path, tmp_path: Path
) -> None:
    path = tmp_path / "to-town.json"
    options = ("--unit", "w3", "--unit-name", "Phường Ba", "--period", "2026-Q1")
    code, out, _err = run("export", count, "--to", "tally", *options, "-o", path)
    assert code == ExitCode.OK
    assert str(path) in out.replace("\n", "")
    found = read_tally(path)
    assert (found.unit, found.period) == (TallyUnit("w3", "Phường Ba"), "2026-Q1")
    assert found.log_head


@pytest.mark.parametrize("period", ["2026-Q5", "quý I", "2026-02-30..2026-03-01"])
def test_a_period_that_cannot_be_merged_is_refused_at_once(
    run: Run, count: Path, tmp_path: Path, period: str
) -> None:
    path = tmp_path / "to-town.json"
    code, _out, err = run("export", count, "--to", "tally", "--period", period, "-o", path)
    assert code == ExitCode.BAD_ARGUMENTS
    assert period[:7] in err
    assert not path.exists()
