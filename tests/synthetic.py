"""Small forms, marks and spoiled scans for every test; no font and no network is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import segno
from numpy.random import Generator
from numpy.typing import NDArray
from skimage import data

from scanner.ballot import TargetReading
from scanner.forms.codes import PageCode, encode_code
from scanner.forms.damage import Damage, damage_page
from scanner.forms.pen import MarkKind, MarkStyle, Pen, draw_mark
from scanner.forms.picture import load_blank
from scanner.forms.sample import pack_scans
from scanner.forms.template import Contest, Form, Option, Page, write_form
from scanner.geometry import Box, mm_to_px
from scanner.reading.align import AlignedPage, align_page
from scanner.reading.blank import BlankPage
from scanner.reading.decide import decide_target
from scanner.reading.identify import FormIndex, IdentifiedPage
from scanner.reading.marks import find_tone, measure_marks
from scanner.reading.pages import PageImage
from scanner.settings import Settings

Gray = NDArray[np.uint8]

CLEAR_CROSS = MarkStyle(MarkKind.CROSS, Pen.GEL)
LIGHT_CROSS = MarkStyle(MarkKind.CROSS, Pen.PENCIL, pressure=0.45)
OFFICE = Damage(
    rotation_deg=0.6,
    scale=0.985,
    shift_x_mm=0.8,
    shift_y_mm=-0.9,
    stretch_mm=0.3,
    paper=243,
    black=28,
    uneven_light=0.04,
    noise=1.2,
    blur_mm=0.06,
    specks=5,
)
"""One ordinary scan, for tests that want no surprises."""

_WORDS = (
    "ward",
    "office",
    "desk",
    "clerk",
    "paper",
    "permit",
    "land",
    "house",
    "birth",
    "record",
    "stamp",
    "court",
    "form",
    "reply",
    "quick",
    "polite",
    "clear",
    "open",
    "notice",
    "board",
    "phone",
    "letter",
    "visit",
    "queue",
    "chair",
    "window",
    "price",
    "fee",
    "water",
    "road",
    "light",
    "school",
    "garden",
    "market",
    "bridge",
    "river",
    "health",
    "census",
    "youth",
    "labour",
    "trade",
    "culture",
    "budget",
    "survey",
    "answer",
    "public",
    "service",
    "honest",
    "simple",
    "timely",
    "correct",
)
_MARGIN_MM = 10.0
_BOX_MM = 4.5
_OPTION_PITCH_MM = 7.0
_TITLE_MM = 11.0


@dataclass(frozen=True, slots=True)
class Design:
    """A small form in two columns of questions, each with its options one below the other."""

    title: str = "SURVEY OF THE WARD OFFICE"
    pages: int = 1
    questions: int = 6
    """On every page."""
    options: int = 3
    seed: int = 1
    """Chooses the words: forms of two seeds share no line of print."""
    moved_column: bool = False
    """The right column lies one option lower, boxes and labels: another version of the form
    in which every box but the last lies where the next one's was."""
    footer: str = ""
    """Printed at the foot; empty: the title and the page number."""
    swapped: bool = False
    """Every question's first two labels have changed places; the boxes have not moved."""
    family: str = ""
    """Words before every label, as a family name that all candidates share."""
    reworded: tuple[int, ...] = ()
    """Numbers of the questions that ask something else above the same options."""
    numbers_inside: bool = False
    """The options' numbers are printed in their boxes."""
    code: bool = False
    """Each page carries a QR code that names its form and page."""
    width_mm: float = 148.0
    height_mm: float = 210.0
    dpi: int = 150


