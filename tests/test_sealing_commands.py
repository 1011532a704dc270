"""The commands about seals, from the key to the check."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from scanner.counting.keys import read_key, read_public_key
from scanner.counting.signing import public_of
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError, ExitCode, UnreadableFileError
from tests.conftest import Run
from tests.fake_pages import make_form
from tests.sealed_counts import PIN, bytes_of, count_to_seal

PHRASE = "mười hai chữ trở lên"


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealing")
    return count_to_seal(folder / "ward", make_form(folder / "forms", "khao-sat"))


@pytest.fixture
def count(ready: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ready, tmp_path / "ward"))


@pytest.fixture
def key(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIEMPHIEU_KEY_PASS_PHRASE", PHRASE)
    monkeypatch.setenv("KIEMPHIEU_PIN", PIN)
    code, out, _err = run("key", "new", tmp_path / "lan.key")
    assert (code, "Fingerprint: " in out) == (ExitCode.OK, True)
    return tmp_path / "lan.key"


def test_a_key_is_kept_under_its_pass_phrase(key: Path) -> None:
    public = key.with_name("lan.key.pub")
    assert public_of(read_key(key, PHRASE)) == read_public_key(public)
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in key.read_bytes()
    with pytest.raises(TypeError):
        load_pem_private_key(key.read_bytes(), None)
    with pytest.raises(BadArgumentsError, match="pass phrase is wrong"):
        read_key(key, "another pass phrase")
    for other in (public, Path(__file__)):
        with pytest.raises(UnreadableFileError, match="no key"):
            read_key(other, PHRASE)
    with pytest.raises(UnreadableFileError, match="no key"):
        read_public_key(key)
    if sys.platform != "win32":
        assert key.stat().st_mode & 0o077 == 0


def test_no_key_is_written_over(run: Run, key: Path) -> None:
    former = key.read_bytes()
    assert run("key", "new", key)[0] == ExitCode.BAD_ARGUMENTS
    key.unlink()
    assert run("key", "new", key)[0] == ExitCode.BAD_ARGUMENTS
    assert not key.exists()
    assert former


def test_a_short_pass_phrase_makes_no_key(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIEMPHIEU_KEY_PASS_PHRASE", "elf letters")
    code, _out, err = run("key", "new", tmp_path / "a.key")
    assert (code, "12 letters or more" in err) == (ExitCode.BAD_ARGUMENTS, True)
    assert not (tmp_path / "a.key").exists()


def test_a_count_is_sealed_checked_and_opened_again(run: Run, key: Path, count: Path) -> None:
    trust = ("--trust", key.with_name("lan.key.pub"))
    code, out, _err = run("seal", count, "--key", key, "--by", "Hoa", "--unit", "w3")
    assert code == ExitCode.OK
    (number,) = [line.rpartition(": ")[2] for line in out.splitlines() if "Number" in line]
    for what in (count, count / "seal.json"):
        code, out, _err = run("verify", what, *trust)
        assert (code, number in out) == (ExitCode.OK, True)
    code, out, _err = run("verify", count / "exports" / "tally.json", *trust)
    assert (code, "which is trusted" in out) == (ExitCode.OK, True)
    assert "is sealed" in run("log", count)[1]

    before = bytes_of(count)
    for command in (
        ("scan", count, key),
        ("decide", count, "1", "c1", "--blank", "--by", "Hoa", "--why", "rõ"),
        ("thresholds", count, "--set-marked", "0.999", "--by", "Hoa", "--why", "rõ"),
        ("tally", count, "--issued", "9"),
        ("people", "add", count, "Lan", "--role", "reader"),
        ("review", count, "--no-browser"),
        ("seal", count, "--key", key),
        ("export", count, "--to", "tally"),
    ):
        code, _out, err = run(*command)
        assert code == ExitCode.BAD_COUNT, command
        assert "sealed" in err, command
    assert bytes_of(count) == before
    assert run("export", count, "--to", "boxes")[0] == ExitCode.OK
    assert "Written later" in run("verify", count)[1]

    assert run("seal", count, "--open-again", "--by", "Hoa", "--why", "đếm lại")[0] == ExitCode.OK
    assert "đếm lại" in run("log", count)[1]
    assert run("verify", count)[0] == ExitCode.BAD_COUNT


def test_what_was_altered_is_named_and_the_exit_code_says_so(
    run: Run, key: Path, count: Path
) -> None:
    assert run("seal", count, "--key", key)[0] == ExitCode.OK
    scan = count / "images" / "a.pdf"
    scan.write_bytes(scan.read_bytes().replace(b"four", b"five"))
    code, out, err = run("verify", count)
    assert code == ExitCode.BAD_COUNT
    assert "Changed: images/a.pdf" in out
    assert "does not hold" in err


def test_only_the_committee_seals_and_opens_again(
    run: Run, key: Path, count: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _out, err = run("seal", count, "--key", key, "--by", "Xem")
    assert (code, "Only the committee" in err) == (ExitCode.BAD_ARGUMENTS, True)
    assert run("seal", count, "--key", key, "--by", "Hoa")[0] == ExitCode.OK
    before = bytes_of(count)
    again = ("seal", count, "--open-again", "--why", "đếm lại")
    assert run(*again, "--by", "Xem")[0] == ExitCode.BAD_ARGUMENTS
    assert run(*again)[0] == ExitCode.BAD_ARGUMENTS
    monkeypatch.setenv("KIEMPHIEU_PIN", "0000")
    assert run(*again, "--by", "Hoa")[0] == ExitCode.BAD_ARGUMENTS
    assert bytes_of(count) == before
    with Store(count) as store:
        assert store.is_sealed


def test_a_seal_needs_a_key(run: Run, count: Path) -> None:
    code, _out, err = run("seal", count)
    assert (code, "needs a key" in err) == (ExitCode.BAD_ARGUMENTS, True)


def test_a_folder_without_a_seal_is_said_to_have_none(
    run: Run, count: Path, tmp_path: Path
) -> None:
    code, out, _err = run("verify", count)
    assert (code, "Missing: seal.json" in out) == (ExitCode.BAD_COUNT, True)
    assert run("verify", tmp_path / "nowhere")[0] == ExitCode.BAD_INPUT
    (tmp_path / "empty").mkdir()
    code, out, _err = run("verify", tmp_path / "empty")
    assert (code, "no count here" in out) == (ExitCode.BAD_COUNT, True)
