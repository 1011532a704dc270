"""The command that opens the page: addresses, faults with their codes, a clean end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from scanner.counting.second_reader import SecondReader
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError, ExitCode, StorageError
from scanner.review import server
from scanner.review.security import Guard
from scanner.review.server import Service, listen, office_address
from tests.review_client import PASS_PHRASE
from tests.reviewed_counts import copy_count

ROOT = Path(__file__).parents[1]
Run = Callable[..., tuple[int, str, str]]
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="no signals like these on Windows")


@pytest.fixture
def count(staffed: Path, tmp_path: Path) -> Path:
    return copy_count(staffed, tmp_path / "count")


@contextmanager
def started(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and the address that it tells."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "review", *map(str, arguments), "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env=os.environ | {"KIEMPHIEU_LANG": "en", "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        told = ""
        while not (found := re.search(r"http://\S+", told)):
            line = process.stdout.readline()
            assert line, told
            told += line
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


@posix_only
def test_the_command_serves_until_it_is_stopped_and_ends_cleanly(count: Path) -> None:
    with started(count, "--port", "0") as (process, address):
        assert address.startswith("http://127.0.0.1:")
        with httpx2.Client() as browser:
            assert browser.get(address).headers["location"] == "/"
        process.send_signal(signal.SIGINT)
        said, _nothing = process.communicate(timeout=30)
    assert process.returncode == 0
    assert said.rstrip().endswith("Everything that was decided is kept.")
    assert "Traceback" not in said


def test_a_folder_without_a_count_is_told(run: Run, tmp_path: Path) -> None:
    code, _out, err = run("review", tmp_path / "nothing", "--no-browser")
    assert code == ExitCode.BAD_COUNT
    assert "There is no count here." in err


def test_a_port_that_is_taken_is_told(run: Run, count: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        code, _out, err = run("review", count, "--port", str(port), "--no-browser")
    assert code == ExitCode.BAD_ARGUMENTS
    assert f"Another program uses port {port}." in err


def test_an_address_of_another_machine_is_told(run: Run, count: Path) -> None:
    arguments = ("--host", "203.0.113.9", "--pass-phrase", PASS_PHRASE, "--no-browser")
    code, _out, err = run("review", count, *arguments)
    assert code == ExitCode.BAD_ARGUMENTS
    assert "It is not possible to listen at 203.0.113.9" in err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "office-pc"])
def test_the_network_is_never_served_without_a_pass_phrase(host: str) -> None:
    with pytest.raises(BadArgumentsError, match="--pass-phrase"):
        Service(host=host).check()
    Service(host=host, pass_phrase=PASS_PHRASE).check()


def test_a_short_pass_phrase_is_refused_before_anything_is_served(run: Run, count: Path) -> None:
    arguments = ("--host", "0.0.0.0", "--pass-phrase", "elevenchars", "--no-browser")
    code, _out, err = run("review", count, *arguments)
    assert code == ExitCode.BAD_ARGUMENTS
    assert "at least 12" in err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_alone_needs_no_pass_phrase(host: str) -> None:
    Service(host=host).check()


def test_the_next_free_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen("127.0.0.1", 0) as taken:
        monkeypatch.setattr(server, "USUAL_PORT", taken.getsockname()[1])
        with listen("127.0.0.1", None) as free:
            assert free.getsockname()[1] != taken.getsockname()[1]


def test_only_this_machine_reaches_what_is_served_to_it_alone(count: Path) -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    assert Service().host == "127.0.0.1"


def test_the_office_is_told_an_address_and_not_a_placeholder() -> None:
    guard = Guard("0.0.0.0", 8420, pass_phrase=PASS_PHRASE)
    assert re.fullmatch(r"http://[\w.-]+:8420/", office_address(guard))
    assert "0.0.0.0" not in office_address(guard)
    named = Guard("192.168.1.20", 8420, pass_phrase=PASS_PHRASE)
    assert office_address(named) == "http://192.168.1.20:8420/"


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_address_of_ipv6_is_written_in_brackets() -> None:
    assert Guard("::1", 8420).address().startswith("http://[::1]:8420/enter/")


def test_a_second_reader_is_asked_for_on_the_record(
    run: Run, count: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "serve_count", lambda *_arguments: None)
    for _twice in range(2):
        assert run("review", count, "--second-reader", "doubts", "--no-browser")[0] == 0
    with Store(count) as store:
        assert store.second_reader() is SecondReader.DOUBTS
        policies = [entry for entry in store.entries() if entry.action.value == "policy"]
        assert len(policies) == 1


def test_the_choices_of_the_command_are_those_of_the_program() -> None:
    from scanner.commands.review import SECOND_READERS

    assert sorted(SECOND_READERS) == sorted(SecondReader)


def test_a_full_disk_at_the_start_is_told(
    run: Run, count: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise StorageError("The disk is full.", path=count)

    monkeypatch.setattr(server, "Store", refuse)
    code, _out, err = run("review", count, "--no-browser")
    assert code == ExitCode.STORAGE
    assert "The disk is full." in err