def draw_small_form(folder: Path, form_id: str = "small", design: Design | None = None) -> Form:
    """Draw a form and register it as ``folder/form_id``; contests q1, q2, …, options o1, o2, …

    Returns:
        The form as ``read_form`` would give it, with its folder.
    """
    design = design or Design()
    home = folder / form_id
    home.mkdir(parents=True)
    pages: list[Page] = []
    contests: list[Contest] = []
    for number in range(1, design.pages + 1):
        image, drawn = _draw_page(design, number)
        code = PageCode(form_id, number) if design.code else None
        if code is not None:
            stamp_code(image, encode_code(code), design.dpi)
        pages.append(
            Page(
                number=number,
                blank=f"page-{number}.png",
                width_mm=design.width_mm,
                height_mm=design.height_mm,
                code=None if code is None else encode_code(code),
            )
        )
        contests.extend(drawn)
        write_image(home / f"page-{number}.png", image)
    form = Form(id=form_id, title=design.title, pages=tuple(pages), contests=tuple(contests))
    write_form(form, home)
    form._folder = home
    return form


def blank_page(form: Form, number: int = 1) -> Gray:
    """The blank of one page, a picture to draw on."""
    page = form.page(number)
    assert page is not None
    return load_blank(form, page).copy()


def form_dpi(form: Form, number: int = 1) -> float:
    """Pixels per inch of the blank of one page."""
    page = form.page(number)
    assert page is not None
    return float(load_blank(form, page).shape[1] / page.width_mm * 25.4)


def mark(
    form: Form,
    choices: Mapping[str, Sequence[str]],
    *,
    number: int = 1,
    style: MarkStyle = CLEAR_CROSS,
    seed: int = 1,
) -> Gray:
    """A filled-in page: contest id -> ids of the options with a mark. Other pages' are skipped."""
    image = blank_page(form, number)
    dpi = form_dpi(form, number)
    rng = np.random.default_rng(seed)
    for contest, option in form.targets_on(number):
        if option.id in choices.get(contest.id, ()):
            draw_mark(image, target_box_px(form, contest.id, option.id), dpi, style, rng)
    return image


def mark_sheet(
    form: Form,
    choices: Mapping[str, Sequence[str]],
    *,
    style: MarkStyle = CLEAR_CROSS,
    seed: int = 1,
) -> list[Gray]:
    """All pages of one filled-in sheet."""
    return [
        mark(form, choices, number=page.number, style=style, seed=seed + 1000 * page.number)
        for page in form.pages
    ]


def target_box_px(form: Form, contest_id: str, option_id: str) -> Box:
    """A target's printed outline, in pixels of its blank."""
    for contest, option in form.targets():
        if (contest.id, option.id) == (contest_id, option_id):
            per_mm = form_dpi(form, option.page) / 25.4
            return option.box.scaled(per_mm, per_mm)
    raise KeyError(f"{contest_id}/{option_id}")


def scan_like(
    image: Gray,
    damage: Damage = OFFICE,
    *,
    seed: int = 1,
    dpi: float = 150,
    back: Gray | None = None,
) -> Gray:
    """The picture as a scanner gives it."""
    return damage_page(image, damage, np.random.default_rng(seed), dpi=dpi, back=back)


def random_choices(form: Form, seed: int) -> dict[str, list[str]]:
    """One option a contest, at random; about one contest in eight stays blank."""
    rng = np.random.default_rng(seed)
    return {
        contest.id: []
        if rng.random() < 0.125
        else [contest.options[int(rng.integers(len(contest.options)))].id]
        for contest in form.contests
    }


def moved_column(folder: Path, form_id: str = "moved", design: Design | None = None) -> Form:
    """The version of a form whose right column lies one option lower, registered on its own."""
    return draw_small_form(folder, form_id, replace(design or Design(), moved_column=True))


def blank_side(shape: tuple[int, int] = (1240, 874), *, seed: int = 1) -> Gray:
    """A side with nothing printed, as a scanner sees it: no white is even."""
    rng = np.random.default_rng(seed)
    return scan_like(np.full(shape, 255, np.uint8), OFFICE, seed=int(rng.integers(1 << 30)))


