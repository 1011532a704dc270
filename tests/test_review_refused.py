"""What is sent to the page of refused sheets: nothing strange comes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.counting.people import Role
from tests.loose_counts import scan_loose
from tests.review_client import ORIGIN, Browser, Office, open_office
from tests.reviewed_counts import add_people, copy_count

PHOTO, CAT, BROKEN = 3, 4, 7
SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1]]


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    count = scan_loose(tmp_path_factory.mktemp("loose"))
    add_people(count)
    return count


@pytest.fixture
def office(loose: Path, tmp_path: Path) -> Iterator[Office]:
    with open_office(copy_count(loose, tmp_path / "count")) as opened:
        yield opened


@pytest.fixture
def reader(office: Office) -> Browser:
    return office.person(Role.READER)


def page_id(office: Office, sheet: int) -> int:
    return office.desk.store.leaves(sheet)[0].id


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"/refused/{CAT}/aside", {"kind": "undone", "why": "x"}, 422),
        (f"/refused/{CAT}/aside", {"kind": "void", "why": "x", "more": 1}, 422),
        (f"/refused/{CAT}/aside", {"kind": "void", "why": "x" * 5000}, 422),
        (f"/refused/{CAT}/aside", {"kind": "void", "why": " "}, 400),
        (f"/refused/{CAT}/aside", {"kind": "copy", "why": "x", "copy_of": 99}, 409),
        (f"/refused/{CAT}/pair", {"other": CAT, "why": "x"}, 400),
        (f"/refused/{CAT}/pair", {"other": 2**60, "why": "x"}, 422),
        (f"/refused/{CAT}/type", {"form": "../market", "why": "x"}, 400),
        (f"/refused/{BROKEN}/type", {"form": "market", "why": "x"}, 400),
        (f"/refused/{CAT}/apart", {"why": "x"}, 400),
        ("/refused/99/aside", {"kind": "void", "why": "x"}, 409),
        ("/refused/undo/1", {"why": "x"}, 400),
        (f"/refused/{CAT}/keep", {"look": "nothing", "why": "x"}, 400),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    office: Office, reader: Browser, path: str, body: dict[str, Any], status: int
) -> None:
    before = [record.sheet for record in office.desk.store.sheets()]
    answer = reader.post(path, body)
    assert answer.status_code == status, answer.text
    assert answer.json()["message"]
    assert [record.sheet for record in office.desk.store.sheets()] == before
    assert office.desk.store.reworks() == []


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"corners": SQUARE[:3]}, 422),
        ({"corners": [[0, 0], [5, 0], [1, 1], [0, 1]]}, 422),
        ({"corners": [[0, 0], [0, 0], [0, 0], [0, 0]]}, 400),
        ({"turn": 45}, 422),
        ({"form": "nowhere"}, 400),
        ({"form": "ward", "form_page": 7}, 400),
        ({"page": 99}, 400),
    ],
)
def test_a_page_is_read_only_as_it_can_be_meant(
    office: Office, reader: Browser, said: dict[str, Any], status: int
) -> None:
    body = {"page": page_id(office, PHOTO), **said}
    answer = reader.post(f"/refused/{PHOTO}/read", body)
    assert answer.status_code == status, answer.text


def test_a_page_of_another_sheet_is_not_read_as_this_one_s(office: Office, reader: Browser) -> None:
    answer = reader.post(f"/refused/{PHOTO}/read", {"page": page_id(office, CAT)})
    assert answer.status_code == 400


def test_a_reason_with_broken_letters_or_markup_is_kept_and_shown_as_text(
    office: Office, reader: Browser
) -> None:
    markup = "<script>alert(1)</script>"
    broken = json.dumps({"kind": "void", "why": f"{markup} \ud800"})
    headers = {"Origin": ORIGIN, "X-CSRF-Token": reader.csrf, "Content-Type": "application/json"}
    path = f"/refused/{CAT}/aside"
    assert reader.http.post(path, content=broken, headers=headers).status_code == 422
    assert reader.post(path, {"kind": "void", "why": markup}).status_code == 200
    page = reader.get("/refused").text
    assert markup not in page
    assert "&lt;script&gt;alert(1)" in page
    assert office.desk.store.verify() == []


def test_a_sheet_that_is_not_there_is_not_found(reader: Browser) -> None:
    for path in ("/refused/99", "/refused/0", "/refused/look/x"):
        assert reader.get(path).status_code in {400, 404, 422}


def test_without_the_page_s_own_token_nothing_is_done(office: Office, reader: Browser) -> None:
    reader.csrf = "guessed"
    answer = reader.post(f"/refused/{CAT}/aside", {"kind": "void", "why": "x"})
    assert answer.status_code == 403
    assert office.desk.store.reworks() == []


def test_who_may_not_see_the_scan_is_shown_none(office: Office) -> None:
    form = office.desk.forms["ward"]
    office.desk.forms["ward"] = form.model_copy(
        update={"private": ({"page": 1, "x": 1, "y": 1, "w": 5, "h": 5},)}
    )
    observer = office.person(Role.OBSERVER)
    assert "no picture" in observer.get("/refused").text
    assert "not shown to you" in observer.get(f"/refused/{PHOTO}").text
