"""The commands about people and the record."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from scanner.counting.people import Role
from scanner.counting.store import Store
from scanner.errors import ExitCode
from tests.conftest import Run
from tests.decided_counts import count_with_doubts
from tests.fake_pages import make_form

DECIDE = ("--by", "Lan", "--why", "rõ")


@pytest.fixture
def count(tmp_path: Path) -> Path:
    return count_with_doubts(tmp_path / "ward", make_form(tmp_path / "forms", "khao-sat"))


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed where a command asks for a PIN, one after the other."""
    waiting: list[str] = []

    def prompt(_text: str, *, hide_input: bool, err: bool) -> str:
        assert hide_input
        assert err
        return waiting.pop(0)

    monkeypatch.delenv("KIEMPHIEU_PIN", raising=False)
    monkeypatch.setattr("scanner.commands.record.click.prompt", prompt)
    return waiting


@pytest.fixture
def staffed(count: Path) -> Path:
    with Store(count) as store:
        store.add_person("Hoa", "1111", Role.COMMITTEE, "Hoa")
        store.add_person("Lan", "4711", Role.READER, "Hoa")
        store.add_person("Xem", "2222", Role.OBSERVER, "Hoa")
    return count


def test_people_are_added_listed_and_changed(count: Path, run: Run, typed: list[str]) -> None:
    code, out, _err = run("people", count)
    assert (code, "Nobody takes part yet" in out) == (ExitCode.OK, True)
    typed += ["4711", "4711"]
    assert run("people", "add", count, "Lan", "--role", "committee")[0] == ExitCode.OK
    typed += ["1234", "1234"]
    assert run("people", "add", count, "Minh", "--role", "reader")[0] == ExitCode.OK
    typed += ["5678", "5678"]
    code, out, _err = run("people", "change", count, "minh", "--role", "observer", "--pin",
                          "--inactive")  # fmt: skip
    assert code == ExitCode.OK
    (line,) = [line for line in out.splitlines() if "Minh" in line]
    assert "observer" in line
    assert "no" in line
    assert run("people", "list", count)[1] == out
    with Store(count) as store:
        assert [(one.name, one.role, one.is_active) for one in store.people()] == [
            ("Lan", Role.COMMITTEE, True),
            ("Minh", Role.OBSERVER, False),
        ]


def test_two_pins_that_differ_add_nobody(count: Path, run: Run, typed: list[str]) -> None:
    typed += ["4711", "4712"]
    code, _out, err = run("people", "add", count, "Lan", "--role", "reader")
    assert (code, "differ" in err) == (ExitCode.BAD_ARGUMENTS, True)
    with Store(count) as store:
        assert store.people() == []


