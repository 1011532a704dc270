"""The plain threshold and the other readers are judged by the rules of our own trial."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import baseline, foreign_damage, peer_amc, peer_marksense, peers
from benchmarks.environments import NotThereError
from benchmarks.plain_ink import MEASURES, best_limits, best_limits_seen, judge_limits, measure_ink
from benchmarks.readers import Answers, SheetAnswer, fit, score
from scanner.forms.catalog import find_form
from tests.synthetic import draw_small_form
from tests.world.sheets import DrawnSheet, draw_sheet, plan_batch

FORMS = Path(__file__).parents[1] / "form_templates"
INK = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
QUESTIONS = (np.array([0, 0, 1, 1, 2, 2]), np.array([1, 1, 1, 1, 1, 1]))
ALONE = (np.arange(6), np.ones(6, int))
"""Every target a question of its own: none can have too many marks."""
ALL_CLEAR = np.ones(6, bool)


@cache
def the_sheet() -> DrawnSheet:
    batch = plan_batch("conforming", [find_form(FORMS, "tth5_phuong")], 1)
    return draw_sheet(replace(batch, photocopy=0.0), 13)


def answers_of(sheet: DrawnSheet, *, marked: float = 0.9, is_flagged: bool = False) -> Answers:
    """One who is as sure as this of every mark, and sees nothing elsewhere."""
    values = tuple(marked if truth.marked else 0.0 for truth in sheet.truths)
    return Answers("one", (SheetAnswer(values, is_flagged),), 2.0, (0.5, 0.5))


def test_plain_ink_finds_every_mark_of_an_easy_sheet_where_it_is_told_to_look() -> None:
    sheet = the_sheet()
    scan = cv2.imdecode(np.frombuffer(sheet.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert scan is not None
    ink = np.array(measure_ink(sheet, scan.astype(np.uint8)))
    assert ink.shape == (len(sheet.truths), len(MEASURES))
    marked = np.array([truth.marked for truth in sheet.truths])
    for column in range(len(MEASURES)):
        assert ink[marked, column].min() > ink[~marked, column].max()


def test_the_best_limit_lies_where_fewest_are_wrong() -> None:
    marked = np.array([False, True, False, False, True, True])
    verdict = best_limits(INK, ALONE, (marked, ALL_CLEAR), 0)
    # There one vote is missed; any lower, two that nobody cast would be counted.
    assert 0.3 < verdict.low == verdict.high < 0.4
    assert (verdict.silent, verdict.caught, verdict.doubts) == (1, 0, 0)


def test_a_band_of_doubt_takes_the_errors_out() -> None:
    marked = np.array([False, True, False, True, True, False])
    one = best_limits(INK, ALONE, (marked, ALL_CLEAR), 0)
    band = best_limits(INK, ALONE, (marked, ALL_CLEAR), 2)
    assert one.silent > band.silent
    assert band.doubts == 2
    assert 0 < best_limits_seen(INK, QUESTIONS, (marked, ALL_CLEAR), 4).seen <= 4


def test_targets_alike_are_in_doubt_together_or_not_at_all() -> None:
    ink = np.array([0.0, 0.3, 0.3, 0.3, 0.9, 0.9])
    marked = np.array([False, False, True, False, True, True])
    assert best_limits(ink, ALONE, (marked, ALL_CLEAR), 2).doubts <= 2
    assert best_limits(ink, ALONE, (marked, ALL_CLEAR), 3).doubts == 3


def test_an_error_is_caught_where_too_many_are_marked_and_unclear_targets_do_not_count() -> None:
    marked = np.array([False, False, False, True, False, True])
    clear = np.array([True, False, True, True, True, True])
    verdict = judge_limits(INK, QUESTIONS, (marked, clear), (0.05, 0.05))
    assert verdict.positions == 5
    assert (verdict.silent, verdict.caught) == (0, 2)
    assert verdict.seen == 4


def test_a_reader_that_is_right_has_no_error_and_one_that_sees_nothing_misses_every_mark() -> None:
    sheet = the_sheet()
    marked = sum(truth.marked for truth in sheet.truths)
    right = score([sheet], answers_of(sheet), "default", flags=False)
    blind = score([sheet], answers_of(sheet, marked=0.1), "default", flags=False)
    flagged = score([sheet], answers_of(sheet, marked=0.1, is_flagged=True), "flags", flags=True)
    assert right[2:] == [len(sheet.truths), 0, 0, 0, 0.0, 0, 0.5]
    assert blind[3:5] == [marked, 0]
    assert flagged[3:5] == [0, marked]
    refused = replace(answers_of(sheet), sheets=(SheetAnswer(None),))
    assert score([sheet], refused, "default", flags=False)[2:] == [0, 0, 0, 0, 100.0, 1, 0.5]


def test_limits_are_fitted_to_the_sheets() -> None:
    sheet = the_sheet()
    low, high = fit([sheet], answers_of(sheet, marked=0.1), 0)
    assert 0 < low == high < 0.1


def test_marksense_gets_every_target_once_and_its_answers_come_back_in_our_order(
    tmp_path: Path,
) -> None:
    sheet = the_sheet()
    questions = peer_marksense._questions(sheet.batch.form)
    template = peer_marksense._write_template(sheet.batch, questions, tmp_path / "one")
    page = json.loads(template.read_text(encoding="utf-8"))["pages"]["1"]
    assert sum(len(question["options"]) for question in page["questions"]) == len(sheet.truths)
    blank = cv2.imdecode(
        np.fromfile(tmp_path / "one" / "blank.png", np.uint8), cv2.IMREAD_GRAYSCALE
    )
    assert blank is not None
    x, y, w, h = page["questions"][0]["options"][0]["roi"]
    assert blank[y : y + h, x : x + w].min() < 100
    chosen = {truth.contest: truth.option for truth in sheet.truths if truth.marked}
    keys = {f"Q{n}": chosen[one.id] for n, (one, _) in enumerate(questions, 1) if one.id in chosen}
    said = {"answers": keys, "confidence": dict.fromkeys(keys, 0.8), "multi_marked": []}
    answer = peer_marksense._as_answer(sheet, questions, said | {"alignment": 0.9})
    assert answer.values == tuple(0.8 * truth.marked for truth in sheet.truths)
    assert peer_marksense._as_answer(sheet, questions, said | {"alignment": 0.1}).values is None


def test_the_comparison_runs_from_drawing_to_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_small_form(tmp_path / "forms")
    arguments = ["--positions", "20", "-j", "1", "--world", "conforming"]
    arguments += ["--forms", str(tmp_path / "forms"), "-o", str(tmp_path)]
    assert baseline.main(arguments) in (0, 1)
    figures = json.loads((tmp_path / "baseline-conforming-1.json").read_text(encoding="utf-8"))
    assert figures["sheets"] == 12
    assert [row["reader"].split(",")[0] for row in figures["rows"]][:2] == [
        "this program",
        "plain ink",
    ]
    assert "plain ink, one limit" in capsys.readouterr().out


def not_there(*_: object) -> None:
    raise NotThereError("it is not there")


def test_a_reader_that_cannot_be_had_is_left_out_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "prepare_python", not_there)
    monkeypatch.setattr(peer_amc, "make_project", not_there)
    draw_small_form(tmp_path / "forms")
    arguments = ["--sheets", "2", "-o", str(tmp_path), "--cache", str(tmp_path)]
    assert peers.main([*arguments, "--forms", str(tmp_path / "forms"), "--form", "small"]) == 0
    said = capsys.readouterr()
    assert said.err.count("left out: it is not there") == 2
    (rows,) = json.loads(
        (tmp_path / "peers-conforming-1.json").read_text(encoding="utf-8")
    ).values()
    assert [row["reader"] for row in rows] == ["this program"]
    assert rows[0]["positions"] > 0


def test_foreign_damage_is_read_where_it_worked_and_its_program_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def copy_all_but_the_first(_: object, tasks: list[foreign_damage.Task], __: object) -> None:
        for task in tasks[1:]:
            task.out.write_bytes(task.clean.read_bytes())

    draw_small_form(tmp_path / "forms")
    arguments = ["--sheets", "2", "--effects", "Gamma", "-o", str(tmp_path)]
    arguments += ["--forms", str(tmp_path / "forms")]
    monkeypatch.setattr(foreign_damage, "prepare_python", lambda *_: Path("python"))
    monkeypatch.setattr(foreign_damage, "_damage", copy_all_but_the_first)
    assert foreign_damage.main(arguments) == 0
    (row, total) = json.loads((tmp_path / "foreign-1.json").read_text(encoding="utf-8"))
    assert (row["effect"], row["sheets"], row["SILENT"]) == ("Gamma", 1, 0)
    assert row["positions"] == total["positions"] > 0
    assert (tmp_path / "effects" / "Gamma.jpg").is_file()
    monkeypatch.setattr(foreign_damage, "prepare_python", not_there)
    assert foreign_damage.main(arguments) == 2
    assert "it is not there" in capsys.readouterr().err
