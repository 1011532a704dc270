"""Any registered form -> marked sheets with a known tally, as one PDF.

The sheets are drawn on the form's own blank. They come as a printer would give them, to be
printed or counted at once, or as an office scanner would give them back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from scanner.errors import BadArgumentsError
from scanner.forms.damage import damage_page, office_damage
from scanner.forms.deck import Deck, DeckMark, DeckSheet, description_path, write_deck
from scanner.forms.deck_plan import plan_deck, sum_up
from scanner.forms.pen import MarkKind, MarkStyle, Pen, draw_mark
from scanner.forms.picture import load_blank
from scanner.forms.scan_pdf import write_scan_pdf
from scanner.forms.template import TEXT_SHAPES, Contest, Form, Option, Page
from scanner.geometry import MM_PER_INCH, Box, mm_to_px
from scanner.messages import gettext as _

Gray = NDArray[np.uint8]
Progress = Callable[[int, int], None]
"""Told how many sheets are drawn and how many there are."""

DECK_DPI = 200.0
_QUALITY = 60
GLASS_MM = {"a4": (210.0, 297.0)}
"""Papers that a smaller page can be laid on."""
_LID = 250
_SHADOW = 205
_LARGEST_MARK_MM = 6.0
"""In a cell of a table people make a mark as large as elsewhere."""
_CELL_SHARE = 0.6
_STAMP_ROOM_MM = (34.0, 4.5)
_STAMP_EDGE_MM = 5.5

_STYLES: dict[DeckMark, tuple[MarkStyle, ...]] = {
    DeckMark.CROSS: (
        MarkStyle(MarkKind.CROSS, Pen.BALLPOINT),
        MarkStyle(MarkKind.CROSS, Pen.GEL, reach=0.05),
        MarkStyle(MarkKind.CROSS, Pen.BALLPOINT, pressure=1.3, reach=0.3),
        MarkStyle(MarkKind.CROSS, Pen.PENCIL, pressure=0.8),
    ),
    DeckMark.TICK: (
        MarkStyle(MarkKind.TICK, Pen.BALLPOINT, reach=0.2),
        MarkStyle(MarkKind.TICK, Pen.GEL, reach=0.1),
    ),
    DeckMark.FILL: (
        MarkStyle(MarkKind.FILL, Pen.BALLPOINT, reach=0.05),
        MarkStyle(MarkKind.FILL, Pen.PENCIL, reach=0.1),
    ),
    DeckMark.SLASH: (MarkStyle(MarkKind.SLASH, Pen.GEL, reach=0.05),),
    DeckMark.DOT: (MarkStyle(MarkKind.DOT, Pen.GEL), MarkStyle(MarkKind.DOT, Pen.FELT)),
    DeckMark.FAINT: (MarkStyle(MarkKind.CROSS, Pen.PENCIL, pressure=0.3, reach=0.1),),
    DeckMark.CANCELLED: (MarkStyle(MarkKind.BLACKENED, Pen.BALLPOINT, reach=0.1),),
    DeckMark.STRIKE: (
        MarkStyle(MarkKind.STRIKE, Pen.BALLPOINT, reach=0.05),
        MarkStyle(MarkKind.STRIKE, Pen.GEL, reach=0.02),
        MarkStyle(MarkKind.STRIKE, Pen.PENCIL, reach=0.03),
    ),
    DeckMark.RING: (MarkStyle(MarkKind.CIRCLE, Pen.BALLPOINT, reach=-0.3),),
    DeckMark.UNDERLINE: (MarkStyle(MarkKind.UNDERLINE, Pen.GEL, reach=0.02),),
}
_FAINT_ON_WORDS = {
    "strike": MarkStyle(MarkKind.STRIKE, Pen.PENCIL, pressure=0.3, reach=0.03),
    "label": MarkStyle(MarkKind.UNDERLINE, Pen.PENCIL, pressure=0.3, reach=0.02),
}
_BEYOND = {MarkKind.TICK: 0.6, MarkKind.CROSS: 0.2, MarkKind.SLASH: 0.2}
"""How much further than its reach a mark of that kind may go, in box sizes."""
_INNER = 0.2
"""Of a target's width and height, from its outline to what is surely inside."""
_DARK = 160
_SOME_PRINT = 0.02
_CLEAR_OF_OTHERS_MM = 0.8
_LEAST_REACH = -0.15
_MARK_ROOM_MM = 15.0
_RING_BESIDE_MM = 2.0
_RING_ABOVE_MM = 1.4
"""How far a ring around words lies from them."""
_MOSTLY_THERE = 0.6
"""Share of a mark's ink that lies within its target; a cross goes beyond the corners."""
_MOST_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class DeckRequest:
    """Which deck is wanted."""

    sheets: int
    seed: int = 1
    scan: bool = False
    """As an office scanner gives the pages; otherwise as a printer does."""
    scale_percent: float = 100.0
    """Print smaller about the middle of the page, as with "fit to page"."""
    onto: Literal["", "a4"] = ""
    """Lay the pages on a larger sheet of glass."""


