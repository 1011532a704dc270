"""The report of results for others says what the tally says, and nothing of a single sheet."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scanner.counting.adjudication import Verdict
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.store import Store
from scanner.counting.tally_file import TallyFile, TallyUnit
from scanner.counting.tally_making import TallyHeading, make_tally
from scanner.errors import TallyMismatchError
from scanner.publishing.err import build_err
from scanner.publishing.exports import Export, write_export
from scanner.publishing.references import ERR_REFERENCES, References
from tests.official_schemas import official_faults
from tests.standard_counts import decide_on, make_mixed_count

AT = datetime(2026, 1, 5, 10, 30, tzinfo=UTC)
WARD = TallyUnit("p1", "Phường Một")
Data = dict[str, Any]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mixed_count(tmp_path_factory.mktemp("err"))


@pytest.fixture(scope="module")
def tally(mixed: Path) -> TallyFile:
    with Store(mixed) as store:
        heading = TallyHeading(unit=WARD, period="2026-Q1")
        return make_tally(store, load_kept_forms(store), heading, at=AT)


def test_every_figure_of_the_tally_is_in_it(tally: TallyFile) -> None:
    (election,) = build_err(tally, AT)["Election"]
    (form,) = tally.forms
    assert len(election["Contest"]) == len(form.contests) == 3
    for written, contest in zip(election["Contest"], form.contests, strict=True):
        counts = [one["VoteCounts"][0]["Count"] for one in written["ContestSelection"]]
        assert counts == [option.votes for option in contest.options]
        assert sum(counts) > 0
        (other,) = written["OtherCounts"]
        allowed = contest.max * contest.counted
        assert sum(counts) + other["Overvotes"] + other["Undervotes"] == allowed
    assert election["Contest"][1]["OtherCounts"][0]["Overvotes"] == 2


def test_the_papers_are_those_of_the_tally(tally: TallyFile) -> None:
    (papers,) = build_err(tally, AT)["Election"][0]["BallotCounts"]
    assert (papers["BallotsCast"], papers["BallotsOutstanding"], papers["BallotsRejected"]) == (
        7,
        1,
        1,
    )


def test_it_is_partial_as_long_as_a_sheet_waits(tmp_path: Path, tally: TallyFile) -> None:
    assert build_err(tally, AT)["Status"] == "unofficial-partial"
    count = make_mixed_count(tmp_path)
    decide_on(count, 6, Verdict.BLANK, "q1")
    with Store(count) as store:
        done = make_tally(store, load_kept_forms(store), TallyHeading(), at=AT)
    assert build_err(done, AT)["Status"] == "unofficial-complete"


def test_it_names_the_unit_or_else_the_count(tally: TallyFile) -> None:
    report = build_err(tally, AT)
    assert (report["Issuer"], report["IssuerAbbreviation"]) == ("Phường Một", "p1")
    assert report["Election"][0]["Name"]["Text"][0]["Content"] == "Phiếu, bầu · 2026-Q1"
    assert build_err(replace(tally, unit=None), AT)["Issuer"] == "count"


def test_the_official_schema_finds_nothing(mixed: Path, tmp_path: Path) -> None:
    path = tmp_path / "err.json"
    with Store(mixed) as store:
        write_export(Export.ERR, store, load_kept_forms(store), path, AT)
    assert official_faults("nist_err_v2_jsonschema.json", json.loads(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("key", "value"), [("ElectionScopeId", "nowhere"), ("ElectionScopeId", "form-1-contest-1")]
)
def test_an_id_that_leads_nowhere_is_found(tally: TallyFile, key: str, value: str) -> None:
    report = build_err(tally, AT)
    (election,) = report["Election"]
    with pytest.raises(TallyMismatchError, match=key):
        References(ERR_REFERENCES).check(report | {"Election": [election | {key: value}]})
