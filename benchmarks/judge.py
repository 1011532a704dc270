"""The reading of a case beside its truth.

A *silent error* is a target, not ambiguous, that was read as marked or unmarked, differs from the
truth, and about which nothing asks a person. That a page is missing, or the order of the pages
uncertain, or that too many options are marked, asks about something else and hides no error here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import hypot
from pathlib import Path

from benchmarks.cases import Ballot, Case, Target, Template
from benchmarks.outcome import PAPER, Box, Outcome, ScannedPage
from scanner.ballot import MarkState, PageReading, Reason
from scanner.forms.template import Form, Option

FormIds = Mapping[str, tuple[str, str]]
"""Id of a registered form -> name of its case and id of its template."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One target to look at: read wrongly, or not at all."""

    ballot: str
    target: str
    page: ScannedPage
    option: Option | None
    is_marked: bool
    box: Box
    why: str = ""


@dataclass
class SheetScore:
    """One sheet beside its truth."""

    ballot: str
    pages: int
    targets: int = 0
    marked: int = 0
    silent: list[Finding] = field(default_factory=list)
    asked: list[Finding] = field(default_factory=list)
    """Targets in doubt."""
    flagged_errors: int = 0
    """Read wrongly, in a place that is shown to a person."""
    not_read: int = 0
    """Targets of pages that were refused or taken for another form."""
    reasons: set[Reason] = field(default_factory=set)
    """Why a person is asked, but for pages that the case itself does not have."""
    refused: list[str] = field(default_factory=list)
    wrong_form: list[str] = field(default_factory=list)
    """Pages taken for another form though nothing says that the form is uncertain."""
    mixed: bool = False
    """Its pages lie in a sheet with another voter's and nothing doubts their order."""
    incomplete: bool = False
    """The case has not all of its pages."""
    overvote_is_true: bool = False
    """The only doubt is an overvote, and the marks were read as the voter made them."""

    @property
    def in_doubt(self) -> bool:
        """A person is asked about what was read."""
        return bool(self.reasons) and not self.overvote_is_true


@dataclass
class CaseScore:
    """A whole case beside its truth."""

    case: Case
    sheets: list[SheetScore] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    """Negatives that would be counted."""
    negatives_in_doubt: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def silent(self) -> list[Finding]:
        """All silent errors."""
        return [finding for sheet in self.sheets for finding in sheet.silent]

    @property
    def failed(self) -> bool:
        """Something would have been counted wrongly."""
        misplaced = any(sheet.wrong_form or sheet.mixed for sheet in self.sheets)
        return bool(self.silent or self.accepted or misplaced)

    def reasons(self) -> Counter[Reason]:
        """How many sheets wait for a person for each reason."""
        return Counter(reason for sheet in self.sheets for reason in sheet.reasons)


def judge_ballots(case: Case, outcome: Outcome, form_ids: FormIds) -> list[SheetScore]:
    """Compare every sheet of a case with its truth."""
    owners: dict[int, set[str]] = {}
    for ballot in case.ballots:
        for _number, image in ballot.pages:
            if (page := outcome.pages.get(image.resolve())) is not None:
                owners.setdefault(page.sheet, set()).add(ballot.id)
    return [_Judge(case, ballot, outcome, form_ids).score(owners) for ballot in case.ballots]


def judge_negatives(score: CaseScore, outcome: Outcome, form_ids: FormIds) -> None:
    """Note which negatives were taken for a form of the case."""
    for image, why in score.case.negatives:
        page = outcome.pages.get(image.resolve())
        if page is None or not isinstance(page.result, PageReading):
            continue
        owner, template = form_ids[page.result.form]
        if owner != score.case.name:
            continue
        line = f"{image.name} as {template} page {page.result.page} ({why})"
        doubts = set().union(*page.doubts.values()) - PAPER
        if doubts:
            score.negatives_in_doubt.append(f"{line}: {', '.join(sorted(doubts))}")
        else:
            score.accepted.append(line)


