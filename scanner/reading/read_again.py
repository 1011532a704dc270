"""A page read once more with what a person says of it: its turn, its form, its corners.

What a person says is a first guess like any other. Where it is wrong, little of the blank's print
is found, and the page is refused again; each target is still compared with the print beside it, and
its place measured, as on a page that nobody had to help. Where the print is clearly another form's
than the one told, the two contradict each other, and the sheet goes before a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.ballot import PageReading, Reason, UnreadablePage
from scanner.errors import BadArgumentsError
from scanner.forms.codes import PageCode
from scanner.geometry import Homography
from scanner.messages import gettext as _
from scanner.reading.align import align_page
from scanner.reading.blank import BlankPage
from scanner.reading.codes import read_page_code
from scanner.reading.features import Match
from scanner.reading.identify import FormIndex, IdentifiedPage
from scanner.reading.interpret import Reader
from scanner.reading.pages import PageImage
from scanner.reading.perspective import rectify
from scanner.reading.small import Halves
from scanner.settings import Settings

Gray = NDArray[np.uint8]
Corners = NDArray[np.float64]
"""Shape (4, 2): x, y; clockwise from the upper left one of the upright page."""
Points = Sequence[tuple[float, float]]
_Guess = tuple[BlankPage, Homography]
"""A page and how it may lie: pixels of the decoded scan to working pixels of the page."""

_QUARTERS = (0, 90, 180, 270)
_FLAT_SIDE_PX = 1400
_PAPER_RATIO = 2**0.5
_LEAST_SIDE = 0.05
"""Of the scan's long side: corners nearer to each other than this were not meant."""
_SURE_SHARE = 0.9
"""Share of the pieces of print found from which no other guess is tried."""
_MANY_PRINTED = 60
"""Of 255: how dark a pixel of the blank is that counts as print."""
_TOLD = 1
"""What a person says counts as one feature; whether it agrees with the print is seen later."""


class CornersOf(StrEnum):
    """What the four corners are corners of."""

    PAPER = "paper"
    PRINT = "print"
    """The smallest upright rectangle around all that is printed on the page."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a person says of a page; all of it may be left open."""

    turn: int | None = None
    """By how many degrees clockwise the scan must be turned to stand upright: 0, 90, 180, 270."""
    form: str | None = None
    page: int | None = None
    """The page of the form; without a form, of any."""
    corners: tuple[tuple[float, float], ...] | None = None
    """Four points, in pixels of the full-size scan, in any order; they may lie beyond its edge."""
    corners_of: CornersOf = CornersOf.PAPER


def read_again(reader: Reader, image: PageImage, told: Told) -> PageReading | UnreadablePage:
    """Read a page with what a person says of it.

    Args:
        reader: Knows the forms.
        image: The scanned page, full or reduced.
        told: What a person says.

    Returns:
        What was read; or why it could not be read even so, with the page that it is most like.

    Raises:
        BadArgumentsError: There is no such form or page, or the corners are no four-sided figure.
    """
    blanks = _pages_told(reader.blanks, told)
    corners = _on_decoded(image, told)
    soft = _stretched(image.gray, corners)
    best = _Best(image.gray, soft)
    for guess in _guesses(soft, blanks, told, corners, reader.settings):
        best.consider(*guess)
        if best.is_sure:
            break
    if best.found is None:
        return UnreadablePage(Reason.UNKNOWN_FORM, {"most_alike": ""})
    blank, homography, share = best.found
    code = _code_told(image.gray, blank, told)
    inliers = round(share * len(blank.patches))
    return reader.read_identified(
        image, IdentifiedPage(Halves(image.gray), blank, homography, inliers, None, code)
    )


