"""What frames the Vietnamese documents: head, title, who signs, to whom it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from scanner import __version__
from scanner.publishing.documents.blocks import (
    Block,
    Closing,
    Document,
    Head,
    Look,
    Paragraph,
    Part,
    Signature,
)
from scanner.publishing.documents.facts import Facts
from scanner.publishing.documents.phrasing import (
    day_text,
    document_number,
    one_per_line,
    roman,
    short_day_text,
)
from scanner.publishing.documents.unit import Person
from scanner.publishing.documents.words import MOTTO, NATION

DOTS = "…………………"


def head(facts: Facts, number: str, day: date | None = None, *, has_day: bool = True) -> Head:
    """The head of a document.

    Args:
        facts: Whose document.
        number: Its number and symbol, or an empty text.
        day: Of the document; dots where it is not known yet.
        has_day: False for minutes, which bear no place and date.
    """
    unit = facts.unit
    when = day_text(day) if day is not None else "ngày …… tháng …… năm ………"
    return Head(
        superior=unit.superior,
        issuer=unit.issuer,
        nation=NATION,
        motto=MOTTO,
        number=number,
        place_and_date=f"{unit.place}, {when}" if has_day else "",
    )


def numbered(facts: Facts, kind: str, number: int | None) -> str:
    """Number and symbol of a document of the unit."""
    return document_number(number, kind, facts.unit.symbol)


def reference(facts: Facts, name: str, kind: str, number: int | None, day: date | None) -> str:
    """A document as another one names it: ``Báo cáo số 190/BC-UBND ngày 05/9/2023 của …``."""
    bare = numbered(facts, kind, number).removeprefix("Số: ")
    when = short_day_text(day) if day is not None else "……/……/………"
    return f"{name} số {bare} ngày {when} của {facts.unit.name}"


def closing(facts: Facts, recipients: tuple[str, ...], *, label: str = "Nơi nhận:") -> Closing:
    """To whom it goes, and who signs for the office."""
    signer = facts.unit.signer
    return Closing(
        label,
        one_per_line(recipients or ("Lưu: VT",)),
        Signature(signer.authority, signer.name),
    )


def person_text(person: Person) -> str:
    """A person as minutes name one: ``Ông (bà) …, chức vụ: …``."""
    return f"Ông (bà) {person.name}" + (f", chức vụ: {person.role}" if person.role else "")


def clauses(title: str, lines: Iterable[str], number: int) -> Iterator[Block]:
    """A clause with its number and heading, and what stands under it."""
    yield Paragraph(f"{number}. {title}", Look.CLAUSE)
    for line in lines:
        yield Paragraph(line)


def part_title(number: int, title: str) -> Paragraph:
    """The heading of a part: ``II. KẾT QUẢ``."""
    return Paragraph(f"{roman(number)}. {title.upper()}", Look.PART)


def document(facts: Facts, title: str, *parts: tuple[Block, ...]) -> Document:
    """A document of parts, marked where its figures are provisional."""
    return Document(
        title=title,
        language=facts.language,
        parts=tuple(Part(blocks) for blocks in parts),
        footer="" if facts.is_final else facts.words.footer,
        author=facts.unit.name,
        made=f"Kiểm Phiếu {__version__}",
    )
