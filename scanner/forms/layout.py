"""A form description -> a printable PDF, its blanks and its box positions, in one pass.

Every block of the description becomes a piece: things to draw, in millimetres from the
piece's top left corner. Pieces are put on pages one below the other, a question never across
two; then the same things are drawn and written down as targets, so that the two cannot differ.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pypdfium2 as pdfium
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from scanner.errors import FormError, StorageError
from scanner.forms.fonts import Face, check_letters, load_faces, text_width_pt
from scanner.forms.questions import (
    Choice,
    Lines,
    Note,
    PageBreak,
    Personal,
    Question,
    Questions,
    Section,
)
from scanner.forms.template import Contest, Form, Option, Page, Zone, read_form, write_form
from scanner.messages import gettext as _

PAGE_MM = (210.0, 297.0)
BOX_MM = 4.5
BLANK_DPI = 200
BLANK_PDF = "blank.pdf"

_LEFT_MM, _RIGHT_MM, _TOP_MM, _BOTTOM_MM = 22.0, 16.0, 14.0, 16.0
_WIDTH_MM = PAGE_MM[0] - _LEFT_MM - _RIGHT_MM
_OUTLINE_MM = 0.35
_RULE_MM = 0.25
_TEXT_PT = 11.0
_LINE_MM = 5.4
_ROW_GAP_MM = 2.6
_COLUMN_GAP_MM = 4.0
_LABEL_GAP_MM = 2.0
_LABEL_BASE_MM = 4.55
_INDENT_MM = 4.0
_DOTS_MM = 7.6
_MOST_LABEL_LINES = 2


@dataclass(frozen=True, slots=True)
class _Run:
    """One line of text; ``y`` is its base line."""

    x: float
    y: float
    text: str
    face: Face = Face.PLAIN
    size_pt: float = _TEXT_PT


@dataclass(frozen=True, slots=True)
class _Rule:
    x: float
    y: float
    w: float


@dataclass(frozen=True, slots=True)
class _Target:
    """A box to mark; ``x, y`` is the outer corner of its outline."""

    x: float
    y: float
    question: Question
    choice: Choice


@dataclass(frozen=True, slots=True)
class _Private:
    h: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """What must stay together; x from the left margin, y from the piece's own top."""

    height: float
    items: tuple[_Run | _Rule | _Target | _Private, ...] = ()
    keeps_next: bool = False
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class _Placed:
    page: int
    top: float
    piece: _Piece


def lay_out_form(questions: Questions, folder: Path) -> Form:
    """Draw a form and register it: ``blank.pdf``, ``page-1.png`` … and ``form.yaml``.

    The same description gives the same files.

    Args:
        questions: What is printed.
        folder: Where the files go; it is made if it is not there.

    Returns:
        The registered form, as read back from the folder.

    Raises:
        FormError: A letter the font lacks, or a block that is taller than a page.
        MissingToolError: The font is not installed.
        StorageError: The folder cannot be written.
    """
    load_faces()
    check_letters(questions.texts())
    placed = _paginate([*_head(questions), *_body(questions)])
    pdf = _print(questions, placed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / BLANK_PDF).write_bytes(pdf)
        for number, png in enumerate(_draw_blanks(pdf), start=1):
            (folder / f"page-{number}.png").write_bytes(png)
        write_form(_register(questions, placed), folder)
    except OSError as error:
        raise StorageError(
            _("The form cannot be written ({reason}).").format(reason=error.strerror or error),
            path=folder,
        ) from error
    return read_form(folder)


