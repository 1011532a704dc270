"""The targets of a blank, from the best source there is for each page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scanner.geometry import mm_to_px
from scanner.messages import gettext as _
from scanner.registering.by_example import find_like_in
from scanner.registering.found import BlankSide, Example, FoundTarget, Shape, Source
from scanner.registering.image_targets import look_closely, reading_order
from scanner.registering.outlines import Mask, find_ink
from scanner.registering.pdf_page import is_pdf
from scanner.registering.pdf_targets import find_in_pdf, without_doubles
from scanner.registering.view import SideView, look_at

SURE = 0.8
"""Below this a target found in a picture stays only if it looks like an example, if there is one;
and the clerk is told to look."""

_FAINT_LEVEL = 0.8
_BESIDE_LINE_MM = 0.3
_MARKED_INK = 0.035
_MOST_PRINTED = 0.2
_SAME_SIZE_MM = 0.6


def find_targets(
    sides: Sequence[BlankSide], path: Path | None = None, examples: Sequence[Example] = ()
) -> tuple[list[FoundTarget], list[str]]:
    """All targets of a blank in reading order, and what is not sure, in plain words.

    A page of a PDF is asked for its fields, lines and letters; where it has none of them, and for
    pictures, the outlines in the picture count. What looks like an example comes before all that.

    Args:
        sides: The pages, as ``load_sides`` gives them.
        path: The file they come from.
        examples: Targets that a person drew.

    Raises:
        FormError: An example lies on no page, or on white paper.
        InputError: The PDF is broken.
    """
    views = [look_at(side) for side in sides]
    alike = find_like_in({view.side.number: view for view in views}, examples)
    found = _find_alone(views, path)
    if examples:
        found = [target for target in found if target.source != Source.IMAGE or _is_sure(target)]
    targets = without_doubles([*alike, *found])
    return _in_order(targets), list(_notes(sides, targets))


def looks_marked(sides: Sequence[BlankSide], targets: Sequence[FoundTarget]) -> list[FoundTarget]:
    """The targets that already hold ink beside what is printed in all of their size."""
    pieces = [_cut_out(side_of(sides, target), target) for target in targets]
    marked = []
    for target, piece in zip(targets, pieces, strict=True):
        alike = [
            other_piece
            for other, other_piece in zip(targets, pieces, strict=True)
            if _is_same_size(target, other)
        ]
        line_mm = float(np.median([other.line_mm for other in alike]))
        inks = [other.ink_within(line_mm) for other in alike]
        printed = min(float(np.percentile(inks, 25)), _MOST_PRINTED)
        if piece.ink_within(line_mm) > printed + max(_MARKED_INK, printed):
            marked.append(target)
    return marked


def side_of(sides: Sequence[BlankSide], target: FoundTarget) -> BlankSide:
    """The side on which the target lies."""
    return next(side for side in sides if side.number == target.page)


def _find_alone(views: Sequence[SideView], path: Path | None) -> list[FoundTarget]:
    found = find_in_pdf(views, path) if path is not None and is_pdf(path) else []
    for view in views:
        if not any(target.page == view.side.number for target in found):
            found += look_closely(view)
    return found


def _is_sure(target: FoundTarget) -> bool:
    return target.sure >= SURE


def _in_order(targets: Sequence[FoundTarget]) -> list[FoundTarget]:
    ordered = []
    for page in sorted({target.page for target in targets}):
        own = [target for target in targets if target.page == page]
        ordered += [own[place] for place in reading_order([target.box for target in own])]
    return ordered


def _notes(sides: Sequence[BlankSide], targets: Sequence[FoundTarget]) -> Iterator[str]:
    for side in sides:
        if side.size_is_guessed:
            yield _(
                "Page {page}: no believable resolution is stated; taken as {dpi:.0f} dpi, "
                "{width:.0f} × {height:.0f} mm. If the paper has another size, give --dpi."
            ).format(page=side.number, dpi=side.dpi, width=side.width_mm, height=side.height_mm)
        own = [target for target in targets if target.page == side.number]
        if not own:
            yield _("Page {page}: no targets were found. If it has some, draw one.").format(
                page=side.number
            )
        yield from _doubts(side.number, own)


def _doubts(page: int, targets: Sequence[FoundTarget]) -> Iterator[str]:
    cells = sum(target.shape == "cell" and target.source != Source.EXAMPLE for target in targets)
    if cells:
        yield _(
            "Page {page}: {count} empty cells of tables were taken as targets. Check that all of "
            "them are to be marked."
        ).format(page=page, count=cells)
    unsure = sum(target.shape != "cell" and not _is_sure(target) for target in targets)
    if unsure:
        yield _(
            "Page {page}: {count} targets are not certain; look at them in the overlay."
        ).format(page=page, count=unsure)
    sources = Counter(target.source for target in targets if target.source != Source.EXAMPLE)
    if len(sources) > 1 and Source.FIELD in sources:
        yield _(
            "Page {page}: {count} targets are no fields of the PDF form; they were found by how "
            "they look."
        ).format(page=page, count=sum(sources.values()) - sources[Source.FIELD])


@dataclass(frozen=True, slots=True)
class _Piece:
    """The picture of one target."""

    ink: Mask
    """From one edge of its box to the other."""
    shape: Shape
    per_mm: float
    """Pixels a millimetre."""

    @property
    def line_mm(self) -> float:
        """How thick the printed outline is: the run of ink from the middle of each side inwards."""
        height, width = self.ink.shape
        if min(height, width) < 3:
            return 0.0
        rows = self.ink[height // 3 : max(height // 3 + 1, 2 * height // 3)] > 0
        columns = self.ink[:, width // 3 : max(width // 3 + 1, 2 * width // 3)].T > 0
        runs = [_run_inwards(lines) for lines in (rows, rows[:, ::-1], columns, columns[:, ::-1])]
        return float(np.median(runs)) / self.per_mm

    def ink_within(self, line_mm: float) -> float:
        """Share of the inside that is dark, 0..1, where the outline is so thick."""
        height, width = self.ink.shape
        inset = 2 * (line_mm + _BESIDE_LINE_MM) * self.per_mm
        rows, columns = np.mgrid[:height, :width]
        across = np.abs(columns + 0.5 - width / 2) / max((width - inset) / 2, 0.5)
        down = np.abs(rows + 0.5 - height / 2) / max((height - inset) / 2, 0.5)
        is_round = self.shape in {"oval", "circle"}
        inside = (across**2 + down**2 <= 1) if is_round else (np.maximum(across, down) <= 1)
        return float((self.ink[inside] > 0).mean()) if inside.any() else 0.0


def _cut_out(side: BlankSide, target: FoundTarget) -> _Piece:
    scale = mm_to_px(1.0, side.dpi)
    around, box = (area.scaled(scale, scale) for area in (target.box.grown(4.0), target.box))
    left, top = max(0, round(around.x)), max(0, round(around.y))
    gray = side.gray[top : round(around.bottom), left : round(around.right)]
    ink = find_ink(gray, side.dpi, _FAINT_LEVEL) if gray.size else np.zeros((1, 1), np.uint8)
    x, y = max(0, round(box.x) - left), max(0, round(box.y) - top)
    return _Piece(ink[y : y + round(box.h), x : x + round(box.w)], target.shape, scale)


def _run_inwards(lines: NDArray[np.bool_]) -> float:
    """How far the ink reaches in from the edge, in the middle of such lines; in pixels."""
    reach = lines.shape[1] // 3
    lines = lines[:, :reach]
    ends = np.where(lines.any(axis=1), reach - np.argmax(lines[:, ::-1], axis=1), 0)
    return float(np.median(ends)) if ends.size else 0.0


def _is_same_size(one: FoundTarget, other: FoundTarget) -> bool:
    if one.shape == "cell" or other.shape == "cell":
        return one.shape == other.shape
    return (
        abs(one.box.w - other.box.w) <= _SAME_SIZE_MM
        and abs(one.box.h - other.box.h) <= _SAME_SIZE_MM
    )