def test_a_pin_can_come_from_the_environment(
    count: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIEMPHIEU_PIN", "4711")
    assert run("people", "add", count, "Lan", "--role", "reader")[0] == ExitCode.OK
    with Store(count) as store:
        assert store.check_pin("Lan", "4711").role is Role.READER


def test_somebody_who_is_not_there_is_named(count: Path, run: Run) -> None:
    code, _out, err = run("people", "change", count, "Ai", "--role", "reader")
    assert (code, "Ai" in err) == (ExitCode.BAD_ARGUMENTS, True)


def test_the_log_tells_what_was_done(count: Path, run: Run) -> None:
    assert run("decide", count, 2, "c1", "o2", *DECIDE)[0] == ExitCode.OK
    assert run("decide", count, 3, "--refuse", "--by", "Minh", "--why", "phiếu lạ")[0] == 0
    code, out, _err = run("log", count)
    assert code == ExitCode.OK
    for text in ("Câu 1: Phương án 2", "before: unclear (in doubt)", "after: Phương án 2 (decided)",
                 "reason: rõ", "not to be counted", "batch 1 begun, 1 files"):  # fmt: skip
        assert text in out
    assert out.index("not to be counted") < out.index("Câu 1: Phương án 2")
    of_sheet = run("log", count, "--sheet", 2)[1]
    assert "Phương án 2" in of_sheet
    assert "phiếu lạ" not in of_sheet
    of_minh = run("log", count, "--who", "Minh")[1]
    assert "phiếu lạ" in of_minh
    assert "Phương án 2" not in of_minh
    assert "Phương án 2" not in run("log", count, "--most", 1)[1]


def test_a_record_that_holds_says_so(count: Path, run: Run) -> None:
    code, out, _err = run("log", count, "--verify")
    with Store(count) as store:
        number, last = store.head()
    assert code == ExitCode.OK
    assert out.splitlines() == [
        f"The record is whole: {number} entries.",
        f"Hash of the last: {last}",
    ]
    assert run("log", count, "--contains", last)[0] == ExitCode.OK


def test_a_record_that_does_not_hold_names_the_entry(count: Path, run: Run) -> None:
    run("decide", count, 2, "c1", "o2", *DECIDE)
    connection = sqlite3.connect(count / "count.db")
    with connection:
        connection.execute("UPDATE decision SET options = '[\"o1\"]'")
    connection.close()
    code, _out, err = run("log", count, "--verify")
    assert code == ExitCode.BAD_COUNT
    assert "Row 1 of the table decision is not what entry 4 of the record says." in err


def test_a_hash_that_is_not_there_is_named(count: Path, run: Run) -> None:
    code, _out, err = run("log", count, "--contains", "ab" * 32)
    assert (code, "ab" * 32 in err) == (ExitCode.BAD_COUNT, True)


def test_a_decision_is_taken_back_on_the_command_line(count: Path, run: Run) -> None:
    run("decide", count, 2, "c1", "o2", *DECIDE)
    code, out, _err = run("decide", count, 2, "c1", "--withdraw", *DECIDE)
    assert code == ExitCode.OK
    assert "0002: in doubt" in out
    code, _out, err = run("decide", count, 2, "c1", "--withdraw", *DECIDE)
    assert (code, "taken back" in err) == (ExitCode.BAD_ARGUMENTS, True)


def test_where_people_are_known_a_decision_needs_a_pin(
    staffed: Path, run: Run, typed: list[str]
) -> None:
    typed += ["0000"]
    code, _out, err = run("decide", staffed, 2, "c1", "o2", *DECIDE)
    assert (code, "wrong" in err) == (ExitCode.BAD_ARGUMENTS, True)
    code, _out, err = run("decide", staffed, 2, "c1", "o2", "--by", "Ai", "--why", "rõ")
    assert (code, "Ai" in err) == (ExitCode.BAD_ARGUMENTS, True)
    code, _out, err = run("decide", staffed, 2, "c1", "o2", "--by", "Xem", "--why", "rõ")
    assert (code, "observer" in err) == (ExitCode.BAD_ARGUMENTS, True)
    with Store(staffed) as store:
        assert store.decisions() == {}
    typed += ["4711"]
    assert run("decide", staffed, 2, "c1", "o2", "--by", "lan", "--why", "rõ")[0] == ExitCode.OK
    with Store(staffed) as store:
        assert [one.by for one in store.decisions_on(2)] == ["Lan"]


def test_other_limits_need_a_pin_as_well(staffed: Path, run: Run, typed: list[str]) -> None:
    asked = ("thresholds", staffed, "--set-marked", "0.9999", *DECIDE)
    assert run(*asked, "--dry-run")[0] == ExitCode.OK
    typed += ["0000"]
    assert run(*asked)[0] == ExitCode.BAD_ARGUMENTS
    with Store(staffed) as store:
        assert store.limit_changes() == []
    typed += ["4711"]
    assert run(*asked)[0] == ExitCode.OK


def test_only_the_committee_decides_what_was_handed_on(
    staffed: Path, run: Run, typed: list[str]
) -> None:
    with Store(staffed) as store:
        store.escalate(2, "c1", "Lan", "không rõ")
    assert "committee has to decide" in run("list", staffed)[1]
    typed += ["4711"]
    code, _out, err = run("decide", staffed, 2, "c1", "o2", *DECIDE)
    assert (code, "Only the committee" in err) == (ExitCode.BAD_ARGUMENTS, True)
    typed += ["1111"]
    assert run("decide", staffed, 2, "c1", "o2", "--by", "Hoa", "--why", "rõ")[0] == ExitCode.OK
