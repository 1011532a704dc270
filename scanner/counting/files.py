"""Files come into the count: copied, hashed, and laid out as pages to be read."""

from __future__ import annotations

import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from io import BufferedReader
from pathlib import Path

from scanner.ballot import Reason, UnreadablePage
from scanner.counting.records import (
    IMAGES_FOLDER,
    WHOLE_FILE,
    Batch,
    BatchRequest,
    PlannedPage,
    ScannedFile,
)
from scanner.counting.sheets import interleave
from scanner.counting.store import Store
from scanner.counting.store_schema import storage_faults
from scanner.counting.workers import refusal_of
from scanner.errors import InputError, UnreadableFileError
from scanner.messages import gettext as _
from scanner.reading.pages import close_files, count_pages

BLOCK_BYTES = 1 << 20
COPIES_AT_ONCE = 4
UNFINISHED_SUFFIX = ".part"
_Page = tuple[ScannedFile, int]
"""A file and the number of a page in it."""

SINGLE_PAGES = 0
"""The pile of all files of one page: they may be pages of one sheet."""


def register_files(store: Store, batch: Batch, tell: Callable[[int, int], None]) -> None:
    """Copy each file of a batch into the count and note it, those already noted excepted.

    Args:
        store: The count.
        batch: The batch, registered in part or not at all.
        tell: Told after each file how many are done and how many there are.

    Raises:
        UnreadableFileError: A file is not there any more, or may not be read.
        StorageError: The copy cannot be written.
    """
    folder = store.folder / IMAGES_FOLDER
    for leftover in folder.glob(f"*{UNFINISHED_SUFFIX}"):
        leftover.unlink()
    paths = batch.request.paths()
    done = len(store.files(batch.id))
    with ThreadPoolExecutor(COPIES_AT_ONCE) as copiers:
        copies = _copy_ahead(paths[done:], store.folder, copiers)
        for place, (path, copy, content_hash) in enumerate(copies, start=done):
            file = ScannedFile(batch.id, place, content_hash, str(path), "", 0)
            store.add_file(_take_in(store, file, copy))
            tell(place + 1, len(paths))
    close_files()


def hash_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal digits.

    Raises:
        UnreadableFileError: It is not there, or may not be read.
    """
    with _open(path) as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def plan(request: BatchRequest, files: Sequence[ScannedFile]) -> list[PlannedPage]:
    """The pages of a batch in scan order, with what their place says about them.

    Args:
        request: What the batch was asked to scan.
        files: Its files in the order of the request.
    """
    both_sides = len(request.files)
    fronts, backs = _sides(request, files)
    pairs = interleave(fronts, backs, reversed_=request.reversed_)
    # Where one side has more pages than the other, no pair of them can be trusted.
    flags: tuple[Reason, ...] = () if len(fronts) == len(backs) else (Reason.PAGE_ORDER,)

    pages: list[tuple[ScannedFile, int, int, tuple[Reason, ...]]] = [
        (file, number, SINGLE_PAGES if file.pages <= 1 else file.place + 1, ())
        for file in files[:both_sides]
        for file, number in _pages_of(file)
    ]
    pages += [(file, number, len(files) + 1, flags) for file, number in pairs]
    return [
        PlannedPage(position, file.id, number, pile, doubts, _refusal(file))
        for position, (file, number, pile, doubts) in enumerate(pages)
    ]


def count_sides(request: BatchRequest, files: Sequence[ScannedFile]) -> tuple[int, int]:
    """How many fronts and backs came from a feeder that reads one side.

    Args:
        request: What the batch was asked to scan.
        files: Its files in the order of the request.
    """
    fronts, backs = _sides(request, files)
    return len(fronts), len(backs)


def _sides(request: BatchRequest, files: Sequence[ScannedFile]) -> tuple[list[_Page], list[_Page]]:
    fronts_begin = len(request.files)
    backs_begin = fronts_begin + len(request.fronts)
    fronts = [page for file in files[fronts_begin:backs_begin] for page in _pages_of(file)]
    return fronts, [page for file in files[backs_begin:] for page in _pages_of(file)]


def _copy_ahead(
    paths: Sequence[Path], folder: Path, copiers: Executor
) -> Iterator[tuple[Path, Path, str]]:
    """Each file, its copy and the SHA-256 of its bytes, in order; some copies ahead.

    Waiting for the disk takes most of the time, and several can wait at once.
    """
    waiting: deque[tuple[Path, Future[tuple[Path, str]]]] = deque()
    for place, path in enumerate(paths):
        name = f"{os.getpid()}-{place}{UNFINISHED_SUFFIX}"
        copy = folder / IMAGES_FOLDER / name
        waiting.append((path, copiers.submit(_copy, path, copy, folder)))
        if len(waiting) > COPIES_AT_ONCE:
            path, oldest = waiting.popleft()
            yield path, *oldest.result()
    for path, left in waiting:
        yield path, *left.result()


def _take_in(store: Store, file: ScannedFile, copy: Path) -> ScannedFile:
    """Keep a copy under its hash; find out whether it is known, and how many pages it has."""
    known = store.find_file(file.hash)
    if known is not None:
        copy.unlink()
        return replace(file, stored=known.stored, known_as=known.name)
    stored = copy.with_name(f"{file.hash}{_extension(Path(file.name))}")
    with storage_faults(store.folder):
        copy.replace(stored)
    file = replace(file, stored=stored.name)
    try:
        return replace(file, pages=count_pages(stored))
    except InputError as error:
        refusal = refusal_of(error)
        return replace(file, refusal=refusal.reason, evidence=refusal.evidence)
    except Exception as error:  # noqa: BLE001 - one file must never stop a batch
        evidence: dict[str, float | str] = {"error": f"{type(error).__name__}: {error}"}
        return replace(file, refusal=Reason.UNREADABLE_FILE, evidence=evidence)


def _copy(path: Path, copy: Path, count_folder: Path) -> tuple[Path, str]:
    """Copy a file under a passing name; the copy and the SHA-256 of its bytes."""
    digest = hashlib.sha256()
    with _open(path) as source, storage_faults(count_folder), copy.open("wb") as target:
        while block := source.read(BLOCK_BYTES):
            digest.update(block)
            target.write(block)
        target.flush()
        os.fsync(target.fileno())
    return copy, digest.hexdigest()


def _open(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise UnreadableFileError(
            _("This file cannot be opened: {why}.").format(why=error.strerror or error),
            remedy=_("Put it back, or allow it to be read, and run the same command again."),
            path=path,
        ) from error


def _extension(path: Path) -> str:
    """The file's extension where it is a plain one, since some readers look at it."""
    suffix = path.suffix.lower()
    return suffix if re.fullmatch(r"\.[a-z0-9]{1,5}", suffix) else ""


def _pages_of(file: ScannedFile) -> list[_Page]:
    """The pages of a file; a refused file stands as one entry, a known one as none."""
    if file.known_as is not None:
        return []
    if file.refusal is not None:
        return [(file, WHOLE_FILE)]
    return [(file, number) for number in range(1, file.pages + 1)]


def _refusal(file: ScannedFile) -> UnreadablePage | None:
    return UnreadablePage(file.refusal, file.evidence) if file.refusal is not None else None
