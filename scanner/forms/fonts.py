"""The typeface of printed forms: Noto Serif, somewhat narrowed, with every Vietnamese letter.

The package ``fontpkg-noto-serif`` brings it as a variable font; a PDF needs fixed instances,
which are cut here once per process.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from enum import StrEnum
from functools import cache

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from scanner.errors import FormError, MissingToolError
from scanner.messages import gettext as _

_FAMILY = "Noto Serif"
_WIDTH_PERCENT = 85
_LETTERS = frozenset(
    letter
    for letters in (
        range(0x20, 0x7F),
        range(0xA0, 0x180),
        (0x1A0, 0x1A1, 0x1AF, 0x1B0),
        range(0x1E00, 0x1F00),
        range(0x2010, 0x2027),
        (0x20AB, 0x2030),
    )
    for letter in letters
)
"""Code points of Latin with every Vietnamese letter, and of the signs of print."""


class Face(StrEnum):
    """The cuts of the type; the value is the name under which reportlab knows it."""

    PLAIN = "KiemPhieu-Regular"
    BOLD = "KiemPhieu-Bold"
    ITALIC = "KiemPhieu-Italic"
    BOLD_ITALIC = "KiemPhieu-BoldItalic"


@cache
def load_faces() -> dict[Face, TTFont]:
    """Make the faces known to reportlab.

    Returns:
        Each face with its font.

    Raises:
        MissingToolError: The font is not installed.
    """
    fonts = {face: TTFont(face.value, io.BytesIO(_cut(face))) for face in Face}
    for font in fonts.values():
        pdfmetrics.registerFont(font)
    return fonts


def text_width_pt(text: str, face: Face, size_pt: float) -> float:
    """How wide a text is printed."""
    return float(pdfmetrics.stringWidth(text, face.value, size_pt))


def check_letters(texts: Iterable[str]) -> None:
    """See that every letter can be printed.

    Raises:
        FormError: Names the letters that the font lacks.
        MissingToolError: The font is not installed.
    """
    glyphs = [font.face.charToGlyph for font in load_faces().values()]
    for text in texts:
        missing = sorted({x for x in text if not all(ord(x) in known for known in glyphs)})
        if missing:
            letters = ", ".join(f"{letter} (U+{ord(letter):04X})" for letter in missing)
            raise FormError(
                _("These letters cannot be printed: {letters}, in {text!r}.").format(
                    letters=letters, text=text
                ),
                remedy=_("Write them with other letters; boxes to mark are drawn by themselves."),
            )


def _cut(face: Face) -> bytes:
    """One fixed instance of the variable font, with the letters of Vietnamese and English."""
    # Only a form that is drawn needs these: a count runs where they are missing.
    try:
        import fontpkg
        from fontTools import subset, ttLib
        from fontTools.varLib import instancer

        is_italic = face in {Face.ITALIC, Face.BOLD_ITALIC}
        source = fontpkg.path(_FAMILY, style="italic" if is_italic else "normal")
        font = ttLib.TTFont(source, recalcTimestamp=False)
    except (ImportError, OSError, LookupError) as error:
        raise _no_font() from error
    options = subset.Options(layout_features=[], notdef_outline=True)
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=_LETTERS)
    chosen.subset(font)
    weight = 700 if face in {Face.BOLD, Face.BOLD_ITALIC} else 400
    fixed = instancer.instantiateVariableFont(font, {"wght": weight, "wdth": _WIDTH_PERCENT})
    # A PDF tells embedded fonts apart by their names, and all cuts of one file share theirs.
    for name_id in (1, 4, 6):
        fixed["name"].setName(face.value, name_id, 3, 1, 0x409)
    buffer = io.BytesIO()
    fixed.save(buffer)
    return buffer.getvalue()


def _no_font() -> MissingToolError:
    return MissingToolError(
        _("The font Noto Serif for printing forms is not installed."),
        remedy=_("Install it: pip install fontpkg-noto-serif fonttools"),
    )
