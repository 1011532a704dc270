"""The program's own commands, run as a user runs them: each in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_THREAD_LIMIT")
"""Variables that a measurement may set for itself; a command runs without, as a user's does."""
_MOST_CHARACTERS = 20_000
"""Of file names in one command; Windows takes some 32,000."""


class CommandError(Exception):
    """A command ended with an error; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command cost."""

    seconds: float
    peak_bytes: int | None
    """Of its largest process; None where the system does not tell."""


def run_command(*arguments: str | Path) -> str:
    """Run ``python cli.py ...`` in English.

    Returns:
        What it printed.

    Raises:
        CommandError: Its exit code is not 0.
    """
    return _run([sys.executable, str(ROOT / "cli.py")], arguments)


def measure_command(*arguments: str | Path) -> Measured:
    """Run ``python cli.py ...`` from start to end, the start of Python included.

    Raises:
        CommandError: Its exit code is not 0.
    """
    with tempfile.TemporaryDirectory(prefix="peak-") as folder:
        result = Path(folder) / "peak.json"
        peak = [sys.executable, str(ROOT / "benchmarks" / "peak.py"), str(result)]
        _run([*peak, sys.executable, str(ROOT / "cli.py")], arguments)
        figures = json.loads(result.read_text(encoding="utf-8"))
    return Measured(figures["seconds"], figures["peak_bytes"])


def _run(program: Sequence[str], arguments: Sequence[str | Path]) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
    environment |= {"KIEMPHIEU_LANG": "en", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [*program, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise CommandError(f"{' '.join(map(str, arguments[:2]))}: exit {done.returncode}: {said}")
    return done.stdout


def import_template(targets: Path, template: str, form_id: str, forms: Path) -> None:
    """Register one template of a case under an id of our choice.

    Raises:
        CommandError: It cannot be registered.
    """
    run_command(
        *("form", "import", form_id, "--targets", targets),
        *("--template", template, "--forms", forms),
    )


def scan_files(count: Path, files: Sequence[Path], forms: Path, jobs: int) -> None:
    """Scan files as one batch of a count.

    Raises:
        CommandError: The scan failed.
    """
    if sum(len(str(file)) + 1 for file in files) > _MOST_CHARACTERS:
        raise CommandError(f"scan: {len(files)} names are too long for one command")
    run_command("scan", count, *files, "--forms", forms, "-j", str(jobs))


def plain_id(*parts: str) -> str:
    """An id for a form out of any texts."""
    text = re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).strip("-").lower()
    return text[-60:].strip("-") or "form"
