"""The samples of a year, a district, a ward: their recipes, their sums, their papers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest

import cli
from scanner.commands.shared import HOME
from scanner.counting.results import now
from scanner.errors import ExitCode, UnreadableFileError
from scanner.forms.sample import EXPECTED_FILE, RECIPE_FILE, cast_votes
from scanner.forms.scenario import deal, read_scenario
from scanner.forms.template import read_form
from scanner.publishing.documents.unit import read_unit
from scanner.publishing.scenario_check import check_scenario
from scanner.publishing.scenario_documents import write_documents
from scanner.publishing.scenarios import (
    CountedPile,
    ScenarioRun,
    list_samples,
    read_expected,
    run_scenario,
)

SAMPLES = HOME / "samples"
FORMS = HOME / "form_templates"
ALL = ("bao_lam_2023", "huong_an_2019", "huong_long_2023", "so_xay_dung_2023", "thuy_luong_2021")
ONLY_FIGURES = ScenarioRun(papers=frozenset())
AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

Figures = Mapping[str, list[CountedPile]]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """Every sample without a paper: its tallies as files, as its recipe says them."""
    folder = tmp_path_factory.mktemp("figures")
    return {name: run_scenario(SAMPLES / name, FORMS, folder / name, ONLY_FIGURES) for name in ALL}


def test_all_samples_are_there_with_the_facts_for_their_documents() -> None:
    assert tuple(list_samples(SAMPLES)) == ALL
    for name in ALL:
        assert (SAMPLES / name / "README.md").is_file()
        assert read_unit(SAMPLES / name / "unit.yaml").name


@pytest.mark.parametrize("name", ALL)
def test_every_published_figure_follows_from_the_counts(name: str, figures: Figures) -> None:
    result = check_scenario(SAMPLES / name, figures[name], AT)
    assert result.differences == ()
    assert len(result.figures) >= 15


@pytest.mark.parametrize("name", ALL)
def test_a_figure_that_is_not_the_expected_one_is_found(
    name: str, figures: Figures, tmp_path: Path
) -> None:
    changed = shutil.copytree(SAMPLES / name, tmp_path / name, ignore=lambda *_: ["scan.pdf"])
    expected = json.loads((changed / EXPECTED_FILE).read_text(encoding="utf-8"))
    expected["tallies"][0]["collected"] += 1
    (changed / EXPECTED_FILE).write_text(json.dumps(expected), encoding="utf-8")
    (difference,) = check_scenario(changed, figures[name], AT).differences
    assert "collected" in difference.where


def test_a_sample_without_what_it_expects_is_named(figures: Figures, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        read_expected(tmp_path)
    (tmp_path / EXPECTED_FILE).write_text(
        '{"tallies": [{"unit": "nowhere", "period": "2021"}]}', encoding="utf-8"
    )
    with pytest.raises(UnreadableFileError):
        check_scenario(tmp_path, figures["thuy_luong_2021"], AT)


def test_the_tallies_without_papers_are_those_of_the_votes_that_are_drawn() -> None:
    """Blank and foreign papers too: nothing that is drawn is lost between recipe and tally."""
    (pile,) = read_scenario(SAMPLES / "huong_long_2023").piles
    truth = cast_votes(pile.recipe, read_form(FORMS / pile.recipe.form))
    assert len(truth.sheets) == 120
    assert len(truth.foreign) == 1
    assert sum(not any(sheet.values()) for sheet in truth.sheets) == 2
    expected = read_expected(SAMPLES / "huong_long_2023")["tallies"][0]["contests"]
    for contest, (*votes, _blank, twice) in expected.items():
        answers = [sheet[contest] for sheet in truth.sheets]
        assert [answers.count((f"o{n}",)) for n in range(1, len(votes) + 1)] == votes
        assert sum(len(answer) > 1 for answer in answers) == twice


@pytest.mark.parametrize("sheets", [1, 7, 50, 98, 105, 112])
def test_weights_become_whole_votes_that_fill_the_papers(sheets: int) -> None:
    weights = {"a": (34, 49, 13, 3, 1, 0), "b": (30, 45, 17, 5, 1, 2), "c": (1, 0)}
    for tilt in range(20):
        votes = deal(weights, sheets, tilt=tilt)
        assert sum(votes["a"]) == sheets
        assert sum(votes["b"]) <= sheets
        assert votes["c"] == (sheets,)
        assert min(min(one) for one in votes.values()) >= 0
    assert deal(weights, 105, tilt=0) != deal(weights, 105, tilt=1)


def test_piles_are_not_alike(figures: Figures) -> None:
    """A sum over equal tallies would hide a unit that is added in another's place."""
    piles = [pile for pile in figures["bao_lam_2023"] if pile.tally.period == "2023-Q1"]
    assert len(piles) == 14
    assert len({str(pile.tally.forms[0].contests) for pile in piles}) >= 8


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("schema: 2\npiles: [{form: f, sheets: 2, tally: {q: [3]}}]", "piles"),
        ("schema: 2\nrule: {decimals: 5}", "rule.decimals"),
        ("schema: 2\nstrange: 1", "strange"),
        ("form: f\nsheets: 2\ntally: {q: [1]}\novervotes: {r: 1}", "recipe"),
        ("form: f\nsheets: 2\ntally: {q: [1]}\nforeign_sheets: 1", "recipe"),
        ("form: f\nsheets: 2\ntally: {q: [1]}\novervotes: {q: 2}", "recipe"),
    ],
)
def test_a_faulty_recipe_is_refused(text: str, field: str, tmp_path: Path) -> None:
    (tmp_path / RECIPE_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=r"faulty at") as refusal:
        read_scenario(tmp_path)
    assert field == "piles" or field in refusal.value.message


