"""units.yaml and periods: what is read, and how faults are named."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from scanner.counting.form_map import read_form_mapping
from scanner.counting.periods import read_period, smallest_around
from scanner.counting.unit_tree import UnitTree, read_unit_tree
from scanner.errors import ExitCode, InputError

TREE = """\
schema: 1
quota: 105
periods:
  - {id: 2023-Q1, due: 2023-03-20}
  - {id: 2023-Q2, due: 2023-06-20}
unit:
  id: bao-lam
  name: Huyện  Bảo Lâm
  own_tally: true
  quota: 50
  units:
    - {id: ly-bon, name: Xã Lý Bôn, weight: 3/2}
    - id: nam-cao
      name: Xã Nam Cao
      totals: [{period: 2023, returned: 420}]
"""


def read(folder: Path, text: str = TREE) -> UnitTree:
    path = folder / "units.yaml"
    path.write_text(text, encoding="utf-8")
    return read_unit_tree(path)


def test_a_tree_of_units_is_read(tmp_path: Path) -> None:
    tree = read(tmp_path)
    assert [unit.id for unit in tree.unit.all_units()] == ["bao-lam", "ly-bon", "nam-cao"]
    assert [tree.quota_of(unit) for unit in tree.unit.all_units()] == [50, 105, 105]
    assert tree.unit.name == "Huyện Bảo Lâm"
    assert tree.unit.units[0].weight == Fraction(3, 2)
    assert tree.unit.units[1].totals[0].period == "2023"
    assert tree.find("nowhere") is None


def test_each_period_has_its_deadline_and_the_year_the_last_one(tmp_path: Path) -> None:
    tree = read(tmp_path)
    assert tree.due(read_period("2023-Q1")) == date(2023, 3, 20)
    assert tree.due(read_period("2023")) == date(2023, 6, 20)
    assert tree.due(read_period("2024")) is None


def test_the_parts_of_a_longer_period_are_awaited(tmp_path: Path) -> None:
    tree = read(tmp_path)
    assert [one.id for one in tree.awaited(read_period("2023"))] == ["2023-Q1", "2023-Q2"]
    assert [one.id for one in tree.awaited(read_period("2024-H1"))] == ["2024-H1"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: nam-cao", "id: ly-bon", "line 13, unit.units.1.id: the id 'ly-bon' is there twice"),
        ("  quota: 50", "  quota: 0", "line 10, unit.quota"),
        ("      name: Xã Nam Cao\n", "", "line 13, unit.units.1.name: this field is missing"),
        ("quota: 105", "quotas: 105", "line 2, quotas: there is no such field"),
        ("2023-Q2, due", "2023-Q5, due", "line 5, periods.1.id: '2023-Q5' is no period"),
        ("id: 2023-Q2", "id: 2023-H1", "line 5, periods.1.id: the periods 2023-Q1 and 2023-H1"),
        ("2023-06-20", "20 June", "line 5, periods.1.due"),
        ("weight: 3/2", "weight: 1.5", "line 12, unit.units.0.weight: write a whole number"),
        ("weight: 3/2", "weight: 1/0", "line 12, unit.units.0.weight: write a whole number"),
        ("  own_tally: true\n", "", "line 9, unit.quota: a unit that only adds up others"),
        ("unit:\n", "units:\n", "unit: this field is missing"),
    ],
)
def test_a_fault_is_named_with_file_line_and_field(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in TREE
    with pytest.raises(InputError) as caught:
        read(tmp_path, TREE.replace(old, new))
    assert message in caught.value.message
    assert caught.value.path == tmp_path / "units.yaml"
    assert caught.value.exit_code is ExitCode.BAD_INPUT


@pytest.mark.parametrize("text", ["- a\n", "", "unit: {", "\t"])
def test_what_is_no_tree_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        read(tmp_path, text)


def test_a_tree_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_unit_tree(tmp_path / "none.yaml")


def test_a_fault_of_a_mapping_is_named_with_line_and_field(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("schema: 1\nforms:\n  - {form: a, version: 2}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 3, forms\.0\.to: this field is missing"):
        read_form_mapping(path)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-H2", "2024-07-01", "2024-12-31"),
        ("2024-Q1", "2024-01-01", "2024-03-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2024-12", "2024-12-01", "2024-12-31"),
        ("2023-06-07/2023-09-05", "2023-06-07", "2023-09-05"),
    ],
)
def test_a_period_has_its_first_and_last_day(text: str, first: str, last: str) -> None:
    period = read_period(text)
    assert (str(period.first), str(period.last)) == (first, last)


@pytest.mark.parametrize(
    "text",
    ["", "Quý III", "2024-Q5", "2024-13", "0000", "2024-02-30/2024-03-01", "2024-03-01/2024-02-01"],
)
def test_what_names_no_days_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match=r"period|day"):
        read_period(text)


@pytest.mark.parametrize(
    ("texts", "around"),
    [
        (["2024-Q1"], "2024-Q1"),
        (["2024-01", "2024-03"], "2024-Q1"),
        (["2024-Q1", "2024-Q2"], "2024-H1"),
        (["2024-Q2", "2024-Q3"], "2024"),
        (["2024-H1", "2024-H2"], "2024"),
    ],
)
def test_the_smallest_period_around_is_found(texts: list[str], around: str) -> None:
    found = smallest_around([read_period(text) for text in texts])
    assert found is not None
    assert found.id == around


def test_no_period_is_around_two_years() -> None:
    assert smallest_around([read_period("2023-Q4"), read_period("2024-Q1")]) is None
