"""Is a PDF page nothing but the wrapping of one scan, and which way up does the scan lie in it?

Everything that might add a drop of ink to the page, or that is not understood, makes the answer
"no"; such a page is drawn. Operators and image entries: ISO 32000-1, annex A and 8.9.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pikepdf
from numpy.typing import NDArray

from scanner.reading.raster import Turn

_POINTS_PER_INCH = 72.0
_MAX_CONTENT_BYTES = 400_000
"""A page of invisible OCR text has some ten thousand bytes; a drawing has millions."""
_MIN_COVER = 0.8
_MAX_BEYOND = 0.02
_MAX_SKEW = 0.002
_MAX_STRETCH = 0.03
_INVISIBLE_TEXT = 3
_HIDDEN_ANNOTATION = 2

_INKLESS_NAMES = (
    "w J j M d ri i g G rg RG k K cs CS sc SC scn SCN BMC BDC EMC MP DP BX EX "
    "BT ET Tf Td TD Tm T* Tc Tw Tz TL Ts"
)
_INKLESS = frozenset(_INKLESS_NAMES.split())
"""Operators that change how later things look, and draw nothing."""
_TEXT = frozenset(["Tj", "TJ", "'", '"'])

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scan:
    """The one image of a page, and how it lies there."""

    image: pikepdf.Stream
    turn: Turn
    dpi: float
    is_jpeg: bool


@dataclass(frozen=True, slots=True)
class _Placed:
    name: str
    matrix: Matrix


def find_scan(page: pikepdf.Page) -> Scan | None:
    """The scan that the page wraps, or None if the page has to be drawn."""
    if _has_visible_annotations(page) or _content_length(page) > _MAX_CONTENT_BYTES:
        return None
    placed = _Walk(page).run()
    if placed is None:
        return None
    image = page.resources["/XObject"][placed.name]
    if not isinstance(image, pikepdf.Stream) or not _is_plain(image):
        return None
    geometry = _locate(page, placed.matrix, (int(image.Width), int(image.Height)))
    if geometry is None:
        return None
    turn, dpi = geometry
    return Scan(image=image, turn=turn, dpi=dpi, is_jpeg=_filters(image) == ["/DCTDecode"])


def images_of(page: pikepdf.Page) -> Iterator[pikepdf.Stream]:
    """The images that a page, or a form drawn on it, can show."""
    yield from _images_in(page.resources, depth=3)


def _images_in(resources: pikepdf.Object, depth: int) -> Iterator[pikepdf.Stream]:
    for _name, found in resources.get("/XObject", pikepdf.Dictionary()).items():
        kind = found.get("/Subtype")
        if kind == "/Image" and isinstance(found, pikepdf.Stream):
            yield found
        elif kind == "/Form" and depth > 0 and "/Resources" in found:
            yield from _images_in(found["/Resources"], depth - 1)


@dataclass
class _Walk:
    """Follows the content stream of a page up to the first thing that is not the scan."""

    page: pikepdf.Page
    matrix: Matrix = field(default_factory=lambda: np.eye(3))
    text_mode: int = 0
    saved: list[tuple[Matrix, int]] = field(default_factory=list)
    path: Matrix | None = None
    placed: _Placed | None = None

    def run(self) -> _Placed | None:
        """The only image drawn, or None where there is none, or anything beside it."""
        for instruction in pikepdf.parse_content_stream(self.page):
            name = str(instruction.operator)
            if name in _INKLESS:
                continue
            step = _STEPS.get(name)
            if step is None or not step(self, list(instruction.operands)):
                return None
        return self.placed

    def save(self, _operands: list[pikepdf.Object]) -> bool:
        self.saved.append((self.matrix, self.text_mode))
        return True

    def restore(self, _operands: list[pikepdf.Object]) -> bool:
        if not self.saved:
            return False
        self.matrix, self.text_mode = self.saved.pop()
        return True

    def concatenate(self, operands: list[pikepdf.Object]) -> bool:
        a, b, c, d, e, f = (float(value) for value in operands)
        self.matrix = np.array([[a, b, 0], [c, d, 0], [e, f, 1]]) @ self.matrix
        return True

    def draw(self, operands: list[pikepdf.Object]) -> bool:
        name = str(operands[0])
        shown = self.page.resources["/XObject"][name]
        if self.placed is not None or shown.get("/Subtype") != "/Image":
            return False
        self.placed = _Placed(name, self.matrix)
        return True

    def rectangle(self, operands: list[pikepdf.Object]) -> bool:
        x, y, w, h = (float(value) for value in operands)
        if self.path is not None:
            return False
        self.path = np.array([[x, y, 1], [x + w, y + h, 1]]) @ self.matrix
        return True

    def clip(self, _operands: list[pikepdf.Object]) -> bool:
        """A clip is allowed that cuts nothing of the page off."""
        if self.path is None:
            return False
        left, bottom, right, top = _visible_box(self.page)
        (x0, y0), (x1, y1) = np.sort(self.path[:, :2], axis=0)
        slack = _MAX_BEYOND * max(right - left, top - bottom)
        return bool(
            x0 <= left + slack
            and y0 <= bottom + slack
            and x1 >= right - slack
            and y1 >= top - slack
        )

    def end_path(self, _operands: list[pikepdf.Object]) -> bool:
        self.path = None
        return True

    def set_text_mode(self, operands: list[pikepdf.Object]) -> bool:
        self.text_mode = int(operands[0])
        return True

    def show_text(self, _operands: list[pikepdf.Object]) -> bool:
        return self.text_mode == _INVISIBLE_TEXT

    def set_state(self, operands: list[pikepdf.Object]) -> bool:
        state = self.page.resources["/ExtGState"][str(operands[0])]
        opaque = all(float(state.get(key, 1)) == 1 for key in ("/ca", "/CA"))
        plain = str(state.get("/BM", "/Normal")) in {"/Normal", "/Compatible"}
        unmasked = str(state.get("/SMask", "/None")) == "/None"
        return opaque and plain and unmasked and "/TR" not in state and "/TR2" not in state


_STEPS: dict[str, Callable[[_Walk, list[pikepdf.Object]], bool]] = {
    "q": _Walk.save,
    "Q": _Walk.restore,
    "cm": _Walk.concatenate,
    "Do": _Walk.draw,
    "re": _Walk.rectangle,
    "W": _Walk.clip,
    "W*": _Walk.clip,
    "n": _Walk.end_path,
    "Tr": _Walk.set_text_mode,
    "gs": _Walk.set_state,
    **dict.fromkeys(_TEXT, _Walk.show_text),
}


def _locate(page: pikepdf.Page, matrix: Matrix, size: tuple[int, int]) -> tuple[Turn, float] | None:
    """How the image must be turned and its resolution; None if it is not laid squarely."""
    corners = (np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]]) @ matrix)[:, :2]
    low, high = corners.min(axis=0), corners.max(axis=0)
    left, bottom, right, top = _visible_box(page)
    seen = np.minimum(high, (right, top)) - np.maximum(low, (left, bottom))
    if (seen <= 0).any():
        return None
    area, seen_area = float(np.prod(high - low)), float(np.prod(seen))
    if seen_area < _MIN_COVER * (right - left) * (top - bottom):
        return None
    if seen_area < (1 - _MAX_BEYOND) * area:
        return None
    # Columns: where the image's own right and down point, on a screen with y downwards.
    (a, b), (c, d) = matrix[0, :2], matrix[1, :2]
    on_screen = _turn_clockwise(np.array([[a, -c], [-b, d]]), _rotation(page))
    swaps_axes = abs(on_screen[0, 0]) < abs(on_screen[1, 0])
    along = on_screen[::-1] if swaps_axes else on_screen
    if abs(along[1, 0]) > _MAX_SKEW * abs(along[0, 0]):
        return None
    if abs(along[0, 1]) > _MAX_SKEW * abs(along[1, 1]):
        return None
    dpi_across = size[0] / abs(along[0, 0]) * _POINTS_PER_INCH
    dpi_down = size[1] / abs(along[1, 1]) * _POINTS_PER_INCH
    if abs(dpi_across / dpi_down - 1) > _MAX_STRETCH:
        return None
    turn = Turn(
        swaps_axes=bool(swaps_axes),
        mirrors_x=bool((on_screen[0, 1] if swaps_axes else on_screen[0, 0]) < 0),
        mirrors_y=bool((on_screen[1, 0] if swaps_axes else on_screen[1, 1]) < 0),
    )
    return turn, round(float(dpi_across), 1)


def _turn_clockwise(matrix: Matrix, degrees: int) -> Matrix:
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    turned: Matrix = np.linalg.matrix_power(quarter, degrees // 90 % 4) @ matrix
    return turned


def _rotation(page: pikepdf.Page) -> int:
    node: pikepdf.Object = page.obj
    for _step in range(50):
        if "/Rotate" in node:
            return int(node["/Rotate"])
        if "/Parent" not in node:
            break
        node = node["/Parent"]
    return 0


def _visible_box(page: pikepdf.Page) -> tuple[float, float, float, float]:
    """(left, bottom, right, top) in points of the part of the page that is shown."""
    boxes = []
    for box in (page.mediabox, page.cropbox):
        x0, y0, x1, y1 = (float(value) for value in box)
        boxes.append((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
    (ml, mb, mr, mt), (cl, cb, cr, ct) = boxes
    return max(ml, cl), max(mb, cb), min(mr, cr), min(mt, ct)


def _has_visible_annotations(page: pikepdf.Page) -> bool:
    for annotation in page.obj.get("/Annots", pikepdf.Array()):
        if str(annotation.get("/Subtype", "")) in {"/Link", "/Popup"}:
            continue
        if not int(annotation.get("/F", 0)) & _HIDDEN_ANNOTATION:
            return True
    return False


def _content_length(page: pikepdf.Page) -> int:
    contents = page.obj.get("/Contents", pikepdf.Array())
    streams = contents if isinstance(contents, pikepdf.Array) else [contents]
    return sum(int(stream.get("/Length", 0)) for stream in streams)


def _filters(image: pikepdf.Stream) -> list[str]:
    found = image.get("/Filter", pikepdf.Array())
    return [str(name) for name in found] if isinstance(found, pikepdf.Array) else [str(found)]


def _is_plain(image: pikepdf.Stream) -> bool:
    """True for grey, colour or 1-bit images whose samples mean what they mean on their own."""
    if any(key in image for key in ("/SMask", "/Mask", "/Decode")) or image.get("/ImageMask"):
        return False
    if len(_filters(image)) > 1:
        return False
    space = image.get("/ColorSpace")
    if isinstance(space, pikepdf.Array):
        family = str(space[0])
        if family == "/ICCBased":
            return int(space[1].get("/N", 0)) in {1, 3}
        if family == "/Indexed":
            return _filters(image)[-1:] != ["/DCTDecode"]
        return family in {"/CalGray", "/CalRGB"}
    return str(space) in {"/DeviceGray", "/DeviceRGB", "/G", "/RGB"}