def photo_of_a_cat(shape: tuple[int, int] = (1240, 874)) -> Gray:
    """A natural picture, no form at all."""
    gray = cv2.cvtColor(data.chelsea(), cv2.COLOR_RGB2GRAY)  # type: ignore[no-untyped-call]
    return np.asarray(cv2.resize(gray, shape[::-1], interpolation=cv2.INTER_AREA), dtype=np.uint8)


def foreign_page(seed: int = 99, *, design: Design | None = None) -> Gray:
    """A filled-in page of a form that is registered nowhere."""
    design = design or Design("CHECKLIST OF THE LIBRARY", questions=8, options=2, seed=seed)
    image, contests = _draw_page(design, 1)
    rng = np.random.default_rng(seed)
    per_mm = design.dpi / 25.4
    for contest in contests:
        box = contest.options[0].box.scaled(per_mm, per_mm)
        draw_mark(image, box, design.dpi, CLEAR_CROSS, rng)
    return image


def stamp_code(image: Gray, text: str, dpi: float = 150) -> None:
    """Print a QR code at the top right of a page, over whatever is there; ``image`` is changed."""
    module = max(round(mm_to_px(0.5, dpi)), 1)
    matrix = np.array([list(row) for row in segno.make_qr(text).matrix_iter(border=4)])
    code = np.where(np.kron(matrix, np.ones((module, module))) > 0, 0, 255).astype(np.uint8)
    top, right = round(mm_to_px(4.0, dpi)), round(mm_to_px(5.0, dpi))
    height, width = code.shape
    image[top : top + height, -right - width : -right] = code


def as_page(gray: Gray, *, reduction: int = 1) -> PageImage:
    """A picture as the page of a file; its hash is no true one."""
    height, width = gray.shape
    return PageImage(gray, reduction, (width * reduction, height * reduction), "0" * 64)


def blank_of(form: Form, number: int = 1) -> BlankPage:
    """One page of a form, ready for comparison at the usual resolution."""
    page = form.page(number)
    assert page is not None
    return BlankPage(form, page, Settings().working_dpi)


def identify(blank: BlankPage, scan: Gray) -> IdentifiedPage:
    """A scan taken for the only page there is; fails where it is none."""
    page = FormIndex([blank], Settings()).identify_page(scan)
    assert isinstance(page, IdentifiedPage), page
    return page


def align(blank: BlankPage, scan: Gray) -> AlignedPage:
    """A scan laid on the only page there is."""
    return align_page(scan, blank, identify(blank, scan).homography)


