"""A sample of a pile, a year or a district: drawn, counted and settled as its recipe says.

Doubts are settled from what was drawn, as people would who have the papers before them; what was
read without doubt is never touched, so an error that nobody saw shows as a difference.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scanner.ballot import Reason
from scanner.counting.adjudication import Decision, Verdict, open_questions, resolve
from scanner.counting.bench import Hand
from scanner.counting.intake import ScanOptions, scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.records import DATABASE_FILE, BatchRequest, BatchState
from scanner.counting.results import decide, now
from scanner.counting.rework import set_aside
from scanner.counting.reworked import ReworkKind
from scanner.counting.rules import Denominator, Rounding, ShareRule
from scanner.counting.store import Store
from scanner.counting.tally_file import (
    TallyFile,
    TallyUnit,
)
from scanner.counting.tally_making import TallyHeading, make_tally
from scanner.counting.unit_tree import UnitTree, read_unit_tree
from scanner.errors import UnreadableFileError
from scanner.forms.layout import print_form
from scanner.forms.questions import QUESTIONS_FILE, read_questions
from scanner.forms.sample import (
    EXPECTED_FILE,
    RECIPE_FILE,
    SCAN_FILE,
    SampleTruth,
    cast_votes,
    draw_pile,
)
from scanner.forms.scenario import Pile, Scenario, read_scenario
from scanner.forms.template import Contest, Form, read_form
from scanner.messages import gettext as _
from scanner.publishing.scenario_figures import moment_of, tally_without_papers
from scanner.publishing.tally_json import read_tally, write_tally

UNITS_FILE = "units.yaml"


@dataclass(frozen=True, slots=True)
class CountedPile:
    """One pile with its tally, as its file says it."""

    pile: Pile
    tally: TallyFile
    count: Path | None = None
    """The folder of its count; None where there were only figures."""
    settled: int = 0
    """Sheets on which a person had to decide."""
    silent_errors: tuple[int, ...] = ()
    """Sheets that were read otherwise than they were drawn, and nobody was asked."""


@dataclass(frozen=True, slots=True)
class ScenarioRun:
    """How a sample is gone through."""

    options: ScanOptions = field(default_factory=ScanOptions)
    papers: Collection[str] | None = None
    """Names of the piles that are drawn and read; None for all that the recipe draws. Of the
    others only the figures are taken."""


def list_samples(samples: Path) -> list[str]:
    """The names of the samples in a folder."""
    return sorted(path.parent.name for path in samples.glob(f"*/{RECIPE_FILE}"))


def run_scenario(
    sample: Path, forms_folder: Path, output: Path, run: ScenarioRun | None = None
) -> list[CountedPile]:
    """Draw, scan, settle and tally every pile of a sample.

    What is there already is not made again: scans, and counts that were finished.

    Args:
        sample: Its folder.
        forms_folder: Where the forms are registered.
        output: Gets ``forms``, ``scans``, ``counts`` and ``tallies``.
        run: How.

    Returns:
        The piles, those that are drawn first, each with its tally as it is read from its file.

    Raises:
        UnreadableFileError: There is no such sample, or it is faulty.
        FormError: A form is not registered.
        StorageError: The output cannot be written.
    """
    run = run or ScenarioRun()
    scenario = read_scenario(sample)
    own_forms = _gather_forms(scenario, sample, forms_folder, output / "forms")
    forms = {form_id: read_form(own_forms / form_id) for form_id in scenario.forms}
    tree = read_tree(sample)
    counted = []
    for pile in scenario.piles:
        path = output / "tallies" / f"{file_name(pile, sample)}.json"
        rule = ShareRule(
            Denominator(scenario.rule.denominator),
            scenario.rule.decimals,
            Rounding(scenario.rule.rounding),
        )
        heading = TallyHeading(unit=_unit(pile, tree), period=pile.recipe.period)
        if pile.is_drawn and (run.papers is None or pile.name in run.papers):
            made = _count_pile(sample, pile, forms, output, run, (rule, heading))
        else:
            tally = tally_without_papers(pile, forms[pile.recipe.form], heading, rule)
            made = CountedPile(pile, tally)
        write_tally(made.tally, path)
        counted.append(replace(made, tally=read_tally(path)))
    return counted


def file_name(pile: Pile, sample: Path) -> str:
    """Of the files of a pile; a period between two days has a stroke that no file name may have."""
    return (pile.name or sample.name).replace("/", "_")


def read_tree(sample: Path) -> UnitTree | None:
    """The sample's tree of units, if it has one."""
    path = sample / UNITS_FILE
    return read_unit_tree(path) if path.is_file() else None


def read_expected(sample: Path) -> Any:
    """The figures that a sample ought to give, as its file says them.

    Raises:
        UnreadableFileError: There is no such file.
    """
    path = sample / EXPECTED_FILE
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableFileError(
            _("The sample is not here."),
            remedy=_("Run this command in the project's folder."),
            path=path,
        ) from error


