"""The evidence behind the figures: a folder of pages that any browser opens without a network.

From every figure a link leads to the answers it was added up from, cut out of the sheets; from
each of them to the whole sheet; and there stands who decided what on it, from the count's record.
What voters write about themselves, and in their own words, is covered on every picture. The pages
hold no script.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import jinja2

from scanner.counting.rules import describe_rule, number_text
from scanner.counting.store import Store
from scanner.counting.store_pictures import PicturedPage
from scanner.counting.tally_making import TallyHeading, make_tally
from scanner.errors import BadArgumentsError, InputError, StorageError
from scanner.forms.template import Form
from scanner.messages import current_language, gettext, ngettext
from scanner.messages import gettext as _
from scanner.publishing.evidence_figures import CROPS_ON_PAGE, figures_of_count
from scanner.publishing.evidence_papers import piles_of_count
from scanner.publishing.evidence_pictures import (
    PagePicture,
    RefusedPage,
    Shown,
    cut_page,
    cut_refused,
    why_withheld,
)
from scanner.publishing.evidence_sheets import (
    Hidden,
    RefusedEvidence,
    SheetEvidence,
    answers_of,
    gather_sheets,
    hidden_contests,
)
from scanner.reading.pages import close_files

TEMPLATES = Path(__file__).with_name("templates") / "evidence"
INDEX = "index.html"
STYLE = "evidence.css"
Tell = Callable[[int, int], None]
"""Told how many sheets are done, and of how many."""


@dataclass(frozen=True, slots=True)
class EvidenceRequest:
    """How the evidence is to be written."""

    heading: TallyHeading = field(default_factory=TallyHeading)
    """Where the vote is secret, nobody may learn in which order the sheets were scanned or decided:
    they lie shuffled, under random names, without number, file or time."""
    progress: Tell | None = None

    @property
    def is_secret(self) -> bool:
        """Whether the order of the sheets is to be hidden."""
        return self.heading.is_secret


def write_evidence(
    store: Store, forms: Sequence[Form], folder: Path, request: EvidenceRequest, at: datetime
) -> Path:
    """Write the evidence of a count.

    Args:
        store: The count.
        forms: The count's forms.
        folder: A new folder, or one that holds evidence already, which is replaced.
        request: How.
        at: When it is made, with a time zone.

    Returns:
        The page to begin with.

    Raises:
        BadArgumentsError: The folder holds something else.
        InputError: A scan cannot be read any more.
        TallyMismatchError: What is shown is not as many as the tally says.
        StorageError: The folder cannot be written.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / STYLE).is_file():
        raise BadArgumentsError(
            _("There is something else in this folder."),
            remedy=_("Name an empty folder, or a new one."),
            path=folder,
        )
    passing = folder.with_name(f"{folder.name}.part")
    try:
        shutil.rmtree(passing, ignore_errors=True)
        for part in ("figures", "papers", "sheets", "pictures"):
            (passing / part).mkdir(parents=True)
        _write(store, list(forms), passing, request, at)
        if folder.is_dir():
            shutil.rmtree(folder)
        passing.replace(folder)
    except OSError as error:
        raise StorageError(
            _("This file cannot be written: {why}.").format(why=error.strerror or error),
            remedy=_("Close it where it is open, make space, or choose another place."),
            path=folder,
        ) from error
    finally:
        shutil.rmtree(passing, ignore_errors=True)
    return folder / INDEX


