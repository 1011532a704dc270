"""No page keeps anybody out: axe-core, in both languages, light and dark, in all roles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from scanner.counting.people import Role
from tests.browser.conftest import PHONE, Review, SignIn, serve
from tests.reviewed_counts import copy_count

NewPage = Callable[..., Page]
PAGES = (
    "/", "/desk", "/desk/next", "/refused", "/wall", "/wall?state=unmarked", "/check", "/words",
    "/words/next", "/log", "/people", "/no-such-page",
)  # fmt: skip
SERIOUS = {"serious", "critical"}


def faults_of(page: Page) -> list[str]:
    """What axe-core finds serious on the page, and what a page must have besides."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    faults = [
        f"{page.url}: {one['id']} ({one['impact']}): {one['nodes'][0]['html'][:160]}"
        for one in found
        if one["impact"] in SERIOUS
    ]
    if page.locator("h1").count() != 1:
        faults.append(f"{page.url}: not one heading of the first order")
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
        faults.append(f"{page.url}: wider than the window")
    return faults


@pytest.mark.parametrize(
    ("locale", "scheme"), [("en-GB", "light"), ("vi-VN", "dark")], ids=["en light", "vi dark"]
)
def test_no_page_has_a_serious_fault(
    new_page: NewPage, review: Review, signed_in: SignIn, locale: str, scheme: Any
) -> None:
    page = signed_in(new_page(locale=locale))
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    faults = []
    sheet = next(one.sheet for one in review.desk.store.sheets() if one.form is None)
    for path in (*PAGES, f"/refused/{sheet}"):
        page.goto(review.url(path))
        faults += faults_of(page)
        assert page.locator("html").get_attribute("lang") == locale[:2]
    assert faults == []


def test_what_an_observer_sees_on_a_phone_has_no_serious_fault(
    new_page: NewPage, review: Review, signed_in: SignIn
) -> None:
    page = signed_in(new_page(PHONE), Role.OBSERVER)
    faults = []
    for path in ("/", "/desk", "/refused", "/wall", "/check", "/words", "/log", "/people"):
        page.goto(review.url(path))
        faults += faults_of(page)
    assert faults == []


def test_the_entrance_has_no_serious_fault(scanned: Path, tmp_path: Path, page: Page) -> None:
    with serve(copy_count(scanned, tmp_path / "new")) as review:
        faults = []
        for address in (review.url("/entrance"), review.guard.address(), review.url("/sign-in")):
            page.goto(address)
            faults += faults_of(page)
        assert faults == []


def test_a_serious_fault_is_found(page: Page, review: Review) -> None:
    page.goto(review.url("/entrance"))
    page.evaluate("document.querySelector('main').innerHTML = '<input><img src=\"/x\">'")
    found = " ".join(faults_of(page))
    assert "image-alt" in found
    assert "label" in found
    assert "heading" in found
