"""Counts that are made from measures, without any image: what a scan would have stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scanner.ballot import PageReading, Reason, SheetStatus, TargetMeasures
from scanner.counting.adjudication import Decision, Verdict
from scanner.counting.intake import scan
from scanner.counting.kept_forms import keep_forms, load_kept_forms
from scanner.counting.limits import Limits, settings_in_force
from scanner.counting.records import BatchRequest, Box, PageResult, PlannedPage, ScannedFile
from scanner.counting.redecide import Redecision, at_rest, change_limits, redecide
from scanner.counting.results import decide, final_records, now
from scanner.counting.store import Store
from scanner.forms.template import Form
from scanner.reading.decide import decide_target
from scanner.settings import Settings

READ_WITH = Limits.of(Settings())
STRICT = Limits(0.9999, 0.0001)
LOOSE = Limits(0.6, 0.4)


@dataclass(frozen=True)
class Measured:
    """What was measured at one target, and whether the scan has paper there."""

    measures: TargetMeasures
    covered: bool = True


def ink(inside: float, **others: float) -> Measured:
    """A target with so much ink inside, all else as on a clean scan."""
    usual = {
        "inside": inside, "weight": 0.55 * inside, "outline": 0.0, "outside": 0.0, "label_mm": 0.0,
        "extent_mm": 1.5, "through": 0.0, "residual_mm": 0.1, "print_match": 0.95,
    }  # fmt: skip
    return Measured(TargetMeasures(**usual | others))


Sheet = Sequence[Sequence[Measured]]
"""The targets of its pages, page by page; a page without an entry is not there."""


def make_count(
    folder: Path,
    form: Form,
    sheets: Sequence[Sheet],
    *,
    settings: Settings | None = None,
    page_reasons: tuple[Reason, ...] = (),
    mm_per_px: float = 1.0,
) -> Path:
    """A count of one batch as a scan would have left it.

    Args:
        folder: Where it goes; the form lies in its neighbour ``forms``.
        form: The form of all pages.
        sheets: What was measured on them.
        settings: With which it was read.
        page_reasons: Doubts about every first page as a whole.
        mm_per_px: How large its pixels are, for a count that is given an ``images/a.pdf``.
    """
    settings = settings or Settings()
    pages = [(number, sheet[number - 1]) for sheet in sheets for number in range(1, len(sheet) + 1)]
    with Store(folder, create=True) as store:
        if form.id not in store.forms():
            keep_forms(store, form.folder.parent, [form.id])
        batch = store.begin_batch(BatchRequest(files=("a.pdf",)), settings.model_dump_json())
        store.add_file(ScannedFile(batch.id, 0, f"{batch.id}", "a.pdf", "a.pdf", len(pages)))
        (file,) = store.files(batch.id)
        store.plan_pages(batch.id, [PlannedPage(n, file.id, n + 1, 1) for n in range(len(pages))])
        waiting = store.pages_to_read(batch.id, after=-1, limit=len(pages))
        store.save_results(
            [
                PageResult(
                    source.page,
                    f"{batch.id}-{place}",
                    replace(
                        _read(form, number, targets, settings, page_reasons if number == 1 else ()),
                        homography=(mm_per_px, 0, 0, 0, mm_per_px, 0, 0, 0, 1),
                    ),
                )
                for place, (source, (number, targets)) in enumerate(
                    zip(waiting, pages, strict=True)
                )
            ]
        )
    scan(folder, BatchRequest(), form.folder.parent)
    return folder


def _read(
    form: Form,
    number: int,
    targets: Sequence[Measured],
    settings: Settings,
    reasons: tuple[Reason, ...],
) -> PageReading:
    return PageReading(
        form=form.id,
        form_hash=form.content_hash,
        page=number,
        rotation=0,
        homography=(1.0, 0, 0, 0, 1.0, 0, 0, 0, 1),
        targets=tuple(
            decide_target(
                contest.id,
                option.id,
                one.measures,
                covered=one.covered,
                settings=settings,
                shape=option.shape,
            )
            for (contest, option), one in zip(form.targets_on(number), targets, strict=True)
        ),
        reasons=reasons,
    )


def plain(count: Path) -> tuple[Any, ...]:
    """Everything that is read and decided in a count."""
    with Store(count) as store:
        forms = load_kept_forms(store)
        return (
            list(store.boxes()),
            list(store.sheets()),
            list(final_records(store, forms)),
            store.decisions(),
            settings_in_force(store),
        )


def change(count: Path, limits: Limits) -> Redecision:
    """Decide a count anew with other limits."""
    with Store(count) as store, at_rest(store):
        made = redecide(store, load_kept_forms(store), limits)
        change_limits(store, made, by="Lan", why="thử")
        return made


def boxes(count: Path) -> list[Box]:
    """Every target of a count."""
    with Store(count) as store:
        return list(store.boxes())


def decisions(count: Path) -> Mapping[int, list[Decision]]:
    """Every decision, by sheet."""
    with Store(count) as store:
        return store.decisions()


def statuses(count: Path) -> list[SheetStatus]:
    """Where the sheets stand, in scan order."""
    with Store(count) as store:
        return [record.status for record in final_records(store, load_kept_forms(store))]


def take_decision(
    count: Path, sheet: int, verdict: Verdict, contest: str | None = None, *options: str
) -> None:
    """Decide on a sheet, as a person does."""
    with Store(count) as store:
        made = Decision(sheet, verdict, "Lan", "nhìn rõ", now(), contest, options)
        decide(store, load_kept_forms(store), made)
