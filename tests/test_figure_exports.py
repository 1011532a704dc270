"""Figures as tables, workbooks and SPSS files: all tell what the tally tells, and no more."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyreadstat
import pytest

from scanner.counting.account import open_books
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.secrecy import Secrecy, list_sheets
from scanner.counting.store import Store
from scanner.counting.tally import CastVoteRecord, Gap
from scanner.counting.tally_file import TallyFile
from scanner.counting.tally_making import TallyHeading
from scanner.errors import BadArgumentsError, ExitCode
from scanner.publishing.exports import SHOW_ORDER, Export, write_export
from scanner.publishing.figure_tables import answers_of, groups_of, long_rows
from scanner.publishing.spss import BLANK, OVERVOTE, make_name
from scanner.publishing.workbook import write_workbook
from tests.conftest import Run
from tests.figure_counts import AT, FIELD, QUESTION, SEVERAL, WARD, make_figures, tally_of

OFFICE = shutil.which("soffice")
ALL_SHEETS_AS_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
SMALL = replace(WARD, smallest_group=3)
SECRET = replace(WARD, smallest_group=3, is_secret=True)


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_figures(tmp_path_factory.mktemp("figures"))


@pytest.fixture(scope="module")
def tally(count: Path) -> TallyFile:
    return tally_of(count)


def export(what: Export, count: Path, folder: Path, heading: TallyHeading = WARD) -> Path:
    path = folder / what.file_name
    with Store(count) as store:
        write_export(what, store, load_kept_forms(store), path, AT, heading)
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


# --- CSV ------------------------------------------------------------------------------------------


def test_the_long_table_has_a_row_for_every_figure(
    count: Path, tally: TallyFile, tmp_path: Path
) -> None:
    path = export(Export.CSV_LONG, count, tmp_path)
    assert path.read_bytes().startswith("\N{BYTE ORDER MARK}".encode())
    found = {
        (row["group_by"], row["group"], row["contest"], row["answer"]): int(row["votes"])
        for row in rows(path)
    }
    expected = {
        (figures.by, figures.group, contest.id, answer.id): answer.votes
        for figures in groups_of(tally)
        for contest in figures.contests or ()
        for answer in answers_of(tally, figures, contest)
    }
    assert found == expected
    assert found["", "", QUESTION, "a"] == 8
    assert found[f"contest:{FIELD}", "tu_phap", QUESTION, "c"] == 4


def test_the_wide_table_tells_the_same_in_a_row_a_group(count: Path, tmp_path: Path) -> None:
    long = rows(export(Export.CSV_LONG, count, tmp_path))
    wide = rows(export(Export.CSV_WIDE, count, tmp_path))
    for row in long:
        (own,) = (
            one
            for one in wide
            if (one["group_by"], one["group"]) == (row["group_by"], row["group"])
        )
        assert own[f"{row['contest']}:{row['answer']}"] == row["votes"]
    papers = ("issued", "collected", "hand_count", "papers", "valid", "void", "in_review")
    assert [wide[0][name] for name in papers] == ["25", "20", "", "20", "19", "1", "0"]
    assert {row["unit_name"] for row in wide} == {"Phường Ba"}


def test_no_spreadsheet_takes_a_printed_word_for_a_formula(count: Path, tmp_path: Path) -> None:
    labels = {row["answer_label"] for row in rows(export(Export.CSV_LONG, count, tmp_path))}
    assert "'=1+1" in labels
    assert "=1+1" not in labels


def test_a_hidden_group_is_hidden_in_every_table(count: Path, tmp_path: Path) -> None:
    long = rows(export(Export.CSV_LONG, count, tmp_path, SMALL))
    by_field = [row for row in long if row["group_by"].startswith("contest:")]
    assert {row["group"] for row in by_field if row["kind"] == "hidden"} == {
        "tu_phap", "ho_tich", "[blank]",
    }  # fmt: skip
    assert {row["group"] for row in by_field if row["kind"] != "hidden"} == {"dat_dai"}
    wide = rows(export(Export.CSV_WIDE, count, tmp_path, SMALL))
    (row,) = (row for row in wide if row["group"] == "ho_tich")
    assert {value for name, value in row.items() if ":" in name} == {""}


# --- workbook -------------------------------------------------------------------------------------


def test_a_workbook_has_figures_charts_and_no_formula(count: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(export(Export.XLSX, count, tmp_path)) as book:
        names = book.namelist()
        sheets = "".join(
            book.read(name).decode() for name in names if name.startswith("xl/worksheets/sheet")
        )
        charts = [book.read(name).decode() for name in names if name.startswith("xl/charts/chart")]
    assert "<f>" not in sheets
    assert "<hyperlink" not in sheets
    # Papers, three questions, and two questions by field of service.
    assert len(charts) == 6
    ranges = re.findall(r"<c:f>(.*?)</c:f>", "".join(charts))
    assert len(ranges) >= 3 * len(charts)
    assert all(re.match(r"(Closing|Results|Breakdowns)!\$", one) for one in ranges)


def test_a_workbook_that_does_not_close_says_so(tally: TallyFile, tmp_path: Path) -> None:
    gaps = (
        Gap("collected", "scanned", 21, 20),
        Gap("batch 2: hand_count", "scanned", 6, 7),
        Gap("khao-sat/c1", "counted", 5, 6),
    )
    path = tmp_path / "figures.xlsx"
    with path.open("wb") as stream:
        write_workbook(stream, replace(tally, gaps=gaps, is_final=False), [], [])
    with zipfile.ZipFile(path) as book:
        texts = book.read("xl/sharedStrings.xml").decode()
    assert "These figures are not final." in texts
    for words in (
        "collected 21 ≠ scanned 20",
        "batch 2: counted by hand 6 ≠ scanned 7",
        "khao-sat/c1 5 ≠ counted 6",
    ):
        assert words in texts


@pytest.fixture(scope="module")
def opened(
    count: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[list[str]]]]:
    """The sheets of the workbook as LibreOffice finds them."""
    if OFFICE is None:
        pytest.skip("LibreOffice is not installed")
    folder = tmp_path_factory.mktemp("office")
    yield opened_in_office(export(Export.XLSX, count, folder, SMALL), folder)


def opened_in_office(path: Path, folder: Path) -> dict[str, list[list[str]]]:
    """The sheets of a workbook by name, as LibreOffice finds them."""
    assert OFFICE is not None
    folder.mkdir(exist_ok=True)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [OFFICE, "--headless", profile, "--convert-to", ALL_SHEETS_AS_CSV, str(path)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    return {one.stem.partition("-")[2]: cells(one) for one in folder.glob("figures-*.csv")}


def test_libreoffice_finds_every_figure_of_the_tally(
    opened: dict[str, list[list[str]]], tally: TallyFile
) -> None:
    assert set(opened) == {"Closing", "Results", "Breakdowns", "Reasons and decisions"}
    closing = {row[0]: row[1] for row in opened["Closing"] if row[1:2]}
    assert [closing[name] for name in ("issued", "collected", "scanned", "valid", "void")] == [
        "25", "20", "20", "19", "1",
    ]  # fmt: skip
    lines = iter(opened["Results"])
    (figures,) = (one for one in groups_of(tally) if one.is_whole)
    assert next(lines)[0] == "Phiếu khảo sát"
    for number, contest in enumerate(figures.contests or (), 1):
        head = next(row for row in lines if row[0] == str(number))
        assert head[1] == contest.title
        for answer in answers_of(tally, figures, contest):
            row = next(lines)
            assert (int(row[2]), row[3]) == (answer.votes, f"{answer.percent:f}")
            if answer.kind == "option":
                assert row[1] == answer.label


def test_libreoffice_finds_the_groups_that_are_shown(
    opened: dict[str, list[list[str]]], tally: TallyFile
) -> None:
    found = opened["Breakdowns"]
    start = next(n for n, row in enumerate(found) if row[0] == "By Lĩnh vực")
    head = found[start + 1][:7]
    assert head[:2] == ["Ông/bà hài lòng không?", "valid"]
    table = [row[:7] for row in found[start + 2 : start + 6]]
    assert table == [
        ["Đất đai", "10", "6", "4", "0", "0", "0"],
        ["Tư pháp", "7", *[""] * 5],
        ["Hộ tịch", "1", *[""] * 5],
        ["not said", "1", *[""] * 5],
    ]
    assert "too small" in found[-1][0]


def test_libreoffice_finds_reasons_and_decisions(opened: dict[str, list[list[str]]]) -> None:
    found = opened["Reasons and decisions"]
    assert found[2][0] == "Void"
    assert found[2][2] == "1"
    start = next(n for n, row in enumerate(found) if row[0] == "Decisions")
    made = [(row[0], row[1], row[2], row[3], row[5], row[7]) for row in found[start + 2 :]]
    assert made == [
        ("0013", "Ông/bà hài lòng không?", "hài lòng", "Lan", "nhìn rõ", "yes"),
        ("0019", "Ông/bà hài lòng không?", "too many chosen", "Lan", "nhìn rõ", "yes"),
        ("0019", "Cần cải tiến gì?", "too many chosen", "Lan", "nhìn rõ", "yes"),
    ]


def test_a_vietnamese_workbook_from_the_command_opens_in_libreoffice(
    run: Run, count: Path, tally: TallyFile, tmp_path: Path
) -> None:
    for what in ("csv", "xlsx"):
        target = tmp_path if what == "csv" else tmp_path / "figures.xlsx"
        code, _out, err = run("--lang", "vi", "export", count, "--to", what, "-o", target)
        assert (code, err) == (ExitCode.OK, "")
    assert {path.name for path in tmp_path.iterdir()} == {
        "figures-long.csv", "figures-wide.csv", "figures.xlsx",
    }  # fmt: skip
    long = rows(tmp_path / "figures-long.csv")
    if OFFICE is None:
        pytest.skip("LibreOffice is not installed")
    found = opened_in_office(tmp_path / "figures.xlsx", tmp_path / "office")
    assert set(found) == {"Đối chiếu", "Kết quả", "Theo nhóm", "Lý do và quyết định"}
    (figures,) = (one for one in groups_of(tally) if one.is_whole)
    shown = {(row[1], row[2]) for row in found["Kết quả"] if len(row) > 2}
    for contest in figures.contests or ():
        for option in contest.options:
            label = option.label
            assert (label, str(option.votes)) in shown
            assert any(
                row["answer_label"].lstrip("'") == label and row["votes"] == str(option.votes)
                for row in long
            )


# --- SPSS -----------------------------------------------------------------------------------------


def test_frequencies_in_spss_are_those_of_the_tally(
    count: Path, tally: TallyFile, tmp_path: Path
) -> None:
    path = export(Export.SPSS, count, tmp_path)
    frame, known = pyreadstat.read_sav(path, user_missing=True)
    assert len(frame) == tally.sheets.valid == 19
    (form,) = tally.forms
    for contest in form.contests[:2]:
        found = Counter(frame[contest.id])
        labels = known.variable_value_labels[contest.id]
        assert known.column_names_to_labels[contest.id] == contest.title
        for code, option in enumerate(contest.options, 1):
            assert (labels[code], found[code]) == (option.label, option.votes)
        assert (found[BLANK], found[OVERVOTE]) == (contest.blank, contest.overvote)
    several = form.contests[2]
    for option in several.options:
        name = f"{SEVERAL}_{option.id}"
        assert Counter(frame[name])[1] == option.votes
        assert known.column_names_to_labels[name] == f"{several.title}: {option.label}"
    assert known.file_label == "Phường Ba 2026-Q1"


def test_no_answer_and_too_many_are_missing_values(count: Path, tmp_path: Path) -> None:
    path = export(Export.SPSS, count, tmp_path)
    frame, _known = pyreadstat.read_sav(path)
    assert frame[QUESTION].isna().sum() == 2
    _frame, known = pyreadstat.read_sav(path, user_missing=True)
    assert known.missing_ranges[QUESTION] == [{"lo": 98, "hi": 98}, {"lo": 99, "hi": 99}]


def test_names_are_those_that_spss_allows() -> None:
    taken: set[str] = set()
    texts = ("Độ tuổi", "do tuoi", "1.2", "with", "", "kp_sheet", "x" * 200, "x" * 200, "年")
    names = [make_name(text, taken) for text in texts]
    assert names[:3] == ["Do_tuoi", "do_tuoi_2", "q_1_2"]
    assert len({name.lower() for name in names}) == len(texts)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", name) for name in names)


# --- secrecy --------------------------------------------------------------------------------------


def test_secret_sheets_get_another_order_new_numbers_and_no_batch(count: Path) -> None:
    def backwards(records: list[CastVoteRecord]) -> None:
        records.reverse()

    with Store(count) as store:
        books = open_books(store, load_kept_forms(store))
    secret = list_sheets(books, Secrecy(is_secret=True), shuffle=backwards)
    assert [one.number for one in secret] == list(range(1, 21))
    assert [one.record.sheet for one in secret] == list(range(20, 0, -1))
    assert {one.batch for one in secret} == {None}
    drawn = {tuple(one.record.sheet for one in list_sheets(books, Secrecy(is_secret=True)))
             for _ in range(5)}  # fmt: skip
    # By chance alone, two of five orders of twenty are the same once in 10^17 times.
    assert len(drawn) == 5


def test_secret_votes_are_the_same_votes(count: Path, tmp_path: Path) -> None:
    def answers(heading_rows: list[dict[str, str]]) -> Counter[tuple[str, str]]:
        return Counter((row[QUESTION], row[SEVERAL]) for row in heading_rows)

    usual = rows(export(Export.VOTES, count, tmp_path))
    secret = rows(export(Export.VOTES, count, tmp_path, SECRET))
    assert answers(secret) == answers(usual)
    assert [row["sheet"] for row in secret] == [row["sheet"] for row in usual]
    assert {row["batch"] + row["reasons"] for row in secret} == {""}
    # Groups of fewer than three, and the next one that hides them, are not named.
    assert Counter(row[FIELD] for row in secret) == {"dat_dai": 10, "": 10}


def test_secret_spss_names_neither_sheet_nor_batch(count: Path, tmp_path: Path) -> None:
    frame, _known = pyreadstat.read_sav(export(Export.SPSS, count, tmp_path, SECRET))
    assert "kp_batch" not in frame.columns
    assert list(frame["kp_sheet"]) == list(range(1, 20))
    assert frame[FIELD].isna().sum() == 9


@pytest.mark.parametrize("what", sorted(SHOW_ORDER))
def test_what_shows_the_order_is_not_written_where_it_is_secret(
    count: Path, tmp_path: Path, what: Export
) -> None:
    with pytest.raises(BadArgumentsError):
        export(what, count, tmp_path, SECRET)
    assert not list(tmp_path.iterdir())


def test_a_secret_workbook_says_of_no_decision_on_which_sheet_or_when(
    count: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(export(Export.XLSX, count, tmp_path, SECRET)) as book:
        texts = book.read("xl/sharedStrings.xml").decode()
    assert "Lan" in texts
    assert "<t>0013</t>" not in texts
    assert "<t>0019</t>" not in texts
    assert not re.search(r"<t>20\d\d-\d\d-\d\d \d\d:\d\d", texts)


def test_everything_of_a_secret_vote_is_all_that_may_be_seen(
    run: Run, count: Path, tmp_path: Path
) -> None:
    code, _out, _err = run("export", count, "--to", "all", "--secret", "-o", tmp_path / "out")
    assert code == ExitCode.OK
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert "votes.csv" in written
    assert written.isdisjoint({what.file_name for what in SHOW_ORDER})


def test_an_empty_count_has_tables_too(tally: TallyFile) -> None:
    empty = replace(tally, forms=(), breakdowns=())
    assert len(list(long_rows(empty))) == 1
