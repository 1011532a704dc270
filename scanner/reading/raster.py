"""A decoded page, and how any picture becomes one: grey, upright, on white paper."""

from __future__ import annotations

import hashlib
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from scanner.errors import ImageTooLargeError, UnreadableFileError
from scanner.messages import gettext as _

Gray = NDArray[np.uint8]
"""Shape (height, width), 0 black .. 255 white."""

MAX_PIXELS = 200_000_000
"""A0 at 300 dpi has 140 million; nothing that was scanned to be counted has more than this."""
MIN_LONG_SIDE_PX = 200
"""Below this no print can be read: an icon, a thumbnail."""
REDUCTIONS = (8, 4, 2)

EXIF_ORIENTATION = 0x0112
_BELIEVABLE_DPI = (30.0, 4800.0)

# The size of every picture is checked here against MAX_PIXELS before a pixel of it is decoded;
# Pillow's own limit lies below what an A3 scan at 1200 dpi may have.
Image.MAX_IMAGE_PIXELS = None

_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
)
"""What Pillow raises on broken data, by its own tests for hostile files."""


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page of a scan, decoded."""

    gray: Gray
    """Shape (height, width), 0 black .. 255 white, EXIF orientation already applied."""
    reduction: int
    """How many pixels of the full-size page one pixel of ``gray`` stands for: 1, 2, 4 or 8."""
    full_size: tuple[int, int]
    """(width, height) of the full-size page, upright as EXIF says."""
    image_hash: str
    """SHA-256 of the page's own image data: the same image in two files has the same hash."""
    dpi: float | None = None
    """Resolution of the full-size page as the file states it; often missing, often untrue."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One of the eight ways a picture can lie: first swap the axes, then mirror."""

    swaps_axes: bool = False
    mirrors_x: bool = False
    mirrors_y: bool = False

    def apply(self, gray: Gray) -> Gray:
        """The turned picture; the same array where nothing is to be turned."""
        if self.swaps_axes:
            gray = cv2.transpose(gray)  # type: ignore[assignment]
        if self.mirrors_x and self.mirrors_y:
            return cv2.flip(gray, -1)  # type: ignore[return-value]
        if self.mirrors_x or self.mirrors_y:
            return cv2.flip(gray, 1 if self.mirrors_x else 0)  # type: ignore[return-value]
        return gray

    def turn_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) after the turn."""
        return (size[1], size[0]) if self.swaps_axes else size


UPRIGHT = Turn()
_TURN_OF_ORIENTATION = {
    2: Turn(mirrors_x=True),
    3: Turn(mirrors_x=True, mirrors_y=True),
    4: Turn(mirrors_y=True),
    5: Turn(swaps_axes=True),
    6: Turn(swaps_axes=True, mirrors_x=True),
    7: Turn(swaps_axes=True, mirrors_x=True, mirrors_y=True),
    8: Turn(swaps_axes=True, mirrors_y=True),
}
"""How a picture with that EXIF or TIFF orientation comes to stand upright (TIFF 6.0, tag 274)."""


def check_not_too_large(size: tuple[int, int], path: Path) -> None:
    """Refuse a picture by its (width, height), before it is decoded.

    Raises:
        ImageTooLargeError: More than ``MAX_PIXELS``.
    """
    width, height = size
    if width * height > MAX_PIXELS:
        raise ImageTooLargeError(
            _("This image has {width} × {height} pixels, more than any scan.").format(
                width=width, height=height
            ),
            remedy=_("Scan the sheet again at 200 to 300 dpi."),
            path=path,
        )


def check_size(size: tuple[int, int], path: Path) -> None:
    """Refuse a page by its (width, height), before it is decoded.

    Raises:
        ImageTooLargeError: More than ``MAX_PIXELS``.
        UnreadableFileError: A long side below ``MIN_LONG_SIDE_PX``.
    """
    check_not_too_large(size, path)
    width, height = size
    if max(width, height) < MIN_LONG_SIDE_PX:
        raise UnreadableFileError(
            _("This image has only {width} × {height} pixels.").format(width=width, height=height),
            remedy=_("Scan the sheet again at 200 to 300 dpi."),
            path=path,
        )


def choose_reduction(size: tuple[int, int], min_long_side_px: int) -> int:
    """The largest of 8, 4, 2, 1 that leaves the long side at ``min_long_side_px`` or more."""
    if min_long_side_px <= 0:
        return 1
    fitting = (step for step in REDUCTIONS if max(size) // step >= min_long_side_px)
    return next(fitting, 1)


def reduce_gray(gray: Gray, reduction: int) -> Gray:
    """Each ``reduction`` × ``reduction`` pixels become their mean; odd edge pixels are left out."""
    if reduction == 1:
        return gray
    height, width = (side // reduction for side in gray.shape)
    even = gray[: height * reduction, : width * reduction]
    return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def hash_pixels(gray: Gray) -> str:
    """SHA-256 over shape and pixels."""
    digest = hashlib.sha256(f"{gray.shape[1]}x{gray.shape[0]}:".encode())
    digest.update(np.ascontiguousarray(gray).data)
    return digest.hexdigest()


def page_of_gray(gray: Gray, min_long_side_px: int, dpi: float | None = None) -> PageImage:
    """A page of a full-size grey picture that already stands upright."""
    size = (gray.shape[1], gray.shape[0])
    reduction = choose_reduction(size, min_long_side_px)
    return PageImage(
        gray=reduce_gray(gray, reduction),
        reduction=reduction,
        full_size=size,
        image_hash=hash_pixels(gray),
        dpi=dpi,
    )


@contextmanager
def refuse_broken(path: Path) -> Iterator[None]:
    """Turn whatever Pillow says about broken data into one error with a remedy.

    Raises:
        UnreadableFileError: The data inside is cut off or damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except _DECODING_ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableFileError(
            _("This image is damaged or was cut off ({reason}).").format(reason=reason),
            remedy=_("Copy the file again from the scanner, or scan the sheet again."),
            path=path,
        ) from error


