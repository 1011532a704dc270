"""The price of limits as a user sees it: table, picture, trial and change."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.limits import Limits, ladder, limits_to_set
from scanner.counting.price_range import price_range
from scanner.counting.prices import ContestPrice, Price, of_contests
from scanner.counting.redecide import at_rest, change_limits, redecide
from scanner.counting.results import now
from scanner.counting.store import Store
from scanner.errors import ExitCode
from scanner.publishing.tally_json import build_tally, check_tally
from scanner.publishing.thresholds_plot import draw_prices, errors_in_words, limit_in_words
from tests.conftest import Run
from tests.fake_pages import make_form
from tests.stored_counts import READ_WITH, STRICT, ink, make_count

EMPTY, CLEAR, WEAK = ink(0.001), ink(0.5), ink(0.11)


@pytest.fixture
def count(tmp_path: Path) -> Path:
    form = make_form(tmp_path / "forms", "khao-sat")
    weak = ((WEAK, EMPTY, EMPTY), (CLEAR, EMPTY, EMPTY))
    clean = ((CLEAR, EMPTY, EMPTY), (ink(0.2), ink(0.04), EMPTY))
    return make_count(tmp_path / "phuong-3", form, [weak, clean, clean])


def test_the_price_is_shown_before_a_limit_is_chosen(run: Run, count: Path) -> None:
    code, out, _err = run("thresholds", count)
    assert code == ExitCode.OK
    (in_force,) = [line for line in out.splitlines() if "← in force" in line]
    cells = [cell.strip() for cell in in_force.strip("│").split("│")]
    assert cells[:6] == ["0.98", "0.03", "1", "1", "1", "33.3"]
    assert "Of 3 sheets with 18 targets" in out
    assert "if the probabilities of the reading are true" in out
    assert "Câu 1 [c1]" in out
    rows = [line for line in out.splitlines() if line.startswith("│ ") and "%" not in line]
    assert len(rows) >= len(ladder(READ_WITH))


def test_a_trial_names_what_would_change_and_writes_nothing(run: Run, count: Path) -> None:
    asked = ("thresholds", count, "--set-unmarked", "0.0001", "--set-marked", "0.9999")
    code, out, _err = run(*asked, "--dry-run")
    assert code == ExitCode.OK
    assert "2 targets: marked → doubtful" in out
    assert "2 targets: not marked → doubtful" in out
    assert "2 sheets: clean → in doubt" in out
    assert "Nothing was written" in out
    assert [line.split("│")[2].strip() for line in out.splitlines() if "│ 0003" in line] == [
        "c2/o1", "c2/o2",
    ]  # fmt: skip
    with Store(count) as store:
        assert store.limit_changes() == []
    assert "2 in doubt" not in run("tally", count)[1]


def test_a_change_is_written_and_holds(run: Run, count: Path) -> None:
    asked = ("thresholds", count, "--set-unmarked", "0.0001", "--set-marked", "0.9999")
    code, _out, err = run(*asked)
    assert code == ExitCode.BAD_ARGUMENTS
    assert "a name and a reason" in err
    code, out, _err = run(*asked, "--by", "Lan", "--why", "theo biên bản")
    assert code == ExitCode.OK
    assert "marked from 0.9999, not marked up to 0.0001" in out
    (in_force,) = [line for line in out.splitlines() if "← in force" in line]
    assert "0.9999" in in_force
    assert "3 in doubt" in run("tally", count)[1]
    assert "nothing changes" in run(*asked, "--dry-run")[1]
    # The limit that is not named stays.
    run("thresholds", count, "--set-marked", "0.99", "--by", "Lan", "--why", "thử")
    with Store(count) as store:
        last = json.loads(store.limit_changes()[-1].settings)
    assert (last["clearly_marked"], last["clearly_unmarked"]) == (0.99, 0.0001)


def test_the_first_of_many_changes_are_named_and_the_others_counted(
    run: Run, tmp_path: Path
) -> None:
    form = make_form(tmp_path / "forms", "khao-sat")
    clean = ((CLEAR, EMPTY, EMPTY), (ink(0.2), EMPTY, EMPTY))
    count = make_count(tmp_path / "many", form, [clean] * 40)
    _code, out, _err = run("thresholds", count, "--set-marked", "0.9999", "--dry-run")
    assert "40 targets: marked → doubtful" in out
    assert out.count("c2/o1") == 30
    assert "… and 10 more targets." in out


def test_a_count_without_a_batch_has_no_price(run: Run, tmp_path: Path) -> None:
    Store(tmp_path / "new", create=True).__exit__(None, None, None)
    assert "Nothing has been scanned" in run("thresholds", tmp_path / "new")[1]
    code, _out, err = run("thresholds", tmp_path / "new", "--set-marked", "0.9")
    assert (code, "Nothing has been scanned" in err) == (ExitCode.BAD_ARGUMENTS, True)


@pytest.mark.parametrize(("option", "value"), [("--set-marked", "0.4"), ("--set-unmarked", "0.6")])
def test_limits_that_cross_are_refused(run: Run, count: Path, option: str, value: str) -> None:
    assert run("thresholds", count, option, value)[0] == ExitCode.BAD_ARGUMENTS


def test_the_plot_is_a_picture_that_opens(run: Run, count: Path, tmp_path: Path) -> None:
    code, out, _err = run("thresholds", count, "-o", tmp_path / "prices.png")
    assert (code, out.splitlines()[-1]) == (ExitCode.OK, str(tmp_path / "prices.png"))
    with Image.open(tmp_path / "prices.png") as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
    assert run("thresholds", count, "-o", tmp_path / "prices.pdf")[0] == ExitCode.BAD_ARGUMENTS
    assert not (tmp_path / "prices.pdf").exists()


def test_a_bar_of_the_plot_is_as_high_as_its_figure() -> None:
    few, many = (Price(READ_WITH, all_sheets=100, sheets=n) for n in (20, 80))
    few.contests["f", "c"] = many.contests["f", "c"] = ContestPrice(silent_errors=0.5)
    pixels = np.asarray(draw_prices([few, many], "phường 3")).astype(int)
    is_bar = np.abs(pixels - (70, 130, 180)).sum(axis=2) < 10
    middle = pixels.shape[1] // 2
    left, right = is_bar[:, :middle].any(axis=1).sum(), is_bar[:, middle:].any(axis=1).sum()
    assert right == pytest.approx(4 * left, rel=0.05)


def test_the_plot_marks_the_limits_in_force() -> None:
    plain, present = Price(READ_WITH), Price(STRICT, is_present=True)
    pixels = np.asarray(draw_prices([plain, present], "x")).astype(int)
    on_band = np.abs(pixels - (255, 243, 214)).sum(axis=2) < 4
    middle = pixels.shape[1] // 2
    assert on_band[:, middle + 40 :].mean() > 0.2
    assert on_band[:, :middle].mean() == 0


def test_figures_have_two_digits_and_no_exponent() -> None:
    said = [errors_in_words(n) for n in (0, 1e-9, 0.0001, 0.0421, 0.5, 4.82, 12.34, 1234.5)]
    assert said == ["0", "< 0.0001", "0.00010", "0.042", "0.50", "4.8", "12.3", "1234"]
    assert [limit_in_words(n) for n in (0.98, 0.000031, 1.0)] == ["0.98", "0.000031", "1.0"]


def test_contests_come_in_the_order_of_the_forms(count: Path) -> None:
    with Store(count) as store:
        forms = load_kept_forms(store)
        price = price_range(store, forms)[-1]
    assert list(of_contests(price, forms)) == [("khao-sat", "c1"), ("khao-sat", "c2")]


def test_the_tally_says_with_which_limits_it_was_decided(count: Path) -> None:
    with Store(count) as store:
        forms = load_kept_forms(store)
        assert build_tally(store, forms, now())["limit_changes"] == []
        with at_rest(store):
            change_limits(store, redecide(store, forms, STRICT), by="Lan", why="thử")
        tally = build_tally(store, forms, now())
    check_tally(tally)
    assert tally["batches"][0]["settings"]["clearly_marked"] == STRICT.marked
    (made,) = tally["limit_changes"]
    assert (made["by"], made["why"], made["batch"]) == ("Lan", "thử", 1)
    assert made["settings"]["clearly_unmarked"] == STRICT.unmarked


def test_a_limit_that_is_not_named_stays(count: Path) -> None:
    with Store(count) as store:
        assert limits_to_set(store, None, None) is None
        assert limits_to_set(store, 0.99, None) == Limits(0.99, 0.03)
        assert limits_to_set(store, None, 0.01) == Limits(0.98, 0.01)
