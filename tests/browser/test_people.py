"""The people of the count on the page: the committee adds and changes them."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from scanner.counting.people import Role
from scanner.counting.second_reader import SecondReader
from tests.browser.conftest import Review, SignIn, sign_out
from tests.reviewed_counts import NAMES, PIN

LAN, MINH = NAMES[Role.COMMITTEE], NAMES[Role.READER]


def card(page: Page, name: str) -> Locator:
    """What the page shows of a person, laid open."""
    found = page.locator(f'li[data-person="{name}"]')
    if not found.locator("details").get_attribute("open"):
        found.locator("summary").click()
    return found


def test_a_person_is_added_by_the_keyboard_and_signs_in(
    page: Page, review: Review, signed_in: SignIn
) -> None:
    signed_in(page)
    page.goto(review.url("/people"))
    page.get_by_label("Name").focus()
    page.keyboard.type("Võ Thị Sáu <i>")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("13579")
    page.keyboard.press("Tab")
    page.keyboard.type("13579")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("takes part now")
    known = review.desk.store.find_person("Võ Thị Sáu <i>")
    assert known is not None
    assert known.role is Role.OBSERVER
    assert review.desk.store.check_pin(known.name, "13579") == known
    last = [entry for entry in review.desk.store.entries() if entry.action == "person_added"][-1]
    assert last.who == LAN


def test_what_cannot_be_added_is_said_and_the_name_stays(
    page: Page, review: Review, signed_in: SignIn
) -> None:
    signed_in(page)
    page.goto(review.url("/people"))
    for name, pin, again, said in (
        (MINH, "13579", "13579", "already"),
        ("Người mới", "13579", "24680", "differ"),
    ):
        page.get_by_label("Name").fill(name)
        page.locator("#add").get_by_label("PIN", exact=True).fill(pin)
        page.get_by_label("The same PIN again").fill(again)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.get_by_label("Name")).to_have_value(name)
    assert len(review.desk.store.people()) == 4


def test_a_role_and_a_pin_are_changed(page: Page, review: Review, signed_in: SignIn) -> None:
    signed_in(page)
    page.goto(review.url("/people"))
    minh = card(page, MINH)
    minh.get_by_label("Role").select_option("committee")
    minh.get_by_role("button", name="Change the role").click()
    expect(page.locator(f'li[data-person="{MINH}"] .badge')).to_have_text("committee")
    minh = card(page, MINH)
    minh.get_by_label("New PIN").fill("99999")
    minh.get_by_label("Once more").fill("99999")
    minh.get_by_role("button", name="Set the PIN").click()
    expect(page.locator("#messages")).to_contain_text("new PIN")
    assert review.desk.store.check_pin(MINH, "99999").role is Role.COMMITTEE


def test_who_takes_part_no_more_is_out_at_once(
    page: Page,
    new_page: Callable[..., Page],
    review: Review,
    signed_in: SignIn,
) -> None:
    other = signed_in(new_page(), Role.READER)
    signed_in(page)
    page.goto(review.url("/people"))
    card(page, MINH).get_by_role("button", name="Takes part no more").click()
    expect(page.locator("#messages")).to_contain_text("takes part no more")
    other.goto(review.url("/"))
    expect(other.locator("h1")).to_have_text("Sign in")


def test_the_last_of_the_committee_stays(page: Page, review: Review, signed_in: SignIn) -> None:
    signed_in(page)
    page.goto(review.url("/people"))
    card(page, LAN).get_by_role("button", name="Takes part no more").click()
    expect(page.get_by_role("alert")).to_contain_text("committee must be left")
    assert review.desk.store.check_pin(LAN, PIN).is_active


def test_the_committee_chooses_who_reads(page: Page, review: Review, signed_in: SignIn) -> None:
    signed_in(page)
    page.goto(review.url("/people"))
    page.get_by_label("whatever was in doubt").check()
    page.locator("#readers button").click()
    page.locator("#messages .message").wait_for()
    expect(page.get_by_label("whatever was in doubt")).to_be_checked()
    assert review.desk.store.second_reader() is SecondReader.DOUBTS
    assert review.desk.store.verify() == []


def test_nobody_else_sees_the_page(page: Page, review: Review, signed_in: SignIn) -> None:
    for role in (Role.READER, Role.OBSERVER):
        signed_in(page, role)
        answer = page.goto(review.url("/people"))
        assert answer is not None
        assert answer.status == 403
        sign_out(page)
