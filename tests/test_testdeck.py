"""Marked sheets with a known tally: drawn, printed smaller, scanned, counted and compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pypdfium2 as pdfium
import pytest

from benchmarks import testdecks
from benchmarks.decks import decide_as_meant
from scanner.counting.adjudication import Decision, Verdict
from scanner.counting.intake import scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.records import BatchRequest
from scanner.counting.results import decide, now
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError, StorageError, TallyMismatchError
from scanner.forms.deck import Deck, DeckMark, DeckSheet, DeckTarget, description_path, read_deck
from scanner.forms.deck_plan import least_sheets, plan_deck, sum_up
from scanner.forms.picture import load_blank
from scanner.forms.scan_pdf import write_scan_pdf
from scanner.forms.template import Form, Option, Rule
from scanner.forms.testdeck import DECK_DPI, DeckRequest, draw_deck, make_deck, mark_place
from scanner.geometry import Box, mm_to_px
from scanner.publishing.deck_result import (
    DeckResult,
    Outcome,
    compare_deck,
    find_description,
    show_deck_result,
)
from tests.deck_forms import A4_MM, Asked, make_small_form


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return make_small_form(tmp_path_factory.mktemp("forms"))


def count_deck(pdf: Path, form: Form) -> Path:
    """Scan a deck into a count of its own."""
    count = pdf.with_suffix("")
    request = BatchRequest(files=(str(pdf),), forms=(form.id,))
    scan(count, request, form.folder.parent)
    return count


def compared(pdf: Path, form: Form, deck: Deck | None = None) -> DeckResult:
    with Store(count_deck(pdf, form)) as store:
        deck = deck or read_deck(description_path(pdf))
        return compare_deck(store, load_kept_forms(store), form.id, deck)


# --- what it must show --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (DeckRequest(9, scan=True, scale_percent=96), "printed at 96 %"),
        (DeckRequest(9, scan=True, onto="a4"), "A5 on A4 glass"),
        (DeckRequest(9), "as printed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_form_printed_smaller_or_laid_on_larger_glass_still_counts(
    small: Form, request_: DeckRequest, name: str, tmp_path: Path
) -> None:
    del name
    make_deck(small, request_, tmp_path / "deck.pdf")
    result = compared(tmp_path / "deck.pdf", small)
    assert result.differences == ()
    assert result.total[Outcome.ASKED] > 0
    assert result.total.total() == 9 * len(list(small.targets()))


@pytest.mark.parametrize("shape", ["oval", "cell"])
def test_ovals_and_cells_are_marked_and_read_too(shape: str, tmp_path: Path) -> None:
    asked = [
        Asked("q1", 3, 1, "oval", (6.0, 4.0)) if shape == "oval"
        else Asked("q1", 3, 1, "cell", (16.0, 9.0), 16.0)
    ]  # fmt: skip
    form = make_small_form(tmp_path / "forms", shape, asked)
    make_deck(form, DeckRequest(10, scan=True), tmp_path / "deck.pdf")
    assert compared(tmp_path / "deck.pdf", form).total[Outcome.WRONG] == 0


def test_marks_taken_back_are_always_asked_about(tmp_path: Path) -> None:
    form = make_small_form(tmp_path / "forms", "filled", rule=Rule(cancel="filled"))
    deck = make_deck(form, DeckRequest(12, scan=True), tmp_path / "deck.pdf")
    result = compared(tmp_path / "deck.pdf", form)
    assert result.differences == ()
    taken_back = [
        targets
        for sheet in deck.sheets
        for targets in sheet.contests.values()
        if any(one.mark is DeckMark.CANCELLED for one in targets.values())
    ]
    assert taken_back
    assert result.total[Outcome.ASKED] >= sum(map(len, taken_back))


@pytest.mark.slow
def test_the_benchmark_of_decks_prints_and_writes_its_figures(
    small: Form, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(small.folder.parent)
    arguments = ["--forms", folder, "-f", "small", "-n", "1", "--clean", "-o", str(tmp_path)]
    assert testdecks.main(arguments) == 0
    row = next(line.split() for line in capsys.readouterr().out.splitlines() if "small " in line)
    (figures,) = json.loads((tmp_path / "testdecks.json").read_text("utf-8"))
    assert row[1:8] == [
        str(figures["seed"]),
        str(figures["sheets"]),
        str(sum(figures["targets"].values())),
        *(str(figures["targets"][name]) for name in ("right", "asked")),
        str(figures["needless_questions"]),
        str(figures["targets"]["wrong"]),
    ]
    assert row[8:10] == ["as", "meant"]
    assert figures["tally_is_meant"]
    assert figures["sheets"] == least_sheets(small)


# --- the comparison -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counted(small: Form, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deck of the small form in a count."""
    pdf = tmp_path_factory.mktemp("counted") / "deck.pdf"
    make_deck(small, DeckRequest(9, scan=True), pdf)
    count_deck(pdf, small)
    return pdf


