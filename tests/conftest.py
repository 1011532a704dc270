"""What every test starts from: English messages, whatever this machine speaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cli
from scanner import messages
from tests.reviewed_counts import add_people, copy_count, scan_for_review

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Messages are English unless the test chooses otherwise, and are so again after it."""
    monkeypatch.setenv("KIEMPHIEU_LANG", "en")
    messages.set_language(None)
    yield
    messages.set_language(None)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in an empty folder; code, output and error output, long lines unbroken."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIEMPHIEU_FORMS", str(tmp_path / "forms"))
    monkeypatch.setattr("scanner.commands.shared.NARROWEST", 400)

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        code = cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


@pytest.fixture(scope="session")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A count as a scan leaves it: doubts, refused pages, two forms, nobody entered."""
    return scan_for_review(tmp_path_factory.mktemp("scanned"))


@pytest.fixture(scope="session")
def staffed(scanned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a person of each role and a second reader."""
    count = copy_count(scanned, tmp_path_factory.mktemp("staffed") / "count")
    add_people(count)
    return count
