"""The picture of a sheet shows each target where it is and what was read there."""

from __future__ import annotations

import numpy as np
import pytest

from scanner.ballot import (
    ContestState,
    MarkState,
    PageReading,
    Reason,
    TargetMeasures,
    TargetReading,
    UnreadablePage,
)
from scanner.counting.tally import CastVote
from scanner.forms.template import Contest, Form, Option, Page
from scanner.publishing.overlay import (
    COLOURS,
    DECIDED_COLOUR,
    Colour,
    ColourImage,
    draw_refused,
    draw_sheet,
)
from scanner.reading.pages import PageImage

PX_PER_MM = 6.0
WIDTH_MM, HEIGHT_MM = 148, 210
STATES = {"a": MarkState.MARKED, "b": MarkState.UNMARKED, "c": MarkState.DOUBTFUL}
FORM = Form(
    id="form",
    pages=(Page(number=1, blank="page-1.png", width_mm=WIDTH_MM, height_mm=HEIGHT_MM),),
    contests=(
        Contest(
            id="q",
            options=tuple(
                Option(id=o, x=30, y=40 + 40 * n, w=5, h=5) for n, o in enumerate(STATES)
            ),
        ),
    ),
)
NO_INK = TargetMeasures(*(0.0,) * len(TargetMeasures.__dataclass_fields__))


def scan_of(rotation: int, reduction: int) -> tuple[PageImage, PageReading]:
    """An empty page that lies turned in the scan, and its reading."""
    width, height = int(WIDTH_MM * PX_PER_MM), int(HEIGHT_MM * PX_PER_MM)
    # From pixels of the scan to those of the upright page, for a scan to be turned clockwise.
    to_upright = {
        0: np.eye(3),
        90: np.array([[0, -1, width - 1], [1, 0, 0], [0, 0, 1]]),
        180: np.array([[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1]]),
        270: np.array([[0, 1, 0], [-1, 0, height - 1], [0, 0, 1]]),
    }[rotation]
    matrix = np.diag([1 / PX_PER_MM, 1 / PX_PER_MM, 1]) @ to_upright
    shape = (height, width) if rotation % 180 == 0 else (width, height)
    gray = np.full((shape[0] // reduction, shape[1] // reduction), 255, np.uint8)
    reading = PageReading(
        form="form",
        form_hash="0" * 64,
        page=1,
        rotation=rotation,
        homography=tuple(float(value) for value in matrix.ravel()),
        targets=tuple(TargetReading("q", o, s, 0.5, NO_INK) for o, s in STATES.items()),
    )
    return PageImage(gray, reduction, (shape[1], shape[0]), "hash"), reading


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("reduction", [1, 2])
def test_each_target_is_framed_where_it_lies_in_the_colour_of_its_state(
    rotation: int, reduction: int
) -> None:
    image, reading = scan_of(rotation, reduction)
    picture = draw_sheet(image, reading, FORM)
    scale = PX_PER_MM / reduction
    for _contest, option in FORM.targets():
        box = option.box.grown(3).scaled(scale, scale)
        rows = slice(int(box.y), int(box.bottom))
        columns = slice(int(box.x + box.w / 2), int(box.right))
        around = picture[rows, columns].reshape(-1, 3).astype(int)
        colour = np.array(COLOURS[STATES[option.id]])
        assert (np.abs(around - colour).max(axis=1) < 40).any(), option.id
        others = [c for s, c in COLOURS.items() if s is not STATES[option.id]]
        for other in others:
            assert not (np.abs(around - np.array(other)).max(axis=1) < 40).any(), option.id


def decided_on(*options: str, state: ContestState = ContestState.VOTED) -> CastVote:
    return CastVote("q", state, options, is_decided=True)


def is_near(picture: ColourImage, option: Option, colour: Colour) -> bool:
    """The colour is drawn on or around a target."""
    box = option.box.grown(3).scaled(PX_PER_MM, PX_PER_MM)
    around = picture[int(box.y) : int(box.bottom), int(box.x) : int(box.right)].reshape(-1, 3)
    return bool((np.abs(around.astype(int) - np.array(colour)).max(axis=1) < 40).any())


def test_what_a_person_decided_is_framed_beside_what_was_read() -> None:
    image, reading = scan_of(0, 1)
    picture = draw_sheet(image, reading, FORM, votes=[decided_on("b")])
    framed = {o.id for _, o in FORM.targets() if is_near(picture, o, DECIDED_COLOUR)}
    assert framed == {"b"}
    for _contest, option in FORM.targets():
        assert is_near(picture, option, COLOURS[STATES[option.id]]), option.id


def test_what_stands_as_read_is_not_framed_as_decided() -> None:
    image, reading = scan_of(0, 1)
    as_read = CastVote("q", ContestState.VOTED, ("a",))
    elsewhere = CastVote("other", ContestState.VOTED, ("b",), is_decided=True)
    picture = draw_sheet(image, reading, FORM, votes=[as_read, elsewhere])
    assert (picture == draw_sheet(image, reading, FORM)).all()


def test_a_decision_without_an_option_stands_below_the_page() -> None:
    image, reading = scan_of(0, 1)
    plain = draw_sheet(image, reading, FORM)
    blank = draw_sheet(image, reading, FORM, votes=[decided_on(state=ContestState.BLANK)])
    assert blank.shape[0] > plain.shape[0]


def test_nothing_is_drawn_away_from_the_targets() -> None:
    image, reading = scan_of(0, 1)
    picture = draw_sheet(image, reading, FORM)
    height = image.gray.shape[0]
    right = picture[:height, int(50 * PX_PER_MM) :]
    assert (right == 255).all()


def test_the_picture_is_upright_with_a_strip_of_words_below() -> None:
    image, reading = scan_of(90, 1)
    picture = draw_sheet(image, reading, FORM, "0007 · scan.pdf")
    height = int(HEIGHT_MM * PX_PER_MM)
    assert picture.shape[1] == int(WIDTH_MM * PX_PER_MM)
    assert picture.shape[0] > height
    assert (picture[height:] < 128).any()


def test_reasons_are_written_below_the_page() -> None:
    image, reading = scan_of(0, 1)
    plain = draw_sheet(image, reading, FORM)
    doubtful = TargetReading("q", "a", MarkState.DOUBTFUL, 0.5, NO_INK, (Reason.UNCLEAR_MARK,))
    flagged = PageReading(reading.form, reading.form_hash, 1, 0, reading.homography, (doubtful,))
    assert draw_sheet(image, flagged, FORM).shape[0] > plain.shape[0]


def test_a_refused_page_is_framed_and_the_reason_stands_below() -> None:
    image, _reading = scan_of(0, 2)
    picture = draw_refused(image, UnreadablePage(Reason.UNKNOWN_FORM), "0008")
    assert picture.shape[0] > image.gray.shape[0]
    assert (picture[0, 0] != 255).any()
