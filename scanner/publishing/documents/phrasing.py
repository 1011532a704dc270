"""Dates and document numbers, as official documents in Vietnamese write them or English ones.

Vietnamese: a day below 10 and the months 1 and 2 get a zero before them, the months 3 to 9 do not;
the number of a document below 10 gets one too (Nghị định 30/2020/NĐ-CP, Phụ lục I).
"""

from __future__ import annotations

from datetime import date, datetime

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
ROMANS = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def day_text(day: date, language: str = "vi") -> str:
    """A date in words: ``ngày 05 tháng 9 năm 2023``; in English ``5 September 2023``."""
    if language != "vi":
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    month = f"{day.month:02}" if day.month <= 2 else str(day.month)
    return f"ngày {day.day:02} tháng {month} năm {day.year}"


def short_day_text(day: date, language: str = "vi") -> str:
    """A date in figures: ``05/9/2023``; in English the same as in words."""
    if language != "vi":
        return day_text(day, language)
    month = f"{day.month:02}" if day.month <= 2 else str(day.month)
    return f"{day.day:02}/{month}/{day.year}"


def hour_text(moment: datetime, language: str = "vi") -> str:
    """A time of the day: ``14 giờ 00``; in English ``14:00``."""
    if language != "vi":
        return f"{moment.hour}:{moment.minute:02}"
    return f"{moment.hour:02} giờ {moment.minute:02}"


def moment_text(moment: datetime, language: str = "vi") -> str:
    """Hour and day: ``14 giờ 00, ngày 05 tháng 9 năm 2023``."""
    return f"{hour_text(moment, language)}, {day_text(moment.date(), language)}"


def document_number(number: int | None, kind: str, symbol: str) -> str:
    """Number and symbol of a document: ``Số: 08/BC-UBND``; dots where the number is yet to come.

    Args:
        number: From 1, or None.
        kind: What its kind is called for short: BC, TB, BB.
        symbol: Of the office that issues it.
    """
    return f"Số: {file_number(number)}/{kind}-{symbol}"


def file_number(number: int | None) -> str:
    """The number of a document alone: two digits at least, or dots."""
    return "……" if number is None else number_with_zero(number)


def number_with_zero(number: int) -> str:
    """A number of two digits at least: ``08``, ``15``."""
    return f"{number:02}"


def roman(number: int) -> str:
    """A Roman numeral, 1 to 39."""
    text = ""
    for value, letter in ROMANS:
        while number >= value:
            text, number = text + letter, number - value
    return text


def within_a_sentence(sentence: str) -> str:
    """A sentence as part of another one: without its full stop and its capital."""
    bare = sentence.rstrip(".")
    return bare[:1].lower() + bare[1:]


def as_a_cell(text: str) -> str:
    """A text that stands alone in the cell of a table: with a capital."""
    return text[:1].upper() + text[1:]


def one_per_line(items: tuple[str, ...]) -> tuple[str, ...]:
    """A list as official documents set it: ``- …;`` on each line, a full stop after the last."""
    bare = [item.rstrip(" .;,") for item in items]
    return tuple(
        f"- {item}{'.' if place == len(bare) - 1 else ';'}" for place, item in enumerate(bare)
    )
