"""A test deck from its drawing to its tally: made, scanned, compared, its doubts decided."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.commands import run_command, scan_files
from benchmarks.found_again import FoundAgain, translate_deck
from scanner.ballot import SheetStatus
from scanner.counting.adjudication import Decision, Verdict, open_doubts
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.results import decide, final_records, now, tally_of
from scanner.counting.store import Store
from scanner.forms.deck import Deck, DeckSheet, description_path, read_deck
from scanner.forms.deck_plan import least_sheets
from scanner.forms.layout import lay_out_form
from scanner.forms.questions import QUESTIONS_FILE, read_questions
from scanner.forms.template import Form
from scanner.publishing.deck_result import DeckResult, Outcome, compare_deck


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckOrder:
    """Which deck of a form is made."""

    sheets: int
    seed: int = 1
    scale_percent: float = 100.0
    onto: str = ""
    is_clean: bool = False
    """As printed, not as scanned."""


@dataclass(frozen=True, slots=True)
class DeckRun:
    """One deck, made, scanned, compared and decided."""

    form: str
    deck: Deck
    """In the words of the form that it was counted with."""
    result: DeckResult
    tally_is_meant: bool
    """Whether the count says what the deck does, once each question is answered as meant."""
    drawing_s: float
    scan_s: float

    @property
    def is_right(self) -> bool:
        """Nothing wrong, no question for nothing, and the deck's tally."""
        return self.result.passes() and self.tally_is_meant


def draw_on_a5(form: Form, folder: Path) -> Form:
    """A form that was drawn here once more, on A5 paper and in letters that suit it.

    Raises:
        FormError: It has no description, or a question does not fit on the paper.
    """
    questions = read_questions(form.folder / QUESTIONS_FILE)
    name = f"{form.id}-a5"
    smaller = questions.model_copy(update={"id": name, "paper": "A5", "text_pt": None})
    return lay_out_form(smaller, folder / name)


def draw_deck(form: Form, order: DeckOrder, pdf: Path) -> float:
    """Make a deck with the program's own command.

    Returns:
        Seconds.

    Raises:
        CommandError: The command failed.
    """
    look = [] if order.is_clean else ["--scan"]
    laid = ["--onto", order.onto] if order.onto else []
    sheets = max(order.sheets, least_sheets(form))
    started = time.perf_counter()
    run_command(
        *("form", "testdeck", form.id, "-n", str(sheets), "--seed", str(order.seed)),
        *("-o", pdf, "--replace", "--forms", form.folder.parent),
        *("--scale", str(order.scale_percent)),
        *look,
        *laid,
    )
    return time.perf_counter() - started


def count_deck(form: Form, pdf: Path, count: Path, *, jobs: int = 1) -> float:
    """Scan a deck into a fresh count, with the folder of the form.

    Returns:
        Seconds.

    Raises:
        CommandError: The command failed.
    """
    shutil.rmtree(count, ignore_errors=True)
    started = time.perf_counter()
    scan_files(count, [pdf], form.folder.parent, jobs)
    return time.perf_counter() - started


def judge_count(
    form: Form, pdf: Path, count: Path, seconds: tuple[float, float], again: FoundAgain | None
) -> DeckRun:
    """Compare a count with the deck that was scanned into it, then decide its doubts.

    Args:
        form: The form that the deck was drawn on.
        pdf: The deck.
        count: The count, in which nothing else is.
        seconds: What drawing and scanning took.
        again: The form as it was registered from a scan, if it was counted with that.

    Raises:
        BadArgumentsError: The deck was made from a form with other targets.
        TallyMismatchError: The count has more pages or fewer than the deck.
    """
    deck = read_deck(description_path(pdf))
    if again is not None:
        deck = translate_deck(deck, again)
    with Store(count) as store:
        forms = load_kept_forms(store)
        result = compare_deck(store, forms, form.id, deck)
        decide_as_meant(store, forms, form.id, deck)
        is_meant = tally_is_meant(store, forms, form.id, deck)
    return DeckRun(form.id, deck, result, is_meant, *seconds)


def decide_as_meant(store: Store, forms: Sequence[Form], form_id: str, deck: Deck) -> None:
    """Answer every open question about the deck's form as a person does who knows the deck."""
    form = next(form for form in forms if form.id == form_id)
    # A page that became a sheet of its own shifts the numbers of those after it.
    place = {sheet: (source.page - 1) // deck.pages for sheet, source in store.sources()}
    for record in list(final_records(store, forms)):
        if record.status is not SheetStatus.IN_DOUBT or record.form != form_id:
            continue
        sheet = deck.sheets[place[record.sheet]]
        raw = store.sheet(record.sheet)
        for contest, _reasons in open_doubts(raw, (), form.rule):
            verdict, options = _answer(sheet, form, contest)
            said = ("Lan", "the deck says so", now(), contest, options)
            decide(store, forms, Decision(record.sheet, verdict, *said))


def _answer(
    sheet: DeckSheet, form: Form, contest_id: str | None
) -> tuple[Verdict, tuple[str, ...]]:
    contest = form.contest(contest_id) if contest_id is not None else None
    if contest is None:
        return Verdict.ACCEPT, ()
    marked = sheet.marked(contest.id)
    if len(marked) > contest.max:
        return Verdict.OVERVOTE, ()
    return (Verdict.OPTIONS, marked) if marked else (Verdict.BLANK, ())


def tally_is_meant(store: Store, forms: Sequence[Form], form_id: str, deck: Deck) -> bool:
    """Whether the tally closes, waits for nobody, and is the deck's in every sum.

    No rule makes a sheet void here: a deck has a wholly blank sheet, and its blanks are meant.
    """
    as_read = [replace(one, void="") for one in final_records(store, forms)]
    tally = tally_of(as_read, store, forms)
    of_deck = next(one for one in tally.forms if one.form == form_id)
    is_whole = of_deck.counted == tally.scanned - tally.blank_pages == len(deck.sheets)
    if not tally.closes or tally.is_provisional or not is_whole:
        return False
    counted = {
        sums.contest: (dict(sums.options), sums.blank, sums.overvote) for sums in of_deck.contests
    }
    meant = {name: (sums.options, sums.blank, sums.overvote) for name, sums in deck.tally.items()}
    return counted == meant


def has_wrong(runs: Sequence[DeckRun]) -> bool:
    """Whether a mark was counted otherwise than meant, or a tally is not the deck's."""
    return any(run.result.total[Outcome.WRONG] or not run.tally_is_meant for run in runs)
