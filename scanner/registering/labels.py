"""The text beside each target, from the way in which the whole form sets its labels."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import median

from scanner.geometry import Box
from scanner.registering.level_page import (
    LevelPage,
    Piece,
    clean_text,
    find_rows,
    shared_height,
)
from scanner.registering.matrix import Matrix, Row, find_matrices

_BESIDE_SHARE = 0.3
_FIRST_GAP_MM = 14.0
_NEXT_GAP_MM = 12.0
_TABLE_GAP_MM = 90.0
"""From the end of a text in one column of a table to the box in another."""
_GUTTER_RULE_MM = 15.0
_RULE_MM = 4.0
_HANGING_MM = (-1.5, 4.0)
"""How far left and right of a label's beginning its next line may begin."""
_LINE_PITCH = 2.0
_ABOVE_GAP_MM = 7.0
NUMBERED = re.compile(
    r"^(?:(?:câu(?: hỏi)?|question|mục|phần)\s*\d+|\d{1,2}(?:\.\d{1,2})*\s*[.):/]|[a-zđ]\))",
    re.IGNORECASE,
)
"""How a question begins that has a number."""


class LabelSide(StrEnum):
    """Where the labels of a kind of target stand."""

    RIGHT = "right"
    LEFT = "left"
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Label:
    """What stands beside a target, or above its column."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """In one line, without dots to write on; may be empty."""
        return clean_text(word.text for piece in self.pieces for word in piece.words)

    @property
    def raw(self) -> str:
        """With dots to write on."""
        return " ".join(piece.raw for piece in self.pieces)

    @property
    def sure(self) -> float:
        """0..1; 1 where there is nothing to read."""
        total = sum(len(piece.raw) for piece in self.pieces)
        return sum(p.sure * len(p.raw) for p in self.pieces) / total if total else 1.0


@dataclass(frozen=True, slots=True)
class LabelledPage:
    """A page with its rows of targets, and a label for each target that has one."""

    page: LevelPage
    rows: tuple[Row, ...]
    labels: Mapping[int, Label]
    """By place in ``LevelPage.targets``."""
    matrices: tuple[Matrix, ...]
    free: tuple[Piece, ...]
    """Text that is the label of no target, nor beside a row of a matrix."""


def label_pages(pages: Sequence[LevelPage]) -> list[LabelledPage]:
    """Find the labels of all targets of a form.

    On which side they stand is decided once for each shape of target and the whole form: the
    side on which most have text, at the most even distance.
    """
    rows = [split_rows(page) for page in pages]
    sides = choose_sides(list(zip(pages, rows, strict=True)))
    return [_label(page, found, sides) for page, found in zip(pages, rows, strict=True)]


def split_rows(page: LevelPage) -> list[Row]:
    """Targets that stand level, cut where the page has columns."""
    boxes = [target.box for target in page.targets]
    found: list[Row] = []
    for whole in find_rows(boxes):
        run: list[int] = []
        for index in whole:
            if run and _is_cut(page, boxes, run, index):
                found.append(_row(page, run))
                run = []
            run.append(index)
        found.append(_row(page, run))
    return found


def choose_sides(pages: Sequence[tuple[LevelPage, Sequence[Row]]]) -> dict[str, LabelSide]:
    """The side of the labels for each shape of target that has text beside it."""
    gaps: dict[str, dict[LabelSide, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for page, rows in pages:
        for row in rows:
            for index in row.targets if not row.is_bare else ():
                target = page.targets[index]
                for side in LabelSide:
                    gaps[target.shape][side].append(_gap_to_text(page, target.box, side))
    return {shape: _best_side(found) for shape, found in gaps.items()}


def _best_side(gaps: Mapping[LabelSide, Sequence[float | None]]) -> LabelSide:
    def share(side: LabelSide) -> float:
        return sum(gap is not None for gap in gaps[side]) / len(gaps[side])

    def unevenness(side: LabelSide) -> float:
        known = [gap for gap in gaps[side] if gap is not None]
        middle = median(known)
        return middle + 2 * median(abs(gap - middle) for gap in known)

    beside = [side for side in (LabelSide.RIGHT, LabelSide.LEFT) if share(side) >= 0.5]
    fit = beside or [side for side in LabelSide if share(side) > 0]
    most = max((share(side) for side in fit), default=0.0)
    fit = [side for side in fit if share(side) >= 0.75 * most]
    return min(fit, key=unevenness, default=LabelSide.RIGHT)


def _gap_to_text(page: LevelPage, box: Box, side: LabelSide) -> float | None:
    """Millimetres from a target to the nearest text on one side; None where there is none."""
    found: list[float] = []
    for piece in page.pieces:
        other = piece.box
        if side in {LabelSide.RIGHT, LabelSide.LEFT}:
            gap = other.x - box.right if side is LabelSide.RIGHT else box.x - other.right
            is_level = shared_height(box, other) >= _BESIDE_SHARE * min(other.h, box.h)
            found += [gap] if is_level and -1.0 <= gap <= _most_gap(page, box, other) else []
        else:
            gap = other.y - box.bottom if side is LabelSide.BELOW else box.y - other.bottom
            is_over = abs(other.center[0] - box.center[0]) <= max(box.w, 3.0)
            found += [gap] if is_over and -1.0 <= gap <= _ABOVE_GAP_MM else []
    nearest = min(found, default=None)
    if nearest is None or _has_target_within(page, box, side, nearest):
        return None
    return nearest


def _most_gap(page: LevelPage, box: Box, text: Box) -> float:
    """How far a text may stand from its target; in a table, left of it, as far as a column."""
    is_table = text.center[0] < box.center[0] and page.rulings.parts_sideways(text, box)
    return _TABLE_GAP_MM if is_table else _FIRST_GAP_MM


def _has_target_within(page: LevelPage, box: Box, side: LabelSide, gap: float) -> bool:
    if side not in {LabelSide.RIGHT, LabelSide.LEFT}:
        return False
    left = box.right if side is LabelSide.RIGHT else box.x - gap
    return any(
        left <= other.box.center[0] <= left + gap and shared_height(other.box, box) > 0.5 * box.h
        for other in page.targets
        if other.box is not box
    )


def _label(page: LevelPage, rows: Sequence[Row], sides: Mapping[str, LabelSide]) -> LabelledPage:
    matrices = find_matrices(page, rows)
    labels: dict[int, Label] = {}
    used = {piece for matrix in matrices for text in matrix.texts for piece in text}
    for matrix in matrices:
        used.update(piece for head in matrix.heads for piece in head)
        for row in matrix.rows:
            labels |= {
                index: Label(tuple(head))
                for index, head in zip(row.targets, matrix.heads, strict=True)
                if head
            }
    loose = [index for row in rows if not row.is_bare for index in row.targets]
    for side in LabelSide:
        chosen = [i for i in loose if sides.get(page.targets[i].shape) is side]
        open_pieces = [piece for piece in page.pieces if piece not in used]
        if side in {LabelSide.RIGHT, LabelSide.LEFT}:
            found = _beside(page, chosen, open_pieces, side)
        else:
            found = _over(page, chosen, open_pieces, side)
        labels |= found
        used.update(piece for label in found.values() for piece in label.pieces)
    free = tuple(piece for piece in page.pieces if piece not in used)
    return LabelledPage(page, tuple(rows), labels, tuple(matrices), free)


def _beside(
    page: LevelPage, chosen: Sequence[int], pieces: Sequence[Piece], side: LabelSide
) -> dict[int, Label]:
    """Labels right or left of their targets: what is level with them, then what hangs below."""
    level: dict[int, list[Piece]] = {index: [] for index in chosen}
    for piece in pieces:
        owner = _owner(page, chosen, piece, side)
        if owner is not None:
            level[owner].append(piece)
    found = {index: _chain(page, index, level[index], side) for index in chosen}
    for index in chosen:
        if not found[index] and side is LabelSide.RIGHT:
            found[index] = _under_a_line(page, index, pieces, found)
    used = {piece for line in found.values() for piece in line}
    for index in sorted(chosen, key=lambda index: page.targets[index].box.y):
        if found[index]:
            waiting = [piece for piece in pieces if piece not in used]
            more = _hanging(page, index, found[index], waiting, side)
            used.update(more)
            found[index] = [*found[index], *more]
    return {index: Label(tuple(line)) for index, line in found.items() if line}


def _owner(page: LevelPage, chosen: Sequence[int], piece: Piece, side: LabelSide) -> int | None:
    """The nearest target on the other side of a piece; of two in one column, the more level."""
    fit: list[tuple[float, float, int]] = []
    for index in chosen:
        box = page.targets[index].box
        gap = piece.box.x - box.right if side is LabelSide.RIGHT else box.x - piece.box.right
        shared = shared_height(box, piece.box)
        if gap >= -1.0 and shared >= _BESIDE_SHARE * min(piece.box.h, box.h):
            fit.append((round(gap / box.w), -shared, index))
    return min(fit)[2] if fit else None


def _chain(page: LevelPage, index: int, pieces: Sequence[Piece], side: LabelSide) -> list[Piece]:
    """Pieces that follow a target with no wide gap, line by line."""
    box = page.targets[index].box
    kept: list[Piece] = []
    for line in _by_line(pieces):
        ordered = sorted(line, key=lambda piece: abs(piece.box.center[0] - box.center[0]))
        last = box
        for number, piece in enumerate(ordered):
            near, far = (last, piece.box) if side is LabelSide.RIGHT else (piece.box, last)
            gap = far.x - near.right
            is_far = gap > (_NEXT_GAP_MM if number else _most_gap(page, box, piece.box))
            is_parted = number > 0 and page.rulings.parts_sideways(near, far, _RULE_MM)
            if is_far or is_parted or (number > 0 and _asks(piece)):
                break
            kept.append(piece)
            last = piece.box
    return sorted(kept, key=lambda piece: (round(piece.box.center[1] / 2), piece.box.x))


def _under_a_line(
    page: LevelPage, index: int, pieces: Sequence[Piece], found: Mapping[int, list[Piece]]
) -> list[Piece]:
    """The small print under a line to write on, right of a target that has no other label."""
    box = page.targets[index].box
    taken = {piece for line in found.values() for piece in line}
    for piece in pieces:
        below = piece.box.center[1] - box.center[1]
        beside = piece.box.x - box.right
        if piece not in taken and 0 <= below <= 1.6 * box.h and -1.0 <= beside <= _FIRST_GAP_MM:
            return [piece]
    return []


def _asks(piece: Piece) -> bool:
    """Whether a piece opens the next question on the same line."""
    return piece.text.endswith(":") or bool(NUMBERED.match(piece.text))


def _by_line(pieces: Iterable[Piece]) -> list[list[Piece]]:
    lines: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.box.center[1]):
        if lines and shared_height(lines[-1][0].box, piece.box) >= 0.4 * piece.box.h:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return lines


def _hanging(
    page: LevelPage,
    index: int,
    first: Sequence[Piece],
    waiting: Sequence[Piece],
    side: LabelSide,
) -> list[Piece]:
    """The further lines of a label."""
    box = page.targets[index].box
    left, right = min(p.box.x for p in first), _room(page, index, first)
    last = max(first, key=lambda piece: piece.box.bottom)
    more: list[Piece] = []
    while True:
        fit = [
            piece
            for piece in waiting
            if piece not in more
            and 0.0 < _step(last, piece) <= _LINE_PITCH * max(page.line_mm, last.box.h)
            and piece.box.center[1] > box.center[1]
            and _hangs(piece, left, side)
            and piece.box.right <= right
            and not NUMBERED.match(piece.text)
            and not page.rulings.parts_down(last.box, piece.box)
        ]
        if not fit:
            return more
        last = min(fit, key=lambda piece: (piece.box.center[1], piece.box.x))
        more += [last, *_follow(last, [p for p in waiting if p not in more], right)]


def _step(upper: Piece, lower: Piece) -> float:
    return lower.box.center[1] - upper.box.center[1]


def _follow(first: Piece, waiting: Sequence[Piece], right: float) -> list[Piece]:
    """What goes on after a piece on its line, up to a gap of two letters."""
    line: list[Piece] = []
    last = first.box
    for piece in sorted(waiting, key=lambda piece: piece.box.x):
        gap = piece.box.x - last.right
        is_level = shared_height(last, piece.box) >= 0.5 * min(last.h, piece.box.h)
        if piece is not first and is_level and 0 <= gap <= 2 * last.h and piece.box.right <= right:
            line.append(piece)
            last = piece.box
    return line


def _hangs(piece: Piece, left: float, side: LabelSide) -> bool:
    before, after = _HANGING_MM
    if side is LabelSide.LEFT:
        before, after = -1.5, 1.5
    return before <= piece.box.x - left <= after


def _room(page: LevelPage, index: int, first: Sequence[Piece]) -> float:
    """Up to where the further lines of a label may reach: the next target, or the page's edge."""
    box = page.targets[index].box
    start = min(piece.box.x for piece in first)
    ends = [
        other.box.x
        for other in page.targets
        if other.box.x > max(start, box.x) and abs(other.box.center[1] - box.center[1]) < box.h
    ]
    return min(ends, default=page.width_mm)


