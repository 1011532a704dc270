"""Refused sheets are put right in the browser, with the mouse and with the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from scanner.ballot import Reason
from scanner.counting.people import Role
from scanner.counting.reworked import ReworkKind
from tests.browser.conftest import PHONE, Review, SignIn, serve
from tests.loose_counts import FAR_AWAY, TABLE, scan_loose
from tests.reviewed_counts import NAMES, add_people, copy_count

WHOLE, FRONT, PHOTO, CAT, FOREIGN, MARKET, BROKEN = range(1, 8)
"""The sheets, as :func:`tests.loose_counts.scan_loose` tells."""

LOADED_WIDTH = "image => image.decode().then(() => image.naturalWidth)"
"""The width of a picture once it has come."""


@pytest.fixture(scope="session")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A count with sheets to be put right, and people."""
    count = scan_loose(tmp_path_factory.mktemp("loose"))
    add_people(count)
    return count


@pytest.fixture
def review(loose: Path, tmp_path: Path) -> Iterator[Review]:
    """A server on a copy of that count."""
    with serve(copy_count(loose, tmp_path / "count")) as running:
        yield running


@pytest.fixture
def bench(page: Page, signed_in: SignIn, review: Review) -> Callable[..., Page]:
    """Opens a sheet: ``bench(sheet)``."""

    def open_sheet(sheet: int, role: Role = Role.READER) -> Page:
        signed_in(page, role)
        page.goto(review.url(f"/refused/{sheet}"))
        return page

    return open_sheet


def expect_title(page: Page, title: str) -> None:
    """Wait for the page that an action leads to, and for its script."""
    expect(page.locator("h1")).to_have_text(title)
    page.wait_for_load_state()


def standing(review: Review) -> list[int]:
    return [record.sheet for record in review.desk.store.sheets()]


def drag_corners(page: Page) -> None:
    """Put each handle on its corner of the page on the photograph."""
    image = page.locator("#scan-image").bounding_box()
    assert image is not None
    for place, (x, y) in enumerate(FAR_AWAY):
        handle = page.locator(".handle").nth(place).bounding_box()
        assert handle is not None
        page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
        page.mouse.down()
        page.mouse.move(
            image["x"] + x / TABLE[0] * image["width"],
            image["y"] + y / TABLE[1] * image["height"],
            steps=3,
        )
        page.mouse.up()


def handle_at(page: Page, place: int) -> tuple[float, float]:
    """Where a handle is, in pixels of the picture."""
    moved = page.locator(".handle").nth(place).get_attribute("transform") or ""
    x, y = re.findall(r"-?[\d.]+", moved)
    return float(x), float(y)


def walk(handle: Locator, page: Page, place: int, to: tuple[float, float]) -> None:
    """Move a corner with the arrow keys alone."""
    handle.focus()
    for axis, keys in enumerate((("ArrowLeft", "ArrowRight"), ("ArrowUp", "ArrowDown"))):
        for prefix in ("Shift+", ""):
            for _press in range(80):
                away = to[axis] - handle_at(page, place)[axis]
                step = (0.02 if prefix else 0.002) * 1100
                if abs(away) <= step * 0.6:
                    break
                page.keyboard.press(prefix + keys[away > 0])


def test_the_list_says_what_waits_and_why(page: Page, signed_in: SignIn, review: Review) -> None:
    signed_in(page, Role.READER)
    page.goto(review.url("/refused"))
    cards = page.locator("#loose .sheet")
    expect(cards.locator("strong")).to_have_text(
        ["Sheet 0002", "Sheet 0003", "Sheet 0004", "Sheet 0005"]
    )
    expect(cards.nth(0)).to_contain_text("A page of this sheet is missing.")
    expect(cards.nth(1)).to_contain_text("not of any registered form")
    for place in range(4):
        assert cards.nth(place).locator("img").evaluate(LOADED_WIDTH) > 0
    files = page.get_by_role("region", name="Files that cannot be opened")
    expect(files).to_contain_text("broken.pdf")
    expect(files).to_contain_text("scan its sheets again")