def _gather_forms(scenario: Scenario, sample: Path, registered: Path, folder: Path) -> Path:
    """A folder with the sample's forms: those registered, and its own, which is printed."""
    folder.mkdir(parents=True, exist_ok=True)
    own = sample / QUESTIONS_FILE
    own_id = read_questions(own).id if own.is_file() else ""
    for form_id in scenario.forms:
        if (folder / form_id).is_dir():
            continue
        if form_id == own_id:
            print_form(own, folder)
        else:
            read_form(registered / form_id)
            shutil.copytree(registered / form_id, folder / form_id)
    return folder


def _unit(pile: Pile, tree: UnitTree | None) -> TallyUnit | None:
    if not pile.recipe.unit:
        return None
    unit = tree.find(pile.recipe.unit) if tree is not None else None
    return TallyUnit(pile.recipe.unit, unit.name if unit is not None else "")


def _count_pile(
    sample: Path,
    pile: Pile,
    forms: Mapping[str, Form],
    output: Path,
    run: ScenarioRun,
    words: tuple[ShareRule, TallyHeading],
) -> CountedPile:
    recipe, (rule, heading) = pile.recipe, words
    form, foreign = forms[recipe.form], forms.get(recipe.foreign)
    name = file_name(pile, sample)
    shipped = sample / SCAN_FILE
    truth = cast_votes(recipe, form)
    path = shipped if shipped.is_file() else output / "scans" / f"{name}.pdf"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_pile(recipe, form, path, foreign=foreign, jobs=run.options.jobs)
    folder = output / "counts" / name
    request = BatchRequest(files=(str(path.resolve()),), forms=(form.id,))
    if not _is_scanned(folder):
        scan(folder, request, output / "forms", run.options)
    papers = len(truth.sheets)
    with Store(folder) as store:
        kept = load_kept_forms(store)
        by = _("Sample committee")
        if store.paper_facts().hand_count is None:
            store.set_papers(issued=recipe.issued, collected=papers, by=by)
            store.tell_batch(None, {"hand_count": papers}, by)
            store.set_rules(rule, store.sheet_rules(), by)
        wrong = tuple(_silent_errors(store, kept[0], truth))
        settled = settle(store, kept[0], truth, by)
        tally = make_tally(store, kept, heading, at=moment_of(pile))
    return CountedPile(pile, tally, folder, settled, wrong)


def _is_scanned(folder: Path) -> bool:
    """Whether the pile has been scanned to its end."""
    if not (folder / DATABASE_FILE).is_file():
        return False
    with Store(folder) as store:
        return any(batch.state is BatchState.DONE for batch in store.batches())


def _places(store: Store, form: Form) -> dict[int, int]:
    """The place in the pile, from 0, of each sheet of the count."""
    places: dict[int, int] = {}
    for number, source in store.sources():
        places.setdefault(number, (source.number - 1) // len(form.pages))
    return places


def _silent_errors(store: Store, form: Form, truth: SampleTruth) -> Iterator[int]:
    """Sheets that were read without doubt, and not as they were drawn."""
    places = _places(store, form)
    for record in store.sheets():
        if record.form is None:
            if places[record.sheet] not in truth.foreign:
                yield record.sheet
            continue
        choices = truth.sheets[places[record.sheet]]
        asked = open_questions(record, (), form.rule)
        in_doubt = {question.contest for question in asked}
        read = resolve(record, (), form)
        for vote in read.votes:
            contest = form.contest(vote.contest)
            if contest is None or vote.contest in in_doubt:
                continue
            meant = choices.get(vote.contest, ())
            counts = meant if len(meant) <= contest.max else ()
            if set(vote.options) != set(counts):
                yield record.sheet
                break


def settle(store: Store, form: Form, truth: SampleTruth, by: str) -> int:
    """Decide whatever waits for a person, as the papers were drawn.

    Args:
        store: The count of a pile.
        form: The form of its papers.
        truth: What was drawn.
        by: Who decides.

    Returns:
        How many sheets people have decided on.
    """
    places = _places(store, form)
    settled = 0
    for record in list(store.sheets()):
        place = places[record.sheet]
        if record.form is None:
            if place in truth.foreign:
                settled += 1
                if Reason.VOID_SHEET not in record.reasons:
                    hand = Hand(by, _("It is of another form."))
                    set_aside(store, [form], record.sheet, ReworkKind.VOID, hand)
            continue
        settled += bool(open_questions(record, (), form.rule))
        for question in open_questions(record, store.decisions_on(record.sheet), form.rule):
            contest = form.contest(question.contest) if question.contest is not None else None
            meant = truth.sheets[place].get(question.contest or "", ())
            decide(store, [form], _decision(record.sheet, contest, meant, by))
    return settled


def _decision(sheet: int, contest: Contest | None, meant: tuple[str, ...], by: str) -> Decision:
    why = _("As the paper was drawn.")
    if contest is None:
        return Decision(sheet, Verdict.ACCEPT, by, why, now())
    verdict = Verdict.OPTIONS if meant else Verdict.BLANK
    if len(meant) > contest.max:
        verdict, meant = Verdict.OVERVOTE, ()
    return Decision(sheet, verdict, by, why, now(), contest=contest.id, options=meant)
