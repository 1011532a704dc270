"""A form at the bench: what is saved, what is kept, what is found; two windows; its server."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from scanner.counting.kept_forms import keep_forms
from scanner.counting.store import Store
from scanner.errors import CountError, ExitCode, FormError, StorageError
from scanner.forms.template import FORM_FILE, read_form, write_form
from scanner.forms.versions import former_versions, next_version
from scanner.geometry import Box
from scanner.reading.pages import close_files
from scanner.registering import bench as bench_module
from scanner.registering import edits, proposing
from scanner.registering.bench import Bench, OutOfDateError
from scanner.registering.editing import Draft, make_form
from scanner.registering.found import BlankSide, FoundTarget, PrintedWord
from scanner.registering.kept_draft import DRAFT_FILE
from scanner.registering.proposing import ClosedError
from scanner.registering.sides import load_sides
from scanner.review.form_app import create_form_app
from scanner.review.security import Guard
from scanner.review.server import Service
from tests.conftest import Run
from tests.drawn_blanks import Sheet
from tests.review_client import Browser

SHIPPED = Path(__file__).parents[1] / "form_templates"
DRAWN = SHIPPED / "tth5_phuong"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registered form that may be changed."""
    return shutil.copytree(DRAWN, tmp_path / "forms" / DRAWN.name)


@pytest.fixture
def bench(folder: Path) -> Iterator[Bench]:
    with Bench(folder) as opened:
        yield opened


