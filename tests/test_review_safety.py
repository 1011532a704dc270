"""What the review page refuses, and that nothing is served, executed or lost by it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.counting.people import Role
from scanner.messages import speaking
from scanner.review.context import OF_ONESELF
from scanner.review.security import (
    HEADERS,
    MAX_BODY_BYTES,
    Guard,
    choose_language,
)
from tests.review_client import ORIGIN, PASS_PHRASE, Browser, Office, open_office
from tests.reviewed_counts import NAMES, PIN, copy_count

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def office(staffed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A count that these tests only look at, or try in vain to change."""
    count = copy_count(staffed, tmp_path_factory.mktemp("safety") / "count")
    with open_office(count) as opened:
        yield opened


@pytest.fixture(scope="module")
def clerk(office: Office) -> Browser:
    """Somebody of the committee, signed in."""
    return office.person()


@pytest.fixture
def own_office(staffed: Path, tmp_path: Path) -> Iterator[Office]:
    """A count that one test may change."""
    with open_office(copy_count(staffed, tmp_path / "count")) as opened:
        yield opened


@pytest.fixture
def network(staffed: Path, tmp_path: Path) -> Iterator[Office]:
    """The same, served to the office network."""
    count = copy_count(staffed, tmp_path / "count")
    with open_office(count, pass_phrase=PASS_PHRASE) as opened:
        yield opened


# --- hosts and origins --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["evil.example.org:8420", "127.0.0.1", "127.0.0.1:80", "localhost:99999", "", "[::1", "0:8420"],
)
def test_a_foreign_name_that_leads_here_is_refused(clerk: Browser, host: str) -> None:
    answer = clerk.get("/sign-in", Host=host)
    assert answer.status_code == 421
    assert "csrf" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost:8420", "[::1]:8420"])
def test_the_names_of_this_machine_are_answered(host: str) -> None:
    assert Guard("127.0.0.1", 8420).knows_host(host)


def test_on_the_network_numbers_are_names_and_foreign_names_are_not() -> None:
    guard = Guard("0.0.0.0", 8420, pass_phrase=PASS_PHRASE)
    assert guard.knows_host("192.168.1.20:8420")
    assert not guard.knows_host("evil.example.org:8420")


