"""Targets that a PDF itself knows: its form fields, its drawn outlines, its box-like letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2 as pdfium

from scanner.geometry import Box, mm_to_px
from scanner.registering.found import BlankSide, FoundTarget, Shape, Source
from scanner.registering.image_targets import find_in_view
from scanner.registering.outlines import Outline, overlap
from scanner.registering.pdf_page import Letter, PageToMm, draw_lines, open_pages, read_letters
from scanner.registering.view import SideView

_LINES_DPI = 300.0
_PUSH_BUTTON = 1 << 16
_RADIO = 1 << 15
"""Bits 17 and 16 of the field flags (ISO 32000-1, table 226)."""
_NOT_SHOWN = 2 | 32
"""Hidden, and not shown on the screen (ISO 32000-1, table 165)."""
_ROUND_STYLE = "l"
"""The circle of the Zapf Dingbats, by which a field asks for a round button."""
_MOST_PARENTS = 20

_BOX_LETTERS = frozenset("☐□▢◻◽⬜❏❐❑❒🗆🞎🞏🞐🞑🞒🞓○◯⚪❍⭘◌⚬")
_SYMBOL_FONTS = {
    "wingdings2": "£*0¡",
    "wingdings": "o¨pqr¡m",
    "webdings": "c¡",
    "dingbats": "opqrm",
}
"""Part of a font's name, longer ones first, and its letters that show an open box or circle."""
_PRIVATE_USE = range(0xE000, 0xF900)
"""Where symbol fonts put their signs; what they show, only the picture tells."""
_SMALLEST_MM = 1.4
_AROUND_LETTER_MM = 0.8
_LEAST_FIT = 0.82
_LEAST_OVERLAP = 0.35
_SAME_PLACE = 0.4


def find_in_pdf(views: Sequence[SideView], path: Path) -> list[FoundTarget]:
    """Form fields, drawn squares, circles and cells, and box-like letters of a PDF.

    What is there twice, such as a field on a drawn box, comes once.

    Args:
        views: All its pages, in their order.
        path: The PDF.

    Raises:
        InputError: The file is broken.
    """
    targets: list[FoundTarget] = []
    with open_pages(path) as pages, _open_structure(path) as structure:
        nodes = [] if structure is None else list(structure.pages)
        for number, (view, page) in enumerate(zip(views, pages, strict=True)):
            fields = list(find_fields(view, page, nodes[number])) if number < len(nodes) else []
            letters = list(find_box_letters(view, read_letters(page)))
            # The last, as the page is drawn without its letters from then on.
            drawn = find_drawn(view.side, page, [*fields, *letters])
            fields = [_onto_print(field, [*drawn, *letters]) for field in fields]
            targets += without_doubles([*fields, *drawn, *letters])
    return targets


def find_fields(view: SideView, page: pdfium.PdfPage, node: pikepdf.Page) -> Iterator[FoundTarget]:
    """The check boxes and radio buttons of a page, by their widgets."""
    to_mm = PageToMm(page)
    for widget in node.obj.get("/Annots", pikepdf.Array()):
        if _is_choice(widget):
            x0, y0, x1, y1 = (float(value) for value in widget["/Rect"])
            box = to_mm.box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
            outline = _printed_at(view, view.from_mm(box))
            yield FoundTarget(
                page=view.side.number,
                box=box if outline is None else view.to_mm(outline.box),
                shape=_field_shape(widget),
                source=Source.FIELD,
                name=_field_name(widget),
            )


def find_drawn(
    side: BlankSide, page: pdfium.PdfPage, others: Sequence[FoundTarget] = ()
) -> list[FoundTarget]:
    """Squares, circles, ovals and cells among the lines of a page.

    The page is drawn without its letters, so that none can be mistaken for a target and lines
    count as they look, however the program that wrote the file has put them together.

    Args:
        side: The page; its words tell which cells are empty.
        page: The same page; it loses its letters.
        others: Targets that were found by other means.
    """
    gray = draw_lines(page, _LINES_DPI)
    lines = SideView(replace(side, gray=gray, dpi=_LINES_DPI), gray, np.eye(2, 3))
    scale = mm_to_px(1.0, _LINES_DPI)
    known = [target.box.scaled(scale, scale) for target in others]
    found = find_in_view(lines, Source.DRAWING, known)
    return [target for target in found if not _frames_words(side, target)]


