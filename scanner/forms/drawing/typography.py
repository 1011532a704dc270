"""Text broken into lines and set in millimetres."""

from __future__ import annotations

from collections.abc import Iterator

from reportlab.lib.units import mm

from scanner.forms.drawing.pieces import Run
from scanner.forms.fonts import Face, text_width_pt


def width_mm(text: str, face: Face, size_pt: float) -> float:
    """How wide a text is printed."""
    return text_width_pt(text, face, size_pt) / mm


def wrap(
    text: str, face: Face, size_pt: float, width: float, *, first: float | None = None
) -> list[str]:
    """Lines no wider than ``width``; a single longer word is broken where it must be.

    Args:
        text: Words with one space between them.
        face: The cut of the type.
        size_pt: Its size.
        width: Of every line, in millimetres.
        first: Of the first line, where it is another.
    """
    lines: list[str] = []
    for word in text.split(" "):
        room = width if first is None or len(lines) > 1 else first
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_mm(longer, face, size_pt) <= room:
            lines[-1] = longer
        elif first is not None and not lines and width_mm(word, face, size_pt) > first:
            lines.extend(["", *_break(word, face, size_pt, width)])
        else:
            lines.extend(_break(word, face, size_pt, width))
    return lines


def wrap_evenly(text: str, face: Face, size_pt: float, width: float) -> list[str]:
    """As few lines as ``wrap`` makes, but of much the same length."""
    lines = wrap(text, face, size_pt, width)
    narrower = width
    while narrower > width / 4:
        narrower -= width / 100
        shorter = wrap(text, face, size_pt, narrower)
        if len(shorter) > len(lines) or needs_breaking(text, face, size_pt, narrower):
            break
        lines = shorter
    return lines


def _break(word: str, face: Face, size_pt: float, width: float) -> Iterator[str]:
    """A word in pieces that fit, of one letter at least."""
    while width_mm(word, face, size_pt) > width and len(word) > 1:
        fitting = max(
            (n for n in range(1, len(word)) if width_mm(word[:n], face, size_pt) <= width),
            default=1,
        )
        yield word[:fitting]
        word = word[fitting:]
    yield word


def needs_breaking(text: str, face: Face, size_pt: float, width: float) -> bool:
    """Whether one of the words is wider than a line."""
    return any(width_mm(word, face, size_pt) > width for word in text.split(" "))


def centered(x: float, y: float, text: str, face: Face, size_pt: float) -> Run:
    """A line of text with its middle at ``x``."""
    return Run(x - width_mm(text, face, size_pt) / 2, y, text, face, size_pt)


def justified(line: str, x: float, y: float, width: float, size_pt: float) -> Iterator[Run]:
    """A line of plain text, as wide as ``width``: its words with wider spaces."""
    words = line.split(" ")
    widths = [width_mm(word, Face.PLAIN, size_pt) for word in words]
    space = (width - sum(widths)) / max(len(words) - 1, 1)
    for word, word_mm in zip(words, widths, strict=True):
        yield Run(x, y, word, Face.PLAIN, size_pt)
        x += word_mm + space


def dotted(
    start: float, end: float, y: float, label: str, *, face: Face = Face.PLAIN, size_pt: float
) -> Iterator[Run]:
    """A label, then dots up to ``end``."""
    if label:
        yield Run(start, y, label, face, size_pt)
        gap = "" if label[-1].isdigit() else " "
        start += width_mm(label + gap, face, size_pt)
    if text := dots(end - start, size_pt):
        yield Run(start, y, text, Face.PLAIN, size_pt)


def dots(width: float, size_pt: float) -> str:
    """As many dots as fit."""
    return "." * int(width / width_mm(".", Face.PLAIN, size_pt))
