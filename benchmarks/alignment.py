"""How far from its true place each target is measured, and whether the residual says so.

    python benchmarks/alignment.py [--world known|conforming|hard|phone] [--targets N] [--seed S]
        [--forms FOLDER]

Sheets of which the place of every point on the scan is known are read; what is compared is where
the middle of each target lies and where it was measured, in millimetres on the form. ``known`` are
sheets under transforms alone, the others those of ``benchmarks/accuracy.py``. Photographs are
split by their tilt. Exit code 1 where a target was measured more than a millimetre off and no
reason was given, or more than one in a thousand lies outside its residual; else 0.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from unittest.mock import patch

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.commands import ROOT
from benchmarks.tables import Cell, format_table
from scanner.ballot import PageReading
from scanner.forms.catalog import list_forms
from scanner.forms.template import Form, Page
from scanner.reading import interpret
from scanner.reading.align import AlignedPage
from scanner.reading.ink import Tone
from scanner.reading.interpret import Reader, use_one_core
from scanner.reading.marks import MeasuredPage, measure_marks
from scanner.reading.raster import PageImage, choose_reduction, reduce_gray
from scanner.settings import Settings
from tests.known_transforms import lay_known
from tests.world.geometry import Geometry
from tests.world.sheets import SHEETS_A_BATCH, WORLDS, draw_sheet, plan_batch

FAR_MM = 1.0
"""So far off a target is misplaced: a mark may be read that is another's, or none."""
_BATCHES_A_SEED = 10_000_000
_SHEETS_A_BATCH = 4
_TILTS = (10.0, 20.0, 30.1)
COLUMNS = (
    *("group", "sheets", "refused", "targets", "median", "99 %", "99.9 %", "max"),
    *("reported", "99 %", "asked %", "within %", "far", "far, no reason"),
)
LEGEND = """
median .. max      distance between true and measured place, mm
reported, 99 %     median and 99th percentile of the residual reported, mm
asked %            targets of which the residual is above the default limit
within %           targets no farther off than their residual says
far                targets more than a millimetre off"""

