"""Pictures show what is on the paper, at its place, and cover what is private."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from scanner.ballot import MarkState
from scanner.counting.people import Role
from scanner.counting.records import IMAGES_FOLDER
from scanner.counting.store import Store
from scanner.counting.store_pictures import PicturedPage
from scanner.errors import InputError
from scanner.forms.template import Contest, Form, Option, Page, read_form
from scanner.geometry import Box
from scanner.publishing.crops import contest_box, header_box
from scanner.publishing.cutting import MASK_GRAY, OUTSIDE_GRAY, Mask, Picture, lay, long_side_px
from scanner.review import decoding, picture_cache
from scanner.review.picture_cache import CacheFolder, Recent
from scanner.review.pictures import NoSuchPictureError, Pictures, Wanted
from scanner.review.server import open_desk
from tests.review_client import open_office
from tests.reviewed_counts import ONE_PAGE, SHIPPED, TWO_PAGES, copy_count

Gray = NDArray[np.uint8]
DOUBTFUL = 20
"""A sheet that is signed, with a faint cross in the first question and two in the second."""


@pytest.fixture(scope="module")
def folder(staffed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_count(staffed, tmp_path_factory.mktemp("pictures") / "count")


@pytest.fixture(scope="module")
def pictures(folder: Path) -> Iterator[Pictures]:
    with open_desk(folder) as desk:
        yield desk.pictures


@pytest.fixture(scope="module")
def form() -> Form:
    return read_form(SHIPPED / ONE_PAGE)


def decode(picture: Picture) -> Gray:
    data = np.frombuffer(picture.jpeg, np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def part(picture: Picture, box: Box) -> Gray:
    """What a picture shows of a part of the form."""
    assert picture.box is not None
    scale = picture.width / picture.box.w
    inner = Box(box.x - picture.box.x, box.y - picture.box.y, box.w, box.h).scaled(scale, scale)
    gray = decode(picture)
    return gray[round(inner.y) : round(inner.bottom), round(inner.x) : round(inner.right)]


def ink(gray: Gray) -> float:
    return float((gray < 128).mean())


def likeness(one: Gray, other: Gray) -> float:
    return float(cv2.matchTemplate(one, other, cv2.TM_CCOEFF_NORMED).max())


# --- what is shown ------------------------------------------------------------------------------


def test_a_place_on_the_form_is_that_place_on_the_picture(pictures: Pictures, form: Form) -> None:
    scan = pictures.page_jpeg(DOUBTFUL, 1, masked=False)
    second = form.contests[1]
    marked, also, left = (part(scan, option.box) for option in second.options)
    assert ink(marked) > 1.5 * ink(left)
    assert ink(also) > 1.5 * ink(left)


def test_a_crop_is_aligned_with_the_same_crop_of_the_blank(pictures: Pictures) -> None:
    scan = decode(pictures.crop_jpeg(DOUBTFUL, "q3", masked=False))
    blank = decode(pictures.blank_crop_jpeg(ONE_PAGE, "q3"))
    other = decode(pictures.blank_crop_jpeg(ONE_PAGE, "q4"))
    assert scan.shape == blank.shape
    assert likeness(scan, blank) > 0.9
    assert likeness(scan, other[: scan.shape[0], : scan.shape[1]]) < 0.7


def test_a_crop_shows_the_question_and_every_option(pictures: Pictures) -> None:
    for form_id in (ONE_PAGE, TWO_PAGES):
        form = read_form(SHIPPED / form_id)
        for contest in form.contests:
            number = contest.options[0].page
            box = pictures.crop_box(form, contest, number)
            for option in contest.options:
                assert box.x <= option.x
                assert box.y <= option.y
                assert option.box.right <= box.right
                assert option.box.bottom <= box.bottom


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("scale", [3.0, 6.0])
def test_a_scan_that_lies_turned_is_shown_upright(degrees: int, scale: float) -> None:
    upright = np.full((600, 400), 255, np.uint8)
    upright[60:120, 240:360] = 0
    scan = np.ascontiguousarray(np.rot90(upright, degrees // 90))
    turned_back = {
        0: np.eye(3),
        90: np.array([[0, -1, 399], [1, 0, 0], [0, 0, 1]]),
        180: np.array([[-1, 0, 399], [0, -1, 599], [0, 0, 1]]),
        270: np.array([[0, 1, 0], [-1, 0, 599], [0, 0, 1]]),
    }[degrees]
    to_form = np.diag([0.25, 0.25, 1.0]) @ turned_back
    shown = lay(scan, to_form, Box(50, 10, 50, 40), scale)
    assert shown.shape == (round(40 * scale), round(50 * scale))
    black = np.argwhere(shown < 128) / scale
    assert np.allclose(black.min(axis=0), [5, 10], atol=0.6)
    assert np.allclose(black.max(axis=0), [20, 40], atol=0.6)


def test_where_there_is_no_paper_it_is_grey() -> None:
    scan = np.full((100, 100), 255, np.uint8)
    shown = lay(scan, np.eye(3), Box(-50, 0, 100, 100), 1.0)
    assert (shown[:, :49] == OUTSIDE_GRAY).all()
    assert (shown[:, 51:] == 255).all()


def test_a_scan_is_decoded_as_finely_as_the_picture_needs() -> None:
    page = Box(0, 0, 210, 297)
    at_300_dpi = np.diag([25.4 / 300, 25.4 / 300, 1.0])
    assert long_side_px(at_300_dpi, page, 5.0) == pytest.approx(297 * 5, abs=2)
    assert long_side_px(at_300_dpi, page, 50.0) == pytest.approx(297 / 25.4 * 300, abs=2)


def test_the_head_of_a_table_goes_with_each_row_but_the_first() -> None:
    form = read_form(SHIPPED / "bao_lam_huyen")
    crops = {one.id: contest_box(form, one, 1) for one in form.contests}
    heads = {one.id: header_box(form, one, box) for one in form.contests if (box := crops[one.id])}
    assert heads["m1"] is None
    assert heads["linh_vuc"] is None
    for row in ("m2", "m8"):
        head, first, own = heads[row], crops["m1"], crops[row]
        assert head is not None
        assert first is not None
        assert own is not None
        assert head.bottom < own.y
        assert (head.x, head.w) == (own.x, own.w)


def test_questions_one_below_the_other_are_no_table(form: Form) -> None:
    for contest in form.contests:
        box = contest_box(form, contest, 1)
        assert box is not None
        assert header_box(form, contest, box) is None


def test_a_question_beside_another_is_shown_without_it() -> None:
    def column(name: str, x: float) -> Contest:
        options = tuple(Option(id=f"o{n}", x=x, y=40 + 8 * n, w=4, h=4) for n in range(3))
        return Contest(id=name, options=options)

    page = Page(number=1, blank="page-1.png", width_mm=210, height_mm=297)
    form = Form(id="two", pages=(page,), contests=(column("left", 20), column("right", 120)))
    left, right = (contest_box(form, one, 1) for one in form.contests)
    assert left is not None
    assert right is not None
    assert left.right < 120
    assert right.x > 24


# --- many at once -------------------------------------------------------------------------------


def test_many_targets_are_those_that_were_asked_for(pictures: Pictures, folder: Path) -> None:
    with Store(folder) as store:
        boxes = [box for box in store.boxes() if box.sheet in {1, 12, DOUBTFUL}]
    wanted = [Wanted(box.sheet, box.target.contest, box.target.option) for box in boxes]
    wanted.insert(3, Wanted(999, "q1", "o1"))
    wanted.insert(5, Wanted(1, "q1", "unknown"))
    made = pictures.target_jpegs(wanted, masked=True)
    assert made[3] is None
    assert made[5] is None
    del made[5], made[3], wanted[5], wanted[3]
    for one, box, picture in zip(wanted, boxes, made, strict=True):
        assert picture is not None
        alone = pictures.target_jpeg(one.sheet, one.contest, one.option, masked=True)
        assert picture == alone
        if box.target.state is MarkState.MARKED:
            blank = pictures.blank_jpeg(box.form, box.page, picture.width, picture.box)
            assert decode(picture).mean() < decode(blank).mean()


def test_a_picture_is_the_same_whoever_asks_at_the_same_time(staffed: Path, tmp_path: Path) -> None:
    count = copy_count(staffed, tmp_path / "count")
    with open_desk(count) as desk, ThreadPoolExecutor(8) as people:
        asked = [people.submit(desk.pictures.page_jpeg, n, 1, masked=True) for n in [1, 11, 20] * 8]
        found = [one.result().sha256 for one in asked]
    assert len(set(found)) == 3
    assert found[:3] == found[3:6]


# --- what is private ----------------------------------------------------------------------------


def test_private_zones_are_covered(pictures: Pictures, form: Form) -> None:
    (zone,) = form.private
    box = Box(zone.x, zone.y, zone.w, zone.h)
    open_page = part(pictures.page_jpeg(DOUBTFUL, 1, masked=Mask.NOTHING), box)
    covered = part(pictures.page_jpeg(DOUBTFUL, 1, masked=Mask.PRIVATE), box)
    assert ink(open_page) > 0.005
    assert ink(covered) == 0
    assert abs(covered.astype(int) - MASK_GRAY).max() <= 6


def test_a_part_of_a_private_zone_is_covered_too(pictures: Pictures, form: Form) -> None:
    (zone,) = form.private
    shown = Box(zone.x + 30, zone.y + 4, 20, 6)
    picture = pictures.box_jpeg(DOUBTFUL, 1, shown, width_px=400, masked=True)
    assert abs(decode(picture).astype(int) - MASK_GRAY).max() <= 6


def test_what_people_wrote_is_covered_for_observers_alone(pictures: Pictures, form: Form) -> None:
    words = next(one.box for one in form.comments if one.id == "comment-1")
    for mask, is_covered in ((Mask.PRIVATE, False), (Mask.WORDS_TOO, True)):
        shown = part(pictures.page_jpeg(DOUBTFUL, 1, masked=mask), words)
        assert (ink(shown) == 0) is is_covered


def test_the_role_decides_what_is_covered(staffed: Path, tmp_path: Path, form: Form) -> None:
    (zone,) = form.private
    box = Box(zone.x, zone.y, zone.w, zone.h)
    with open_office(copy_count(staffed, tmp_path / "count")) as office:
        page = office.desk.pictures.page_jpeg(DOUBTFUL, 1, masked=False)
        for role in Role:
            answer = office.person(role).ask(f"/picture/sheet/{DOUBTFUL}/page/1")
            assert answer.headers["content-type"] == "image/jpeg"
            shown = part(replace(page, jpeg=answer.content), box)
            assert (ink(shown) > 0.005) is (role is Role.COMMITTEE), role


def test_an_observer_sees_no_page_on_which_nobody_knows_what_is_private(
    staffed: Path, tmp_path: Path
) -> None:
    with open_office(copy_count(staffed, tmp_path / "count")) as office:
        refused = first_refused(office.desk.store)
        for role, status in ((Role.READER, 200), (Role.OBSERVER, 403)):
            answer = office.person(role).ask(f"/picture/raw/{refused.page}?turn=90&width=300")
            assert answer.status_code == status


def first_refused(store: Store) -> PicturedPage:
    pages = store.pictured_pages(record.sheet for record in store.sheets())
    return next(page for page in pages if page.form is None)


def test_a_page_as_scanned_is_covered_where_its_form_is_known(
    pictures: Pictures, folder: Path
) -> None:
    with Store(folder) as store:
        (page,) = store.pictured_pages([DOUBTFUL])
    shown, covered = (pictures.raw_jpeg(page.page, masked=mask) for mask in (False, True))
    assert (decode(covered) == MASK_GRAY).mean() > (decode(shown) == MASK_GRAY).mean() + 0.02


def test_a_page_as_scanned_is_turned(pictures: Pictures, folder: Path) -> None:
    with Store(folder) as store:
        refused = first_refused(store)
    shown = pictures.raw_jpeg(refused.page, masked=True)
    turned = pictures.raw_jpeg(refused.page, shown.height, degrees=90, masked=True)
    assert (turned.width, turned.height) == (shown.height, shown.width)
    assert likeness(np.rot90(decode(shown), -1).copy(), decode(turned)) > 0.98


# --- what is kept -------------------------------------------------------------------------------


def test_the_hash_is_that_of_what_was_shown(pictures: Pictures) -> None:
    picture = pictures.crop_jpeg(DOUBTFUL, "q1", masked=True)
    assert picture.sha256 == hashlib.sha256(picture.jpeg).hexdigest()


def test_a_picture_survives_the_program(staffed: Path, tmp_path: Path) -> None:
    count = copy_count(staffed, tmp_path / "count")
    found = []
    for _start in range(2):
        with open_desk(count) as desk:
            found.append(desk.pictures.crop_jpeg(DOUBTFUL, "q1", masked=True))
        for image in (count / IMAGES_FOLDER).iterdir():
            image.unlink()
    assert found[0] == found[1]


def test_a_spoilt_cache_is_no_spoilt_picture(staffed: Path, tmp_path: Path) -> None:
    count = copy_count(staffed, tmp_path / "count")
    with open_desk(count) as desk:
        first = desk.pictures.crop_jpeg(DOUBTFUL, "q1", masked=True)
    kept = [path for path in (count / "cache" / "review").rglob("*") if path.is_file()]
    assert kept
    for number, path in enumerate(kept):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if number % 2 else b"")
    with open_desk(count) as desk:
        assert desk.pictures.crop_jpeg(DOUBTFUL, "q1", masked=True) == first


def test_a_cache_that_cannot_be_written_costs_no_picture(staffed: Path, tmp_path: Path) -> None:
    count = copy_count(staffed, tmp_path / "count")
    (count / "cache").mkdir(exist_ok=True)
    (count / "cache" / "review").write_text("not a folder", encoding="utf-8")
    with open_desk(count) as desk:
        assert desk.pictures.crop_jpeg(DOUBTFUL, "q1", masked=True).jpeg


def test_memory_is_bounded_by_size_and_the_latest_stay() -> None:
    recent = Recent[bytes](100, len)
    for number in range(10):
        recent.put(str(number), bytes(30))
        recent.get("0")
    assert [name for name in map(str, range(10)) if recent.get(name) is not None] == ["0", "8", "9"]
    recent.put("large", bytes(1000))
    assert recent.get("large") is not None
    assert recent.get("9") is None


def test_what_was_made_once_is_not_decoded_again(
    staffed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_desk(copy_count(staffed, tmp_path / "count")) as desk:
        first = desk.pictures.crop_jpeg(DOUBTFUL, "q2", masked=True)
        monkeypatch.setattr(decoding, "load_page", None)
        assert desk.pictures.crop_jpeg(DOUBTFUL, "q2", masked=True) is first
        # The page that it was cut from is still in memory.
        assert desk.pictures.crop_jpeg(DOUBTFUL, "q4", masked=True).jpeg


def test_the_oldest_of_too_large_a_cache_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_cache, "MOST_ON_DISK_BYTES", 500)
    folder = CacheFolder(tmp_path / "cache")
    for number in range(10):
        folder.put(str(number), bytes(100))
        os.utime(folder._path(str(number)), (number, number))
    folder.clear_out()
    left = [number for number in range(10) if folder.get(str(number)) is not None]
    assert left == [7, 8, 9]


def test_a_scan_that_is_gone_is_told_in_words(staffed: Path, tmp_path: Path) -> None:
    count = copy_count(staffed, tmp_path / "count")
    for image in (count / IMAGES_FOLDER).iterdir():
        image.unlink()
    with open_office(count) as office:
        with pytest.raises(InputError):
            office.desk.pictures.page_jpeg(1, 1, masked=True)
        answer = office.person().ask("/picture/sheet/1/page/1")
        assert answer.status_code == 422
        assert "cannot be opened" in answer.json()["message"]
        assert str(count) not in answer.text


@pytest.mark.parametrize(
    ("sheet", "contest"), [(999, "q1"), (1, "no such"), (1, "../q1"), (25, "q1")]
)
def test_what_is_not_there_is_told(pictures: Pictures, sheet: int, contest: str) -> None:
    with pytest.raises(NoSuchPictureError):
        pictures.crop_jpeg(sheet, contest, masked=True)