def test_corners_dragged_with_the_mouse_make_a_sheet_whole(
    bench: Callable[..., Page], review: Review
) -> None:
    page = bench(PHOTO)
    page.get_by_role("button", name="Four corners").click()
    drag_corners(page)
    page.get_by_role("button", name="Read again").click()
    expect(page.locator("#found-title")).to_contain_text("page 2")
    expect(page.locator("#places .marked")).to_have_count(4)
    # Nothing is kept before somebody says so.
    assert standing(review) == list(range(1, 8))
    page.get_by_role("button", name="Keep it").click()
    expect_title(page, "Sheet 0008")
    expect(page.locator("#messages")).to_contain_text("Sheet 0003: read again.")
    page.get_by_role("button", name="Join with sheet 0002").click()
    expect(page.locator("#messages")).to_contain_text("made one sheet")
    assert standing(review) == [WHOLE, CAT, FOREIGN, MARKET, BROKEN, 9]
    record = review.desk.store.sheet(9)
    assert (record.form, record.reasons) == ("ward", ())
    assert {one.marked for one in record.contests} == {("o1",), ("o2",), ("o3",)}
    (first, second) = review.desk.store.reworks()
    assert [first.kind, second.kind] == [ReworkKind.READ_AGAIN, ReworkKind.PAIRED]
    assert first.by == NAMES[Role.READER]
    assert review.desk.store.verify() == []


def test_the_same_is_done_with_the_keyboard_alone(
    bench: Callable[..., Page], review: Review
) -> None:
    page = bench(PHOTO)
    page.keyboard.press("c")
    expect(page.locator(".handle").nth(0)).to_be_focused()
    width = float(page.locator("#scan").get_attribute("data-width") or 0)
    for place, (x, y) in enumerate(FAR_AWAY):
        at = float(x) * width / TABLE[0], float(y) * width / TABLE[0]
        walk(page.locator(".handle").nth(place), page, place, at)
    page.locator("#as-page").focus()
    page.keyboard.press("End")
    expect(page.locator("#as-page")).to_have_value("ward/2")
    page.keyboard.press("Tab")
    page.keyboard.press("r")
    expect(page.locator("#found-title")).to_contain_text("page 2")
    page.keyboard.press("k")
    expect_title(page, "Sheet 0008")
    assert review.desk.store.sheet(8).form == "ward"


