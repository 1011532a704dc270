"""A document takes its figures and its decisions from the count, whatever lies beside it."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest

from cli import main
from scanner.counting.adjudication import Verdict
from scanner.errors import ExitCode
from tests.document_facts import unit_file
from tests.document_files import docx_texts
from tests.fake_pages import make_form
from tests.stored_counts import ink, make_count, take_decision

EMPTY, CLEAR, WEAK = ink(0.001), ink(0.5), ink(0.11)


@pytest.fixture
def count(tmp_path: Path) -> Path:
    """Three papers of one question with two options; on the second a mark is doubtful."""
    form = make_form(tmp_path / "forms", "f", pages=1)
    targets = len(form.targets_on(1))
    rest = [EMPTY] * (targets - 2)
    sheets = [[[CLEAR, EMPTY, *rest]], [[WEAK, EMPTY, *rest]], [[EMPTY, CLEAR, *rest]]]
    return make_count(tmp_path / "count", form, sheets)


def write(count: Path, unit: Path, *more: str) -> tuple[int, list[str]]:
    out = count.parent / "out.docx"
    out.unlink(missing_ok=True)
    order = ["report", str(count), "--kind", "minutes", "--unit", str(unit), "-o", str(out)]
    code = main([*order, *more])
    return code, docx_texts(docx.Document(str(out))) if out.exists() else []


def test_a_count_with_a_doubt_gives_no_final_minutes_and_its_decision_stands_in_them(
    count: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = unit_file(tmp_path)
    assert main(["tally", str(count), "--collected", "3"]) == ExitCode.OK
    code, texts = write(count, unit)
    assert (code, texts) == (ExitCode.BAD_COUNT, [])
    assert "--provisional" in capsys.readouterr().err
    code, texts = write(count, unit, "--provisional")
    assert code == ExitCode.OK
    assert "SỐ LIỆU TẠM THỜI: còn 1 phiếu chờ xem xét. Không dùng để công bố." in texts

    take_decision(count, 2, Verdict.OPTIONS, "c1", "o1")
    code, texts = write(count, unit)
    assert code == ExitCode.OK
    assert not any("TẠM THỜI" in text for text in texts)
    assert "- Số phiếu hợp lệ: 3 phiếu;" in texts
    place = texts.index("0002")
    assert texts[place + 2 : place + 4] == ["Phương án 1", "Lan"]


def test_minutes_of_a_count_that_does_not_close_are_refused(count: Path, tmp_path: Path) -> None:
    take_decision(count, 2, Verdict.OPTIONS, "c1", "o1")
    assert main(["tally", str(count), "--collected", "4"]) == ExitCode.OK
    assert write(count, unit_file(tmp_path)) == (ExitCode.BAD_COUNT, [])
    assert main(["tally", str(count), "--collected", "3"]) == ExitCode.OK
    assert write(count, unit_file(tmp_path))[0] == ExitCode.OK
