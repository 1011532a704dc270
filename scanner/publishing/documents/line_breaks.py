"""Where lines may not break, and where those of a centred text do."""

from __future__ import annotations

import re
from collections.abc import Callable

_BEFORE_A_NUMBER = re.compile(
    r"\b(ngày (?=\d+ tháng|…)|(?:tháng|năm|[Qq]uý|[Ss]ố:?|[Cc]âu|question) (?=\d|…|[IVX]+\b))"
)
_BEFORE_PERCENT = re.compile(r"(?<=\d) (?=%)")
NO_BREAK = "\u00a0"
_STEP_MM = 1.0
_SLACK = 1.01
"""Office programs do not place letters to the same fraction of a point."""


def unbroken(text: str) -> str:
    """A text in which no line ends between a number and the word or sign that belongs to it."""
    bound = _BEFORE_A_NUMBER.sub(lambda found: found[1].replace(" ", NO_BREAK), text)
    return _BEFORE_PERCENT.sub(NO_BREAK, bound)


def side_mm(text: str, room_mm: float, width_mm: Callable[[str], float]) -> float:
    """How far a centred text is kept from either side, for lines of about one length.

    Without it the last line of a title is often a single word.

    Args:
        text: What is centred.
        room_mm: How wide it may be.
        width_mm: How long a line is.

    Returns:
        Millimetres; 0 where the text has one line, or lines that fill the room.
    """
    words = unbroken(text).split(" ")
    lines = _count_lines(words, room_mm, width_mm)
    if lines == 1:
        return 0.0
    width = room_mm / lines
    while width < room_mm and _count_lines(words, width, width_mm) > lines:
        width += _STEP_MM
    return max(0.0, (room_mm - _SLACK * width) / 2)


def _count_lines(words: list[str], room_mm: float, width_mm: Callable[[str], float]) -> int:
    lines, line = 1, ""
    for word in words:
        longer = f"{line} {word}" if line else word
        if line and width_mm(longer) > room_mm:
            lines, line = lines + 1, word
        else:
            line = longer
    return lines
