"""Reading spread over processes: bounded in memory, and no page can stop the others."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from multiprocessing.connection import wait as wait_for_process
from pathlib import Path
from typing import Protocol, TextIO

from scanner.ballot import PageReading, Reason, UnreadablePage
from scanner.counting.records import PageResult, PageSource
from scanner.errors import (
    EncryptedFileError,
    ImageTooLargeError,
    InputError,
    KiemPhieuError,
)
from scanner.forms.template import Form
from scanner.messages import gettext as _
from scanner.reading.pages import PageImage, load_page
from scanner.settings import Settings

PAGES_A_TASK = 4
TASKS_WAITING_A_PROCESS = 2
MOST_PROCESSES = 60
"""Windows can wait for no more than about sixty."""
LONGEST_PAGE_S = 120.0
"""A page takes a tenth of a second, the largest that is let in some seconds."""
DEATHS_IN_A_ROW = 3
"""After so many pages that each killed their process, the fault is not in the pages."""


class NoProcessError(KiemPhieuError):
    """The system lets no process be started."""


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
    """Makes readers for some forms."""

    forms: tuple[Form, ...]
    settings: Settings
    cache: Path | None = None

    def __call__(self) -> PageReader:
        """A reader that knows these forms."""
        # Imported here because the process that hands out the work needs no image library.
        from scanner.reading.interpret import Reader, use_one_core

        use_one_core()
        return Reader(self.forms, self.settings, cache=self.cache)


@contextmanager
def get_ready(
    factory: ReaderFactory, jobs: int, longest_page_s: float = LONGEST_PAGE_S
) -> Iterator[list[ProcessPoolExecutor]]:
    """Start processes for :func:`read_pages`, to load their reader while files are taken in.

    Gives none with one job, or where the system lets none be started: that is told when they
    are needed.
    """
    pools: list[ProcessPoolExecutor] = []
    if jobs > 1:
        with suppress(NoProcessError):
            pools.append(_Crew(factory, min(jobs, MOST_PROCESSES), longest_page_s).start())
    started = list(pools)
    try:
        yield pools
    finally:
        for pool in started:
            pool.shutdown(cancel_futures=True)


def read_pages(
    pages: Iterable[PageSource],
    factory: ReaderFactory,
    jobs: int,
    longest_page_s: float = LONGEST_PAGE_S,
    note: Callable[[str], None] | None = None,
    ready: list[ProcessPoolExecutor] | None = None,
) -> Iterator[PageResult]:
    """Read pages; results come as they are ready, one for every page whatever happens to it.

    Args:
        pages: What to read; taken only as fast as it can be worked on.
        factory: Makes the reader.
        jobs: Number of processes; with one, this process reads by itself.
        longest_page_s: A process that takes longer for a page is ended, and the page refused;
            this process is not.
        note: Told in words where no process can be started, and this one reads by itself.
        ready: Processes from :func:`get_ready` for the same reader, used up.

    Raises:
        KiemPhieuError: No reader can be made, or processes keep dying.
    """
    if jobs <= 1:
        yield from _read_here(pages, factory)
        return
    tasks = _tasks(pages)
    crew = _Crew(factory, min(jobs, MOST_PROCESSES), longest_page_s, ready or [])
    while True:
        lost: list[PageSource] = []
        try:
            yield from _read_until_broken(tasks, crew, lost)
        except NoProcessError as error:
            if note is not None:
                note(error.message + " " + _("One process reads all pages, which takes longer."))
            yield from _read_here(chain.from_iterable(tasks), factory)
        if not lost:
            return
        # Never here: one of these pages may kill the process that reads it.
        yield from _read_each_alone(lost, crew)


def _read_here(pages: Iterable[PageSource], factory: ReaderFactory) -> Iterator[PageResult]:
    reader = factory()
    for page in pages:
        yield read_one(reader, page)


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
    tasks: Iterator[list[PageSource]], crew: _Crew, lost: list[PageSource]
) -> Iterator[PageResult]:
    """Read until all is done or a process dies; then ``lost`` gets the pages under way."""
    with crew.at_work() as pool:
        pending: dict[Future[list[PageResult]], list[PageSource]] = {}
        while not lost:
            for task in islice(tasks, TASKS_WAITING_A_PROCESS * crew.jobs - len(pending)):
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


def _read_each_alone(pages: Sequence[PageSource], crew: _Crew) -> Iterator[PageResult]:
    """One page a time, to find the one that kills the process that reads it."""
    deaths = 0
    waiting = list(pages)
    while waiting:
        started = time.monotonic()
        with replace(crew, jobs=1, ready=[]).at_work() as pool:
            while waiting:
                started = time.monotonic()
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
        is_late = time.monotonic() - started >= crew.longest_page_s
        why = f"no end after {crew.longest_page_s:g} s" if is_late else "the reading process died"
        yield PageResult(page.page, "", UnreadablePage(Reason.UNREADABLE_FILE, {"error": why}))


@dataclass(frozen=True, slots=True)
class _Crew:
    """Processes that read pages."""

    factory: ReaderFactory
    jobs: int
    longest_page_s: float
    ready: list[ProcessPoolExecutor] = field(default_factory=list)
    """Processes that were started before; taken first."""

    @contextmanager
    def at_work(self) -> Iterator[ProcessPoolExecutor]:
        """The processes, for a while.

        Raises:
            NoProcessError: The first of them cannot be started.
        """
        pool = self.ready.pop() if self.ready else self.start()
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)

    def start(self) -> ProcessPoolExecutor:
        """The processes; the caller shuts them down.

        Raises:
            NoProcessError: The first of them cannot be started.
        """
        try:
            pool = ProcessPoolExecutor(
                self.jobs,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start_process,
                initargs=(self.factory, self.longest_page_s),
            )
            # Processes start with the tasks: what the first one says is known before any page.
            for _one in range(self.jobs):
                pool.submit(os.getpid)
        # Locks that several processes share are missing on some systems: NotImplementedError.
        except (OSError, NotImplementedError) as error:
            raise NoProcessError(
                _("No process can be started to read with ({why}).").format(
                    why=getattr(error, "strerror", None) or error
                ),
                remedy=_("Free some memory, or read with one process: -j 1."),
            ) from error
        return pool


_reader: list[PageReader | Exception] = []
"""The one reader of a worker process, or why there is none."""
_longest_page_s: list[float] = []


def _start_process(factory: ReaderFactory, longest_page_s: float) -> None:
    _longest_page_s.append(longest_page_s)
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
    with Path(os.devnull).open("w") as nowhere:
        return [_read_in_time(reader, page, nowhere) for page in pages]


def _read_in_time(reader: PageReader, page: PageSource, nowhere: TextIO) -> PageResult:
    """Read one page, or end this process: a library that hangs listens to nothing else."""
    faulthandler.dump_traceback_later(_longest_page_s[0], exit=True, file=nowhere)
    try:
        return read_one(reader, page)
    finally:
        faulthandler.cancel_dump_traceback_later()
