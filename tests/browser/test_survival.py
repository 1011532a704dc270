"""What goes wrong around the page: a full disk, a server that is gone, tabs, scripts in texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scanner.counting.people import Role
from scanner.counting.store_base import CountDatabase
from scanner.errors import StorageError
from scanner.forms.template import Form, write_form
from tests.browser.conftest import Review, SignIn, serve
from tests.reviewed_counts import NAMES, PIN, add_people
from tests.stored_counts import ink, make_count
from tests.synthetic import draw_small_form

NewPage = Callable[..., Page]
MARKUP = "<img src=x onerror='window.ran=1'><script>window.ran=1</script>"


@pytest.fixture
def doubt(page: Page, review: Review, signed_in: SignIn) -> Page:
    """A reader at the first doubt, one option chosen."""
    signed_in(page, Role.READER)
    with page.expect_response("**/desk/hold*"):
        page.goto(review.url("/desk/next"))
    page.keyboard.press("1")
    return page


def decided(review: Review) -> int:
    """How many decisions there are."""
    return sum(len(made) for made in review.desk.store.decisions().values())


@contextmanager
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing can be written."""

    @contextmanager
    def refuse(store: CountDatabase) -> Iterator[None]:
        raise StorageError("The disk is full.", remedy="Make room.", path=store.folder)
        yield

    with monkeypatch.context() as patch:
        patch.setattr(CountDatabase, "_write", refuse)
        yield


def test_a_full_disk_is_said_and_the_decision_is_made_again(
    doubt: Page, review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    with full_disk(monkeypatch):
        doubt.keyboard.press("Enter")
        expect(doubt.get_by_role("alert")).to_contain_text("The disk is full. Make room.")
    assert decided(review) == 0
    before = doubt.locator("#place #doubt").get_attribute("data-url") or ""
    doubt.keyboard.press("Enter")
    expect(doubt.locator("#place #doubt")).not_to_have_attribute("data-url", before)
    assert decided(review) == 1
    assert review.desk.store.verify() == []


def test_a_full_disk_is_said_to_who_signs_in(
    page: Page, review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.goto(review.guard.address())
    page.locator("#name").fill(NAMES[Role.READER])
    page.locator("#pin").fill(PIN)
    with full_disk(monkeypatch):
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("The disk is full.")


def test_a_server_that_is_gone_is_said_and_nothing_seems_saved(doubt: Page, review: Review) -> None:
    place = doubt.locator("#place #doubt").get_attribute("data-url") or ""
    doubt.route("**/desk/decide", lambda route: route.abort())
    doubt.keyboard.press("Enter")
    expect(doubt.get_by_role("alert")).to_contain_text("Nothing was saved")
    expect(doubt.locator("#place #doubt")).to_have_attribute("data-url", place)
    assert decided(review) == 0


def test_signed_out_in_one_tab_the_other_says_so_and_leads_back(
    doubt: Page, review: Review
) -> None:
    other = doubt.context.new_page()
    other.goto(review.url("/log"))
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/sign-in")
    doubt.keyboard.press("Enter")
    expect(doubt.get_by_role("alert")).to_be_visible()
    assert decided(review) == 0
    doubt.reload()
    expect(doubt.locator("h1")).to_have_text("Sign in")


def test_two_tabs_of_one_person_work_side_by_side(doubt: Page, review: Review) -> None:
    other = doubt.context.new_page()
    other.goto(review.url("/log"))
    here = doubt.url
    doubt.keyboard.press("Enter")
    expect(doubt).not_to_have_url(here)
    expect(doubt.locator("#messages .bad")).to_have_count(0)
    other.reload()
    expect(other.locator(".person")).to_be_visible()
    assert decided(review) == 1


def test_a_note_that_is_too_long_is_said_and_can_be_shortened(doubt: Page, review: Review) -> None:
    answer = doubt.evaluate(
        """async () => {
            const { post } = await import("/static/base.js");
            try { await post("/desk/note", { text: "x".repeat(10_000_000) }); } catch (e) {
                return [e.status, e.message];
            }
        }"""
    )
    assert answer[0] == 413
    expect(doubt.get_by_role("alert")).to_contain_text("at most 64 kB")
    assert decided(review) == 0


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A count of a form of which every text is markup, by a person of such a name."""
    drawn = draw_small_form(tmp_path / "forms", "hostile")
    contests = tuple(
        contest.model_copy(
            update={
                "title": MARKUP,
                "options": tuple(
                    one.model_copy(update={"label": MARKUP}) for one in contest.options
                ),
            }
        )
        for contest in drawn.contests
    )
    form: Form = drawn.model_copy(update={"title": MARKUP, "contests": tuple(contests)})
    form._folder = drawn.folder
    write_form(form, drawn.folder)
    targets = [ink(0.09) if number % 3 == 0 else ink(0.0) for number in range(18)]
    count = make_count(tmp_path / "count", form, [[targets]] * 3)
    add_people(count)
    return count


def test_markup_in_labels_names_and_notes_is_text_on_every_page(
    hostile: Path, new_page: NewPage
) -> None:
    with serve(hostile) as review:
        store = review.desk.store
        store.add_person(MARKUP[:80], PIN, Role.COMMITTEE, NAMES[Role.COMMITTEE])
        store.note_on(1, "q1", MARKUP[:80], MARKUP)
        page = new_page()
        page.goto(review.guard.address())
        page.locator("#name").fill(MARKUP[:80])
        page.locator("#pin").fill(PIN)
        page.keyboard.press("Enter")
        page.locator(".person").wait_for()
        page.wait_for_load_state()
        shown = 0
        for path in ("/", "/desk", "/desk/1/q1", "/wall", "/check", "/words", "/log", "/people"):
            page.goto(review.url(path))
            page.wait_for_load_state("networkidle")
            assert page.evaluate("window.ran") is None, path
            assert page.locator("img[src=x]").count() == 0, path
            shown += "onerror" in page.locator("body").inner_text()
        assert shown >= 5