def _over(
    page: LevelPage, chosen: Sequence[int], pieces: Sequence[Piece], side: LabelSide
) -> dict[int, Label]:
    """Labels above or below their targets."""
    labels: dict[int, Label] = {}
    for index in chosen:
        box = page.targets[index].box
        near = [
            (abs(piece.box.center[1] - box.center[1]), piece)
            for piece in pieces
            if abs(piece.box.center[0] - box.center[0]) <= max(box.w, 3.0)
            and (piece.box.center[1] > box.center[1]) == (side is LabelSide.BELOW)
            and abs(piece.box.center[1] - box.center[1]) <= _ABOVE_GAP_MM + box.h
        ]
        if near:
            labels[index] = Label((min(near, key=lambda found: found[0])[1],))
    return labels


def _is_cut(page: LevelPage, boxes: Sequence[Box], run: Sequence[int], index: int) -> bool:
    """Whether a target begins another column of the page, or another question of the line."""
    last, box = boxes[run[-1]], boxes[index]
    between = _between(page, last, box)
    if not between:
        steps = [boxes[b].x - boxes[a].right for a, b in pairwise(run)]
        gap = box.x - last.right
        return gap > 0.4 * page.width_mm or bool(steps and gap > max(4 * median(steps), 25.0))
    if page.rulings.parts_sideways(last, box, _GUTTER_RULE_MM):
        return True
    return len(between) > 1 and _asks(between[-1])


def _between(page: LevelPage, left: Box, right: Box) -> list[Piece]:
    """Text between two targets of a row, left to right."""
    found = [
        piece
        for piece in page.pieces
        if left.center[0] < piece.box.center[0] < right.center[0]
        and piece.box.x >= left.right - 1.0
        and shared_height(piece.box, left) >= _BESIDE_SHARE * min(piece.box.h, left.h)
    ]
    return sorted(found, key=lambda piece: piece.box.x)


def _row(page: LevelPage, run: Sequence[int]) -> Row:
    boxes = [page.targets[index].box for index in run]
    pairs = list(pairwise(boxes))
    bare = sum(not _between(page, left, right) for left, right in pairs)
    return Row(tuple(run), is_bare=bool(pairs) and bare > 0.5 * len(pairs))