def _head(questions: Questions) -> Iterator[_Piece]:
    """The offices on the left, the country on the right, then the title."""
    left, right = _WIDTH_MM * 0.21, _WIDTH_MM * 0.70
    country, motto = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"
    parent, office = questions.organisation
    motto_mm = _width_mm(motto, Face.BOLD, 12)
    office_mm = _width_mm(office, Face.BOLD, 11.5)
    yield _Piece(
        22.0,
        (
            _centered(left, 4.5, parent, Face.PLAIN, 11.5),
            _centered(left, 9.9, office, Face.BOLD, 11.5),
            _Rule(left - office_mm * 0.25, 12.4, office_mm * 0.5),
            _centered(right, 4.5, country, Face.BOLD, 11.5),
            _centered(right, 9.9, motto, Face.BOLD, 12),
            _Rule(right - motto_mm / 2, 12.4, motto_mm),
        ),
        keeps_next=True,
    )
    middle = _WIDTH_MM / 2
    lines = _wrap(questions.subheading, Face.BOLD, 11.5, _WIDTH_MM * 0.92)
    items: list[_Run | _Rule] = [_centered(middle, 5.0, questions.heading, Face.BOLD, 15)]
    for row, line in enumerate(lines):
        items.append(_centered(middle, 11.5 + row * _LINE_MM, line, Face.BOLD, 11.5))
    below = 11.5 + len(lines) * _LINE_MM
    items.append(_Rule(middle - 15, below - 2.6, 30))
    yield _Piece(below + 1.5, tuple(items), keeps_next=True)


def _body(questions: Questions) -> Iterator[_Piece]:
    for block in questions.blocks:
        match block:
            case Question():
                yield _question(block)
            case Section():
                run = _Run(0, 6.6, block.text, Face.BOLD)
                yield _Piece(8.2, (run,), keeps_next=True)
            case Note():
                yield _note(block)
            case Lines():
                yield _writing_lines(block)
            case Personal():
                yield _personal(block)
            case PageBreak():
                yield _Piece(0, breaks=True)


def _note(note: Note) -> _Piece:
    face = {"plain": Face.PLAIN, "bold": Face.BOLD, "italic": Face.ITALIC}[note.style]
    lines = _wrap(note.text, face, _TEXT_PT, _WIDTH_MM)
    runs = []
    for row, line in enumerate(lines):
        y = 5.0 + row * _LINE_MM
        runs.append(
            _centered(_WIDTH_MM / 2, y, line, face, _TEXT_PT)
            if note.centered
            else _Run(0, y, line, face)
        )
    return _Piece(len(lines) * _LINE_MM + 2.0, tuple(runs))


def _personal(block: Personal) -> _Piece:
    """Labels share a row in two columns or more, dots fill the rest."""
    runs: list[_Run | _Private] = []
    for row, labels in enumerate(block.rows):
        y = 5.6 + row * _DOTS_MM
        room = _WIDTH_MM / len(labels)
        for column, label in enumerate(labels):
            end = _WIDTH_MM if column == len(labels) - 1 else (column + 1) * room - 3
            runs.extend(_dotted(column * room, end, y, label))
    height = len(block.rows) * _DOTS_MM + 1.0
    return _Piece(height, (*runs, _Private(height)))


def _writing_lines(block: Lines) -> _Piece:
    runs = list(_dotted(0, _WIDTH_MM, 8.0, block.text, Face.BOLD))
    for row in range(1, block.count):
        runs.extend(_dotted(0, _WIDTH_MM, 8.0 + row * _DOTS_MM, ""))
    return _Piece(block.count * _DOTS_MM + 4.0, tuple(runs))


def _question(question: Question) -> _Piece:
    items: list[_Run | _Target] = []
    text = question.text or ""
    y = 0.0
    left = _INDENT_MM
    if question.inline:
        items.append(_Run(0, _LABEL_BASE_MM, text))
        left = _width_mm(text, Face.PLAIN, _TEXT_PT) + 4.0
    elif text:
        lines = _wrap(text, Face.PLAIN, _TEXT_PT, _WIDTH_MM)
        items.extend(_Run(0, 4.4 + row * _LINE_MM, line) for row, line in enumerate(lines))
        y = len(lines) * _LINE_MM + 0.8
    columns, room = _choose_columns(question, _WIDTH_MM - left)
    for start in range(0, len(question.options), columns):
        row_lines = 1
        for column, choice in enumerate(question.options[start : start + columns]):
            x = left + column * (room + _COLUMN_GAP_MM)
            answer = _answer(question, choice, (x, y), room)
            items.extend(answer)
            row_lines = max(row_lines, len(answer) - 1)
        y += row_lines * _LINE_MM + _ROW_GAP_MM
    return _Piece(y + 0.9, tuple(items))


