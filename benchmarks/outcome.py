"""What a count made of the images that were scanned into it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import run_command
from scanner.ballot import PageReading, Reason, UnreadablePage
from scanner.counting.adjudication import SheetRecord, open_doubts
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.store import Store
from scanner.forms.template import Form
from scanner.publishing.exports import guard
from scanner.reading.decide import needs_review

PAPER = frozenset({Reason.PAGE_MISSING, Reason.PAGE_ORDER, Reason.PAGE_TWICE, Reason.SAME_IMAGE})
"""Doubts about which papers lie in the pile. They hide no error in what was read on a page."""


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """One image, and what became of it."""

    image: Path
    stored: Path
    """The count's own copy."""
    sheet: int
    record: SheetRecord
    result: PageReading | UnreadablePage
    form: Form | None
    """The form it was read as; None for a page that is refused."""

    @property
    def doubts(self) -> dict[str | None, frozenset[Reason]]:
        """What waits for a person: by contest, and under None for the sheet as a whole."""
        if self.form is None:
            return {}
        rule = self.form.rule
        found = open_doubts(self.record, (), rule)
        return {
            contest: frozenset(reason for reason in reasons if needs_review([reason], rule))
            for contest, reasons in found
        }


@dataclass(frozen=True, slots=True)
class Box:
    """One target of one sheet: a row of boxes.csv."""

    state: str
    probability: float
    reasons: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that was read in a count."""

    pages: dict[Path, ScannedPage]
    """By the image that was given; one that was taken for a second copy is missing."""
    boxes: dict[tuple[int, int, str, str], Box]
    """By sheet, page of the form, contest and option."""

    def box(self, page: ScannedPage, contest: str, option: str) -> Box | None:
        """What was read at a target, if the page was read as a form that has it."""
        if isinstance(page.result, UnreadablePage):
            return None
        return self.boxes.get((page.sheet, page.result.page, guard(contest), guard(option)))


def read_outcome(count: Path) -> Outcome:
    """Take everything out of a count: the states from ``boxes.csv``, the doubts as ``list`` has.

    Raises:
        CommandError: The export failed.
    """
    exported = count / "boxes.csv"
    run_command("export", count, "--to", "boxes", "-o", exported)
    boxes = {}
    with exported.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            key = int(row["sheet"]), int(row["page"]), row["contest"], row["option"]
            boxes[key] = Box(row["state"], float(row["probability"]), row["reasons"])
    with Store(count) as store:
        forms = {form.id: form for form in load_kept_forms(store)}
        records = {record.sheet: record for record in store.sheets()}
        pages = {}
        for sheet, source in store.sources():
            image = Path(source.name)
            pages[image] = ScannedPage(
                image=image,
                stored=source.path,
                sheet=sheet,
                record=records[sheet],
                result=store.reading(source.page),
                form=forms.get(records[sheet].form or ""),
            )
    return Outcome(pages, boxes)