def order_corners(corners: Points, turn: int) -> Corners:
    """Four points clockwise, the upper left one first as it is once the scan was turned.

    Args:
        corners: Four points in pixels of the scan, in any order.
        turn: By how many degrees clockwise the scan must be turned to stand upright.

    Raises:
        BadArgumentsError: They are no four-sided figure.
    """
    points = np.array(corners, np.float64).reshape(-1, 2)
    if len(points) == 4 and np.isfinite(points).all():
        middle = points.mean(axis=0)
        angles = np.arctan2(*(points - middle).T[::-1])
        # A picture's y grows downwards, so that growing angles go clockwise.
        around = points[np.argsort(angles)]
        if _is_convex(around):
            upright = around @ _turning(turn).T
            first = int(np.argmin(upright.sum(axis=1)))
            return np.roll(around, -first, axis=0)
    raise BadArgumentsError(
        _("These four points are not the corners of a page."),
        remedy=_("Drag each of them onto one corner."),
    )


def _is_convex(points: Corners) -> bool:
    """Whether points in this order go around clockwise without a dent."""
    sides = np.roll(points, -1, axis=0) - points
    ahead = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * ahead[:, 1] - sides[:, 1] * ahead[:, 0]
    longest = float(np.linalg.norm(sides, axis=1).max())
    return bool((turns > (_LEAST_SIDE * longest) ** 2).all())


