"""Progress and result: live, provisional until the queue is empty."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from scanner.counting.adjudication import Decision, Verdict, open_questions
from scanner.counting.bench import Hand
from scanner.counting.people import Role
from scanner.counting.results import decide, now, tally_count
from scanner.counting.rework import set_aside
from scanner.counting.reworked import ReworkKind
from scanner.counting.tally import Tally, percent
from tests.browser.conftest import Review, SignIn
from tests.reviewed_counts import NAMES, ONE_PAGE


def settle(review: Review, sheets: int) -> int:
    """Decide everything on so many sheets in doubt, as another program would; gives how many."""
    store, forms = review.desk.store, list(review.desk.forms.values())
    done = 0
    for record in list(store.sheets()):
        form = review.desk.forms.get(record.form or "")
        asked = open_questions(record, store.decisions_on(record.sheet), form.rule) if form else []
        if not asked or done == sheets:
            continue
        done += 1
        for question in asked:
            verdict = Verdict.ACCEPT if question.contest is None else Verdict.BLANK
            made = Decision(
                record.sheet, verdict, NAMES[Role.READER], "rõ", now(), question.contest
            )
            decide(store, forms, made)
    return done


def tally(review: Review) -> Tally:
    return tally_count(review.desk.store, list(review.desk.forms.values()))


def test_the_page_shows_the_figures_of_the_tally(
    page: Page, review: Review, signed_in: SignIn
) -> None:
    signed_in(page, Role.OBSERVER)
    page.goto(review.url("/"))
    known = tally(review)
    assert known.in_doubt
    for status, figure in (
        ("clean", known.clean), ("decided", known.decided), ("in_doubt", known.in_doubt),
        ("refused", known.refused), ("valid", known.valid), ("void", known.void),
        ("in_review", known.in_review),
    ):  # fmt: skip
        expect(page.locator(f"#figure-{status}")).to_have_text(str(figure))
    expect(page.locator(".stand")).to_contain_text("Provisional")
    form = next(form for form in known.forms if form.form == ONE_PAGE)
    contest = form.contests[0]
    title = review.desk.forms[ONE_PAGE].contests[0].title
    chart = page.locator("table.chart", has_text=title)
    for row, figure in enumerate(contest.options.values()):
        cells = chart.locator("tbody tr").nth(row).locator("td.number")
        expect(cells.nth(0)).to_have_text(str(figure))
        expect(cells.nth(1)).to_have_text(f"{percent(figure, contest.counted)} %")


def test_the_figures_refresh_themselves(page: Page, review: Review, signed_in: SignIn) -> None:
    signed_in(page, Role.READER)
    page.goto(review.url("/"))
    before = tally(review)
    assert settle(review, 2) == 2
    expect(page.locator("#figure-in_doubt")).to_have_text(str(before.in_doubt - 2))
    expect(page.locator("#figure-decided")).to_have_text(str(before.decided + 2))


def test_with_the_last_doubt_decided_and_the_last_page_looked_at_nothing_is_provisional(
    page: Page, review: Review, signed_in: SignIn
) -> None:
    settle(review, 99)
    signed_in(page)
    page.goto(review.url("/"))
    expect(page.locator(".stand")).to_contain_text("2 sheets wait for a person")
    expect(page.locator("#figure-in_doubt")).to_have_text("0")
    page.get_by_role("link", name="To the refused pages").click()
    page.wait_for_url(re.compile("/refused"))
    forms, hand = list(review.desk.forms.values()), Hand(NAMES[Role.COMMITTEE], "ảnh lạ")
    for loose in review.desk.store.loose_sheets():
        if loose.form is None:
            set_aside(review.desk.store, forms, loose.sheet, ReworkKind.FOREIGN, hand)
    page.goto(review.url("/"))
    expect(page.locator(".stand")).to_contain_text("Nothing waits for a person")
    expect(page.get_by_text("provisional")).to_have_count(0)


def test_the_committee_says_how_many_papers_there_are_and_what_does_not_close_shows(
    page: Page, review: Review, signed_in: SignIn
) -> None:
    signed_in(page)
    page.goto(review.url("/"))
    scanned = tally(review).scanned
    page.locator("#papers summary").click()
    page.get_by_label("Issued").fill(str(scanned + 5))
    page.get_by_label("Collected").fill(str(scanned + 1))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("li.bad")).to_contain_text("does not add up")
    page.get_by_label("Collected").fill(str(scanned))
    page.keyboard.press("Enter")
    expect(page.locator("li.bad")).to_have_count(0)
    last = list(review.desk.store.entries())[-1]
    assert last.who == NAMES[Role.COMMITTEE]
    assert review.desk.store.info().issued == scanned + 5
    assert review.desk.store.verify() == []


def test_a_reader_cannot_change_the_figures_of_papers(
    page: Page, review: Review, signed_in: SignIn
) -> None:
    signed_in(page, Role.READER)
    page.goto(review.url("/"))
    expect(page.locator("#papers")).to_have_count(0)
    answer = page.evaluate(
        """async () => (await fetch("/progress/papers", {method: "POST", body: "{}", headers: {
            "Content-Type": "application/json",
            "X-CSRF-Token": document.querySelector("meta[name=csrf]").content}})).status"""
    )
    assert answer == 403
    assert review.desk.store.info().issued is None


def test_on_a_phone_nothing_is_cut_off(
    new_page: Callable[..., Page], review: Review, signed_in: SignIn
) -> None:
    page = new_page({"width": 390, "height": 844}, "vi-VN")
    signed_in(page)
    for path in ("/", "/log", "/people"):
        page.goto(review.url(path))
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, path
