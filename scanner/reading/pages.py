"""Files become page images, one at a time.

The kind of a file is told by its first bytes, never by its name. The last PDF or TIFF stays open,
so that its pages can be asked for one by one; nothing else of it is kept in memory.
"""

from __future__ import annotations

import atexit
import io
import re
import threading
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Protocol

from scanner.errors import BadArgumentsError, InputError, UnreadableFileError
from scanner.forms.importing import BlankImage
from scanner.messages import gettext as _
from scanner.reading.pdf import PdfFile
from scanner.reading.raster import PageImage, decode_jpeg, decode_picture, open_picture
from scanner.reading.tiff import TiffFile

__all__ = ["PageImage", "close_files", "count_pages", "expand_paths", "load_blanks", "load_page"]

_HEAD_BYTES = 1024
_JUNK_NAMES = frozenset({"thumbs.db", "desktop.ini"})


class _Kind(Enum):
    PDF = "PDF"
    TIFF = "TIFF"
    JPEG = "JPEG"
    PICTURE = "picture"


_MAGIC = (
    (re.compile(rb"\xff\xd8\xff"), _Kind.JPEG),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), _Kind.TIFF),
    (re.compile(rb"\x89PNG\r\n\x1a\n|BM|GIF8[79]a|RIFF....WEBP", re.DOTALL), _Kind.PICTURE),
    # A PDF may have up to 1024 bytes of anything before its header (PDF 1.7, appendix H).
    (re.compile(rb".*?%PDF-", re.DOTALL), _Kind.PDF),
)


class _OpenFile(Protocol):
    page_count: int

    def load(self, number: int, min_long_side_px: int) -> PageImage: ...

    def close(self) -> None: ...


class _PictureFile:
    """A file that holds one picture; it is read anew each time."""

    page_count = 1

    def __init__(self, path: Path, kind: _Kind) -> None:
        self._path = path
        self._kind = kind

    def load(self, number: int, min_long_side_px: int) -> PageImage:
        del number
        data = self._path.read_bytes()
        with open_picture(io.BytesIO(data), self._path) as image:
            if self._kind is _Kind.JPEG:
                return decode_jpeg(image, data, self._path, min_long_side_px)
            return decode_picture(image, self._path, min_long_side_px)

    def close(self) -> None:
        """Nothing is open."""


class _LastFile(threading.local):
    """The file that was asked for last, kept open until another is asked for or it changes.

    Each thread has its own: none of the libraries lets two threads read one open file.
    """

    def __init__(self) -> None:
        self._key: tuple[Path, int, int] | None = None
        self._file: _OpenFile | None = None

    def open(self, path: Path) -> _OpenFile:
        status = path.stat()
        key = (path, status.st_mtime_ns, status.st_size)
        if self._file is None or key != self._key:
            self.close()
            self._file = _open_file(path)
            self._key = key
        return self._file

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._key = None


_last_file = _LastFile()


def count_pages(path: Path) -> int:
    """How many page images the file holds.

    Raises:
        UnreadableFileError: Empty, broken, missing, or of no known kind.
        EncryptedFileError: A PDF that wants a password.
    """
    try:
        return _last_file.open(path).page_count
    except OSError as error:
        raise _cannot_open(path, error) from error


def load_page(path: Path, number: int, *, min_long_side_px: int = 0) -> PageImage:
    """Decode one page, reduced by 2, 4 or 8 as far as ``min_long_side_px`` allows.

    Args:
        path: A PDF, TIFF, JPEG, PNG, BMP, WebP or GIF file.
        number: The page, from 1.
        min_long_side_px: How many pixels the long side of the result keeps at the least, where
            the page has them; 0 for all.

    Raises:
        UnreadableFileError: Empty, broken, missing, too small, or of no known kind.
        EncryptedFileError: A PDF that wants a password.
        ImageTooLargeError: More pixels than any scan has.
        ValueError: The file has no page of that number.
    """
    try:
        file = _last_file.open(path)
        if not 1 <= number <= file.page_count:
            raise ValueError(f"{path} has {file.page_count} pages, and no page {number}")
        return file.load(number, min_long_side_px)
    except OSError as error:
        raise _cannot_open(path, error) from error


def close_files() -> None:
    """Let go of the file that this thread keeps open; Windows moves or deletes no open file."""
    _last_file.close()


