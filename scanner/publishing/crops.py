"""Which part of a page shows a contest: its targets, their labels, and the printed question."""

from __future__ import annotations

from collections.abc import Iterable

from scanner.forms.template import Contest, Form
from scanner.geometry import Box

ABOVE_MM = 16.0
"""At the most so much is shown above the first target: a question of three lines."""
BELOW_MM = 6.5
"""A label may go on in a second line."""
AROUND_MM = 2.5
"""Between the targets and the edge of the crop, where nothing else is nearer."""
LEFT_OF_COLUMN_MM = 6.0
HEAD_MM = 22.0
"""The head of a table reaches so far above its first row."""
SAME_COLUMN_MM = 2.0
"""Targets whose middles lie nearer to each other stand in one column of a table."""
ROW_GAP_MM = 8.0
"""Rows of a table follow on each other more closely; questions with labels of their own do not."""


def contest_box(form: Form, contest: Contest, page_number: int) -> Box | None:
    """The part of a page that shows a contest, in millimetres; None if it has no target there."""
    page = form.page(page_number)
    own = _targets_box(contest, page_number)
    if page is None or own is None:
        return None
    others = [
        box
        for other in form.contests
        if other.id != contest.id and (box := _targets_box(other, page_number)) is not None
    ]
    beside = [box for box in others if box.y < own.bottom and own.y < box.bottom]
    # Labels mostly stand right of their boxes: what is right of ours up to the next is ours.
    left = max((own.x - LEFT_OF_COLUMN_MM for box in beside if box.right <= own.x), default=0.0)
    right = min((box.x - AROUND_MM for box in beside if box.x >= own.right), default=page.width_mm)
    column = [box for box in others if box.x < right and left < box.right]
    above = [box.bottom + 0.5 for box in column if box.bottom <= own.y]
    below = [box.y - 0.5 for box in column if box.y >= own.bottom]
    top = max([own.y - ABOVE_MM, 0.0, *above])
    bottom = min([own.bottom + BELOW_MM, page.height_mm, *below])
    # In a table whose rows touch, the targets themselves are shown whole.
    top, bottom = min(top, own.y - 0.3), max(bottom, own.bottom + 0.3)
    return Box(left, top, right - left, bottom - top)


def header_box(form: Form, contest: Contest, crop: Box) -> Box | None:
    """The head of the table that a contest is a row of, in millimetres, as wide as its crop.

    Args:
        form: The form.
        contest: The contest.
        crop: What is shown of the contest itself.

    Returns:
        None where the contest is no row of a table, or its first one, which shows the head itself.
    """
    page_number = contest.options[0].page
    rows = _rows_above(form, contest, page_number)
    if not rows:
        return None
    first = min(box.y for box in rows)
    top = max(0.0, first - HEAD_MM)
    return Box(crop.x, top, crop.w, first - 0.5 - top)


def _rows_above(form: Form, contest: Contest, page_number: int) -> list[Box]:
    """The rows of the same table above a contest, from the nearest up."""
    own_columns = _columns(contest, page_number)
    own = _targets_box(contest, page_number)
    if own is None or len(own_columns) < 2 or not _is_row(contest, page_number):
        return []
    boxes = [
        box
        for other in form.contests
        if other.id != contest.id
        and _is_row(other, page_number)
        and _are_alike(own_columns, _columns(other, page_number))
        and _labels(other) == _labels(contest)
        and (box := _targets_box(other, page_number)) is not None
        and box.bottom <= own.y + 0.5
    ]
    found: list[Box] = []
    nearest = own
    for box in sorted(boxes, key=lambda one: -one.y):
        if nearest.y - box.bottom > ROW_GAP_MM:
            break
        found.append(box)
        nearest = box
    return found


def _is_row(contest: Contest, page_number: int) -> bool:
    """Whether all targets stand beside each other."""
    boxes = [option.box for option in contest.options if option.page == page_number]
    return bool(boxes) and max(box.y for box in boxes) < min(box.bottom for box in boxes)


def _columns(contest: Contest, page_number: int) -> list[float]:
    boxes = [option.box for option in contest.options if option.page == page_number]
    return sorted(box.center[0] for box in boxes)


def _labels(contest: Contest) -> list[str]:
    return [option.label for option in contest.options]


def _are_alike(one: list[float], other: list[float]) -> bool:
    pairs = zip(one, other, strict=False)
    return len(one) == len(other) and all(abs(a - b) < SAME_COLUMN_MM for a, b in pairs)


def _targets_box(contest: Contest, page_number: int) -> Box | None:
    return _around(option.box for option in contest.options if option.page == page_number)


def _around(boxes: Iterable[Box]) -> Box | None:
    found = list(boxes)
    if not found:
        return None
    left, top = min(box.x for box in found), min(box.y for box in found)
    right, bottom = max(box.right for box in found), max(box.bottom for box in found)
    return Box(left, top, right - left, bottom - top)