def test_what_was_read_can_be_discarded(bench: Callable[..., Page], review: Review) -> None:
    page = bench(FRONT)
    page.keyboard.press("r")
    expect(page.locator("#found-title")).to_contain_text("page 1")
    expect(page.locator("#laid")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_be_hidden()
    expect(page.locator("#scan")).to_be_visible()
    assert standing(review) == list(range(1, 8))


def test_a_page_is_turned_by_keys_and_its_corners_turn_along(bench: Callable[..., Page]) -> None:
    page = bench(PHOTO)
    image = page.locator("#scan-image")
    wide = float(image.get_attribute("width") or 0)
    page.keyboard.press("]")
    assert float(image.get_attribute("height") or 0) == wide
    expect(image).to_have_attribute("href", re.compile("turn=90"))
    page.keyboard.press("c")
    before = [*map(pytest.approx, (handle_at(page, place) for place in range(4)))]
    page.keyboard.press("[")
    expect(image).to_have_attribute("href", re.compile("turn=0"))
    page.keyboard.press("]")
    assert [handle_at(page, place) for place in range(4)] == before


def test_a_wrong_form_is_refused_or_doubtful_and_says_why(bench: Callable[..., Page]) -> None:
    page = bench(CAT)
    page.locator("#as-page").select_option("ward/1")
    page.locator("#read").click()
    expect(page.locator("#found-title")).to_contain_text("could not be read")
    expect(page.locator("#found-lines")).to_contain_text("Put the corners where they belong")
    expect(page.locator("#keep")).to_be_hidden()


@pytest.mark.parametrize(
    ("button", "reason"),
    [("No ballot of this count", Reason.FOREIGN_SHEET), ("Void", Reason.VOID_SHEET)],
)
def test_a_sheet_is_set_aside_and_taken_back(
    bench: Callable[..., Page], review: Review, button: str, reason: Reason
) -> None:
    page = bench(CAT)
    page.get_by_text("It is not to be counted").click()
    page.locator("#why").fill("A picture of a cat.")
    page.get_by_role("button", name=button, exact=True).click()
    expect_title(page, "Refused sheets and loose pages")
    assert review.desk.store.sheet(8).reasons == (reason,)
    assert review.desk.store.reworks()[0].why == "A picture of a cat."
    expect(page.locator("#loose strong")).not_to_contain_text(["Sheet 0004"])
    page.get_by_role("button", name=re.compile("^Undo: Sheet 0004")).click()
    expect_title(page, "Sheet 0004")
    assert standing(review) == list(range(1, 8))


def test_a_copy_names_its_sheet(bench: Callable[..., Page], review: Review) -> None:
    page = bench(FRONT)
    page.get_by_text("It is not to be counted").click()
    page.locator("#copy-of").fill(str(FRONT))
    page.get_by_role("button", name="It is a copy").click()
    expect(page.locator("#messages")).to_contain_text("of which other sheet")
    assert standing(review) == list(range(1, 8))
    page.locator("#copy-of").fill(str(WHOLE))
    page.get_by_role("button", name="It is a copy").click()
    expect(page.locator("#messages")).to_contain_text("a copy of sheet 0001")
    assert review.desk.store.sheet(8).reasons == (Reason.COPY_OF_SHEET,)


def test_answers_that_nobody_can_read_are_typed_on_the_desk(
    bench: Callable[..., Page], review: Review
) -> None:
    page = bench(FOREIGN)
    page.get_by_text("Nothing helps").click()
    page.locator("#type-as").select_option("market")
    page.get_by_role("button", name="Type the answers by hand").click()
    page.wait_for_url("**/desk/8/q1")
    expect(page.locator("#doubt")).to_contain_text("typed by hand")
    record = review.desk.store.sheet(8)
    assert {one.reasons for one in record.contests} == {(Reason.TYPED_BY_HAND,)}


def test_a_sheet_that_was_paired_wrongly_is_taken_apart(
    bench: Callable[..., Page], review: Review
) -> None:
    page = bench(WHOLE)
    page.get_by_role("button", name="Take the sheet apart").click()
    expect(page.locator("#messages")).to_contain_text("taken apart")
    assert standing(review) == [*range(2, 8), 8, 9]


def test_a_file_that_cannot_be_opened_can_only_be_set_aside(bench: Callable[..., Page]) -> None:
    page = bench(BROKEN)
    expect(page.locator("#bench")).to_contain_text("cannot be opened at all")
    expect(page.locator("#read-form")).to_have_count(0)
    expect(page.locator("#type-form")).to_have_count(0)
    expect(page.get_by_role("button", name="Void", exact=True)).to_be_visible()


def test_an_observer_sees_all_and_changes_nothing(
    bench: Callable[..., Page], review: Review
) -> None:
    page = bench(PHOTO, Role.OBSERVER)
    expect(page.locator("#scan-image")).to_be_visible()
    expect(page.locator("#read-form")).to_have_count(0)
    expect(page.locator("#corners")).to_be_disabled()
    expect(page.locator(".doing button")).to_have_count(0)
    csrf = page.locator('meta[name="csrf"]').get_attribute("content") or ""
    for path, body in (
        (f"/refused/{PHOTO}/read", {"page": 1}),
        (f"/refused/{PHOTO}/aside", {"kind": "void", "why": "no"}),
        (f"/refused/{WHOLE}/apart", {"why": "no"}),
    ):
        headers = {"X-CSRF-Token": csrf, "Origin": review.address}
        answer = page.request.post(review.url(path), data=body, headers=headers)
        assert answer.status == 403
    assert standing(review) == list(range(1, 8))


def test_somebody_else_s_look_is_not_kept(
    bench: Callable[..., Page], review: Review, signed_in: SignIn, new_page: Callable[..., Page]
) -> None:
    page = bench(FRONT)
    with page.expect_response("**/read") as answer:
        page.keyboard.press("r")
    look = answer.value.json()["look"]
    other = signed_in(new_page(), Role.COMMITTEE)
    csrf = other.locator('meta[name="csrf"]').get_attribute("content") or ""
    headers = {"X-CSRF-Token": csrf, "Origin": review.address}
    body = {"look": look, "why": "mine"}
    kept = other.request.post(review.url(f"/refused/{FRONT}/keep"), data=body, headers=headers)
    assert kept.status == 400
    assert standing(review) == list(range(1, 8))


def test_a_sheet_that_somebody_is_at_is_left_to_them(
    bench: Callable[..., Page], review: Review
) -> None:
    page = bench(FRONT)
    store = review.desk.store
    lan = store.find_person(NAMES[Role.COMMITTEE])
    assert lan is not None
    assert store.hold(FRONT, lan.id) is None
    page.get_by_text("It is not to be counted").click()
    page.get_by_role("button", name="Void", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("is at sheet 0002 now")
    assert standing(review) == list(range(1, 8))


def test_it_fits_a_phone(new_page: Callable[..., Page], signed_in: SignIn, review: Review) -> None:
    page = signed_in(new_page(PHONE), Role.READER)
    for path in ("/refused", f"/refused/{PHOTO}", f"/refused/{WHOLE}"):
        page.goto(review.url(path))
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
