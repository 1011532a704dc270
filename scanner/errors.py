"""Exit codes and the one family of exceptions.

The tree::

    KiemPhieuError                 exit code, message, remedy
    ├── BadArgumentsError          2   the command was asked for something impossible
    ├── InputError                 3   a file that cannot be read
    │   ├── UnreadableFileError        broken, empty, of no known kind
    │   ├── EncryptedFileError         a PDF that wants a password
    │   └── ImageTooLargeError         more pixels than any scanner makes
    ├── MissingToolError           4   a program or a font that is not installed
    ├── StorageError               5   no right to write, no space left
    ├── FormError                  6   a form that is not fit to be read
    ├── CountError                 7   a count folder that is missing, busy or too new
    └── TallyMismatchError         8   a tally that is not the expected one

Every error says what is wrong, with which file, and what to do about it. Only ``cli.py``
turns one into a line on the screen and an exit code.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """What the command tells the shell. Listed in ``docs/exit-codes.md``."""

    OK = 0
    UNEXPECTED = 1
    BAD_ARGUMENTS = 2
    BAD_INPUT = 3
    MISSING_TOOL = 4
    STORAGE = 5
    BAD_FORM = 6
    BAD_COUNT = 7
    TALLY_DIFFERS = 8
    INTERRUPTED = 130


class KiemPhieuError(Exception):
    """The parent of every error that a user can cause or mend.

    Args:
        message: What is wrong, in one sentence.
        remedy: What to do about it; may be empty.
        path: The file or folder it is about, if there is one.
    """

    exit_code = ExitCode.UNEXPECTED

    def __init__(self, message: str, *, remedy: str = "", path: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.path = path

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path is not None else ""
        return f"{where}{self.message}" + (f" {self.remedy}" if self.remedy else "")


class BadArgumentsError(KiemPhieuError):
    """The command was asked for something impossible."""

    exit_code = ExitCode.BAD_ARGUMENTS


class InputError(KiemPhieuError):
    """A file that cannot be read."""

    exit_code = ExitCode.BAD_INPUT


class UnreadableFileError(InputError):
    """A file that is broken, empty or of no known kind."""


class EncryptedFileError(InputError):
    """A PDF that cannot be opened without its password."""


class ImageTooLargeError(InputError):
    """An image with more pixels than any scanner makes."""


class MissingToolError(KiemPhieuError):
    """A program or a font that is not installed."""

    exit_code = ExitCode.MISSING_TOOL


class StorageError(KiemPhieuError):
    """No right to write there, or no space left."""

    exit_code = ExitCode.STORAGE


class FormError(KiemPhieuError):
    """A form that is not fit to be read; the message names file, line and field."""

    exit_code = ExitCode.BAD_FORM


class CountError(KiemPhieuError):
    """A count folder that is missing, busy, or made by a newer program."""

    exit_code = ExitCode.BAD_COUNT


class TallyMismatchError(KiemPhieuError):
    """A tally that is not the expected one."""

    exit_code = ExitCode.TALLY_DIFFERS
