"""Who comes in, who is signed in, and for how long."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.counting.people import Role
from scanner.review.security import Guard
from scanner.review.session import MAX_STRANGERS, Entrance, Session, Sessions
from tests.review_client import PASS_PHRASE, Browser, Office, open_office
from tests.reviewed_counts import NAMES, PIN, copy_count

SECRET_PATHS = ("/", "/desk", "/log", "/people", "/wall", "/picture/sheet/1/page/1", "/sign-in")


@pytest.fixture(scope="module")
def office(staffed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A count that these tests only look at."""
    count = copy_count(staffed, tmp_path_factory.mktemp("safety") / "count")
    with open_office(count) as opened:
        yield opened


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


# --- the entrance -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SECRET_PATHS)
def test_without_the_address_nothing_is_shown(office: Office, path: str) -> None:
    answer = office.browser().ask(path)
    assert answer.status_code in {401, 404}
    assert "image" not in answer.headers["content-type"]
    page = office.browser().get(path)
    assert page.status_code == 404 or page.headers["location"] == "/entrance"


def test_the_address_lets_one_browser_in_once(office: Office) -> None:
    path = office.guard.address().removeprefix(office.guard.base_address())
    first, second = office.browser(), office.browser()
    assert first.get(path).headers["location"] == "/"
    assert first.get("/sign-in").status_code == 200
    assert second.get(path).status_code == 403
    assert second.get("/sign-in").headers["location"] == "/entrance"


def test_whoever_is_in_does_not_use_up_the_next_address(office: Office) -> None:
    browser = office.browser().come_in()
    path = office.guard.address().removeprefix(office.guard.base_address())
    assert browser.get(path).status_code == 303
    assert office.browser().get(path).headers["location"] == "/"


def test_a_used_address_is_followed_by_a_new_one_that_is_told() -> None:
    told: list[str] = []
    guard = Guard("127.0.0.1", 8420, tell=told.append)
    first = guard.address()
    assert guard.use_token(first.rpartition("/")[2])
    assert not guard.use_token(first.rpartition("/")[2])
    assert told == [guard.address()]
    assert guard.address() != first


def test_a_guessed_address_is_refused(office: Office) -> None:
    assert office.browser().get("/enter/" + "A" * 43).status_code == 403
    assert office.browser().get("/enter/ô").status_code == 403


def test_the_key_of_a_session_is_not_to_be_read_by_scripts(office: Office) -> None:
    path = office.guard.address().removeprefix(office.guard.base_address())
    cookie = office.browser().get(path).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_a_key_planted_before_is_worth_nothing_after(office: Office) -> None:
    victim, thief = office.browser(), office.browser()
    victim.get("/entrance")
    planted = victim.http.cookies[office.guard.cookie]
    thief.http.cookies.set(office.guard.cookie, planted)
    victim.sign_in()
    assert victim.http.cookies[office.guard.cookie] != planted
    assert thief.get("/sign-in").headers["location"] == "/entrance"
    assert thief.ask("/picture/sheet/1/page/1").status_code == 401


def test_the_key_changes_when_a_person_signs_in_and_out(office: Office) -> None:
    browser = office.browser().come_in()
    keys = [browser.http.cookies[office.guard.cookie]]
    browser.submit("/sign-in", {"name": NAMES[Role.READER], "pin": PIN})
    keys.append(browser.http.cookies[office.guard.cookie])
    browser.get("/sign-in")
    browser.get("/log")
    browser.submit("/sign-out", {})
    keys.append(browser.http.cookies[office.guard.cookie])
    assert len(set(keys)) == 3


# --- the first person, and the network ----------------------------------------------------------


@pytest.fixture
def empty(scanned: Path, tmp_path: Path) -> Path:
    return copy_count(scanned, tmp_path / "count")


def first_person(**fields: str) -> dict[str, str]:
    return {"name": "Lan", "pin": PIN, "again": PIN, **fields}


def test_the_first_person_is_of_the_committee(empty: Path) -> None:
    with open_office(empty) as office:
        browser = office.browser().come_in()
        assert browser.submit("/sign-in/first", first_person()).headers["location"] == "/"
        (person,) = office.desk.store.people()
        assert (person.name, person.role) == ("Lan", Role.COMMITTEE)
        assert browser.ask("/picture/sheet/1/page/1").status_code == 200


def test_the_first_person_is_so_once(own_office: Office) -> None:
    browser = own_office.browser().come_in()
    answer = browser.submit("/sign-in/first", first_person(name="Another"))
    assert answer.headers["location"] == "/sign-in"
    assert own_office.desk.store.find_person("Another") is None