def _choose_columns(question: Question, width: float) -> tuple[int, float]:
    """The most columns, up to three, in which no label needs more than two lines."""
    wanted = [question.columns] if question.columns else [3, 2, 1]
    for columns in wanted:
        room = (width - (columns - 1) * _COLUMN_GAP_MM) / columns
        words_mm = room - BOX_MM - _LABEL_GAP_MM
        most = max(
            len(_wrap(option.label, Face.PLAIN, _TEXT_PT, words_mm)) for option in question.options
        )
        if columns == wanted[-1] or most <= _MOST_LABEL_LINES:
            return columns, room
    raise AssertionError("one column always does")


def _answer(
    question: Question, choice: Choice, at: tuple[float, float], room: float
) -> list[_Run | _Target]:
    """The box and the lines of its label; one dotted run more with ``write_in``."""
    x, y = at
    label_x = x + BOX_MM + _LABEL_GAP_MM
    base = y + _LABEL_BASE_MM
    items: list[_Run | _Target] = [_Target(x, y + 0.85, question, choice)]
    if choice.write_in:
        label = f"{choice.label} "
        start = label_x + _width_mm(label, Face.PLAIN, _TEXT_PT)
        return [*items, _Run(label_x, base, label + _dots(x + room - start))]
    lines = _wrap(choice.label, Face.PLAIN, _TEXT_PT, room - BOX_MM - _LABEL_GAP_MM)
    items.extend(_Run(label_x, base + row * _LINE_MM, line) for row, line in enumerate(lines))
    return items


def _dotted(
    start: float, end: float, y: float, label: str, face: Face = Face.PLAIN
) -> Iterator[_Run]:
    """A label, then dots up to ``end``."""
    if label:
        yield _Run(start, y, label, face)
        start += _width_mm(f"{label} ", face, _TEXT_PT)
    yield _Run(start, y, _dots(end - start))


def _dots(width: float) -> str:
    return "." * int(width / _width_mm(".", Face.PLAIN, _TEXT_PT))


def _centered(x: float, y: float, text: str, face: Face, size_pt: float) -> _Run:
    return _Run(x - _width_mm(text, face, size_pt) / 2, y, text, face, size_pt)


def _width_mm(text: str, face: Face, size_pt: float) -> float:
    return text_width_pt(text, face, size_pt) / mm


def _wrap(text: str, face: Face, size_pt: float, width: float) -> list[str]:
    """Lines no wider than ``width`` millimetres; a single longer word stands alone."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width_mm(longer, face, size_pt) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _paginate(pieces: Sequence[_Piece]) -> list[_Placed]:
    """Put pieces on pages; headings go with what follows them.

    Raises:
        FormError: A piece is taller than a page.
    """
    room = PAGE_MM[1] - _TOP_MM - _BOTTOM_MM
    placed: list[_Placed] = []
    page, y = 1, 0.0
    for group in _groups(pieces):
        height = sum(piece.height for piece in group)
        if height > room:
            raise FormError(_("A question is taller than a page."))
        if y > 0 and (group[0].breaks or y + height > room):
            page, y = page + 1, 0.0
        for piece in group:
            placed.append(_Placed(page, _TOP_MM + y, piece))
            y += piece.height
    return placed


def _groups(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Runs of pieces that stay on one page."""
    group: list[_Piece] = []
    for piece in pieces:
        group.append(piece)
        if not piece.keeps_next:
            yield group
            group = []
    if group:
        yield group


