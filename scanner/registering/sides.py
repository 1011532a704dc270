"""The pages of a blank: pictures of known size and, where a PDF has a text layer, its words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from scanner.errors import FormError
from scanner.forms.importing import BlankImage
from scanner.geometry import MM_PER_INCH, Box, px_to_mm
from scanner.messages import gettext as _
from scanner.reading.pages import load_blanks
from scanner.registering.found import BlankSide, PrintedWord
from scanner.registering.pdf_page import Letter, is_pdf, open_pages, read_letters

DRAWING_DPI = 200.0
"""For pages of a PDF that are drawings and not scans."""
LOWEST_DPI = 100.0
"""Below this a thin outline is no longer an outline."""

_PAPERS_MM = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4), "Legal": (215.9, 355.6)}
"""What a picture of unknown size is taken for; A5 has the proportions of A4."""
_BELIEVABLE_SHORT_SIDE_MM = (90.0, 330.0)
_NO_LETTERS = ("", "\u00ad", "\u200b", "\ufffe")
"""Soft hyphens, spaces without width, and PDFium's sign for a hyphen at the end of a line."""
_GAP_OF_WORDS = 0.5
"""Share of the letters' height from which a gap within a text parts two words."""
_GAP_OF_LINES = 2.5
"""Share of the words' height from which a gap parts two lines that stand side by side."""


def load_sides(path: Path, dpi: float | None = None) -> list[BlankSide]:
    """Every page of an image or a PDF, in grey, with the words of its text layer if it has one.

    Args:
        path: PDF, TIFF, JPEG, PNG, BMP, WebP or GIF.
        dpi: The resolution of a picture, whatever the file states; pages of a PDF that are
            drawings are drawn at it. None for what the file states, and 200 for drawings.

    Raises:
        InputError: The file is broken, encrypted or of no known kind.
        FormError: A page has less than 100 dpi.
    """
    if not (path.is_file() and is_pdf(path)):
        images = load_blanks(path)
        return [_pictured_side(number, image, dpi) for number, image in enumerate(images, 1)]
    images = load_blanks(path, dpi or DRAWING_DPI)
    sides = [_drawn_side(number, image) for number, image in enumerate(images, 1)]
    with open_pages(path) as pages:
        return [
            replace(side, words=read_words(read_letters(page)))
            for side, page in zip(sides, pages, strict=True)
        ]


def read_words(letters: Iterable[Letter]) -> tuple[PrintedWord, ...]:
    """Letters put together to words, composed (NFC), with the lines that they stand on."""
    words = [_word(letters_of_one) for letters_of_one in _split(letters)]
    return tuple(_number_lines([word for word in words if word.text.strip()]))


def _drawn_side(number: int, image: BlankImage) -> BlankSide:
    """A page of a PDF, which knows its own size."""
    return _checked(BlankSide(number, image.gray, image.dpi or DRAWING_DPI), image.path)


def _pictured_side(number: int, image: BlankImage, asked_dpi: float | None) -> BlankSide:
    """A picture, of the size that the user or else the file says, or else that of its paper."""
    if asked_dpi is not None:
        return _checked(BlankSide(number, image.gray, asked_dpi), image.path)
    stated = image.dpi
    is_believable = stated is not None and _is_a_paper(image, stated)
    dpi = stated if stated is not None and is_believable else _guess_dpi(image)
    side = BlankSide(number, image.gray, dpi, size_is_guessed=not is_believable)
    return _checked(side, image.path)


def _checked(side: BlankSide, path: Path) -> BlankSide:
    if side.dpi < LOWEST_DPI:
        raise FormError(
            _("Page {page} of this blank has only {dpi:.0f} dpi.").format(
                page=side.number, dpi=side.dpi
            ),
            remedy=_("Scan it again at 200 dpi or more."),
            path=path,
        )
    return side


def _is_a_paper(image: BlankImage, dpi: float) -> bool:
    """Whether a picture of that resolution is as large as paper is."""
    low, high = _BELIEVABLE_SHORT_SIDE_MM
    short_px: int = min(image.gray.shape)
    return low <= px_to_mm(short_px, dpi) <= high


def _guess_dpi(image: BlankImage) -> float:
    """The resolution at which the picture is a sheet of the paper that it is shaped like."""
    short, long = sorted(image.gray.shape)
    paper = min(_PAPERS_MM.values(), key=lambda sides: abs(sides[1] / sides[0] - long / short))
    return float(round(short / paper[0] * MM_PER_INCH, 1))


def _split(letters: Iterable[Letter]) -> Iterator[list[Letter]]:
    """Runs of letters between spaces, ends of lines and gaps."""
    run: list[Letter] = []
    for letter in letters:
        if letter.char in _NO_LETTERS:
            continue
        if run and (letter.char.isspace() or _is_parted(run[-1], letter)):
            yield run
            run = []
        if not letter.char.isspace():
            run.append(letter)
    if run:
        yield run


def _is_parted(before: Letter, after: Letter) -> bool:
    if unicodedata.combining(after.char):
        return False
    height = max(before.box.h, after.box.h, 1.0)
    gap = after.box.x - before.box.right
    below = abs(after.box.bottom - before.box.bottom)
    return gap > max(_GAP_OF_WORDS * height, 0.6) or gap < -2 * height or below > height


def _word(letters: Sequence[Letter]) -> PrintedWord:
    inked = [letter.box for letter in letters if letter.box.w > 0 and letter.box.h > 0]
    boxes = inked or [letter.box for letter in letters]
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return PrintedWord(
        text=unicodedata.normalize("NFC", "".join(letter.char for letter in letters)),
        box=Box(left, top, right - left, bottom - top),
        is_bold=2 * sum(letter.is_bold for letter in letters) > len(letters),
    )


def _number_lines(words: Sequence[PrintedWord]) -> list[PrintedWord]:
    """Words that overlap in height by half and stand near each other share a line."""
    rows: list[list[PrintedWord]] = []
    for word in sorted(words, key=lambda word: word.box.center[1]):
        row = next((row for row in reversed(rows[-6:]) if _shares_row(row, word)), None)
        if row is None:
            rows.append([word])
        else:
            row.append(word)
    numbered: list[PrintedWord] = []
    line = 0
    for row in rows:
        row.sort(key=lambda word: word.box.x)
        for before, word in zip([None, *row], row, strict=False):
            if before is not None and _stands_apart(before, word):
                line += 1
            numbered.append(replace(word, line=line))
        line += 1
    return numbered


def _shares_row(row: Sequence[PrintedWord], word: PrintedWord) -> bool:
    """Whether the word overlaps the row's tallest words; a full stop overlaps little itself."""
    tallest = max(row, key=lambda other: other.box.h).box
    shared = min(tallest.bottom, word.box.bottom) - max(tallest.y, word.box.y)
    return shared >= 0.5 * min(tallest.h, word.box.h)


def _stands_apart(before: PrintedWord, word: PrintedWord) -> bool:
    height = max(before.box.h, word.box.h)
    return word.box.x - before.box.right > max(_GAP_OF_LINES * height, 5.0)
