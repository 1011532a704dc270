"""Papers scanned twice: how many are found, and how near other voters' papers come.

Draws voters who all chose the same, scans some of their papers a second time with another scanner
at another resolution, often turned, and compares all with all:

    python benchmarks/same_paper.py --papers 600 --twice 150
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.ballot import PageReading
from scanner.counting.same_paper import InkedPage, Inks, find_same_paper, limits_for, read_marks
from scanner.forms.catalog import find_form
from scanner.reading.evidence import Evidence
from scanner.reading.interpret import Reader, use_one_core
from scanner.reading.pages import PageImage
from tests.world.canvas import chance
from tests.world.habits import meet_voter
from tests.world.rescans import choose_votes, fill_paper, scan_paper
from tests.world.scanners import Placing, Scanner
from tests.world.sheets import World, plan_batch

FORMS = Path(__file__).parents[1] / "form_templates"
FEWEST_PAIRS = 100
ENOUGH_PAIRS = 5000
"""Fewer say nothing of one in a thousand."""
AS_IN_FULL = 10_000
"""Sheets of the count for which the number of false alarms is reckoned."""


@cache
def _reader(form_id: str) -> Reader:
    use_one_core()
    return Reader([find_form(FORMS, form_id)])


def read_paper(seed: int, *, form_id: str, world: str, one_voter: bool, again: bool) -> str | None:
    """The ink of one paper as one of its scans shows it; None where the scan is not read."""
    form = find_form(FORMS, form_id)
    page = form.pages[0]
    voter = meet_voter(1 if one_voter else seed, hard=False)
    canvas = fill_paper(form, page, voter, choose_votes(form, page, 1), seed)
    number = 2 * seed + int(again)
    data, _suffix = scan_paper(
        page, canvas, _scanner(world, number), _placing(world, number), number
    )
    gray = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    image = np.asarray(gray, np.uint8)
    reading = _reader(form_id).read(PageImage(image, 1, (image.shape[1], image.shape[0]), ""))
    return str(reading.evidence[Evidence.ADDED_INK]) if isinstance(reading, PageReading) else None


def _scanner(world: str, number: int) -> Scanner:
    kind: World = "hard" if world == "hard" else "conforming"
    return plan_batch(kind, [find_form(FORMS, "tth5_phuong")], number).scanner


def _placing(world: str, number: int) -> Placing:
    rng = chance(number, "same paper")
    most = 1.0 if world == "hard" else 0.2
    placing = {name: most * float(rng.beta(1, 2)) for name in ("skew", "shift", "stretch")}
    placing["size"] = 0.3 * most * float(rng.random())
    return placing | ({"upside down": 1.0} if number % 2 and rng.random() < 0.5 else {})


def _all_scores(inks: list[str]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.intp]]]:
    """Score and number of common marks of every pair."""
    compared = Inks([read_marks(ink) for ink in inks])
    for one in range(1, len(inks)):
        yield compared.compare(np.full(one, one), np.arange(one))


def report(firsts: list[str], pairs: list[tuple[str, str]]) -> None:
    """Print how the scores of strangers and of one paper lie, by the marks in common."""
    scores, common = (np.concatenate(part) for part in zip(*_all_scores(firsts), strict=True))
    limits = limits_for(common)
    own = [next(_all_scores(list(pair))) for pair in pairs]
    own_scores, own_common = (np.concatenate(part) for part in zip(*own, strict=True))
    is_found = own_scores >= limits_for(own_common)
    header = ("marks", "strangers", "99 %", "99.9 %", "highest", "limit", "to expect")
    print(_row(*header, "twice", "lowest", "median", "found"))
    for marks in range(int(max(common.max(), own_common.max())) + 1):
        of, at = scores[common == marks], own_common == marks
        if of.size < FEWEST_PAIRS and not at.any():
            continue
        limit = float(limits_for(np.array([marks]))[0])
        strangers: list[float | str] = [""] * 4
        if of.size >= FEWEST_PAIRS:
            strangers = [*np.percentile(of, [99, 99.9]), of.max(), limit]
        expected = f"{to_expect(of, limit):.1g}" if of.size >= ENOUGH_PAIRS else ""
        twice: list[float | str] = [""] * 4
        if at.any():
            mine = own_scores[at]
            twice = [f"{mine.size}", mine.min(), float(np.median(mine)), f"{is_found[at].sum()}"]
        print(_row(f"{marks}", f"{of.size}", *strangers, expected, *twice))
    print(f"found {np.count_nonzero(is_found)} of {len(pairs)} papers scanned twice")
    alarms = np.count_nonzero(scores >= limits)
    print(f"false alarms: {alarms} in {np.count_nonzero(np.isfinite(limits))} pairs of strangers")
    print(f"to expect: false alarms among {AS_IN_FULL} papers that have all so many marks alike")


def _row(*cells: str | float) -> str:
    texts = (cell if isinstance(cell, str) else f"{cell:.1f}" for cell in cells)
    return " ".join(f"{text:>9}" for text in texts)


def to_expect(scores: NDArray[np.float64], limit: float) -> float:
    """False alarms to expect in a full count, by how the scores of strangers fall off.

    The highest thousandth is taken to fall off exponentially (Pickands, 1975), which is on the
    safe side where it falls off faster.
    """
    edge = float(np.percentile(scores, 99.9))
    beyond = scores[scores > edge] - edge
    if not np.isfinite(limit) or not beyond.size:
        return 0.0
    pairs = AS_IN_FULL * (AS_IN_FULL - 1) / 2
    return pairs * 0.001 * float(np.exp((edge - limit) / beyond.mean()))


def main() -> None:
    """Draw, read, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--papers", type=int, default=300)
    parser.add_argument("--twice", type=int, default=100)
    parser.add_argument("--form", default="tth5_phuong")
    parser.add_argument("--world", choices=["conforming", "hard"], default="conforming")
    parser.add_argument("--one-voter", action="store_true", help="one person fills in all papers")
    parser.add_argument("--seed", type=int, default=1_000_000)
    parser.add_argument("-j", "--jobs", type=int, default=1)
    args = parser.parse_args()
    read = partial(read_paper, form_id=args.form, world=args.world, one_voter=args.one_voter)
    seeds = range(args.seed, args.seed + args.papers)
    with ProcessPoolExecutor(args.jobs) as pool:
        firsts = list(pool.map(partial(read, again=False), seeds, chunksize=8))
        seconds = list(pool.map(partial(read, again=True), seeds[: args.twice], chunksize=8))
    pairs = [
        (a, b) for a, b in zip(firsts, seconds, strict=False) if a is not None and b is not None
    ]
    known = [ink for ink in firsts if ink is not None]
    print(f"{len(known)} papers of {args.form} read, {len(pairs)} of them twice")
    report(known, pairs)
    pages = [InkedPage(n, args.form, 1, str(n), ink) for n, ink in enumerate(known)]
    pages += [
        InkedPage(len(known) + n, args.form, 1, f"again {n}", b) for n, (_, b) in enumerate(pairs)
    ]
    started = time.perf_counter()
    count = len(find_same_paper(pages))
    print(f"{count} pairs named among {len(pages)} pages in {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