def find_box_letters(view: SideView, letters: Sequence[Letter]) -> Iterator[FoundTarget]:
    """Letters that look like an open box or circle, as tight as the picture shows them."""
    for letter in letters:
        if not _may_be_box(letter):
            continue
        around = view.from_mm(letter.box).grown(view.px(_AROUND_LETTER_MM))
        outline = _printed_at(view, around, least=0.15)
        if outline is None or max(outline.box.w, outline.box.h) > 1.3 * max(around.w, around.h):
            continue
        if min(outline.box.w, outline.box.h) >= view.px(_SMALLEST_MM):
            shape: Shape = outline.shape
            yield FoundTarget(view.side.number, view.to_mm(outline.box), shape, Source.GLYPH)


def without_doubles(targets: Sequence[FoundTarget]) -> list[FoundTarget]:
    """The targets without those that lie on one before them."""
    kept: list[FoundTarget] = []
    for target in targets:
        if not any(_is_same(target, other) for other in kept):
            kept.append(target)
    return kept


def _is_same(one: FoundTarget, other: FoundTarget) -> bool:
    x, y = one.box.center
    within = other.box.x <= x <= other.box.right and other.box.y <= y <= other.box.bottom
    return one.page == other.page and (within or overlap(one.box, other.box) > _SAME_PLACE)


@contextmanager
def _open_structure(path: Path) -> Iterator[pikepdf.Pdf | None]:
    """The PDF in pikepdf; None where it is so damaged that only its pages can be drawn."""
    try:
        structure = pikepdf.open(path, suppress_warnings=True)
    except pikepdf.PdfError:
        yield None
        return
    with structure:
        yield structure


def _onto_print(field: FoundTarget, printed: Sequence[FoundTarget]) -> FoundTarget:
    """The field with the box and shape of what is drawn or written under it."""
    under = [target for target in printed if _is_same(field, target)]
    if not under:
        return field
    best = max(under, key=lambda target: overlap(target.box, field.box))
    return replace(field, box=best.box, shape=best.shape)


def _printed_at(view: SideView, box: Box, least: float = _LEAST_OVERLAP) -> Outline | None:
    """The printed outline that fills the box best."""
    near = [
        outline
        for outline in view.outlines
        if outline.fit >= _LEAST_FIT and overlap(outline.box, box) >= least
    ]
    return max(near, key=lambda outline: overlap(outline.box, box), default=None)


def _frames_words(side: BlankSide, target: FoundTarget) -> bool:
    """Whether more than a number or a letter stands in it: a frame, not a box to mark."""
    inside = [word.text for word in side.words if _holds_middle(target.box, word.box)]
    return len("".join(inside)) > 2


def _holds_middle(box: Box, word: Box) -> bool:
    x, y = word.center
    return box.x <= x <= box.right and box.y <= y <= box.bottom


def _may_be_box(letter: Letter) -> bool:
    if letter.char in _BOX_LETTERS:
        return True
    code = ord(letter.char) if letter.char else 0
    if code in _PRIVATE_USE:
        return True
    name = letter.font.lower().replace(" ", "").replace("-", "")
    signs = next((signs for part, signs in _SYMBOL_FONTS.items() if part in name), "")
    return letter.char != "" and letter.char in signs


def _is_choice(widget: pikepdf.Object) -> bool:
    """A check box or radio button that is shown."""
    if str(widget.get("/Subtype", "")) != "/Widget" or "/Rect" not in widget:
        return False
    if int(widget.get("/F", 0)) & _NOT_SHOWN:
        return False
    flags = int(_inherited(widget, "/Ff") or 0)
    return str(_inherited(widget, "/FT")) == "/Btn" and not flags & _PUSH_BUTTON


def _field_shape(widget: pikepdf.Object) -> Shape:
    style = str(widget.get("/MK", pikepdf.Dictionary()).get("/CA", ""))
    is_radio = bool(int(_inherited(widget, "/Ff") or 0) & _RADIO)
    return "circle" if style == _ROUND_STYLE or (is_radio and not style) else "box"


def _field_name(widget: pikepdf.Object) -> str:
    """The names from the root down, and the value that this button stands for."""
    names = [str(node["/T"]) for node in _line_of(widget) if "/T" in node]
    states = widget.get("/AP", pikepdf.Dictionary()).get("/N", pikepdf.Dictionary())
    values = [key.lstrip("/") for key in states.keys() if key != "/Off"]  # noqa: SIM118
    name = ".".join(reversed(names))
    return f"{name}={values[0]}" if len(values) == 1 and "/T" not in widget else name


def _inherited(widget: pikepdf.Object, key: str) -> pikepdf.Object | None:
    return next((node[key] for node in _line_of(widget) if key in node), None)


def _line_of(widget: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """The widget, its field, and the fields above that."""
    node = widget
    for _step in range(_MOST_PARENTS):
        yield node
        if "/Parent" not in node:
            return
        node = node["/Parent"]
