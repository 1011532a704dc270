"""Targets in the picture of a page, without anybody's help.

Targets come in families: outlines of one shape and one size, in rows or columns, with white
around them. Letters come in words. A lone outline is not taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scanner.geometry import Box
from scanner.registering.found import BlankSide, FoundTarget, Shape, Source
from scanner.registering.letters import is_letter, share_of_letters
from scanner.registering.outlines import Outline, as_rows, overlaps, runs_on
from scanner.registering.pattern import is_like, make_pattern, match_pattern, with_open_inside
from scanner.registering.ruled import Table, answer_cells, find_tables, joined
from scanner.registering.view import SideView, look_at

SIZE_MM = (2.0, 13.0)
"""The sides of a box, oval or circle; of a cell see ``ruled``."""
LEAST_FIT = 0.9
_SQUARE_FIT = 0.95
MOST_INNER_INK = 0.3
"""A printed number or letter in a box covers a tenth of it."""

_MOST_LINE_SHARE = 0.25
_MOST_UNEVEN = 2.2
_SHARED_LINE_MM = 0.9
_IN_LINE_MM = 0.7
_MOST_LETTERS = 0.3
_LEAST_MEMBERS = 2
_LABEL_MM = 8.0
_LEAST_OF_RING = 0.88
_SAME_PLACE = 0.3


@dataclass(frozen=True, slots=True)
class Family:
    """Outlines of one shape and size on one side."""

    members: tuple[Outline, ...]
    shape: Shape
    sure: float
    rest: tuple[Box, ...] = ()
    """Places that look like the members, though their outline is open or written on; pixels."""

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All of them, in pixels of the view."""
        return (*(outline.box for outline in self.members), *self.rest)


def find_in_image(side: BlankSide) -> list[FoundTarget]:
    """Squares, ovals, circles and cells of ruled tables that look made to be marked."""
    return look_closely(look_at(side))


def look_closely(view: SideView) -> list[FoundTarget]:
    """The targets of a picture; where there are none, faint and then broken outlines count too."""
    for look in (view, *view.harder_looks()):
        targets = find_in_view(look, Source.IMAGE)
        if targets:
            return targets
    return []


def find_in_view(view: SideView, source: Source, known: Sequence[Box] = ()) -> list[FoundTarget]:
    """The same for a side that was stood upright already.

    Args:
        view: The side.
        source: What the targets are said to come from.
        known: Targets that were found by other means, in pixels of the view: the empty cells of a
            table that holds any of them are no targets.
    """
    families = find_families(view)
    targets = [
        FoundTarget(view.side.number, view.to_mm(box), family.shape, source, family.sure)
        for family in families
        for box in family.boxes
    ]
    boxes = [*known, *(box for family in families for box in family.boxes)]
    for table in find_tables(view):
        if not any(table.holds(box) for box in boxes):
            targets += _cells(view, table, source)
    return targets


def find_families(view: SideView) -> list[Family]:
    """Groups of like outlines that stand as targets do, the largest first."""
    candidates = _candidates(view)
    families = []
    for group in _alike(candidates, view):
        family = _judge(view, group)
        if family is not None:
            families.append(_with_the_rest(view, family))
    return families


def _cells(view: SideView, table: Table, source: Source) -> list[FoundTarget]:
    return [
        FoundTarget(view.side.number, view.to_mm(cell.box), "cell", source, 0.8)
        for cell in answer_cells(view, table)
    ]


def _candidates(view: SideView) -> list[Outline]:
    low, high = (view.px(mm) for mm in SIZE_MM)
    right_size = [
        outline
        for outline in view.outlines
        if low <= min(outline.box.w, outline.box.h)
        and max(outline.box.w, outline.box.h) <= high
        and _is_drawn(outline)
        and not runs_on(view.ink, outline)
    ]
    shared = joined(right_size, view.px(_SHARED_LINE_MM))
    single = [outline for place, outline in enumerate(right_size) if place not in shared]
    return [o for o in single if not any(_is_within(o, other) for other in single)]


def _is_drawn(outline: Outline) -> bool:
    """Whether it is a clean shape with a thin, even line around white paper."""
    thin, thick = min(outline.lines), max(outline.lines)
    return (
        outline.fit >= LEAST_FIT
        and outline.inner_ink <= MOST_INNER_INK
        and thick < 0.5 * min(outline.hole.w, outline.hole.h) - 1
        and outline.line <= _MOST_LINE_SHARE * min(outline.box.w, outline.box.h)
        and thick <= _MOST_UNEVEN * max(thin, 1.0) + 1.0
    )


