"""Pages of scans are decoded by a few threads, and the latest ones stay in memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from scanner.counting.store_pictures import PicturedPage
from scanner.reading.pages import PageImage, close_files, load_page
from scanner.review.picture_cache import Recent

T = TypeVar("T")

MOST_PAGE_BYTES = 64 * 1024 * 1024
THREAD_NAME = "pictures"
KEPT_REDUCTIONS = (2, 1)
"""Pages decoded more coarsely take less time than their place in memory is worth."""
SECONDS_TO_MEET = 30.0


class Decoder:
    """Decodes pages; safe to be used by several threads.

    Each of its threads keeps one file open, so files are opened by these few threads alone.
    """

    def __init__(self) -> None:
        self._pages = Recent[PageImage](MOST_PAGE_BYTES, lambda page: page.gray.nbytes)
        self._threads = max(2, os.cpu_count() or 1)
        self._workers = ThreadPoolExecutor(self._threads, thread_name_prefix=THREAD_NAME)

    def close(self) -> None:
        """Finish, and let go of all files."""
        meeting = threading.Barrier(self._threads)

        def leave() -> None:
            # Each thread has files of its own, so none may do this for another.
            meeting.wait(timeout=SECONDS_TO_MEET)
            close_files()

        for _number in range(self._threads):
            self._workers.submit(leave)
        self._workers.shutdown(wait=True)

    def decode(self, page: PicturedPage, least_px: int) -> PageImage:
        """A page with a long side of at least so many pixels, where the scan has them.

        Raises:
            InputError: The scan cannot be read any more.
        """
        name = f"{page.path} {page.number}"
        for reduction in KEPT_REDUCTIONS:
            kept = self._pages.get(f"{name} {reduction}")
            if kept is not None and max(kept.gray.shape) >= least_px:
                return kept

        def load() -> PageImage:
            return load_page(page.path, page.number, min_long_side_px=least_px)

        is_worker = threading.current_thread().name.startswith(THREAD_NAME)
        image = load() if is_worker else self._workers.submit(load).result()
        if image.reduction in KEPT_REDUCTIONS:
            self._pages.put(f"{name} {image.reduction}", image)
        return image

    def do_all(self, work: Callable[[T], None], things: Iterable[T]) -> None:
        """Work on several things at the same time, and wait for all."""
        list(self._workers.map(work, things))

    def do_later(self, work: Callable[[], None]) -> None:
        """Work on something that nobody waits for."""
        self._workers.submit(work)