def open_picture(source: Path | IO[bytes], path: Path) -> Image.Image:
    """Read the header of a picture; no pixel is decoded yet.

    Raises:
        UnreadableFileError: The header is broken.
    """
    with refuse_broken(path):
        return Image.open(source)


def decode_jpeg(
    image: Image.Image, data: bytes, path: Path, min_long_side_px: int, turn: Turn | None = None
) -> PageImage:
    """Decode an opened JPEG at 1/1, 1/2, 1/4 or 1/8, in grey, strictly.

    A stream that ends early or is damaged is refused: half a page read as a whole one would be
    unmarked in its lower half.

    Args:
        image: The JPEG, opened but not decoded.
        data: Its bytes, for the hash.
        path: The file, for messages.
        min_long_side_px: How many pixels the long side must keep; 0 for all.
        turn: How it is to be turned; None to do as EXIF says.

    Raises:
        ImageTooLargeError: More pixels than any scan has.
        UnreadableFileError: Cut off, damaged, or too small.
    """
    check_size(image.size, path)
    full_size, dpi = image.size, stated_dpi(image)
    turn = read_turn(image) if turn is None else turn
    reduction = choose_reduction(full_size, min_long_side_px)
    small_size = full_size[0] // reduction, full_size[1] // reduction
    with refuse_broken(path):
        gray = _decode_flawless(image, data, small_size)
        if gray is None:
            image.draft("L", small_size)
            gray = gray_of(image)
    # libjpeg cannot scale a few rare kinds (lossless, arithmetic); the factor it used counts.
    gray = reduce_gray(gray, reduction // _factor(full_size, gray))
    return PageImage(
        gray=turn.apply(gray),
        reduction=reduction,
        full_size=turn.turn_size(full_size),
        image_hash=hashlib.sha256(data).hexdigest(),
        dpi=dpi,
    )


def _decode_flawless(image: Image.Image, data: bytes, small_size: tuple[int, int]) -> Gray | None:
    """The usual kinds of JPEG, twice as fast as Pillow's copies allow.

    Returns:
        None for a rare kind, and for data with the least fault: Pillow knows which can be borne.
    """
    if image.mode not in {"L", "RGB"}:
        return None
    try:
        gray = simplejpeg.decode_jpeg(
            data, "GRAY", min_width=small_size[0], min_height=small_size[1]
        )
    except ValueError:
        return None
    return np.asarray(gray[:, :, 0], np.uint8)


def decode_picture(
    image: Image.Image, path: Path, min_long_side_px: int, turn: Turn | None = None
) -> PageImage:
    """Decode an opened PNG, TIFF frame, BMP, WebP or GIF in grey, strictly.

    Args:
        image: The picture, opened but not decoded.
        path: The file, for messages.
        min_long_side_px: How many pixels the long side must keep; 0 for all.
        turn: How it is to be turned; None to do as EXIF says.

    Raises:
        ImageTooLargeError: More pixels than any scan has.
        UnreadableFileError: Cut off, damaged, or too small.
    """
    check_size(image.size, path)
    dpi = stated_dpi(image)
    turn = read_turn(image) if turn is None else turn
    with refuse_broken(path):
        image.load()
        gray = turn.apply(gray_of(image))
    return page_of_gray(gray, min_long_side_px, dpi)


def gray_of(image: Image.Image) -> Gray:
    """The picture in grey, what is transparent shown on white paper."""
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(np.asarray(image))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        paper = Image.new("RGBA", rgba.size, "white")
        image = Image.alpha_composite(paper, rgba)
    if image.mode not in {"L", "1"}:
        image = image.convert("RGB")
    return np.asarray(image if image.mode == "L" else image.convert("L"))


def read_turn(image: Image.Image) -> Turn:
    """How the picture comes to stand upright; as it is where EXIF is missing or broken."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    except _DECODING_ERRORS:
        return UPRIGHT
    return _TURN_OF_ORIENTATION.get(orientation, UPRIGHT)


def stated_dpi(image: Image.Image) -> float | None:
    """The resolution that the file states, if it is one and the same both ways."""
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    low, high = _BELIEVABLE_DPI
    alike = low <= across <= high and abs(across - down) <= 0.02 * across
    return across if alike else None


def _factor(full_size: tuple[int, int], gray: Gray) -> int:
    """By how much the decoder itself has reduced the picture."""
    long_side_px: int = max(gray.shape)
    return max(1, round(max(full_size) / long_side_px))


def _eight_bits(deep: NDArray[np.generic]) -> Gray:
    """16-bit, 32-bit and float pictures, brought to 0..255 by the range of their kind."""
    values = deep.astype(np.float64)
    top = float(values.max(initial=0.0))
    full_scale = next((scale for scale in (1.0, 255.0, 65535.0) if top <= scale), top)
    if deep.dtype == np.uint16:
        full_scale = 65535.0
    scaled: Gray = np.clip(values * (255.0 / full_scale), 0, 255).round().astype(np.uint8)
    return scaled