@pytest.fixture
def read_off_the_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of the blank come from its PDF, as Tesseract would read them without a fault."""
    words = load_sides(DRAWN / "blank.pdf")[0].words
    close_files()

    def read(_side: BlankSide, _targets: Sequence[FoundTarget] = ()) -> tuple[PrintedWord, ...]:
        return words

    monkeypatch.setattr(proposing, "read_side", read)


def shift(draft: Draft) -> Draft:
    return edits.move(draft, [draft.targets[0].key], 1.0, 0.0)


def every_key(draft: Draft) -> list[int]:
    return [target.key for target in draft.targets]


# --- saving --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "after"),
    [("1", "2"), ("9", "10"), ("A9", "A10"), ("2023", "2023.2"), ("2023.2", "2023.3"), ("", "2")],
)
def test_the_next_version_has_the_next_number(version: str, after: str) -> None:
    assert next_version(version) == after


def test_what_is_saved_is_the_draft_and_the_former_form_is_kept(bench: Bench) -> None:
    before = (bench.folder / FORM_FILE).read_bytes()
    state = bench.edit(shift, 1)
    assert not state.is_saved
    saved = bench.save(bench.next_version(), state.number)
    form = read_form(bench.folder)
    assert form == make_form(saved.draft).kept_in(bench.folder)
    assert form.version == "2"
    assert (bench.folder / "form.v1.yaml").read_bytes() == before
    assert saved.is_saved
    assert not (bench.folder / DRAFT_FILE).exists()
    assert not list(bench.folder.parent.glob(".unfinished-*"))


def test_versions_of_one_name_are_all_kept(bench: Bench) -> None:
    number = 1
    for _time in range(3):
        number = bench.edit(shift, number).number
        number = bench.save("1", number).number
    names = sorted(path.name for path in bench.folder.glob("form.v*.yaml"))
    assert names == ["form.v1-2.yaml", "form.v1-3.yaml", "form.v1.yaml"]
    assert len({form.content_hash for form in former_versions(bench.folder)}) == 3


def test_a_former_version_is_taken_up_again_and_that_can_be_undone(bench: Bench) -> None:
    first = bench.state().draft
    state = bench.save("2", bench.edit(shift, 1).number)
    assert bench.former() == ["1"]
    taken = bench.take_former("1", state.number)
    assert taken.draft.targets == first.targets
    assert bench.undo(taken.number).draft == state.draft
    with pytest.raises(FormError, match="no version 7"):
        bench.take_former("7", taken.number + 1)


def test_a_form_that_was_changed_elsewhere_is_not_overwritten(bench: Bench) -> None:
    state = bench.edit(shift, 1)
    other = read_form(bench.folder).model_copy(update={"title": "By hand"})
    write_form(other, bench.folder)
    with pytest.raises(FormError, match="changed elsewhere"):
        bench.save("2", state.number)
    assert read_form(bench.folder).title == "By hand"
    again = Bench(bench.folder)
    assert again.was_changed
    assert again.state().draft == state.draft


def test_a_box_without_a_question_is_not_saved(bench: Bench) -> None:
    state = bench.edit(lambda d: edits.release(d, every_key(d)[:2]), 1)
    with pytest.raises(FormError, match="2 boxes belong to no question"):
        bench.save("2", state.number)
    assert read_form(bench.folder).version == "1"


def test_where_the_disk_refuses_the_edit_is_not_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise StorageError("This file cannot be written: no space.")

    monkeypatch.setattr(bench_module, "keep_draft", refuse)
    with pytest.raises(StorageError):
        bench.edit(shift, 1)
    assert bench.state().is_saved
    assert bench.state().number == 1


def test_a_count_goes_on_with_the_version_that_it_began_with(tmp_path: Path, folder: Path) -> None:
    def kept() -> list[str]:
        with Store(tmp_path / "count", create=True) as store:
            return [form.version for form in keep_forms(store, folder.parent, [folder.name])]

    assert kept() == ["1"]
    bench = Bench(folder)
    bench.save("2", bench.edit(shift, 1).number)
    assert kept() == ["1"]
    (folder / "form.v1.yaml").unlink()
    with pytest.raises(CountError, match="has changed since"):
        kept()


# --- what is kept --------------------------------------------------------------------------


def test_what_was_not_saved_is_there_again_and_can_be_dropped(bench: Bench) -> None:
    saved = bench.state().draft
    changed = bench.edit(shift, 1).draft
    again = Bench(bench.folder)
    assert again.taken_up is not None
    assert not again.was_changed
    assert again.state().draft == changed
    assert again.undo(again.state().number).draft == saved
    assert not (bench.folder / DRAFT_FILE).exists()
    assert Bench(bench.folder).taken_up is None


@pytest.mark.parametrize("content", ["", "{", '{"schema": 1}', '{"schema": 9, "draft": {}}', "[]"])
def test_a_kept_draft_that_cannot_be_read_is_passed_over(folder: Path, content: str) -> None:
    (folder / DRAFT_FILE).write_text(content, encoding="utf-8")
    assert Bench(folder).state().is_saved


def test_beginning_from_the_saved_form_can_be_undone(bench: Bench) -> None:
    changed = bench.edit(shift, 1)
    dropped = bench.begin_anew(changed.number)
    assert dropped.is_saved
    assert bench.undo(dropped.number).draft == changed.draft
    assert bench.redo(dropped.number + 1).is_saved


def test_of_two_windows_the_slower_one_is_told(bench: Bench) -> None:
    bench.edit(shift, 1)
    for late in (bench.undo, bench.redo, bench.make_questions):
        with pytest.raises(OutOfDateError):
            late(1)
    with pytest.raises(OutOfDateError):
        bench.edit(shift, 1)
    assert bench.state().number == 2


# --- what is found -------------------------------------------------------------------------


def test_one_box_that_is_drawn_leads_to_all_the_others(bench: Bench) -> None:
    draft = bench.state().draft
    example = draft.targets[3].option.box.grown(0.8)
    true = sorted((t.option.x, t.option.y) for t in draft.targets)
    empty = bench.edit(lambda d: edits.delete(d, every_key(d)), 1)
    found = bench.find_like(1, example, empty.number)
    places = sorted((t.option.x, t.option.y) for t in found.draft.loose())
    assert len(places) == len(true)
    for place, wanted in zip(places, true, strict=True):
        assert place == pytest.approx(wanted, abs=0.5)
    assert set(found.selected) == set(every_key(found.draft))
    with pytest.raises(FormError, match="are there already"):
        bench.find_like(1, example, found.number)
    with pytest.raises(FormError, match="Nothing is printed"):
        bench.find_like(1, Box(2, 285, 5, 5), found.number)


@pytest.mark.usefixtures("read_off_the_pdf")
def test_loose_boxes_become_the_questions_that_are_printed(bench: Bench) -> None:
    draft = bench.state().draft
    wanted = [
        [draft.target(key).option.label for key in question.targets] for question in draft.questions
    ]

    def without_words(draft: Draft) -> Draft:
        keys = every_key(draft)
        bare = edits.change_targets(draft, keys, {"label": ""})
        return edits.release(bare, keys)

    state = bench.edit(without_words, 1)
    made = bench.make_questions(state.number).draft
    assert not made.loose()
    found = [[made.target(k).option.label for k in q.targets] for q in made.questions]
    assert found == wanted
    assert all(question.title for question in made.questions)


@pytest.mark.usefixtures("read_off_the_pdf")
def test_words_are_filled_in_where_there_are_none_and_elsewhere_only_when_asked(
    bench: Bench,
) -> None:
    keys = bench.state().draft.questions[0].targets
    texts = ("Mine", "")

    def type_in(draft: Draft) -> Draft:
        for key, text in zip(keys, texts, strict=False):
            draft = edits.change_targets(draft, [key], {"label": text})
        return draft

    printed = [bench.state().draft.target(key).option.label for key in keys]
    number = bench.edit(type_in, 1).number
    filled = bench.read_words(keys, number, again=False)
    assert [filled.draft.target(key).option.label for key in keys] == ["Mine", *printed[1:]]
    anew = bench.read_words(keys, filled.number, again=True)
    assert [anew.draft.target(key).option.label for key in keys] == printed


def test_each_finding_leads_to_its_places(bench: Bench) -> None:
    assert bench.check().score == 100
    draft = bench.state().draft
    first, second = draft.questions[0].targets[:2]

    def spoil(draft: Draft) -> Draft:
        draft = edits.place(draft, first, draft.target(second).option.box)
        draft = edits.change_question(draft, draft.questions[1].key, {"title": ""})
        return edits.release(draft, [draft.questions[2].targets[0]])

    loose = draft.questions[2].targets[0]
    health = bench.check()
    assert health.number == 1
    bench.edit(spoil, 1)
    health = bench.check()
    found = {finding.message.split(":")[0]: set(keys) for finding, keys in health.findings}
    assert found["Targets that overlap another"] == {first, second}
    assert found["1 box belongs to no question yet."] == {loose}
    assert found["Contests without a title"] == set(draft.questions[1].targets)
    assert health.score < 50
    assert not health.is_complete


def test_a_form_is_compared_with_the_others_when_there_is_time(bench: Bench) -> None:
    twin = shutil.copytree(bench.folder, bench.folder.parent / "twin")
    form = read_form(twin)
    write_form(form.model_copy(update={"id": "twin"}), twin)
    assert not bench.check().is_complete
    bench.compare()
    health = bench.check()
    assert health.is_complete
    assert any("cannot be told from" in finding.message for finding, _keys in health.findings)
    (twin / FORM_FILE).write_text("broken", encoding="utf-8")
    bench.compare()
    assert bench.check().score == 100


# --- its commands --------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Service]:
    """What the commands ask the server for; nothing is served."""
    services: list[Service] = []

    def pretend(make_app: Any, service: Service, tell: Any) -> None:
        services.append(service)
        guard = Guard(service.host, 8420)
        make_app(guard)
        tell(guard.address())

    monkeypatch.setattr("scanner.review.server.serve", pretend)
    return services


def test_a_registered_form_is_opened_on_this_machine_only(
    run: Run, tmp_path: Path, asked: list[Service]
) -> None:
    shutil.copytree(DRAWN, tmp_path / "forms" / DRAWN.name)
    code, out, _err = run("form", "edit", DRAWN.name, "--no-browser", "--port", "0")
    assert code == 0
    assert "/enter/" in out
    assert out.rstrip().endswith("The form's page is closed.")
    assert [(one.host, one.port, one.opens_browser) for one in asked] == [("127.0.0.1", 0, False)]


def test_what_was_not_saved_is_named_when_the_page_is_closed(
    run: Run, tmp_path: Path, asked: list[Service]
) -> None:
    folder = shutil.copytree(DRAWN, tmp_path / "forms" / DRAWN.name)
    Bench(folder).edit(shift, 1)
    code, out, _err = run("form", "edit", DRAWN.name, "--no-browser")
    assert code == 0
    assert "offered again next time" in out
    assert asked


def test_a_form_that_is_not_there_is_not_opened(
    run: Run, tmp_path: Path, asked: list[Service]
) -> None:
    shutil.copytree(DRAWN, tmp_path / "forms" / DRAWN.name)
    code, _out, err = run("form", "edit", "other")
    assert code == ExitCode.BAD_FORM
    assert "other" in err
    assert asked == []


def test_a_blank_without_a_box_is_opened_to_be_drawn_on(
    run: Run, tmp_path: Path, asked: list[Service]
) -> None:
    sheet = Sheet(tmp_path / "blank.pdf")
    sheet.text(30, 40, "Letter without a single box", 14)
    sheet.save()
    code, _out, err = run("form", "register", "blank.pdf", "--id", "empty")
    assert (code, "No place for a mark" in err) == (ExitCode.BAD_FORM, True)
    code, _out, _err = run("form", "register", "blank.pdf", "--id", "empty", "--edit")
    assert code == 0
    assert len(asked) == 1
    bench = Bench(tmp_path / "forms" / "empty")
    assert bench.state().draft.targets == ()
    assert bench.check().score == 0
    close_files()


# --- its server ----------------------------------------------------------------------------


def open_browser(bench: Bench) -> Browser:
    guard = Guard("127.0.0.1", 8420)
    browser = Browser(create_form_app(bench, guard), guard)
    browser.get(guard.address().removeprefix(guard.base_address()))
    assert browser.get("/").status_code == 200
    return browser


@pytest.fixture
def browser(bench: Bench) -> Browser:
    """One that has come in."""
    return open_browser(bench)


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The same for all tests that change nothing."""
    folder = tmp_path_factory.mktemp("forms") / DRAWN.name
    with Bench(shutil.copytree(DRAWN, folder)) as bench:
        yield open_browser(bench)