def make_deck(
    form: Form, request: DeckRequest, output: Path, progress: Progress | None = None
) -> Deck:
    """Draw a deck, and write what it says beside it.

    The same form and request give the same files. One sheet is in memory at a time.

    Args:
        form: A registered form.
        request: Which deck.
        output: The PDF; its description gets the same name with ``.json``.
        progress: Told after every sheet.

    Returns:
        What the deck says.

    Raises:
        BadArgumentsError: The form has no targets, does not fit the glass, or the number of
            sheets is too small or too large.
        FormError: A blank cannot be read.
        StorageError: The files cannot be written.
    """
    _check_glass(form, request)
    sheets = plan_deck(form, request.sheets, request.seed, _printed_inside(form))
    with write_scan_pdf(output) as pdf:
        for done, pages in enumerate(draw_deck(form, sheets, request), start=1):
            for page in pages:
                pdf.add_page(page, dpi=DECK_DPI, quality=_QUALITY)
            if progress is not None:
                progress(done, len(sheets))
    deck = Deck(
        form=form.id,
        form_hash=form.content_hash,
        pages=len(form.pages),
        seed=request.seed,
        scan=request.scan,
        scale_percent=request.scale_percent,
        onto=request.onto,
        tally=sum_up(form, sheets),
        sheets=sheets,
    )
    write_deck(deck, description_path(output))
    return deck


def draw_deck(
    form: Form, sheets: Iterable[DeckSheet], request: DeckRequest
) -> Iterator[list[Gray]]:
    """The pages of each sheet in order, grey, at :data:`DECK_DPI`.

    Raises:
        FormError: A blank cannot be read.
    """
    blanks = {page.number: _load_blank(form, page) for page in form.pages}
    for sheet in sheets:
        hand = np.random.default_rng([request.seed, 2, sheet.sheet])
        drawn = []
        for page in form.pages:
            paper = blanks[page.number].copy()
            _mark_page(paper, form.targets_on(page.number), sheet, hand)
            _stamp(paper, form.targets_on(page.number), f"TEST {sheet.sheet:04d}-{page.number}")
            drawn.append(_lay(_shrink(paper, request.scale_percent / 100), request, hand))
        yield _scan(drawn, sheet, request) if request.scan else drawn


def _check_glass(form: Form, request: DeckRequest) -> None:
    if not 50 <= request.scale_percent <= 110:
        raise BadArgumentsError(_("The scale is a percentage from 50 to 110."))
    if not request.onto:
        return
    width, height = GLASS_MM[request.onto]
    if any(page.width_mm > width + 0.5 or page.height_mm > height + 0.5 for page in form.pages):
        raise BadArgumentsError(
            _("The pages of {form} do not fit on {paper}.").format(
                form=form.id, paper=request.onto.upper()
            )
        )


