"""Killed at any moment, a scan goes on and ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scanner.counting.intake import ScanOptions, scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.records import BatchRequest
from scanner.counting.results import final_records, tally_count
from scanner.counting.store import Store
from tests.fake_pages import DELAY_VARIABLE, UNKNOWN, FakeFactory, draw_page, draw_pile, make_form

ROOT = Path(__file__).parents[1]
VOTERS = 15
SEED = 20231027
MOMENTS = 12
LONGEST_RUN_S = 60

SCANNER = """
import json, os, signal, sys
from pathlib import Path
from scanner.counting.intake import ScanOptions, scan
from scanner.counting.records import BatchRequest
from tests.fake_pages import FakeFactory

if __name__ == "__main__":
    count, forms, jobs, stage, done, *files = sys.argv[1:]

    def tell(now, finished, total):
        if now == stage and finished == int(done):
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    print("ready", flush=True)
    options = ScanOptions(jobs=int(jobs), progress=tell, make_reader=FakeFactory)
    scan(Path(count), BatchRequest(files=tuple(files)), Path(forms), options)
"""

Outcome = tuple[object, ...]


class Box:
    """A ballot box on disk: forms, and a pile with a missing back and a foreign page in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.forms = folder / "forms"
        make_form(self.forms, "a-two")
        pile = draw_pile(folder / "in", VOTERS)
        del pile[9]
        pile.insert(20, draw_page(folder / "in" / "foreign.png", UNKNOWN, 1))
        self.files = [str(path) for path in pile]
        (folder / "scanner_program.py").write_text(SCANNER, "utf-8")

    def scan(self, count: Path) -> None:
        """Scan in this process, undisturbed."""
        options = ScanOptions(make_reader=FakeFactory)
        scan(count, BatchRequest(files=tuple(self.files)), self.forms, options)

    @contextmanager
    def start(
        self, count: Path, *, jobs: int = 1, stage: str = "never", done: int = 0
    ) -> Iterator[subprocess.Popen[str]]:
        """Scan in a process of its own, that kills itself at a stage if it is told so."""
        program = [sys.executable, str(self.folder / "scanner_program.py")]
        environment = os.environ | {"PYTHONPATH": str(ROOT), DELAY_VARIABLE: "10"}
        arguments = [str(count), str(self.forms), str(jobs), stage, str(done), *self.files]
        with subprocess.Popen(
            program + arguments, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
            process.wait(LONGEST_RUN_S)


def outcome(count: Path) -> Outcome:
    """Everything that a count comes to: sums, sheets, votes, readings, in full."""
    with Store(count) as store:
        forms = load_kept_forms(store)
        assert store.unfinished_batch() is None
        return (
            tally_count(store, forms),
            list(store.sheets()),
            list(final_records(store, forms)),
            list(store.boxes()),
            [(sheet, source.name, source.position) for sheet, source in store.sources()],
            sorted(path.name for path in (count / "images").iterdir()),
        )


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Box:
    return Box(tmp_path_factory.mktemp("box"))


@pytest.fixture(scope="module")
def undisturbed(box: Box) -> Outcome:
    box.scan(box.folder / "undisturbed")
    return outcome(box.folder / "undisturbed")


@pytest.mark.parametrize(
    ("stage", "done"),
    [
        *(("files", done) for done in (1, 13, 30)),
        *(("pages", done) for done in (1, 17, 30)),
        *(("sheets", done) for done in (1, 8, 17)),
    ],
)
def test_a_scan_killed_at_a_step_ends_like_an_undisturbed_one(
    box: Box, undisturbed: Outcome, tmp_path: Path, stage: str, done: int
) -> None:
    with box.start(tmp_path / "count", stage=stage, done=done) as process:
        assert process.wait(LONGEST_RUN_S) != 0
    box.scan(tmp_path / "count")
    assert outcome(tmp_path / "count") == undisturbed


def test_a_scan_killed_at_many_random_moments_ends_like_an_undisturbed_one(
    box: Box, undisturbed: Outcome, tmp_path: Path
) -> None:
    draw = random.Random(SEED)
    with box.start(tmp_path / "whole") as process:
        started = time.monotonic()
        assert process.wait(LONGEST_RUN_S) == 0
        whole_run_s = time.monotonic() - started
    kills = 0
    for trial in range(MOMENTS):
        count = tmp_path / f"count-{trial}"
        # Two kills in one count now and then: the second falls into what the first left.
        for _ in range(1 + trial % 3 // 2):
            with box.start(count) as process:
                time.sleep(draw.uniform(0, 0.8) * whole_run_s)
                process.kill()
                kills += process.wait(LONGEST_RUN_S) != 0
        box.scan(count)
        assert outcome(count) == undisturbed, f"trial {trial}"
    assert kills >= MOMENTS - 2


def test_a_killed_scan_with_several_processes_leaves_none_behind_and_goes_on(
    box: Box, undisturbed: Outcome, tmp_path: Path
) -> None:
    with box.start(tmp_path / "count", jobs=2, stage="pages", done=6) as process:
        # The pipe closes when the last process that holds it is gone.
        assert process.stdout is not None
        assert process.stdout.read() == ""
        assert process.wait(LONGEST_RUN_S) != 0
    box.scan(tmp_path / "count")
    assert outcome(tmp_path / "count") == undisturbed
