"""Other people's programs, each in an environment of its own: none is a part of this project."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from pathlib import Path


class NotThereError(Exception):
    """A program cannot be had on this machine; the message says why."""


def prepare_python(cache: Path, package: str) -> Path:
    """A Python that has a package; it is set up in a folder of the cache the first time.

    Args:
        cache: A folder.
        package: Name and version, as ``name==1.2``.

    Raises:
        NotThereError: It cannot be installed.
    """
    home = cache / re.split("[=<>]", package)[0]
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    ready = home / "ready.txt"
    if not ready.exists() or ready.read_text(encoding="utf-8") != package:
        venv.create(home, with_pip=True, clear=True)
        done = subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", package],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise NotThereError(f"{package} cannot be installed: {done.stderr.strip()[-300:]}")
        ready.write_text(package, encoding="utf-8")
    return python
