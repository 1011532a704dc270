"""Who takes part: names, PINs, waits, and one sheet to one person at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.counting import people as people_module
from scanner.counting import store_people
from scanner.counting.people import (
    FREE_ATTEMPTS,
    LONGEST_WAIT,
    Person,
    Role,
    hash_pin,
    is_pin,
    is_same_name,
    tidy_name,
    wait_after,
)
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError
from tests.decided_counts import count_with_doubts
from tests.fake_pages import make_form


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "count", create=True) as opened:
        yield opened


@pytest.fixture
def sheets(tmp_path: Path) -> Iterator[Store]:
    form = make_form(tmp_path / "forms", "khao-sat")
    with Store(count_with_doubts(tmp_path / "count", form)) as opened:
        yield opened


class Clock:
    """A clock that goes only when told."""

    def __init__(self) -> None:
        self.moment = datetime.fromisoformat("2023-10-27T12:00:00+00:00")

    def now(self, _zone: object) -> datetime:
        return self.moment

    fromisoformat = staticmethod(datetime.fromisoformat)

    def wait(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(store_people, "datetime", made)
    return made


def committee(store: Store) -> Person:
    return store.add_person("Lan", "4711", Role.COMMITTEE, "Lan")


def fail(store: Store, times: int, pin: str = "0000") -> None:
    for _attempt in range(times):
        with pytest.raises(BadArgumentsError, match="wrong"):
            store.check_pin("Lan", pin)


def test_a_person_is_known_by_name_and_pin(store: Store) -> None:
    made = committee(store)
    assert store.people() == [made]
    assert store.check_pin("Lan", "4711") == made
    assert store.check_pin(" LAN ", "4711") == made
    fail(store, 1)
    with pytest.raises(BadArgumentsError, match="wrong"):
        store.check_pin("Minh", "4711")


def test_a_pin_is_kept_so_that_nobody_reads_it(store: Store) -> None:
    committee(store)
    kept = (store.folder / "count.db").read_bytes()
    for log in store.folder.glob("count.db-*"):
        kept += log.read_bytes()
    assert b"4711" not in kept
    assert b"$argon2id$" in kept


@pytest.mark.parametrize("pin", ["", "1", "123", "1" * 129])
def test_a_pin_has_four_digits_at_least(store: Store, pin: str) -> None:
    with pytest.raises(BadArgumentsError, match="PIN"):
        store.add_person("Lan", pin, Role.READER, "Lan")
    assert store.people() == []


@pytest.mark.parametrize("pin", ["1234", "123456789012", "mười hai con số"])
def test_a_longer_pin_is_allowed(pin: str) -> None:
    kept = hash_pin(pin)
    assert is_pin(pin, kept)
    assert not is_pin(pin + "0", kept)


def test_nothing_is_the_pin_of_nobody() -> None:
    assert not is_pin("nobody's", "")
    assert not is_pin("4711", "4711")


@pytest.mark.parametrize("name", ["lan", "LAN", " Lan  ", "Lan"])
def test_a_name_is_one_persons(store: Store, name: str) -> None:
    committee(store)
    with pytest.raises(BadArgumentsError, match="already"):
        store.add_person(name, "1234", Role.READER, "Lan")


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "x" * 81, "a\u202eb"])
def test_a_name_has_letters(store: Store, name: str) -> None:
    with pytest.raises(BadArgumentsError, match="name"):
        store.add_person(name, "1234", Role.READER, "Lan")


def test_a_name_typed_in_parts_is_the_same_name() -> None:
    assert tidy_name("Nguye\u0302\u0303n  Thi\u0323 Ba") == "Nguyễn Thị Ba"
    assert is_same_name("NGUYỄN thị ba", "Nguye\u0302\u0303n Thi\u0323 Ba")
    assert not is_same_name("Ba", "Bà")


# --- waiting -------------------------------------------------------------------------------------


def test_after_three_wrong_pins_the_wait_doubles(store: Store, clock: Clock) -> None:
    committee(store)
    fail(store, FREE_ATTEMPTS)
    with pytest.raises(BadArgumentsError, match="Too many") as caught:
        store.check_pin("Lan", "4711")
    assert caught.value.remedy == "Wait 4 seconds."
    clock.wait(4)
    fail(store, 1)
    with pytest.raises(BadArgumentsError) as caught:
        store.check_pin("Lan", "4711")
    assert caught.value.remedy == "Wait 8 seconds."
    clock.wait(8)
    store.check_pin("Lan", "4711")
    fail(store, FREE_ATTEMPTS - 1)
    store.check_pin("Lan", "4711")


def test_an_attempt_while_waiting_does_not_make_it_longer(store: Store, clock: Clock) -> None:
    committee(store)
    fail(store, FREE_ATTEMPTS)
    for _attempt in range(5):
        with pytest.raises(BadArgumentsError, match="Too many"):
            store.check_pin("Lan", "0000")
    clock.wait(4)
    store.check_pin("Lan", "4711")


@given(st.integers(0, 10**6))
def test_the_wait_grows_and_ends(wrong: int) -> None:
    assert wait_after(wrong) <= wait_after(wrong + 1) <= LONGEST_WAIT


def test_guesses_made_at_once_are_counted_one_by_one(store: Store) -> None:
    committee(store)
    said: list[str] = []

    def guess(pin: str) -> None:
        try:
            store.check_pin("Lan", pin)
        except BadArgumentsError as error:
            said.append(error.message)

    threads = [threading.Thread(target=guess, args=(f"{n:04d}",)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("Too many wrong PINs.") == 12 - FREE_ATTEMPTS


def test_an_unknown_name_takes_as_long_as_a_known_one(monkeypatch: pytest.MonkeyPatch,
                                                      store: Store) -> None:  # fmt: skip
    looked: list[str] = []
    real = people_module.is_pin

    def watched(pin: str, kept: str) -> bool:
        looked.append(kept)
        return real(pin, kept)

    monkeypatch.setattr(store_people, "is_pin", watched)
    with pytest.raises(BadArgumentsError):
        store.check_pin("Minh", "4711")
    assert looked == [""]


# --- changes -------------------------------------------------------------------------------------


def test_a_new_pin_replaces_the_old_one_and_ends_the_wait(store: Store) -> None:
    made = committee(store)
    fail(store, FREE_ATTEMPTS)
    store.change_person(made.id, "Lan", pin="0815")
    assert store.check_pin("Lan", "0815") == made
    fail(store, 1, "4711")


def test_who_takes_part_no_more_cannot_sign_in(store: Store) -> None:
    committee(store)
    minh = store.add_person("Minh", "1234", Role.READER, "Lan")
    gone = store.change_person(minh.id, "Lan", is_active=False)
    assert not gone.is_active
    with pytest.raises(BadArgumentsError, match="wrong"):
        store.check_pin("Minh", "1234")
    store.change_person(minh.id, "Lan", is_active=True)
    assert store.check_pin("Minh", "1234").is_active


def test_somebody_of_the_committee_is_left(store: Store) -> None:
    made = committee(store)
    with pytest.raises(BadArgumentsError, match="committee"):
        store.change_person(made.id, "Lan", is_active=False)
    with pytest.raises(BadArgumentsError, match="committee"):
        store.change_person(made.id, "Lan", role=Role.READER)
    assert store.people() == [made]
    store.add_person("Hoa", "1234", Role.COMMITTEE, "Lan")
    assert store.change_person(made.id, "Hoa", role=Role.READER).role is Role.READER


def test_nobody_else_is_changed(store: Store) -> None:
    committee(store)
    with pytest.raises(BadArgumentsError, match="no such person"):
        store.change_person(7, "Lan", role=Role.READER)
    assert store.verify() == []


# --- one sheet, one person -----------------------------------------------------------------------


def two_people(store: Store) -> tuple[int, int]:
    return committee(store).id, store.add_person("Minh", "1234", Role.READER, "Lan").id


def test_a_sheet_is_one_persons_until_it_is_given_back(sheets: Store) -> None:
    lan, minh = two_people(sheets)
    assert sheets.hold(2, lan) is None
    assert sheets.hold(2, lan) is None
    assert sheets.hold(2, minh) == lan
    assert sheets.held() == {2: lan}
    sheets.release(2, minh)
    assert sheets.hold(2, minh) == lan
    sheets.release(2, lan)
    assert sheets.hold(2, minh) is None


def test_a_sheet_left_lying_is_anybodys_after_a_pause(sheets: Store, clock: Clock) -> None:
    lan, minh = two_people(sheets)
    sheets.hold(2, lan, 60)
    clock.wait(59)
    assert sheets.hold(2, minh) == lan
    clock.wait(2)
    assert sheets.held() == {}
    assert sheets.hold(2, minh) is None


def test_who_takes_part_no_more_holds_nothing(sheets: Store) -> None:
    lan, minh = two_people(sheets)
    sheets.hold(2, minh)
    sheets.change_person(minh, "Lan", is_active=False)
    assert sheets.hold(2, lan) is None


def test_of_many_who_reach_for_a_sheet_one_gets_it(sheets: Store) -> None:
    two_people(sheets)
    ids = [sheets.add_person(f"P{n}", "1234", Role.READER, "Lan").id for n in range(6)]
    got: list[int] = []

    def reach(person: int) -> None:
        if sheets.hold(3, person) is None:
            got.append(person)

    threads = [threading.Thread(target=reach, args=(person,)) for person in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    assert sheets.held() == {3: got[0]}