def _load_blank(form: Form, page: Page) -> Gray:
    """The blank of a page at the deck's resolution."""
    size = (round(mm_to_px(page.width_mm, DECK_DPI)), round(mm_to_px(page.height_mm, DECK_DPI)))
    gray = load_blank(form, page)
    method = cv2.INTER_AREA if gray.shape[1] >= size[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(gray, size, interpolation=method), np.uint8)


def _printed_inside(form: Form) -> set[tuple[str, str]]:
    """Contest and option of each target that has a number, a letter or other print in it."""
    found = set()
    for page in form.pages:
        blank = _load_blank(form, page)
        for contest, option in form.targets_on(page.number):
            inner = option.box.grown(-_INNER * option.w, -_INNER * option.h)
            box = inner.scaled(DECK_DPI / MM_PER_INCH, DECK_DPI / MM_PER_INCH)
            part = blank[round(box.y) : round(box.bottom), round(box.x) : round(box.right)]
            if part.size and float((part < _DARK).mean()) > _SOME_PRINT:
                found.add((contest.id, option.id))
    return found


def _mark_page(
    paper: Gray, targets: list[tuple[Contest, Option]], sheet: DeckSheet, rng: Generator
) -> None:
    """Draw this voter's marks on one side."""
    per_mm = DECK_DPI / MM_PER_INCH
    boxes = [option.box for _contest, option in targets]
    for contest, option in targets:
        mark = sheet.contests[contest.id][option.id].mark
        if mark is None:
            continue
        styles = _STYLES[mark]
        style = styles[int(rng.integers(len(styles)))]
        if option.shape in TEXT_SHAPES:
            style = _FAINT_ON_WORDS[option.shape] if mark is DeckMark.FAINT else style
            words = _ring_room(option.box) if mark is DeckMark.RING else option.box
            draw_mark(paper, words.scaled(per_mm, per_mm), DECK_DPI, style, rng)
            continue
        place = mark_place(option, rng)
        style = _keep_clear(style, place, option.box, boxes)
        _draw_within(paper, place.scaled(per_mm, per_mm), style, rng)


def _ring_room(words: Box) -> Box:
    """The box whose circle goes around words, in millimetres."""
    # The circle of a style with a reach of -0.3 is 1.1 times as wide and high as its box.
    width, height = words.w + 2 * _RING_BESIDE_MM, words.h + 2 * _RING_ABOVE_MM
    return words.grown((width / 1.1 - words.w) / 2, (height / 1.1 - words.h) / 2)


def _draw_within(paper: Gray, place: Box, style: MarkStyle, rng: Generator) -> None:
    """Draw a mark of which most lies at its place: one that half misses it is clear to nobody."""
    around = place.grown(_MARK_ROOM_MM / MM_PER_INCH * DECK_DPI)
    height, width = paper.shape
    x0, y0 = max(round(around.x), 0), max(round(around.y), 0)
    region = paper[y0 : min(round(around.bottom), height), x0 : min(round(around.right), width)]
    at = Box(place.x - x0, place.y - y0, place.w, place.h)
    drawn = region
    for _attempt in range(_MOST_ATTEMPTS):
        drawn = region.copy()
        draw_mark(drawn, at, DECK_DPI, style, rng)
        ink = cv2.subtract(region, drawn)
        there = ink[round(at.y) : round(at.bottom), round(at.x) : round(at.right)]
        if float(there.sum()) >= _MOSTLY_THERE * float(ink.sum()):
            break
    region[:] = drawn


def _scan(drawn: list[Gray], sheet: DeckSheet, request: DeckRequest) -> list[Gray]:
    """The pages of one sheet as an office scanner gives them."""
    scanned = []
    for place, gray in enumerate(drawn):
        rng = np.random.default_rng([request.seed, 3, sheet.sheet, place])
        other = drawn[place ^ 1] if (place ^ 1) < len(drawn) else None
        back = other if other is not None and other.shape == gray.shape else None
        scanned.append(damage_page(gray, office_damage(rng), rng, dpi=DECK_DPI, back=back))
    return scanned


