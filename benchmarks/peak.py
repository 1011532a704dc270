"""Runs a command and writes how long it took and how much memory it needed.

    python benchmarks/peak.py RESULT.json COMMAND...

A process begins with the peak memory of the one that started it, so a small one has to start what
is measured. The peak is that of the largest process of the command, not the sum of all.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    """Run the command in ``sys.argv`` and write ``seconds`` and ``peak_bytes``."""
    result, *command = sys.argv[1:]
    started = time.perf_counter()
    code = subprocess.call(command)
    seconds = time.perf_counter() - started
    figures = {"seconds": seconds, "peak_bytes": peak_of_children()}
    Path(result).write_text(json.dumps(figures), encoding="utf-8")
    return code


def peak_of_children() -> int | None:
    """Peak memory, in bytes, of the largest process that ended; None where no one can tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    sys.exit(main())
