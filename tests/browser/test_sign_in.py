"""Coming in, signing in and out, in both languages, with the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from scanner.counting.people import Role
from tests.browser.conftest import PHONE, Review, SignIn, serve, sign_out
from tests.reviewed_counts import NAMES, PIN, copy_count

NewPage = Callable[..., Page]


def test_a_person_signs_in_and_out(page: Page, signed_in: SignIn) -> None:
    signed_in(page, Role.READER)
    expect(page.locator(".person")).to_contain_text(NAMES[Role.READER])
    sign_out(page)
    expect(page.locator("h1")).to_have_text("Sign in")
    expect(page.locator(".person")).to_have_count(0)


def test_the_first_person_of_a_count_enters_by_the_keyboard(
    scanned: Path, tmp_path: Path, page: Page
) -> None:
    with serve(copy_count(scanned, tmp_path / "new")) as review:
        page.goto(review.guard.address())
        expect(page.locator("h1")).to_have_text("The first person")
        expect(page.locator("#name")).to_be_focused()
        for text in ("Vũ Ngọc Ánh", PIN, PIN):
            page.keyboard.type(text)
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".person")).to_contain_text("Vũ Ngọc Ánh")
        assert [one.role for one in review.desk.store.people()] == [Role.COMMITTEE]


def test_a_wrong_pin_is_said_and_the_name_stays(page: Page, review: Review) -> None:
    page.goto(review.guard.address())
    page.locator("#name").fill(NAMES[Role.READER])
    page.locator("#pin").fill("nothing")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#name")).to_have_value(NAMES[Role.READER])
    expect(page.locator("#pin")).to_have_value("")


def test_a_used_address_is_explained(new_page: NewPage, review: Review) -> None:
    address = review.guard.address()
    new_page().goto(address)
    second = new_page()
    second.goto(address)
    expect(second.get_by_role("alert")).to_contain_text("used already")


def test_a_browser_without_the_address_is_told_where_to_find_it(page: Page, review: Review) -> None:
    page.goto(review.url("/desk"))
    expect(page.locator("main")).to_contain_text("Open the address that the program's window shows")


def test_after_signing_in_one_is_where_one_wanted_to_be(page: Page, review: Review) -> None:
    page.goto(review.guard.address())
    page.goto(review.url("/log?person=1"))
    page.locator("#name").fill(NAMES[Role.COMMITTEE])
    page.locator("#pin").fill(PIN)
    page.keyboard.press("Enter")
    page.wait_for_url(review.url("/log?person=1"))


def test_the_language_is_the_browser_s_until_another_is_chosen(
    new_page: NewPage, review: Review, signed_in: SignIn
) -> None:
    page = signed_in(new_page(locale="vi-VN"))
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    page.goto(review.url("/people"))
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.wait_for_url(review.url("/people"))
    page.goto(review.url("/log"))
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_closing_the_browser_costs_nothing(new_page: NewPage, review: Review) -> None:
    page = new_page()
    page.goto(review.guard.address())
    page.locator("#name").fill(NAMES[Role.READER])
    page.locator("#pin").fill(PIN)
    page.keyboard.press("Enter")
    page.locator(".person").wait_for()
    context = page.context
    page.close()
    again = context.new_page()
    again.goto(review.url("/"))
    expect(again.locator(".person")).to_contain_text(NAMES[Role.READER])


def test_on_a_phone_the_page_that_is_open_is_seen_in_the_navigation(
    new_page: NewPage, review: Review, signed_in: SignIn
) -> None:
    page = signed_in(new_page(PHONE))
    page.goto(review.url("/people"))
    expect(page.locator("nav [aria-current]")).to_be_in_viewport(ratio=0.9)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_keyboard_leads_past_the_navigation(page: Page, signed_in: SignIn) -> None:
    signed_in(page)
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