MOVE = {"do": "move", "keys": [1], "dx": 1, "dy": 0}


@pytest.mark.parametrize("path", ["/form/state", "/form/check", "/form/blank/1.png"])
def test_nothing_is_shown_to_who_has_not_come_in(visitor: Browser, path: str) -> None:
    assert visitor.ask(path).status_code == 200
    assert visitor.ask(path, Cookie="kiemphieu_8420=stolen").status_code == 401


def test_no_people_are_needed_to_correct_a_form(browser: Browser, bench: Bench) -> None:
    answer = browser.post("/form/edit", {"seen": 1, "edit": MOVE})
    assert answer.status_code == 200
    assert answer.json()["number"] == 2
    assert answer.json()["draft"]["targets"][0]["option"]["x"] == pytest.approx(
        bench.state().draft.targets[0].option.x
    )
    assert browser.ask("/form/blank/1.png").content.startswith(b"\x89PNG")


def test_a_late_window_gets_its_own_status(browser: Browser) -> None:
    browser.post("/form/edit", {"seen": 1, "edit": MOVE})
    late = browser.post("/form/edit", {"seen": 1, "edit": MOVE})
    assert late.status_code == 409
    assert late.json()["remedy"]


@pytest.mark.parametrize(
    "message",
    [
        {"seen": 1},
        {"seen": 1, "edit": {"do": "erase"}},
        {"seen": 1, "edit": MOVE | {"keys": ["1"] * 3, "dx": "far"}},
        {"seen": 1, "edit": MOVE | {"dx": 1e9}},
        {"seen": 1, "edit": MOVE | {"path": "../form.yaml"}},
        {"seen": 1, "edit": {"do": "targets", "keys": [1], "label": "x" * 2001}},
        {"seen": 1, "edit": {"do": "form", "language": "../en"}},
        {"seen": 1, "edit": {"do": "question", "key": 999, "title": "?"}},
    ],
)
def test_what_makes_no_sense_changes_nothing(visitor: Browser, message: dict[str, Any]) -> None:
    answer = visitor.post("/form/edit", message)
    assert answer.status_code == 422
    assert answer.json()["message"]
    assert visitor.ask("/form/state").json()["number"] == 1