def _print(questions: Questions, placed: Sequence[_Placed]) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(PAGE_MM[0] * mm, PAGE_MM[1] * mm), invariant=True)
    canvas.setTitle(questions.title)
    canvas.setAuthor(questions.organisation[1])
    last = placed[-1].page
    for page in range(1, last + 1):
        for part in placed:
            if part.page == page:
                for item in part.piece.items:
                    _draw(canvas, item, part.top)
        number = _centered(_WIDTH_MM / 2, 0, f"Trang {page}/{last}", Face.PLAIN, 9.5)
        _draw(canvas, number, PAGE_MM[1] - 9.0)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _draw(canvas: Canvas, item: _Run | _Rule | _Target | _Private, top: float) -> None:
    """Draw one thing; reportlab measures in points from the lower left corner."""
    match item:
        case _Run():
            canvas.setFont(item.face.value, item.size_pt)
            canvas.drawString((_LEFT_MM + item.x) * mm, _up(top + item.y), item.text)
        case _Rule():
            canvas.setLineWidth(_RULE_MM * mm)
            y = _up(top + item.y)
            canvas.line((_LEFT_MM + item.x) * mm, y, (_LEFT_MM + item.x + item.w) * mm, y)
        case _Target():
            canvas.setLineWidth(_OUTLINE_MM * mm)
            side = BOX_MM - _OUTLINE_MM
            x = _LEFT_MM + item.x + _OUTLINE_MM / 2
            y = top + item.y + _OUTLINE_MM / 2 + side
            canvas.rect(x * mm, _up(y), side * mm, side * mm, stroke=1, fill=0)
        case _Private():
            pass


def _up(y_mm: float) -> float:
    return (PAGE_MM[1] - y_mm) * mm


def _draw_blanks(pdf: bytes) -> Iterator[bytes]:
    """Each page of the PDF as a grey PNG."""
    document = pdfium.PdfDocument(pdf)
    try:
        for page in document:
            bitmap = page.render(scale=BLANK_DPI / 72, grayscale=True)
            gray = np.ascontiguousarray(bitmap.to_numpy().squeeze())
            options = [cv2.IMWRITE_PNG_COMPRESSION, 9]
            _done, encoded = cv2.imencode(".png", gray, options)
            yield encoded.tobytes()
    finally:
        document.close()


def _register(questions: Questions, placed: Sequence[_Placed]) -> Form:
    last = placed[-1].page
    return Form(
        id=questions.id,
        title=questions.title,
        version=questions.version,
        language=questions.language,
        pages=tuple(
            Page(
                number=number,
                blank=f"page-{number}.png",
                width_mm=PAGE_MM[0],
                height_mm=PAGE_MM[1],
            )
            for number in range(1, last + 1)
        ),
        contests=tuple(_contests(questions, placed)),
        private=tuple(_private_zones(placed)),
    )


def _contests(questions: Questions, placed: Sequence[_Placed]) -> Iterator[Contest]:
    for block in questions.blocks:
        if isinstance(block, Question):
            options = [
                _option(item, part)
                for part in placed
                for item in part.piece.items
                if isinstance(item, _Target) and item.question is block
            ]
            title = block.title or block.text or block.id
            yield Contest(id=block.id, title=title, max=block.max, options=tuple(options))


def _option(target: _Target, part: _Placed) -> Option:
    return Option(
        id=target.choice.id,
        label=target.choice.label.rstrip(":"),
        page=part.page,
        x=round(_LEFT_MM + target.x, 3),
        y=round(part.top + target.y, 3),
        w=BOX_MM,
        h=BOX_MM,
    )


def _private_zones(placed: Sequence[_Placed]) -> Iterator[Zone]:
    """Wide enough for what is written above the dots and past their end."""
    for part in placed:
        for item in part.piece.items:
            if isinstance(item, _Private):
                yield Zone(
                    page=part.page,
                    x=_LEFT_MM - 2,
                    y=round(part.top - 1, 3),
                    w=_WIDTH_MM + 4,
                    h=round(item.h + 1, 3),
                )
