"""Every file of a count's folder with its size and hash; and how two such lists differ."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from scanner.counting.records import CACHE_FOLDER, DATABASE_FILE, EXPORTS_FOLDER, LOCK_FILE

SEAL_FILE = "seal.json"
LEFT_OUT = (SEAL_FILE, f"{DATABASE_FILE}-shm", f"{LOCK_FILE}-journal")
"""The seal cannot hold its own hash; its signatures stand for it. The others are there while a
program is at work, worked out anew from empty files, and say nothing."""
MAY_LIE_EMPTY = (LOCK_FILE, f"{DATABASE_FILE}-wal")
"""Files that the program makes and leaves empty; with anything in them they are named."""
NO_FILE = ""
"""The hash of what lies there and is no file, such as a link: nobody knows what it leads to."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file as it was."""

    path: str
    """From the count's folder, parted by ``/``."""
    size: int
    """In bytes."""
    sha256: str
    """64 hexadecimal digits; empty for what is no file."""

    def to_json(self) -> dict[str, Any]:
        """For the seal; :meth:`from_json` gives it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> KeptFile:
        """What :meth:`to_json` gave.

        Raises:
            ValueError: It is something else.
        """
        path, size, digest = data["path"], data["size"], data["sha256"]
        if not (isinstance(path, str) and isinstance(size, int) and isinstance(digest, str)):
            raise ValueError("not a file of a seal")
        return cls(path, size, digest)


@dataclass(frozen=True, slots=True)
class Differences:
    """In what a folder is not as it was; paths in order."""

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]
    """Where nothing may be added."""
    added_exports: tuple[str, ...]
    """Taken out of the count later; the figures do not hang on them."""

    @property
    def is_whole(self) -> bool:
        """Whether all is there as it was, and nothing besides but later exports."""
        return not (self.changed or self.missing or self.added)


def list_files(
    folder: Path, tell: Callable[[int, int], None] = lambda _done, _all: None
) -> list[KeptFile]:
    """Every file in a count's folder, at any depth, in order of its path.

    The cache is left out (it may be deleted, and nothing in it is ever counted), the seal itself,
    and what the program makes and leaves empty.

    Args:
        folder: The count's folder.
        tell: Told after each file how many are done and how many there are.

    Raises:
        OSError: One of them cannot be read.
    """
    paths = sorted(_walk(folder))
    files = []
    for done, name in enumerate(paths, start=1):
        kept = hash_one(folder, name)
        if not (kept.path in MAY_LIE_EMPTY and kept.size == 0):
            files.append(kept)
        tell(done, len(paths))
    return files


def hash_one(folder: Path, name: str) -> KeptFile:
    """One file of a folder as it is now.

    Args:
        folder: The folder.
        name: Its path from there, parted by ``/``.

    Raises:
        OSError: It cannot be read.
    """
    path = folder / name
    if path.is_symlink() or not path.is_file():
        return KeptFile(name, 0, NO_FILE)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return KeptFile(name, stream.tell(), digest)


def compare(sealed: Iterable[KeptFile], present: Iterable[KeptFile]) -> Differences:
    """In what the files of a folder are not those that were sealed."""
    then = {file.path: file for file in sealed}
    now = {file.path: file for file in present}
    added = sorted(now.keys() - then.keys())
    return Differences(
        changed=tuple(sorted(n for n in then.keys() & now.keys() if then[n] != now[n])),
        missing=tuple(sorted(then.keys() - now.keys())),
        added=tuple(name for name in added if not _is_export(name)),
        added_exports=tuple(name for name in added if _is_export(name)),
    )


def _is_export(name: str) -> bool:
    return PurePosixPath(name).parts[0] == EXPORTS_FOLDER


def _walk(folder: Path) -> Iterator[str]:
    for place, folders, names in os.walk(folder, onerror=_stop):
        here = Path(place)
        if here == folder and CACHE_FOLDER in folders and not (here / CACHE_FOLDER).is_symlink():
            folders.remove(CACHE_FOLDER)
        links = [name for name in folders if (here / name).is_symlink()]
        for name in (*names, *links):
            path = (here / name).relative_to(folder).as_posix()
            if path not in LEFT_OUT:
                yield path


def _stop(error: OSError) -> None:
    raise error
