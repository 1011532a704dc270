"""Questions whose answers are marked on their own words, as pieces.

The words are circled or underlined, or as on ballots of Vietnam struck out; so they stand far
enough apart for a pen.
"""

from __future__ import annotations

from scanner.forms.drawing.asking import draw_heading
from scanner.forms.drawing.design import Design
from scanner.forms.drawing.pieces import Item, Piece, Run, Target
from scanner.forms.drawing.typography import width_mm
from scanner.forms.fonts import Face
from scanner.forms.questions import Question

_NAME_SIZE = 1.15
"""Size of the words against that of the text."""
_INDENT_MM = 14.0
_NUMBER_MM = 9.0
_STEP_MM = 10.5
_MM_PER_PT = 25.4 / 72
_ABOVE, _BELOW = 0.98, 0.24
"""How far letters with their marks reach from the base line, in sizes of the type."""


def draw_names(question: Question, design: Design) -> Piece:
    """The text, then the answers in bold with their numbers before them."""
    items: list[Item] = []
    y = 0.0
    if question.text or question.number:
        heading, _end = draw_heading(question, design, design.column_mm)
        first = 4.4 * design.scale
        items.extend(Run(run.x, first + run.y, run.text, run.face, run.size_pt) for run in heading)
        y = heading[-1].y + design.line_mm + 0.8
    columns = question.columns or 1
    size_pt = design.text_pt * _NAME_SIZE
    wide = (design.column_mm - _INDENT_MM) / columns
    step = _STEP_MM * design.scale
    for place, choice in enumerate(question.options):
        row, column = divmod(place, columns)
        x = _INDENT_MM + column * wide
        base = y + row * step + 0.65 * step
        number = f"{place + 1}."
        items.append(Run(x - _NUMBER_MM, base, number, Face.PLAIN, design.text_pt))
        items.append(Run(x, base, choice.label, Face.BOLD, size_pt))
        items.append(
            Target(
                x,
                base - _ABOVE * size_pt * _MM_PER_PT,
                width_mm(choice.label, Face.BOLD, size_pt),
                (_ABOVE + _BELOW) * size_pt * _MM_PER_PT,
                "label" if question.marks == "label" else "strike",
                question.id,
                choice.id,
                choice.label,
            )
        )
    rows = -(-len(question.options) // columns)
    return Piece(y + rows * step + 0.9, tuple(items), name=question.name)
