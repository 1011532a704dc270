"""The random check in a browser: drawn, read blind by three keys, and what came of it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from scanner.ballot import MarkState
from scanner.counting.people import Role
from scanner.counting.random_check import Seen
from tests.browser.conftest import Review, SignIn, sign_out

DICE = "3 5 1 6 2 4 5 1 3 4 6 2 1 5 3 4 2 6 1 6"
KEYS = {MarkState.MARKED: "m", MarkState.UNMARKED: "u"}


def draw(review: Review, page: Page, boxes: int) -> None:
    """The committee publishes the list and draws."""
    page.goto(review.url("/check"))
    expect(page.locator("#draw")).to_be_disabled()
    page.locator("#publish").click()
    expect(page.locator("#fingerprint")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    page.locator("#drawn").fill(str(boxes))
    page.locator("#seed").fill(DICE)
    expect(page.locator("#digits")).to_have_text("20 of 20 digits suggested")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/check/\d+$"))


def answer(page: Page, key: str, read: int) -> None:
    """Press a key, and wait until it is kept and the next box is shown, or that all are read."""
    shown = page.locator("#crop").get_attribute("src")
    page.keyboard.press(key)
    expect(page.locator("#progress-text")).to_contain_text(f"{read} of")
    page.wait_for_function(
        "shown => document.querySelector('#reading').hidden"
        " || document.querySelector('#crop').getAttribute('src') !== shown",
        arg=shown,
    )


def test_a_check_is_drawn_and_read_with_the_keyboard_alone(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page)
    draw(review, page, 5)
    targets = [one.target for one in review.desk.store.drawn_targets(1)]
    expect(page.locator("#sheet")).to_have_text(f"{targets[0].sheet:04d}")
    # The second is mistaken for its opposite, and seen so again after going back to it.
    answer(page, KEYS[targets[0].state], 1)
    answer(page, KEYS[targets[1].state], 2)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#sheet")).to_have_text(f"{targets[1].sheet:04d}")
    answer(page, "u" if targets[1].state is MarkState.MARKED else "m", 2)
    expect(page.locator("#sheet")).to_have_text(f"{targets[2].sheet:04d}")
    answer(page, "d", 3)
    for number, target in enumerate(targets[3:], start=4):
        answer(page, KEYS[target.state], number)
    expect(page.locator("#all-read")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#sentence")).to_contain_text("At 1 of 4 boxes")
    expect(page.locator("#sentence")).to_contain_text("25.00\N{NO-BREAK SPACE}%")
    expect(page.locator(".seen-otherwise li")).to_have_count(2)
    made = review.desk.store.decisions()
    assert list(made) == [targets[1].sheet]
    assert [one.seen for one in review.desk.store.drawn_targets(1)][2] is Seen.CANNOT_TELL


def test_a_check_is_read_with_the_mouse_and_may_end_early(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page)
    draw(review, page, 4)
    (first, *_others) = review.desk.store.drawn_targets(1)
    name = "Marked" if first.target.state is MarkState.MARKED else "Not marked"
    page.get_by_role("button", name=re.compile(f"^[MU] {name}$")).click()
    expect(page.locator("#progress-text")).to_have_text("1 of 4 read")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="End the check").click()
    expect(page.locator("#sentence")).to_contain_text("At 0 of 1 boxes")
    expect(page.locator("main")).to_contain_text("ended before 3 of the boxes drawn were read")


def test_an_open_check_goes_on_after_the_browser_was_closed(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page)
    draw(review, page, 3)
    targets = review.desk.store.drawn_targets(1)
    answer(page, "m", 1)
    page.goto(review.url("/"))
    page.goto(review.url("/check"))
    page.get_by_role("link", name="Check 1").click()
    expect(page.locator("#progress-text")).to_have_text("1 of 3 read")
    expect(page.locator("#sheet")).to_have_text(f"{targets[1].target.sheet:04d}")


def test_an_observer_waits_for_what_comes_of_it(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page)
    draw(review, page, 2)
    sign_out(page)
    signed_in(page, Role.OBSERVER)
    page.goto(review.url("/check/1"))
    expect(page.locator("main")).to_contain_text("This check is being read.")
    expect(page.locator("#reading")).to_have_count(0)
    page.goto(review.url("/check"))
    expect(page.locator("#publish")).to_have_count(0)