FOREIGN = [
    {"Origin": "https://example.org"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:9999"},
    {"Origin": "http://127.0.0.1:8420.example.org"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_what_another_page_sends_changes_nothing(
    office: Office, clerk: Browser, headers: dict[str, str]
) -> None:
    before = office.desk.store.head()
    answer = clerk.http.post(
        "/language", data={"csrf": clerk.csrf, "language": "vi"}, headers=headers
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert office.desk.store.head() == before


def test_a_request_of_no_page_at_all_is_refused(clerk: Browser) -> None:
    assert clerk.http.post("/language", data={"csrf": clerk.csrf}).status_code == 403


def test_a_picture_is_not_shown_inside_another_page(clerk: Browser) -> None:
    path = "/picture/sheet/1/page/1"
    assert clerk.ask(path).status_code == 200
    shown = clerk.ask(path, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")
    assert shown.status_code == 403


# --- forged requests ----------------------------------------------------------------------------


def changing_routes(office: Office) -> list[str]:
    """Every address of the application that takes a POST."""
    paths = [
        route.path
        for included in office.app.state.routers
        for route in included.routes
        if "POST" in getattr(route, "methods", ())
    ]
    assert len(paths) > 4
    return paths


def test_nothing_is_changed_without_the_token_of_the_session(own_office: Office) -> None:
    browser = own_office.person()
    forged = ["", "wrong", own_office.person(Role.READER).csrf]
    before = own_office.desk.store.head()
    for path in changing_routes(own_office):
        address = re.sub(r"{[^}]+}", "1", path)
        for token in forged:
            answer = browser.http.post(address, data={"csrf": token}, headers={"Origin": ORIGIN})
            assert answer.status_code == 403, (address, answer.text)
            answer = browser.post(address, {}, X_CSRF_Token=token)
            assert answer.status_code == 403, (address, answer.text)
    assert own_office.desk.store.head() == before


def test_an_observer_changes_nothing(own_office: Office) -> None:
    watcher = own_office.person(Role.OBSERVER)
    before = own_office.desk.store.head()
    for path in changing_routes(own_office):
        if path not in OF_ONESELF:
            answer = watcher.post(re.sub(r"{[^}]+}", "1", path))
            assert answer.status_code == 403, (path, answer.text)
            assert "observer" in answer.json()["message"], path
    assert own_office.desk.store.head() == before


# --- what is sent -------------------------------------------------------------------------------


def test_a_note_of_ten_megabytes_is_refused_in_words(clerk: Browser) -> None:
    answer = clerk.post("/desk/decide", {"note": "x" * 10_000_000})
    assert answer.status_code == 413
    assert "at most 64 kB" in answer.json()["message"]
    assert clerk.get("/sign-in").status_code == 303


def test_a_body_that_hides_its_length_is_cut_off(clerk: Browser) -> None:
    headers = {"Origin": ORIGIN, "X-CSRF-Token": clerk.csrf, "Content-Type": "application/json"}
    endless = (b"[" for _ in range(MAX_BODY_BYTES + 1000))
    answer = clerk.http.post("/desk/decide", content=endless, headers=headers)
    assert answer.status_code == 413


PATHS = [
    "/picture/sheet/../../count.db/page/1",
    "/picture/sheet/%2e%2e%2f%2e%2e%2fcount.db/page/1",
    "/picture/blank/..%2f..%2fcount.db/page/1",
    "/picture/blank/..%5c..%5ccount.db/page/1",
    "/picture/blank/../page/1",
    "/picture/raw/..%2fcount.db",
    "/picture/raw/1%00.jpg",
    "/static/../app.py",
    "/static/%2e%2e/app.py",
    "/static/..%5capp.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/c:%5cwindows%5cwin.ini",
    "/static/",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_address_leads_out_of_the_count(clerk: Browser, path: str) -> None:
    answer = clerk.ask(path)
    assert answer.status_code in {404, 422}, answer.text
    assert answer.headers["content-type"].startswith("application/json")


NUMBERS = ["0", "-1", "99999999999999999999999999", "1e3", "1.5", "NaN", "١", "true", "' OR 1=1"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "path", ["/picture/sheet/{}/page/1", "/picture/sheet/1/contest/{}", "/picture/raw/{}"]
)
def test_what_is_no_number_is_no_picture(clerk: Browser, path: str, number: str) -> None:
    assert clerk.ask(path.format(number)).status_code in {404, 422}


def test_sheets_and_pages_that_are_not_there_are_said_to_be_missing(clerk: Browser) -> None:
    for path in (
        "/picture/sheet/999/page/1",
        "/picture/sheet/1/page/9",
        "/picture/sheet/1/contest/99",
        "/picture/sheet/1/target/1/99",
        "/picture/sheet/999/header/1",
        "/picture/sheet/1/header/1",
        "/picture/blank/unknown/page/1",
        "/picture/blank/tth5_phuong/page/2",
        "/picture/raw/999",
    ):
        answer = clerk.ask(path)
        assert answer.status_code == 404, path
        assert answer.json()["message"] == "There is no such picture in this count.", path


# --- scripts in texts ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sign-in?next={}", "/{}", "/desk?pile={}", "/entrance?x={}"])
def test_a_script_in_an_address_is_text(office: Office, clerk: Browser, path: str) -> None:
    for browser in (office.browser(), office.browser().come_in(), clerk):
        assert SCRIPT not in browser.get(path.format(SCRIPT)).text


def test_a_script_as_a_name_is_text(own_office: Office) -> None:
    own_office.desk.store.add_person(SCRIPT, PIN, Role.READER, NAMES[Role.COMMITTEE])
    browser = own_office.browser().come_in()
    assert SCRIPT not in browser.get("/sign-in").text
    refused = browser.submit("/sign-in", {"name": SCRIPT, "pin": "wrong!"})
    assert refused.status_code == 403
    assert SCRIPT not in refused.text
    browser.submit("/sign-in", {"name": SCRIPT, "pin": PIN})
    page = browser.get("/no-such-page")
    assert "&lt;script&gt;alert(1)" in page.text
    assert SCRIPT not in page.text


def test_no_page_leads_to_another_server(office: Office) -> None:
    for path in ("//example.org", "https://example.org", "/\\example.org", "/%0d%0aX: 1"):
        browser = office.browser().come_in()
        fields = {"name": NAMES[Role.READER], "pin": PIN, "next": path.replace("%0d%0a", "\r\n")}
        assert browser.submit("/sign-in", fields).headers["location"] == "/"


def test_every_answer_says_what_a_browser_may_do(office: Office, clerk: Browser) -> None:
    stranger, person = office.browser(), clerk
    answers = [
        stranger.get("/"),
        stranger.get("/entrance"),
        stranger.get("/static/style.css"),
        stranger.get("/", Host="evil.example.org"),
        person.get("/no-such-page"),
        person.ask("/picture/sheet/1/page/1"),
        person.post("/desk/decide", {"note": "x" * 100_000}),
    ]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert answer.headers["cache-control"] in {"no-store", "no-cache"}
        assert "server" not in answer.headers
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_no_page_has_a_script_or_a_style_of_its_own() -> None:
    folder = Path(__file__).parents[1] / "scanner" / "review" / "templates"
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        scripts = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text)
        assert not scripts, path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe\b", text), path


# --- languages and errors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        (None, "en;q=0.5,vi;q=0.9", "vi"),
        (None, "fr-FR,fr;q=0.9,vi;q=0.2", "vi"),
        (None, "fr", "en"),
        (None, None, "en"),
        (None, "*, vi;q=x, ;;;,=", "en"),
        ("vi", "en", "vi"),
        ("fr", "vi", "vi"),
    ],
)
def test_the_choice_goes_before_the_browser_and_that_before_the_program(
    cookie: str | None, accepted: str | None, language: str
) -> None:
    assert choose_language(cookie, accepted) == language


def test_a_page_is_in_the_language_that_was_chosen(office: Office) -> None:
    browser = office.browser().come_in()
    page = browser.get("/sign-in", Accept_Language="vi")
    assert '<html lang="vi">' in page.text
    answer = browser.submit("/language", {"language": "en", "back": "/sign-in"})
    assert answer.headers["location"] == "/sign-in"
    assert '<html lang="en">' in browser.get("/sign-in", Accept_Language="vi").text
    with speaking("vi"):
        assert '<html lang="en">' in browser.get("/sign-in").text


def test_an_error_of_the_program_says_no_more_than_it_must(
    own_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = own_office.person()

    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(type(own_office.desk.pictures), "page_jpeg", fail)
    for answer in (browser.ask("/picture/sheet/1/page/1"), browser.get("/picture/sheet/1/page/1")):
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "went wrong" in answer.text
        assert answer.headers["cache-control"] == "no-store"


def test_what_is_no_json_is_told_in_words(clerk: Browser) -> None:
    headers = {"Origin": ORIGIN, "X-CSRF-Token": clerk.csrf, "Content-Type": "application/json"}
    answer = clerk.http.post("/desk/decide", content=b"{", headers=headers)
    assert answer.status_code == 422
    assert set(json.loads(answer.text)) == {"message", "remedy"}
