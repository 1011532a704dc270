"""The ink that was added to a whole page, and what made it: a fold, a mark, a tail of one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box
from scanner.reading.align import AlignedPage, Window, lay_window
from scanner.reading.folds import Fold, find_fold, look_beyond, measure_strips
from scanner.reading.ink import Tone, darkness_on
from scanner.reading.places import TargetPlace, find_known, find_line
from scanner.reading.strokes import follow, is_cross, is_made_here, join_ink, join_px, join_strokes

INK = 60
"""Added darkness, of 255, from which a pixel may be part of a stroke."""
_TILE_PX = 32
"""The page is laid out in squares of this side, where they are asked for."""
BARE = 60
"""Darkness of the blank, with slack, up to which ink is seen there."""
_DEEPEST = 60.0
"""Darkness, of 255, up to which a ridge across the page is a fold without doubt."""
_FOLD_MM = 0.7
"""Half the width of what a fold makes darker."""
_UNEVEN = 1.8
_LEAST_FOLD = 15
"""A fold may be so many times as dark at a target as it usually is, and so much more."""
_IS_MAIN, _IS_OWN = 0.85, 0.8
"""Shares of a target's ink in its largest piece, and of that piece's in the target, from which it
is one mark."""
_IS_WHOLLY, _SKIP_MM = 0.95, 1.0
"""Two pieces that lie in a target but for a twentieth, so near to each other, are one mark."""
_SEEN_AROUND_MM = 12.0
_TAIL_MM = 2.0
"""A mark reaches so far beyond its target."""
_LINE_OF_INK_MM, _LETTER_MM = 10.0, (0.8, 5.0)
"""Length from which ink around a target is a line of writing or of a stamp; what is shorter than a
letter is dirt, and what is longer counts no more than one: the edge of the scan is long."""
_ELSEWHERE = 0.7
"""Share of a piece of ink that must lie clear of all targets, or it is of another one's mark."""
_IS_TAIL = 0.6
"""Share of a piece of ink that lies in one other target, of which it is the mark."""
_TAIL_OF_MARK, _TAIL_MM2 = 0.67, 12.0
"""A tail has at most this share of the ink that its mark has, and covers no more of another target
than a felt pen's of 12 mm would: a highlighter's mark does."""
_AT_BORDER, _TWICE = 0.2, 2.0
"""Ink whose middle is so far off that of its target, in widths or heights, lies at the border, as
that of an end which reaches up to 0.6 into it; it may be a part of another target's mark unless it
is so many times what is in that one."""
TRACE = 40
"""Darkness, of 255, from which a pixel is a trace of ink."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """The pieces of ink in a window, with what of them the blank's print hides."""

    labels: NDArray[np.int32]
    """Which piece is where, shape of the window; 0 for none."""
    shares: NDArray[np.float64]
    """How much of what of each piece lies in targets is in each, shape (pieces, targets)."""
    runs_on: NDArray[np.bool_]
    """Whether it may go on beyond the window."""


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
        self._known = find_known(aligned.blank)
        self._whole = 0, 0, aligned.blank.width_px, aligned.blank.height_px
        rows, columns = (-(-side // _TILE_PX) for side in self._known.shape)
        self._is_laid = np.zeros((rows, columns), bool)
        self._main_pieces: dict[int, tuple[float, float]] = {}
        self._strips_across: dict[int, NDArray[np.float32]] = {}
        self._strips_down: dict[int, NDArray[np.float32]] = {}

    def added(self, window: Window) -> NDArray[np.uint8]:
        """The darkness that the blank does not have in a window of the form, shape as it."""
        x0, y0, x1, y1 = window
        first_x, first_y = x0 // _TILE_PX, y0 // _TILE_PX
        tiles = self._is_laid[first_y : -(-y1 // _TILE_PX), first_x : -(-x1 // _TILE_PX)]
        down, across = np.flatnonzero(~tiles.all(axis=1)), np.flatnonzero(~tiles.all(axis=0))
        if down.size:
            self._lay(
                first_x + int(across[0]),
                first_y + int(down[0]),
                first_x + int(across[-1]) + 1,
                first_y + int(down[-1]) + 1,
            )
        return self._added[y0:y1, x0:x1]

    def free(self, window: Window) -> NDArray[np.bool_]:
        """Where the blank has no print in a window of the form, shape as it."""
        x0, y0, x1, y1 = window
        return np.asarray(self._known[y0:y1, x0:x1] < BARE)

    def _lay(self, left: int, top: int, right: int, bottom: int) -> None:
        """Find what was added in a rectangle of tiles."""
        _, _, width, height = self._whole
        x0, y0 = left * _TILE_PX, top * _TILE_PX
        x1, y1 = min(right * _TILE_PX, width), min(bottom * _TILE_PX, height)
        ink = self._lay_ink((x0, y0, x1, y1))
        self._added[y0:y1, x0:x1] = cv2.subtract(ink, self._known[y0:y1, x0:x1])
        self._is_laid[top:bottom, left:right] = True

    def _lay_ink(self, window: Window, every: tuple[int, int] = (1, 1)) -> NDArray[np.uint8]:
        """The darkness of a window that begins at a tile; pixels joined as in ``lay_window``."""
        x0, y0, x1, y1 = window
        # One node of paper for each tile, and one beyond.
        nodes = self._paper[
            y0 // _TILE_PX : -(-y1 // _TILE_PX) + 1, x0 // _TILE_PX : -(-x1 // _TILE_PX) + 1
        ]
        # Enlarging speaks for the middles of pixels, half a node's reach before the first one.
        across, down = _TILE_PX // every[0], _TILE_PX // every[1]
        wide = cv2.resize(nodes, None, fx=across, fy=down, interpolation=cv2.INTER_LINEAR)
        gray = lay_window(self._aligned, window, every)
        height, width = gray.shape
        contrast = self._usual_paper - self._tone.black
        paper = wide[down // 2 : down // 2 + height, across // 2 : across // 2 + width]
        return darkness_on(gray, np.ascontiguousarray(paper, np.uint8), contrast)

    @cached_property
    def _added(self) -> NDArray[np.uint8]:
        """The darkness that was added to the page, where it is laid out by now."""
        return np.zeros(self._known.shape, np.uint8)

    @cached_property
    def _paper(self) -> NDArray[np.uint8]:
        """The brightness of bare paper at the corner of each tile, and one beyond."""
        rows, columns = (side + 1 for side in self._is_laid.shape)
        grid = _TILE_PX * np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
        on_small = self._aligned.to_small(grid.reshape(-1, 2).astype(np.float64))
        return self._tone.paper_at(on_small).reshape(rows, columns).astype(np.uint8)

    @cached_property
    def _usual_paper(self) -> float:
        return float(cv2.mean(self._paper)[0])

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
        return self._at(
            place,
            shift,
            lambda window: self.under_folds(*window, deepest) | self.of_others(number, window),
        )

    def tails_at(
        self, number: int, place: TargetPlace, shift: tuple[int, int], marked: Collection[int]
    ) -> NDArray[np.bool_]:
        """Where tails of marks in some lower targets lie around a target, shape as its ring.

        Only of marks that are one piece and lie there but for their tail, as a tick does: not of a
        ring around more than one row, nor of writing. And only of lower ones: a tick stands on its
        foot, so what of one reaches down into a row may be where it was set.

        Args:
            number: The target.
            place: Its place.
            shift: How far it lies off that, x and y in working pixels.
            marked: Numbers of the other targets.
        """
        boxes = self.blank.target_boxes
        below = [other for other in marked if boxes[other].center[1] > boxes[number].bottom]
        whole = [other for other in below if self.is_whole(other)]
        return self._at(place, shift, lambda window: self.of_others(number, window, whole))

    def _at(
        self,
        place: TargetPlace,
        shift: tuple[int, int],
        find: Callable[[Window], NDArray[np.bool_]],
    ) -> NDArray[np.bool_]:
        """What is found in the ring of a target, shape as it; nothing beyond the page."""
        height, width = place.known.shape
        found = np.zeros((height, width), bool)
        rows, columns = self._known.shape
        x0, y0 = place.ring[0] + shift[0], place.ring[1] + shift[1]
        # The ring of a target at the edge, moved, may lie partly beyond it.
        left, top, right, bottom = (
            max(x0, 0),
            max(y0, 0),
            min(x0 + width, columns),
            min(y0 + height, rows),
        )
        seen = find((left, top, right, bottom))
        found[top - y0 : bottom - y0, left - x0 : right - x0] = seen
        return found

    def under_folds(
        self, x0: int, y0: int, x1: int, y1: int, deepest: float = _DEEPEST
    ) -> NDArray[np.bool_]:
        """Where the faint ink of folds lies in a window of the form, shape as it."""
        added = self.added((x0, y0, x1, y1))
        found = np.zeros(added.shape, bool)
        px_per_mm = self.blank.px_per_mm
        across = self._find_fold((x0, y0, x1, y1), deepest, down=False)
        down = self._find_fold((y0, x0, y1, x1), deepest, down=True)
        for fold, mask, ink in ((across, found, added), (down, found.T, added.T)):
            if fold is not None:
                rows, columns = np.indices(mask.shape)
                near = np.abs(rows - fold.at - fold.slope * columns) <= _FOLD_MM * px_per_mm
                mask |= near & (ink <= _UNEVEN * fold.level + _LEAST_FOLD)
        return found

    def _find_fold(self, window: Window, deepest: float, *, down: bool) -> Fold | None:
        """The fold across the page through a window, or down it, with x and y exchanged."""
        x0, y0, x1, y1 = window
        rows, width = self._known.shape[:: -1 if down else 1]
        beyond = look_beyond(width, self.blank.px_per_mm)
        top, bottom = max(y0 - beyond, 0), min(y1 + beyond, rows)
        levels = self._strips_down if down else self._strips_across
        first, last = top // _TILE_PX, -(-bottom // _TILE_PX)
        missing = [at for at in range(first, last) if at not in levels]
        if missing:
            self._measure_strips(levels, missing[0], missing[-1] + 1, down=down)
        laid = np.concatenate([levels[at] for at in range(first, last)])
        start = top - first * _TILE_PX
        here = laid[start : start + bottom - top]
        shifted = x0, y0 - top, x1, y1 - top
        return find_fold(here, shifted, width, self.blank.px_per_mm, deepest)

    def _measure_strips(
        self, levels: dict[int, NDArray[np.float32]], first: int, last: int, *, down: bool
    ) -> None:
        """Measure how dark the page is along some rows of tiles, or columns of them."""
        _, _, width, height = self._whole
        start = first * _TILE_PX
        if down:
            end = min(last * _TILE_PX, width)
            window, every = (start, 0, end, height // 2 * 2), (1, 2)
        else:
            end = min(last * _TILE_PX, height)
            window, every = (0, start, width // 2 * 2, end), (2, 1)
        x0, y0, x1, y1 = window
        known = self._known[y0:y1, x0:x1]
        pair = (known[::2], known[1::2]) if down else (known[:, ::2], known[:, 1::2])
        hidden = np.maximum(*pair)
        added = np.asarray(cv2.subtract(self._lay_ink(window, every), hidden), np.uint8)
        free = hidden < BARE
        measured = measure_strips(added.T, free.T) if down else measure_strips(added, free)
        for at in range(first, last):
            levels[at] = measured[(at - first) * _TILE_PX : (at - first + 1) * _TILE_PX]

    def of_others(
        self, number: int, window: Window, others: Collection[int] | None = None
    ) -> NDArray[np.bool_]:
        """Where ink in a window of the form is the tail of a mark in another target.

        Args:
            number: The target.
            window: x0, y0, x1, y1.
            others: Numbers of the other targets; None for all.
        """
        x0, y0, x1, y1 = window
        reach = round(_SEEN_AROUND_MM * self.blank.px_per_mm)
        around = self._clipped((x0 - reach, y0 - reach, x1 + reach, y1 + reach))
        found = self._find_pieces(around)
        here = found.labels[_slices(window, around)]
        if found.runs_on[here].any():
            found, around = self._all_pieces, self._whole
            here = found.labels[_slices(window, around)]
        inside = found.labels[_slices(self._inside[number], around)]
        most = found.shares.max(axis=1)
        # Two whole marks that touch are one piece of ink, and neither is the other's tail.
        is_tail = (most >= _IS_TAIL) & (found.shares[:, number] <= _TAIL_OF_MARK * most)
        covered = np.bincount(inside.ravel(), minlength=len(most))
        is_tail &= covered <= _TAIL_MM2 * self.blank.px_per_mm**2
        for piece in np.flatnonzero(is_tail & (covered > 0)).tolist():
            # Ends of marks that lie elsewhere seldom cross; a cross of its own may touch theirs.
            is_tail[piece] = piece > 0 and not is_cross(inside == piece)
        if others is not None:
            is_tail &= np.isin(found.shares.argmax(axis=1), list(others))
        tail = is_tail[here].astype(np.uint8)
        # With the soft edge of its stroke.
        return np.asarray(cv2.dilate(tail, np.ones((3, 3), np.uint8)) > 0)

    def ends_in(self, number: int, window: Window) -> NDArray[np.bool_]:
        """Where ink in a window of the form may be an end of a mark in another target.

        Each piece is told by itself, as it is when cut off at the border of the target: between two
        large marks a target has ends of both. What is hidden by print is taken to go on there.

        Args:
            number: The target.
            window: x0, y0, x1, y1.
        """
        own, scale = self._inside[number], self.blank.px_per_mm
        reach_x, reach_y = (
            max(round(_SEEN_AROUND_MM * scale), end - start)
            for start, end in zip(own[:2], own[2:], strict=True)
        )
        x0, y0, x1, y1 = own
        around = self._clipped((x0 - reach_x, y0 - reach_y, x1 + reach_x, y1 + reach_y))
        ink, free = self.added(around) >= TRACE, self.free(around)
        count, labels = join_strokes(ink, free, scale, liberal=True)
        most = self._count_in_targets(labels, ink, around, count)
        most[:, number] = 0
        here = _slices(own, around)
        cut, pieces, stats, middles = cv2.connectedComponentsWithStats(
            ink[here].astype(np.uint8), connectivity=8
        )
        joined = np.zeros(cut, np.intp)
        joined[pieces] = labels[here]
        of_pieces = most[joined]
        corner = here[0].start, here[1].start
        for piece in range(1, cut):
            behind = follow(np.argwhere(pieces == piece) + corner, labels, free, scale)
            of_pieces[piece] += most[behind].sum(axis=0)
        second, most_of_other = np.sort(of_pieces, axis=1)[:, -2:].T
        sides = np.array([x1 - x0, y1 - y0])
        off = (np.abs((middles + 0.5) / sides - 0.5)).max(axis=1)
        # Ends of two marks may have met here: together they are less than either mark's own part.
        in_middle = np.maximum(_TAIL_OF_MARK * most_of_other, (most_of_other + second) / 2)
        at_border = _TWICE * most_of_other
        is_end = stats[:, cv2.CC_STAT_AREA] <= np.where(off > _AT_BORDER, at_border, in_middle)
        is_end[0] = False
        for piece in np.flatnonzero(is_end).tolist():
            is_end[piece] = not is_made_here(pieces == piece, free[here], scale)
        ends = np.zeros(ink.shape, np.uint8)
        ends[here] = is_end[pieces]
        # With the soft edge of its stroke.
        soft = cv2.dilate(ends, np.ones((3, 3), np.uint8)) > 0
        return np.asarray(soft[_slices(window, around)])

    def is_amid_ink(self, number: int) -> bool:
        """Whether a target lies in a line of ink that is no target's, as a comment or a stamp.

        Each piece counts as long as a letter at the most. One of the letters alone may look like a
        mark: what is around it tells.
        """
        scale = self.blank.px_per_mm
        line = find_line(self.blank, number)
        ink = self.added(line.window) >= TRACE
        # A piece has no fewer pixels than its longer side: of so few, no line is made.
        fewest = _ELSEWHERE * _LINE_OF_INK_MM * scale / np.sqrt(2)
        if np.count_nonzero(ink & line.is_elsewhere) < fewest:
            return False
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(
            ink.view(np.uint8), connectivity=8
        )
        elsewhere = np.bincount(pieces[line.is_elsewhere], minlength=count)
        counts = elsewhere > _ELSEWHERE * stats[:, cv2.CC_STAT_AREA]
        counts[pieces[line.is_own]] = False
        counts[0] = False
        sides = stats[counts, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1]
        lengths_mm = np.hypot(sides[:, 0], sides[:, 1]) / scale
        least, most = _LETTER_MM
        length_mm = np.minimum(lengths_mm[lengths_mm >= least], most).sum()
        return bool(length_mm >= _LINE_OF_INK_MM)

    def is_whole(self, number: int) -> bool:
        """Whether the ink in a target is one piece, and that is nowhere else.

        A cross of a soft pencil is, however pale; the letters and rings of a stamp are several
        pieces, or run on.
        """
        return self.is_one_piece(number) and self._main_piece(number)[1] >= _IS_OWN

    def is_one_piece(self, number: int) -> bool:
        """Whether the ink in a target is one piece; it may go on elsewhere, as a long tick does."""
        return self._main_piece(number)[0] >= _IS_MAIN

    def is_cross(self, number: int) -> bool:
        """Whether the ink in a target is a cross of its own, though it may touch other ink."""
        own = self._inside[number]
        ink = (self.added(own) >= TRACE).astype(np.uint8)
        _, pieces, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
        areas = stats[1:, cv2.CC_STAT_AREA]
        if not areas.size or areas.max() < _IS_MAIN * areas.sum():
            return False
        return is_cross(pieces == 1 + int(areas.argmax()))

    def _main_piece(self, number: int) -> tuple[float, float]:
        """The share of a target's ink that its largest piece is, and how much of that is near."""
        if number not in self._main_pieces:
            self._main_pieces[number] = self._find_main_piece(number)
        return self._main_pieces[number]

    def _find_main_piece(self, number: int) -> tuple[float, float]:
        box, scale = self.blank.target_boxes[number], self.blank.px_per_mm
        window = self._window_of(box.grown(_SEEN_AROUND_MM * scale))
        ink = self.added(window) >= TRACE
        count, pieces = join_strokes(ink, self.free(window), scale)
        shares = self._count_in_targets(pieces, ink, window, count)
        inside, near = (
            np.bincount(pieces[here][ink[here]], minlength=count)
            for beyond_mm in (0.0, _TAIL_MM)
            for here in [_slices(self._window_of(box.grown(beyond_mm * scale)), window)]
        )
        inside[shares[:, number] <= _TAIL_OF_MARK * shares.max(axis=1)] = 0
        second, main = (int(piece) for piece in np.append(0, inside).argsort()[-2:] - 1)
        share_near = near / np.maximum(np.bincount(pieces[ink], minlength=count), 1)
        most = inside[main]
        # Where the pen skipped, one mark is two pieces; both lie in their target.
        if second > 0 and min(share_near[main], share_near[second]) >= _IS_WHOLLY:
            skip = np.ones((2 * round(_SKIP_MM * scale) + 1,) * 2, np.uint8)
            if (cv2.dilate((pieces == main).astype(np.uint8), skip)[pieces == second] > 0).any():
                most += inside[second]
        return float(most / max(inside.sum(), 1)), float(share_near[main])

    @cached_property
    def _inside(self) -> list[Window]:
        """The window of each target."""
        return [self._window_of(box) for box in self.blank.target_boxes]

    @cached_property
    def _all_pieces(self) -> _Pieces:
        """The pieces of ink of the whole page."""
        return self._find_pieces(self._whole)

    def _find_pieces(self, window: Window) -> _Pieces:
        """The pieces of ink in a window of the form."""
        ink = self.added(window) >= INK
        count, labels = join_ink(ink, self.free(window), self.blank.px_per_mm)
        shares = self._count_in_targets(labels, ink, window, count)
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
        shares[0] = 0.0
        x0, y0, x1, y1 = window
        runs_on = np.zeros(count, bool)
        # What lies beyond the window may join what is this near to its edge.
        near = join_px(self.blank.px_per_mm) // 2 + 2
        _, _, width, height = self._whole
        for is_within, edge in (
            (x0 > 0, labels[:, :near]),
            (y0 > 0, labels[:near]),
            (x1 < width, labels[:, -near:]),
            (y1 < height, labels[-near:]),
        ):
            if is_within:
                runs_on[edge] = True
        runs_on[0] = False
        return _Pieces(labels, shares, runs_on)

    def _count_in_targets(
        self, labels: NDArray[np.int32], ink: NDArray[np.bool_], window: Window, count: int
    ) -> NDArray[np.float64]:
        """How much ink of each piece in a window lies in each target, shape (pieces, targets)."""
        pixels = np.zeros((count, len(self._inside)))
        x0, y0, x1, y1 = window
        for number, (left, top, right, bottom) in enumerate(self._inside):
            if left < x1 and x0 < right and top < y1 and y0 < bottom:
                here = _slices((left, top, right, bottom), window)
                pixels[:, number] = np.bincount(labels[here][ink[here]], minlength=count)
        return pixels

    def _window_of(self, box: Box) -> Window:
        """A box in whole pixels of the page, as far as it lies on it."""
        return self._clipped((round(box.x), round(box.y), round(box.right), round(box.bottom)))

    def _clipped(self, window: Window) -> Window:
        _, _, width, height = self._whole
        x0, y0, x1, y1 = window
        x0, y0 = min(max(x0, 0), width), min(max(y0, 0), height)
        return x0, y0, min(max(x1, x0), width), min(max(y1, y0), height)


def _slices(window: Window, within: Window) -> tuple[slice, slice]:
    """The rows and columns of a window as far as it lies in another, counted in that one."""
    x0, y0, x1, y1 = within
    left, right = (min(max(at, x0), x1) - x0 for at in window[::2])
    top, bottom = (min(max(at, y0), y1) - y0 for at in window[1::2])
    return slice(top, bottom), slice(left, right)