def test_another_page_of_the_browser_cannot_change_the_form(browser: Browser, bench: Bench) -> None:
    body = {"seen": 1, "edit": MOVE}
    foreign = browser.post("/form/edit", body, Origin="http" + "://evil.example.org")
    assert foreign.status_code == 403
    browser.csrf = "forged"
    assert browser.post("/form/edit", body).status_code == 403
    assert bench.state().number == 1


@pytest.mark.parametrize(
    "name", ["../form.yaml", "..%2Fform.yaml", "1.png/../../form.yaml", "0", "9.png"]
)
def test_only_the_blanks_of_the_form_are_served(browser: Browser, name: str) -> None:
    answer = browser.ask(f"/form/blank/{name}")
    assert answer.status_code in {404, 422}
    assert "schema" not in answer.text


def test_a_label_with_markup_is_text(browser: Browser) -> None:
    evil = "</script><script>alert(1)</script>"
    edit = {"do": "targets", "keys": [1], "label": evil}
    assert browser.post("/form/edit", {"seen": 1, "edit": edit}).status_code == 200
    assert evil not in browser.get("/").text


def test_closing_ends_what_was_begun_in_the_background(folder: Path) -> None:
    with Bench(folder) as bench:
        bench.look_ahead()
    running = {thread.name for thread in threading.enumerate()}
    bench.look_ahead()
    bench.close()
    assert {thread.name for thread in threading.enumerate()} == running
    with pytest.raises(ClosedError):
        bench.propose()


@pytest.mark.usefixtures("read_off_the_pdf")
def test_a_page_need_not_wait_for_what_takes_seconds(browser: Browser, bench: Bench) -> None:
    deadline = time.monotonic() + 30
    while not (answer := browser.ask("/form/proposals").json())["is_ready"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    labels = {one["key"]: one["text"] for one in answer["labels"]}
    draft = bench.state().draft
    assert labels == {target.key: target.option.label for target in draft.targets}
    while not browser.ask("/form/check").json()["is_complete"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_saving_through_the_server_makes_a_version(browser: Browser, folder: Path) -> None:
    browser.post("/form/edit", {"seen": 1, "edit": MOVE})
    saved = browser.post("/form/save", {"seen": 2, "version": "2"})
    assert saved.json()["is_saved"]
    assert saved.json()["next_version"] == "3"
    assert saved.json()["former"] == ["1"]
    assert read_form(folder).version == "2"
