"""Whatever leaves a count states the same figures: which sheets are valid, void, in review."""

from __future__ import annotations

import csv
import json
import re
import shutil
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyreadstat
import pytest

from scanner.ballot import Reason
from scanner.counting.adjudication import Decision, Verdict
from scanner.counting.checking import list_sure
from scanner.counting.intake import scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.records import BatchRequest
from scanner.counting.results import decide, now, tally_count
from scanner.counting.rules import ShareRule
from scanner.counting.sheet_rules import SheetRules
from scanner.counting.store import Store
from scanner.counting.tally import Tally
from scanner.counting.tally_making import TallyHeading
from scanner.publishing.documents.compose import compose
from scanner.publishing.documents.docx_file import docx_bytes
from scanner.publishing.documents.facts import Kind
from scanner.publishing.documents.gather import facts_of_count
from scanner.publishing.evidence import EvidenceRequest, write_evidence
from scanner.publishing.exports import Export, write_export
from scanner.publishing.spss import BLANK, OVERVOTE
from scanner.publishing.tally_json import read_tally
from tests.conftest import Run
from tests.document_facts import ward_unit
from tests.review_client import open_office
from tests.reviewed_counts import add_people
from tests.synthetic import (
    Design,
    Gray,
    blank_page,
    blank_side,
    draw_small_form,
    mark,
    photo_of_a_cat,
    scan_like,
    write_scan_pdf,
)

AT = now()
QUESTIONS = ("q1", "q2", "q3")
UNANSWERED = "[blank]"
TOO_MANY = "[overvote]"
VOID_BY_RULE, VOID_BY_PERSON, WAITING, NO_PAPER = 3, 1, 2, 1
"""Two wholly blank sheets and one that a person read as having too many marks; one refused; one
with a mark that nobody has decided on, and a page that no machine knows; an unprinted back."""


@dataclass(frozen=True)
class Stated:
    """What one exit states; None where it has no place for it."""

    valid: int
    void: int | None
    in_review: int | None
    votes: dict[str, dict[str, int]]
    """By question and answer, blanks and overvotes among them."""


