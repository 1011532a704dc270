"""The wall in a browser: crops are picked with the keyboard alone, and with the mouse."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from scanner.ballot import MarkState, Reason
from scanner.counting.people import Role
from scanner.counting.queue import Filter
from scanner.counting.wall import Wall
from tests.browser.conftest import PHONE, Review, SignIn

UNMARKED = Wall(MarkState.UNMARKED)


def flagged(review: Review) -> set[tuple[int, str | None]]:
    """What waits in the queue because somebody wants it to be seen again."""
    queue = review.desk.queue
    queue.catch_up()
    lan = next(one for one in review.desk.store.people() if one.role is Role.COMMITTEE)
    return {doubt.place for doubt in queue.doubts(Filter(reason=Reason.FLAGGED), lan)}


def test_a_screen_is_looked_over_with_the_keyboard_alone(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page, Role.READER)
    targets = review.desk.store.wall_targets(UNMARKED, 100)
    page.goto(review.url("/wall?state=unmarked"))
    expect(page.locator(".crop")).to_have_count(100)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    expect(page.locator("#picked")).to_have_text("1 picked")
    below = page.evaluate("document.activeElement.dataset.spot")
    assert below not in {f"{one.at.page}.{one.at.place}" for one in targets[:2]}
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("after="))
    expect(page.locator("#progress-text")).to_contain_text("100 of")
    assert flagged(review) == {(targets[1].sheet, targets[1].contest)}
    seen = review.desk.store.wall_seen(MarkState.UNMARKED)
    assert sum(seen.values()) == 100


def test_crops_are_picked_and_dropped_with_the_mouse(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page)
    targets = review.desk.store.wall_targets(Wall(MarkState.MARKED), 100)
    page.goto(review.url("/wall"))
    for number in (4, 9, 4):
        page.locator(".crop").nth(number).click()
    expect(page.locator('.crop[aria-pressed="true"]')).to_have_count(1)
    expect(page.locator("#under")).to_contain_text(f"Sheet {targets[4].sheet:04d}")
    page.get_by_role("button", name="Looked over, next screen").click()
    page.wait_for_url(re.compile("after="))
    assert flagged(review) == {(targets[9].sheet, targets[9].contest)}
    page.get_by_role("link", name="To the beginning").click()
    page.wait_for_url(re.compile("/wall(?!.*after=)"))
    waiting = page.locator(".crop.waits")
    expect(waiting).to_have_count(1)
    expect(waiting.locator(".mark.flagged")).to_be_visible()
    waiting.click(force=True)
    expect(page.locator("#picked")).to_have_text("0 picked")


def test_every_crop_shows_its_own_part_of_the_picture(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page)
    page.goto(review.url("/wall?form=tth5_phuong"))
    boxes = [svg.get_attribute("viewBox") for svg in page.locator(".crop svg").all()]
    assert len(set(boxes)) == len(boxes) == 100
    assert len({image.get_attribute("href") for image in page.locator(".crop image").all()}) == 1
    page.wait_for_load_state("networkidle")
    one, other = (page.locator(".crop").nth(number).screenshot() for number in (0, 40))
    assert one != other


def test_filters_lead_from_form_to_question_to_option(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page)
    page.goto(review.url("/wall"))
    page.locator("#form").select_option("sxd_5muc")
    page.wait_for_url(re.compile("form=sxd_5muc"))
    page.locator("#contest").select_option("q5")
    page.wait_for_url(re.compile("contest=q5"))
    page.locator("#option").select_option("o1")
    page.wait_for_url(re.compile("option=o1"))
    wall = Wall(MarkState.MARKED, "sxd_5muc", "q5", "o1")
    expect(page.locator(".crop")).to_have_count(len(review.desk.store.wall_targets(wall, 100)))
    page.locator("#form").select_option("tth5_phuong")
    page.wait_for_url(re.compile("form=tth5_phuong"))
    expect(page.locator("#contest")).to_have_value("")


def test_the_last_screen_says_that_it_was_the_last(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page)
    page.goto(review.url("/wall?form=sxd_5muc&contest=q5&unseen=true"))
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("the last screen of this wall")
    page.wait_for_load_state()
    page.goto(review.url("/wall?form=sxd_5muc&contest=q5&unseen=true"))
    expect(page.locator("main")).to_contain_text("There is nothing more on this wall.")


def test_an_observer_looks_and_picks_nothing_that_is_kept(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page, Role.OBSERVER)
    page.goto(review.url("/wall"))
    expect(page.locator("#done")).to_be_disabled()
    page.keyboard.press("Enter")
    page.keyboard.press("s")
    page.wait_for_url(re.compile("after="))
    assert sum(review.desk.store.wall_seen(MarkState.MARKED).values()) == 0


def test_the_wall_fits_a_phone(review: Review, page: Page, signed_in: SignIn) -> None:
    page.set_viewport_size(PHONE)
    signed_in(page)
    page.goto(review.url("/wall?form=tth5_phuong"))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator(".crop").nth(2).click()
    expect(page.locator("#picked")).to_have_text("1 picked")
