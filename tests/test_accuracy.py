"""The trial on the known world: what it calls an error, and that it can be stopped."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.accuracy import main, read_log, upper_bound
from benchmarks.batch_evidence import JUDGED_TWICE, compare, settle_batch
from benchmarks.reliability import BINS, doubt_rows, in_words, reliability_rows
from benchmarks.sheet_record import SheetRecord
from benchmarks.trial import bin_of, doubts_about, judge, save_crop
from scanner.ballot import (
    MarkState,
    PageReading,
    Reason,
    TargetMeasures,
    TargetReading,
    UnreadablePage,
)
from scanner.forms.catalog import find_form
from scanner.reading.batch import FEWEST
from tests.synthetic import draw_small_form
from tests.world.sheets import DrawnSheet, draw_sheet, plan_batch

FORMS = Path(__file__).parents[1] / "form_templates"
NOTHING = TargetMeasures(0, 0, 0, 0, 0, 0, 0, 0, 1)


@cache
def the_sheet() -> DrawnSheet:
    batch = plan_batch("conforming", [find_form(FORMS, "tth5_phuong")], 1)
    return draw_sheet(batch, 13)


def reading_of(sheet: DrawnSheet, wrong: int = 0, *, doubtful: bool = False) -> PageReading:
    """The sheet read as it was meant, but for the first few targets that are not marked."""
    targets = []
    for truth in sheet.truths:
        marked = truth.marked
        if not marked and wrong:
            marked, wrong = True, wrong - 1
        state = MarkState.MARKED if marked else MarkState.UNMARKED
        reasons: tuple[Reason, ...] = ()
        if doubtful:
            state, reasons = MarkState.DOUBTFUL, (Reason.UNCLEAR_MARK,)
        probability = 0.9995 if marked else 0.0002
        targets.append(
            TargetReading(truth.contest, truth.option, state, probability, NOTHING, reasons)
        )
    form = sheet.batch.form
    return PageReading(form.id, form.content_hash, 1, 0, (1.0,) * 9, tuple(targets))


def judged(reading: PageReading | UnreadablePage) -> SheetRecord:
    return judge(the_sheet(), reading, (0.1, 0.1))


def test_a_sheet_read_as_meant_has_no_error_and_asks_nobody() -> None:
    record = judged(reading_of(the_sheet()))
    assert (record.status, record.asked, record.silent, record.doubts) == ("read", False, [], 0)
    assert record.read == record.clear == len(the_sheet().truths)
    expected = pytest.approx(0.9995 * record.marked)
    assert record.bins[bin_of(0.9995)] == [record.marked, record.marked, expected]
    empty = record.clear - record.marked
    assert record.bins[0] == [empty, 0, pytest.approx(0.0002 * empty)]


def test_a_vote_nobody_cast_is_silent_unless_its_question_goes_to_a_person() -> None:
    sheet = the_sheet()
    overfull = {truth.contest for truth in sheet.truths if truth.marked}
    record = judged(reading_of(sheet, wrong=len(sheet.truths)))
    several = {contest.id for contest in sheet.batch.form.contests if contest.max > 1}
    unmarked = [truth for truth in sheet.truths if not truth.marked]
    asked = [truth for truth in unmarked if truth.contest in overfull - several]
    assert record.caught >= len(asked) > 0
    assert len(record.silent) + record.caught == len(unmarked)
    assert {error["target"].split("/")[0] for error in record.silent} <= several
    assert record.asked


def test_what_a_person_is_asked_about_is_judged_apart() -> None:
    sheet = the_sheet()
    record = judged(reading_of(sheet, wrong=len(sheet.truths)))
    apart = sum(counts[0] for counts in record.asked_bins.values())
    assert 0 < apart < len(sheet.truths)
    assert apart + sum(counts[0] for counts in record.bins.values()) == len(sheet.truths)
    assert judged(reading_of(sheet)).asked_bins == {}


def test_doubts_refusals_and_wrong_forms_are_no_silent_errors() -> None:
    assert judged(reading_of(the_sheet(), doubtful=True)).doubts == len(the_sheet().truths)
    refused = judged(UnreadablePage(Reason.UNKNOWN_FORM))
    assert (refused.status, refused.read, refused.asked) == ("refused", 0, True)
    other = judged(replace(reading_of(the_sheet()), form="another"))
    assert (other.status, other.read, other.asked) == ("wrong form", 0, False)


def test_every_silent_error_and_every_doubt_gets_a_picture(tmp_path: Path) -> None:
    sheet = the_sheet()
    doubts = doubts_about(sheet, reading_of(sheet, doubtful=True))
    assert len(doubts) == len(sheet.truths)
    assert doubts_about(sheet, reading_of(sheet)) == []
    save_crop(sheet, doubts[0], tmp_path / "doubts")
    (picture,) = (tmp_path / "doubts").iterdir()
    crop = cv2.imdecode(np.frombuffer(picture.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert crop is not None
    # The box lies where the scan is said to show it: dark print around light paper.
    assert crop.min() < 80
    assert np.median(crop) > 200


def test_the_bound_is_the_exact_one() -> None:
    assert upper_bound(0, 1_549_703) == pytest.approx(1.933e-6, rel=1e-3)
    assert upper_bound(0, 100) == pytest.approx(0.02951, rel=1e-3)
    assert upper_bound(1, 100) == pytest.approx(0.04656, rel=1e-3)
    assert upper_bound(10, 100) == pytest.approx(0.16372, rel=1e-3)
    assert upper_bound(3, 3) == 1.0


def test_bins_cover_every_probability() -> None:
    assert [bin_of(p) for p in (0.0, 0.0005, 0.5, 0.9995, 1.0)] == [0, 0, 7, 13, 13]
    assert len(BINS) == 15


def test_a_bin_holds_while_it_errs_at_most_twice_as_often_as_it_says() -> None:
    low, high = bin_of(0.02), bin_of(0.98)
    rows = reliability_rows(
        [{low: [500, 20, 10.0], high: [600, 570, 588.0]}, {low: [500, 21, 10.0]}]
    )
    assert [row["holds"] for row in rows] == ["NO", "NO"]
    assert [(row["predicted"], row["observed"]) for row in rows] == [
        ("0.02000", "0.04100"),
        ("0.98000", "0.95000"),
    ]
    assert "0.01 .. 0.03, 0.97 .. 0.99" in in_words(rows)[0]
    rows = reliability_rows([{low: [1000, 40, 20.0], high: [600, 576, 588.0]}])
    assert [row["holds"] for row in rows] == ["yes", "yes"]
    assert "in all of them" in in_words(rows)[0]


def test_a_bin_may_err_once_in_a_thousand_and_one_of_few_cases_is_not_judged() -> None:
    few, many = {0: [99, 50, 0.0]}, {0: [2000, 2, 0.0]}
    assert [row["holds"] for row in reliability_rows([few])] == ["-"]
    assert [row["holds"] for row in reliability_rows([many])] == ["yes"]
    assert [row["holds"] for row in reliability_rows([many, {0: [0, 1, 0.0]}])] == ["NO"]


def test_a_batch_is_judged_without_and_with_what_it_shows_together() -> None:
    sheet = the_sheet()
    form = sheet.batch.form
    grey = replace(NOTHING, weight=0.033)
    doubtful = reading_of(sheet, doubtful=True)
    targets = tuple(replace(target, measures=grey) for target in doubtful.targets)
    noisy = replace(doubtful, targets=targets)
    needed = -(-FEWEST // len(targets))
    strange = UnreadablePage(Reason.UNKNOWN_FORM)
    assert settle_batch([noisy] * (needed - 1), [form]) == [noisy] * (needed - 1)
    *settled, last = settle_batch([*[noisy] * needed, strange], [form])
    assert last == strange
    before, after = judged(noisy), judged(settled[0])
    assert (before.doubts, after.doubts) == (len(sheet.truths), 0)
    # Here every mark is as grey as the rest, which no batch should show.
    assert len(after.silent) + after.caught == after.marked
    by_batch = {name: getattr(after, name) for name in JUDGED_TWICE}
    rows = compare([replace(before, by_batch=by_batch)])
    assert [row[2:4] for row in rows] == [[0, before.doubts], [len(after.silent), 0]]


def test_doubts_are_counted_by_reason() -> None:
    sheet = judged(reading_of(the_sheet(), doubtful=True))
    empty = sheet.clear - sheet.marked
    assert sheet.doubt_reasons == {"unclear_mark": [empty, sheet.marked]}
    rows = doubt_rows([sheet.doubt_reasons, {"misaligned": [1, 0]}, sheet.doubt_reasons])
    assert [tuple(row.values()) for row in rows] == [
        ("unclear_mark", 2 * sheet.clear, 2 * empty, 2 * sheet.marked, 2),
        ("misaligned", 1, 1, 0, 1),
    ]


def test_a_log_cut_short_is_taken_up_again_and_another_s_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert read_log(log, {"seed": 1}) == []
    record = judged(reading_of(the_sheet()))
    whole = [replace(record, seed=seed) for seed in range(12)]
    with log.open("a", encoding="utf-8") as stream:
        stream.writelines(json.dumps(asdict(one)) + "\n" for one in [*whole, record])
        stream.write('{"seed": 14, "form"')
    kept = read_log(log, {"seed": 1})
    assert [one.seed for one in kept] == list(range(12))
    assert kept == read_log(log, {"seed": 1})
    with pytest.raises(ValueError, match="another trial"):
        read_log(log, {"seed": 2})


def test_a_trial_runs_and_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_small_form(tmp_path / "forms")
    arguments = ["--positions", "20", "--seed", "5", "-j", "1", "--batch", "-o", str(tmp_path)]
    note = tmp_path / "docs" / "small.md"
    arguments += ["--forms", str(tmp_path / "forms"), "--committed", str(note)]
    code = main(arguments)
    first = json.loads((tmp_path / "conforming-5.json").read_text(encoding="utf-8"))
    log = (tmp_path / "conforming-5.jsonl").read_text(encoding="utf-8")
    assert main(arguments) == code
    assert (tmp_path / "conforming-5.jsonl").read_text(encoding="utf-8") == log
    again = json.loads((tmp_path / "conforming-5.json").read_text(encoding="utf-8"))
    assert first["sheets"] == 12
    assert {**again, "seconds": 0} == {**first, "seconds": 0}
    printed = capsys.readouterr().out
    assert "silent errors in" in printed
    assert "doubts of the batch" in printed
    positions = [row[1] for row in first["by_batch"]]
    assert positions == [first["positions"]] * 2
    text = note.read_text(encoding="utf-8")
    assert "--positions 20 --seed 5 --world conforming" in text
    assert f"{first['silent']} silent errors in {first['positions']} positions" in text
    assert str(tmp_path) not in text