def _write(
    store: Store, forms: list[Form], folder: Path, request: EvidenceRequest, at: datetime
) -> None:
    request = replace(request, heading=request.heading.kept_to(forms))
    tally = make_tally(store, forms, request.heading, at=at)
    hidden = hidden_contests(tally)
    sheets, refused = gather_sheets(store, forms, hidden, is_secret=request.is_secret)
    done = _teller(request.progress, len(sheets) + len(refused))
    pictures = _cut(store, sheets, folder / "pictures", hidden, done)
    loose = _cut_loose(store, forms, [*sheets, *refused], folder / "pictures", hidden, done)
    piles = piles_of_count(tally, sheets, refused)
    figures = list(figures_of_count(forms, tally, sheets, pictures, hidden))
    templates = _environment()

    def write(path: Path, template: str, **values: Any) -> None:
        text = templates.get_template(template).render(
            language=current_language(), is_secret=request.is_secret, **values
        )
        path.write_text(text, encoding="utf-8", newline="\n")

    shutil.copyfile(TEMPLATES / STYLE, folder / STYLE)
    write(
        folder / INDEX,
        "index.html",
        tally=tally,
        pairs=list(zip(forms, tally.forms, strict=True)),
        figures=figures,
        piles=piles,
        hidden=hidden,
        rule=describe_rule(tally.rule),
        at=at,
    )
    for figure in figures:
        for number in range(1, figure.pages + 1):
            first = (number - 1) * CROPS_ON_PAGE
            crops = figure.crops[first : first + CROPS_ON_PAGE]
            path = folder / "figures" / figure.page(number)
            write(path, "figure.html", figure=figure, turn=number, crops=crops)
    for pile in piles:
        for number in range(1, pile.pages + 1):
            write(folder / "papers" / pile.page(number), "papers.html", pile=pile, turn=number)
    for one in refused:
        values = {"sheet": one, "loose": loose[one.key]}
        write(folder / "sheets" / f"{one.key}.html", "refused.html", **values)
    for sheet in sheets:
        answers = answers_of(sheet, hidden)
        values = {"sheet": sheet, "pages": pictures[sheet.key], "answers": answers}
        values["loose"] = loose[sheet.key]
        write(folder / "sheets" / f"{sheet.key}.html", "sheet.html", **values)


def _cut(
    store: Store,
    sheets: Sequence[SheetEvidence],
    folder: Path,
    hidden: Hidden,
    done: Callable[[], None],
) -> dict[str, list[PagePicture]]:
    """The pictures of all sheets, each page decoded once; by key of the sheet."""
    scans = _scans_of(store, sheets)
    made: dict[str, list[PagePicture]] = {}
    try:
        for sheet in sheets:
            pages = [page for page in scans[sheet.record.sheet] if page.form == sheet.form.id]
            covered = {contest for form, contest in hidden if form == sheet.form.id}
            shown = Shown(
                covered=covered,
                chosen={
                    (vote.contest, option)
                    for vote in sheet.final.votes
                    for option in vote.options
                    if vote.contest not in covered
                },
            )
            made[sheet.key] = [cut_page(one, sheet.form, sheet.key, shown, folder) for one in pages]
            done()
    except ValueError as error:
        raise InputError(_("The scan cannot be read any more.")) from error
    finally:
        close_files()
    return made


def _cut_loose(
    store: Store,
    forms: Sequence[Form],
    papers: Sequence[SheetEvidence | RefusedEvidence],
    folder: Path,
    hidden: Hidden,
    done: Callable[[], None],
) -> dict[str, list[RefusedPage]]:
    """The pictures of pages that are no part of a sheet as it was read, where they may be shown.

    Those of what was refused; and those from which a person typed the answers by hand.
    """
    by_id = {form.id: form for form in forms}
    withheld = why_withheld(forms, has_hidden=bool(hidden))
    scans = _scans_of(store, papers)
    made: dict[str, list[RefusedPage]] = {}
    try:
        for one in papers:
            made[one.key] = []
            own = one.form.id if isinstance(one, SheetEvidence) else None
            pages = [page for page in scans[one.record.sheet] if own is None or page.form != own]
            for place, page in enumerate(pages, start=1):
                covered = {contest for form, contest in hidden if form == page.form}
                name = f"{one.key}-r{place}"
                marks = Shown(chosen=(), covered=covered)
                form = by_id.get(page.form or "")
                made[one.key].append(cut_refused(page, form, name, marks, withheld, folder))
            if isinstance(one, RefusedEvidence):
                done()
    finally:
        close_files()
    return made


def _teller(tell: Tell | None, total: int) -> Callable[[], None]:
    """What is called after each sheet, and tells how many are done."""
    numbers = count(1)
    return lambda: None if tell is None else tell(next(numbers), total)


def _scans_of(
    store: Store, papers: Sequence[SheetEvidence | RefusedEvidence]
) -> defaultdict[int, list[PicturedPage]]:
    """The pages of some sheets, by the sheet's number."""
    scans: defaultdict[int, list[PicturedPage]] = defaultdict(list)
    for page in store.pictured_pages({one.record.sheet for one in papers}):
        scans[page.sheet].append(page)
    return scans


def _environment() -> jinja2.Environment:
    """The templates: everything is escaped, and a name that is not there is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_=gettext, ngettext=ngettext, number=_number)
    return environment


def _number(value: int) -> str:
    return number_text(value, current_language())
