"""How long a page takes to read, beside how long it takes only to decode; and how fast ``scan`` is.

    python benchmarks/speed.py [FILES...] [-f FORM] [--forms FOLDER] [--make-300dpi [SHEETS]]

Without FILES: the sample that comes with the program, or with ``--make-300dpi`` new sheets of its
form, a grey JPEG a page, as a scanner would give them at 300 dpi.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_THREAD_LIMIT"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import pikepdf

from benchmarks.commands import ROOT, CommandError, Measured, measure_command
from benchmarks.tables import Cell, format_table
from scanner.counting.store import Store
from scanner.errors import KiemPhieuError
from scanner.forms.catalog import list_forms
from scanner.forms.sample import cast_votes, draw_sheet, read_recipe
from scanner.forms.template import Form
from scanner.reading.interpret import Reader, use_one_core
from scanner.reading.pages import close_files, count_pages, expand_paths, load_page
from scanner.reading.pdf_scan import images_of

SAMPLE = ROOT / "samples" / "so_xay_dung_2023"
FORMS = ROOT / "form_templates"
SCANNER_DPI = 300
SCANNER_QUALITY = 75
WARM_UP_PAGES = 12


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """One page, and the bytes of its image as they lie in the file."""

    path: Path
    number: int
    data: bytes


@dataclass
class PageTimes:
    """Milliseconds for one page, one figure for each repetition."""

    page: str
    pixels: tuple[int, int]
    decode: list[float] = field(default_factory=list)
    """``cv2.imdecode`` in grey at full size."""
    load: list[float] = field(default_factory=list)
    """Our decoding, as far as the reading needs it."""
    read: list[float] = field(default_factory=list)
    """From the decoded page to its marks."""
    result: str = ""

    @property
    def whole(self) -> list[float]:
        """From the file to the marks."""
        return [one + other for one, other in zip(self.load, self.read, strict=True)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print.

    Returns:
        The exit code.
    """
    options = _parse(arguments)
    use_one_core()
    output = options.output or Path(tempfile.mkdtemp(prefix="speed-"))
    output.mkdir(parents=True, exist_ok=True)
    try:
        forms = _choose_forms(options.forms, options.form)
        files = _choose_files(options, forms, output)
        times = time_pages(list(encoded_pages(files)), forms, options.repeat)
        close_files()
        ratios = _report_pages(times) if times else {}
        scans = time_scans(files, options)
    except (KiemPhieuError, CommandError) as error:
        print(error, file=sys.stderr)
        return 2
    if scans:
        ratios["scan_2_to_1"] = _report_scans(scans)
    data = {"ratios": ratios, "pages": [asdict(record) for record in times], "scans": scans}
    results = output / "speed.json"
    results.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    print(f"\n{results}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("-f", "--form", action="append", help="id of a form in the pile [all]")
    parser.add_argument("--forms", type=Path, default=FORMS, help="folder of registered forms")
    parser.add_argument(
        "--make-300dpi", nargs="?", type=int, const=38, metavar="SHEETS",
        help="draw sheets of the sample at 300 dpi and measure these [38]",
    )  # fmt: skip
    parser.add_argument("--repeat", type=int, default=3, help="times each page is read [3]")
    parser.add_argument("--repeat-scan", type=int, default=3, help="times each scan is done [3]")
    parser.add_argument("-o", "--output", type=Path, help="folder for speed.json and drawn pages")
    return parser.parse_args(arguments)


def _choose_forms(folder: Path, ids: Sequence[str] | None) -> list[Form]:
    return [form for form in list_forms(folder) if not ids or form.id in ids]


def _choose_files(options: argparse.Namespace, forms: Sequence[Form], output: Path) -> list[Path]:
    if options.make_300dpi:
        options.files.append(draw_pages(forms, options.make_300dpi, output / "pages-300dpi"))
    return expand_paths(options.files or [SAMPLE / "scan.pdf"])


def draw_pages(forms: Sequence[Form], sheets: int, folder: Path) -> Path:
    """Draw sheets of the sample's form as a scanner at 300 dpi gives them, a JPEG a page.

    Args:
        forms: Registered forms, the sample's among them.
        sheets: How many.
        folder: Where the pages go.

    Returns:
        The folder.
    """
    shipped = read_recipe(SAMPLE)
    recipe = shipped.model_copy(update={"dpi": SCANNER_DPI, "jpeg_quality": SCANNER_QUALITY})
    form = next(form for form in forms if form.id == recipe.form)
    truth = cast_votes(recipe, form)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(sheets):
        choices = truth.sheets[index % len(truth.sheets)]
        for side, page in enumerate(draw_sheet(recipe, form, choices, index), start=1):
            quality = [cv2.IMWRITE_JPEG_QUALITY, recipe.jpeg_quality]
            _done, encoded = cv2.imencode(".jpg", page, quality)
            (folder / f"sheet-{index + 1:04d}-{side}.jpg").write_bytes(encoded.tobytes())
    return folder


def encoded_pages(files: Sequence[Path]) -> Iterator[EncodedPage]:
    """The pages of files whose image can be taken out as it is; others are passed over."""
    for path in files:
        if path.suffix.casefold() == ".pdf":
            yield from _pdf_pages(path)
        elif count_pages(path) == 1:
            yield EncodedPage(path, 1, path.read_bytes())


def _pdf_pages(path: Path) -> Iterator[EncodedPage]:
    with pikepdf.open(path) as pdf:
        for number, page in enumerate(pdf.pages, start=1):
            images = list(images_of(page))
            if len(images) == 1 and images[0].get("/Filter") == "/DCTDecode":
                yield EncodedPage(path, number, bytes(images[0].read_raw_bytes()))


def time_pages(pages: Sequence[EncodedPage], forms: Sequence[Form], repeat: int) -> list[PageTimes]:
    """Decode and read each page in turn, so that both see the machine in the same mood.

    Args:
        pages: The pages.
        forms: The forms they can be of.
        repeat: How often all are done.
    """
    reader = Reader(forms)
    for page in pages[:WARM_UP_PAGES]:
        _time_page(page, reader, PageTimes("", (0, 0)))
    times = [PageTimes(f"{page.path.name}#{page.number}", (0, 0)) for page in pages]
    for _ in range(repeat):
        for page, record in zip(pages, times, strict=True):
            _time_page(page, reader, record)
    return times


def _time_page(page: EncodedPage, reader: Reader, record: PageTimes) -> None:
    start = time.perf_counter()
    full = cv2.imdecode(np.frombuffer(page.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    decoded = time.perf_counter()
    image = load_page(page.path, page.number, min_long_side_px=reader.min_long_side_px)
    loaded = time.perf_counter()
    result = reader.read(image)
    done = time.perf_counter()
    record.decode.append((decoded - start) * 1000)
    record.load.append((loaded - decoded) * 1000)
    record.read.append((done - loaded) * 1000)
    record.result = type(result).__name__
    if full is not None:
        record.pixels = (full.shape[1], full.shape[0])


def time_scans(files: Sequence[Path], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Scan the files into fresh counts with 1 and 2 processes, turn about."""
    runs: dict[int, list[tuple[Measured, int]]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory(prefix="speed-") as folder:
        for turn in range(options.repeat_scan):
            for jobs, measured in runs.items():
                count = Path(folder) / f"{jobs}-{turn}"
                chosen = [text for form in options.form or () for text in ("-f", form)]
                cost = measure_command(
                    *("scan", count, *files, "--forms", options.forms, "-j", str(jobs)), *chosen
                )
                with Store(count) as store:
                    sheets = sum(record.form is not None for record in store.sheets())
                measured.append((cost, sheets))
    return [_sum_up(jobs, measured) for jobs, measured in runs.items() if measured]


def _sum_up(jobs: int, measured: Sequence[tuple[Measured, int]]) -> dict[str, Any]:
    seconds = [cost.seconds for cost, _sheets in measured]
    peaks = [cost.peak_bytes for cost, _sheets in measured if cost.peak_bytes is not None]
    sheets = measured[0][1]
    return {
        "processes": jobs,
        "sheets": sheets,
        "seconds": seconds,
        "median_seconds": median(seconds),
        "sheets_per_second": sheets / median(seconds),
        "peak_bytes": max(peaks, default=None),
    }


def _report_pages(times: Sequence[PageTimes]) -> dict[str, float]:
    stages = {
        "decode, full size (cv2.imdecode)": [median(record.decode) for record in times],
        "our decoding": [median(record.load) for record in times],
        "reading": [median(record.read) for record in times],
        "whole page": [median(record.whole) for record in times],
    }
    base = sum(stages["decode, full size (cv2.imdecode)"])
    rows: list[list[Cell]] = [
        [name, median(values), max(values), sum(values) / 1000, sum(values) / base]
        for name, values in stages.items()
    ]
    width, height = times[0].pixels
    unread = sum(record.result != "PageReading" for record in times)
    print(f"{len(times)} pages, the first of {width} × {height} pixels; {unread} not read")
    print(format_table(("one process", "median ms", "slowest ms", "sum s", "÷ decode"), rows))
    each = [
        whole / alone
        for whole, alone in zip(stages["whole page"], next(iter(stages.values())), strict=True)
    ]
    print(f"whole page ÷ decode: {rows[-1][-1]:.2f} of the sums, {median(each):.2f} in the median")
    return {"whole_to_decode": sum(stages["whole page"]) / base, "median_of_pages": median(each)}


def _report_scans(scans: Sequence[dict[str, Any]]) -> float:
    rows: list[list[Cell]] = [
        [
            f"scan -j {scan['processes']}",
            scan["sheets"],
            float(scan["median_seconds"]),
            float(scan["sheets_per_second"]),
            "?" if scan["peak_bytes"] is None else round(scan["peak_bytes"] / 1e6),
        ]
        for scan in scans
    ]
    names = ("command", "sheets", "median s", "sheets/s", "largest process MB")
    print()
    print(format_table(names, rows))
    ratio = float(scans[0]["median_seconds"] / scans[-1]["median_seconds"])
    print(f"2 processes are {ratio:.2f} times as fast as one")
    return ratio


if __name__ == "__main__":
    sys.exit(main())