Status = Literal["read", "refused", "other form"]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """One sheet with what is known of its targets."""

    name: str
    group: str
    status: Status
    errors_mm: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Distance between true and measured place of each target, shape (n,)."""
    residuals_mm: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    has_reason: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    """Whether a person is asked about it, or about the page."""


@contextmanager
def watch_measuring() -> Iterator[list[MeasuredPage]]:
    """Everything that is measured while the context is open."""
    measured: list[MeasuredPage] = []

    def measure(aligned: AlignedPage, tone: Tone) -> MeasuredPage:
        measured.append(measure_marks(aligned, tone))
        return measured[-1]

    with patch.object(interpret, "measure_marks", measure):
        yield measured


def place_targets(
    reader: Reader, image: PageImage, truth: tuple[Form, Page, Geometry], name: str, group: str
) -> Placed:
    """Read a sheet and compare where its targets were measured with where they are."""
    form, page, geometry = truth
    with watch_measuring() as measured:
        reading = reader.read(image)
    if not isinstance(reading, PageReading):
        return Placed(name, group, "refused")
    if (reading.form, reading.page) != (form.id, page.number):
        return Placed(name, group, "other form")
    pixels = (measured[-1].centers + 0.5) * image.reduction - 0.5
    centers = np.array([option.box.center for _, option in form.targets_on(page.number)])
    return Placed(
        name,
        group,
        "read",
        np.linalg.norm(geometry.to_sheet(pixels) - centers, axis=1),
        np.array([target.measures.residual_mm for target in reading.targets]),
        np.array([bool(target.reasons or reading.reasons) for target in reading.targets]),
    )


def place_known(
    forms: Sequence[Form], reader: Reader, seeds: range, targets: int
) -> Iterator[Placed]:
    """Sheets under known transforms, until there are so many targets."""
    pages = [(form, page) for form in forms for page in form.pages if form.targets_on(page.number)]
    for seed in seeds:
        form, page = pages[seed % len(pages)]
        laid = lay_known(form, page, seed)
        group = f"{laid.geometry.size[0] / page.width_mm * 25.4:.0f} dpi"
        placed = place_targets(
            reader, laid.image, (form, page, laid.geometry), f"known {seed}", group
        )
        yield placed
        targets -= len(form.targets_on(page.number))
        if targets <= 0:
            return


def place_world(
    forms: Sequence[Form], reader: Reader, world: str, seed: int, targets: int
) -> Iterator[Placed]:
    """Sheets of a world, a few of each batch, until there are so many targets."""
    number = seed * _BATCHES_A_SEED
    while targets > 0:
        batch = plan_batch(next(one for one in WORLDS if one == world), forms, number)
        for place in range(_SHEETS_A_BATCH):
            sheet = draw_sheet(batch, number * SHEETS_A_BATCH + place)
            gray = cv2.imdecode(np.frombuffer(sheet.data, np.uint8), cv2.IMREAD_GRAYSCALE)
            assert gray is not None
            size = gray.shape[1], gray.shape[0]
            reduction = choose_reduction(size, reader.min_long_side_px)
            image = PageImage(
                reduce_gray(gray.astype(np.uint8, copy=False), reduction), reduction, size, ""
            )
            group: str = batch.scanner.mode
            if world == "phone":
                tilt = 30 * sheet.placing["tilt"]
                group = f"tilt up to {next(top for top in _TILTS if tilt < top):.0f}"
            truth = batch.form, batch.page, sheet.geometry
            yield place_targets(reader, image, truth, f"{world} {sheet.seed}", group)
            targets -= len(sheet.truths)
        number += 1


def row(name: str, sheets: Sequence[Placed]) -> list[Cell]:
    """One row of the table."""
    errors = np.concatenate([sheet.errors_mm for sheet in sheets])
    residuals = np.concatenate([sheet.residuals_mm for sheet in sheets])
    asked = np.concatenate([sheet.has_reason for sheet in sheets])
    refused = sum(sheet.status != "read" for sheet in sheets)
    if not len(errors):
        return [name, len(sheets), refused, 0, *(["-"] * 10)]
    far = errors > FAR_MM
    figures = [*np.percentile(errors, (50, 99, 99.9, 100)), *np.percentile(residuals, (50, 99))]
    shares = (residuals > Settings().max_residual_mm).mean(), (errors <= residuals).mean()
    counts: list[Cell] = [
        *(f"{100 * float(share):.3f}" for share in shares),
        int(far.sum()),
        int((far & ~asked).sum()),
    ]
    return [name, len(sheets), refused, len(errors), *(f"{x:.3f}" for x in figures), *counts]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurement and print its table.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--world", choices=("known", *WORLDS), default="known")
    parser.add_argument("--targets", type=int, default=5000, help="targets to draw [5000]")
    parser.add_argument("--seed", type=int, default=1, help="two seeds share no sheet [1]")
    parser.add_argument("--forms", type=Path, default=ROOT / "form_templates")
    options = parser.parse_args(arguments)
    use_one_core()
    forms = list_forms(options.forms)
    reader = Reader(forms)
    if options.world == "known":
        first = options.seed * _BATCHES_A_SEED
        sheets = list(
            place_known(forms, reader, range(first, first + _BATCHES_A_SEED), options.targets)
        )
    else:
        sheets = list(place_world(forms, reader, options.world, options.seed, options.targets))
    groups: dict[str, list[Placed]] = defaultdict(list)
    for sheet in sheets:
        groups[sheet.group].append(sheet)
    rows = [row(name, groups[name]) for name in sorted(groups)]
    print(format_table(COLUMNS, [*rows, row("all", sheets)]) + LEGEND)
    print("\nsheets:", dict(Counter(sheet.status for sheet in sheets)))
    return 0 if _report_failures(sheets) else 1


def _report_failures(sheets: Sequence[Placed]) -> bool:
    """Print the sheets with targets that fail, and say whether these are few enough."""
    for sheet in sheets:
        beyond = sheet.errors_mm > sheet.residuals_mm
        if beyond.any() or (sheet.errors_mm > FAR_MM).any():
            worst = int((sheet.errors_mm - sheet.residuals_mm).argmax())
            print(
                f"{sheet.name}: {int(beyond.sum())} outside their residual, worst"
                f" {sheet.errors_mm[worst]:.2f} mm, said {sheet.residuals_mm[worst]:.2f} mm;"
                f" farthest {sheet.errors_mm.max():.2f} mm"
            )
    errors = np.concatenate([sheet.errors_mm for sheet in sheets])
    residuals = np.concatenate([sheet.residuals_mm for sheet in sheets])
    silent = (errors > FAR_MM) & ~np.concatenate([sheet.has_reason for sheet in sheets])
    return not silent.any() and bool((errors > residuals).sum() <= 0.001 * len(errors))


if __name__ == "__main__":
    sys.exit(main())
