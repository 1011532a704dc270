"""The desk in a real browser: by keys alone, by mouse alone, by two people, in two windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from scanner.counting.adjudication import Decision, Stage, Verdict, standing
from scanner.counting.journal import Action
from scanner.counting.people import Role
from scanner.counting.results import tally_count
from scanner.forms.template import Form
from tests.browser.conftest import PHONE, Review, SignIn, serve, sign_in_at
from tests.desk_counts import Truth, choose, draw_desk_form, make_desk_count, tally_of
from tests.reviewed_counts import NAMES, SECOND_READER, add_people

SHEETS = 50
"""Four doubts each."""


@pytest.fixture
def desk(review: Review, page: Page, signed_in: SignIn) -> Page:
    """A reader at the first doubt."""
    signed_in(page, Role.READER)
    page.goto(review.url("/desk"))
    begin(page)
    return page


def begin(page: Page) -> None:
    """From the queue to its first doubt; keys count once the page's script has come."""
    page.keyboard.press("Enter")
    page.locator("#doubt").wait_for()
    page.wait_for_load_state("load")


def place_of(page: Page) -> tuple[int, str | None]:
    """The doubt on the screen."""
    shown = page.locator("#place #doubt").evaluate("doubt => ({...doubt.dataset})")
    return int(shown["sheet"]), shown.get("contest")


def press(page: Page, *keys: str) -> None:
    """Press keys."""
    for key in keys:
        page.keyboard.press(key)


def step(page: Page, *keys: str) -> tuple[int, str | None]:
    """Press keys of which the last leads to another doubt."""
    before = page.locator("#place #doubt").get_attribute("data-url")
    press(page, *keys)
    page.wait_for_function(
        "before => document.querySelector('#place #doubt').dataset.url !== before", arg=before
    )
    return place_of(page)


