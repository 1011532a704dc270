"""The lay-out of Nghị định 30/2020/NĐ-CP, Phụ lục I, in millimetres and points.

Both kinds of file use it. Where the decree gives a range, one value of it is chosen here; a test
holds that it lies in the range.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise

from reportlab.pdfbase import pdfmetrics

PAGE_WIDTH_MM, PAGE_HEIGHT_MM = 210.0, 297.0
TOP_MM, BOTTOM_MM, LEFT_MM, RIGHT_MM = 20.0, 20.0, 30.0, 15.0
TEXT_WIDTH_MM = PAGE_WIDTH_MM - LEFT_MM - RIGHT_MM
PAGE_NUMBER_FROM_TOP_MM = 10.0

TYPEFACE = "Times New Roman"
BODY_PT = 14.0
HEAD_PT = 13.0
MOTTO_PT = 14.0
NUMBER_PT = 13.0
DATE_PT = 14.0
TITLE_PT = 14.0
RECIPIENTS_LABEL_PT = 12.0
RECIPIENTS_PT = 11.0
TABLE_PT = 12.0
NOTE_PT = 11.0
PAGE_NUMBER_PT = 13.0

FIRST_LINE_MM = 12.7
SPACE_AFTER_PT = 6.0
LINE_SPACING = 1.15
RULE_PT = 0.75

HEAD_LEFT_MM = 63.0
HEAD_RIGHT_MM = TEXT_WIDTH_MM - HEAD_LEFT_MM
SHORT_RULE = 0.4
"""Length of the rule under issuer and subject, of the length of their last line: 1/3 to 1/2."""

HORN = "\u031b"
HORNS = {"o": 0.05, "u": 0.045, "U": 0.07}
"""How much wider a letter is with a horn, in sizes of the type; measured on Tinos Bold."""


def line_width_mm(text: str, size_pt: float, *, is_bold: bool) -> float:
    """How long a line is in Times New Roman, whose letters keep their width under any mark but one.

    The metrics are those of Times that every PDF reader knows, and the horn of ơ and ư.
    """
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    horns = sum(HORNS.get(letter, 0.0) for letter, mark in pairwise(plain) if mark == HORN)
    font = "Times-Bold" if is_bold else "Times-Roman"
    width = float(pdfmetrics.stringWidth(letters, font, size_pt)) + horns * size_pt
    return width * 25.4 / 72
