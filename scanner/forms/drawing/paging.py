"""Pieces put on pages, one below the other; a question never goes across two."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scanner.errors import FormError
from scanner.forms.drawing.pieces import Piece, Table, stack
from scanner.messages import gettext as _

_LEAST_ROWS = 2
"""A table that is taken apart starts on a page with as many rows or more."""
_MOST_LETTERS = 80
"""Of a text that a message names."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece on a page; ``top`` from the top of the text, in millimetres."""

    page: int
    top: float
    piece: Piece


def paginate(pieces: Iterable[Piece], room_mm: float) -> list[Placed]:
    """Put pieces on pages; headings go with what follows them.

    A table that is taller than a page goes on on the next one, between two rows, with its head
    once more.

    Args:
        pieces: From top to bottom.
        room_mm: Height of a page's text.

    Raises:
        FormError: A piece is taller than a page; the message names it.
    """
    paper = _Paper(room_mm)
    for group in _groups(pieces):
        paper.add(group)
    return paper.placed


class _Paper:
    """Pages that are filled from top to bottom."""

    def __init__(self, room_mm: float) -> None:
        self.room = room_mm
        self.placed: list[Placed] = []
        self.page, self.y = 1, 0.0
        self.is_ended = False

    def add(self, group: Sequence[Piece]) -> None:
        if group[0].breaks:
            self.is_ended = True
            return
        if self.is_ended:
            self.turn()
        height = sum(piece.height for piece in group)
        table = group[-1].table
        if height > self.room and table is not None:
            self.add_parts(group, table)
            return
        if height > self.room:
            raise _too_long(group)
        if self.y + height > self.room:
            self.turn()
        for piece in group:
            self.put(piece)

    def add_parts(self, group: Sequence[Piece], table: Table) -> None:
        """A table in as many parts as it needs, the first below the headings of its group."""
        *headings, whole = group
        opening = [table.caption, table.head]
        rows = list(table.rows)
        start = [*headings, *opening, *rows[:_LEAST_ROWS]]
        if self.y + sum(piece.height for piece in start) > self.room:
            self.turn()
        for piece in headings:
            self.put(piece)
        while rows:
            part = self.take_rows(rows, sum(piece.height for piece in opening))
            if not part:
                raise _too_long(group)
            self.put(stack((*opening, *part), name=whole.name))
            opening = [table.head]
            if rows:
                self.turn()

    def take_rows(self, rows: list[Piece], used: float) -> list[Piece]:
        """The rows that still fit on the page, taken from the front of ``rows``."""
        part: list[Piece] = []
        while rows and self.y + used + rows[0].height <= self.room:
            used += rows[0].height
            part.append(rows.pop(0))
        return part

    def put(self, piece: Piece) -> None:
        self.placed.append(Placed(self.page, self.y, piece))
        self.y += piece.height

    def turn(self) -> None:
        if self.y > 0:
            self.page, self.y = self.page + 1, 0.0
        self.is_ended = False


def _groups(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Runs of pieces that stay on one page; a page break is one of its own."""
    group: list[Piece] = []
    for piece in pieces:
        if piece.breaks and group:
            yield group
            group = []
        group.append(piece)
        if not piece.keeps_next:
            yield group
            group = []
    if group:
        yield group


def _too_long(group: Sequence[Piece]) -> FormError:
    highest = max(group, key=lambda piece: piece.height)
    name = textwrap.shorten(highest.name, _MOST_LETTERS, placeholder=" …")
    return FormError(
        _("{name!r} is too long for its page.").format(name=name),
        remedy=_("Shorten it, divide it, give its answers more columns, or use a larger paper."),
    )
