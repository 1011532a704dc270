"""The command merge: from files to a file, with its messages and exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cli import main
from scanner.counting.signing import Kind, RecordHead, sign, write_plain
from scanner.errors import ExitCode
from scanner.messages import set_language
from scanner.publishing.tally_json import read_tally
from tests.document_facts import unit_file
from tests.mailed_tallies import AT, Ballot, count, mail

UNITS = """\
quota: 3
periods: [{id: 2026-Q1, due: 2026-03-20}]
unit:
  id: town
  name: Thị trấn
  units:
    - {id: n1, name: Phường Một}
    - {id: n2, name: Phường Hai}
    - {id: n3, name: Phường Ba}
"""
A, B = Ballot((0,)), Ballot((1,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "units.yaml").write_text(UNITS, encoding="utf-8")
    mails = tmp_path / "in"
    mails.mkdir()
    mail(count("n1", "2026-Q1", [A, A, B]), mails, "one.json")
    late = datetime(2026, 3, 21, tzinfo=UTC)
    mail(count("n2", "2026-Q1", [A, B], at=late), mails, "two.json")
    return tmp_path


def merge(folder: Path, *more: str) -> int:
    out = str(folder / "town.json")
    return main(["merge", str(folder / "in"), "--tree", str(folder / "units.yaml"), *more,
                 "-o", out])  # fmt: skip


def test_tallies_of_a_folder_become_one_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert merge(folder) == ExitCode.OK
    total = read_tally(folder / "town.json")
    assert total.unit is not None
    assert (total.unit.id, total.period, total.sheets.valid) == ("town", "2026-Q1", 5)
    shown = capsys.readouterr().out
    assert "2026-Q1: 2 of 3 units are complete." in shown
    assert "Phường Hai: 2026-Q1 came late, on 2026-03-21 (two.json)." in shown
    assert "Phường Hai: 2026-Q1 is short of its quota: 2 of 3, 66.67 %." in shown
    assert "Phường Ba: 2026-Q1 is missing." in shown


def test_it_speaks_vietnamese(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        assert main(["--lang", "vi", "merge", str(folder / "in"), "--tree",
                     str(folder / "units.yaml")]) == ExitCode.OK  # fmt: skip
    finally:
        set_language("en")
    shown = capsys.readouterr().out
    assert "66,67 %" in shown
    assert "21/03/2026" in shown


def test_two_different_files_for_one_unit_leave_with_the_code_of_a_tally_that_differs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mail(count("n1", "2026-Q1", [B]), folder / "in", "other.json")
    assert merge(folder) == ExitCode.TALLY_DIFFERS
    error = capsys.readouterr().err
    assert "one.json" in error
    assert "other.json" in error
    assert not (folder / "town.json").exists()


def test_the_same_file_twice_is_named_and_added_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = (folder / "in" / "one.json").read_bytes()
    (folder / "in" / "three.json").write_bytes(copy)
    assert merge(folder) == ExitCode.OK
    assert "three.json is the same file as one.json" in capsys.readouterr().out
    assert read_tally(folder / "town.json").sheets.valid == 5


def test_a_tally_that_does_not_say_whose_it_is_may_be_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "in" / "two.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**data, "unit": None, "period": ""}), encoding="utf-8")
    assert merge(folder) == ExitCode.TALLY_DIFFERS
    assert "--as" in capsys.readouterr().err
    assert merge(folder, "--as", str(path), "n2", "2026-Q1") == ExitCode.OK
    assert read_tally(folder / "town.json").sheets.valid == 5


def test_a_tally_that_says_whose_it_is_cannot_be_told_otherwise(folder: Path) -> None:
    path = str(folder / "in" / "two.json")
    assert merge(folder, "--as", path, "n3", "2026-Q1") == ExitCode.BAD_ARGUMENTS


def test_a_file_that_is_told_and_not_given_is_refused(folder: Path) -> None:
    assert merge(folder, "--as", "none.json", "n3", "2026-Q1") == ExitCode.BAD_ARGUMENTS


def test_an_altered_sum_is_refused(folder: Path) -> None:
    path = folder / "in" / "two.json"
    text = path.read_text(encoding="utf-8")
    assert '"votes": 1' in text
    path.write_text(text.replace('"votes": 1', '"votes": 2', 1), encoding="utf-8")
    assert merge(folder) == ExitCode.TALLY_DIFFERS


def sealed(path: Path) -> bytes:
    """Seals a tally where it lies; the public key as a file has it."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    data = json.loads(path.read_text(encoding="utf-8"))
    signed = sign(Kind.TALLY, data, [key], at=AT, record=RecordHead(0, "0" * 64))
    path.write_bytes(write_plain(signed))
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_sealed_tally_is_added_if_its_seal_holds(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "in" / "two.json"
    sealed(path)
    assert merge(folder) == ExitCode.OK
    assert read_tally(folder / "town.json").sheets.valid == 5
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"name": "N2"', '"name": "N3"'), encoding="utf-8")
    assert merge(folder) == ExitCode.TALLY_DIFFERS
    assert "two.json" in capsys.readouterr().err


def test_a_document_of_an_altered_sealed_tally_is_refused(folder: Path) -> None:
    path = folder / "in" / "two.json"
    sealed(path)
    unit = unit_file(folder)
    ask = ("--kind", "english", "--unit", str(unit), "--provisional", "-o", str(folder / "a.docx"))
    assert main(["report", str(path), *ask]) == ExitCode.OK
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"name": "N2"', '"name": "N3"'), encoding="utf-8")
    assert main(["report", str(path), *ask]) == ExitCode.TALLY_DIFFERS


def test_with_a_trusted_key_what_it_has_not_signed_is_refused(folder: Path) -> None:
    trusted = folder / "lan.key.pub"
    trusted.write_bytes(sealed(folder / "in" / "two.json"))
    assert merge(folder, "--trust", str(trusted)) == ExitCode.TALLY_DIFFERS
    sealed(folder / "in" / "one.json")
    assert merge(folder, "--trust", str(trusted)) == ExitCode.OK


def test_weights_give_a_column_of_their_own(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = UNITS.replace("name: Phường Một", "name: Phường Một, weight: 4")
    (folder / "units.yaml").write_text(text, encoding="utf-8")
    assert merge(folder) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "weighted" in shown
    assert "64.29 %" in shown