@dataclass(frozen=True)
class _Judge:
    case: Case
    ballot: Ballot
    outcome: Outcome
    form_ids: FormIds

    def score(self, owners: Mapping[int, set[str]]) -> SheetScore:
        score = SheetScore(self.ballot.id, len(self.ballot.pages))
        score.incomplete = not self.case.is_complete(self.ballot)
        for number, image in self.ballot.pages:
            page = self.outcome.pages.get(image.resolve())
            refusal = _refusal(page)
            if page is None or refusal:
                score.refused.append(f"page {number}: {refusal or 'taken for a second copy'}")
            elif not self._is_of_ballot(page, number):
                self._note_wrong_form(score, page, number)
            elif len(owners[page.sheet]) > 1 and not _paper_doubts(page):
                score.mixed = True
            self._compare_page(score, page, number)
            if page is not None:
                self._note_doubts(score, page)
        score.overvote_is_true = score.reasons == {Reason.OVERVOTE} and not score.silent
        return score

    def _is_of_ballot(self, page: ScannedPage, number: int) -> bool:
        assert isinstance(page.result, PageReading)
        owner, template = self.form_ids[page.result.form]
        is_known = owner == self.case.name and template in self.ballot.templates
        return is_known and page.result.page == number

    def _note_wrong_form(self, score: SheetScore, page: ScannedPage, number: int) -> None:
        assert isinstance(page.result, PageReading)
        if not page.doubts.get(None, frozenset()) - PAPER:
            owner, template = self.form_ids[page.result.form]
            score.wrong_form.append(
                f"page {number} taken for {owner}/{template} page {page.result.page}"
            )

    def _note_doubts(self, score: SheetScore, page: ScannedPage) -> None:
        as_shipped = {Reason.PAGE_MISSING, Reason.PAGE_ORDER} if score.incomplete else set()
        score.reasons |= set().union(*page.doubts.values()) - as_shipped

    def _compare_page(self, score: SheetScore, page: ScannedPage | None, number: int) -> None:
        for target in self._targets(number):
            is_marked = target.id in self.ballot.marks
            score.targets += 1
            score.marked += is_marked
            if page is None or (found := self._find(page, target)) is None:
                score.not_read += 1
                continue
            contest, option, box = found
            finding = Finding(self.ballot.id, target.id, page, option, is_marked, box)
            self._compare(score, finding, contest)

    def _compare(self, score: SheetScore, finding: Finding, contest: str) -> None:
        box = finding.box
        if box.state == MarkState.DOUBTFUL:
            score.asked.append(finding)
            return
        is_right = (box.state == MarkState.MARKED) == finding.is_marked
        if is_right or finding.target in self.ballot.ambiguous:
            return
        doubts = finding.page.doubts
        of_contest = doubts.get(contest, frozenset())
        if (doubts.get(None, frozenset()) | of_contest) - PAPER - {Reason.OVERVOTE}:
            score.flagged_errors += 1
        else:
            why = "in a contest flagged as overvote" if Reason.OVERVOTE in of_contest else ""
            score.silent.append(replace(finding, why=why))

    def _targets(self, number: int) -> Iterator[Target]:
        template = self.case.templates[self.ballot.templates[0]]
        return (target for target in template.targets if target.page == number)

    def _find(self, page: ScannedPage, target: Target) -> tuple[str, Option | None, Box] | None:
        """What was read where the target is, also where another form that fits calls it else."""
        if not isinstance(page.result, PageReading):
            return None
        owner, name = self.form_ids[page.result.form]
        template = self.case.templates.get(name) if owner == self.case.name else None
        if template is None or page.result.page != target.page:
            return None
        same = _same_target(template, target)
        if same is None:
            return None
        box = self.outcome.box(page, same.contest, same.option)
        return None if box is None else (same.contest, _option(page.form, same), box)


def _same_target(template: Template, target: Target) -> Target | None:
    others = [other for other in template.targets if other.page == target.page]
    named = next((other for other in others if other.id == target.id), None)
    if named is not None:
        return named
    near = [other for other in others if _distance(other, target) <= target.reach]
    return near[0] if len(near) == 1 else None


def _distance(one: Target, other: Target) -> float:
    return hypot(one.center[0] - other.center[0], one.center[1] - other.center[1])


def _option(form: Form | None, target: Target) -> Option | None:
    contest = form.contest(target.contest) if form is not None else None
    options = contest.options if contest is not None else ()
    return next((option for option in options if option.id == target.option), None)


def _refusal(page: ScannedPage | None) -> str:
    if page is None or isinstance(page.result, PageReading):
        return ""
    evidence = ", ".join(f"{name} {value}" for name, value in page.result.evidence.items())
    return f"{page.result.reason} ({evidence})"


def _paper_doubts(page: ScannedPage) -> frozenset[Reason]:
    return page.doubts.get(None, frozenset()) & PAPER


def image_name(finding: Finding) -> Path:
    """A file name for a picture of a finding."""
    letters = "".join(c if c.isalnum() else "-" for c in f"{finding.ballot}-{finding.target}")
    return Path(f"{letters[:120]}.png")