# PDFium writes to the screen about a document that is still open when the program ends.
atexit.register(close_files)


def load_blanks(path: Path, dpi: float | None = None) -> list[BlankImage]:
    """Every page of a file at full size, as blanks of a form.

    Args:
        path: Any file that ``load_page`` reads.
        dpi: Pages of a PDF that are drawings and not scans are drawn at this resolution.

    Raises:
        InputError: The file or a page of it cannot be read.
    """
    blanks = []
    try:
        for number in range(1, count_pages(path) + 1):
            file = _last_file.open(path)
            page = file.load(number, 0, dpi) if isinstance(file, PdfFile) else file.load(number, 0)
            blanks.append(BlankImage(gray=page.gray, dpi=page.dpi, path=path))
    finally:
        close_files()
    return blanks


def expand_paths(paths: Iterable[Path | str]) -> list[Path]:
    """Files, folders and patterns become a list of files, each once.

    What was named keeps its order; what a folder or a pattern stands for comes in natural order
    (``page2`` before ``page10``), a folder with all its sub-folders. Hidden files and what Windows
    leaves in folders are passed over. Files of unknown kind are kept: the caller reports them.

    Raises:
        BadArgumentsError: A file, folder or pattern to which nothing answers.
    """
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        for file in _expand(path):
            found.setdefault(file.resolve(), file)
    return list(found.values())


def natural_key(path: Path) -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """A sort key by which numbers inside names count as numbers, and letters without case."""
    return tuple(_natural_part(part) for part in path.parts)


def _natural_part(part: str) -> tuple[tuple[int, int, str], ...]:
    pieces = re.findall(r"[0-9]+|[^0-9]+", part.casefold())
    return (*((0, int(p), p) if p[0] in "0123456789" else (1, 0, p) for p in pieces), (2, 0, part))


def _expand(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from _files_below(path)
        return
    if path.exists():
        yield path
        return
    matches = _glob(path) if re.search(r"[*?\[]", str(path)) else []
    if not matches:
        raise BadArgumentsError(
            _("There is no such file or folder."),
            remedy=_("Check the name; put it in quotes if it has spaces."),
            path=path,
        )
    for match in matches:
        yield from _files_below(match) if match.is_dir() else (match,)


def _glob(pattern: Path) -> list[Path]:
    root = Path(pattern.anchor or ".")
    parts = pattern.parts[1:] if pattern.anchor else pattern.parts
    matches = (match for match in root.glob(str(Path(*parts))) if not _is_junk(match))
    return sorted(matches, key=natural_key)


def _files_below(folder: Path) -> Iterator[Path]:
    entries = [entry for entry in folder.iterdir() if not _is_junk(entry)]
    entries.sort(key=lambda entry: (entry.is_dir(), natural_key(entry)))
    for entry in entries:
        if not entry.is_dir():
            yield entry
        elif not entry.is_symlink():
            yield from _files_below(entry)


def _is_junk(path: Path) -> bool:
    return path.name.startswith(".") or path.name.casefold() in _JUNK_NAMES


def _open_file(path: Path) -> _OpenFile:
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    kind = next((kind for magic, kind in _MAGIC if magic.match(head)), None)
    if kind is None:
        raise _unknown_kind(path, head)
    if kind is _Kind.PDF:
        return PdfFile(path)
    if kind is _Kind.TIFF:
        return TiffFile(path)
    return _PictureFile(path, kind)


def _unknown_kind(path: Path, head: bytes) -> InputError:
    if not head:
        return UnreadableFileError(
            _("This file is empty."),
            remedy=_("Copy it again from the scanner, or scan the sheets again."),
            path=path,
        )
    if head[4:8] == b"ftyp":
        return UnreadableFileError(
            _("This is a HEIC photo or a film, which this program does not read."),
            remedy=_("Save it as JPEG."),
            path=path,
        )
    return UnreadableFileError(
        _("This is no PDF, TIFF, JPEG, PNG, BMP, WebP or GIF file, whatever its name says."),
        remedy=_("Give the files as the scanner wrote them."),
        path=path,
    )


def _cannot_open(path: Path, error: OSError) -> UnreadableFileError:
    return UnreadableFileError(
        _("This file cannot be opened ({reason}).").format(reason=error.strerror or error),
        remedy=_("Check that it is there, and that you may read it."),
        path=path,
    )