def test_two_piles_of_one_unit_and_period_are_refused(tmp_path: Path) -> None:
    pile = "{unit: u, period: 2021-Q1, form: f, sheets: 2, tally: {q: [1]}}"
    (tmp_path / RECIPE_FILE).write_text(f"schema: 2\npiles: [{pile}, {pile}]", encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="two piles"):
        read_scenario(tmp_path)


def test_an_unknown_sample_is_named_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["demo", "nowhere"]) == ExitCode.BAD_ARGUMENTS
    assert "thuy_luong_2021" in capsys.readouterr().err


def test_the_command_compares_and_says_that_all_is_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["demo", "bao_lam_2023", "--only", "none-of-them", "-o", str(tmp_path)]
    assert cli.main(arguments) == ExitCode.OK
    assert "All 46 figures are the expected ones." in capsys.readouterr().out
    assert len(list((tmp_path / "tallies").glob("*.json"))) == 56
    made = {path.name for path in (tmp_path / "documents").iterdir()}
    kinds = ("report", "rollup", "english")
    assert made == {"page.html", *(f"{one}.{end}" for one in kinds for end in ("docx", "pdf"))}


def test_a_document_that_says_what_cannot_be_is_not_made_and_the_others_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ward's published minutes of posting end before they begin."""
    arguments = ["demo", "huong_long_2023", "--only", "none-of-them", "-o", str(tmp_path)]
    assert cli.main(arguments) == ExitCode.OK
    assert "posting was not made." in capsys.readouterr().out
    made = {path.stem for path in (tmp_path / "documents").iterdir()}
    assert made == {"minutes", "report", "notice", "english", "page"}


@pytest.mark.slow
def test_papers_are_drawn_counted_and_settled_without_a_silent_error(tmp_path: Path) -> None:
    """A part of the papers of a pile, a doubtful one, a blank one and a foreign one among them."""
    sample = shutil.copytree(SAMPLES / "huong_long_2023", tmp_path / "sample")
    text = (sample / RECIPE_FILE).read_text(encoding="utf-8")
    text = text.replace("sheets: 118", "sheets: 12", 1)
    for usual, fewer in (
        ("q1: [64, 47, 3]", "q1: [6, 4, 1]"),
        ("q2: [61, 50, 2]", "q2: [5, 5, 1]"),
        ("q3: [58, 52, 2]", "q3: [4, 6, 0]"),
        ("q4: [88, 15, 4]", "q4: [8, 1, 1]"),
        ("q5: [40, 55, 9]", "q5: [4, 5, 1]"),
        ("[31, 42, 24, 9, 5, 3]", "[3, 4, 2, 1, 1, 0]"),
    ):
        assert usual in text
        text = text.replace(usual, fewer)
    (sample / RECIPE_FILE).write_text(text, encoding="utf-8")
    (pile,) = run_scenario(sample, FORMS, tmp_path / "out")
    assert pile.silent_errors == ()
    assert pile.settled >= 4
    sheets = pile.tally.sheets
    assert (sheets.collected, sheets.valid, sheets.in_review) == (14, 12, 0)
    assert sheets.void_by_reason == {"blank_sheet": 1, "void_sheet": 1}
    assert pile.tally.is_final
    figures = {
        contest.id: ([one.votes for one in contest.options], contest.blank, contest.overvote)
        for contest in pile.tally.forms[0].contests
    }
    assert figures["q1"] == ([6, 4, 1], 1, 0)
    assert figures["q3"] == ([4, 6, 0], 1, 1)
    assert figures["q5"] == ([4, 5, 1], 1, 1)
    again = run_scenario(sample, FORMS, tmp_path / "out")
    assert again[0].settled == pile.settled
    assert again[0].silent_errors == ()
    assert again[0].tally.log_head == pile.tally.log_head
    assert again[0].tally.sha256 == pile.tally.sha256
    write_documents(sample, again, tmp_path / "out", AT)
    assert len(pypdfium2.PdfDocument(tmp_path / "out/documents/bundle.pdf")) == 14


@pytest.mark.slow
def test_the_published_survey_is_counted_to_the_digit(tmp_path: Path) -> None:
    """From the images: every share of the department's report, 101 % where it rounds so."""
    sample = SAMPLES / "so_xay_dung_2023"
    result = check_scenario(sample, run_scenario(sample, FORMS, tmp_path), now())
    assert result.differences == ()
    assert result.silent_errors == 0
    assert result.piles[0].count is not None
