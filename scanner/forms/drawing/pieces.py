"""What a page is made of. All lengths are millimetres."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from scanner.forms.codes import PageCode
from scanner.forms.drawing.design import RULE_MM, USUAL_PT
from scanner.forms.fonts import Face


@dataclass(frozen=True, slots=True)
class Run:
    """One line of text; ``y`` is its base line."""

    x: float
    y: float
    text: str
    face: Face = Face.PLAIN
    size_pt: float = USUAL_PT


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight line from ``x, y``, as far right as ``w`` and as far down as ``h``."""

    x: float
    y: float
    w: float
    h: float = 0.0
    thick: float = RULE_MM


@dataclass(frozen=True, slots=True)
class Target:
    """A place to mark: a box's outer outline, a cell's rules, or words marked themselves.

    Only a box is drawn by its target; the rules of cells are strokes of their own, words are runs.
    """

    x: float
    y: float
    w: float
    h: float
    shape: Literal["box", "cell", "label", "strike"]
    contest: str
    option: str
    label: str


@dataclass(frozen=True, slots=True)
class Private:
    """As wide as the text, from ``y`` on ``h`` high."""

    y: float
    h: float


@dataclass(frozen=True, slots=True)
class Writing:
    """A place to write in one's own words; drawn by its dots, which are runs."""

    x: float
    y: float
    w: float
    h: float
    title: str
    answers: tuple[str, str] | None = None
    """Contest and option that it belongs to, where it is a write-in."""


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code, ``side`` long without its quiet zone."""

    x: float
    y: float
    side: float
    code: PageCode


Item = Run | Stroke | Target | Private | Writing | Code


@dataclass(frozen=True, slots=True)
class Piece:
    """What must stay together; x from the left margin, y from the piece's own top."""

    height: float
    items: tuple[Item, ...] = ()
    name: str = ""
    """What it is called in an error."""
    keeps_next: bool = False
    breaks: bool = False
    """What follows starts on a new page."""
    table: Table | None = None
    """How the piece may be taken apart if it is taller than a page."""


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table: what stands above it, its head, which is repeated, and its rows."""

    caption: Piece
    head: Piece
    rows: tuple[Piece, ...]


def stack(pieces: Iterable[Piece], *, name: str = "", table: Table | None = None) -> Piece:
    """Several pieces, one below the other, as one."""
    items: list[Item] = []
    y = 0.0
    for piece in pieces:
        items.extend(replace(item, y=item.y + y) for item in piece.items)
        y += piece.height
    return Piece(y, tuple(items), name=name, table=table)
