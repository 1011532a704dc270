"""A page read with a person's help: as carefully as any other, and never by their word alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scanner.ballot import MarkState, PageReading, Reason, UnreadablePage
from scanner.counting.bench import Hand
from scanner.counting.intake import scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.records import BatchRequest
from scanner.counting.rework import keep_look, undo
from scanner.counting.second_look import look_again
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError
from scanner.forms.codes import PageCode, encode_code
from scanner.forms.template import Form
from scanner.reading.interpret import Reader
from scanner.reading.read_again import CornersOf, Told, order_corners, print_box_px, read_again
from tests.loose_counts import CUT_OFF, FAR_AWAY, STEEP, Corners, on_table, roughly
from tests.synthetic import (
    Design,
    Gray,
    as_page,
    blank_of,
    draw_small_form,
    foreign_page,
    mark,
    moved_column,
    random_choices,
    scan_like,
    stamp_code,
    write_image,
)

Points = tuple[tuple[float, float], ...]


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return draw_small_form(tmp_path_factory.mktemp("forms"), design=Design(pages=2))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Form:
    """A form that shares no line of print with the first."""
    design = Design("CHECKLIST OF THE MARKET", seed=5)
    return draw_small_form(tmp_path_factory.mktemp("others"), "other", design)


@pytest.fixture(scope="module")
def reader(form: Form, other: Form) -> Reader:
    return Reader([form, other])


def in_px(corners: Corners, picture: Gray) -> Points:
    """Corners as a person gives them, in pixels."""
    height, width = picture.shape
    return tuple((x * width, y * height) for x, y in roughly(corners, picture))


def wanted(form: Form, seed: int, page: int = 1) -> set[str]:
    choices = random_choices(form, seed)
    here = {contest.id for contest, _option in form.targets_on(page)}
    return {f"{c}/{o}" for c, options in choices.items() if c in here for o in options}


def marked(reading: PageReading) -> set[str]:
    return {t.target for t in reading.targets if t.state is MarkState.MARKED}


def read(reader: Reader, picture: Gray, told: Told) -> PageReading:
    found = read_again(reader, as_page(picture), told)
    assert isinstance(found, PageReading), found
    return found


def refused(reader: Reader, picture: Gray) -> bool:
    return isinstance(reader.read(as_page(picture)), UnreadablePage)


PHOTOS = {
    "far away": (FAR_AWAY, 1.0),
    "cut off": (CUT_OFF, 1.0),
    "faint": (FAR_AWAY, 0.2),
    "steep": (STEEP, 1.0),
}


@pytest.mark.parametrize("name", list(PHOTOS))
def test_a_page_that_was_refused_is_read_once_its_corners_are_given(
    form: Form, reader: Reader, name: str
) -> None:
    corners, contrast = PHOTOS[name]
    photo = on_table(mark(form, random_choices(form, 3)), corners, contrast=contrast)
    assert refused(reader, photo)
    given = in_px(corners, photo)
    for told in (Told(corners=given), Told(form=form.id, page=1, corners=given)):
        reading = read(reader, photo, told)
        assert (reading.form, reading.page) == (form.id, 1)
        assert marked(reading) == wanted(form, 3)
        assert all(target.reasons == () for target in reading.targets)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_corners_of_a_turned_page_are_given_as_it_is_turned(
    form: Form, reader: Reader, turn: int
) -> None:
    photo = on_table(mark(form, random_choices(form, 4)), FAR_AWAY)
    height, width = photo.shape
    # As if the page had been laid on the table turned the other way.
    turned = np.ascontiguousarray(np.rot90(photo, turn // 90))
    given = in_px(FAR_AWAY, photo)
    corners = {
        0: given,
        90: tuple((y, width - x) for x, y in given),
        180: tuple((width - x, height - y) for x, y in given),
        270: tuple((height - y, x) for x, y in given),
    }[turn]
    reading = read(reader, turned, Told(turn=turn, form=form.id, page=1, corners=corners))
    assert marked(reading) == wanted(form, 4)
    assert reading.rotation == turn


def test_where_nobody_says_how_it_is_turned_all_ways_are_tried(form: Form, reader: Reader) -> None:
    photo = on_table(mark(form, random_choices(form, 4)), np.roll(FAR_AWAY, 2, axis=0))
    told = Told(form=form.id, page=1, corners=in_px(FAR_AWAY, photo))
    assert marked(read(reader, photo, told)) == wanted(form, 4)


def test_the_corners_may_be_those_of_the_print(form: Form, reader: Reader) -> None:
    photo = on_table(mark(form, random_choices(form, 6)), FAR_AWAY)
    x0, y0, x1, y1 = print_box_px(blank_of(form))
    scale = np.array([blank_of(form).width_px, blank_of(form).height_px])
    inner = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) / scale
    across, down = inner[:, :1], inner[:, 1:]
    a, b, c, d = FAR_AWAY
    there = (1 - down) * ((1 - across) * a + across * b) + down * ((1 - across) * d + across * c)
    told = Told(form=form.id, page=1, corners=in_px(there, photo), corners_of=CornersOf.PRINT)
    assert marked(read(reader, photo, told)) == wanted(form, 6)


def test_the_page_is_told_with_the_form(form: Form, reader: Reader) -> None:
    photo = on_table(mark(form, random_choices(form, 7), number=2), FAR_AWAY)
    told = Told(form=form.id, corners=in_px(FAR_AWAY, photo))
    reading = read(reader, photo, told)
    assert reading.page == 2
    assert marked(reading) == wanted(form, 7, page=2)


def test_a_good_scan_needs_no_corners(form: Form, reader: Reader) -> None:
    picture = scan_like(mark(form, random_choices(form, 8)))
    for told in (Told(), Told(turn=0), Told(form=form.id), Told(form=form.id, page=1)):
        assert marked(read(reader, picture, told)) == wanted(form, 8)


def test_the_reading_is_the_same_each_time(form: Form, reader: Reader) -> None:
    photo = on_table(mark(form, random_choices(form, 3)), FAR_AWAY)
    told = Told(corners=in_px(FAR_AWAY, photo))
    assert read(reader, photo, told) == read(reader, photo, told)


# Nothing is believed that the print does not bear out.


@pytest.mark.parametrize("corners", [FAR_AWAY, None], ids=["photograph", "scan"])
def test_a_wrong_form_gives_no_silent_vote(
    form: Form, other: Form, reader: Reader, corners: Corners | None
) -> None:
    page = mark(form, random_choices(form, 3))
    picture = scan_like(page) if corners is None else on_table(page, corners)
    given = None if corners is None else in_px(corners, picture)
    found = read_again(reader, as_page(picture), Told(form=other.id, page=1, corners=given))
    if isinstance(found, PageReading) and found.form == other.id:
        assert {target.state for target in found.targets} == {MarkState.DOUBTFUL}
        assert Reason.OTHER_VERSION in found.reasons
    elif isinstance(found, PageReading):
        assert Reason.FORM_UNCERTAIN in found.reasons


def test_a_wrong_page_gives_no_silent_vote(form: Form, reader: Reader) -> None:
    photo = on_table(mark(form, random_choices(form, 3)), FAR_AWAY)
    told = Told(form=form.id, page=2, corners=in_px(FAR_AWAY, photo))
    found = read_again(reader, as_page(photo), told)
    if isinstance(found, PageReading):
        assert not marked(found)
        assert {target.state for target in found.targets} == {MarkState.DOUBTFUL}


def test_another_version_told_is_doubtful_where_the_print_differs(
    form: Form, tmp_path: Path
) -> None:
    moved = moved_column(tmp_path, design=Design(pages=1))
    single = draw_small_form(tmp_path, "single", Design(pages=1))
    picture = scan_like(mark(single, {contest.id: ["o1"] for contest in single.contests}))
    found = read_again(Reader([moved]), as_page(picture), Told(form=moved.id, page=1))
    assert isinstance(found, PageReading)
    right = {t.target for t in found.targets if t.contest in {"q4", "q5", "q6"}}
    assert not marked(found) & right


def test_corners_that_are_nowhere_near_give_no_silent_vote(form: Form, reader: Reader) -> None:
    photo = on_table(mark(form, random_choices(form, 3)), FAR_AWAY)
    corners = ((20.0, 30.0), (900.0, 40.0), (880.0, 1100.0), (10.0, 1150.0))
    for told in (Told(corners=corners), Told(form=form.id, page=1, corners=corners)):
        found = read_again(reader, as_page(photo), told)
        assert isinstance(found, UnreadablePage)
        assert found.reason is Reason.UNKNOWN_FORM


def test_a_foreign_page_stays_refused_whatever_is_said(form: Form, reader: Reader) -> None:
    picture = foreign_page()
    height, width = picture.shape
    corners = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    for told in (Told(), Told(turn=0, form=form.id, page=1, corners=corners)):
        found = read_again(reader, as_page(picture), told)
        assert isinstance(found, UnreadablePage) or not marked(found)


def test_a_person_settles_what_the_print_leaves_open(tmp_path: Path) -> None:
    twins = [draw_small_form(tmp_path, name, Design(pages=1)) for name in ("one", "two")]
    reader = Reader(twins)
    picture = scan_like(mark(twins[0], {"q1": ["o1"]}))
    alone = reader.read(as_page(picture))
    assert isinstance(alone, PageReading)
    assert Reason.FORM_UNCERTAIN in alone.reasons
    reading = read(reader, picture, Told(form="two", page=1))
    assert (reading.form, reading.reasons, reading.alternatives) == ("two", (), ())


def test_a_person_does_not_settle_what_the_code_says_otherwise(tmp_path: Path) -> None:
    design = Design(pages=1, code=True)
    form = draw_small_form(tmp_path, "coded", design)
    picture = mark(form, {"q1": ["o1"]})
    stamp_code(picture, encode_code(PageCode("another", 1)))
    reading = read(Reader([form]), scan_like(picture), Told(form="coded", page=1))
    assert Reason.FORM_UNCERTAIN in reading.reasons


# What cannot be meant.


def test_corners_come_in_any_order(form: Form) -> None:
    square = [(10.0, 10.0), (90.0, 12.0), (88.0, 120.0), (12.0, 118.0)]
    for order in ((0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0)):
        assert order_corners([square[n] for n in order], 0).tolist() == [list(p) for p in square]


def test_the_first_corner_is_the_upper_left_one_of_the_upright_page() -> None:
    square = [(10.0, 10.0), (90.0, 12.0), (88.0, 120.0), (12.0, 118.0)]
    first = {turn: tuple(order_corners(square, turn)[0]) for turn in (0, 90, 180, 270)}
    assert first == {0: square[0], 90: square[3], 180: square[2], 270: square[1]}


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (10, 0), (10, 10)],
        [(0, 0), (100, 0), (50, 1), (50, 100)],
        [(5, 5), (5, 5), (5, 5), (5, 5)],
        [(0, 0), (100, 100), (50, 50), (20, 20)],
        [(0, 0), (100, 0), (float("nan"), 100), (0, 100)],
    ],
)
def test_four_points_that_are_no_page_are_said_to_be_none(
    corners: list[tuple[float, float]],
) -> None:
    with pytest.raises(BadArgumentsError, match="not the corners"):
        order_corners(corners, 0)


def test_a_form_or_page_that_is_not_there_is_said_not_to_be(form: Form, reader: Reader) -> None:
    picture = scan_like(mark(form, {}))
    for told in (Told(form="nowhere"), Told(form=form.id, page=3), Told(page=9)):
        with pytest.raises(BadArgumentsError, match="has that page"):
            read_again(reader, as_page(picture), told)


def test_a_page_of_a_count_is_read_again_by_the_count_s_own_settings(
    form: Form, tmp_path: Path
) -> None:
    photo = on_table(mark(form, random_choices(form, 3)), FAR_AWAY)
    path = write_image(tmp_path / "photo.png", photo)
    request = BatchRequest(files=(str(path),), forms=(form.id,))
    scan(tmp_path / "count", request, form.folder.parent)
    with Store(tmp_path / "count") as store:
        (record,) = store.sheets()
        assert record.form is None
        page = store.leaves(record.sheet)[0].id
        told = Told(corners=tuple(roughly(FAR_AWAY, photo)))
        look, image = look_again(store, load_kept_forms(store), record.sheet, page, told)
        assert isinstance(look.result, PageReading)
        assert marked(look.result) == wanted(form, 3)
        assert image.full_size == photo.shape[::-1]
        assert look.told.corners is not None
        assert look.told.corners[0] == pytest.approx(in_px(FAR_AWAY, photo)[0])
        with pytest.raises(BadArgumentsError, match="no such page"):
            look_again(store, load_kept_forms(store), record.sheet, page + 1, told)


def test_a_paper_that_was_scanned_again_meanwhile_does_not_count_twice(tmp_path: Path) -> None:
    single = draw_small_form(tmp_path / "forms", "single", Design(seed=4))
    page = mark(single, {contest.id: ["o2"] for contest in single.contests}, seed=6)
    photo = on_table(page, FAR_AWAY)
    paths = [
        write_image(tmp_path / "photo.png", photo),
        write_image(tmp_path / "scan.png", scan_like(page)),
    ]
    request = BatchRequest(files=tuple(map(str, paths)), forms=(single.id,))
    scan(tmp_path / "count", request, tmp_path / "forms")
    with Store(tmp_path / "count") as store:
        forms = load_kept_forms(store)
        refused_, counted = store.sheets()
        assert (refused_.form, counted.reasons) == (None, ())
        told = Told(corners=tuple(roughly(FAR_AWAY, photo)))
        page_id = store.leaves(refused_.sheet)[0].id
        look, _image = look_again(store, forms, refused_.sheet, page_id, told)
        kept = keep_look(store, forms, look, Hand("Lan", "the paper shows it"))
        for sheet in (counted.sheet, *kept.made):
            assert Reason.SAME_PAPER in store.sheet(sheet).reasons
        undo(store, forms, kept.id, Hand("Lan", "it is the same"))
        assert store.sheet(counted.sheet).reasons == ()
