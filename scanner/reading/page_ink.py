"""The ink that was added to a whole page, and what made it: a fold, a mark, a tail of one."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box
from scanner.reading.align import AlignedPage, lay_whole
from scanner.reading.folds import find_fold
from scanner.reading.ink import Tone, darkness
from scanner.reading.places import TargetPlace, find_known

INK = 60
"""Added darkness, of 255, from which a pixel may be part of a stroke."""
_BARE = 60
"""Darkness of the blank, with slack, up to which ink is seen there."""
_DEEPEST = 60.0
"""Darkness, of 255, up to which a ridge across the page is a fold without doubt."""
_FOLD_MM = 0.7
"""Half the width of what a fold makes darker."""
_UNEVEN = 1.8
_LEAST_FOLD = 15
"""A fold may be so many times as dark at a target as it usually is, and so much more."""
_JOIN_MM = 1.3
"""A stroke goes on behind a ruled line so wide."""
_IS_MAIN, _IS_OWN = 0.85, 0.8
"""Shares of a target's ink in its largest piece, and of that piece's in the target, from which it
is one mark."""
_SEEN_AROUND_MM = 12.0
_TAIL_MM = 2.0
"""A mark reaches so far beyond its target."""
_IS_TAIL = 0.6
"""Share of a piece of ink that lies in one other target, of which it is the mark."""
TRACE = 40
"""Darkness, of 255, from which a pixel is a trace of ink."""


class PageInk:
    """The ink that was added to a page, in the form's own frame; worked out when it is asked for.

    Args:
        aligned: The page.
        tone: How bright paper and print are on it.
    """

    def __init__(self, aligned: AlignedPage, tone: Tone) -> None:
        self.blank = aligned.blank
        self._aligned = aligned
        self._tone = tone

    @cached_property
    def added(self) -> NDArray[np.uint8]:
        """The darkness that the blank does not have, shape (height_px, width_px)."""
        paper = _lay_paper(self._aligned, self._tone)
        ink = darkness(lay_whole(self._aligned), paper, self._tone.black)
        return cv2.subtract(ink, find_known(self.blank)).astype(np.uint8, copy=False)

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """Where the blank has no print, shape as ``added``."""
        return np.asarray(find_known(self.blank) < _BARE)

    def explain(
        self,
        number: int,
        place: TargetPlace,
        shift: tuple[int, int],
        deepest: float = _DEEPEST,
    ) -> NDArray[np.bool_]:
        """Where the ink around a target has another cause than a mark in it, shape as its ring.

        Args:
            number: The target.
            place: Its place.
            shift: How far it lies off that, x and y in working pixels.
            deepest: Darkness, of 255, up to which a ridge across the page may be a fold.
        """
        height, width = place.known.shape
        x0, y0 = place.ring[0] + shift[0], place.ring[1] + shift[1]
        rows, columns = self.added.shape
        found = np.zeros((height, width), bool)
        # The ring of a target at the edge, moved, may lie partly beyond it.
        left, top, right, bottom = (
            max(x0, 0),
            max(y0, 0),
            min(x0 + width, columns),
            min(y0 + height, rows),
        )
        window = left, top, right, bottom
        seen = self.under_folds(*window, deepest) | self.of_others(number, window)
        found[top - y0 : bottom - y0, left - x0 : right - x0] = seen
        return found

    def under_folds(
        self, x0: int, y0: int, x1: int, y1: int, deepest: float = _DEEPEST
    ) -> NDArray[np.bool_]:
        """Where the faint ink of folds lies in a window of the form, shape as it."""
        added = self.added[y0:y1, x0:x1]
        found = np.zeros(added.shape, bool)
        across = find_fold(self.added, self.free, (x0, y0, x1, y1), self.blank.px_per_mm, deepest)
        down = find_fold(self.added.T, self.free.T, (y0, x0, y1, x1), self.blank.px_per_mm, deepest)
        for fold, mask, ink in ((across, found, added), (down, found.T, added.T)):
            if fold is not None:
                rows, columns = np.indices(mask.shape)
                near = (
                    np.abs(rows - fold.at - fold.slope * columns) <= _FOLD_MM * self.blank.px_per_mm
                )
                mask |= near & (ink <= _UNEVEN * fold.level + _LEAST_FOLD)
        return found

    def of_others(
        self, number: int, window: tuple[int, int, int, int], least: float = _IS_TAIL
    ) -> NDArray[np.bool_]:
        """Where ink in a window of the form is the tail of a mark in another target.

        Args:
            number: The target.
            window: x0, y0, x1, y1.
            least: Share of the mark that lies in that other target.
        """
        x0, y0, x1, y1 = window
        pieces, owner, share = self._owners
        tail = ((owner != number) & (share >= least))[pieces[y0:y1, x0:x1]].astype(np.uint8)
        # With the soft edge of its stroke.
        return np.asarray(cv2.dilate(tail, np.ones((3, 3), np.uint8)) > 0)

    def is_whole(self, number: int) -> bool:
        """Whether the ink in a target is one piece, and that is nowhere else.

        A cross of a soft pencil is, however pale; the letters and rings of a stamp are several
        pieces, or run on.
        """
        box, scale = self.blank.target_boxes[number], self.blank.px_per_mm
        window = _window_of(box.grown(_SEEN_AROUND_MM * scale))
        ink = self.added[window] >= TRACE
        count, pieces = _join(ink, self.free[window], scale)
        y0, x0 = (side.start for side in window)
        inside, near = (
            np.bincount(pieces[here][ink[here]], minlength=count)
            for beyond_mm in (0.0, _TAIL_MM)
            for here in [_window_of(_moved(box.grown(beyond_mm * scale), -x0, -y0))]
        )
        main = int(inside.argmax())
        of_all = int((ink & (pieces == main)).sum())
        is_main = inside[main] >= max(_IS_MAIN * inside.sum(), 1)
        return bool(is_main and near[main] >= _IS_OWN * of_all)

    @cached_property
    def _owners(self) -> tuple[NDArray[np.int32], NDArray[np.intp], NDArray[np.float64]]:
        """The pieces of ink; for each the target that most of it lies in, and how much of it."""
        ink = self.added >= INK
        count, pieces = _join(ink, self.free, self.blank.px_per_mm)
        shares = np.zeros((count, len(self.blank.targets)))
        for number, box in enumerate(self.blank.target_boxes):
            here = _window_of(box)
            shares[:, number] = np.bincount(pieces[here][ink[here]], minlength=count)
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
        shares[0] = 0.0
        return pieces, shares.argmax(axis=1), shares.max(axis=1)


def _join(
    ink: NDArray[np.bool_], free: NDArray[np.bool_], px_per_mm: float
) -> tuple[int, NDArray[np.int32]]:
    """Pieces of ink, each with what of it the blank's print hides; their count, and labels."""
    side = 2 * round(_JOIN_MM * px_per_mm / 2) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    # Both ends of a stroke that a ruled line hides spread into it, and meet there.
    joined = ink | ((cv2.dilate(ink.astype(np.uint8), kernel) > 0) & ~free)
    count, pieces = cv2.connectedComponents(joined.astype(np.uint8), connectivity=8)
    return count, np.asarray(pieces, np.int32)


def _moved(box: Box, dx: float, dy: float) -> Box:
    return Box(box.x + dx, box.y + dy, box.w, box.h)


def _window_of(box: Box) -> tuple[slice, slice]:
    return (
        slice(max(round(box.y), 0), max(round(box.bottom), 0)),
        slice(max(round(box.x), 0), max(round(box.right), 0)),
    )


def _lay_paper(aligned: AlignedPage, tone: Tone) -> NDArray[np.uint8]:
    """The brightness of bare paper at each working pixel of the form."""
    blank, step = aligned.blank, 32
    rows, columns = blank.height_px // step + 2, blank.width_px // step + 2
    grid = step * np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
    paper = tone.paper_at(aligned.to_small(grid.reshape(-1, 2).astype(np.float64)))
    wide = cv2.resize(
        paper.reshape(rows, columns).astype(np.uint8), None, fx=step, fy=step,
        interpolation=cv2.INTER_LINEAR,
    )  # fmt: skip
    middle = step // 2
    return np.ascontiguousarray(
        wide[middle : middle + blank.height_px, middle : middle + blank.width_px], np.uint8
    )
