"""A document takes its figures and its decisions from the count, whatever lies beside it."""

from __future__ import annotations

import json
from pathlib import Path

import docx
import pytest

from cli import main
from scanner.counting.account import open_books
from scanner.counting.adjudication import Verdict
from scanner.counting.bench import Hand
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.rework import set_aside
from scanner.counting.reworked import ReworkKind
from scanner.counting.secrecy import Secrecy
from scanner.counting.signing import Kind as Kind_
from scanner.counting.signing import RecordHead, SignedFile, read_signed, sign, write_plain
from scanner.counting.store import Store
from scanner.errors import ExitCode, TallyMismatchError
from scanner.publishing.decision_lines import decision_lines
from scanner.publishing.documents.blocks import SealMark, Table
from scanner.publishing.documents.compose import compose
from scanner.publishing.documents.facts import Kind
from scanner.publishing.documents.gather import facts_of_sum, facts_of_tally
from scanner.publishing.documents.seal_picture import QR_MM
from scanner.publishing.documents.unit import read_unit
from tests.document_facts import AT, unit_file
from tests.document_files import docx_texts, pdf_text, squeezed
from tests.fake_pages import make_form
from tests.mailed_tallies import Ballot, mail
from tests.mailed_tallies import count as tally_of_unit
from tests.sealed_counts import LAN, count_to_seal, seal_with
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


def test_a_sheet_that_people_declared_void_is_among_the_decisions(
    count: Path, tmp_path: Path
) -> None:
    unit = unit_file(tmp_path)
    assert main(["tally", str(count), "--collected", "3"]) == ExitCode.OK
    with Store(count) as store:
        forms = load_kept_forms(store)
        set_aside(store, forms, 2, ReworkKind.VOID, Hand("Lan", "xé đôi"))
        (line,) = decision_lines(store, open_books(store, forms), Secrecy())
    assert (line.sheet, line.decision, line.why) == ("0002", "declared void", "xé đôi")
    assert line.is_standing
    code, texts = write(count, unit)
    assert code == ExitCode.OK
    place = texts.index("0002")
    assert texts[place + 1 : place + 4] == ["Cả phiếu", "Được xác định là không hợp lệ", "Lan"]


def final(kind: str, unit: Path, out: Path, *sources: Path, more: tuple[str, ...] = ()) -> int:
    order = ["report", *map(str, sources), "--kind", kind, "--unit", str(unit), "-o", str(out)]
    return main([*order, *more])


@pytest.fixture
def sealed(tmp_path: Path) -> tuple[Path, SignedFile]:
    """A sealed count and its seal."""
    folder = count_to_seal(tmp_path / "ward", make_form(tmp_path / "wforms", "khao-sat"))
    return folder, seal_with(folder)


def test_minutes_of_a_sealed_tally_bear_its_fingerprint_and_its_code(
    sealed: tuple[Path, SignedFile], tmp_path: Path
) -> None:
    count, _seal = sealed
    unit, tally = unit_file(tmp_path), count / "exports" / "tally.json"
    number = read_signed(tally.read_bytes()).short
    for kind in ("minutes", "english"):
        assert final(kind, unit, tmp_path / "a.docx", tally) == ExitCode.OK
        made = docx.Document(str(tmp_path / "a.docx"))
        assert number in docx_texts(made)
        assert made.inline_shapes[-1].width.mm == pytest.approx(QR_MM, abs=0.1)
    facts = facts_of_tally(tally, read_unit(unit), "vi")
    assert facts.seal is not None
    assert facts.seal.code == f"kiemphieu:{read_signed(tally.read_bytes()).digest}"
    assert final("minutes", unit, tmp_path / "a.pdf", tally) == ExitCode.OK
    assert squeezed(number) in pdf_text((tmp_path / "a.pdf").read_bytes())


def test_a_sealed_tally_whose_seal_does_not_hold_gives_no_document(
    sealed: tuple[Path, SignedFile], tmp_path: Path
) -> None:
    count, _seal = sealed
    tally = count / "exports" / "tally.json"
    tally.write_bytes(tally.read_bytes().replace(b'"issued": 5', b'"issued": 6'))
    out = tmp_path / "a.docx"
    assert final("minutes", unit_file(tmp_path), out, tally) == ExitCode.TALLY_DIFFERS
    assert not out.exists()


def test_a_sealed_count_of_which_a_file_was_altered_gives_no_document(
    sealed: tuple[Path, SignedFile], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count, seal = sealed
    unit, out = unit_file(tmp_path), tmp_path / "a.docx"
    assert final("minutes", unit, out, count) == ExitCode.OK
    assert seal.short in docx_texts(docx.Document(str(out)))
    out.unlink()
    with (count / "images" / "a.pdf").open("ab") as scan:
        scan.write(b" ")
    assert final("minutes", unit, out, count) == ExitCode.BAD_COUNT
    assert "images/a.pdf" in capsys.readouterr().err.replace("\n", "")
    assert not out.exists()


def test_a_roll_up_lists_the_seal_of_every_tally_that_has_one(tmp_path: Path) -> None:
    names = [f"n{place}" for place in range(1, 7)]
    tallies = [mail(tally_of_unit(name, "2026-Q1", [Ballot((0,), (1,), 0)] * 3), tmp_path,
                    f"{name}.json").file for name in names]  # fmt: skip
    paths = [tmp_path / name for name in tallies]
    tree = tmp_path / "units.yaml"
    units = "".join(f"\n    - {{id: {name}, name: Xã {name}}}" for name in names)
    tree.write_text(f"schema: 1\nunit:\n  id: t\n  name: T\n  units:{units}\n", encoding="utf-8")
    unit = read_unit(unit_file(tmp_path))

    def marks() -> tuple[list[str], int]:
        facts = facts_of_sum(paths, tree, unit, "vi", AT)
        blocks = list(compose(Kind.ROLLUP, facts).blocks())
        texts = [cell for block in blocks if isinstance(block, Table)
                 for row in block.rows for cell in row.cells]  # fmt: skip
        return texts, sum(isinstance(block, SealMark) for block in blocks)

    assert marks()[1] == 0
    assert "Chưa khóa" not in marks()[0]
    numbers = [sealed_where_it_lies(path) for path in paths[:2]]
    texts, codes = marks()
    assert codes == 2
    assert [texts.count(number) for number in numbers] == [1, 1]
    assert texts.count("Chưa khóa") == 4
    numbers += [sealed_where_it_lies(path) for path in paths[2:]]
    texts, codes = marks()
    assert (codes, {*numbers} <= {*texts}) == (0, True)
    paths[0].write_bytes(paths[0].read_bytes().replace(b'"votes": 3', b'"votes": 2', 1))
    with pytest.raises(TallyMismatchError):
        marks()


def sealed_where_it_lies(path: Path) -> str:
    data = json.loads(path.read_text(encoding="utf-8"))
    signed = sign(Kind_.TALLY, data, [LAN], at=AT, record=RecordHead(0, "0" * 64))
    path.write_bytes(write_plain(signed))
    return read_signed(path.read_bytes()).short


def test_minutes_of_a_count_that_does_not_close_are_refused(count: Path, tmp_path: Path) -> None:
    take_decision(count, 2, Verdict.OPTIONS, "c1", "o1")
    assert main(["tally", str(count), "--collected", "4"]) == ExitCode.OK
    assert write(count, unit_file(tmp_path)) == (ExitCode.BAD_COUNT, [])
    assert main(["tally", str(count), "--collected", "3"]) == ExitCode.OK
    assert write(count, unit_file(tmp_path))[0] == ExitCode.OK
