"""Reads clean sheets that were damaged by somebody else's program.

    python benchmarks/foreign_damage.py [--sheets N] [--effects NAME...] [--seed S]
        [--cache FOLDER] [-o FOLDER]

Exit code 1 when a target was read wrongly and nobody would have been asked, 2 when the program
that damages the sheets cannot be had, else 0.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np

from benchmarks.commands import ROOT
from benchmarks.environments import NotThereError, prepare_python
from benchmarks.sheet_record import SheetRecord
from benchmarks.tables import format_table
from benchmarks.trial import judge, save_crop
from scanner.forms.catalog import list_forms
from scanner.forms.template import Form
from scanner.reading.interpret import Reader, use_one_core
from scanner.reading.pages import close_files, load_page
from tests.world.scanners import Scanner
from tests.world.sheets import DrawnSheet, draw_sheet, plan_batch

PACKAGE = "augraphy==8.2.6"
EFFECTS = (
    *("BadPhotoCopy", "BindingsAndFasteners", "BleedThrough", "Brightness", "BrightnessTexturize"),
    *("ColorPaper", "ColorShift", "DelaunayTessellation", "DirtyRollers", "DirtyScreen"),
    *("Dithering", "DoubleExposure", "Faxify", "Folding", "Gamma", "InkBleed", "InkMottling"),
    *("InkShifter", "Jpeg", "Letterpress", "LightingGradient", "LinesDegradation"),
    *("LowInkPeriodicLines", "LowInkRandomLines", "LowLightNoise", "Moire", "NoiseTexturize"),
    *("NoisyLines", "PageBorder", "SectionShift", "ShadowCast", "Stains", "SubtleNoise"),
    *("VoronoiTessellation", "WaterMark"),
)
"""Those that leave a sheet readable to a person. Left out are those that erase or hide places of
the page (DirtyDrum, Hollow, ReflectedLight, Squish), that leave no letter (DotMatrix), that make a
book of it (BookBinding) and that draw strokes as a pen does (Markup, Scribbles)."""
COLUMNS = (
    *("effect", "sheets", "positions", "SILENT", "caught", "doubts", "asked", "refused"),
    "wrong form",
)
_DRIVER = Path(__file__).with_name("augraphy_driver.py")
_BATCHES_A_SEED = 10_000_000
_RESOLUTIONS = (200, 300)
_SHOWN_PX = 700


@dataclass(frozen=True, slots=True)
class Task:
    """One sheet, and what is done to it."""

    effect: str
    sheet: DrawnSheet
    clean: Path
    out: Path

    def damaged(self) -> DrawnSheet | None:
        """The sheet with its other picture; None where the effect failed."""
        if not self.out.is_file():
            return None
        return replace(self.sheet, data=self.out.read_bytes(), suffix=self.out.suffix)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, damage and read the sheets, and print what came out.

    Returns:
        The exit code.
    """
    options = _parse(arguments)
    use_one_core()
    cache: Path = options.cache or Path(tempfile.mkdtemp(prefix="foreign-"))
    output: Path = options.output or Path(tempfile.mkdtemp(prefix="foreign-"))
    output.mkdir(parents=True, exist_ok=True)
    forms = list_forms(options.forms)
    try:
        python = prepare_python(cache, PACKAGE)
    except NotThereError as reason:
        print(reason, file=sys.stderr)
        return 2
    reader = Reader(forms)
    rows: list[list[Any]] = []
    with tempfile.TemporaryDirectory(prefix="foreign-") as folder:
        drawn = _draw(forms, options, Path(folder))
        _damage(python, drawn, Path(folder))
        for effect in options.effects:
            damaged = [task.damaged() for task in drawn if task.effect == effect]
            records = [_read(reader, one, output, effect) for one in damaged if one is not None]
            rows.append(_row(effect, records))
    rows.append(["all", *(sum(row[place] for row in rows) for place in range(1, len(COLUMNS)))])
    print(format_table(COLUMNS, rows))
    path = output / f"foreign-{options.seed}.json"
    table = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    path.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    print(f"\n{path}")
    return int(bool(rows[-1][3]))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sheets", type=int, default=12, help="of each effect [12]")
    parser.add_argument("--effects", nargs="+", default=EFFECTS, metavar="NAME")
    parser.add_argument("--seed", type=int, default=1, help="two seeds share no sheet [1]")
    parser.add_argument("--forms", type=Path, default=ROOT / "form_templates")
    parser.add_argument("--cache", type=Path, help="folder in which the other program is kept")
    parser.add_argument("-o", "--output", type=Path, help="folder for figures and pictures")
    return parser.parse_args(arguments)


def _draw(forms: Sequence[Form], options: argparse.Namespace, folder: Path) -> list[Task]:
    """Conforming sheets from a scanner without a flaw, each of another batch."""
    tasks = []
    for place in range(options.sheets * len(options.effects)):
        seed = options.seed * _BATCHES_A_SEED + place
        dpi = _RESOLUTIONS[place % len(_RESOLUTIONS)]
        batch = plan_batch("conforming", forms, seed)
        scanner = Scanner(f"grey {dpi}", dpi, "grey", quality=95)
        sheet = draw_sheet(replace(batch, scanner=scanner, photocopy=0.0), seed)
        clean = folder / f"{place}{sheet.suffix}"
        clean.write_bytes(sheet.data)
        effect = options.effects[place // options.sheets]
        tasks.append(Task(effect, sheet, clean, folder / f"{place}-damaged.jpg"))
    return tasks


def _damage(python: Path, tasks: Sequence[Task], folder: Path) -> None:
    """Each sheet gets its effect; where that fails there is no damaged file."""
    job = folder / "job.json"
    listed = [
        {
            "file": str(task.clean),
            "out": str(task.out),
            "effect": task.effect,
            "seed": task.sheet.seed,
        }
        for task in tasks
    ]
    job.write_text(json.dumps(listed), encoding="utf-8")
    subprocess.run([str(python), str(_DRIVER), str(job)], check=True)


def _read(reader: Reader, sheet: DrawnSheet, output: Path, effect: str) -> SheetRecord:
    with tempfile.TemporaryDirectory(prefix="foreign-") as folder:
        path = Path(folder) / f"{sheet.seed}{sheet.suffix}"
        path.write_bytes(sheet.data)
        result = reader.read(load_page(path, 1, min_long_side_px=reader.min_long_side_px))
        close_files()
    record = judge(sheet, result, (0.0, 0.0))
    for error in record.silent:
        save_crop(sheet, error, output / "silent" / effect)
    if record.status != "read":
        _show(sheet, output / record.status.replace(" ", "-") / f"{effect}-{sheet.seed}.jpg")
    _show(sheet, output / "effects" / f"{effect}.jpg")
    return record


def _show(sheet: DrawnSheet, path: Path) -> None:
    """The whole sheet, small."""
    picture = cv2.imdecode(np.frombuffer(sheet.data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    zoom = _SHOWN_PX / picture.shape[0]
    small = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    path.write_bytes(cv2.imencode(".jpg", small)[1].tobytes())


def _row(effect: str, records: Sequence[SheetRecord]) -> list[Any]:
    return [
        effect,
        len(records),
        sum(record.read for record in records),
        sum(len(record.silent) for record in records),
        sum(record.caught for record in records),
        sum(record.doubts for record in records),
        sum(record.asked for record in records),
        sum(record.status == "refused" for record in records),
        sum(record.status == "wrong form" for record in records),
    ]


if __name__ == "__main__":
    sys.exit(main())
