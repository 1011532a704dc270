"""Draw one target, find the rest.

The drawn box is first moved onto what is printed there. Then every place is sought that has ink
where the example has its ink and white where the example is white beside it: among the outlines
of the page, and by the correlation of the pictures where no outline is closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from scanner.errors import FormError
from scanner.geometry import Box
from scanner.messages import gettext as _
from scanner.registering.found import BlankSide, Example, FoundTarget, Source
from scanner.registering.letters import is_letter
from scanner.registering.outlines import Outline, overlap, runs_on
from scanner.registering.pattern import (
    Pattern,
    in_line,
    is_like,
    make_pattern,
    match_pattern,
    unlikeness,
)
from scanner.registering.ruled import Table, find_tables
from scanner.registering.view import SideView, look_at

Views = Mapping[int, SideView]
"""The sides of a blank by their numbers."""

_LOOSE_MM = 2.5
_LOOSE_SIZE = (0.55, 1.8)
_LEAST_FIT = 0.85
_SAME_SIZE = 0.08
_SAME_PLACE = 0.4
_OWN_INK = 0.5


def find_like(sides: Sequence[BlankSide], examples: Sequence[Example]) -> list[FoundTarget]:
    """Every place that looks like one of the examples, each example's own place among them.

    Args:
        sides: All pages of the blank.
        examples: Boxes that may lie 2 mm beside the target and be 40 % too large.

    Raises:
        FormError: An example lies on no page, or on white paper.
    """
    views = {side.number: look_at(side) for side in sides}
    return find_like_in(views, examples)


def find_like_in(views: Views, examples: Sequence[Example]) -> list[FoundTarget]:
    """The same for sides that were stood upright already."""
    found: list[FoundTarget] = []
    for example in examples:
        if example.page not in views:
            raise FormError(
                _("The blank has no page {page}, on which an example was drawn.").format(
                    page=example.page
                ),
                remedy=_("It has {count} pages.").format(count=len(views)),
            )
        for target in _find_one(views, example):
            if not any(_is_same(target, other) for other in found):
                found.append(target)
    return found


def _find_one(views: Views, example: Example) -> Iterator[FoundTarget]:
    drawn = views[example.page].from_mm(example.box)
    for looks in _ever_closer(views):
        outline = _snap_to_outline(looks[example.page], drawn)
        if outline is not None:
            yield from _outline_like(looks, looks[example.page], outline)
            return
    for looks in _ever_closer(views):
        box = _snap_to_ink(looks[example.page], drawn)
        if box is not None:
            pattern = make_pattern(looks[example.page], box, None)
            for view in looks.values():
                yield from _places_like(view, pattern, looks[example.page])
            return
    raise FormError(
        _("Nothing is printed where the example was drawn on page {page}.").format(
            page=example.page
        ),
        remedy=_("Give the place in millimetres from the page's top left: PAGE,X,Y,W,H."),
    )


def _ever_closer(views: Views) -> Iterator[Views]:
    yield views
    harder = zip(*(view.harder_looks() for view in views.values()), strict=True)
    for looks in harder:
        yield dict(zip(views, looks, strict=True))


def _outline_like(views: Views, home: SideView, outline: Outline) -> Iterator[FoundTarget]:
    width = _cell_width(find_tables(home), outline)
    if width is not None:
        yield from _cells_like(views, width / home.dpi)
        return
    pattern = make_pattern(home, outline.box, outline)
    for view in views.values():
        yield from _places_like(view, pattern, home)


def _places_like(view: SideView, pattern: Pattern, home: SideView) -> Iterator[FoundTarget]:
    found = list(_outlines_like(view, pattern, home))
    boxes = [box for box, _sure in found]
    for match in match_pattern(view, pattern):
        is_new = not any(overlap(match.box, box) > _SAME_PLACE for box in boxes)
        if is_new and (match.is_clean or in_line(view, np.array([match.box.center]), boxes).any()):
            found.append((match.box, match.sure))
    outline = pattern.outline
    any_letter = outline is None or is_letter(home, outline.box, outline.shape)
    for box, sure in found:
        if any_letter or not is_letter(view, box, pattern.shape, boxes):
            yield FoundTarget(
                view.side.number, view.to_mm(box), pattern.shape, Source.EXAMPLE, round(sure, 3)
            )


def _outlines_like(view: SideView, pattern: Pattern, home: SideView) -> Iterator[tuple[Box, float]]:
    wanted = pattern.outline
    if wanted is None:
        return
    scale = view.dpi / pattern.outline_dpi
    is_cell = runs_on(home.ink, wanted)
    for outline in view.outlines:
        if is_like(outline, wanted, view, scale) and (is_cell or not runs_on(view.ink, outline)):
            yield outline.box, 1.0 - 0.2 * unlikeness(outline, wanted, view, scale)


def _snap_to_outline(view: SideView, drawn: Box) -> Outline | None:
    """The printed outline that the drawn box means, if there is one."""
    low, high = _LOOSE_SIZE
    loose = view.px(_LOOSE_MM)
    near = [
        outline
        for outline in view.outlines
        if outline.fit >= _LEAST_FIT
        and low <= drawn.w / outline.box.w <= high
        and low <= drawn.h / outline.box.h <= high
        and abs(drawn.center[0] - outline.box.center[0]) <= loose
        and abs(drawn.center[1] - outline.box.center[1]) <= loose
    ]
    return max(near, key=lambda outline: overlap(outline.box, drawn), default=None)


def _snap_to_ink(view: SideView, drawn: Box) -> Box | None:
    """Tight around the pieces of ink that lie mostly within the drawn box; None on white paper."""
    inside = []
    for x, y, w, h in view.components:
        piece = Box(float(x), float(y), float(w), float(h))
        across = min(piece.right, drawn.right) - max(piece.x, drawn.x)
        down = min(piece.bottom, drawn.bottom) - max(piece.y, drawn.y)
        if across > 0 and down > 0 and across * down >= _OWN_INK * piece.w * piece.h:
            inside.append(piece)
    if not inside:
        return None
    left, top = min(box.x for box in inside), min(box.y for box in inside)
    right, bottom = max(box.right for box in inside), max(box.bottom for box in inside)
    return Box(left, top, right - left, bottom - top)


def _cell_width(tables: Sequence[Table], outline: Outline) -> float | None:
    """How wide the empty cell of a table is that the outline stands for; None for any other."""
    for table in tables:
        for cell in table.cells:
            if cell.is_empty and overlap(cell.hole, outline.hole) > 0.9:
                return cell.hole.w
    return None


def _cells_like(views: Views, width_inches: float) -> Iterator[FoundTarget]:
    """The empty cells that are as wide as the example; rows may differ in height."""
    for view in views.values():
        wanted = width_inches * view.dpi
        for table in find_tables(view):
            for cell in table.cells:
                if cell.is_empty and abs(cell.hole.w - wanted) <= _SAME_SIZE * wanted:
                    yield FoundTarget(
                        view.side.number, view.to_mm(cell.box), "cell", Source.EXAMPLE, 0.9
                    )


def _is_same(one: FoundTarget, other: FoundTarget) -> bool:
    return one.page == other.page and overlap(one.box, other.box) > _SAME_PLACE