def _turning(degrees: int) -> NDArray[np.float64]:
    """The matrix that turns points of a picture clockwise by quarters."""
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[degrees // 90 % 4]
    return np.array([[cos, -sin], [sin, cos]], np.float64)


def _turned(gray: Gray, degrees: int) -> tuple[Gray, Homography]:
    """A picture turned clockwise by quarters, and the way of its points."""
    height, width = gray.shape
    way = np.eye(3)
    way[:2, :2] = _turning(degrees)
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]])
    way[:2, 2] = -(corners @ way[:2, :2].T).min(axis=0)
    return np.ascontiguousarray(np.rot90(gray, -(degrees // 90))), way


def _pages_told(blanks: Sequence[BlankPage], told: Told) -> list[BlankPage]:
    chosen = [
        blank
        for blank in blanks
        if told.form in {None, blank.form.id} and told.page in {None, blank.page.number}
    ]
    if not chosen:
        raise BadArgumentsError(
            _("No form of this count has that page."),
            remedy=_("Choose a form and one of its pages."),
        )
    return chosen


def _code_told(gray: Gray, blank: BlankPage, told: Told) -> PageCode | None:
    """What the page says of itself; where it says nothing, what the person says.

    So a person settles what the print leaves open, and where print or code clearly contradict the
    person, the sheet is in doubt.
    """
    code = read_page_code(gray) if blank.page.code else None
    if code is not None or told.form is None:
        return code
    return PageCode(told.form, blank.page.number if told.page is None else told.page)


class _Best:
    """The guess under which most of a page's print is found; each is made better where it can."""

    def __init__(self, gray: Gray, soft: Gray) -> None:
        self._gray = gray
        self._soft = soft
        self.found: tuple[BlankPage, Homography, float] | None = None

    @property
    def is_sure(self) -> bool:
        return self.found is not None and self.found[2] >= _SURE_SHARE

    def consider(self, blank: BlankPage, homography: Homography) -> None:
        for better in self._made_better(blank, homography):
            share = _share_found(self._gray, blank, better)
            if self.found is None or share > self.found[2]:
                self.found = blank, better, share
            if share >= _SURE_SHARE:
                return

    def _made_better(self, blank: BlankPage, homography: Homography) -> Iterator[Homography]:
        yield homography
        laid = rectify(self._soft, (blank, Match(homography, _TOLD)), lambda _features: None)
        if laid is not None:
            yield laid.match.homography


def _on_decoded(image: PageImage, told: Told) -> Points | None:
    """The corners told, if any, in pixels of the scan as it was decoded."""
    if told.corners is None:
        return None
    return [(x / image.reduction, y / image.reduction) for x, y in told.corners]


def _guesses(
    gray: Gray,
    blanks: Sequence[BlankPage],
    told: Told,
    corners: Points | None,
    settings: Settings,
) -> Iterator[_Guess]:
    """How the page may lie by what was told; the likeliest first."""
    turns = _QUARTERS if told.turn is None else (told.turn % 360,)
    flat, way = (
        _turned(gray, turns[0])
        if corners is None
        else _flatten(gray, order_corners(corners, turns[0]))
    )
    # Where the form is told, four corners say more than a look at the page does.
    if corners is None or told.form is None:
        seen = FormIndex(blanks, settings).identify_page(flat)
        if isinstance(seen, IdentifiedPage):
            blanks = [seen.blank]
            yield seen.blank, np.asarray(seen.homography @ way, np.float64)
    if told.form is None and len(blanks) > 1:
        return
    if corners is None:
        height, width = gray.shape
        right, bottom = width - 0.5, height - 0.5
        frame = [(-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom)]
        yield from _by_frames(blanks, frame, turns, CornersOf.PAPER)
    else:
        yield from _by_frames(blanks, corners, turns, told.corners_of)


def _by_frames(
    blanks: Sequence[BlankPage],
    corners: Points,
    turns: Sequence[int],
    corners_of: CornersOf,
) -> Iterator[_Guess]:
    for blank in blanks:
        there = _corners_on(blank, corners_of)
        for turn in turns:
            here = order_corners(corners, turn)
            way = cv2.getPerspectiveTransform(here.astype(np.float32), there.astype(np.float32))
            yield blank, np.asarray(way, np.float64)


def print_box_px(blank: BlankPage) -> tuple[float, float, float, float]:
    """The smallest upright rectangle around all print of a page: x0, y0, x1, y1, working pixels."""
    rows, columns = (np.flatnonzero((blank.darkness > _MANY_PRINTED).any(axis=a)) for a in (1, 0))
    if not len(rows):
        return 0.0, 0.0, float(blank.width_px), float(blank.height_px)
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _corners_on(blank: BlankPage, corners_of: CornersOf) -> Corners:
    x0, y0, x1, y1 = 0.0, 0.0, float(blank.width_px), float(blank.height_px)
    if corners_of is CornersOf.PRINT:
        x0, y0, x1, y1 = print_box_px(blank)
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) - 0.5


def _flatten(gray: Gray, corners: Corners) -> tuple[Gray, Homography]:
    """What lies between four corners as a rectangle of a sheet's proportions, and the way there."""
    sides = [float(np.linalg.norm(b - a)) for a, b in pairwise([*corners, corners[0]])]
    is_wide = sides[0] + sides[2] > sides[1] + sides[3]
    long, short = _FLAT_SIDE_PX, round(_FLAT_SIDE_PX / _PAPER_RATIO)
    width, height = (long, short) if is_wide else (short, long)
    there = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    way = cv2.getPerspectiveTransform(corners.astype(np.float32), there.astype(np.float32))
    flat = cv2.warpPerspective(gray, way, (width, height), borderValue=255)
    return flat.astype(np.uint8, copy=False), np.asarray(way, np.float64)


def _share_found(gray: Gray, blank: BlankPage, homography: Homography) -> float:
    """Share of the pieces of a page's print that are found where a guess puts them."""
    try:
        aligned = align_page(gray, blank, homography)
    except (np.linalg.LinAlgError, cv2.error):
        return 0.0
    return aligned.patches_found / max(aligned.patches_tried, 1)


def _stretched(gray: Gray, corners: Points | None) -> Gray:
    """Faint print made darker, so that features are found on it; the reading sees the scan itself.

    Args:
        gray: The scan.
        corners: Around the page, if they are known: a table beside it tells nothing of its print.
    """
    height, width = gray.shape
    part = gray
    if corners is not None:
        x, y = np.array(corners, np.float64).T
        x0, x1 = np.percentile(x, (30, 70)).clip(0, width).astype(int)
        y0, y1 = np.percentile(y, (30, 70)).clip(0, height).astype(int)
        part = gray[y0:y1, x0:x1]
    if not part.size:
        return gray
    low, high = (float(value) for value in np.percentile(part[::2, ::2], (1, 99)))
    if high - low < 1:
        return gray
    table = np.clip((np.arange(256) - low) * 255 / (high - low), 0, 255).astype(np.uint8)
    return cv2.LUT(gray, table).astype(np.uint8, copy=False)
