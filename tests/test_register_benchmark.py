"""The benchmark of registering measures what it says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks import register
from benchmarks.blanks import TrueTarget, form_blanks
from scanner.geometry import Box
from scanner.registering.found import FoundTarget, Source

TEMPLATES = Path(__file__).parents[1] / "form_templates"


@pytest.mark.parametrize(
    ("one", "other", "letters"),
    [("", "", 0), ("abc", "abc", 0), ("Không", "Khôn", 1), ("hài", "hai", 1), ("", "lòng", 4),
     ("Rất hài lòng", "Hài lòng", 5)],
)  # fmt: skip
def test_wrong_letters_are_counted(one: str, other: str, letters: int) -> None:
    assert register.distance(one, other) == letters == register.distance(other, one)


def test_a_target_counts_as_found_once_and_only_where_it_is() -> None:
    true = [TrueTarget(1, Box(10 * place, 10, 5, 5), "box", "q", "") for place in (1, 2)]
    boxes = [Box(10.4, 10.2, 5, 5), Box(10, 10, 5, 5), Box(23, 13, 5, 5)]
    found = [FoundTarget(1, box, "box", Source.IMAGE) for box in boxes]
    assert register.match(true, found) == {1: 0}
    assert register.match(true, [FoundTarget(2, boxes[1], "box", Source.IMAGE)]) == {}


def test_the_truth_of_a_scan_lies_where_the_scan_shows_it(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES / "tth5_phuong", tmp_path / "tth5_phuong")
    pdf, scan = form_blanks(tmp_path, [3])
    assert len(pdf.targets) == len(scan.targets)
    px = scan.sides[0].dpi / 25.4
    for target in scan.targets:
        box = target.box.scaled(px, px)
        outline = scan.sides[0].gray[
            round(box.y) - 5 : round(box.bottom) + 5, round(box.x) - 5 : round(box.right) + 5
        ]
        assert (outline < 128).mean() > 0.1


def test_a_form_is_measured_from_end_to_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(TEMPLATES / "huong_an_2019", tmp_path / "forms" / "huong_an_2019")
    monkeypatch.setattr("scanner.registering.words.available_languages", lambda: ())
    code = register.main(["--forms", str(tmp_path / "forms"), "-o", str(tmp_path)])
    assert code == 0
    pdf, scan = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert pdf["hit"] == pdf["targets"] == scan["hit"]
    assert pdf["contests_right"] == pdf["contests"]
    assert pdf["label_errors"] == 0
    assert scan["label_errors"] == scan["label_letters"] > 0
    assert "recall" in capsys.readouterr().out