@pytest.mark.parametrize("fields", [{"again": "other"}, {"pin": "1", "again": "1"}, {"name": " "}])
def test_a_first_person_that_is_none_is_told_why(empty: Path, fields: dict[str, str]) -> None:
    with open_office(empty) as office:
        browser = office.browser().come_in()
        answer = browser.submit("/sign-in/first", first_person(**fields))
        assert answer.status_code == 403
        assert 'role="alert"' in answer.text
        assert office.desk.store.people() == []


def test_nobody_from_the_network_is_the_first_person(empty: Path) -> None:
    with open_office(empty, pass_phrase=PASS_PHRASE) as office:
        browser = office.browser("192.168.1.20")
        browser.get("/entrance")
        browser.submit("/entrance", {"pass_phrase": PASS_PHRASE})
        browser.get("/sign-in")
        answer = browser.submit("/sign-in/first", first_person())
        assert answer.status_code == 403
        assert office.desk.store.people() == []


def guess(browser: Browser, phrase: str) -> int:
    browser.get("/entrance")
    return browser.submit("/entrance", {"pass_phrase": phrase}).status_code


def test_the_pass_phrase_lets_the_office_in(network: Office) -> None:
    browser = network.browser("192.168.1.20")
    assert browser.get("/").headers["location"] == "/entrance"
    assert guess(browser, "không phải thế") == 403
    assert guess(browser, PASS_PHRASE) == 303
    assert browser.get("/sign-in").status_code == 200
    assert browser.ask("/picture/sheet/1/page/1").status_code == 401


def test_a_pass_phrase_is_the_same_from_every_keyboard(network: Office) -> None:
    assert unicodedata.normalize("NFD", PASS_PHRASE) != PASS_PHRASE
    browser = network.browser("192.168.1.20")
    assert guess(browser, unicodedata.normalize("NFD", PASS_PHRASE)) == 303


def test_wrong_pass_phrases_have_to_wait(network: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("scanner.review.security.time.monotonic", lambda: now[0])
    thief = network.browser("192.168.1.66")
    assert [guess(thief, f"wrong {n}") for n in range(4)] == [403, 403, 403, 429]
    assert guess(thief, PASS_PHRASE) == 429
    assert guess(network.browser("192.168.1.20"), PASS_PHRASE) == 303
    now[0] += 400
    assert guess(thief, PASS_PHRASE) == 303


def test_many_addresses_together_have_to_wait_as_well(
    network: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.review.security.time.monotonic", lambda: 1000.0)
    codes = [guess(network.browser(f"10.0.0.{n}"), f"wrong {n}") for n in range(31)]
    assert codes[:30] == [403] * 30
    assert codes[30] == 429


def test_without_a_pass_phrase_there_is_none_to_guess(office: Office) -> None:
    assert guess(office.browser(), " ") == 403
    assert guess(office.browser(), "None") == 403


# --- sessions -----------------------------------------------------------------------------------


def test_a_person_who_does_nothing_for_a_while_is_signed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = itertools.count(0, 61).__next__
    monkeypatch.setattr("scanner.review.session.time.monotonic", lambda: float(clock()))
    sessions, session = Sessions(120.0), Session()
    sessions.come_in(session, Entrance.ADDRESS)
    sessions.sign_in(session, 1)
    found = sessions.find(session.key)
    assert found is not None
    assert found.person == 1
    clock(), clock()
    found = sessions.find(session.key)
    assert found is session
    assert session.person is None
    assert session.was_idle
    assert session.is_inside


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("scanner.review.session.time.monotonic", lambda: now[0])
    sessions, session = Sessions(120.0), Session()
    sessions.sign_in(session, 1)
    for now[0] in range(0, 200, 50):
        sessions.find(session.key, is_activity=False)
    assert session.person is None


def test_strangers_do_not_fill_the_memory_nor_push_anybody_out() -> None:
    sessions, guest = Sessions(60.0), Session()
    sessions.come_in(guest, Entrance.ADDRESS)
    for _number in range(MAX_STRANGERS + 50):
        sessions.keep(Session())
    assert len(sessions._by_key) == MAX_STRANGERS + 1
    assert sessions.find(guest.key) is guest


def test_somebody_who_takes_part_no_more_is_out_at_once(own_office: Office) -> None:
    reader = own_office.person(Role.READER)
    assert reader.ask("/picture/sheet/1/page/1").status_code == 200
    person = own_office.desk.store.find_person(NAMES[Role.READER])
    assert person is not None
    own_office.desk.store.change_person(person.id, NAMES[Role.COMMITTEE], is_active=False)
    assert reader.ask("/picture/sheet/1/page/1").status_code == 401


def test_a_wrong_pin_is_told_and_signs_nobody_in(own_office: Office) -> None:
    browser = own_office.browser().come_in()
    for name in (NAMES[Role.READER], "nobody"):
        answer = browser.submit("/sign-in", {"name": name, "pin": "wrong!"})
        assert answer.status_code == 403
        assert browser.ask("/picture/sheet/1/page/1").status_code == 401
