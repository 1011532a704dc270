"""The peak memory of a scan, for more and more pages in one count.

    python benchmarks/memory.py [--pages 100 1000] [--long] [-j 1]

``--long`` adds 10,000 pages. The pages are sheets of the sample's form, drawn a few times and then
written again and again with another number in a corner, so that no two files are the same.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pikepdf

from benchmarks.commands import ROOT, CommandError, Measured, measure_command
from benchmarks.tables import Cell, format_table
from scanner.counting.store import Store
from scanner.forms.sample import pack_scans
from scanner.reading.pdf_scan import images_of

SAMPLE = ROOT / "samples" / "so_xay_dung_2023" / "scan.pdf"
FORMS = ROOT / "form_templates"
SHORT = (100, 1000)
LONG = 10_000
PAGES_A_FILE = 100
_JPEG_START = b"\xff\xd8"
_COMMENT = b"\xff\xfe"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", nargs="+", type=int, default=list(SHORT))
    parser.add_argument("--long", action="store_true", help=f"also {LONG} pages")
    parser.add_argument("-j", "--jobs", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, help="folder for memory.json")
    options = parser.parse_args(arguments)
    output = options.output or Path(tempfile.mkdtemp(prefix="memory-"))
    output.mkdir(parents=True, exist_ok=True)
    jpegs = sample_jpegs()
    runs = []
    try:
        for pages in [*options.pages, *([LONG] if options.long else [])]:
            print(f"{pages} pages ...", file=sys.stderr, flush=True)
            runs.append(measure_scan(jpegs, pages, options.jobs))
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    rows: list[list[Cell]] = [
        [str(run["pages"]), run["sheets"], run["seconds"], run["megabytes"] or "?"] for run in runs
    ]
    print(format_table(("pages", "sheets", "s", "largest process MB"), rows))
    results = output / "memory.json"
    results.write_text(json.dumps(runs, indent=2) + "\n", encoding="utf-8")
    print(f"\n{results}")
    return 0


def sample_jpegs() -> list[bytes]:
    """The scans inside the sample that comes with the program."""
    with pikepdf.open(SAMPLE) as pdf:
        return [bytes(image.read_raw_bytes()) for page in pdf.pages for image in images_of(page)]


def write_piles(jpegs: Sequence[bytes], pages: int, folder: Path) -> list[Path]:
    """Write so many pages, no two of them the same, in files of a hundred.

    Args:
        jpegs: The pages to write again and again, in their order.
        pages: How many to write.
        folder: Where the files go.
    """
    paths = []
    for first in range(0, pages, PAGES_A_FILE):
        numbers = range(first, min(first + PAGES_A_FILE, pages))
        path = folder / f"pile-{first // PAGES_A_FILE + 1:04d}.pdf"
        pack_scans(path, [number_jpeg(jpegs[n % len(jpegs)], n) for n in numbers], dpi=200)
        paths.append(path)
    return paths


def number_jpeg(data: bytes, number: int) -> bytes:
    """The same picture in other bytes: with its number in a comment (JPEG, ISO 10918-1, B.2.4.5).

    Raises:
        ValueError: It is no JPEG.
    """
    if not data.startswith(_JPEG_START):
        raise ValueError("This is no JPEG.")
    text = f"page {number}".encode()
    segment = _COMMENT + (len(text) + 2).to_bytes(2, "big") + text
    return data[:2] + segment + data[2:]


def measure_scan(jpegs: Sequence[bytes], pages: int, jobs: int) -> dict[str, Any]:
    """Scan so many pages into a fresh count.

    Raises:
        CommandError: The scan failed, or read another number of pages.
    """
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        piles = Path(folder) / "piles"
        piles.mkdir()
        write_piles(jpegs, pages, piles)
        count = Path(folder) / "count"
        cost: Measured = measure_command("scan", count, piles, "--forms", FORMS, "-j", str(jobs))
        with Store(count) as store:
            read = sum(store.count_pages(batch.id)[1] for batch in store.batches())
            sheets = sum(1 for _record in store.sheets())
    if read != pages:
        raise CommandError(f"{pages} pages were given and {read} read")
    return {
        "pages": pages,
        "sheets": sheets,
        "seconds": cost.seconds,
        "megabytes": None if cost.peak_bytes is None else round(cost.peak_bytes / 1e6),
    }


if __name__ == "__main__":
    sys.exit(main())
