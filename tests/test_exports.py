"""What leaves the count: whole, safe to open, and in agreement with itself."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scanner.counting.adjudication import Decision, Verdict
from scanner.counting.intake import ScanOptions, scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.records import BatchRequest
from scanner.counting.results import decide
from scanner.counting.store import Store
from scanner.errors import StorageError, TallyMismatchError
from scanner.forms.workshop import open_whole
from scanner.publishing.exports import (
    BOX_COLUMNS,
    Export,
    box_rows,
    guard,
    write_export,
)
from scanner.publishing.tally_json import SCHEMA_FILE, build_tally, check_tally
from tests.fake_pages import UNKNOWN, FakeFactory, draw_page, draw_pile, make_form

AT = datetime(2023, 10, 27, 12, tzinfo=UTC)
VOTERS = 4


@pytest.fixture
def count(tmp_path: Path) -> Path:
    """Four clean sheets, one with an unclear mark on page 2, and a foreign page."""
    make_form(tmp_path / "forms", "khao-sat")
    folder = tmp_path / "in"
    pile = draw_pile(folder, VOTERS)
    pile.append(draw_page(folder / "unclear-1.png", 0, 1, [1, 0, 0], voter=90))
    pile.append(draw_page(folder / "unclear-2.png", 0, 2, [1, 2, 0], voter=90))
    pile.append(draw_page(folder / "=1+1.png", UNKNOWN, 1, voter=91))
    request = BatchRequest(files=tuple(map(str, pile)))
    scan(tmp_path / "count", request, tmp_path / "forms", ScanOptions(make_reader=FakeFactory))
    return tmp_path / "count"


def export(what: Export, count: Path) -> Path:
    path = count / "exports" / what.file_name
    with Store(count) as store:
        write_export(what, store, load_kept_forms(store), path, AT)
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def settle(count: Path) -> None:
    with Store(count) as store:
        made = Decision(5, Verdict.OPTIONS, "Lan", "dấu rõ", AT, "c2", ("o2",))
        decide(store, load_kept_forms(store), made)


def test_the_tally_stands_alone_and_keeps_to_its_schema(count: Path) -> None:
    with Store(count) as store:
        store.set_papers(issued=9, collected=6)
    settle(count)
    data = json.loads(export(Export.TALLY, count).read_text("utf-8"))
    check_tally(data)
    assert data["sheets"] == {
        "issued": 9,
        "collected": 6,
        "scanned": 6,
        "clean": 4,
        "decided": 1,
        "in_doubt": 0,
        "refused": 1,
        "counted": 5,
        "blank_pages": 0,
        "refused_by_reason": {"unknown_form": 1},
        "hand_count": None,
        "not_paper": 0,
        "paper": 6,
        "valid": 5,
        "void": 0,
        "in_review": 1,
        "void_by_reason": {},
    }
    assert (data["is_provisional"], data["closes"], data["gaps"]) == (True, True, [])
    assert data["decisions"] == [{"by": "Lan", "decisions": 1, "sheets": 1}]
    assert data["generated_at"] == "2023-10-27T12:00:00+00:00"
    (form,) = data["forms"]
    assert [option["votes"] for option in form["contests"][0]["options"]] == [3, 1, 1]
    assert [option["percent"] for option in form["contests"][0]["options"]] == ["60", "20", "20"]
    assert [option["votes"] for option in form["contests"][1]["options"]] == [2, 2, 1]
    assert len(form["hash"]) == 64


def test_a_tally_with_a_sheet_in_doubt_says_it_is_provisional(count: Path) -> None:
    data = json.loads(export(Export.TALLY, count).read_text("utf-8"))
    assert data["is_provisional"]
    assert data["sheets"]["in_doubt"] == 1


def spoilt(data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (data | changes).items() if value is not ...}


@pytest.mark.parametrize(
    "changes",
    [{"sheets": {}}, {"forms": ...}, {"format": 3}, {"generated_at": "27/10/2023"}, {"more": 1}],
)
def test_what_is_no_tally_is_refused(count: Path, changes: dict[str, Any]) -> None:
    with Store(count) as store:
        data = build_tally(store, load_kept_forms(store), AT)
    check_tally(data)
    with pytest.raises(TallyMismatchError):
        check_tally(spoilt(data, **changes))


def test_the_schema_is_one_and_has_a_name() -> None:
    import jsonschema

    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].startswith("urn:kiemphieu:")


def test_every_target_of_every_sheet_has_a_row(count: Path) -> None:
    found = rows(export(Export.BOXES, count))
    assert tuple(found[0]) == BOX_COLUMNS
    assert len(set(BOX_COLUMNS)) == len(BOX_COLUMNS)
    assert len(found) == (VOTERS + 1) * 2 * 3
    first = found[0]
    assert {name: first[name] for name in ("sheet", "page", "contest", "option", "state")} == {
        "sheet": "0001",
        "page": "1",
        "contest": "c1",
        "option": "o1",
        "state": "marked",
    }
    assert (first["file"], first["option_label"], first["counted"]) == (
        "000-1.png",
        "Phương án 1",
        "1",
    )
    unclear = [row for row in found if row["state"] == "doubtful"]
    assert [(row["reasons"], row["sheet_status"], row["counted"]) for row in unclear] == [
        ("unclear_mark", "in_doubt", "")
    ]


def test_a_decision_shows_beside_what_was_read(count: Path) -> None:
    settle(count)
    found = rows(export(Export.BOXES, count))
    of_contest = [row for row in found if (row["sheet"], row["page"]) == ("0005", "2")]
    assert [row["state"] for row in of_contest] == ["marked", "doubtful", "unmarked"]
    assert [row["counted"] for row in of_contest] == ["0", "1", "0"]


def test_every_sheet_has_a_row_with_its_votes(count: Path) -> None:
    found = rows(export(Export.VOTES, count))
    assert [(row["sheet"], row["status"], row["c1"], row["c2"]) for row in found] == [
        ("0001", "clean", "o1", "o1"),
        ("0002", "clean", "o2", "o2"),
        ("0003", "clean", "o3", "o3"),
        ("0004", "clean", "o1", "o1"),
        ("0005", "in_doubt", "", ""),
        ("0006", "refused", "", ""),
    ]
    assert found[5]["refusal"] == "unknown_form"


def test_boxes_votes_and_tally_tell_the_same(count: Path) -> None:
    settle(count)
    tally = json.loads(export(Export.TALLY, count).read_text("utf-8"))
    boxes = rows(export(Export.BOXES, count))
    votes = rows(export(Export.VOTES, count))
    for contest in tally["forms"][0]["contests"]:
        for option in contest["options"]:
            place = (contest["id"], option["id"])
            counted = [b for b in boxes if (b["contest"], b["option"]) == place]
            assert sum(row["counted"] == "1" for row in counted) == option["votes"]
            assert sum(row[contest["id"]] == option["id"] for row in votes) == option["votes"]


def test_blanks_and_overvotes_are_written_in_words(count: Path) -> None:
    with Store(count) as store:
        forms = load_kept_forms(store)
        decide(store, forms, Decision(1, Verdict.BLANK, "Lan", "trống", AT, "c1"))
        decide(store, forms, Decision(2, Verdict.OVERVOTE, "Lan", "hai dấu", AT, "c1"))
    found = rows(export(Export.VOTES, count))
    assert [row["c1"] for row in found[:2]] == ["[blank]", "[overvote]"]


def test_excel_sees_that_it_is_utf_8(count: Path) -> None:
    for what in (Export.BOXES, Export.VOTES):
        assert export(what, count).read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("text", ["=1+1", "+84", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    assert guard(text) == f"'{text}"


def test_plain_text_stays_as_it_is() -> None:
    assert [guard(text) for text in ("", "Rất hài lòng", "1=1")] == ["", "Rất hài lòng", "1=1"]


def test_labels_from_a_form_are_guarded(count: Path) -> None:
    with Store(count) as store:
        (form,) = load_kept_forms(store)
        text = form.model_dump_json(by_alias=True).replace("Phương án 1", "=HYPERLINK(1)")
        dangerous = type(form).model_validate_json(text)
        found = list(box_rows(store, [dangerous]))
    assert found[1][BOX_COLUMNS.index("option_label")] == "'=HYPERLINK(1)"


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out" / "a.csv"
    with pytest.raises(RuntimeError), open_whole(path) as stream:
        stream.write(b"half")
        raise RuntimeError("broken off")
    assert list(path.parent.iterdir()) == []
    with open_whole(path) as stream:
        stream.write(b"whole")
    assert path.read_bytes() == b"whole"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(StorageError, match="cannot be written"),
        open_whole(tmp_path / "file" / "x"),
    ):
        pass
