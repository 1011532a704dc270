"""What the sheets of a deck bear: everything is tried, and its tally is known."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import BadArgumentsError, StorageError, UnreadableFileError
from scanner.forms.deck import Deck, DeckMark, DeckSheet, read_deck, write_deck
from scanner.forms.deck_plan import MOST_SHEETS, least_sheets, plan_deck, sum_up
from scanner.forms.template import Contest, Form, Option, Page, Rule

CLEAR = {DeckMark.CROSS, DeckMark.TICK, DeckMark.FILL, DeckMark.SLASH, DeckMark.DOT}


def form_of(*contests: tuple[int, int], rule: Rule | None = None) -> Form:
    """A form in memory: (options, max) for each contest."""
    return Form(
        id="form",
        rule=rule or Rule(),
        pages=(Page(number=1, blank="p.png", width_mm=210, height_mm=297),),
        contests=tuple(
            Contest(
                id=f"q{place}",
                max=most,
                options=tuple(
                    Option(id=f"o{n}", x=10 + 6 * n, y=10 + 8 * place, w=4, h=4)
                    for n in range(options)
                ),
            )
            for place, (options, most) in enumerate(contests)
        ),
    )


USUAL = form_of((3, 1), (4, 2), (2, 1))
FILLED = Rule(cancel="filled")


def targets_of(sheets: tuple[DeckSheet, ...]) -> list[tuple[str, str, DeckMark]]:
    return [
        (contest, option, one.mark)
        for sheet in sheets
        for contest, targets in sheet.contests.items()
        for option, one in targets.items()
        if one.mark is not None
    ]


@given(
    contests=st.lists(
        st.integers(1, 9).flatmap(lambda k: st.tuples(st.just(k), st.integers(1, k))),
        min_size=1,
        max_size=6,
    ),
    seed=st.integers(0, 99),
    more=st.integers(0, 12),
    cancel=st.sampled_from(["none", "filled"]),
)
def test_a_deck_of_any_form_marks_every_option_and_keeps_to_its_rules(
    contests: list[tuple[int, int]], seed: int, more: int, cancel: str
) -> None:
    form = form_of(*contests, rule=Rule.model_validate({"cancel": cancel}))
    sheets = plan_deck(form, least_sheets(form) + more, seed)
    marked = {
        (contest, option)
        for sheet in sheets
        for contest, targets in sheet.contests.items()
        for option, one in targets.items()
        if one.marked and one.mark in CLEAR and not one.doubt
    }
    assert marked == {(contest.id, option.id) for contest, option in form.targets()}
    for sheet in sheets:
        for contest in form.contests:
            targets = sheet.contests[contest.id]
            too_many = len(sheet.marked(contest.id)) > contest.max
            assert not too_many or all(one.doubt for one in targets.values() if one.marked)
            assert all(
                one.marked == (one.mark in CLEAR | {DeckMark.FAINT}) for one in targets.values()
            )


def test_a_deck_holds_a_blank_sheet_and_each_kind_of_doubt() -> None:
    sheets = plan_deck(USUAL, least_sheets(USUAL), 1)
    assert any(not any(map(sheet.marked, sheet.contests)) for sheet in sheets)
    assert DeckMark.FAINT in {mark for _c, _o, mark in targets_of(sheets)}
    assert any(
        len(sheet.marked(contest.id)) > contest.max
        for sheet in sheets
        for contest in USUAL.contests
    )


def test_every_kind_of_clear_mark_is_tried() -> None:
    marks = Counter(mark for _c, _o, mark in targets_of(plan_deck(USUAL, 20, 1)))
    assert set(marks) >= CLEAR


def test_a_mark_is_taken_back_only_where_the_form_says_how() -> None:
    form = form_of((3, 1), (4, 2), rule=FILLED)
    sheets = plan_deck(form, 30, 1)
    taken_back = [
        targets
        for sheet in sheets
        for targets in sheet.contests.values()
        if any(one.mark is DeckMark.CANCELLED for one in targets.values())
    ]
    assert {any(one.marked for one in targets.values()) for targets in taken_back} == {True, False}
    for targets in taken_back:
        assert any(one.doubt for one in targets.values())
    usual = targets_of(plan_deck(USUAL, 30, 1))
    assert DeckMark.CANCELLED not in {mark for _c, _o, mark in usual}


def test_where_filling_a_box_takes_a_mark_back_no_vote_is_a_filled_box() -> None:
    marks = {mark for _c, _o, mark in targets_of(plan_deck(form_of((3, 1), rule=FILLED), 40, 1))}
    assert DeckMark.FILL not in marks


def test_small_marks_on_print_are_meant_as_doubts() -> None:
    plain = plan_deck(USUAL, 60, 1)
    printed = plan_deck(USUAL, 60, 1, {("q0", "o1")})
    small = {DeckMark.DOT, DeckMark.SLASH}
    assert any(one.contests["q0"]["o1"].mark in small for one in plain)
    for before, after in zip(plain, printed, strict=True):
        for option, one in after.contests["q0"].items():
            is_small = option == "o1" and one.mark in small
            assert one.doubt == (before.contests["q0"][option].doubt or is_small)


@pytest.mark.parametrize("asked", ["blank_contest", "undervote", "blank_sheet"])
def test_what_the_forms_rule_asks_about_is_meant_as_a_doubt(asked: str) -> None:
    form = form_of((4, 2), (4, 2), rule=Rule.model_validate({"review": [asked]}))
    for sheet in plan_deck(form, 40, 3):
        counts = [len(sheet.marked(contest.id)) for contest in form.contests]
        assert sheet.doubt == (asked == "blank_sheet" and not any(counts))
        for contest, count in zip(form.contests, counts, strict=True):
            meant = {"blank_contest": count == 0, "undervote": count == 1}.get(asked, False)
            if meant:
                assert all(one.doubt for one in sheet.contests[contest.id].values())


def test_the_same_seed_makes_the_same_deck_and_another_another() -> None:
    assert plan_deck(USUAL, 30, 5) == plan_deck(USUAL, 30, 5)
    assert plan_deck(USUAL, 30, 5) != plan_deck(USUAL, 30, 6)


@pytest.mark.parametrize("sheets", [0, least_sheets(USUAL) - 1, MOST_SHEETS + 1])
def test_a_deck_too_small_to_try_everything_is_refused(sheets: int) -> None:
    with pytest.raises(BadArgumentsError, match=str(least_sheets(USUAL))):
        plan_deck(USUAL, sheets, 1)


def test_a_form_without_targets_has_no_deck() -> None:
    with pytest.raises(BadArgumentsError, match="no targets"):
        plan_deck(form_of(), 20, 1)


def test_the_tally_of_a_deck_closes() -> None:
    sheets = plan_deck(USUAL, 50, 1)
    sums = sum_up(USUAL, sheets)
    for contest in USUAL.contests:
        figures = sums[contest.id]
        votes = sum(
            len(sheet.marked(contest.id))
            for sheet in sheets
            if len(sheet.marked(contest.id)) <= contest.max
        )
        assert sum(figures.options.values()) == votes
        assert figures.overvote + figures.blank <= len(sheets)
        assert figures.overvote > 0
        assert figures.blank > 0


def deck() -> Deck:
    sheets = plan_deck(USUAL, 12, 1)
    return Deck(
        form="form", form_hash="0" * 64, pages=1, seed=1, tally=sum_up(USUAL, sheets), sheets=sheets
    )


def test_the_description_of_a_deck_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "deck.json"
    write_deck(deck(), path)
    assert read_deck(path) == deck()
    assert '"q0":{"o0":{"marked":true,"mark":"cross","doubt":false}' in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("before", "after"),
    [('"schema": 1', '"schema": 2'), ('"cross"', '"star"'), ('"sheet":3', '"sheet":4'), ("{", "[")],
)
def test_a_file_that_is_no_description_is_refused(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "deck.json"
    write_deck(deck(), path)
    path.write_text(path.read_text("utf-8").replace(before, after, 1), "utf-8")
    with pytest.raises(UnreadableFileError, match="no description of a test deck"):
        read_deck(path)


def test_a_missing_description_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read_deck(tmp_path / "nothing.json")
    assert "--deck" in caught.value.remedy


def test_a_description_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        write_deck(deck(), tmp_path / "no" / "folder" / "deck.json")
