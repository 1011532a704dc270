"""Head, title and the blocks of a form that ask nothing, as pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scanner.forms.drawing.asking import draw_question
from scanner.forms.drawing.design import Design, instruct
from scanner.forms.drawing.names import draw_names
from scanner.forms.drawing.pieces import Item, Piece, Private, Run, Stroke, Writing
from scanner.forms.drawing.tables import draw_matrix
from scanner.forms.drawing.typography import (
    centered,
    dotted,
    justified,
    width_mm,
    wrap,
    wrap_evenly,
)
from scanner.forms.fonts import Face
from scanner.forms.questions import (
    BlankRow,
    Block,
    Fields,
    Instruction,
    Lines,
    Matrix,
    Note,
    PageBreak,
    Personal,
    Question,
    Questions,
    Section,
)

_FACES = {"plain": Face.PLAIN, "bold": Face.BOLD, "italic": Face.ITALIC}
_HEAD_GAP_MM = 4.0
_DOTS_MM = 7.6
_FIRST_DOTS_MM = 8.0
_BLANK_GAP_MM = 3.0
_FIRST_LINE_MM = 10.0
_PRIVATE_MARGIN_MM = 1.0
_WRITING_TOP_MM, _BELOW_DOTS_MM = 1.0, 2.6
"""Where the room to write begins, and how far below the last dots it ends."""
_LONGEST_NAME = 60


def draw_pieces(questions: Questions, design: Design) -> Iterator[Piece]:
    """The whole form from top to bottom."""
    if questions.header == "official":
        yield _official_head(questions.organisation, design)
    elif questions.header == "plain" and questions.organisation:
        yield _plain_head(questions.organisation, design)
    yield _title(questions, design)
    if questions.introduction:
        yield _introduction(questions.introduction, design)
    for block in questions.blocks:
        if isinstance(block, Instruction):
            text = instruct(questions, marking=block.marking)
            yield _note(Note(kind="note", text=text), design)
        else:
            yield _draw_block(block, design)


def _draw_block(block: Block, design: Design) -> Piece:
    if isinstance(block, Question) and block.marks != "box":
        return draw_names(block, design)
    draw = _DRAWN_BY[type(block)]
    return draw(block, design)


def _official_head(organisation: Sequence[str], design: Design) -> Piece:
    """The offices on the left, the country on the right, as on every official paper."""
    words = design.words
    widest_mm = max(width_mm(words.country, Face.BOLD, 11.5), width_mm(words.motto, Face.BOLD, 12))
    scale = min(design.scale, design.column_mm * 0.59 / widest_mm)
    right = design.column_mm * 0.70
    room = right - widest_mm * scale / 2 - _HEAD_GAP_MM
    left = min(design.column_mm * 0.21, room / 2)
    step = 5.4 * scale
    items: list[Item] = []
    y, office_mm = 4.5 * scale, 0.0
    for number, office in enumerate(organisation):
        face = Face.BOLD if number == len(organisation) - 1 else Face.PLAIN
        for line in wrap_evenly(office, face, 11.5 * scale, 2 * left):
            items.append(centered(left, y, line, face, 11.5 * scale))
            office_mm = width_mm(line, face, 11.5 * scale)
            y += step
    items.append(Stroke(left - office_mm * 0.25, y - 2.9 * scale, office_mm * 0.5))
    motto_mm = width_mm(words.motto, Face.BOLD, 12 * scale)
    items += [
        centered(right, 4.5 * scale, words.country, Face.BOLD, 11.5 * scale),
        centered(right, 9.9 * scale, words.motto, Face.BOLD, 12 * scale),
        Stroke(right - motto_mm / 2, 12.4 * scale, motto_mm),
    ]
    below = max(y, 15.3 * scale) + 6.7 * scale
    return Piece(below, tuple(items), keeps_next=True)


def _plain_head(organisation: Sequence[str], design: Design) -> Piece:
    items, y = [], 4.5 * design.scale
    for number, office in enumerate(organisation):
        face = Face.BOLD if number == len(organisation) - 1 else Face.PLAIN
        for line in wrap_evenly(office, face, 11.5 * design.scale, design.column_mm):
            items.append(centered(design.column_mm / 2, y, line, face, 11.5 * design.scale))
            y += design.line_mm
    return Piece(y + 1.5, tuple(items), keeps_next=True)


def _title(questions: Questions, design: Design) -> Piece:
    middle, scale = design.column_mm / 2, design.scale
    items: list[Item] = []
    y = 5.0 * scale
    for line in wrap_evenly(questions.heading, Face.BOLD, 15 * scale, design.column_mm):
        items.append(centered(middle, y, line, Face.BOLD, 15 * scale))
        y += 6.5 * scale
    size_pt = 11.5 * scale
    for part in questions.subheading:
        for line in wrap(part, Face.BOLD, size_pt, design.column_mm * 0.92):
            items.append(centered(middle, y, line, Face.BOLD, size_pt))
            y += design.line_mm
    if questions.header == "official":
        items.append(Stroke(middle - 15 * scale, y - 2.6 * scale, 30 * scale))
        y += 1.5 * scale
    return Piece(y, tuple(items), name=questions.heading, keeps_next=True)


def _introduction(paragraphs: Sequence[str], design: Design) -> Piece:
    """Paragraphs with their first line set in, every full line as wide as the page's text."""
    items: list[Item] = []
    y = 5.0 * design.scale
    width, first = design.column_mm, design.column_mm - _FIRST_LINE_MM
    for paragraph in paragraphs:
        lines = wrap(paragraph, Face.PLAIN, design.text_pt, width, first=first)
        for number, line in enumerate(lines):
            x = _FIRST_LINE_MM if number == 0 else 0.0
            if number < len(lines) - 1:
                items.extend(justified(line, x, y, width - x, design.text_pt))
            else:
                items.append(Run(x, y, line, Face.PLAIN, design.text_pt))
            y += design.line_mm
        y += 1.0 * design.scale
    return Piece(y - 3.5 * design.scale, tuple(items), name=paragraphs[0][:_LONGEST_NAME])