@contextmanager
def held_back(page: Page, pattern: str) -> Iterator[Callable[[], None]]:
    """Requests of a pattern wait until they are let go."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))

    def let_go() -> None:
        while not held:
            page.wait_for_timeout(10)
        held.pop().continue_()

    yield let_go
    page.unroute(pattern)


def _address(place: tuple[int, str | None]) -> str:
    return f"/desk/{place[0]}" + (f"/{place[1]}" if place[1] is not None else "")


def decisions(review: Review, place: tuple[int, str | None]) -> list[Decision]:
    """Those on a contest."""
    made = review.desk.store.decisions_on(place[0])
    return [one for one in made if one.contest == place[1]]


def option_id(review: Review, place: tuple[int, str | None], number: int) -> str:
    """The id of an option by its digit."""
    found = review.desk.queue.find(place)
    assert found is not None
    contest = review.desk.forms[found.form].contest(place[1] or "")
    assert contest is not None
    return contest.options[number - 1].id


def test_keys_alone_decide_and_lead_on(desk: Page, review: Review) -> None:
    first = place_of(desk)
    second = step(desk, "2", "Enter")
    third = step(desk, "0", "Enter")
    step(desk, "i", "Enter")
    (made,) = decisions(review, first)
    assert (made.verdict, made.options) == (Verdict.OPTIONS, (option_id(review, first, 2),))
    assert len(made.crop) == 64
    assert [one.verdict for one in decisions(review, second)] == [Verdict.BLANK]
    assert [one.verdict for one in decisions(review, third)] == [Verdict.OVERVOTE]
    assert review.desk.store.verify() == []


def test_enter_alone_decides_nothing(desk: Page, review: Review) -> None:
    place = place_of(desk)
    press(desk, "Enter", "Enter")
    expect(desk.locator("#answer")).to_contain_text("Choose first")
    press(desk, "1")
    expect(desk.locator("#answer")).to_contain_text("Counts as:")
    press(desk, "1", "Enter")
    expect(desk.locator("#answer")).to_contain_text("Choose first")
    assert place_of(desk) == place
    assert review.desk.store.decisions() == {}


def test_the_mouse_alone_decides_and_leads_on(desk: Page, review: Review) -> None:
    place = place_of(desk)
    desk.locator("#place .option").nth(2).click()
    expect(desk.locator("#answer")).to_contain_text("Counts as:")
    desk.locator("#place [data-act=confirm]").click()
    expect(desk.locator("#place #doubt")).not_to_have_attribute("data-url", _address(place))
    assert [one.options for one in decisions(review, place)] == [(option_id(review, place, 3),)]


def test_a_reload_shows_the_same_doubt(desk: Page, review: Review) -> None:
    second = step(desk, "1", "Enter")
    desk.reload()
    assert place_of(desk) == second
    desk.go_back()
    expect(desk.locator("#place .badge")).to_contain_text("Decided")
    third = place_of(desk)
    assert third != second
    assert len(decisions(review, third)) == 1


def test_undo_leads_back_and_the_decision_counts_no_more(desk: Page, review: Review) -> None:
    first = place_of(desk)
    step(desk, "1", "Enter")
    assert step(desk, "u") == first
    expect(desk.locator("#messages")).to_contain_text("Taken back")
    made = decisions(review, first)
    assert [one.verdict for one in made] == [Verdict.OPTIONS, Verdict.WITHDRAW]
    assert standing(made) == []
    step(desk, "2", "Enter")
    assert [one.options for one in standing(decisions(review, first))] == [
        (option_id(review, first, 2),)
    ]


def test_what_is_skipped_comes_back_after_all_others(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page, Role.READER)
    page.goto(review.url("/desk?question=tth5_phuong/q1"))
    begin(page)
    skipped = place_of(page)
    seen = [step(page, "s")]
    while seen[-1] != skipped:
        seen.append(step(page, "1", "Enter"))
    assert len(seen) == len({*seen}) > 2
    press(page, "1", "Enter")
    expect(page.locator(".empty")).to_be_visible()


def test_what_is_handed_on_waits_for_the_committee_with_its_note(
    desk: Page, review: Review, new_page: Callable[..., Page], signed_in: SignIn
) -> None:
    place = place_of(desk)
    press(desk, "e")
    desk.keyboard.type("Hai nét mực")
    step(desk, "Enter")
    (call,) = decisions(review, place)
    assert (call.verdict, call.note) == (Verdict.ESCALATE, "Hai nét mực")
    desk.goto(review.url(_address(place)))
    expect(desk.locator("#place .badge")).to_have_text("Only the committee may decide this.")
    press(desk, "1", "Enter")
    assert len(decisions(review, place)) == 1
    committee = signed_in(new_page(), Role.COMMITTEE)
    committee.goto(review.url("/desk?pile=escalated"))
    begin(committee)
    assert place_of(committee) == place
    expect(committee.locator("#remarks")).to_contain_text("Hai nét mực")
    press(committee, "1", "Enter")
    expect(committee.locator(".empty")).to_be_visible()
    assert decisions(review, place)[-1].stage is Stage.COMMITTEE


def test_a_sheet_is_voided_for_a_reason_from_the_list(desk: Page, review: Review) -> None:
    sheet, _contest = place_of(desk)
    step(desk, "v", "1", "Enter")
    made = review.desk.store.decisions_on(sheet)[-1]
    assert (made.verdict, made.contest) == (Verdict.REFUSE, None)
    assert made.why == "It is a copy of another sheet."


def test_escape_voids_nothing(desk: Page, review: Review) -> None:
    press(desk, "v", "1", "Escape")
    expect(desk.locator("#ask")).to_be_hidden()
    press(desk, "v")
    desk.locator("#ask button[value=no]").click()
    assert review.desk.store.decisions() == {}


def test_a_note_is_kept_and_goes_with_the_decision(desk: Page, review: Review) -> None:
    place = place_of(desk)
    press(desk, "n")
    desk.keyboard.type("Mực nhòe, 1 nét")
    press(desk, "Enter")
    expect(desk.locator("#remarks")).to_contain_text("Mực nhòe, 1 nét")
    step(desk, "1", "Enter")
    entries = [one for one in review.desk.store.entries(sheet=place[0])]
    assert [one.action for one in entries] == [Action.NOTED, Action.DECIDED]
    assert decisions(review, place)[0].note == "Mực nhòe, 1 nét"


def test_a_note_that_could_not_be_sent_is_there_when_it_is_asked_for_again(desk: Page) -> None:
    desk.route("**/desk/note*", lambda route: route.abort(), times=1)
    press(desk, "n")
    desk.keyboard.type("Mực nhòe")
    press(desk, "Enter")
    expect(desk.locator("#messages")).not_to_be_empty()
    press(desk, "n")
    expect(desk.locator("#ask-text")).to_have_value("Mực nhòe")
    press(desk, "Enter")
    expect(desk.locator("#remarks")).to_contain_text("Mực nhòe")
    press(desk, "n")
    expect(desk.locator("#ask-text")).to_have_value("")


def test_nobody_is_asked_about_a_doubt_while_another_is_on_its_way(
    desk: Page, review: Review
) -> None:
    first = place_of(desk)
    with held_back(desk, "**/desk/decide*") as let_go:
        press(desk, "1", "Enter", "v")
        expect(desk.locator("#ask")).to_be_hidden()
        let_go()
        expect(desk.locator("#place")).not_to_have_attribute("aria-busy", "true")
    assert place_of(desk) != first
    expect(desk.locator("#ask")).to_be_hidden()
    assert [one.verdict for one in decisions(review, first)] == [Verdict.OPTIONS]


def test_back_while_a_decision_is_on_its_way_leads_back_after_it(
    desk: Page, review: Review
) -> None:
    first = place_of(desk)
    second = step(desk, "1", "Enter")
    with held_back(desk, "**/desk/decide*") as let_go:
        press(desk, "2", "Enter")
        desk.evaluate("history.back()")
        desk.wait_for_function(
            "address => location.pathname.startsWith(address)", arg=_address(first)
        )
        let_go()
        address = _address(first)
        desk.locator(f"#place #doubt[data-url^='{address}']").wait_for()
    assert len(decisions(review, second)) == 1
    assert desk.url.removeprefix(review.url("")).startswith(address)


def test_in_two_windows_the_second_save_is_asked_about(
    desk: Page, review: Review, new_page: Callable[..., Page]
) -> None:
    place = place_of(desk)
    other = desk.context.new_page()
    other.goto(desk.url)
    step(desk, "1", "Enter")
    press(other, "2", "Enter")
    expect(other.locator("#conflict")).to_be_visible()
    expect(other.locator("#conflict-text")).to_contain_text(NAMES[Role.READER])
    assert [one.options for one in decisions(review, place)] == [(option_id(review, place, 1),)]
    other.locator("#conflict-mine").click()
    expect(other.locator("#place #doubt")).not_to_have_attribute("data-url", _address(place))
    assert [one.options for one in decisions(review, place)] == [
        (option_id(review, place, 1),),
        (option_id(review, place, 2),),
    ]


def test_two_people_are_never_at_the_same_sheet(
    desk: Page, review: Review, new_page: Callable[..., Page], signed_in: SignIn
) -> None:
    place = place_of(desk)
    other = signed_in(new_page(), SECOND_READER)
    other.goto(review.url("/desk"))
    expect(other.locator("table")).to_contain_text(f"{NAMES[Role.READER]} is at it")
    begin(other)
    assert place_of(other)[0] != place[0]
    other.goto(review.url(_address(place)))
    expect(other.locator(".held")).to_contain_text(NAMES[Role.READER])
    press(other, "1", "Enter")
    assert review.desk.store.decisions() == {}
    step(desk, "1", "Enter")
    assert [one.by for one in decisions(review, place)] == [NAMES[Role.READER]]


def view_box(picture: Locator) -> list[float]:
    """What part of a picture is seen: x, y, width, height."""
    return [float(part) for part in (picture.get_attribute("viewBox") or "").split()]


def test_the_page_is_zoomed_and_moved_by_keys_wheel_and_mouse(desk: Page) -> None:
    picture = desk.locator("#whole .side-picture:not([hidden]) svg")
    whole = view_box(picture)
    press(desk, "+", "+")
    zoomed = view_box(picture)
    assert zoomed[2] < whole[2] / 1.9
    press(desk, "ArrowDown")
    assert view_box(picture)[1] > zoomed[1]
    box = picture.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    desk.mouse.move(*middle)
    desk.mouse.down()
    desk.mouse.move(middle[0] + 60, middle[1])
    desk.mouse.up()
    assert view_box(picture)[0] < zoomed[0]
    desk.mouse.wheel(0, -300)
    desk.wait_for_function(
        "width => Number(document.querySelector('#whole svg').getAttribute('viewBox')"
        ".split(' ')[2]) < width",
        arg=zoomed[2],
    )
    press(desk, "f")
    assert view_box(picture) == whole


def test_the_other_side_and_the_blank_are_one_key_away(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    signed_in(page, Role.READER)
    page.goto(review.url("/desk?form=sxd_5muc"))
    begin(page)
    shown = page.locator("#whole .side-picture:not([hidden])")
    expect(shown).to_have_attribute("data-place", "0")
    press(page, "o")
    expect(shown).to_have_attribute("data-place", "1")
    press(page, "o", "b")
    for blank in (page.locator(".crop .of-blank"), shown.locator(".of-blank")):
        expect(blank).to_have_attribute("visibility", "visible")
    press(page, "b")
    expect(shown.locator(".of-blank")).to_have_attribute("visibility", "hidden")


def test_two_fingers_magnify_the_sheet(desk: Page) -> None:
    picture = desk.locator("#whole .side-picture:not([hidden]) svg")
    box = picture.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    devtools = desk.context.new_cdp_session(desk)
    devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})

    def touch(kind: str, apart: float | None = None) -> None:
        fingers = [] if apart is None else [{"x": x - apart, "y": y}, {"x": x + apart, "y": y}]
        points = [{**finger, "id": number} for number, finger in enumerate(fingers)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    whole = picture.get_attribute("viewBox") or ""
    touch("touchStart", 40)
    for apart in range(44, 104, 4):
        touch("touchMove", apart)
    touch("touchEnd")
    desk.wait_for_function(
        """([picture, whole]) => {
            const [seen, all] = [picture.getAttribute("viewBox"), whole].map(
                (box) => Number(box.split(" ")[2]));
            return 0.35 < seen / all && seen / all < 0.5;
        }""",
        arg=[picture.element_handle(), whole],
    )


def test_the_next_doubt_and_its_pictures_are_there_before_they_are_needed(
    review: Review, page: Page, signed_in: SignIn
) -> None:
    coming: list[str] = []

    def is_of_another(one: Request) -> bool:
        return "/picture/" in one.url and f"/sheet/{page.url.split('/')[4]}/" not in one.url

    def is_the_last(one: Request) -> bool:
        if one.url not in coming:
            return False
        coming.remove(one.url)
        return not coming

    signed_in(page, Role.READER)
    page.goto(review.url("/desk"))
    page.on("request", lambda one: coming.append(one.url) if is_of_another(one) else None)
    with page.expect_request_finished(is_the_last):
        begin(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sheet, contest = step(page, "1", "Enter")
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if f"/desk-part/{sheet}/{contest}" in url] == []
    assert [url for url in asked if "/picture/" in url and f"/sheet/{sheet}/" in url] == []


def test_every_key_is_told_on_the_page(desk: Page) -> None:
    told = {text.strip() for text in desk.locator("main kbd").all_inner_texts()}
    assert {"1", "0", "Enter", "U", "S", "E", "V", "N", "←", "→", "B", "?"} <= told
    press(desk, "?")
    expect(desk.locator("#keys")).to_be_visible()


def test_a_phone_is_wide_enough(
    review: Review, new_page: Callable[..., Page], signed_in: SignIn
) -> None:
    page = signed_in(new_page(PHONE), Role.READER)
    for path in ("/desk", "/desk/next"):
        page.goto(review.url(path))
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


# --- 200 doubts -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return draw_desk_form(tmp_path_factory.mktemp("many"))


@pytest.fixture(scope="module")
def truths(form: Form) -> list[Truth]:
    return choose(form, SHEETS)


@pytest.fixture
def many(form: Form, truths: list[Truth], tmp_path: Path) -> Iterator[Review]:
    count = make_desk_count(tmp_path / "many", form, truths)
    add_people(count)
    with serve(count) as running:
        yield running


@pytest.mark.slow
def test_two_hundred_doubts_decided_through_the_page_end_in_the_true_tally(
    many: Review, form: Form, truths: list[Truth], page: Page
) -> None:
    sign_in_at(page, many, NAMES[Role.READER])
    page.goto(many.url("/desk"))
    expect(page.locator("#left")).to_contain_text(f"{4 * SHEETS} doubts left")
    begin(page)
    for number in range(4 * SHEETS):
        sheet, contest = place_of(page)
        asked = form.contest(contest or "")
        assert asked is not None
        chosen = truths[sheet - 1][asked.id]
        digits = [str(place) for place, one in enumerate(asked.options, 1) if one.id in chosen]
        is_too_many = len(chosen) > asked.max == 1
        keys = ["i"] if is_too_many else digits or ["0"]
        if number < 4 * SHEETS - 1:
            step(page, *keys, "Enter")
        else:
            press(page, *keys, "Enter")
    expect(page.locator(".empty")).to_be_visible()
    store = many.desk.store
    assert tally_count(store, [form]) == tally_of(form, truths)
    assert sum(len(made) for made in store.decisions().values()) == 4 * SHEETS
    assert store.verify() == []
