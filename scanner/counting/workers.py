"""Reading spread over processes: bounded in memory, and no page can stop the others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import wait as wait_for_process
from pathlib import Path
from typing import Protocol

from scanner.ballot import PageReading, Reason, UnreadablePage
from scanner.counting.records import PageResult, PageSource
from scanner.errors import (
    EncryptedFileError,
    ImageTooLargeError,
    InputError,
    KiemPhieuError,
)
from scanner.forms.template import read_form
from scanner.messages import gettext as _
from scanner.reading.pages import PageImage, load_page
from scanner.settings import Settings

PAGES_A_TASK = 4
TASKS_WAITING_A_PROCESS = 2
MOST_PROCESSES = 60
"""Windows can wait for no more than about sixty."""
DEATHS_IN_A_ROW = 3
"""After so many pages that each killed their process, the fault is not in the pages."""


class PageReader(Protocol):
    """Reads page images."""

    min_long_side_px: int

    def read(self, image: PageImage) -> PageReading | UnreadablePage:
        """Read one page image."""
        ...


class ReaderFactory(Protocol):
    """Makes the reader of a process; can be pickled."""

    def __call__(self) -> PageReader:
        """A new reader."""
        ...


@dataclass(frozen=True, slots=True)
class FormReader:
    """Makes readers for the forms in some folders."""

    folders: tuple[Path, ...]
    settings: Settings
    cache: Path | None = None

    def __call__(self) -> PageReader:
        """A reader that knows these forms."""
        # Imported here because the process that hands out the work needs no image library.
        from scanner.reading.interpret import Reader, use_one_core

        use_one_core()
        forms = [read_form(folder) for folder in self.folders]
        return Reader(forms, self.settings, cache=self.cache)


def read_pages(
    pages: Iterable[PageSource], factory: ReaderFactory, jobs: int
) -> Iterator[PageResult]:
    """Read pages; results come as they are ready, one for every page whatever happens to it.

    Args:
        pages: What to read; taken only as fast as it can be worked on.
        factory: Makes the reader.
        jobs: Number of processes; with one, this process reads by itself.

    Raises:
        KiemPhieuError: No reader can be made, or processes keep dying.
    """
    if jobs <= 1:
        reader = factory()
        for page in pages:
            yield read_one(reader, page)
        return
    tasks = _tasks(pages)
    while True:
        lost: list[PageSource] = []
        yield from _read_until_broken(tasks, factory, min(jobs, MOST_PROCESSES), lost)
        if not lost:
            return
        yield from _read_each_alone(lost, factory)


def read_one(reader: PageReader, page: PageSource) -> PageResult:
    """Read one page; a fault of its file, or of the program on it, becomes its result."""
    try:
        image = load_page(page.path, page.number, min_long_side_px=reader.min_long_side_px)
    except InputError as error:
        return PageResult(page.page, "", refusal_of(error))
    except Exception as error:  # noqa: BLE001 - one page must never stop a batch
        return PageResult(page.page, "", _crash(error))
    try:
        return PageResult(page.page, image.image_hash, reader.read(image))
    except Exception as error:  # noqa: BLE001 - as above
        return PageResult(page.page, image.image_hash, _crash(error))


def refusal_of(error: InputError) -> UnreadablePage:
    """Why a file or page is refused, from the error that opening it gave."""
    if isinstance(error, EncryptedFileError):
        reason = Reason.ENCRYPTED_FILE
    elif isinstance(error, ImageTooLargeError):
        reason = Reason.IMAGE_TOO_LARGE
    else:
        reason = Reason.UNREADABLE_FILE
    return UnreadablePage(reason, {"error": error.message})


def _crash(error: Exception) -> UnreadablePage:
    evidence = {"error": f"{type(error).__name__}: {error}"}
    return UnreadablePage(Reason.UNREADABLE_FILE, dict(evidence))


def _tasks(pages: Iterable[PageSource]) -> Iterator[list[PageSource]]:
    """A few pages at a time, of one file each, so that a process opens few files."""
    task: list[PageSource] = []
    for page in pages:
        if task and (len(task) == PAGES_A_TASK or page.path != task[0].path):
            yield task
            task = []
        task.append(page)
    if task:
        yield task


def _read_until_broken(
    tasks: Iterator[list[PageSource]],
    factory: ReaderFactory,
    jobs: int,
    lost: list[PageSource],
) -> Iterator[PageResult]:
    """Read until all is done or a process dies; then ``lost`` gets the pages under way."""
    with _processes(factory, jobs) as pool:
        pending: dict[Future[list[PageResult]], list[PageSource]] = {}
        while not lost:
            for task in islice(tasks, TASKS_WAITING_A_PROCESS * jobs - len(pending)):
                if not _hand_out(pool, task, pending):
                    lost.extend(task)
                    break
            if not pending:
                return
            yield from _collect(pending, lost, FIRST_COMPLETED)
        yield from _collect(pending, lost, ALL_COMPLETED)


def _hand_out(
    pool: ProcessPoolExecutor,
    task: list[PageSource],
    pending: dict[Future[list[PageResult]], list[PageSource]],
) -> bool:
    try:
        pending[pool.submit(_read_task, task)] = task
    except BrokenProcessPool:
        return False
    return True


def _collect(
    pending: dict[Future[list[PageResult]], list[PageSource]],
    lost: list[PageSource],
    return_when: str,
) -> Iterator[PageResult]:
    """What has come back; pages whose process died go to ``lost``."""
    done, _rest = wait(pending, return_when=return_when)
    for future in done:
        task = pending.pop(future)
        try:
            results = future.result()
        except BrokenProcessPool:
            lost.extend(task)
        else:
            yield from results


def _read_each_alone(pages: Sequence[PageSource], factory: ReaderFactory) -> Iterator[PageResult]:
    """One page a time, to find the one that kills the process that reads it."""
    deaths = 0
    waiting = list(pages)
    while waiting:
        with _processes(factory, 1) as pool:
            while waiting:
                try:
                    results = pool.submit(_read_task, waiting[:1]).result()
                except BrokenProcessPool:
                    break
                yield from results
                deaths = 0
                waiting.pop(0)
            else:
                return
        page = waiting.pop(0)
        deaths += 1
        if deaths == DEATHS_IN_A_ROW:
            raise KiemPhieuError(
                _("The processes that read pages keep dying."),
                remedy=_("Free some memory, or read with one process: -j 1."),
            )
        refusal = UnreadablePage(Reason.UNREADABLE_FILE, {"error": "the reading process died"})
        yield PageResult(page.page, "", refusal)


@contextmanager
def _processes(factory: ReaderFactory, jobs: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_process,
        initargs=(factory,),
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


_reader: list[PageReader | Exception] = []
"""The one reader of a worker process, or why there is none."""


def _start_process(factory: ReaderFactory) -> None:
    # Ctrl-C is for the process that writes; it lets the others finish what they have begun.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _reader.append(factory())
    except Exception as error:  # noqa: BLE001 - raised again where it can be told
        _reader.append(error)


def _end_with_parent() -> None:
    """Leave no process behind when the one that hands out the work is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_process([parent.sentinel])
        os._exit(1)


def _read_task(pages: Sequence[PageSource]) -> list[PageResult]:
    reader = _reader[0]
    if isinstance(reader, Exception):
        raise reader
    return [read_one(reader, page) for page in pages]
