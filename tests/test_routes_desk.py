"""The desk without a browser: what it shows to whom, and what it saves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.counting.adjudication import Decision, Stage, Verdict, standing
from scanner.counting.journal import Action
from scanner.counting.people import Role
from scanner.counting.same_paper import SamePaper
from scanner.counting.second_reader import SecondReader
from scanner.forms.template import Form
from tests.desk_counts import choose, draw_desk_form, make_desk_count
from tests.fake_pages import make_form
from tests.review_client import Browser, Office, open_office
from tests.reviewed_counts import NAMES, SECOND_READER, add_people
from tests.stored_counts import ink, make_count
from tests.struck_forms import draw_ballot

MINH, LAN = NAMES[Role.READER], NAMES[Role.COMMITTEE]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    form = draw_desk_form(folder)
    count = make_desk_count(folder / "count", form, choose(form, 3))
    add_people(count)
    return folder


@pytest.fixture
def office(kept: Path, tmp_path: Path) -> Iterator[Office]:
    shutil.copytree(kept, tmp_path / "kept")
    with open_office(tmp_path / "kept" / "count") as opened:
        yield opened


def crop_of(browser: Browser, place: str) -> str:
    html = browser.ask(f"/desk-part/{place}").json()["html"]
    return str(html.partition('data-crop="')[2].partition('"')[0])


def decide(browser: Browser, sheet: int, contest: str | None = "q1", **made: Any) -> dict[str, Any]:
    """Decide on a contest as the page does."""
    place = f"{sheet}/{contest}" if contest else str(sheet)
    usual = {
        "sheet": sheet,
        "contest": contest,
        "verdict": "options",
        "options": ["o1"],
        "known": 0,
    }
    if "crop" not in made:
        made["crop"] = crop_of(browser, place)
    answer = browser.post("/desk/decide", usual | made)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def last(office: Office, sheet: int) -> Decision:
    return office.desk.store.decisions_on(sheet)[-1]


def test_the_queue_page_lists_the_doubts_and_its_filters(office: Office) -> None:
    page = office.person(Role.READER).get("/desk")
    assert page.status_code == 200
    assert "12 doubts left" in page.text
    assert page.text.count('<th scope="row">') == 12
    fewer = office.person(Role.READER).get("/desk?question=small/q2")
    assert fewer.text.count('<th scope="row">') == 3


@pytest.mark.parametrize("query", ["pile=nowhere", "reason=none", "batch=x", "question=q1"])
def test_a_filter_that_is_none_is_refused(office: Office, query: str) -> None:
    assert office.person().get(f"/desk?{query}").status_code == 422


def test_begin_leads_to_the_first_doubt_and_holds_its_sheet(office: Office) -> None:
    answer = office.person(Role.READER).get("/desk/next")
    assert answer.headers["location"] == "/desk/1/q1"
    assert [*office.desk.store.held()] == [1]


def test_a_doubt_says_why_it_asks_and_what_the_machine_read(office: Office) -> None:
    page = office.person(Role.READER).get("/desk/1/q1")
    assert "It is not clear whether this box is marked." in page.text
    assert "% likely marked" in page.text


@pytest.mark.parametrize("place", ["99/q1", "1/nothing", "0/q1", "x/q1"])
def test_a_place_that_is_not_there_is_no_page(office: Office, place: str) -> None:
    assert office.person().get(f"/desk/{place}").status_code in {404, 422}


def test_a_decision_carries_who_stage_note_and_the_picture_that_was_shown(office: Office) -> None:
    browser = office.person(Role.READER)
    crop = crop_of(browser, "1/q1")
    answer = decide(browser, 1, note="Nhạt nhưng rõ")
    made = last(office, 1)
    assert answer["saved"]
    assert (made.by, made.stage, made.options) == (MINH, Stage.FIRST, ("o1",))
    assert made.note == "Nhạt nhưng rõ"
    assert len(made.crop) == 64
    assert made.crop == crop
    assert office.desk.store.verify() == []


def test_the_answer_says_what_is_next_and_it_is_held(office: Office) -> None:
    browser = office.person(Role.READER)
    decide(browser, 1, "q1")
    decide(browser, 1, "q2")
    decide(browser, 1, "q3")
    answer = decide(browser, 1, "q4")
    assert answer["next"] == "/desk/2/q1"
    assert answer["status"] == "8 doubts left"
    assert [*office.desk.store.held()] == [2]


def test_filters_go_along_from_doubt_to_doubt(office: Office) -> None:
    browser = office.person(Role.READER)
    crop = crop_of(browser, "1/q2")
    body = {"sheet": 1, "contest": "q2", "verdict": "blank", "known": 0, "crop": crop}
    answer = browser.post("/desk/decide?question=small/q2", body).json()
    assert answer["next"] == "/desk/2/q2?question=small%2Fq2"
    assert answer["status"] == "2 doubts left"


def test_a_picture_that_was_not_shown_is_not_put_on_record(office: Office) -> None:
    answer = decide(office.person(Role.READER), 1, crop="0" * 64)
    assert not answer["saved"]
    assert office.desk.store.decisions_on(1) == []


def test_the_second_to_save_is_told_and_nothing_is_lost(office: Office) -> None:
    first, second = office.person(Role.COMMITTEE), office.person(Role.READER)
    crop = crop_of(second, "1/q1")
    decide(first, 1, options=["o2"])
    office.desk.store.release(1, 1)
    for sheet in office.desk.store.held():
        office.desk.store.release(sheet, 1)
    answer = decide(second, 1, options=["o1"], crop=crop)
    assert not answer["saved"]
    assert LAN in answer["text"]
    assert answer["may_save"]
    assert len(office.desk.store.decisions_on(1)) == 1
    again = decide(second, 1, options=["o1"], crop=crop, known=answer["known"])
    assert again["saved"]
    assert [one.options for one in office.desk.store.decisions_on(1)] == [("o2",), ("o1",)]


def test_a_decision_sent_twice_is_saved_once(office: Office) -> None:
    browser = office.person(Role.READER)
    crop = crop_of(browser, "1/q1")
    assert decide(browser, 1, crop=crop)["saved"]
    assert decide(browser, 1, crop=crop)["saved"]
    assert len(office.desk.store.decisions_on(1)) == 1


def test_what_somebody_else_is_at_is_not_saved(office: Office) -> None:
    first, second = office.person(Role.COMMITTEE), office.person(Role.READER)
    assert first.post("/desk/hold", {"sheet": 1}).json()["held_by"] == ""
    held = second.post("/desk/hold", {"sheet": 1}).json()
    assert held["held_by"] == LAN
    answer = decide(second, 1)
    assert not answer["saved"]
    assert LAN in answer["text"]
    assert LAN in second.get("/desk").text
    assert second.get("/desk/next").headers["location"] == "/desk/2/q1"


def test_undo_takes_back_the_person_s_own_last_decision(office: Office) -> None:
    reader, other = office.person(Role.READER), office.person(SECOND_READER)
    decide(reader, 1)
    decide(other, 2)
    answer = reader.post("/desk/undo", {"sheet": 3, "contest": "q1"}).json()
    assert answer["saved"]
    assert answer["next"] == "/desk/1/q1"
    assert standing(office.desk.store.decisions_on(1)) == []
    assert last(office, 1).verdict is Verdict.WITHDRAW
    assert len(standing(office.desk.store.decisions_on(2))) == 1
    nothing = reader.post("/desk/undo", {"sheet": 1, "contest": "q1"}).json()
    assert not nothing["saved"]


def test_undo_goes_back_step_by_step(office: Office) -> None:
    browser = office.person(Role.READER)
    decide(browser, 1, "q1")
    decide(browser, 1, "q2")
    steps = [browser.post("/desk/undo", {"sheet": 1}).json() for _time in range(3)]
    assert [step["next"] for step in steps] == ["/desk/1/q2", "/desk/1/q1", ""]


def test_what_is_escalated_a_reader_cannot_decide_and_the_committee_can(office: Office) -> None:
    reader, committee = office.person(Role.READER), office.person(Role.COMMITTEE)
    body = {"sheet": 1, "contest": "q1", "note": "Hai dấu?"}
    assert reader.post("/desk/escalate", body).json()["next"] == "/desk/1/q2"
    assert "Only the committee may decide this." in reader.get("/desk/1/q1").text
    crop = crop_of(reader, "1/q1")
    known = last(office, 1).id
    refused = reader.post(
        "/desk/decide",
        {"sheet": 1, "contest": "q1", "verdict": "blank", "known": known, "crop": crop},
    )
    assert refused.status_code == 400
    void = {"sheet": 1, "contest": "q2", "verdict": "refuse", "known": 0, "why": "Bản sao"}
    void["crop"] = crop_of(reader, "1/q2")
    assert reader.post("/desk/decide", void).status_code == 403
    office.desk.store.release(1, 2)
    assert decide(committee, 1, verdict="blank", options=[], known=known)["saved"]
    assert last(office, 1).stage is Stage.COMMITTEE


def test_a_second_reader_sees_neither_the_first_answer_nor_the_machine_s(office: Office) -> None:
    office.desk.store.set_second_reader(SecondReader.DOUBTS, LAN)
    first, second = office.person(Role.READER), office.person(SECOND_READER)
    decide(first, 1, options=["o3"], note="Rõ ràng")
    office.desk.store.release(1, 2)
    part = second.ask("/desk-part/1/q1").json()["html"]
    for told in (
        "sure",
        "likely",
        "Rõ ràng",
        MINH,
        "not clear",
        'class="target marked',
        "doubtful",
    ):
        assert told not in part
    assert "Another person has read this." in part
    queue = second.get("/desk?pile=second").text
    assert "not clear" not in queue
    assert "You have read this already" in first.get("/desk/1/q1").text
    overtaken = decide(second, 1, options=["o2"])
    assert "o3" not in overtaken["text"]
    assert not overtaken["may_save"]
    known = last(office, 1).id
    assert decide(second, 1, options=["o2"], known=known)["saved"]
    assert last(office, 1).stage is Stage.SECOND
    assert "Only the committee may decide this." in second.get("/desk/1/q1").text


def test_a_sheet_is_voided_with_a_reason(office: Office) -> None:
    answer = decide(
        office.person(Role.READER), 1, verdict="refuse", options=[], why="Bản sao của phiếu khác"
    )
    made = last(office, 1)
    assert (made.verdict, made.contest, made.why) == (
        Verdict.REFUSE,
        None,
        "Bản sao của phiếu khác",
    )
    assert answer["next"] == "/desk/2/q1"
    assert answer["status"] == "8 doubts left"


def test_of_the_same_paper_both_are_shown_and_one_is_kept(office: Office) -> None:
    store = office.desk.store
    pages = {sheet: source.page for sheet, source in store.sources()}
    store.save_same_paper(1, [SamePaper(pages[1], pages[3], 30.0, 20.0)])
    office.desk.queue.reload()
    browser = office.person(Role.READER)
    page = browser.get("/desk/1").text
    assert "Compare it with 0003." in page
    for address in ("/picture/sheet/1/page/1", "/picture/sheet/3/page/1"):
        assert address in page
        assert browser.ask(address).headers["content-type"] == "image/jpeg"
    accepted = decide(browser, 1, None, verdict="accept", options=[])
    assert accepted["next"] == "/desk/1/q1"
    assert decide(browser, 3, None, verdict="refuse", options=[], why="Bản sao")["saved"]
    assert office.desk.queue.find((3, "q1")) is None
    assert [one.verdict for one in store.decisions_on(1)] == [Verdict.ACCEPT]


def test_a_note_is_kept_on_the_record_under_its_writer_s_name(office: Office) -> None:
    browser = office.person(Role.READER)
    said = browser.post("/desk/note", {"sheet": 1, "contest": "q1", "note": " Mực nhòe "}).json()
    assert "Mực nhòe" in said["text"]
    entry = [*office.desk.store.entries(sheet=1)][-1]
    assert (entry.action, entry.who, entry.detail["text"]) == (Action.NOTED, MINH, "Mực nhòe")
    assert "Mực nhòe" in browser.get("/desk/1/q1").text
    empty = browser.post("/desk/note", {"sheet": 1, "contest": "q1", "note": "  "})
    assert empty.status_code == 400


def test_a_label_or_note_is_text_and_never_markup(office: Office) -> None:
    browser = office.person(Role.READER)
    evil = "<script>alert(1)</script>"
    browser.post("/desk/note", {"sheet": 1, "contest": "q1", "note": evil})
    page = browser.get("/desk/1/q1").text
    assert evil not in page
    assert "&lt;script&gt;" in page


def test_an_observer_changes_nothing(office: Office) -> None:
    browser = office.person(Role.OBSERVER)
    page = browser.get("/desk/1/q1").text
    assert "data-open" not in page
    body = {"sheet": 1, "contest": "q1", "verdict": "blank", "known": 0}
    for what in ("decide", "skip", "undo", "escalate", "note", "hold"):
        assert browser.post(f"/desk/{what}", body).status_code == 403
    assert office.desk.store.decisions_on(1) == []
    assert browser.get("/desk/next").headers["location"] == "/desk/1/q1"
    assert office.desk.store.held() == {}


def test_what_was_read_without_doubt_can_be_corrected(office: Office) -> None:
    browser = office.person(Role.READER)
    decide(browser, 1)
    known = last(office, 1).id
    assert "Decided. A new decision replaces the one before." in browser.get("/desk/1/q1").text
    assert decide(browser, 1, options=["o2"], known=known)["saved"]
    assert last(office, 1).options == ("o2",)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sheet": 1, "contest": "q1", "verdict": "withdraw", "known": 0},
        {"sheet": 1, "contest": "q1", "verdict": "blank", "known": 0, "stage": "committee"},
        {"sheet": 1, "contest": "q1", "verdict": "blank", "known": 0, "crop": "../../etc"},
        {"sheet": 2**70, "contest": "q1", "verdict": "blank", "known": 0},
        {"sheet": 1, "contest": "q1", "verdict": "blank", "known": 0, "note": "x" * 5000},
    ],
)
def test_what_is_no_decision_is_refused(office: Office, body: dict[str, Any]) -> None:
    assert office.person().post("/desk/decide", body).status_code == 422
    assert office.desk.store.decisions() == {}


def test_a_form_of_struck_names_says_so(tmp_path: Path) -> None:
    form = draw_ballot(tmp_path / "forms" / "phieu-bau")
    count = _count_of(tmp_path, form)
    with open_office(count) as office:
        contest = form.contests[0]
        page = office.person(Role.READER).get(f"/desk/1/{contest.id}").text
        assert "data-struck" in page
        assert "likely struck out" in page
        assert "No name is struck out" in page


def test_a_contest_on_a_page_that_was_not_scanned_shows_the_blank(
    tmp_path: Path,
) -> None:
    form = make_form(tmp_path / "forms", "hai-trang")
    count = make_count(tmp_path / "count", form, [[[ink(0.5), ink(0.001), ink(0.001)]]])
    add_people(count)
    with open_office(count) as office:
        page = office.person(Role.READER).get("/desk/1/c2").text
        assert "This page was not scanned." in page
        assert decide(office.person(Role.READER), 1, "c2", verdict="blank", options=[])["saved"]
        assert last(office, 1).crop == ""


def _count_of(folder: Path, form: Form) -> Path:
    """One sheet on which every target is unclear, without a picture."""
    pages = [[ink(0.11)] * len(form.targets_on(page.number)) for page in form.pages]
    count = make_count(folder / "count", form, [pages])
    add_people(count)
    return count
