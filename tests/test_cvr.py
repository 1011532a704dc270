"""Cast vote records for others: nothing lost, nothing made up, and the same tally comes back."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scanner.ballot import MarkState
from scanner.counting.account import open_books
from scanner.counting.adjudication import Verdict
from scanner.counting.intake import ScanOptions, scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.records import BatchRequest
from scanner.counting.store import Store
from scanner.counting.tally import CastVoteRecord
from scanner.counting.tally_making import TallyHeading
from scanner.errors import TallyMismatchError
from scanner.forms.template import Form
from scanner.publishing.cvr import write_cvr
from scanner.publishing.cvr_sheets import sheet_data
from scanner.publishing.exports import Export, write_export
from scanner.publishing.references import CVR_REFERENCES, References
from tests.fake_pages import UNKNOWN, FakeFactory, draw_page, draw_pile, make_form
from tests.official_schemas import official_faults
from tests.standard_counts import (
    SHEETS,
    decide_on,
    make_mixed_count,
    make_mixed_form,
    make_random_count,
)
from tests.stored_counts import make_count

AT = datetime(2026, 1, 5, 10, 30, tzinfo=UTC)
Data = dict[str, Any]


def cvr_of(count: Path, *, is_secret: bool = False, smallest_group: int = 0) -> Data:
    path = count / "exports" / "cvr.json"
    heading = TallyHeading(is_secret=is_secret, smallest_group=smallest_group)
    with Store(count) as store:
        write_export(Export.CVR, store, load_kept_forms(store), path, AT, heading)
    data: Data = json.loads(path.read_text("utf-8"))
    return data


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mixed_count(tmp_path_factory.mktemp("cvr"))


@pytest.fixture(scope="module")
def report(mixed: Path) -> Data:
    return cvr_of(mixed)


def sheet(report: Data, number: int) -> Data:
    (found,) = [one for one in report["CVR"] if one["UniqueId"] == f"sheet-{number:04d}"]
    assert isinstance(found, dict)
    return found


def current(cvr: Data) -> Data:
    (found,) = [one for one in cvr["CVRSnapshot"] if one["@id"] == cvr["CurrentSnapshotId"]]
    assert isinstance(found, dict)
    return found


def snapshot(cvr: Data, kind: str) -> Data:
    (found,) = [one for one in cvr["CVRSnapshot"] if one["Type"] == kind]
    assert isinstance(found, dict)
    return found


def contest(report: Data, one: Data, name: str) -> Data:
    """The contest of a snapshot that the form calls so."""
    (found,) = [
        own
        for own in one["CVRContest"]
        for described in report["Election"][0]["Contest"]
        if described["@id"] == own["ContestId"] and described["Code"][0]["Value"] == name
    ]
    assert isinstance(found, dict)
    return found


def add_up_as_others_do(report: Data) -> dict[str, Counter[str]]:
    """The sums of a report by nothing but what the standard says of its fields."""
    sums: dict[str, Counter[str]] = {}
    for cvr in report["CVR"]:
        counts = current(cvr)
        statuses = counts.get("Status", [])
        if "needs-adjudication" in statuses or "other" in statuses:
            continue
        for own in counts["CVRContest"]:
            mine = sums.setdefault(own["ContestId"], Counter())
            votes = 0
            for selection in own["CVRContestSelection"]:
                for position in selection["SelectionPosition"]:
                    if position["IsAllocable"] == "yes":
                        mine[selection["ContestSelectionId"]] += position["NumberVotes"]
                        votes += position["NumberVotes"]
            mine["overvotes"] += own["Overvotes"]
            mine["undervotes"] += own["Undervotes"]
            mine["blank"] += votes == 0 and own["Overvotes"] == 0
            mine["counted"] += 1
    return sums


def add_up_here(count: Path) -> dict[str, Counter[str]]:
    """The same sums from the count's own books."""
    sums = {}
    with Store(count) as store:
        books = open_books(store, load_kept_forms(store))
        (form,) = books.tally.forms
        for place, own in enumerate(form.contests, start=1):
            name = f"form-1-contest-{place}"
            figures = {
                f"{name}-option-{n}": votes for n, votes in enumerate(own.options.values(), 1)
            }
            sums[name] = Counter(
                figures
                | {
                    "overvotes": own.overvote * own.max,
                    "undervotes": own.undervotes,
                    "blank": own.blank,
                    "counted": len(books.valid()),
                }
            )
    return sums