def compare_with(pdf: Path, small: Form, deck: Deck) -> DeckResult:
    with Store(pdf.with_suffix("")) as store:
        return compare_deck(store, load_kept_forms(store), small.id, deck)


def altered(deck: Deck, sheet: int, contest: str, **targets: DeckTarget) -> Deck:
    """The same deck with other intentions for some targets of one sheet."""
    old = deck.sheets[sheet - 1]
    changed = {**old.contests[contest], **targets}
    new = old.model_copy(update={"contests": {**old.contests, contest: changed}})
    sheets = [new if one is old else one for one in deck.sheets]
    return deck.model_copy(update={"sheets": tuple(sheets)})


def test_one_vote_counted_for_another_option_fails(counted: Path, small: Form) -> None:
    deck = read_deck(description_path(counted))
    assert compare_with(counted, small, deck).passes()
    meant = deck.sheets[1].marked("q1")[0]
    other = next(option for option in deck.sheets[1].contests["q1"] if option != meant)
    cross = DeckTarget(marked=True, mark=DeckMark.CROSS)
    wrong = altered(deck, 2, "q1", **{meant: DeckTarget(), other: cross})
    result = compare_with(counted, small, wrong)
    assert not result.passes(allowed=99)
    assert result.total[Outcome.WRONG] == 2
    assert {(one.sheet, one.contest, one.option) for one in result.differences} == {
        (2, "q1", meant),
        (2, "q1", other),
    }


def test_a_doubt_that_the_deck_does_not_mean_is_a_question_for_nothing(
    counted: Path, small: Form
) -> None:
    deck = read_deck(description_path(counted))
    sheet, contest = next(
        (sheet.sheet, contest)
        for sheet in deck.sheets
        for contest, targets in sheet.contests.items()
        if any(one.mark is DeckMark.FAINT for one in targets.values())
    )
    clear = {
        option: one.model_copy(update={"doubt": False})
        for option, one in deck.sheets[sheet - 1].contests[contest].items()
    }
    result = compare_with(counted, small, altered(deck, sheet, contest, **clear))
    assert result.total[Outcome.WRONG] == 0
    assert (result.needless, result.total[Outcome.NEEDLESS]) == (1, len(clear))
    assert not result.passes()
    assert result.passes(allowed=1)


def test_a_pile_scanned_from_its_last_sheet_is_matched_all_the_same(
    counted: Path, small: Form
) -> None:
    deck = read_deck(description_path(counted))
    backward = tuple(
        one.model_copy(update={"sheet": number})
        for number, one in enumerate(deck.sheets[::-1], start=1)
    )
    result = compare_with(counted, small, deck.model_copy(update={"sheets": backward}))
    assert result.is_reversed
    assert result.differences == ()


def test_a_deck_with_a_page_missing_is_no_pass(counted: Path, small: Form) -> None:
    deck = read_deck(description_path(counted))
    more = deck.sheets[0].model_copy(update={"sheet": 10})
    with pytest.raises(TallyMismatchError, match="9 printed pages, the deck 10"):
        compare_with(counted, small, deck.model_copy(update={"sheets": (*deck.sheets, more)}))


def test_a_deck_of_another_form_is_refused(counted: Path, small: Form, tmp_path: Path) -> None:
    other = make_small_form(tmp_path / "forms", "other", [Asked("q9")])
    deck = make_deck(other, DeckRequest(9), tmp_path / "other.pdf")
    with pytest.raises(BadArgumentsError, match="other targets"):
        compare_with(counted, small, deck)
    with (
        Store(counted.with_suffix("")) as store,
        pytest.raises(BadArgumentsError, match="not in this count"),
    ):
        compare_deck(store, load_kept_forms(store), "other", deck)


