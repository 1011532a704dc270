"""Rules, papers and closing, from the command line to the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.counting.account import close_of, open_books
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.people import Role
from scanner.counting.reconcile import BatchFacts
from scanner.counting.rules import Denominator, Rounding, ShareRule
from scanner.counting.store import Store
from scanner.errors import ExitCode
from tests.conftest import Run
from tests.decided_counts import CLEAR, EMPTY
from tests.fake_pages import make_form
from tests.stored_counts import make_count
from tests.synthetic import Design, draw_small_form, mark, write_scan_pdf

FIRST, BLANK = (CLEAR, EMPTY, EMPTY), (EMPTY, EMPTY, EMPTY)
LAN = ("--by", "Lan")


@pytest.fixture
def count(tmp_path: Path) -> Path:
    """Two batches of one form: three sheets with answers, one wholly blank."""
    form = make_form(tmp_path / "forms", "khao-sat")
    make_count(tmp_path / "ward", form, [(FIRST, FIRST), (FIRST, BLANK)])
    return make_count(tmp_path / "ward", form, [(FIRST, FIRST), (BLANK, BLANK)])


def test_a_wholly_blank_sheet_is_void_and_in_no_figure(count: Path, run: Run) -> None:
    code, out, _err = run("tally", count, "--issued", "9", "--collected", "4", "--hand-count", "4")
    assert code == ExitCode.OK
    for words in (
        "3/3",
        "Percentages are of all valid sheets, rounded to whole percents, halves up.",
        "Batch 1: scanned 2 = 2 valid + 0 void + 0 in review",
        "Batch 2: scanned 2 = 1 valid + 1 void + 0 in review",
        "In all: issued 9 ≥ collected 4 = counted by hand 4 = scanned 4 = 3 valid + 1 void",
        "void: 1 × Nothing is marked on the whole sheet.",
        "Every paper is accounted for: the count is final.",
    ):
        assert words in out


def test_the_rules_of_a_count_stay_with_it_and_are_on_its_record(count: Path, run: Run) -> None:
    code, out, _err = run(
        "rules", count, "--of", "returned", "--decimals", "2", "--void", "none", *LAN
    )
    assert (code, "of all papers returned, rounded to 2 decimals" in out) == (ExitCode.OK, True)
    run("rules", count, "--rounding", "truncate", *LAN)
    with Store(count) as store:
        rule = ShareRule(Denominator.RETURNED, 2, Rounding.TRUNCATE)
        assert (store.share_rule(), store.sheet_rules().void) == (rule, frozenset())
        assert store.verify() == []
    _code, out, _err = run("tally", count, "--collected", "4")
    assert "75.00 %" in out
    _code, out, _err = run("log", count)
    assert "rules of the figures: returned, 2, truncate" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--of", "members", *LAN), "The number of members goes"),
        (("--decimals", "1"), "Say who sets the rules"),
        (("--void", "none", "--void", "overvote", *LAN), "goes with no other reason"),
    ],
)
def test_rules_that_cannot_be_are_not_kept(
    count: Path, run: Run, arguments: tuple[str, ...], words: str
) -> None:
    code, _out, err = run("rules", count, *arguments)
    assert (code, words in err) == (ExitCode.BAD_ARGUMENTS, True)
    with Store(count) as store:
        assert store.share_rule() == ShareRule()


def test_figures_are_parted_by_what_is_told_of_the_batches(count: Path, run: Run) -> None:
    told = ("--hand-count", "2", "--channel", "post", "--day", "2026-03-31")
    code, out, _err = run("batch", count, "2", *told, *LAN)
    assert (code, "Batch 2: counted by hand 2 = scanned 2" in out) == (ExitCode.OK, True)
    _code, out, _err = run("tally", count, "--per", "channel", "--per", "day", "--effort")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    assert ["post", "1", "33 %", "–"] in rows
    assert ["2026-03-31", "1", "33 %", "–"] in rows
    assert "(not told)" in out
    assert "How the form was answered" in out
    _code, out, _err = run("log", count)
    assert "papers of batch 2:" in out
    assert "channel post" in out


def test_a_scan_takes_what_is_told_of_its_papers_as_the_batch_command_does(
    tmp_path: Path, run: Run
) -> None:
    form = draw_small_form(tmp_path / "forms", design=Design(questions=2))
    for name, sheets in (("a.pdf", 2), ("b.pdf", 3)):
        pages = [mark(form, {"q1": ["o1"], "q2": ["o2"]}, seed=n + sheets) for n in range(sheets)]
        write_scan_pdf(tmp_path / name, pages)
    count, forms = tmp_path / "ward", ("--forms", tmp_path / "forms", "-j", "1")
    told = ("--hand-count", "2", "--channel", "post", "--day", "2026-03-31")
    code, _out, err = run("scan", count, tmp_path / "a.pdf", *forms, "--day", "31/3/2026")
    assert (code, count.exists()) == (ExitCode.BAD_ARGUMENTS, False), err
    assert run("scan", count, tmp_path / "a.pdf", *forms, *told)[0] == ExitCode.OK
    assert run("scan", count, tmp_path / "b.pdf", *forms, "--hand-count", "3")[0] == ExitCode.OK
    with Store(count) as store:
        facts = store.batch_facts()
        assert facts[1] == BatchFacts(hand_count=2, channel="post", day="2026-03-31")
        assert (facts[2].hand_count, facts[2].channel) == (3, "")
        assert close_of(store, load_kept_forms(store)).whole.hand_count == 5
        assert store.verify() == []
    code, _out, err = run("scan", count, tmp_path / "a.pdf", *forms, "--hand-count", "9")
    assert (code, "is not noted" in err) == (ExitCode.BAD_ARGUMENTS, True)
    with Store(count) as store:
        assert all(one.hand_count != 9 for one in store.batch_facts().values())


@pytest.mark.parametrize(
    ("number", "told", "code"),
    [
        ("3", ("--hand-count", "2"), ExitCode.BAD_COUNT),
        ("1", ("--day", "31/3/2026"), ExitCode.BAD_ARGUMENTS),
        ("1", (), ExitCode.BAD_ARGUMENTS),
    ],
)
def test_nothing_is_noted_of_a_batch_that_makes_no_sense(
    count: Path, run: Run, number: str, told: tuple[str, ...], code: ExitCode
) -> None:
    assert run("batch", count, number, *told, *LAN)[0] == code


def test_a_count_that_does_not_close_is_not_final_until_two_people_let_it_pass(
    count: Path, run: Run
) -> None:
    run("tally", count, "--collected", "5")
    code, out, err = run("close", count)
    assert code == ExitCode.BAD_COUNT
    assert "In all: collected 5 ≠ scanned 4" in out
    assert "The count is not final. In all, collected 5, but scanned 4." in err
    assert run("close", count, *LAN, "--why", "Một tờ bị rách.")[0] == ExitCode.BAD_COUNT
    code, _out, err = run("close", count, "--by", "lan", "--why", "Lần nữa.")
    assert (code, "has let this pass already" in err) == (ExitCode.BAD_ARGUMENTS, True)
    code, out, _err = run("close", count, "--by", "Minh", "--why", "Đã xem.")
    assert code == ExitCode.OK
    for words in ("Lan lets this pass: Một tờ bị rách.", "Minh lets this pass: Đã xem.",
                  "Final documents may be made"):  # fmt: skip
        assert words in out
    _code, out, _err = run("log", count)
    assert "lets the count pass as it stands: Đã xem. (In all, collected 5" in out
    run("tally", count, "--collected", "6")
    assert run("close", count)[0] == ExitCode.BAD_COUNT


def test_nobody_lets_a_count_pass_that_closes_or_without_a_reason(count: Path, run: Run) -> None:
    code, _out, err = run("close", count, *LAN)
    assert (code, "and why" in err) == (ExitCode.BAD_ARGUMENTS, True)
    run("tally", count, "--collected", "4")
    code, _out, err = run("close", count, *LAN, "--why", "?")
    assert (code, "nothing to let pass" in err) == (ExitCode.BAD_ARGUMENTS, True)


def test_only_the_committee_sets_rules_and_lets_a_count_pass(
    count: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(count) as store:
        store.add_person("Hoa", "1111", Role.COMMITTEE, "Hoa")
        store.add_person("Lan", "1111", Role.READER, "Hoa")
    monkeypatch.setenv("KIEMPHIEU_PIN", "1111")
    for command in (("rules", count, "--decimals", "2"), ("close", count, "--why", "?")):
        code, _out, err = run(*command, *LAN)
        assert (code, "Only the committee" in err) == (ExitCode.BAD_ARGUMENTS, True)
    assert run("rules", count, "--decimals", "2", "--by", "Hoa")[0] == ExitCode.OK


def test_the_books_have_the_figures_of_valid_sheets_alone(count: Path) -> None:
    with Store(count) as store:
        books = open_books(store, load_kept_forms(store))
    (form,) = books.forms
    (sums,) = books.tally.forms
    assert [one.sheet for one in books.valid(form)] == [1, 2, 3]
    first, second = sums.contests
    assert (first.counted, first.blank, second.blank) == (3, 0, 1)
    assert books.returned(form) == 4
    assert books.whole(form, second) == 3
