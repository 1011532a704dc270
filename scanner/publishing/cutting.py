"""Cutting a picture out of a scan that is laid on its form; images in, images out."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box, Homography, apply_homography

Gray = NDArray[np.uint8]
"""Shape (height, width), 0 black .. 255 white."""

FINEST_PX_PER_MM = 12.0
"""About 300 dots per inch: no scan of a paper form holds more that a person needs."""
MASK_GRAY = 176
OUTSIDE_GRAY = 214
"""Where the scan has no paper."""
JPEG_QUALITY = 82


class Mask(IntEnum):
    """What is covered on a picture of a sheet."""

    NOTHING = 0
    PRIVATE = 1
    """What voters write about themselves."""
    WORDS_TOO = 2
    """Also what they write in their own words, where the form does not say that all may see it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is shown."""

    jpeg: bytes
    sha256: str
    """Of its bytes, 64 hexadecimal digits: what a decision remembers of what was shown."""
    width: int
    """In pixels."""
    height: int
    box: Box | None = None
    """The part of the form's page that it shows, in millimetres; None for a page as scanned."""

    @property
    def view_box(self) -> str:
        """The ``viewBox`` of an SVG drawing in millimetres on the form that covers the picture."""
        box = self.box or Box(0, 0, self.width, self.height)
        return f"{box.x:.3f} {box.y:.3f} {box.w:.3f} {box.h:.3f}"


def scale_of(box: Box, width_px: int) -> float:
    """How many pixels of a picture so wide a millimetre becomes."""
    return min(width_px / box.w, FINEST_PX_PER_MM)


def lay(gray: Gray, to_form: Homography, box: Box, scale: float) -> Gray:
    """A part of the form's page, as the scan shows it.

    Args:
        gray: The scan.
        to_form: Its pixels to millimetres on the form.
        box: The part, in millimetres.
        scale: Pixels a millimetre of the result.
    """
    size = max(1, round(box.w * scale)), max(1, round(box.h * scale))
    to_picture = np.array([[scale, 0, -box.x * scale], [0, scale, -box.y * scale], [0, 0, 1]])
    laid = cv2.warpPerspective(
        gray,
        to_picture @ to_form,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=OUTSIDE_GRAY,
    )
    return np.asarray(laid, np.uint8)


def cover(gray: Gray, zones: Iterable[Box], box: Box, scale: float) -> None:
    """Cover zones of the form on a part of it that :func:`lay` gave; ``gray`` is changed."""
    for zone in zones:
        left, top = (zone.x - box.x) * scale, (zone.y - box.y) * scale
        first = math.floor(left), math.floor(top)
        last = math.ceil(left + zone.w * scale), math.ceil(top + zone.h * scale)
        cv2.rectangle(gray, first, last, MASK_GRAY, cv2.FILLED)


def cover_on_scan(gray: Gray, zones: Iterable[Box], to_form: Homography) -> None:
    """Cover zones of the form on the scan itself; ``gray`` is changed."""
    to_scan = np.linalg.inv(to_form)
    for zone in zones:
        corners_mm = [
            (zone.x, zone.y), (zone.right, zone.y), (zone.right, zone.bottom),
            (zone.x, zone.bottom),
        ]  # fmt: skip
        corners = apply_homography(to_scan, np.array(corners_mm))
        cv2.fillPoly(gray, [np.round(corners).astype(np.int32)], MASK_GRAY)


def turn(gray: Gray, degrees: int) -> Gray:
    """Turned clockwise by quarters."""
    return np.ascontiguousarray(np.rot90(gray, -(degrees // 90)))


def shrink(gray: Gray, width_px: int) -> Gray:
    """Not wider than that."""
    factor = min(1.0, width_px / gray.shape[1])
    small = cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def read_gray(path: Path) -> Gray:
    """A picture file, in grey."""
    return np.asarray(cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def long_side_px(to_form: Homography, page: Box, scale: float) -> int:
    """How many pixels a scan's long side must keep to show a millimetre at a scale.

    Args:
        to_form: Pixels of the full-size scan to millimetres on the form.
        page: The form's page, in millimetres.
        scale: Pixels a millimetre.
    """
    corners = np.array([(0.0, 0.0), (page.w, 0.0), (0.0, page.h)])
    first, right, low = apply_homography(np.linalg.inv(to_form), corners)
    across, down = math.dist(first, right), math.dist(first, low)
    finest = max(across / page.w, down / page.h)
    return math.ceil(max(across, down) * min(1.0, scale / finest))


def encode(gray: Gray, box: Box | None) -> Picture:
    """A picture as it is sent."""
    _is_done, data = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return _picture(data.tobytes(), gray.shape[1], gray.shape[0], box)


def pack(picture: Picture) -> bytes:
    """A picture as it is kept; :func:`unpack` gives it back."""
    box = picture.box
    head = [picture.width, picture.height, [box.x, box.y, box.w, box.h] if box else None]
    return json.dumps(head).encode() + b"\n" + picture.jpeg


def unpack(kept: bytes) -> Picture:
    """The picture that :func:`pack` wrote."""
    head, _newline, jpeg = kept.partition(b"\n")
    width, height, box = json.loads(head)
    return _picture(jpeg, width, height, Box(*box) if box else None)


def _picture(jpeg: bytes, width: int, height: int, box: Box | None) -> Picture:
    return Picture(jpeg, hashlib.sha256(jpeg).hexdigest(), width, height, box)
