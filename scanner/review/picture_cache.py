"""Pictures that were made are kept: the latest in memory, more in the count's cache folder."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_ON_DISK_BYTES = 512 * 1024 * 1024


class Recent(Generic[T]):
    """The latest things by name, up to a size together; safe to be used by several threads.

    Args:
        most_bytes: How much is kept.
        size_of: The size of one in bytes.
    """

    def __init__(self, most_bytes: int, size_of: Callable[[T], int]) -> None:
        self._most_bytes = most_bytes
        self._size_of = size_of
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, name: str) -> T | None:
        """What was kept under a name, or None."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def put(self, name: str, thing: T) -> None:
        """Keep something; the oldest make room."""
        with self._lock:
            former = self._kept.pop(name, None)
            self._bytes += self._size_of(thing) - (self._size_of(former) if former else 0)
            self._kept[name] = thing
            while self._bytes > self._most_bytes and len(self._kept) > 1:
                _name, oldest = self._kept.popitem(last=False)
                self._bytes -= self._size_of(oldest)


class CacheFolder:
    """Files by name; whatever goes wrong with it, the pictures are made again.

    Args:
        folder: Where they lie; made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> bytes | None:
        """The bytes under a name, or None."""
        try:
            kept = self._path(name).read_bytes()
        except OSError:
            return None
        # A file that was cut off by a full disk or a killed program is no picture.
        data, digest = kept[:-32], kept[-32:]
        return data if digest == hashlib.sha256(data).digest() else None

    def put(self, name: str, data: bytes) -> None:
        """Keep some bytes, if the disk lets us."""
        path = self._path(name)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data + hashlib.sha256(data).digest())

    def clear_out(self) -> None:
        """Delete the oldest where there is more than a cache should hold."""
        with suppress(OSError):
            found = [(path.stat(), path) for path in self._folder.glob("??/*")]
            total = sum(status.st_size for status, _path in found)
            for status, path in sorted(found, key=lambda one: one[0].st_mtime):
                if total <= MOST_ON_DISK_BYTES:
                    return
                path.unlink(missing_ok=True)
                total -= status.st_size

    def _path(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode()).hexdigest()
        return self._folder / digest[:2] / digest[2:]
