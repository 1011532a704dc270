"""Fronts and backs of real small scans, as a feeder that reads one side gives them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import cli
from scanner.errors import ExitCode
from scanner.forms.template import Form
from tests.synthetic import (
    CLEAR_CROSS,
    Design,
    Gray,
    draw_small_form,
    mark_sheet,
    photo_of_a_cat,
    random_choices,
    scan_like,
    write_scan_pdf,
)

SHEETS = 5
Run = Callable[..., str]


@dataclass(frozen=True)
class Pile:
    """A form, what each voter chose, and the pages."""

    form: Form
    choices: list[dict[str, list[str]]]
    fronts: list[Gray]
    backs: list[Gray]

    @property
    def votes(self) -> list[list[str]]:
        """The options of every sheet, contest by contest, as votes.csv lists them."""
        return [
            ["|".join(made[c.id]) or "[blank]" for c in self.form.contests] for made in self.choices
        ]


@pytest.fixture(scope="module")
def forms_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forms")


@pytest.fixture(scope="module")
def pile(forms_folder: Path) -> Pile:
    form = draw_small_form(forms_folder, design=Design(pages=2))
    choices = [random_choices(form, seed) for seed in range(SHEETS)]
    marked = [
        mark_sheet(form, made, style=CLEAR_CROSS, seed=seed) for seed, made in enumerate(choices)
    ]
    scans = [
        [scan_like(page, seed=10 * n + side) for side, page in enumerate(pages)]
        for n, pages in enumerate(marked)
    ]
    return Pile(form, choices, [front for front, _ in scans], [back for _, back in scans])


@pytest.fixture
def run(
    tmp_path: Path,
    forms_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIEMPHIEU_FORMS", str(forms_folder))

    def command(*arguments: str) -> str:
        code = cli.main(arguments)
        said = capsys.readouterr()
        assert code == ExitCode.OK, said.err
        return " ".join(said.out.split())

    return command


def rows(run: Run) -> list[dict[str, str]]:
    """The sheets of the count, by votes.csv."""
    run("export", "count", "--to", "votes", "-o", "votes.csv")
    with Path("votes.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def statuses(run: Run) -> list[str]:
    return [row["status"] for row in rows(run)]


def votes(run: Run, form: Form) -> list[list[str]]:
    return [[row[contest.id] for contest in form.contests] for row in rows(run)]


def scan_sides(run: Run, fronts: list[Gray], backs: list[Gray], *flags: str) -> str:
    write_scan_pdf(Path("a.pdf"), fronts)
    write_scan_pdf(Path("b.pdf"), backs)
    return run("scan", "count", "--fronts", "a.pdf", "--backs", "b.pdf", "-j", "1", *flags)


def test_fronts_and_backs_are_put_side_by_side(run: Run, pile: Pile) -> None:
    said = scan_sides(run, pile.fronts, pile.backs)
    assert votes(run, pile.form) == pile.votes
    assert set(statuses(run)) == {"clean"}
    assert "5 fronts and 5 backs were put side by side by their order alone" in said


def test_backs_that_come_from_the_last_to_the_first_are_turned_round(run: Run, pile: Pile) -> None:
    scan_sides(run, pile.fronts, pile.backs[::-1], "--reversed")
    assert votes(run, pile.form) == pile.votes


def test_a_missing_back_makes_all_wait_and_says_what_to_do(run: Run, pile: Pile) -> None:
    said = scan_sides(run, pile.fronts, pile.backs[:2] + pile.backs[3:])
    assert "clean" not in statuses(run)
    assert "5 fronts and 4 backs: no pair of them can be trusted" in said
    assert "--fronts-first" not in said
    assert "--fronts-first" not in run("list", "count")


def test_a_page_that_cannot_be_read_puts_only_its_own_sheet_in_doubt(run: Run, pile: Pile) -> None:
    backs = list(pile.backs)
    backs[2] = photo_of_a_cat(backs[2].shape)
    scan_sides(run, pile.fronts, backs)
    found = rows(run)
    assert [row["status"] for row in found] == [
        "clean", "clean", "in_doubt", "refused", "clean", "clean",
    ]  # fmt: skip
    clean = [votes for row, votes in zip(found, votes(run, pile.form), strict=True)
             if row["status"] == "clean"]  # fmt: skip
    assert clean == pile.votes[:2] + pile.votes[3:]


def test_fronts_and_backs_named_the_wrong_way_round_wait(run: Run, pile: Pile) -> None:
    said = scan_sides(run, pile.backs, pile.fronts)
    assert set(statuses(run)) == {"in_doubt"}
    assert "--backs-first" in said
    run("scan", "count", "--fronts", "a.pdf", "--backs", "b.pdf", "--backs-first", "-j", "1")
    assert votes(run, pile.form) == pile.votes
    assert set(statuses(run)) == {"clean"}


def test_the_order_told_after_the_scan_frees_all_but_the_sheet_without_a_back(
    run: Run, pile: Pile
) -> None:
    pages = [page for sides in zip(pile.fronts, pile.backs, strict=True) for page in sides]
    write_scan_pdf(Path("pile.pdf"), pages[:-1])
    said = run("scan", "count", "pile.pdf", "-j", "1")
    assert set(statuses(run)) == {"in_doubt"}
    assert "the same command once more with --fronts-first or --backs-first" in said
    assert "kiemphieu scan count FILES --fronts-first" in run("list", "count")
    said = run("scan", "count", "pile.pdf", "--fronts-first", "-j", "1")
    assert "put together anew" in said
    assert statuses(run) == ["clean"] * 4 + ["in_doubt"]
    assert votes(run, pile.form)[:4] == pile.votes[:4]
    assert "--fronts-first" not in run("list", "count")
