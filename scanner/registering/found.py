"""What is found on a blank before anybody has said what it means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scanner.geometry import Box

Shape = Literal["box", "oval", "circle", "cell"]


class Source(StrEnum):
    """How a target was found."""

    FIELD = "field"
    """A check box or radio button of a PDF form (AcroForm)."""
    DRAWING = "drawing"
    """A square, circle or cell among the lines of a PDF."""
    GLYPH = "glyph"
    """A letter that looks like a box, such as U+2610."""
    IMAGE = "image"
    """An outline seen in the picture of the page."""
    EXAMPLE = "example"
    """A place that looks like one that a person drew."""


@dataclass(frozen=True, slots=True)
class PrintedWord:
    """A word that is printed on a page."""

    text: str
    """Composed (NFC), as printed."""
    box: Box
    """Millimetres from the page's top left."""
    sure: float = 1.0
    """0..1: 1 for the text of a PDF, Tesseract's confidence for a picture."""
    line: int = 0
    """Words with the same number stand on one line of text, from left to right."""
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class BlankSide:
    """One page of a blank: its picture and, where the file has them, its words."""

    number: int
    gray: NDArray[np.uint8]
    """Shape (height, width), 0 black .. 255 white."""
    dpi: float
    words: tuple[PrintedWord, ...] = ()
    """The text of a PDF; empty for a picture."""
    size_is_guessed: bool = False
    """True where the file states no believable resolution, so that its paper was guessed."""

    @property
    def width_mm(self) -> float:
        """Width of the page."""
        return float(self.gray.shape[1] / self.dpi * 25.4)

    @property
    def height_mm(self) -> float:
        """Height of the page."""
        return float(self.gray.shape[0] / self.dpi * 25.4)


@dataclass(frozen=True, slots=True)
class FoundTarget:
    """A printed place for a mark."""

    page: int
    box: Box
    """The tight box of the printed outline, in millimetres from the page's top left."""
    shape: Shape
    source: Source
    sure: float = 1.0
    """0..1: how like the others, or like the example, it looks."""
    name: str = ""
    """What the PDF form calls it."""


@dataclass(frozen=True, slots=True)
class Example:
    """A target that a person drew, so that the rest may be found."""

    page: int
    box: Box
    """Millimetres from the page's top left."""
