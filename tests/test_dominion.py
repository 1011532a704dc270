"""The table of votes for audits, read as Arlo reads it: each paper is found, each vote is there."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scanner.counting.account import open_books
from scanner.counting.adjudication import Verdict
from scanner.counting.intake import ScanOptions, scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.records import BatchRequest
from scanner.counting.store import Store
from scanner.publishing.exports import Export, write_export
from tests.fake_pages import BLANK, UNKNOWN, FakeFactory, draw_page, make_form
from tests.standard_counts import SHEETS, decide_on, make_mixed_count, make_mixed_form
from tests.stored_counts import make_count

AT = datetime(2026, 1, 5, 10, 30, tzinfo=UTC)
Row = dict[str, str]


def export(what: Export, count: Path) -> Path:
    path = count / "exports" / what.file_name
    with Store(count) as store:
        write_export(what, store, load_kept_forms(store), path, AT)
    return path


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def manifest(count: Path) -> dict[tuple[str, str], int]:
    names, *rows = lines(export(Export.MANIFEST, count))
    assert names == ["Tabulator", "Batch Name", "Number of Ballots"]
    return {(tabulator, batch): int(number) for tabulator, batch, number in rows}


def papers(count: Path) -> list[tuple[Row, dict[tuple[str, str], str]]]:
    """What stands before the votes, and the votes, by the rules of Arlo's reader."""
    _election, contests, choices, names, *rows = lines(export(Export.DOMINION, count))
    first = next(n for n, text in enumerate(contests) if text)
    assert all(re.fullmatch(r".+ \(Vote For=\d+\)", text) for text in contests[first:])
    columns = list(zip(contests[first:], choices[first:], strict=True))
    assert len(set(columns)) == len(columns), "equal names would be taken for one"
    return [
        (
            dict(zip(names[:first], row, strict=False)),
            dict(zip(columns, row[first:], strict=True)),
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mixed_count(tmp_path_factory.mktemp("dominion"))


def test_the_votes_add_up_to_the_tally(mixed: Path) -> None:
    sums: Counter[tuple[str, str]] = Counter()
    for _lead, votes in papers(mixed):
        sums.update({column: int(cell) for column, cell in votes.items() if cell})
    with Store(mixed) as store:
        (form,) = open_books(store, load_kept_forms(store)).tally.forms
    wanted = [votes for contest in form.contests for votes in contest.options.values()]
    assert list(sums.values()) == wanted
    assert sum(wanted) > 10


def test_every_paper_of_a_batch_has_its_row_at_its_rank(mixed: Path) -> None:
    places = defaultdict(list)
    for lead, _votes in papers(mixed):
        places[lead["TabulatorNum"], lead["BatchId"]].append(int(lead["RecordId"]))
    assert dict(places) == {("1", "1"): [1, 2, 3, 4, 5], ("1", "2"): [1, 2]}
    assert manifest(mixed) == {batch: len(ranks) for batch, ranks in places.items()}


def test_a_sheet_that_waits_or_was_refused_has_a_row_without_votes(mixed: Path) -> None:
    rows = {lead["ImprintedId"]: set(votes.values()) for lead, votes in papers(mixed)}
    assert rows["0006"] == rows["0007"] == {""}
    assert rows["0001"] == {"0", "1"}


def test_an_overvote_and_a_void_sheet_give_nobody_a_vote(tmp_path: Path) -> None:
    count = make_mixed_count(tmp_path)
    for name in ("q1", "q 2", "ten"):
        decide_on(count, 1, Verdict.BLANK, name)
    rows = {lead["ImprintedId"]: votes for lead, votes in papers(count)}
    second = [cell for (contest, _label), cell in rows["0004"].items() if "q 2" in contest]
    assert second == ["0"] * 4
    assert set(rows["0001"].values()) == {"0"}


def test_contests_of_one_name_are_told_apart(mixed: Path) -> None:
    contests = {contest for (contest, _label) in papers(mixed)[0][1]}
    assert contests == {
        "Câu hỏi thứ [bau-cu/q1] (Vote For=1)",
        "Câu hỏi thứ [bau-cu/q 2] (Vote For=2)",
        "Bầu (Vote For=2)",
    }


def test_a_reader_can_tell_from_the_first_line_what_parts_the_cells(mixed: Path) -> None:
    for what in (Export.DOMINION, Export.MANIFEST):
        with export(what, mixed).open(encoding="utf-8-sig", newline="") as stream:
            assert csv.Sniffer().sniff(stream.readline()).delimiter == ","


def test_papers_take_a_place_and_unprinted_backs_do_not(tmp_path: Path) -> None:
    make_form(tmp_path / "forms", "khao-sat", pages=1)
    folder = tmp_path / "in"
    pile = [
        draw_page(folder / "1.png", 0, 1, [1, 0, 0], voter=1),
        draw_page(folder / "2.png", BLANK, 1, voter=2),
        draw_page(folder / "3.png", UNKNOWN, 1, voter=3),
        draw_page(folder / "4.png", 0, 1, [0, 1, 0], voter=4),
    ]
    request = BatchRequest(files=tuple(map(str, pile)))
    scan(tmp_path / "count", request, tmp_path / "forms", ScanOptions(make_reader=FakeFactory))
    rows = [(lead["RecordId"], set(votes.values())) for lead, votes in papers(tmp_path / "count")]
    assert rows == [("1", {"0", "1"}), ("2", {""}), ("3", {"0", "1"})]
    assert manifest(tmp_path / "count") == {("1", "1"): 3}


def test_the_last_line_of_the_manifest_is_never_the_sum_of_the_others(tmp_path: Path) -> None:
    form = make_mixed_form(tmp_path / "forms")
    count = tmp_path / "count"
    for sheets in (SHEETS[:1], SHEETS[:2], SHEETS[:3]):
        make_count(count, form, sheets)
    *others, last = manifest(count).values()
    assert sum(others) != last
    assert sorted([*others, last]) == [1, 2, 3]
