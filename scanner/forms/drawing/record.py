"""Placed pieces -> the registered form: what was drawn is what is written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scanner.forms.codes import PageCode, encode_code
from scanner.forms.drawing.design import Design
from scanner.forms.drawing.paging import Placed
from scanner.forms.drawing.pieces import Private, Target, Writing
from scanner.forms.questions import Matrix, Question, Questions
from scanner.forms.template import Comment, Contest, Form, Option, Page, Zone

_PRIVATE_BESIDE_MM = 2.0


def record_form(questions: Questions, design: Design, placed: Sequence[Placed]) -> Form:
    """The form with the positions at which it was drawn."""
    return Form(
        id=questions.id,
        title=questions.title,
        version=questions.version,
        language=questions.language,
        rule=questions.rule,
        secrecy=questions.secrecy,
        pages=tuple(
            Page(
                number=number,
                blank=f"page-{number}.png",
                width_mm=design.width_mm,
                height_mm=design.height_mm,
                code=encode_code(PageCode(questions.id, number)) if questions.code else None,
            )
            for number in range(1, placed[-1].page + 1)
        ),
        contests=tuple(_contests(questions, _options(design, placed))),
        private=tuple(_private_zones(design, placed)),
        comments=tuple(_comments(design, placed)),
    )


def _contests(questions: Questions, options: dict[str, list[Option]]) -> Iterator[Contest]:
    for block in questions.blocks:
        if isinstance(block, Question):
            yield Contest(
                id=block.id,
                title=block.name,
                max=block.max,
                breakdown=block.breakdown,
                options=tuple(options[block.id]),
            )
        elif isinstance(block, Matrix):
            for row in block.rows:
                found = tuple(options[row.id])
                yield Contest(id=row.id, title=row.text, max=block.max, options=found)


def _options(design: Design, placed: Sequence[Placed]) -> dict[str, list[Option]]:
    """Each contest's options, in printed order."""
    found: dict[str, list[Option]] = {}
    for part in placed:
        for item in part.piece.items:
            if isinstance(item, Target):
                found.setdefault(item.contest, []).append(_option(item, part, design))
    return found


def _option(target: Target, part: Placed, design: Design) -> Option:
    x, y = design.left_mm + target.x, design.top_mm + part.top + target.y
    return Option(
        id=target.option,
        label=target.label,
        page=part.page,
        shape=target.shape,
        x=round(x, 3),
        y=round(y, 3),
        w=round(target.w, 3),
        h=round(target.h, 3),
    )


def _private_zones(design: Design, placed: Sequence[Placed]) -> Iterator[Zone]:
    """Wide enough for what is written above the dots and past their end."""
    for part in placed:
        for item in part.piece.items:
            if isinstance(item, Private):
                yield Zone(
                    page=part.page,
                    x=design.left_mm - _PRIVATE_BESIDE_MM,
                    y=round(design.top_mm + part.top + item.y, 3),
                    w=design.column_mm + 2 * _PRIVATE_BESIDE_MM,
                    h=round(item.h, 3),
                )


def _comments(design: Design, placed: Sequence[Placed]) -> Iterator[Comment]:
    """Every place to write, in printed order; comment lines are numbered, write-ins are named."""
    lines = 0
    for part in placed:
        for item in part.piece.items:
            if isinstance(item, Writing):
                lines += item.answers is None
                yield Comment(
                    id=f"comment-{lines}" if item.answers is None else "/".join(item.answers),
                    title=item.title,
                    page=part.page,
                    x=round(design.left_mm + item.x, 3),
                    y=round(design.top_mm + part.top + item.y, 3),
                    w=round(item.w, 3),
                    h=round(item.h, 3),
                )
