"""A recipe -> a pile of marked sheets as an office scanner would give it, with a known tally.

The recipe says how many votes each option gets; who gives them, with which pen and hand, and
what the scanner does to each page follows from its seed.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import cv2
import numpy as np
import pikepdf
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from scanner.errors import BadArgumentsError, FormError, StorageError, UnreadableFileError
from scanner.forms.damage import damage_page, office_damage
from scanner.forms.pen import MarkKind, MarkStyle, Pen, draw_handwriting, draw_mark
from scanner.forms.picture import load_blank
from scanner.forms.template import Form, Page
from scanner.forms.testdeck import mark_place
from scanner.geometry import Box, mm_to_px
from scanner.messages import gettext as _

Gray = NDArray[np.uint8]
Choices = Mapping[str, tuple[str, ...]]
"""Contest id -> ids of the options that one voter marked."""

RECIPE_FILE = "recipe.yaml"
EXPECTED_FILE = "expected.json"
SCAN_FILE = "scan.pdf"

_PENS = (
    MarkStyle(MarkKind.CROSS, Pen.BALLPOINT),
    MarkStyle(MarkKind.CROSS, Pen.GEL, reach=0.05),
    MarkStyle(MarkKind.CROSS, Pen.BALLPOINT, pressure=1.3, reach=0.4),
    MarkStyle(MarkKind.CROSS, Pen.PENCIL, pressure=0.75),
    MarkStyle(MarkKind.CROSS, Pen.FELT, reach=0.1),
    MarkStyle(MarkKind.TICK, Pen.BALLPOINT, reach=0.3),
    MarkStyle(MarkKind.TICK, Pen.GEL, reach=0.1),
    MarkStyle(MarkKind.FILL, Pen.BALLPOINT, reach=0.05),
    MarkStyle(MarkKind.FILL, Pen.PENCIL, reach=0.1),
    MarkStyle(MarkKind.SLASH, Pen.GEL, reach=0.1),
)
"""Hands that any person reads without doubt."""
_PEN_SHARES = (0.26, 0.13, 0.12, 0.08, 0.05, 0.14, 0.07, 0.07, 0.04, 0.04)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WritingLine(_Part):
    """A line that some voters write on, in millimetres; words stand on its lower edge."""

    page: int = Field(ge=1)
    x: float
    y: float
    w: float = Field(gt=0)
    h: float = Field(gt=0)
    share: float = Field(ge=0, le=1)
    """Share of the voters who write there."""


class Recipe(_Part):
    """What a pile of sheets says, and how it is drawn."""

    schema_: Literal[1] = Field(alias="schema", default=1)
    unit: str = ""
    """Whose pile it is, as in the tree of units."""
    period: str = ""
    issued: Annotated[int, Field(ge=0)] | None = None
    """Papers handed out."""
    form: str
    sheets: Annotated[int, Field(ge=1, le=100_000)]
    """Papers with votes on them."""
    blank_sheets: Annotated[int, Field(ge=0)] = 0
    """Further papers on which nothing is marked."""
    foreign: str = ""
    """Another form, of which papers lie in the pile."""
    foreign_sheets: Annotated[int, Field(ge=0)] = 0
    seed: int = 1
    dpi: Annotated[int, Field(ge=72, le=600)] = 200
    jpeg_quality: Annotated[int, Field(ge=5, le=100)] = 50
    tally: dict[str, tuple[int, ...]]
    """Contest id -> votes for each of its options in order; the rest stays blank."""
    overvotes: dict[str, Annotated[int, Field(ge=0)]] = {}
    """Contest id -> papers with two options marked."""
    writing: tuple[WritingLine, ...] = ()

    @model_validator(mode="after")
    def _votes_fit(self) -> Self:
        for contest, votes in self.tally.items():
            marked = sum(votes) + self.overvotes.get(contest, 0)
            if min(votes) < 0 or marked > self.sheets:
                raise ValueError(f"contest {contest!r}: {marked} votes on {self.sheets} sheets")
        if unknown := self.overvotes.keys() - self.tally.keys():
            raise ValueError(f"overvotes of {', '.join(sorted(unknown))} without votes")
        if self.foreign_sheets and not self.foreign:
            raise ValueError("foreign sheets of no form")
        return self

    @property
    def papers(self) -> int:
        """All papers of the pile."""
        return self.sheets + self.blank_sheets + self.foreign_sheets


@dataclass(frozen=True, slots=True)
class SampleTruth:
    """What was drawn: the choices of each sheet, in the order of the pile."""

    sheets: tuple[Choices, ...] = field(default_factory=tuple)
    foreign: frozenset[int] = frozenset()
    """Places, from 0, of the papers that are of another form; their choices are empty."""

    def votes(self, contest: str, option: str) -> int:
        """On how many sheets that option is marked."""
        return sum(option in sheet.get(contest, ()) for sheet in self.sheets)

    def blanks(self, contest: str) -> int:
        """On how many sheets that contest has no mark."""
        return sum(not sheet.get(contest, ()) for sheet in self.sheets)


def read_recipe(folder: Path) -> Recipe:
    """Read ``folder/recipe.yaml``.

    Raises:
        UnreadableFileError: It is missing or is no recipe.
    """
    path = folder / RECIPE_FILE
    try:
        return Recipe.model_validate(read_recipe_file(path))
    except ValidationError as error:
        raise faulty_recipe(path, error) from error


def read_recipe_file(path: Path) -> Any:
    """What a recipe says, unchecked.

    Raises:
        UnreadableFileError: It is missing or is no YAML.
    """
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise UnreadableFileError(
            _("The recipe cannot be read ({reason}).").format(reason=error), path=path
        ) from error


def faulty_recipe(path: Path, error: ValidationError) -> UnreadableFileError:
    """What the user is told of the first fault of a recipe."""
    fault = error.errors()[0]
    where = ".".join(str(step) for step in fault["loc"])
    return UnreadableFileError(
        _("The recipe is faulty at {field}: {reason}.").format(
            field=where or "recipe", reason=fault["msg"]
        ),
        path=path,
    )


def draw_sample(recipe_folder: Path, form: Form, output: Path) -> SampleTruth:
    """Draw every sheet of the recipe in a folder; see :func:`draw_pile`."""
    return draw_pile(read_recipe(recipe_folder), form, output)


def draw_pile(
    recipe: Recipe,
    form: Form,
    output: Path,
    *,
    foreign: Form | None = None,
    jobs: int = 1,
) -> SampleTruth:
    """Draw the sheets of a recipe and write them as one PDF, a JPEG a page.

    The same recipe and form give the same file.

    Args:
        recipe: What the sheets say.
        form: What is printed on them.
        output: The PDF.
        foreign: What is printed on those that are of another form.
        jobs: How many processes draw.

    Returns:
        The choices of each sheet.

    Raises:
        UnreadableFileError: There is no recipe, or it is faulty.
        FormError: The recipe is for another form or names a contest it has not.
        StorageError: The PDF cannot be written.
    """
    if (foreign.id if foreign is not None else "") != recipe.foreign:
        raise FormError(_("The form {form} is not registered.").format(form=recipe.foreign))
    truth = cast_votes(recipe, form)
    drawn = []
    for index, choices in enumerate(truth.sheets):
        is_foreign = foreign is not None and index in truth.foreign
        printed = foreign if foreign is not None and is_foreign else form
        drawn.append((recipe, printed, _one_of_each(printed) if is_foreign else choices, index))
    with ExitStack() as stack:
        if jobs > 1:
            pool = stack.enter_context(ProcessPoolExecutor(jobs, mp_context=get_context("spawn")))
            sides = pool.map(_encode_sheet, *zip(*drawn, strict=True), chunksize=8)
        else:
            sides = map(_encode_sheet, *zip(*drawn, strict=True))
        pack_scans(output, [side for of_sheet in sides for side in of_sheet], dpi=recipe.dpi)
    return truth


def _encode_sheet(recipe: Recipe, form: Form, choices: Choices, index: int) -> list[bytes]:
    quality = [cv2.IMWRITE_JPEG_QUALITY, recipe.jpeg_quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    sides = draw_sheet(recipe, form, choices, index)
    return [cv2.imencode(".jpg", side, quality)[1].tobytes() for side in sides]


def _one_of_each(form: Form) -> Choices:
    return {contest.id: (contest.options[0].id,) for contest in form.contests}


def cast_votes(recipe: Recipe, form: Form) -> SampleTruth:
    """Deal the votes of the recipe to its sheets, each contest shuffled on its own.

    Raises:
        FormError: The recipe is for another form or does not fit it.
    """
    if recipe.form != form.id:
        raise FormError(
            _("The recipe is for form {wanted}, not {given}.").format(
                wanted=recipe.form, given=form.id
            )
        )
    dealt: dict[str, list[tuple[str, ...]]] = {}
    rng = np.random.default_rng([recipe.seed, 1])
    for contest_id, votes in recipe.tally.items():
        contest = form.contest(contest_id)
        if contest is None or len(contest.options) != len(votes):
            raise FormError(
                _("The recipe's contest {contest} does not fit form {form}.").format(
                    contest=contest_id, form=form.id
                )
            )
        twice = recipe.overvotes.get(contest_id, 0)
        pile: list[tuple[str, ...]] = [()] * (recipe.sheets - sum(votes) - twice)
        for option, count in zip(contest.options, votes, strict=True):
            pile.extend([(option.id,)] * count)
        pile.extend([tuple(option.id for option in contest.options[:2])] * twice)
        dealt[contest_id] = [pile[i] for i in rng.permutation(recipe.sheets)]
    sheets: list[Choices] = [
        {key: dealt[key][i] for key in recipe.tally} for i in range(recipe.sheets)
    ]
    return _mixed(recipe, sheets)


def _mixed(recipe: Recipe, sheets: list[Choices]) -> SampleTruth:
    """Blank papers and papers of another form laid somewhere among those with votes."""
    if recipe.papers == recipe.sheets:
        return SampleTruth(tuple(sheets))
    nothing: Choices = {key: () for key in recipe.tally}
    all_papers = [*sheets, *[nothing] * (recipe.papers - recipe.sheets)]
    order = np.random.default_rng([recipe.seed, 4]).permutation(recipe.papers)
    first_foreign = recipe.papers - recipe.foreign_sheets
    return SampleTruth(
        tuple(all_papers[i] for i in order),
        frozenset(place for place, i in enumerate(order) if i >= first_foreign),
    )


def draw_sheet(recipe: Recipe, form: Form, choices: Choices, index: int) -> list[Gray]:
    """The scanned sides of one sheet, in the order of its pages.

    Args:
        recipe: For its seed, resolution and lines to write on.
        form: The printed form.
        choices: What this voter marked.
        index: The sheet's place in the pile, from 0; with the seed it settles all chance.

    Returns:
        One grey picture a page, at the recipe's resolution.
    """
    voter = np.random.default_rng([recipe.seed, 2, index])
    scanner = np.random.default_rng([recipe.seed, 3, index])
    hand = _PENS[voter.choice(len(_PENS), p=_PEN_SHARES)]
    written = [_write_page(recipe, form, page, choices, (hand, voter)) for page in form.pages]
    scanned = []
    for side, page in enumerate(written):
        back = written[side ^ 1] if (side ^ 1) < len(written) else None
        same = back is not None and back.shape == page.shape
        seen = back if same else None
        damage = office_damage(scanner)
        scanned.append(damage_page(page, damage, scanner, dpi=recipe.dpi, back=seen))
    return scanned


def pack_scans(output: Path, jpegs: Sequence[bytes], *, dpi: float) -> None:
    """Write JPEGs as the pages of one PDF, as they are, each page as large as its paper.

    Raises:
        StorageError: The file cannot be written.
    """
    with pikepdf.new() as pdf:
        for data in jpegs:
            _add_scan(pdf, data, dpi)
        _save(pdf, output)


def rearrange_scan(
    source: Path, output: Path, order: Sequence[int], *, upside_down: Collection[int] = ()
) -> None:
    """Write a spoilt copy of a scan: pages left out, twice, in another order, upside down.

    Args:
        source: A PDF that wraps one JPEG a page.
        output: The new PDF.
        order: Page numbers of ``source``, from 1, in the order of the copy.
        upside_down: Page numbers of ``source`` whose picture is turned by half a turn.

    Raises:
        BadArgumentsError: ``order`` names a page that ``source`` has not.
        StorageError: The file cannot be written.
    """
    with pikepdf.open(source) as old, pikepdf.new() as new:
        if not all(1 <= number <= len(old.pages) for number in order):
            raise BadArgumentsError(_("There is no such page."), path=source)
        for number in order:
            page = old.pages[number - 1]
            _name, image = next(iter(page.resources["/XObject"].items()))
            data = image.read_raw_bytes()
            dpi = int(image.Width) / (float(page.mediabox[2]) / 72)
            _add_scan(new, _turned(data) if number in upside_down else data, dpi)
        _save(new, output)


def _turned(jpeg: bytes) -> bytes:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    _done, encoded = cv2.imencode(".jpg", cv2.rotate(picture, cv2.ROTATE_180))
    return encoded.tobytes()


def _add_scan(pdf: pikepdf.Pdf, jpeg: bytes, dpi: float) -> None:
    width, height = _jpeg_size(jpeg)
    width_pt, height_pt = width / dpi * 72, height / dpi * 72
    image = pikepdf.Stream(
        pdf,
        jpeg,
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=width,
        Height=height,
        BitsPerComponent=8,
        ColorSpace=pikepdf.Name.DeviceGray,
        Filter=pikepdf.Name.DCTDecode,
    )
    drawing = f"q {width_pt:.4f} 0 0 {height_pt:.4f} 0 0 cm /Im0 Do Q"
    page = pikepdf.Dictionary(
        Type=pikepdf.Name.Page,
        MediaBox=[0, 0, round(width_pt, 4), round(height_pt, 4)],
        Resources=pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image)),
        Contents=pikepdf.Stream(pdf, drawing.encode()),
    )
    pdf.pages.append(pikepdf.Page(page))


def _jpeg_size(jpeg: bytes) -> tuple[int, int]:
    """(width, height) from the frame header, without decoding."""
    for marker, body in _jpeg_segments(jpeg):
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            return int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
    raise UnreadableFileError(_("This is no JPEG."))


def _jpeg_segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        yield jpeg[at + 1], jpeg[at + 4 : at + 2 + length]
        at += 2 + length


def _save(pdf: pikepdf.Pdf, output: Path) -> None:
    buffer = io.BytesIO()
    pdf.save(buffer, deterministic_id=True)
    try:
        output.write_bytes(buffer.getvalue())
    except OSError as error:
        raise StorageError(
            _("The file cannot be written ({reason}).").format(reason=error.strerror or error),
            path=output,
        ) from error


def _write_page(
    recipe: Recipe, form: Form, page: Page, choices: Choices, hand: tuple[MarkStyle, Generator]
) -> Gray:
    """One side with this voter's marks and words, before it goes through the scanner."""
    style, rng = hand
    size = round(mm_to_px(page.width_mm, recipe.dpi)), round(mm_to_px(page.height_mm, recipe.dpi))
    blank = cv2.resize(load_blank(form, page), size, interpolation=cv2.INTER_AREA)
    paper = np.ascontiguousarray(blank, dtype=np.uint8)
    per_mm = recipe.dpi / 25.4
    for contest, option in form.targets_on(page.number):
        if option.id in choices.get(contest.id, ()):
            place = mark_place(option, rng)
            draw_mark(paper, place.scaled(per_mm, per_mm), recipe.dpi, style, rng)
    for line in recipe.writing:
        if line.page == page.number and rng.random() < line.share:
            width = line.w * float(rng.uniform(0.35, 1.0))
            room = Box(line.x, line.y, width, line.h).scaled(per_mm, per_mm)
            draw_handwriting(paper, room, recipe.dpi, style, rng)
    return paper
