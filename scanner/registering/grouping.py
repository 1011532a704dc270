"""Targets grouped to contests by lay-out, with the question above each.

Rows below each other make one contest unless something parts them: text that is no label, text
on the left of the lower row, a printed frame, a row of a table, or the same labels once more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scanner.geometry import Box
from scanner.registering.labels import NUMBERED, Label, LabelledPage
from scanner.registering.level_page import LevelPage, Piece, around, clean_text, shared_height
from scanner.registering.matrix import Row, columns_of

_COLUMN_SLACK_MM = 1.5
_MOST_GAP_MM = 14.0
_QUESTION_GAP_MM = 14.0
_LEFT_GAP_SHARE = 0.3
_LINE_PITCH = 2.1
_SECTION = re.compile(r"^(?:[IVX]{1,5}|[A-H])\s*[.)]\s*\S")
_WRITE_IN = re.compile(
    r"^(?:khác|ý kiến khác|nội dung khác|other|write[ -]?in|\(?write-in vote.*)\b", re.IGNORECASE
)
_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "một": 1, "hai": 2, "ba": 3, "bốn": 4, "năm": 5, "sáu": 6, "bảy": 7,
    "tám": 8, "chín": 9, "mười": 10,
}  # fmt: skip
_COUNT = rf"\(?\s*(\d{{1,2}}|{'|'.join(_NUMBERS)})\b"
_AT_MOST = re.compile(
    rf"(?:không quá|tối đa|nhiều nhất|không nhiều hơn|up to|(?:no|not) more than|at most|"
    rf"a maximum of|vote for|choose|select|pick|chọn(?: đúng)?)(?: là)?\s*{_COUNT}",
    re.IGNORECASE,
)
_MANY = re.compile(
    r"nhiều lựa chọn|nhiều phương án|nhiều ô|nhiều đáp án|một hoặc nhiều|chọn tất cả|"
    r"all that apply|one or more|more than one (?:may|can)|as many as",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FoundOption:
    """A target with what it stands for."""

    target: int
    """Its place in ``LevelPage.targets``."""
    label: str
    sure: float
    is_write_in: bool = False


@dataclass(frozen=True, slots=True)
class FoundContest:
    """One question with its options, as the lay-out shows it."""

    page: int
    options: tuple[FoundOption, ...]
    title: str
    sure: float
    """How sure its question was read, 0..1."""
    max: int = 1
    section: str = ""
    """The heading above it."""


@dataclass(slots=True)
class _Group:
    """Rows that make one contest, while they are put together."""

    rows: list[Row]
    question: list[Piece] = field(default_factory=list)
    """Text on the left of the first row, or beside a row of a matrix."""


def group_pages(pages: Sequence[LabelledPage]) -> list[FoundContest]:
    """The contests of a form in the order in which they are read, column by column."""
    return [contest for page in pages for contest in _group_page(page)]


def read_max(text: str, options: int) -> int:
    """How many options a question lets one choose; 1 where it does not say.

    Args:
        text: The question.
        options: How many it has.
    """
    named = _AT_MOST.search(text)
    if named:
        word = named.group(1).lower()
        count = int(word) if word.isdigit() else _NUMBERS[word]
        return max(1, min(count, options))
    return options if _MANY.search(text) else 1


def is_write_in(label: str) -> bool:
    """Whether an option asks the voter to write another answer."""
    return bool(_WRITE_IN.match(label))


def _group_page(labelled: LabelledPage) -> list[FoundContest]:
    groups = _matrix_groups(labelled) + _loose_groups(labelled)
    ordered = _reading_order(labelled, groups)
    used: set[Piece] = set()
    contests = []
    for group in ordered:
        contests.append(_contest(labelled, group, ordered, used))
    return contests


def _matrix_groups(labelled: LabelledPage) -> list[_Group]:
    """Each row of a matrix a contest; rows without any text in one printed frame, one for all."""
    groups: list[_Group] = []
    framed: dict[tuple[int, ...] | None, _Group] = {}
    for matrix in labelled.matrices:
        is_silent = not any(matrix.texts)
        for row, text in zip(matrix.rows, matrix.texts, strict=True):
            group = _Group([row], list(text))
            frame = _frame(labelled.page, row) if is_silent else None
            if frame in framed and not _is_parted(labelled, framed[frame].rows[-1], row):
                framed[frame].rows.append(row)
                continue
            if frame is not None:
                framed[frame] = group
            groups.append(group)
    return groups


def _is_parted(labelled: LabelledPage, upper: Row, lower: Row) -> bool:
    above, below = columns_of(labelled.page, upper), columns_of(labelled.page, lower)
    between = [
        piece
        for piece in labelled.free
        if above[0].bottom < piece.box.center[1] < below[0].y
        and piece.box.right > below[0].x
        and piece.box.x < below[-1].right
    ]
    # A comma or "× 10" between the digits of a number is no question.
    return any(sum(letter.isalpha() for letter in piece.text) > 3 for piece in between)


def _frame(page: LevelPage, row: Row) -> tuple[int, ...] | None:
    """Which printed frame a row stands in, in whole millimetres; None if not in one."""
    lines = page.rulings.frame_of(columns_of(page, row)[0])
    if any(line is None for line in lines):
        return None
    places = [line.center[side % 2] for side, line in enumerate(lines) if line is not None]
    return tuple(round(place) for place in places)


def _loose_groups(labelled: LabelledPage) -> list[_Group]:
    """Rows of labelled targets, each joined to the nearest row above that it goes on with."""
    groups: list[_Group] = []
    rows = [row for row in labelled.rows if not row.is_bare]
    for row in sorted(rows, key=lambda row: columns_of(labelled.page, row)[0].center[1]):
        left = _text_on_the_left(labelled, row)
        upper = [group for group in groups if _goes_on(labelled, group, row)]
        # In a list of one column, text on the left is that of the page's next column.
        if left and len(row.targets) > 1:
            upper = []
        if upper:
            near = max(upper, key=lambda group: columns_of(labelled.page, group.rows[-1])[0].y)
            near.rows.append(row)
        else:
            groups.append(_Group([row], left))
    return groups


def _text_on_the_left(labelled: LabelledPage, row: Row) -> list[Piece]:
    """A question that stands on the line of its options."""
    page, box = labelled.page, columns_of(labelled.page, row)[0]
    level = [
        piece
        for piece in labelled.free
        if piece.text
        and not piece.text.strip(".)").isdigit()
        and piece.box.right <= box.x + 1.0
        and shared_height(piece.box, box) >= 0.5 * min(piece.box.h, box.h)
        and not page.rulings.parts_sideways(piece.box, box, 15.0)
    ]
    kept: list[Piece] = []
    edge = box
    for piece in sorted(level, key=lambda piece: -piece.box.right):
        is_far = edge.x - piece.box.right > _LEFT_GAP_SHARE * page.width_mm
        if is_far or _is_target_between(page, piece.box, edge):
            break
        kept.insert(0, piece)
        edge = piece.box
    return kept


def _is_target_between(page: LevelPage, left: Box, right: Box) -> bool:
    y = right.center[1]
    return any(
        left.right - 1.0 < target.box.center[0] < right.x and target.box.y < y < target.box.bottom
        for target in page.targets
    )


def _goes_on(labelled: LabelledPage, group: _Group, row: Row) -> bool:
    page = labelled.page
    upper, lower = group.rows[-1], row
    above, below = columns_of(page, upper), columns_of(page, lower)
    if not _shares_column(above, below):
        return False
    if len(below) > 1 and page.rulings.parts_down(above[0], below[0]):
        return False
    if len(below) > 1 and _repeats(labelled, group, row):
        return False
    end = max(_extent(labelled, upper).bottom, above[0].bottom)
    if below[0].y - end > _MOST_GAP_MM:
        return False
    return not _text_between(labelled, above, below)


def _shares_column(above: Sequence[Box], below: Sequence[Box]) -> bool:
    """Whether the lower row begins in a column of the upper one, or the upper in one of it."""
    return any(abs(box.x - below[0].x) <= _COLUMN_SLACK_MM for box in above) or any(
        abs(box.x - above[0].x) <= _COLUMN_SLACK_MM for box in below
    )


def _repeats(labelled: LabelledPage, group: _Group, row: Row) -> bool:
    """Whether a row has a label that the group has already: no question has an answer twice."""
    before = {_plain(labelled, i) for other in group.rows for i in other.targets} - {""}
    return any(_plain(labelled, index) in before for index in row.targets)


def _plain(labelled: LabelledPage, index: int) -> str:
    label = labelled.labels.get(index)
    return label.text.casefold() if label else ""


def _extent(labelled: LabelledPage, row: Row) -> Box:
    """A row with its labels."""
    boxes = columns_of(labelled.page, row)
    labels = [labelled.labels[index] for index in row.targets if index in labelled.labels]
    return around([*boxes, *(piece.box for label in labels for piece in label.pieces)])


def _text_between(labelled: LabelledPage, above: Sequence[Box], below: Sequence[Box]) -> bool:
    top, bottom = above[0].bottom, below[0].y
    left, right = below[0].x - 12.0, max(above[-1].right, below[-1].right) + 25.0
    frame = labelled.page.rulings.frame_of(below[0])
    if frame[0] is not None:
        left = max(left, frame[0].x)
    if frame[2] is not None:
        right = min(right, frame[2].x)
    return any(
        top < piece.box.center[1] < bottom
        and len(piece.text) > 1
        and piece.box.right > left
        and piece.box.x < right
        and not _is_small_print(piece, below[0])
        for piece in labelled.free
    )


def _is_small_print(piece: Piece, box: Box) -> bool:
    """A note under a line to write on, such as "(write-in vote, if any)"."""
    return piece.box.h < 0.8 * box.h and piece.raw.lstrip().startswith("(")


def _reading_order(labelled: LabelledPage, groups: Sequence[_Group]) -> list[_Group]:
    """Top to bottom within each column of the page, column by column."""
    spans = [(around(_extent(labelled, row) for row in group.rows), group) for group in groups]
    columns: list[tuple[float, float]] = []
    for box, _group in sorted(spans, key=lambda span: span[0].x):
        if columns and box.x < columns[-1][1]:
            columns[-1] = columns[-1][0], max(columns[-1][1], box.right)
        else:
            columns.append((box.x, box.right))

    def key(span: tuple[Box, _Group]) -> tuple[int, float, float]:
        box = span[0]
        column = next(i for i, (left, right) in enumerate(columns) if left <= box.x <= right)
        return column, round(box.y), box.x

    return [group for _box, group in sorted(spans, key=key)]


def _contest(
    labelled: LabelledPage, group: _Group, groups: Sequence[_Group], used: set[Piece]
) -> FoundContest:
    page = labelled.page
    section = ""
    if group.question:
        question = group.question
    else:
        question, section = _question_above(labelled, group, groups, used)
    used.update(question)
    options = tuple(
        _option(labelled.labels.get(index), index) for row in group.rows for index in row.targets
    )
    title = clean_text(word.text for piece in question for word in piece.words)
    label = Label(tuple(question))
    return FoundContest(
        page=page.number,
        options=options,
        title=title or section,
        sure=label.sure,
        max=read_max(title, len(options)),
        section=section,
    )


def _option(label: Label | None, index: int) -> FoundOption:
    if label is None:
        return FoundOption(index, "", 1.0)
    text = label.text
    written = is_write_in(text)
    return FoundOption(index, text.rstrip(": ") if written else text, label.sure, written)


def _question_above(
    labelled: LabelledPage, group: _Group, groups: Sequence[_Group], used: set[Piece]
) -> tuple[list[Piece], str]:
    """The lines of text above a group, and the heading above these."""
    page = labelled.page
    whole = around(_extent(labelled, row) for row in group.rows)
    first = columns_of(page, group.rows[0])[0]
    left, top, right, _below = page.rulings.frame_of(first)
    ceiling = max(_floors(labelled, group, groups, whole), default=0.0)
    bounds = left.x if left else 0.0, right.x if right else page.width_mm
    waiting = [
        piece
        for piece in labelled.free
        if piece not in used
        and piece.text
        and ceiling - 0.5 <= piece.box.center[1] < whole.y + 0.5 * first.h
        and bounds[0] - 0.5 <= piece.box.center[0] <= bounds[1] + 0.5
    ]
    inside = [piece for piece in waiting if top is None or piece.box.center[1] > top.y]
    question, section = _climb(page, inside, whole.y)
    if question or section or top is None:
        return question, section
    return _climb(page, waiting, top.y)


def _floors(
    labelled: LabelledPage, group: _Group, groups: Sequence[_Group], whole: Box
) -> Iterable[float]:
    """Where the targets and labels end that stand above a group in its column."""
    for other in groups:
        for row in other.rows if other is not group else ():
            box = _extent(labelled, row)
            if box.center[1] < whole.y and box.x < whole.right and box.right > whole.x:
                yield box.bottom - 0.3 * labelled.page.line_mm


def _climb(page: LevelPage, waiting: Sequence[Piece], start: float) -> tuple[list[Piece], str]:
    """Upwards line by line, to the line that has a number, to a gap or to a heading."""
    question: list[Piece] = []
    end, pitch = start, _QUESTION_GAP_MM
    for line in _lines_upwards(waiting):
        text = clean_text(word.text for piece in line for word in piece.words)
        middle = max(piece.box.center[1] for piece in line)
        if end - middle > pitch:
            break
        if _is_heading(text):
            return question, text
        question = [*line, *question]
        end, pitch = middle, _LINE_PITCH * max(page.line_mm, line[0].box.h)
        if NUMBERED.match(text):
            break
    return question, ""


def _lines_upwards(pieces: Iterable[Piece]) -> Iterable[list[Piece]]:
    line: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: -piece.box.center[1]):
        if line and shared_height(line[0].box, piece.box) < 0.4 * min(line[0].box.h, piece.box.h):
            yield sorted(line, key=lambda part: part.box.x)
            line = []
        line.append(piece)
    if line:
        yield sorted(line, key=lambda part: part.box.x)


def _is_heading(text: str) -> bool:
    """A letter or Roman number, and capitals: "I. CÔNG CHỨC", "B) SERVICES"."""
    letters = [letter for letter in text if letter.isalpha()]
    capitals = sum(letter.isupper() for letter in letters)
    return bool(_SECTION.match(text)) and capitals > 0.7 * len(letters)
