"""A page made level: its targets, its ruled lines, its words put together to pieces of lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from scanner.geometry import Box
from scanner.registering.found import BlankSide, FoundTarget, PrintedWord
from scanner.registering.rulings import Rulings, find_level, find_rulings, turn_level

_SAME_LINE_SHARE = 0.5
_PIECE_GAP = 1.1
"""Share of a line's height from which a gap between words parts two pieces of text."""
_LINES_ABREAST = 12
_USUAL_LINE_MM = 3.6
_SAME_ROW_SHARE = 0.35
_FILLERS = re.compile(r"[.…_·\-–—]{3,}|[…_]+|(?:\.\s){3,}")
_NOISE = re.compile(r"^[\W_]+$")


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Words that follow each other on one line, with no wide gap, target or rule between."""

    words: tuple[PrintedWord, ...]
    box: Box

    @property
    def text(self) -> str:
        """Its words without dotted and underscored lines to write on; may be empty."""
        return clean_text(word.text for word in self.words)

    @property
    def raw(self) -> str:
        """Its words with such lines."""
        return " ".join(word.text for word in self.words)

    @property
    def sure(self) -> float:
        """How sure its words were read, 0..1, weighted by their length."""
        total = sum(len(word.text) for word in self.words)
        return sum(word.sure * len(word.text) for word in self.words) / max(total, 1)


@dataclass(frozen=True, slots=True)
class LevelPage:
    """One page, turned so that its lines run level; all boxes in millimetres."""

    number: int
    width_mm: float
    height_mm: float
    targets: tuple[FoundTarget, ...]
    """Of this page, in the order in which they were found, on the level page."""
    pieces: tuple[Piece, ...]
    rulings: Rulings

    @property
    def line_mm(self) -> float:
        """The usual height of a piece of text."""
        return median([piece.box.h for piece in self.pieces] or [_USUAL_LINE_MM])


def make_level(
    side: BlankSide, targets: Sequence[FoundTarget], words: Iterable[PrintedWord]
) -> LevelPage:
    """Turn what was found on a page by the angle at which the page lies askew."""
    level = find_level(side)
    turned = [replace(target, box=level.turn(target.box)) for target in targets]
    rulings = find_rulings(turn_level(side.gray, level), side.dpi)
    flat = [replace(word, box=level.turn(word.box)) for word in words]
    pieces = put_together(flat, [target.box for target in turned], rulings)
    return LevelPage(
        side.number, side.width_mm, side.height_mm, tuple(turned), tuple(pieces), rulings
    )


def put_together(
    words: Iterable[PrintedWord], targets: Sequence[Box], rulings: Rulings
) -> list[Piece]:
    """Pieces of lines, top to bottom and left to right.

    A piece ends at a wide gap, at a target and at a ruled line down the page.
    """
    pieces = []
    for line in _lines(words):
        height = max(median([word.box.h for word in line]), 0.8 * max(w.box.h for w in line))
        start = 0
        for index in range(1, len(line)):
            before, word = line[index - 1].box, line[index].box
            wide = word.x - before.right > _PIECE_GAP * height
            if wide or _is_between(before, word, targets) or rulings.parts_sideways(before, word):
                pieces.append(_piece(line[start:index]))
                start = index
        pieces.append(_piece(line[start:]))
    return sorted(pieces, key=lambda piece: (piece.box.center[1], piece.box.x))


def find_rows(boxes: Sequence[Box]) -> list[list[int]]:
    """Indices of boxes that stand level with each other, top to bottom and left to right."""
    rows: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda index: boxes[index].center[1]):
        box = boxes[index]
        if rows and _is_level(boxes[rows[-1][-1]], box):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [sorted(row, key=lambda index: boxes[index].x) for row in rows]


def clean_text(words: Iterable[str]) -> str:
    """Words in a row, without lines of dots to write on and without stray strokes."""
    text = _FILLERS.sub(" ", " ".join(words))
    kept = text.split()
    while kept and _NOISE.match(kept[-1]) and kept[-1] not in {")", "?", ":", "!"}:
        kept.pop()
    while kept and _NOISE.match(kept[0]) and kept[0] not in {"("}:
        kept.pop(0)
    return " ".join(kept)


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box around several."""
    parts = list(boxes)
    left, top = min(box.x for box in parts), min(box.y for box in parts)
    right, bottom = max(box.right for box in parts), max(box.bottom for box in parts)
    return Box(left, top, right - left, bottom - top)


def shared_height(one: Box, other: Box) -> float:
    """Millimetres of height in which two boxes stand beside each other; 0 for none."""
    return max(min(one.bottom, other.bottom) - max(one.y, other.y), 0.0)


def _lines(words: Iterable[PrintedWord]) -> Iterator[list[PrintedWord]]:
    """Words that stand on one line, whatever the width of the gaps between them."""
    lines: list[list[PrintedWord]] = []
    for word in sorted(words, key=lambda word: word.box.center[1]):
        # Beside a page's columns there may be others, half a line higher: the nearest counts.
        fit = [line for line in lines[-_LINES_ABREAST:] if _stands_on(line, word)]
        if fit:
            min(fit, key=lambda line: _nearest(line, word)).append(word)
        else:
            lines.append([word])
    for line in lines:
        yield sorted(line, key=lambda word: word.box.x)


def _stands_on(line: Sequence[PrintedWord], word: PrintedWord) -> bool:
    """Whether a word overlaps its nearest neighbour of a line by half of the lower of the two."""
    near = min(line, key=lambda other: (_apart(other.box, word.box), -other.box.h))
    least = _SAME_LINE_SHARE * min(near.box.h, word.box.h)
    return shared_height(near.box, word.box) >= least


def _nearest(line: Sequence[PrintedWord], word: PrintedWord) -> float:
    return min(_apart(other.box, word.box) for other in line)


def _apart(one: Box, other: Box) -> float:
    return max(one.x - other.right, other.x - one.right, 0.0)


def _is_between(before: Box, after: Box, targets: Sequence[Box]) -> bool:
    y = (before.center[1] + after.center[1]) / 2
    return any(
        before.center[0] < box.center[0] < after.center[0] and box.y - 0.5 < y < box.bottom + 0.5
        for box in targets
    )


def _piece(words: Sequence[PrintedWord]) -> Piece:
    return Piece(tuple(words), around(word.box for word in words))


def _is_level(one: Box, other: Box) -> bool:
    return abs(one.center[1] - other.center[1]) <= _SAME_ROW_SHARE * min(one.h, other.h)
