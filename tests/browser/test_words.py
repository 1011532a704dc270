"""Words people wrote, in a browser: typed one after the other without leaving the keyboard."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from scanner.counting.people import Role
from scanner.counting.words import Kind
from tests.browser.conftest import PHONE, Review, SignIn, sign_out

ZONE = re.compile("/words/zone")
WRITTEN = "12 places are written on"


def at(page: Page) -> tuple[int, str]:
    """The place that is shown."""
    asked = parse_qs(urlsplit(page.url).query)
    return int(asked["sheet"][0]), asked["comment"][0]


def begin(review: Review, page: Page) -> None:
    """Wait until all pages are looked at, and begin to type."""
    page.goto(review.url("/words"))
    expect(page.locator("#found")).to_contain_text(WRITTEN)
    looked = page.locator("#looking-text")
    expect(looked).to_have_text(re.compile(r"^(\d+) of \1 pages"))
    page.keyboard.press("Enter")
    page.wait_for_url(ZONE)


def leave(page: Page, key: str) -> tuple[int, str]:
    """Press a key that leads to the next place; which one it left."""
    before = at(page)
    with page.expect_navigation():
        page.keyboard.press(key)
    assert at(page) != before
    return before


def test_words_are_typed_with_the_keyboard_alone(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page, Role.READER)
    begin(review, page)
    expect(page.locator(".zone img")).to_be_visible()
    page.keyboard.type("Cán bộ nhiệt tình")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("Cảm ơn")
    typed = leave(page, "Enter")
    illegible = leave(page, "F9")
    nothing = leave(page, "F8")
    skipped = leave(page, "PageDown")
    found = review.desk.store.typed_words()
    assert found[typed].text == "Cán bộ nhiệt tình\nCảm ơn"
    assert found[illegible].kind is Kind.ILLEGIBLE
    assert found[nothing].kind is Kind.NOTHING
    assert skipped not in found
    leave(page, "PageUp")
    expect(page.locator("#text")).to_be_focused()


def test_words_are_typed_with_the_mouse_and_mended(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page)
    begin(review, page)
    first = at(page)
    page.get_by_role("button", name="Save, next").click()
    expect(page.locator("#messages")).to_contain_text("Type the words")
    page.locator("#text").fill("Tốt lám")
    with page.expect_navigation():
        page.get_by_role("button", name="Save, next").click()
    page.get_by_role("link", name="Overview").click()
    row = page.locator("tbody tr")
    expect(row).to_contain_text("Tốt lám")
    row.get_by_role("link").click()
    page.wait_for_url(ZONE)
    expect(page.locator("#text")).to_have_value("Tốt lám")
    page.locator("#text").fill("Tốt lắm")
    with page.expect_navigation():
        page.get_by_role("button", name="Save, next").click()
    texts = [words.text for words in review.desk.store.word_versions(*first)]
    assert texts == ["Tốt lám", "Tốt lắm"]


def test_an_observer_sees_that_words_are_private(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page)
    begin(review, page)
    page.locator("#text").fill("Bí mật")
    leave(page, "Enter")
    sign_out(page)
    signed_in(page, Role.OBSERVER)
    page.goto(review.url("/words"))
    expect(page.locator("tbody")).to_contain_text("private")
    expect(page.locator("body")).not_to_contain_text("Bí mật")
    page.get_by_role("button", name="Look through").click()
    expect(page.locator("main")).to_contain_text("What is written here is private")
    expect(page.locator("main img")).to_have_count(0)
    expect(page.locator("#text")).to_have_count(0)


def test_typing_fits_a_phone(review: Review, page: Page, signed_in: SignIn) -> None:
    page.set_viewport_size(PHONE)
    signed_in(page)
    begin(review, page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(page.get_by_role("button", name="Save, next")).to_be_in_viewport()