def _is_within(outline: Outline, other: Outline) -> bool:
    return other is not outline and (
        other.hole.x <= outline.box.x
        and outline.box.right <= other.hole.right
        and other.hole.y <= outline.box.y
        and outline.box.bottom <= other.hole.bottom
    )


def _alike(candidates: Sequence[Outline], view: SideView) -> list[list[Outline]]:
    """Groups of one shape and size, the largest first; each outline is in one."""
    rest = list(candidates)
    groups = []
    while rest:
        near = max(([o for o in rest if is_like(o, seed, view)] for seed in rest), key=len)
        w, h = np.median([(outline.box.w, outline.box.h) for outline in near], axis=0)
        middle = min(near, key=lambda o: abs(o.box.w - w) + abs(o.box.h - h))
        group = [outline for outline in near if is_like(outline, middle, view)]
        taken = {id(outline) for outline in group}
        rest = [outline for outline in rest if id(outline) not in taken]
        groups.append(group)
    return groups


def _judge(view: SideView, group: Sequence[Outline]) -> Family | None:
    if len(group) < _LEAST_MEMBERS:
        return _judge_single(view, group[0])
    fit = float(np.median([outline.fit for outline in group]))
    # The inside of a D is nearly a rectangle.
    shape = _shape_of(group) if fit >= _SQUARE_FIT else "circle"
    letters = share_of_letters(view, [outline.box for outline in group], shape)
    if letters > _MOST_LETTERS:
        return None
    in_line = _share_in_line(group, view.px(_IN_LINE_MM))
    if in_line < 0.5:
        return None
    many = min(1.0, 0.7 + 0.1 * len(group))
    sure = round(many * (1 - letters) * (0.5 + 0.5 * in_line) * min(1.0, fit + 0.05), 3)
    return Family(tuple(group), _shape_of(group), sure)


def _shape_of(group: Sequence[Outline]) -> Shape:
    shapes = Counter(outline.shape for outline in group)
    return shapes.most_common(1)[0][0]


def _judge_single(view: SideView, outline: Outline) -> Family | None:
    """A lone outline counts only where the file itself says that words stand beside it."""
    near = outline.box.grown(view.px(_LABEL_MM), 0)
    beside = [word for word in view.side.words if near.overlaps(view.from_mm(word.box))]
    inside = [word for word in beside if outline.box.overlaps(view.from_mm(word.box))]
    if not beside or inside:
        return None
    return Family((outline,), _shape_of([outline]), 0.6)


def _with_the_rest(view: SideView, family: Family) -> Family:
    """The family with places in line with it whose outline is open, or that are marked already."""
    size = np.array([(outline.box.w, outline.box.h) for outline in family.members])
    middle = np.abs(size - np.median(size, axis=0)).sum(axis=1) + [
        10 * outline.inner_ink for outline in family.members
    ]
    typical = family.members[int(np.argmin(middle))]
    pattern = make_pattern(view, typical.box, typical)
    members = [outline.box for outline in family.members]
    found: list[Box] = []
    for looked_for in (pattern, with_open_inside(pattern)):
        for match in match_pattern(view, looked_for, _LEAST_OF_RING, members):
            taken = overlaps(match.box, as_rows([*members, *found])) > _SAME_PLACE
            if not taken.any() and not is_letter(view, match.box, family.shape, members):
                found.append(match.box)
    return replace(family, rest=tuple(found))


def _share_in_line(group: Sequence[Outline], slack_px: float) -> float:
    """Share of the outlines that stand level with, or straight above, another of the group."""
    centers = np.array([outline.box.center for outline in group])
    apart = np.abs(centers[:, None, :] - centers[None, :, :])
    np.fill_diagonal(apart[:, :, 0], np.inf)
    np.fill_diagonal(apart[:, :, 1], np.inf)
    return float((apart.min(axis=2) <= slack_px).any(axis=1).mean())


def reading_order(boxes: Sequence[Box]) -> list[int]:
    """The places of boxes from the top left to the bottom right, row by row."""
    places = sorted(range(len(boxes)), key=lambda place: boxes[place].center[1])
    ordered: list[int] = []
    row: list[int] = []
    for place in places:
        if row and boxes[place].center[1] - boxes[row[0]].center[1] > 0.5 * boxes[row[0]].h:
            ordered += sorted(row, key=lambda member: boxes[member].x)
            row = []
        row.append(place)
    return ordered + sorted(row, key=lambda member: boxes[member].x)
