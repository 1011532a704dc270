"""Questions with their answers in columns as pieces."""

from __future__ import annotations

from scanner.forms.drawing.design import BOX_MM, Design, tell_most
from scanner.forms.drawing.pieces import Item, Piece, Run, Target, Writing
from scanner.forms.drawing.typography import dots, needs_breaking, width_mm, wrap
from scanner.forms.fonts import Face
from scanner.forms.questions import Choice, Matrix, Question

_COLUMN_GAP_MM = 4.0
_LABEL_GAP_MM = 2.0
_INDENT_MM = 4.0
_ROW_GAP_MM = 2.6
_BOX_TOP_MM = 0.85
_LABEL_DROP_MM = 1.45
"""From the middle of a box down to the base line of its label."""
_MOST_LABEL_LINES = 2
_ABOVE_DOTS_MM, _BELOW_DOTS_MM = 5.0, 2.0
"""How far from the base line of the dots people write."""


def draw_question(question: Question, design: Design) -> Piece:
    """The text, then the answers in their columns."""
    items: list[Item] = []
    y = 0.0
    left = _INDENT_MM
    if question.inline:
        base = _label_base(design)
        heading, left = draw_heading(question, design, design.column_mm * 0.5)
        items.extend(Run(run.x, base + run.y, run.text, run.face, run.size_pt) for run in heading)
        left += 4.0
    elif question.text or question.number:
        heading, _end = draw_heading(question, design, design.column_mm)
        first = 4.4 * design.scale
        items.extend(Run(run.x, first + run.y, run.text, run.face, run.size_pt) for run in heading)
        y = heading[-1].y + design.line_mm + 0.8
    columns, room = _choose_columns(question, design.column_mm - left, design)
    for start in range(0, len(question.options), columns):
        row_lines = 1
        for column, choice in enumerate(question.options[start : start + columns]):
            x = left + column * (room + _COLUMN_GAP_MM)
            answer = _answer(question, choice, (x, y), room, design)
            items.extend(answer)
            row_lines = max(row_lines, sum(isinstance(item, Run) for item in answer))
        y += max(row_lines * design.line_mm, BOX_MM + _BOX_TOP_MM) + _ROW_GAP_MM
    return Piece(y + 0.9, tuple(items), name=question.name)


def draw_heading(asked: Question | Matrix, design: Design, width: float) -> tuple[list[Run], float]:
    """Number, text and how many may be chosen; the first base line at 0.

    Returns:
        The runs, the last of them on the last line; and where the longest line ends.
    """
    size_pt = design.text_pt
    runs: list[Run] = []
    if asked.number:
        runs.append(Run(0, 0, asked.number, Face.BOLD, size_pt))
    if asked.text:
        start = _end(runs[-1], " ") if runs else 0.0
        first = width - start if runs else None
        for row, line in enumerate(wrap(asked.text, Face.PLAIN, size_pt, width, first=first)):
            x = 0.0 if row else start
            runs.append(Run(x, row * design.line_mm, line, Face.PLAIN, size_pt))
    most = tell_most(asked, design.words)
    if most:
        x, y = (_end(runs[-1], " "), runs[-1].y) if runs else (0.0, 0.0)
        if x + width_mm(most, Face.ITALIC, size_pt) > width:
            x, y = 0.0, y + design.line_mm
        runs.append(Run(x, y, most, Face.ITALIC, size_pt))
    return runs, max((_end(run) for run in runs), default=0.0)


def _end(run: Run, after: str = "") -> float:
    return run.x + width_mm(run.text + after, run.face, run.size_pt)


def _label_base(design: Design) -> float:
    return _BOX_TOP_MM + BOX_MM / 2 + _LABEL_DROP_MM * design.scale


def _choose_columns(question: Question, width: float, design: Design) -> tuple[int, float]:
    """The most columns, up to three, in which no label needs more than two lines."""
    wanted = [question.columns] if question.columns else [3, 2, 1]
    columns, room = 1, width
    for columns in wanted:
        room = (width - (columns - 1) * _COLUMN_GAP_MM) / columns
        words_mm = room - BOX_MM - _LABEL_GAP_MM
        labels = [option.label for option in question.options]
        most = max(len(wrap(label, Face.PLAIN, design.text_pt, words_mm)) for label in labels)
        broken = any(
            needs_breaking(label, Face.PLAIN, design.text_pt, words_mm) for label in labels
        )
        if most <= _MOST_LABEL_LINES and not broken:
            break
    return columns, room


def _answer(
    question: Question, choice: Choice, at: tuple[float, float], room: float, design: Design
) -> list[Item]:
    """The box and the lines of its label, dots after the last with ``write_in``."""
    x, y = at
    label_x = x + BOX_MM + _LABEL_GAP_MM
    base = y + _label_base(design)
    size_pt = design.text_pt
    target = _target((x, y + _BOX_TOP_MM), question.id, choice.id, choice.label.rstrip(":"))
    if choice.write_in:
        label = f"{choice.label} "
        start = label_x + width_mm(label, Face.PLAIN, size_pt)
        text = label + dots(x + room - start, size_pt)
        writing = Writing(
            x=start,
            y=base - _ABOVE_DOTS_MM,
            w=x + room - start,
            h=_ABOVE_DOTS_MM + _BELOW_DOTS_MM,
            title=f"{question.name.rstrip(':')}: {choice.label.rstrip(':')}",
            answers=(question.id, choice.id),
        )
        return [target, Run(label_x, base, text, Face.PLAIN, size_pt), writing]
    lines = wrap(choice.label, Face.PLAIN, size_pt, room - BOX_MM - _LABEL_GAP_MM)
    runs = (
        Run(label_x, base + row * design.line_mm, line, Face.PLAIN, size_pt)
        for row, line in enumerate(lines)
    )
    return [target, *runs]


def _target(at: tuple[float, float], contest: str, option: str, label: str) -> Target:
    return Target(*at, BOX_MM, BOX_MM, "box", contest, option, label)