def test_the_same_tally_comes_back(mixed: Path, report: Data) -> None:
    sums = add_up_as_others_do(report)
    assert sums == add_up_here(mixed)
    assert sums["form-1-contest-1"] == {
        "form-1-contest-1-option-1": 1,
        "form-1-contest-1-option-2": 1,
        "form-1-contest-1-option-3": 2,
        "undervotes": 1,
        "blank": 1,
        "counted": 5,
        "overvotes": 0,
    }
    assert sums["form-1-contest-2"]["overvotes"] == 2, "an overvote loses both its votes"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_tally_comes_back_from_any_marks(seed: int, tmp_path: Path) -> None:
    count = make_random_count(tmp_path, seed)
    report = cvr_of(count)
    sums = add_up_as_others_do(report)
    assert sums == add_up_here(count)
    with_overvotes = [one for one in sums.values() if one["overvotes"]]
    assert with_overvotes and sum(one["counted"] for one in sums.values()) > 20


@pytest.mark.parametrize("seed", [1, 4])
def test_every_vote_allowed_is_given_or_lost(seed: int, tmp_path: Path) -> None:
    report = cvr_of(make_random_count(tmp_path, seed))
    allowed = {one["@id"]: int(one["Code"][1]["Value"]) for one in report["Election"][0]["Contest"]}
    accounts = 0
    for cvr in report["CVR"]:
        for one in cvr["CVRSnapshot"][1:]:
            for own in one["CVRContest"]:
                if "Overvotes" in own:
                    votes = sum(s["TotalNumberVotes"] for s in own["CVRContestSelection"])
                    lost = own["Overvotes"] + own["Undervotes"]
                    assert votes + lost == allowed[own["ContestId"]]
                    accounts += 1
    assert accounts > 100


def test_what_was_read_stays_beside_what_was_decided(report: Data) -> None:
    cvr = sheet(report, 5)
    assert [one["Type"] for one in cvr["CVRSnapshot"]] == ["original", "interpreted", "modified"]
    assert cvr["CurrentSnapshotId"] == "sheet-0005-modified"
    original, interpreted = (snapshot(cvr, kind) for kind in ("original", "interpreted"))
    assert original["Status"] == interpreted["Status"] == ["needs-adjudication"]
    assert "Status" not in current(cvr)
    seen = contest(report, original, "q1")["CVRContestSelection"]
    indications = [one["SelectionPosition"][0]["HasIndication"] for one in seen]
    assert indications == ["unknown", "no", "no"]
    (open_one,) = contest(report, interpreted, "q1")["CVRContestSelection"]
    assert open_one["SelectionPosition"][0]["IsAllocable"] == "unknown"
    marks = {
        one["ContestSelectionId"]: one["SelectionPosition"][0]
        for one in contest(report, current(cvr), "q1")["CVRContestSelection"]
    }
    assert marks["form-1-contest-1-option-1"]["HasIndication"] == "no"
    assert marks["form-1-contest-1-option-3"] == {
        "@type": "CVR.SelectionPosition",
        "HasIndication": "yes",
        "NumberVotes": 1,
        "Position": 1,
        "IsAllocable": "yes",
        "Status": ["adjudicated"],
    }
    (annotation,) = current(cvr)["Annotation"]
    assert annotation["AdjudicatorName"] == ["Nguyễn Thị Lan"]
    assert annotation["Message"] == ["q1: options o3", "nhìn rõ"]
    assert datetime.fromisoformat(annotation["TimeStamp"]).tzinfo is not None


def test_measures_of_every_mark_are_texts_of_two_numbers(mixed: Path, report: Data) -> None:
    with Store(mixed) as store:
        boxes = [box for box in store.boxes() if box.sheet == 1]
    measured = [
        position
        for own in snapshot(sheet(report, 1), "original")["CVRContest"]
        for selection in own["CVRContestSelection"]
        for position in selection["SelectionPosition"]
    ]
    assert len(measured) == len(boxes) == 11
    for position, box in zip(measured, boxes, strict=True):
        probability, inside = position["MarkMetricValue"]
        assert float(probability) == pytest.approx(box.target.probability, abs=1e-6)
        assert float(inside) == pytest.approx(box.target.measures.inside, abs=1e-4)
        assert (position["HasIndication"] == "yes") == (box.target.state is MarkState.MARKED)


