"""TIFF files, many pages to a file, one decoded at a time."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, TiffImagePlugin

from scanner.errors import UnreadableFileError
from scanner.messages import gettext as _
from scanner.reading.raster import (
    EXIF_ORIENTATION,
    UPRIGHT,
    PageImage,
    Turn,
    decode_picture,
    open_picture,
    read_turn,
    refuse_broken,
)

_STRIPS = (TiffImagePlugin.STRIPOFFSETS, TiffImagePlugin.STRIPBYTECOUNTS)
_TILES = (TiffImagePlugin.TILEOFFSETS, TiffImagePlugin.TILEBYTECOUNTS)


class TiffFile:
    """An open TIFF file.

    Raises:
        UnreadableFileError: It is broken from its beginning.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = 0
        self._turn = UPRIGHT
        self._image = open_picture(path, path)
        try:
            with refuse_broken(path):
                self.page_count = int(getattr(self._image, "n_frames", 1))
        except UnreadableFileError:
            self._image.close()
            raise

    def load(self, number: int, min_long_side_px: int) -> PageImage:
        """Decode page ``number``, from 1.

        Raises:
            ImageTooLargeError: More pixels than any scan has.
            UnreadableFileError: The page is cut off, damaged, or too small.
        """
        with refuse_broken(self._path):
            self._image.seek(number - 1)
        _check_complete(self._image, self._path)
        if number != self._number:
            self._number, self._turn = number, _take_turn(self._image)
        return decode_picture(self._image, self._path, min_long_side_px, self._turn)

    def close(self) -> None:
        """Let go of the file."""
        self._image.close()


def _take_turn(image: Image.Image) -> Turn:
    """Read the orientation of a frame, and make Pillow forget it.

    Left alone, Pillow (13.0) turns a frame while loading it, and scrambles the pixels of an
    uncompressed one whose orientation swaps the axes.
    """
    turn = read_turn(image)
    image.getexif().pop(EXIF_ORIENTATION, None)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        image.tag_v2.pop(EXIF_ORIENTATION, None)
        image._size = image._tile_size
    return turn


def _check_complete(image: Image.Image, path: Path) -> None:
    """Refuse a frame whose data would lie beyond the end of the file.

    Looked at here because libtiff fills what is missing of a fax page with white, without a word.
    """
    tags = getattr(image, "tag_v2", {})
    size = path.stat().st_size
    for starts, lengths in (_STRIPS, _TILES):
        pieces = zip(tags.get(starts, ()), tags.get(lengths, ()), strict=False)
        if any(start + length > size for start, length in pieces):
            raise UnreadableFileError(
                _("This TIFF file was cut off in the middle of a page."),
                remedy=_("Copy the file again from the scanner, or scan the sheets again."),
                path=path,
            )
