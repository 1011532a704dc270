"""The record on the page: filtered, proved, and silent where a second reader must not know."""

from __future__ import annotations

import sqlite3

from playwright.sync_api import Page, expect

from scanner.counting.adjudication import Decision, Stage, Verdict, open_questions
from scanner.counting.people import Role
from scanner.counting.results import decide, now
from scanner.counting.second_reader import SecondReader
from tests.browser.conftest import Review, SignIn
from tests.reviewed_counts import NAMES, ONE_PAGE, SECOND_READER

MINH = NAMES[Role.READER]


def decide_first_doubt(review: Review, why: str, by: str = MINH, stage: Stage = Stage.FIRST) -> int:
    """Choose the second option of the first contest in doubt; gives the sheet."""
    store, form = review.desk.store, review.desk.forms[ONE_PAGE]
    for record in list(store.sheets()):
        asked = open_questions(record, (), form.rule) if record.form == ONE_PAGE else []
        if asked and asked[0].contest is not None:
            contest = form.contest(asked[0].contest)
            assert contest is not None
            option = contest.options[1].id
            made = Decision(
                record.sheet, Verdict.OPTIONS, by, why, now(), contest.id, (option,), stage
            )
            decide(store, list(review.desk.forms.values()), made)
            return record.sheet
    raise AssertionError("nothing in doubt")


def test_the_record_tells_what_counted_before_and_after(
    page: Page, review: Review, signed_in: SignIn
) -> None:
    sheet = decide_first_doubt(review, "<b>rõ</b>")
    signed_in(page, Role.OBSERVER)
    page.goto(review.url("/log"))
    row = page.locator("tbody tr", has_text="<b>rõ</b>")
    expect(row).to_contain_text(f"{sheet:04d}")
    expect(row).to_contain_text(MINH)
    expect(row.locator(".facts")).to_contain_text("before")
    expect(row.locator(".facts")).to_contain_text("after")
    expect(row.locator("b")).to_have_count(0)


def test_the_record_is_filtered_by_sheet_and_by_person(
    page: Page, review: Review, signed_in: SignIn
) -> None:
    sheet = decide_first_doubt(review, "rõ")
    review.desk.store.note_on(sheet + 1, None, NAMES[Role.COMMITTEE], "một ghi chú")
    signed_in(page)
    page.goto(review.url("/log"))
    page.get_by_label("Sheet").fill(str(sheet))
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Show all").click()
    page.wait_for_url(review.url("/log"))
    page.get_by_label("Person").select_option(NAMES[Role.COMMITTEE])
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**/log?*who=*")
    expect(page.locator("tbody")).to_contain_text("một ghi chú")
    expect(page.locator("tbody td:nth-child(3)", has_text=MINH)).to_have_count(0)
    page.goto(review.url("/log?sheet=999999999999999999"))
    expect(page.locator("main")).to_contain_text("no such entry")
    page.goto(review.url("/log?sheet=x"))
    expect(page.locator("main")).to_contain_text("no such entry")


def test_a_long_record_goes_on_on_further_pages(
    page: Page, review: Review, signed_in: SignIn
) -> None:
    for number in range(60):
        review.desk.store.note_on(1, None, MINH, f"ghi chú {number}.")
    signed_in(page)
    page.goto(review.url(f"/log?who={MINH}"))
    expect(page.locator("tbody tr")).to_have_count(50)
    page.locator("#older").click()
    page.wait_for_url("**before=*")
    expect(page.locator("tbody")).to_contain_text("ghi chú 0.")
    expect(page.locator("tbody tr")).to_have_count(10)
    page.get_by_role("link", name="Newest").click()
    expect(page.locator("tbody")).to_contain_text("ghi chú 59.")


def test_the_record_is_proved_by_a_button(page: Page, review: Review, signed_in: SignIn) -> None:
    decide_first_doubt(review, "rõ")
    signed_in(page, Role.OBSERVER)
    page.goto(review.url("/log"))
    page.get_by_role("button", name="Prove").click()
    _number, last = review.desk.store.head()
    expect(page.locator("#proof code")).to_have_text(last)
    connection = sqlite3.connect(review.folder / "count.db")
    with connection:
        connection.execute("UPDATE decision SET who = 'Ai đó'")
    connection.close()
    page.get_by_role("button", name="Prove").click()
    expect(page.locator("#proof .bad")).to_contain_text("Row 1 of the table decision")


def test_the_second_reader_does_not_read_the_first_answer_in_the_record(
    page: Page, review: Review, signed_in: SignIn
) -> None:
    review.desk.store.set_second_reader(SecondReader.DOUBTS, NAMES[Role.COMMITTEE])
    decide_first_doubt(review, "lý do thứ nhất")
    signed_in(page, SECOND_READER)
    page.goto(review.url("/log"))
    expect(page.locator("tbody")).to_contain_text("Not shown until a second person")
    assert "lý do thứ nhất" not in page.content()
    decide_first_doubt(review, "lý do thứ hai", SECOND_READER, Stage.SECOND)
    page.reload()
    expect(page.locator("tbody")).to_contain_text("lý do thứ nhất")
