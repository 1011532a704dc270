"""A form is corrected in the browser: by mouse, by keyboard alone, and in time."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

from scanner.counting.intake import scan
from scanner.counting.records import BatchRequest
from scanner.counting.store import Store
from scanner.forms.damage import damage_page, office_damage
from scanner.forms.deck import read_deck
from scanner.forms.scan_pdf import write_scan_pdf
from scanner.forms.template import Form, FormSecrecy, read_form
from scanner.forms.testdeck import DeckRequest, make_deck
from scanner.publishing.deck_result import compare_deck
from scanner.reading.pages import close_files, load_blanks
from scanner.registering import proposing
from scanner.registering.bench import Bench
from scanner.registering.draft import RegisterRequest, register_blank
from scanner.review.form_app import create_form_app
from scanner.review.security import Guard
from scanner.review.server import configure, listen
from tests.form_clerk import Clerk

SHIPPED = Path(__file__).parents[2] / "form_templates"
DRAWN = SHIPPED / "tth5_phuong"
DEPARTMENT = SHIPPED / "sxd_5muc"
PHONE: ViewportSize = {"width": 390, "height": 844}
FIVE_MINUTES_S = 300
OPENING = "#targets [data-key]"

NewPage = Callable[..., Page]


@dataclass
class Served:
    """A form's page that is being served."""

    bench: Bench
    guard: Guard

    def open(self, page: Page) -> Clerk:
        page.goto(self.guard.address())
        page.locator("#question-count").wait_for(state="attached")
        page.locator("#blank[href]").wait_for(state="attached")
        return Clerk(page)

    @property
    def form(self) -> Form:
        return read_form(self.bench.folder)


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    with listen("127.0.0.1", 0) as listener, Bench(folder) as bench:
        guard = Guard("127.0.0.1", listener.getsockname()[1])
        server = uvicorn.Server(configure(create_form_app(bench, guard)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield Served(bench, guard)
        finally:
            server.should_exit = True
            thread.join(timeout=20)


@pytest.fixture
def no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the blank takes seconds, and most tests are about other things."""
    monkeypatch.setattr(proposing, "read_side", lambda _side, _targets=(): ())


@pytest.fixture
def served(tmp_path: Path, no_words: None) -> Iterator[Served]:
    with serve(shutil.copytree(DRAWN, tmp_path / "forms" / DRAWN.name)) as running:
        yield running


@pytest.fixture
def clerk(served: Served, page: Page) -> Clerk:
    return served.open(page)


def target(clerk: Clerk, number: int) -> str:
    """Where a target is drawn, by its number on the page."""
    named = re.compile(f"^{number}$")
    key = clerk.page.locator(OPENING, has_text=named).first.get_attribute("data-key")
    return f"#targets [data-key='{key}'] rect"


def expect_selected(clerk: Clerk, count: int) -> None:
    expect(clerk.page.locator("#targets .selected, #zones .selected")).to_have_count(count)


def test_by_mouse_boxes_are_moved_sized_grouped_and_saved(clerk: Clerk, served: Served) -> None:
    page = clerk.page
    before = served.form
    first, second = (before.contests[0].options[n] for n in (0, 1))
    clerk.click(target(clerk, 1))
    clerk.click(target(clerk, 2), shift=True)
    expect_selected(clerk, 2)
    clerk.drag(first.x + 2, first.y + 2, first.x + 4, first.y + 5)
    clerk.settle()
    clerk.click(target(clerk, 1))
    clerk.drag_handle("e", 3.0, 0.0)
    clerk.settle()
    page.locator("[data-tool=group]").click()
    third = before.contests[0].options[2]
    clerk.drag(second.x - 3, second.y - 3, max(second.x, third.x) + 8, second.y + 12)
    expect(page.locator("#question-count")).to_have_text(str(len(before.contests) + 1))
    clerk.settle()
    clerk.click("#save")
    expect(page.locator("#version")).to_have_value("2")
    clerk.press("Enter")
    expect(page.locator("#save")).to_be_disabled()
    after = served.form
    kept = after.contest(before.contests[0].id)
    assert kept is not None
    moved = kept.options[0]
    assert (moved.x, moved.y) == pytest.approx((first.x + 2, first.y + 3), abs=0.3)
    assert moved.w == pytest.approx(first.w + 3, abs=0.3)
    assert len(after.contests) == len(before.contests) + 1
    assert len(list(after.targets())) == len(list(before.targets()))


def test_everything_is_done_without_a_mouse(clerk: Clerk, served: Served) -> None:
    page, before = clerk.page, served.form
    first = before.contests[0].options[0]
    page.locator("#sheet").focus()
    clerk.press("n")
    clerk.press(*["ArrowRight"] * 3, "Shift+ArrowDown", "Alt+ArrowUp")
    clerk.settle()
    clerk.press("t")
    clerk.type("Rất tốt")
    clerk.press("Enter", "Escape")
    clerk.press("n", "Alt+n", "g")
    clerk.settle()
    expect(page.locator("#question-count")).to_have_text(str(len(before.contests) + 1))
    clerk.press("Control+z")
    expect(page.locator("#question-count")).to_have_text(str(len(before.contests)))
    clerk.press("Control+y", "Control+z")
    clerk.settle()
    clerk.press("p", "Enter")
    clerk.settle()
    expect_selected(clerk, 1)
    clerk.press("w", "Enter")
    clerk.settle()
    clerk.press("Control+s")
    page.locator("#save-dialog[open]").wait_for()
    clerk.press("Enter")
    expect(page.locator("#save")).to_be_disabled()
    after = served.form
    option = after.contests[0].options[0]
    assert option.label == "Rất tốt"
    assert (option.x, option.y) == pytest.approx((first.x + 0.3, first.y + 1.0))
    assert (option.w, option.h) == pytest.approx((first.w, first.h - 0.1))
    assert len(after.private) == len(before.private) + 1
    assert len(after.comments) == len(before.comments) + 1
    assert [len(c.options) for c in after.contests] == [len(c.options) for c in before.contests]


def test_labels_titles_and_rules_are_typed_and_order_is_changed(
    clerk: Clerk, served: Served
) -> None:
    page = clerk.page
    question = page.locator(".question").first
    clerk.click(question.locator(".title"))
    clerk.type("Ông (Bà) có hài lòng không?")
    clerk.press("Enter")
    clerk.type("Rất")
    question.locator(".max").fill("2")
    question.locator(".max").press("Tab")
    question.locator(".breakdown").check()
    clerk.settle()
    question.locator(".option .down").first.click()
    clerk.settle()
    clerk.click("#tab-form")
    page.locator("[name=cancel][value=fill-cancels]").check()
    page.locator("[name=review][value=blank_sheet]").check()
    page.locator("#form-shuffled").check()
    page.locator("#form-smallest").fill("5")
    page.locator("#form-smallest").press("Tab")
    clerk.settle()
    clerk.click("#save")
    page.locator("#save-dialog[open]").wait_for()
    clerk.press("Enter")
    expect(page.locator("#save")).to_be_disabled()
    contest = served.form.contests[0]
    assert contest.title == "Ông (Bà) có hài lòng không?"
    assert (contest.max, contest.breakdown) == (2, True)
    assert contest.options[1].label == "Rất"
    assert served.form.rule.cancel == "fill-cancels"
    assert served.form.rule.review == ("blank_sheet",)
    assert served.form.secrecy == FormSecrecy(shuffled=True, smallest_group=5)


def test_nothing_is_lost_by_who_is_quicker_than_the_page(clerk: Clerk, served: Served) -> None:
    first, second = served.form.contests[0].options[:2]
    clerk.click(target(clerk, 1))
    clerk.press("ArrowRight", "n", "t")
    clerk.type("Tốt")
    clerk.press("Control+s")
    clerk.page.locator("#save-dialog[open]").wait_for()
    clerk.press("Enter")
    expect(clerk.page.locator("#save")).to_be_disabled()
    after = served.form.contests[0].options
    assert (after[0].x, after[1].x) == pytest.approx((first.x + 0.1, second.x))
    assert after[1].label == "Tốt"


def test_a_late_answer_takes_nothing_back(clerk: Clerk) -> None:
    page, question = clerk.page, clerk.page.locator(".question").first
    clerk.click(question.locator(".title"))
    page.evaluate(
        """() => {
            const send = window.fetch;
            window.held = [];
            window.fetch = (address, options) => String(address) === "/form/edit"
                ? new Promise((done) => held.push(() => { done(send(address, options)); }))
                : send(address, options);
        }"""
    )
    question.locator(".max").fill("2")
    question.locator(".max").press("Tab")
    question.locator(".breakdown").check()
    page.wait_for_function("() => held.length === 1")
    page.evaluate("held[0]()")
    # Now the first answer is here, and what was done after it has just been sent.
    page.wait_for_function("() => held.length === 2")
    assert question.locator(".breakdown").is_checked()
    page.evaluate("held[1]()")
    clerk.settle()
    assert question.locator(".breakdown").is_checked()
    assert question.locator(".max").input_value() == "2"


def test_what_was_not_saved_is_offered_again(
    served: Served, new_page: NewPage, tmp_path: Path
) -> None:
    clerk = served.open(new_page())
    clerk.click(target(clerk, 1))
    clerk.press("Delete")
    clerk.settle()
    clerk.page.context.close()
    with serve(served.bench.folder) as again:
        later = again.open(new_page())
        expect(later.page.locator("#taken-up")).to_be_visible()
        expect(later.page.locator(OPENING)).to_have_count(len(list(served.form.targets())) - 1)
        later.click("#begin-anew")
        expect(later.page.locator("#taken-up")).to_have_count(0)
        expect(later.page.locator(OPENING)).to_have_count(len(list(served.form.targets())))


def test_of_two_windows_the_second_is_shown_what_the_first_did(
    served: Served, new_page: NewPage
) -> None:
    one, other = served.open(new_page()), served.open(new_page())
    one.click(target(one, 1))
    one.press("Delete")
    one.settle()
    other.click(target(other, 2))
    other.press("Delete")
    expect(other.page.locator("#messages .bad")).to_contain_text("Another window")
    expect(other.page.locator(OPENING)).to_have_count(len(list(served.form.targets())) - 1)
    other.click(target(other, 1))
    other.press("Delete")
    other.settle()
    expect(other.page.locator(OPENING)).to_have_count(len(list(served.form.targets())) - 2)


def test_a_finding_leads_to_its_box(clerk: Clerk) -> None:
    page = clerk.page
    clerk.click(target(clerk, 4))
    clerk.press("Control+a", "Escape", "n")
    clerk.press("t")
    clerk.type("")
    clerk.press("Delete", "Tab")
    clerk.settle()
    clerk.click("#tab-check")
    finding = page.locator(".finding button", has_text="without a label")
    finding.wait_for()
    expect(page.locator("#comparing")).to_be_hidden()
    page.locator("#sheet").focus()
    clerk.press("Escape")
    expect_selected(clerk, 0)
    clerk.click(finding)
    expect_selected(clerk, 1)


def test_what_cannot_be_is_said_and_the_page_stays_as_it_was(clerk: Clerk) -> None:
    clerk.click("[data-tool=draw]")
    clerk.drag(3, 285, 9, 291)
    expect(clerk.page.locator("#messages .bad")).to_contain_text("Nothing is printed")
    clerk.page.locator("#find-rest").uncheck()
    count = clerk.page.locator(OPENING).count()
    clerk.drag(100, 285, 106, 291)
    expect(clerk.page.locator(OPENING)).to_have_count(count + 1)
    expect(clerk.page.locator("#loose")).to_be_visible()


@pytest.mark.parametrize("size", ["office", "phone"])
def test_no_serious_fault_for_those_who_see_or_hear_otherwise(
    served: Served, new_page: NewPage, size: str
) -> None:
    page = new_page(PHONE) if size == "phone" else new_page()
    clerk = served.open(page)
    clerk.click(target(clerk, 1))
    for part in ("questions", "form", "check", "keys"):
        clerk.click(f"#tab-{part}")
        found = Axe().run(page).response["violations"]
        serious = [one for one in found if one["impact"] in {"serious", "critical"}]
        assert [(one["id"], one["nodes"][0]["html"]) for one in serious] == []
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_the_page_speaks_vietnamese(served: Served, new_page: NewPage) -> None:
    page = served.open(new_page(locale="vi-VN")).page
    assert page.locator("html").get_attribute("lang") == "vi"
    expect(page.locator("#tab-questions")).to_contain_text("Câu hỏi")


def scan_of_blank(path: Path) -> Path:
    """The department's empty form as an office scanner gives it: two sides, one of them askew."""
    rng = np.random.default_rng(1)
    with write_scan_pdf(path) as pdf:
        for page in load_blanks(DEPARTMENT / "blank.pdf", 200):
            gray = damage_page(page.gray, office_damage(rng), rng, dpi=200)
            pdf.add_page(gray, dpi=200, quality=85)
    return path


@pytest.mark.slow
def test_a_clerk_registers_the_departments_form_from_its_scan_in_under_five_minutes(
    tmp_path: Path, new_page: NewPage
) -> None:
    begun = time.monotonic()
    blank = scan_of_blank(tmp_path / "blank.pdf")
    request = RegisterRequest((blank,), tmp_path / "forms", "so-xay-dung", allow_empty=True)
    register_blank(request)
    true = read_form(DEPARTMENT)
    with serve(tmp_path / "forms" / "so-xay-dung") as served:
        clerk = served.open(new_page(locale="vi-VN"))
        machine_s = time.monotonic() - begun
        correct_the_department_s_form(clerk, true)
        form = served.form
    assert clerk.seconds + machine_s < FIVE_MINUTES_S, clerk.done
    assert [[option.label for option in contest.options] for contest in form.contests] == [
        [option.label for option in contest.options] for contest in true.contests
    ]
    assert [contest.max for contest in form.contests] == [contest.max for contest in true.contests]
    assert form.contests[0].breakdown
    assert form.private
    assert form.comments
    assert read_a_deck(form, tmp_path)


def correct_the_department_s_form(clerk: Clerk, true: Form) -> None:
    """All that the program did not find by itself; every word is compared with the paper."""
    page = clerk.page
    first = page.locator(".question").first
    clerk.look(len(true.contests) + len(list(true.targets())))
    for place, option in enumerate(true.contests[0].options):
        field = first.locator(".label").nth(place)
        if field.input_value() != option.label:
            clerk.click(field)
            clerk.type(option.label)
    clerk.click(first.locator(".max"))
    clerk.type("5")
    clerk.click(first.locator(".breakdown"))
    clerk.settle()
    page.locator("#sheet").evaluate("(sheet) => sheet.scrollTo(0, 0)")
    clerk.click("#zones .private rect")
    clerk.drag_handle("n", 0.0, -8.0)
    clerk.settle()
    clerk.click("[data-page='2']")
    clerk.click("[data-tool=comments]")
    clerk.drag(22, 157, 196, 178)
    clerk.settle()
    clerk.click("#zone-title")
    clerk.type("Ý kiến khác")
    clerk.press("Tab")
    clerk.click("#tab-form")
    clerk.click("#form-title")
    clerk.type("Phiếu lấy ý kiến của Sở Xây dựng năm 2023")
    clerk.press("Tab")
    clerk.settle()
    clerk.click("#tab-check")
    clerk.look(2)
    clerk.click("#save")
    page.locator("#save-dialog[open]").wait_for()
    clerk.press("Enter")
    expect(page.locator("#save")).to_be_disabled()


def read_a_deck(form: Form, tmp_path: Path) -> bool:
    """Whether marked sheets of the form are read as they were meant, nothing asked for nothing."""
    pdf = tmp_path / "deck.pdf"
    make_deck(form, DeckRequest(8, 1, scan=True), pdf)
    request = BatchRequest(files=(str(pdf),), forms=(form.id,))
    scan(tmp_path / "count", request, tmp_path / "forms")
    with Store(tmp_path / "count") as store:
        result = compare_deck(store, [form], form.id, read_deck(pdf.with_suffix(".json")))
    close_files()
    return result.passes(0)