def test_the_description_beside_the_scanned_file_is_found(counted: Path, tmp_path: Path) -> None:
    with Store(counted.with_suffix("")) as store:
        assert find_description(store, tmp_path / "usual.json") == description_path(counted)


def test_a_contest_that_a_person_decided_is_compared_as_decided(
    small: Form, tmp_path: Path
) -> None:
    deck = make_deck(small, DeckRequest(9, seed=4), tmp_path / "deck.pdf")
    count = count_deck(tmp_path / "deck.pdf", small)
    assert compare_with(tmp_path / "deck.pdf", small, deck).total[Outcome.ASKED] > 0
    with Store(count) as store:
        decide_as_meant(store, load_kept_forms(store), small.id, deck)
    result = compare_with(tmp_path / "deck.pdf", small, deck)
    assert result.total == Counter({Outcome.RIGHT: 9 * len(list(small.targets()))})
    with Store(count) as store:
        against = Decision(1, Verdict.BLANK, "Lan", "a slip", now(), "q1")
        decide(store, load_kept_forms(store), against)
    assert compare_with(tmp_path / "deck.pdf", small, deck).total[Outcome.WRONG] == 1


def test_the_result_names_each_difference_and_says_pass_or_fail(counted: Path, small: Form) -> None:
    deck = read_deck(description_path(counted))
    good = [str(part) for part in show_deck_result(small, compare_with(counted, small, deck))]
    assert good[-1].startswith("PASS")
    meant = deck.sheets[1].marked("q1")[0]
    wrong = altered(deck, 2, "q1", **{meant: DeckTarget()})
    bad = [str(part) for part in show_deck_result(small, compare_with(counted, small, wrong))]
    assert bad[-1].startswith("FAIL")
    assert any("0002" in line and f"q1/{meant}" in line for line in bad)


# --- the drawing --------------------------------------------------------------------------------


