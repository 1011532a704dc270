"""Ballots with names to strike out as forms: described, drawn, checked, imported, proved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from scanner.counting.intake import scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.records import BatchRequest
from scanner.counting.results import now, tally_count
from scanner.counting.store import Store
from scanner.errors import FormError
from scanner.forms.deck import DeckMark, description_path, read_deck
from scanner.forms.deck_plan import least_sheets, plan_deck, sum_up
from scanner.forms.drawing.design import instruct
from scanner.forms.health import Severity, check_form
from scanner.forms.importing import ImportRequest, import_forms
from scanner.forms.picture import load_blank
from scanner.forms.questions import Questions
from scanner.forms.template import Contest, Form, Option, Page, Rule, read_form, write_form
from scanner.forms.testdeck import DeckRequest, make_deck
from scanner.publishing.deck_result import Outcome, compare_deck
from scanner.publishing.tally_json import build_tally
from scanner.reading.pages import load_blanks
from tests.struck_forms import NAMES, describe_ballot, draw_ballot


@pytest.fixture(scope="module")
def ballot(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return draw_ballot(tmp_path_factory.mktemp("forms") / "phieu-bau")


def test_what_is_struck_out_or_circled_is_the_printed_words(ballot: Form) -> None:
    gray = load_blank(ballot, ballot.pages[0])
    scale = gray.shape[1] / ballot.pages[0].width_mm
    for _contest, option in ballot.targets():
        box = option.box.scaled(scale, scale)
        rows = slice(round(box.y), round(box.bottom))
        words = gray[rows, round(box.x) : round(box.right)] < 128
        beside = gray[rows, round(box.right + 0.4 * scale) : round(box.right + 4 * scale)] < 128
        assert 0.1 < words.mean() < 0.5, option
        assert words[:, -round(2 * scale) :].any(), option
        assert not beside.any(), option
    shapes = {contest.id: contest.is_struck for contest in ballot.contests}
    assert shapes == {"ban": True, "truong": True, "hop": False, "lan_sau": False}


def test_a_form_of_words_is_written_and_read_back_the_same(ballot: Form, tmp_path: Path) -> None:
    (tmp_path / "page-1.png").write_bytes(ballot.blank_path(ballot.pages[0]).read_bytes())
    write_form(ballot, tmp_path)
    again = read_form(tmp_path)
    assert again.contests == ballot.contests
    assert again.content_hash == ballot.content_hash


def test_the_kinds_of_words_change_no_form_that_has_none(tmp_path: Path) -> None:
    """A count is bound to the hash of its form: it holds over versions of the program."""
    (tmp_path / "p.png").write_bytes(b"blank")
    page = Page(number=1, blank="p.png", width_mm=100, height_mm=100)
    option = Option(id="a", label="A", x=10, y=10, w=4, h=4)
    rule = Rule(cancel="filled", review=("undervote",))
    form = Form(id="f", pages=(page,), contests=(Contest(id="q", options=(option,)),), rule=rule)
    form._folder = tmp_path
    known = "71896fd631714e5a"
    assert form.content_hash[:16] == known


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("vi", "gạch ngang giữa cả họ và tên"),
        ("vi", "khoanh tròn"),
        ("en", "strike out the whole name"),
        ("en", "circle"),
    ],
)
def test_the_voter_is_told_how_to_mark_words(language: str, told: str) -> None:
    questions = describe_ballot().model_copy(update={"language": language})
    text = instruct(questions, marking=True)
    assert told in text
    assert "dấu X" not in text
    assert "an X" not in text


def test_a_form_with_boxes_and_names_tells_both() -> None:
    data = describe_ballot().model_dump(by_alias=True)
    box = {"kind": "question", "id": "b", "text": "T", "options": [{"id": "o", "label": "A"}]}
    text = instruct(
        Questions.model_validate(data | {"blocks": [*data["blocks"], box]}), marking=True
    )
    assert "dấu X" in text
    assert "gạch ngang" in text


@pytest.mark.parametrize(
    "field", [{"inline": True}, {"options": [{"id": "o", "label": "A", "write_in": True}]}]
)
def test_words_that_are_marked_themselves_stand_alone(field: dict[str, object]) -> None:
    data = describe_ballot().model_dump(by_alias=True)
    asked = {"kind": "question", "id": "b", "text": "T", "marks": "strike"}
    block = {**asked, "options": [{"id": "o", "label": "A"}], **field}
    with pytest.raises(ValidationError, match="stand alone on their lines"):
        Questions.model_validate(data | {"blocks": [block]})


# Checks and lists.


def test_a_sound_ballot_has_no_fault(ballot: Form) -> None:
    assert [one for one in check_form(ballot) if one.severity is Severity.FAULT] == []


def test_a_name_that_is_not_printed_where_it_should_be_is_a_fault(ballot: Form) -> None:
    first = ballot.contests[0]
    lost = first.options[0].model_copy(update={"y": 255.0})
    contest = first.model_copy(update={"options": (lost, *first.options[1:])})
    moved = ballot.model_copy(update={"contests": (contest, *ballot.contests[1:])})
    moved._folder = ballot.folder
    faults = [one for one in check_form(moved) if one.severity is Severity.FAULT]
    assert ["ban/o1" in one.message for one in faults] == [True]


def listed(ballot: Form, shapes: tuple[str, str], folder: Path) -> ImportRequest:
    options = [
        {"id": option.id, "label": option.label, "shape": shape}
        | {side: getattr(option, side) for side in "xywh"}
        for option, shape in zip(ballot.contests[0].options, shapes, strict=False)
    ]
    folder.mkdir(exist_ok=True)
    targets = folder / "targets.json"
    contests = [{"id": "ban", "max": 1, "options": options}]
    targets.write_text(json.dumps({"unit": "mm", "contests": contests}), encoding="utf-8")
    blanks = (ballot.blank_path(ballot.pages[0]),)
    return ImportRequest(targets, folder / "forms", "bau", blanks)


def test_a_list_of_names_to_strike_out_is_imported(ballot: Form, tmp_path: Path) -> None:
    (made,) = import_forms(listed(ballot, ("strike", "strike"), tmp_path), load_blanks)
    assert made.form.contests[0].is_struck
    (circled,) = import_forms(listed(ballot, ("label", "label"), tmp_path / "other"), load_blanks)
    assert not circled.form.contests[0].is_struck


def test_a_list_in_which_some_names_are_struck_out_and_some_circled_is_refused(
    ballot: Form, tmp_path: Path
) -> None:
    with pytest.raises(FormError, match="either all names are struck out or none"):
        import_forms(listed(ballot, ("strike", "label"), tmp_path), load_blanks)


# A deck.


def test_a_deck_strikes_out_all_who_are_not_chosen(ballot: Form) -> None:
    sheets = plan_deck(ballot, least_sheets(ballot) + 12, seed=3)
    chosen = set()
    for sheet in sheets:
        for contest in ballot.contests:
            targets = sheet.contests[contest.id]
            if contest.is_struck:
                struck = {name for name, one in targets.items() if one.mark is not None}
                left = {name for name, one in targets.items() if one.marked}
                assert left == set(targets) - struck
                if not 1 <= len(left) <= contest.max:
                    assert all(one.doubt for one in targets.values())
                chosen |= {(contest.id, name) for name in left}
            else:
                marks = {one.mark for one in targets.values() if one.mark is not None}
                assert marks <= {DeckMark.RING, DeckMark.UNDERLINE, DeckMark.FAINT}
    assert {(c.id, o.id) for c in ballot.contests if c.is_struck for o in c.options} <= chosen
    untouched = [
        sheet
        for sheet in sheets
        if all(one.mark is None for targets in sheet.contests.values() for one in targets.values())
    ]
    assert untouched
    assert sum_up(ballot, untouched)["ban"].overvote == len(untouched)


def test_a_deck_proves_a_ballot_and_its_tally_counts_those_who_are_left(
    ballot: Form, tmp_path: Path
) -> None:
    pdf = tmp_path / "deck.pdf"
    make_deck(ballot, DeckRequest(least_sheets(ballot), seed=2, scan=True), pdf)
    count = pdf.with_suffix("")
    scan(count, BatchRequest(files=(str(pdf),), forms=(ballot.id,)), ballot.folder.parent)
    deck = read_deck(description_path(pdf))
    with Store(count) as store:
        forms = load_kept_forms(store)
        result = compare_deck(store, forms, ballot.id, deck)
        tally = tally_count(store, forms)
        data = build_tally(store, forms, now())
    assert result.differences == ()
    assert result.total[Outcome.ASKED] > 0
    assert result.total[Outcome.RIGHT] > result.total[Outcome.ASKED]
    assert [one["label"] for one in data["forms"][0]["contests"][0]["options"]] == list(NAMES)
    votes = tally.forms[0].contests[0].options
    meant = deck.tally["ban"].options
    assert 0 < sum(votes.values()) < sum(meant.values())
    assert all(votes[name] <= meant[name] for name in meant)