def test_a_struck_name_has_a_mark_and_no_vote_and_one_left_has_a_vote(report: Data) -> None:
    names = contest(report, current(sheet(report, 1)), "ten")["CVRContestSelection"]
    positions = [one["SelectionPosition"][0] for one in names]
    assert [one["HasIndication"] for one in positions] == ["yes", "yes", "no", "no"]
    assert [one["IsAllocable"] for one in positions] == ["no", "no", "yes", "yes"]
    assert positions[2]["IsGenerated"] and positions[2]["Status"] == ["generated-rules"]


def test_a_sheet_that_waits_says_so_and_one_that_is_refused_is_not_there(report: Data) -> None:
    assert current(sheet(report, 6))["Status"] == ["needs-adjudication"]
    assert [one["UniqueId"] for one in report["CVR"]] == [
        f"sheet-{number:04d}" for number in range(1, 7)
    ]
    assert report["ReportType"] == ["originating-device-export", "adjudicated"]


def test_a_sheet_has_its_batch_and_its_place_in_it(report: Data) -> None:
    places = [(one["BatchId"], one["BatchSequenceId"]) for one in report["CVR"]]
    assert places == [("1", 1), ("1", 2), ("1", 3), ("1", 4), ("1", 5), ("2", 1)]


def test_a_void_sheet_gives_no_vote_and_says_why(tmp_path: Path) -> None:
    count = make_mixed_count(tmp_path)
    for name in ("q1", "q 2", "ten"):
        decide_on(count, 1, Verdict.BLANK, name)
    report = cvr_of(count)
    void = current(sheet(report, 1))
    assert (void["Status"], void["OtherStatus"]) == (["other"], "void: blank_sheet")
    positions = [
        position
        for own in void["CVRContest"]
        for selection in own["CVRContestSelection"]
        for position in selection["SelectionPosition"]
    ]
    assert positions and {one["IsAllocable"] for one in positions} == {"no"}
    assert snapshot(sheet(report, 1), "interpreted")["CVRContest"][0]["Undervotes"] == 0
    assert add_up_as_others_do(report) == add_up_here(count)