def write_image(path: Path, image: Gray, *, quality: int = 85) -> Path:
    """Write PNG, JPEG or TIFF by the suffix; any letter may stand in the path."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix in {".jpg", ".jpeg"} else []
    _, encoded = cv2.imencode(path.suffix, image, options)
    path.write_bytes(encoded.tobytes())
    return path


def write_scan_pdf(path: Path, images: Sequence[Gray], *, dpi: int = 150) -> Path:
    """One PDF with a JPEG a page, as an office scanner makes it."""
    pack_scans(path, [_jpeg(image) for image in images], dpi=dpi)
    return path


def _jpeg(image: Gray) -> bytes:
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return encoded.tobytes()


def _draw_page(design: Design, number: int) -> tuple[Gray, list[Contest]]:
    shape = (
        round(mm_to_px(design.height_mm, design.dpi)),
        round(mm_to_px(design.width_mm, design.dpi)),
    )
    image = np.full(shape, 255, np.uint8)
    rng = np.random.default_rng([design.seed, number])
    _put(image, design, design.title, (_MARGIN_MM, 14.0), 3.6)
    _put(image, design, _sentence(rng, 7), (_MARGIN_MM, 21.0), 2.4)
    footer = design.footer or f"{design.title.title()} - page {number} of {design.pages}"
    _put(image, design, footer, (_MARGIN_MM, design.height_mm - 8.0), 2.2)
    contests = []
    per_column = -(-design.questions // 2)
    height = _TITLE_MM + design.options * _OPTION_PITCH_MM + 3.0
    for i in range(design.questions):
        column, row = divmod(i, per_column)
        x = _MARGIN_MM if column == 0 else design.width_mm / 2 + 2
        y = 32.0 + row * height
        y += _OPTION_PITCH_MM if design.moved_column and column == 1 else 0.0
        if y + height > design.height_mm - 10:
            raise ValueError("So many questions do not fit on the page.")
        index = (number - 1) * design.questions + i + 1
        contests.append(_draw_question(image, design, rng, (x, y), (index, number)))
    return image, contests


def _draw_question(
    image: Gray,
    design: Design,
    rng: Generator,
    at: tuple[float, float],
    numbers: tuple[int, int],
) -> Contest:
    x, y = at
    index, page = numbers
    title, subtitle = _sentence(rng, 3), _sentence(rng, 4)
    if index in design.reworded:
        other = np.random.default_rng([design.seed, 1000 + index])
        title, subtitle = _sentence(other, 3), _sentence(other, 4)
    title = f"{index}. {title}"
    _put(image, design, title, (x, y), 2.7)
    _put(image, design, subtitle, (x, y + 4.4), 2.2)
    labels = [f"{design.family} {_sentence(rng, 2)}".strip() for _ in range(design.options)]
    if design.swapped:
        labels[0], labels[1] = labels[1], labels[0]
    options = []
    for k, label in enumerate(labels):
        top = y + _TITLE_MM - 3.5 + k * _OPTION_PITCH_MM
        box = _draw_box(image, design, (x + 3, top))
        if design.numbers_inside:
            _put(image, design, str(k + 1), (x + 4.5, top + 3.2), 1.9)
        _put(image, design, label, (x + 10, top + 3.6), 2.5)
        options.append(
            Option(id=f"o{k + 1}", label=label, page=page, x=box.x, y=box.y, w=box.w, h=box.h)
        )
    return Contest(id=f"q{index}", title=title, max=1, options=tuple(options))


def _draw_box(image: Gray, design: Design, at: tuple[float, float]) -> Box:
    """A square on whole pixels; its tight box in millimetres."""
    line = max(round(mm_to_px(0.35, design.dpi)), 1)
    x, y = (round(mm_to_px(value, design.dpi)) for value in at)
    side = round(mm_to_px(_BOX_MM, design.dpi))
    image[y : y + side, x : x + side] = 0
    image[y + line : y + side - line, x + line : x + side - line] = 255
    per_px = 25.4 / design.dpi
    return Box(x * per_px, y * per_px, side * per_px, side * per_px)


def _put(image: Gray, design: Design, text: str, at: tuple[float, float], height_mm: float) -> None:
    """Print a line; ``at`` is the left end of its base line, in millimetres."""
    font = cv2.FONT_HERSHEY_COMPLEX
    size = mm_to_px(height_mm, design.dpi) / 22.0
    origin = tuple(round(mm_to_px(value, design.dpi)) for value in at)
    thick = 2 if height_mm > 3 else 1
    cv2.putText(image, text, (origin[0], origin[1]), font, size, 0, thick, cv2.LINE_AA)


def _sentence(rng: Generator, words: int) -> str:
    return " ".join(rng.choice(_WORDS, words, replace=False)).capitalize()


def read_targets(blank: BlankPage, scan: Gray) -> dict[str, TargetReading]:
    """The targets of the only page there is, as they are read on a scan of it; by their ids."""
    aligned = align(blank, scan)
    measured = measure_marks(aligned, find_tone(aligned))
    readings = [
        decide_target(
            contest.id,
            option.id,
            measures,
            covered=covered,
            settings=Settings(),
            shape=option.shape,
        )
        for (contest, option), measures, covered in zip(
            blank.targets, measured.targets, measured.covered, strict=True
        )
    ]
    return {reading.target: reading for reading in readings}