def _section(section: Section, design: Design) -> Piece:
    lines = wrap(section.text, Face.BOLD, design.text_pt, design.column_mm)
    runs = (
        Run(0, (6.6 + 5.4 * row) * design.scale, line, Face.BOLD, design.text_pt)
        for row, line in enumerate(lines)
    )
    height = 8.2 * design.scale + (len(lines) - 1) * design.line_mm
    return Piece(height, tuple(runs), name=section.text, keeps_next=True)


def _note(note: Note, design: Design) -> Piece:
    face, size_pt = _FACES[note.style], design.text_pt
    runs = []
    lines = wrap(note.text, face, size_pt, design.column_mm)
    for row, line in enumerate(lines):
        y = 5.0 * design.scale + row * design.line_mm
        spare = design.column_mm - width_mm(line, face, size_pt)
        x = {"left": 0.0, "center": spare / 2, "right": spare}[note.align]
        runs.append(Run(x, y, line, face, size_pt))
    return Piece(len(lines) * design.line_mm + 2.0, tuple(runs), name=note.text[:_LONGEST_NAME])


def _blank_rows(rows: Sequence[BlankRow], top: float, design: Design) -> Iterator[Run]:
    """Labels share a row, dots fill the rest."""
    for number, row in enumerate(rows):
        y = top + number * _DOTS_MM
        whole = sum(blank.share for blank in row)
        passed = 0.0
        for column, blank in enumerate(row):
            start = design.column_mm * passed / whole
            passed += blank.share
            last = column == len(row) - 1
            end = design.column_mm if last else design.column_mm * passed / whole - _BLANK_GAP_MM
            yield from dotted(start, end, y, blank.label, size_pt=design.text_pt)


def _personal(block: Personal, design: Design) -> Piece:
    items: list[Item] = []
    top = 0.0
    if block.text:
        for line in wrap(block.text, Face.BOLD, design.text_pt, design.column_mm):
            items.append(Run(0, top + 5.0 * design.scale, line, Face.BOLD, design.text_pt))
            top += design.line_mm
        top += 1.5
    items.extend(_blank_rows(block.rows, top + 5.6, design))
    height = len(block.rows) * _DOTS_MM + 1.0
    zone = Private(top - _PRIVATE_MARGIN_MM, height + _PRIVATE_MARGIN_MM)
    return Piece(top + height, (*items, zone), name=block.text or _name(block.rows))


def _fields(block: Fields, design: Design) -> Piece:
    runs = tuple(_blank_rows(block.rows, 5.6, design))
    return Piece(len(block.rows) * _DOTS_MM + 1.0, runs, name=_name(block.rows))


def _page_break(_block: PageBreak, _design: Design) -> Piece:
    return Piece(0, breaks=True)


def _writing_lines(block: Lines, design: Design) -> Piece:
    end, size_pt = design.column_mm, design.text_pt
    runs = list(dotted(0, end, _FIRST_DOTS_MM, block.text, face=Face.BOLD, size_pt=size_pt))
    for row in range(1, block.count):
        runs.extend(dotted(0, end, _FIRST_DOTS_MM + row * _DOTS_MM, "", size_pt=size_pt))
    bottom = _FIRST_DOTS_MM + (block.count - 1) * _DOTS_MM + _BELOW_DOTS_MM
    room = Writing(0, _WRITING_TOP_MM, end, bottom - _WRITING_TOP_MM, block.text.rstrip(":"))
    return Piece(block.count * _DOTS_MM + 4.0, (*runs, room), name=block.text)


def _name(rows: Sequence[BlankRow]) -> str:
    return rows[0][0].label


_DRAWN_BY: dict[type, Callable[[Any, Design], Piece]] = {
    Question: draw_question,
    Matrix: draw_matrix,
    Section: _section,
    Note: _note,
    Fields: _fields,
    Personal: _personal,
    Lines: _writing_lines,
    PageBreak: _page_break,
}