def test_no_vote_of_a_void_sheet_counts(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def void_the_first(one: CastVoteRecord, _form: Form | None, _rules: object) -> CastVoteRecord:
        return replace(one, void="overvote" * (one.sheet == 1))

    monkeypatch.setattr("scanner.counting.finals.judge", void_the_first)
    stream = io.StringIO()
    with Store(mixed) as store:
        write_cvr(store, load_kept_forms(store), stream, AT)
    void = current(sheet(json.loads(stream.getvalue()), 1))
    selections = [one for own in void["CVRContest"] for one in own["CVRContestSelection"]]
    allocable = [one["SelectionPosition"][0]["IsAllocable"] for one in selections]
    assert allocable == ["no"] * 7
    assert [one["TotalNumberVotes"] for one in selections] == [0] * 7
    assert all("Undervotes" not in own for own in void["CVRContest"])
    assert all(own["Status"] == ["invalidated-rules"] for own in void["CVRContest"])


@pytest.fixture
def scanned(tmp_path: Path) -> Path:
    """Two clean sheets of two pages, files and all, and a foreign page."""
    make_form(tmp_path / "forms", "khao-sat")
    pile = [
        *draw_pile(tmp_path / "in", 2),
        draw_page(tmp_path / "in" / "x.png", UNKNOWN, 1, voter=91),
    ]
    request = BatchRequest(files=tuple(map(str, pile)))
    scan(tmp_path / "count", request, tmp_path / "forms", ScanOptions(make_reader=FakeFactory))
    return tmp_path / "count"


def test_every_picture_is_found_and_has_the_hash_that_is_named(scanned: Path) -> None:
    report = cvr_of(scanned)
    pictures = [image for cvr in report["CVR"] for image in cvr["BallotImage"]]
    assert [len(cvr["BallotImage"]) for cvr in report["CVR"]] == [2, 2]
    for image in pictures:
        name = image["Location"].removeprefix("file:").removesuffix("#page=1")
        digest = hashlib.sha256((scanned / name).read_bytes()).hexdigest()
        assert image["Hash"]["Value"] == digest
    assert len({image["Hash"]["Value"] for image in pictures}) == 4


def test_the_official_schema_finds_nothing(mixed: Path, scanned: Path) -> None:
    for report in (cvr_of(mixed), cvr_of(scanned), cvr_of(mixed, is_secret=True)):
        assert official_faults("nist_cvr_v1_jsonschema.json", report) == []


def test_of_a_secret_vote_nothing_leads_to_the_paper(tmp_path: Path) -> None:
    count = make_random_count(tmp_path, seed=5)
    report, secret = cvr_of(count), cvr_of(count, is_secret=True)
    assert add_up_as_others_do(secret) == add_up_as_others_do(report)
    given = [key for cvr in secret["CVR"] for key in cvr]
    assert not {"BatchId", "BatchSequenceId", "BallotImage", "BallotAuditId"} & set(given)
    assert "TimeStamp" not in json.dumps(secret) and "nhìn rõ" not in json.dumps(secret)
    numbers = [cvr["UniqueId"] for cvr in secret["CVR"]]
    assert numbers == sorted(set(numbers)) and len(numbers) == len(report["CVR"])
    assert measures_of(secret) != measures_of(report), "as likely as one draw of 40!"
    assert sorted(measures_of(secret)) == sorted(measures_of(report))


def measures_of(report: Data) -> list[str]:
    """What each sheet looks like, in the order of the report."""
    return [
        json.dumps([one["CVRContestSelection"] for one in cvr["CVRSnapshot"][0]["CVRContest"]])
        for cvr in report["CVR"]
    ]


def test_who_answers_is_left_out_where_too_few_say_so(tmp_path: Path) -> None:
    form = make_mixed_form(tmp_path / "forms", breakdown=True)
    count = make_count(tmp_path / "count", form, [*[SHEETS[0]] * 4, SHEETS[1]])
    open_one, hidden = cvr_of(count), cvr_of(count, smallest_group=3)
    first = "form-1-contest-1"
    told = [
        [one["ContestId"] for one in cvr["CVRSnapshot"][0]["CVRContest"]] for cvr in hidden["CVR"]
    ]
    assert [first in names for names in told] == [False] * 5, "of two groups both are hidden"
    assert [len(names) for names in told] == [2] * 5
    assert first in str(open_one["CVR"])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CurrentSnapshotId", "sheet-0001-gone"),
        ("CurrentSnapshotId", "election"),
        ("ElectionId", "unit"),
        ("CreatingDeviceId", ""),
    ],
)
def test_an_id_that_leads_nowhere_is_found(report: Data, key: str, value: str) -> None:
    head = {name: part for name, part in report.items() if name != "CVR"}
    References(CVR_REFERENCES).check(report)
    references = References(CVR_REFERENCES)
    references.check(head)
    with pytest.raises(TallyMismatchError, match=key):
        references.check(sheet(report, 1) | {key: value})


def test_an_id_that_is_given_twice_is_found(report: Data) -> None:
    references = References(CVR_REFERENCES)
    references.check(report)
    with pytest.raises(TallyMismatchError, match="sheet-0002"):
        references.check(sheet(report, 2))


def test_a_count_without_a_sheet_has_a_report(tmp_path: Path) -> None:
    make_form(tmp_path / "forms", "khao-sat")
    draw_page(tmp_path / "in" / "x.png", UNKNOWN, 1, voter=91)
    request = BatchRequest(files=(str(tmp_path / "in" / "x.png"),))
    scan(tmp_path / "count", request, tmp_path / "forms", ScanOptions(make_reader=FakeFactory))
    assert cvr_of(tmp_path / "count")["CVR"] == []


def test_a_report_is_written_sheet_by_sheet(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    stream = io.StringIO()

    def watched(*arguments: Any) -> Data:
        written.append(len(stream.getvalue()))
        return sheet_data(*arguments)

    monkeypatch.setattr("scanner.publishing.cvr.sheet_data", watched)
    with Store(mixed) as store:
        write_cvr(store, load_kept_forms(store), stream, AT)
    assert written == sorted(set(written)), "each sheet is out before the next is made"