def mark_place(option: Option, rng: Generator) -> Box:
    """Where people put a mark at a target, in millimetres.

    In a box or an oval it is the outline itself; in a cell of a table a place as large as a box
    near its middle; an arrow is joined by a line.
    """
    box = option.box
    if option.shape == "arrow":
        return Box(box.x, box.y + 0.4 * box.h, box.w, 0.2 * box.h)
    if option.shape != "cell":
        return box
    side = min(_CELL_SHARE * min(box.w, box.h), _LARGEST_MARK_MM)
    x, y = box.center
    dx = float(rng.uniform(-0.15, 0.15)) * (box.w - side)
    dy = float(rng.uniform(-0.15, 0.15)) * (box.h - side)
    return Box(x + dx - side / 2, y + dy - side / 2, side, side)


def _keep_clear(style: MarkStyle, place: Box, own: Box, boxes: list[Box]) -> MarkStyle:
    """The same hand, made smaller where it would run into another target."""
    gap_mm = min((_distance(place, box) for box in boxes if box != own), default=np.inf)
    room = (gap_mm - _CLEAR_OF_OTHERS_MM) / max(place.w, place.h) - _BEYOND.get(style.kind, 0.0)
    reach = max(min(style.reach, room), _LEAST_REACH)
    return MarkStyle(style.kind, style.pen, style.pressure, reach)


def _distance(one: Box, other: Box) -> float:
    dx = max(one.x - other.right, other.x - one.right, 0.0)
    dy = max(one.y - other.bottom, other.y - one.bottom, 0.0)
    return float(np.hypot(dx, dy))


def _stamp(paper: Gray, targets: list[tuple[Contest, Option]], text: str) -> None:
    """Say that this is a test, and which sheet, where the page's edge has room for it.

    So no test sheet is taken for a vote, a pile that fell down can be put in order, and no two
    blank sheets are the same picture.
    """
    per_mm = DECK_DPI / MM_PER_INCH
    width, height = paper.shape[1] / per_mm, paper.shape[0] / per_mm
    w, h = _STAMP_ROOM_MM
    for y in (height - _STAMP_EDGE_MM - h, _STAMP_EDGE_MM):
        for x in (width - _STAMP_EDGE_MM - w, (width - w) / 2, _STAMP_EDGE_MM):
            room = Box(x, y, w, h)
            if any(room.grown(4.0).overlaps(option.box) for _contest, option in targets):
                continue
            place = room.scaled(per_mm, per_mm)
            rows = slice(round(place.y), round(place.bottom))
            if int(paper[rows, round(place.x) : round(place.right)].min()) < 200:
                continue
            at = (round(place.x), round(place.bottom - 0.3 * place.h))
            cv2.putText(paper, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.7, 90, 1, cv2.LINE_AA)
            return


def _shrink(gray: Gray, scale: float) -> Gray:
    """The print made smaller about the middle of its paper."""
    if scale == 1.0:
        return gray
    height, width = gray.shape
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    paper = np.full_like(gray, 255)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    to_y, to_x = max(top, 0), max(left, 0)
    from_y, from_x = max(-top, 0), max(-left, 0)
    rows, columns = min(size[1], height), min(size[0], width)
    paper[to_y : to_y + rows, to_x : to_x + columns] = small[
        from_y : from_y + rows, from_x : from_x + columns
    ]
    return paper


def _lay(gray: Gray, request: DeckRequest, rng: Generator) -> Gray:
    """The page in the corner of a larger glass, under the scanner's lid."""
    if not request.onto:
        return gray
    width, height = (round(mm_to_px(side, DECK_DPI)) for side in GLASS_MM[request.onto])
    glass = np.full((height, width), _LID, np.uint8)
    rows, columns = min(gray.shape[0], height), min(gray.shape[1], width)
    left = int(rng.integers(min(width - columns, 40) + 1))
    top = int(rng.integers(min(height - rows, 40) + 1))
    glass[top : top + rows, left : left + columns] = gray[:rows, :columns]
    cv2.rectangle(glass, (left, top), (left + columns - 1, top + rows - 1), _SHADOW, 1)
    return glass