EXPECTED = Stated(
    valid=4,
    void=VOID_BY_RULE + VOID_BY_PERSON,
    in_review=WAITING,
    votes={
        "q1": {"o1": 3, "o2": 1, "o3": 0, UNANSWERED: 0, TOO_MANY: 0},
        "q2": {"o1": 0, "o2": 4, "o3": 0, UNANSWERED: 0, TOO_MANY: 0},
        "q3": {"o1": 0, "o2": 0, "o3": 3, UNANSWERED: 1, TOO_MANY: 0},
    },
)


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven pages of a form of three questions, really scanned; two answers are enough."""
    folder = tmp_path_factory.mktemp("standing")
    form = draw_small_form(folder / "forms", design=Design(questions=len(QUESTIONS)))
    full = {"q1": ["o1"], "q2": ["o2"], "q3": ["o3"]}
    pages: list[Gray] = [
        mark(form, full, seed=1),
        mark(form, full | {"q1": ["o2"]}, seed=2),
        mark(form, full, seed=3),
        mark(form, {**full, "q3": []}, seed=4),
        blank_page(form),
        scan_like(blank_page(form)),
        mark(form, full | {"q2": ["o1", "o2"]}, seed=5),
        mark(form, full | {"q2": ["o1", "o3"]}, seed=6),
        mark(form, full, seed=7),
        photo_of_a_cat(),
        blank_side(),
    ]
    pdf = write_scan_pdf(folder / "a.pdf", pages)
    count = folder / "ward"
    scan(count, BatchRequest(files=(str(pdf),), forms=(form.id,)), folder / "forms")
    with Store(count) as store:
        store.set_rules(
            ShareRule(decimals=2),
            SheetRules(frozenset({Reason.BLANK_SHEET, Reason.OVERVOTE})),
            "Lan",
        )
        forms = load_kept_forms(store)
        decide(store, forms, Decision(7, Verdict.OVERVOTE, "Lan", "hai dấu", now(), "q2"))
        decide(store, forms, Decision(9, Verdict.REFUSE, "Lan", "bị rách", now()))
    add_people(count)
    return count


def written(count: Path, what: Export, folder: Path) -> Path:
    path = folder / what.file_name
    with Store(count) as store:
        write_export(what, store, load_kept_forms(store), path, AT, TallyHeading())
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def of_tally(tally: Tally) -> Stated:
    (form,) = tally.forms
    votes = {
        one.contest: {**one.options, UNANSWERED: one.blank, TOO_MANY: one.overvote}
        for one in form.contests
    }
    return Stated(tally.valid, tally.void, tally.in_review, votes)


def of_tally_json(count: Path, folder: Path) -> Stated:
    tally = read_tally(written(count, Export.TALLY, folder))
    votes = {
        one.id: {
            **{option.id: option.votes for option in one.options},
            UNANSWERED: one.blank,
            TOO_MANY: one.overvote,
        }
        for one in tally.forms[0].contests
    }
    sheets = tally.sheets
    return Stated(sheets.valid, sheets.void, sheets.in_review, votes)


def of_csv_long(count: Path, folder: Path) -> Stated:
    lines = [one for one in rows(written(count, Export.CSV_LONG, folder)) if not one["group_by"]]
    votes: dict[str, dict[str, int]] = {}
    for one in lines:
        votes.setdefault(one["contest"], {})[one["answer"]] = int(one["votes"])
    (whole,) = {int(one["of"]) for one in lines}
    return Stated(whole, None, None, votes)


def of_csv_wide(count: Path, folder: Path) -> Stated:
    (line,) = rows(written(count, Export.CSV_WIDE, folder))
    votes: dict[str, dict[str, int]] = {}
    for name, figure in line.items():
        contest, _colon, answer = name.partition(":")
        if answer:
            votes.setdefault(contest, {})[answer] = int(figure)
    return Stated(int(line["valid"]), int(line["void"]), int(line["in_review"]), votes)


def cells(path: Path) -> Iterator[list[list[str]]]:
    """The sheets of a workbook, row by row."""
    with zipfile.ZipFile(path) as book:
        shared = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        texts = ["".join(one.itertext()) for one in shared.findall(".//{*}si")]
        for number in (1, 2):
            sheet = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
            yield [
                [
                    texts[int(value.text or 0)] if cell.get("t") == "s" else value.text or ""
                    for cell in row.findall(".//{*}c")
                    for value in cell.findall(".//{*}v")
                ]
                for row in sheet.findall(".//{*}row")
            ]


def of_workbook(count: Path, folder: Path) -> Stated:
    closing, results = cells(written(count, Export.XLSX, folder))
    known = {row[0]: row[1] for row in closing if len(row) > 1}
    figures = [int(row[2]) for row in results if len(row) > 2 and not row[0]]
    names = [*EXPECTED.votes["q1"]]
    votes = {
        question: dict(zip(names, figures[place * len(names) :], strict=False))
        for place, question in enumerate(QUESTIONS)
    }
    return Stated(int(known["valid"]), int(known["void"]), int(known["in review"]), votes)


def of_spss(count: Path, folder: Path) -> Stated:
    data, _meta = pyreadstat.read_sav(str(written(count, Export.SPSS, folder)), user_missing=True)
    codes = {1: "o1", 2: "o2", 3: "o3", BLANK: UNANSWERED, OVERVOTE: TOO_MANY}
    votes = {}
    for question in QUESTIONS:
        found = Counter(codes[int(code)] for code in data[question])
        votes[question] = {name: found[name] for name in codes.values()}
    return Stated(len(data), None, None, votes)


def of_votes_csv(count: Path, folder: Path) -> Stated:
    lines = rows(written(count, Export.VOTES, folder))
    standings = Counter(one["standing"] for one in lines)
    assert standings["not_paper"] == NO_PAPER
    assert sum(bool(one["void"]) for one in lines) == VOID_BY_RULE
    votes = {}
    for question in QUESTIONS:
        found = Counter(one[question] for one in lines)
        votes[question] = {name: found[name] for name in EXPECTED.votes[question]}
    return Stated(standings["valid"], standings["void"], standings["in_review"], votes)


def of_boxes_csv(count: Path, folder: Path) -> Stated:
    """Of boxes; a page that could not be read has none."""
    lines = rows(written(count, Export.BOXES, folder))
    standings = Counter({(one["sheet"], one["standing"]) for one in lines})
    by = Counter(standing for _sheet, standing in standings)
    votes = {question: dict.fromkeys(EXPECTED.votes[question], 0) for question in QUESTIONS}
    for question in QUESTIONS:
        chosen: Counter[str] = Counter()
        for one in lines:
            if one["contest"] == question and one["counted"]:
                chosen[one["sheet"]] += int(one["counted"])
                votes[question][one["option"]] += int(one["counted"])
        votes[question][UNANSWERED] = sum(number == 0 for number in chosen.values())
    return Stated(by["valid"], by["void"], by["in_review"] + 1, votes)


def of_cvr(count: Path, folder: Path) -> Stated:
    """As somebody adds it up who knows nothing but the standard; refused sheets are not in it."""
    report: Any = json.loads(written(count, Export.CVR, folder).read_text(encoding="utf-8"))
    standings: Counter[str] = Counter()
    votes = {question: dict.fromkeys(EXPECTED.votes[question], 0) for question in QUESTIONS}
    for cvr in report["CVR"]:
        (counts,) = (one for one in cvr["CVRSnapshot"] if one["@id"] == cvr["CurrentSnapshotId"])
        statuses = counts.get("Status", [])
        if "needs-adjudication" in statuses or "other" in statuses:
            standings["in_review" if "needs-adjudication" in statuses else "void"] += 1
            continue
        standings["valid"] += 1
        for question, contest in zip(QUESTIONS, counts["CVRContest"], strict=True):
            chosen = [
                selection["ContestSelectionId"][-1]
                for selection in contest["CVRContestSelection"]
                if selection["SelectionPosition"][0]["IsAllocable"] == "yes"
            ]
            for option in chosen:
                votes[question][f"o{option}"] += 1
            votes[question][TOO_MANY] += contest["Overvotes"]
            votes[question][UNANSWERED] += not chosen and not contest["Overvotes"]
    void = standings["void"] + VOID_BY_PERSON
    return Stated(standings["valid"], void, standings["in_review"] + 1, votes)


def of_err(count: Path, folder: Path) -> Stated:
    report: Any = json.loads(written(count, Export.ERR, folder).read_text(encoding="utf-8"))
    (election,) = report["Election"]
    (papers,) = election["BallotCounts"]
    void, waiting = papers["BallotsRejected"], papers["BallotsOutstanding"]
    valid = papers["BallotsCast"] - void - waiting
    votes = {}
    for question, contest in zip(QUESTIONS, election["Contest"], strict=True):
        counts = [one["VoteCounts"][0]["Count"] for one in contest["ContestSelection"]]
        (other,) = contest["OtherCounts"]
        figures = (*counts, other["Undervotes"], other["Overvotes"])
        votes[question] = dict(zip(EXPECTED.votes[question], figures, strict=True))
    return Stated(valid, void, waiting, votes)


def of_dominion(count: Path, folder: Path) -> Stated:
    """Of votes only: an audit knows of a paper that it has none, and not why."""
    path = written(count, Export.DOMINION, folder)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        _name, _contests, _options, head, *papers = csv.reader(stream)
    start = len(head) - head[::-1].index("BallotType")
    assert len(papers) == EXPECTED.valid + (EXPECTED.void or 0) + WAITING
    votes = {question: dict(EXPECTED.votes[question]) for question in QUESTIONS}
    for place, question in enumerate(QUESTIONS):
        for number, option in enumerate(("o1", "o2", "o3")):
            column = start + 3 * place + number
            votes[question][option] = sum(row[column] == "1" for row in papers)
    return Stated(sum("1" in row[start:] for row in papers), None, None, votes)


def of_evidence(count: Path, folder: Path) -> Stated:
    with Store(count) as store:
        forms = load_kept_forms(store)
        index = write_evidence(store, forms, folder / "evidence", EvidenceRequest(), now())
    text = index.read_text(encoding="utf-8")
    words = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    known = dict(re.findall(r"\b(valid|void|in review) (\d+)\b", words))
    votes = {}
    for place, question in enumerate(QUESTIONS, 1):
        votes[question] = {
            answer: sum(
                path.read_text(encoding="utf-8").count("<img")
                for path in index.parent.glob(f"figures/f1-c{place}-o{number}-*.html")
            )
            for number, answer in enumerate(EXPECTED.votes[question], 1)
        }
    return Stated(int(known["valid"]), int(known["void"]), int(known["in review"]), votes)


def of_progress_page(count: Path, folder: Path) -> Stated:
    with open_office(Path(shutil.copytree(count, folder / "ward"))) as office:
        page = office.person().get("/").text
    stands = dict(re.findall(r'id="figure-([a-z_]+)">(\d+)<', page))
    votes = {}
    for question, table in zip(QUESTIONS, page.split('<table class="chart">')[1:], strict=True):
        found = re.findall(r'<tr class="(option|other)">(.*?)</tr>', table, re.DOTALL)
        figures = [(kind, int(re.findall(r'number">(\d+)<', row)[0])) for kind, row in found]
        others = [figure for kind, figure in figures if kind == "other"] or [0]
        options = [figure for kind, figure in figures if kind == "option"]
        votes[question] = dict(zip(EXPECTED.votes[question], [*options, *others, 0], strict=False))
    return Stated(int(stands["valid"]), int(stands["void"]), int(stands["in_review"]), votes)


def of_minutes(count: Path, folder: Path) -> Stated:
    """Of the votes only that they are of so many sheets; a paper has tables for people."""
    with Store(count) as store:
        facts = facts_of_count(store, load_kept_forms(store), ward_unit(), "vi", AT)
    path = folder / "minutes.docx"
    path.write_bytes(docx_bytes(compose(Kind.MINUTES, facts), AT))
    with zipfile.ZipFile(path) as parts:
        root = ElementTree.fromstring(parts.read("word/document.xml"))
    text = unicodedata.normalize("NFC", "".join(root.itertext()))
    assert f"còn {WAITING} phiếu chờ xem xét" in text
    names = ("hợp lệ", "không hợp lệ", "chờ xem xét")
    valid, void, waiting = (int(text.split(f"Số phiếu {one}: ")[1].split()[0]) for one in names)
    return Stated(valid, void, waiting, EXPECTED.votes)


EXITS = (
    of_tally_json,
    of_csv_long,
    of_csv_wide,
    of_workbook,
    of_spss,
    of_votes_csv,
    of_boxes_csv,
    of_cvr,
    of_err,
    of_dominion,
    of_evidence,
    of_progress_page,
    of_minutes,
)


def test_the_count_is_of_valid_sheets_only(count: Path) -> None:
    with Store(count) as store:
        tally = tally_count(store, load_kept_forms(store))
    assert of_tally(tally) == EXPECTED
    assert tally.void_by_reason == {
        "blank_sheet": 2,
        "overvote": 1,
        "refused_by_person": VOID_BY_PERSON,
    }
    assert tally.not_paper == NO_PAPER


@pytest.mark.parametrize("exit_", EXITS)
def test_every_exit_states_the_same_valid_void_waiting_sheets_and_votes(
    count: Path, tmp_path: Path, exit_: Any
) -> None:
    stated = exit_(count, tmp_path)
    assert (stated.valid, stated.votes) == (EXPECTED.valid, EXPECTED.votes)
    assert stated.void in {None, EXPECTED.void}
    assert stated.in_review in {None, EXPECTED.in_review}


def test_the_command_line_states_them_too(count: Path, run: Run) -> None:
    _code, out, _err = run("tally", count)
    assert "scanned 10 = 4 valid + 4 void + 2 in review" in out
    assert "2 sheets wait for a person" in out
    _code, out, _err = run("list", count)
    assert out.count("Void by the rules of the count") == VOID_BY_RULE


def test_a_random_check_draws_from_sheets_that_are_void_as_they_were_read(count: Path) -> None:
    with Store(count) as store:
        drawn = {one.sheet for one in list_sure(store, load_kept_forms(store))}
    assert {5, 6} <= drawn, "a mark that was missed would have made them valid"
    assert not {8, 9} & drawn