def test_the_same_deck_is_the_same_file(small: Form, tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        make_deck(small, DeckRequest(9), tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    make_deck(small, DeckRequest(9, seed=2), tmp_path / "b.pdf")
    assert (tmp_path / "a.pdf").read_bytes() != (tmp_path / "b.pdf").read_bytes()


def test_the_pages_are_as_large_as_their_paper_and_small_as_files(
    small: Form, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    make_deck(
        small, DeckRequest(9), tmp_path / "deck.pdf", lambda done, all_: told.append((done, all_))
    )
    assert told == [(number, 9) for number in range(1, 10)]
    document = pdfium.PdfDocument(tmp_path / "deck.pdf")
    try:
        assert len(document) == 9
        assert document[8].get_size() == pytest.approx((419.5, 595.3), abs=0.5)
    finally:
        document.close()
    assert (tmp_path / "deck.pdf").stat().st_size < 9 * 250_000
    assert json.loads((tmp_path / "deck.json").read_text("utf-8"))["form"] == "small"


def test_only_one_sheet_is_drawn_at_a_time(small: Form) -> None:
    taken = []

    def one_by_one() -> Iterator[DeckSheet]:
        for sheet in make_sheets(small, 9).sheets:
            taken.append(sheet.sheet)
            yield sheet

    next(draw_deck(small, one_by_one(), DeckRequest(9)))
    assert taken == [1]


def make_sheets(form: Form, count: int) -> Deck:
    sheets = plan_deck(form, count, 1)
    return Deck(
        form=form.id, form_hash="", pages=1, seed=1, tally=sum_up(form, sheets), sheets=sheets
    )


def test_ink_is_added_at_the_marked_targets_and_a_number_at_the_edge(small: Form) -> None:
    deck = make_sheets(small, 9)
    blank = next(draw_deck(small, [unmarked(deck)], DeckRequest(9)))[0]
    for sheet, (page,) in zip(
        deck.sheets, draw_deck(small, deck.sheets, DeckRequest(9)), strict=True
    ):
        added = blank.astype(int) - page > 30
        for contest, option in small.targets():
            box = option.box.scaled(DECK_DPI / 25.4, DECK_DPI / 25.4)
            inside = added[round(box.y) : round(box.bottom), round(box.x) : round(box.right)]
            assert inside.any() == (sheet.contests[contest.id][option.id].mark is not None)
    original = cv2.resize(load_blank(small, small.pages[0]), blank.shape[::-1])
    bottom = round(mm_to_px(15, DECK_DPI))
    assert (original.astype(int) - blank > 50)[-bottom:].any()
    assert not (original.astype(int) - blank > 50)[: -2 * bottom].any()


def unmarked(deck: Deck) -> DeckSheet:
    """A sheet of the deck without a mark."""
    first = deck.sheets[0]
    contests = {
        contest: dict.fromkeys(targets, DeckTarget()) for contest, targets in first.contests.items()
    }
    return first.model_copy(update={"contests": contests})


def test_no_mark_runs_into_the_next_target(tmp_path: Path) -> None:
    close = [Asked("q1", 6, 3, "box", (3.0, 3.0), 4.2), Asked("q2", 6, 1, "oval", (3.4, 2.6), 4.6)]
    form = make_small_form(tmp_path, "close", close)
    deck = make_sheets(form, 30)
    blank = next(draw_deck(form, [unmarked(deck)], DeckRequest(30)))[0]
    touched = 0
    for sheet, (page,) in zip(
        deck.sheets, draw_deck(form, deck.sheets, DeckRequest(30)), strict=True
    ):
        added = blank.astype(int) - page > 60
        for contest, option in form.targets():
            if sheet.contests[contest.id][option.id].mark is None:
                box = option.box.grown(-0.4).scaled(DECK_DPI / 25.4, DECK_DPI / 25.4)
                inside = added[round(box.y) : round(box.bottom), round(box.x) : round(box.right)]
                touched += bool(inside.any())
    assert touched == 0


def test_a_mark_in_a_cell_is_as_large_as_a_person_makes_it() -> None:
    rng = np.random.default_rng(1)
    cell = Option(id="o", x=100, y=50, w=30, h=8, shape="cell")
    for _ in range(20):
        place = mark_place(cell, rng)
        assert place.w == place.h == pytest.approx(4.8)
        assert cell.box.x < place.x < place.right < cell.box.right
        assert cell.box.y < place.y < place.bottom < cell.box.bottom
    box = cell.model_copy(update={"shape": "box"})
    assert mark_place(box, rng) == Box(100, 50, 30, 8)


def test_fit_to_page_shrinks_the_print_about_the_middle(small: Form) -> None:
    sheet = unmarked(make_sheets(small, 9))
    full = next(draw_deck(small, [sheet], DeckRequest(9)))[0]
    less = next(draw_deck(small, [sheet], DeckRequest(9, scale_percent=90)))[0]
    assert less.shape == full.shape
    rows, smaller = (np.flatnonzero((page < 128).any(axis=1)) for page in (full, less))
    assert np.ptp(smaller) == pytest.approx(0.9 * np.ptp(rows), abs=2)
    middle = full.shape[0] / 2
    assert smaller[0] - middle == pytest.approx(0.9 * (rows[0] - middle), abs=2)


def test_a_page_on_larger_glass_keeps_its_size(small: Form) -> None:
    sheet = unmarked(make_sheets(small, 9))
    full = next(draw_deck(small, [sheet], DeckRequest(9)))[0]
    glass = next(draw_deck(small, [sheet], DeckRequest(9, onto="a4")))[0]
    assert glass.shape == (round(mm_to_px(297, DECK_DPI)), round(mm_to_px(210, DECK_DPI)))
    rows, laid = (np.flatnonzero((page < 128).any(axis=1)) for page in (full, glass))
    assert np.ptp(laid) == np.ptp(rows)


@pytest.mark.parametrize("percent", [49, 111])
def test_a_scale_that_no_printer_has_is_refused(small: Form, tmp_path: Path, percent: int) -> None:
    with pytest.raises(BadArgumentsError, match="percentage"):
        make_deck(small, DeckRequest(9, scale_percent=percent), tmp_path / "deck.pdf")
    assert not (tmp_path / "deck.pdf").exists()


def test_a_page_larger_than_the_glass_is_refused(tmp_path: Path) -> None:
    form = make_small_form(tmp_path, "large", size_mm=(A4_MM[0] + 40, A4_MM[1]))
    with pytest.raises(BadArgumentsError, match="A4"):
        make_deck(form, DeckRequest(9, onto="a4"), tmp_path / "deck.pdf")


def test_a_pdf_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with write_scan_pdf(tmp_path / "deck.pdf") as pdf:
            pdf.add_page(np.zeros((40, 30), np.uint8), dpi=200, quality=60)
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        interrupted()
    assert list(tmp_path.iterdir()) == []
