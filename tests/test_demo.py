"""The sample, through the whole program: as it is, and spoilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import cli
from scanner.ballot import SheetStatus
from scanner.commands import counting
from scanner.commands.shared import HOME
from scanner.counting.intake import scan
from scanner.counting.records import BatchRequest
from scanner.counting.store import Store
from scanner.errors import ExitCode, UnreadableFileError
from scanner.forms.sample import rearrange_scan
from scanner.publishing.demo import count_sample, show_demo

SAMPLE = HOME / counting.DEMO_SAMPLE
FORMS = HOME / "form_templates"
SHEETS = 38

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, counted."""
    folder = tmp_path_factory.mktemp("demo") / "count"
    count_sample(SAMPLE, FORMS, folder)
    return folder


def test_the_sample_gives_the_published_figures(count: Path) -> None:
    result = count_sample(SAMPLE, FORMS, count)
    assert result.differences == ()
    assert len(result.published) == 19
    assert all(figure.counted == figure.expected for figure in result.published)
    assert result.tally.closes
    assert list(show_demo(result))


def test_the_demo_prints_shares_in_whole_percent(
    count: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["demo", "-o", str(count)]) == ExitCode.OK
    out = capsys.readouterr().out
    for figure in ("23/38  61 %", "19/38  50 %", "6/38  16 %", "29/38  76 %", "3/38  8 %"):
        assert out.count(figure) >= 2
    assert "All figures are the expected ones." in out


def test_a_figure_that_differs_is_named(
    count: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "sample"
    shutil.copytree(SAMPLE, changed)
    text = (changed / "expected.json").read_text("utf-8")
    (changed / "expected.json").write_text(text.replace('"o1": 23', '"o1": 22'), "utf-8")
    monkeypatch.setattr(counting, "DEMO_SAMPLE", changed)
    assert cli.main(["demo", "-o", str(count)]) == ExitCode.TALLY_DIFFERS
    assert "q1_1/o1: votes 23, expected 22" in capsys.readouterr().out


def test_without_the_sample_the_demo_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="not here"):
        count_sample(tmp_path, FORMS, tmp_path / "count")


def test_a_missing_a_shuffled_and_a_turned_page_are_flagged_or_put_right(tmp_path: Path) -> None:
    order = list(range(1, 2 * SHEETS + 1))
    order.remove(20)
    order.remove(41)
    order.insert(60, 41)
    spoilt = tmp_path / "spoilt.pdf"
    rearrange_scan(SAMPLE / "scan.pdf", spoilt, order, upside_down=(10,))
    request = BatchRequest(files=(str(spoilt),), forms=("sxd_5muc",))
    summary = scan(tmp_path / "count", request, FORMS)
    assert summary.statuses[SheetStatus.CLEAN] >= SHEETS - 6
    with Store(tmp_path / "count") as store:
        pages: dict[int, list[int]] = {}
        for sheet, source in store.sources():
            pages.setdefault(sheet, []).append(order[source.number - 1])
        unflagged = [pages[record.sheet] for record in store.sheets() if not record.reasons]
    assert all((front + 1) // 2 == back // 2 for front, back in unflagged)
    assert [9, 10] in unflagged
