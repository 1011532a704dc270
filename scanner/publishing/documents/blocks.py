"""A document as a list of blocks, before it is a file.

Every document is composed once, of these blocks, and each kind of file draws the same blocks: so
the DOCX and the PDF of a document cannot say different things.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Look(StrEnum):
    """How a paragraph is set; Phụ lục I of Nghị định 30/2020/NĐ-CP says how large and how bold."""

    BODY = "body"
    BASIS = "basis"
    """What the document rests on (căn cứ): italic."""
    ADDRESSEE = "addressee"
    PART = "part"
    """Heading of a part (I., II.): capitals, bold."""
    CLAUSE = "clause"
    """Heading of a clause (1., 2.): bold."""
    ITEM = "item"
    NOTE = "note"
    """Small print under a table."""
    LINE = "line"
    """A short line that stands alone, centred."""


class Align(StrEnum):
    """Where the text of a table's column stands."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words in one look."""

    text: str
    look: Look = Look.BODY


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an official document: issuer left, the state's name and motto right."""

    superior: tuple[str, ...]
    issuer: tuple[str, ...]
    nation: str
    motto: str
    number: str = ""
    place_and_date: str = ""
    """Empty where the kind of document bears none, as minutes."""


@dataclass(frozen=True, slots=True)
class Title:
    """Kind of document and what it is about, with the short rule below."""

    kind: str
    subject: str
    attached_to: str = ""
    """Under an annex: the document that it belongs to."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    share: int
    """Its part of the table's width, beside those of the others."""
    align: Align = Align.LEFT


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table."""

    cells: tuple[str, ...]
    joins: int = 0
    """So many first cells continue those above, as the name of a question beside its options."""
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with ruled cells; its head is repeated on every page."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    is_whole: bool = False
    """It is short, and not parted by the end of a page."""

    def groups(self) -> Iterator[tuple[int, int, int]]:
        """The rows that belong together: index of the first, of the last, how many cells join."""
        start = 0
        while start < len(self.rows):
            end = start
            while end + 1 < len(self.rows) and self.rows[end + 1].joins:
                end += 1
            yield start, end, self.rows[end].joins if end > start else 0
            start = end + 1


@dataclass(frozen=True, slots=True)
class BarPart:
    """A piece of a bar."""

    label: str
    figure: int
    """How long it is, in votes: a bar is drawn by counts and never by rounded percentages."""
    text: str
    """The figure as it is printed."""
    is_rest: bool = False
    """No answer, or too many: drawn without colour."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of one or more pieces, of a whole."""

    title: str
    parts: tuple[BarPart, ...]
    whole: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars one below the other."""

    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs: with which right, in which office, by which name."""

    authority: tuple[str, ...]
    """Lines in bold capitals, such as TM., KT. and the office."""
    name: str = ""
    hint: str = ""
    """In italics under the office, as (Ký, ghi rõ họ tên)."""
    others: tuple[str, ...] = ()
    """Further names of those who sign below each other."""

    @property
    def height(self) -> int:
        """Lines above the room for the signature."""
        return len(self.authority) + bool(self.hint)


@dataclass(frozen=True, slots=True)
class Signatures:
    """Those who sign, from left to right."""

    columns: tuple[Signature, ...]

    @property
    def height(self) -> int:
        """Lines above the room for the signatures, which begins at one height for all."""
        return max(column.height for column in self.columns)


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of an official document: to whom it goes on the left, who signs on the right."""

    label: str
    recipients: tuple[str, ...]
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class SealMark:
    """The fingerprint of a sealed count, in letters and as a QR code."""

    words: str
    fingerprint: str
    code: str
    """What the QR code says."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A framed notice, such as that the figures are provisional."""

    text: str


Block = (
    Paragraph | Head | Title | Table | Chart | Signatures | Closing | SealMark | Notice
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """Pages that are numbered together: the document itself, or one of its annexes."""

    blocks: tuple[Block, ...]
    is_landscape: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """Everything a document says."""

    title: str
    language: str
    parts: tuple[Part, ...]
    footer: str = ""
    """At the foot of every page; marks what is provisional."""
    author: str = ""
    made: str = field(default="", compare=False)
    """Program and version, for the file's properties."""

    def blocks(self) -> Iterator[Block]:
        """Every block, in order."""
        for part in self.parts:
            yield from part.blocks

    def texts(self) -> Iterator[str]:
        """Every text of the document, in order: what both kinds of file have to say."""
        for block in self.blocks():
            yield from texts_of(block)


def keeps_with(block: Block, after: Block | None) -> bool:
    """Whether a block is never on another page than the beginning of the one after it.

    Headings and what they head, a sentence that ends in a colon and its table, the last words and
    who signs them.
    """
    match block:
        case Paragraph(look=Look.PART | Look.CLAUSE):
            return after is not None
        case Paragraph(look=Look.NOTE):
            return isinstance(after, Signatures | Closing)
        case Paragraph():
            announces = isinstance(after, Table) and block.text.endswith(":")
            return announces or isinstance(after, Signatures | Closing)
        case Signatures() | Closing():
            return isinstance(after, Signatures | Closing)
        case _other:
            return False


def texts_of(block: Block) -> Iterator[str]:
    """The texts of a block that are not empty."""
    yield from (text for text in _texts_of(block) if text)


def _texts_of(block: Block) -> Sequence[str]:
    match block:
        case Paragraph() | Notice():
            return (block.text,)
        case Head():
            names = (*block.superior, *block.issuer, block.nation, block.motto)
            return (*names, block.number, block.place_and_date)
        case Title():
            return (block.kind, block.subject, block.attached_to)
        case Table():
            cells = [cell for row in block.rows for cell in row.cells[row.joins :]]
            return (*(column.title for column in block.columns), *cells)
        case Chart():
            return (block.title,)
        case Signatures():
            return [text for column in block.columns for text in _signature_texts(column)]
        case Closing():
            signed = _signature_texts(block.signature) if block.signature is not None else ()
            return (block.label, *block.recipients, *signed)
        case SealMark():
            return (block.words, block.fingerprint)


def _signature_texts(signature: Signature) -> tuple[str, ...]:
    return (*signature.authority, signature.hint, signature.name, *signature.others)
