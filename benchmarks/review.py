"""How quick the review page is at a large count: the queue, one decision, the wall.

    python benchmarks/review.py [--sheets N] [--doubts N] [--decisions N] [-o FOLDER]

The count is made of rows, not scanned; the pictures of its sheets are real: drawn as an office
scanner gives them, each page of a doubt decoded anew. What is measured is asked of the real server
over HTTP, by one person who works through the queue as the page does.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import httpx2 as httpx

from benchmarks.commands import ROOT
from benchmarks.tables import Cell, format_table
from scanner.ballot import PageReading, TargetMeasures
from scanner.counting.adjudication import SheetRecord
from scanner.counting.kept_forms import keep_forms, load_kept_forms
from scanner.counting.people import Role
from scanner.counting.queue import Queue
from scanner.counting.records import BatchRequest, PageResult, PlannedPage, ScannedFile
from scanner.counting.store import Store
from scanner.forms.sample import Recipe, draw_sheet, pack_scans
from scanner.forms.template import Form
from scanner.geometry import MM_PER_INCH
from scanner.reading.decide import decide_contest, decide_target
from scanner.settings import Settings

FORMS = ROOT / "form_templates"
FORM = "tth5_phuong"
DPI = 200
PICTURES = 120
"""Different sheets that are drawn; the pages of the count show them in turn."""
PAGES_AT_ONCE = 2000
PERSON, PIN = "Nguyễn Thị Lan", "246810"
SCREENS = 12
"""Times that a page is asked for."""
LIMITS_MS = {"queue page": 300.0, "decision": 100.0, "wall page": 1000.0}
LOAD_LIMIT_S = 2.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Timing:
    """What was measured of one kind of request, in milliseconds."""

    what: str
    times_ms: list[float]
    limit_ms: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the median is below the limit."""
        return self.limit_ms is None or median(self.times_ms) < self.limit_ms


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print.

    Returns:
        The exit code: 1 if something is slower than its limit.
    """
    options = _parse(arguments)
    output = options.output or Path(tempfile.mkdtemp(prefix="review-"))
    output.mkdir(parents=True, exist_ok=True)
    count = output / "count"
    if not count.exists():
        make_count(count, options.sheets, options.doubts, options.seed)
    load_s = time_load(count, options.doubts)
    print(f"{options.sheets} sheets, {options.doubts} doubts")
    print(f"queue loaded in {load_s:.2f} s (limit {LOAD_LIMIT_S:.0f} s)")
    with serve(count) as address, Clerk(address) as clerk:
        timings = measure(clerk, options.decisions)
    _report(timings)
    data = {"load_s": load_s, "timings": [asdict(timing) for timing in timings]}
    results = output / "review.json"
    results.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    print(f"\n{results}")
    return int(load_s >= LOAD_LIMIT_S or not all(timing.holds for timing in timings))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sheets", type=int, default=50_000, help="sheets of the count [50000]")
    parser.add_argument("--doubts", type=int, default=2_000, help="doubts, one a sheet [2000]")
    parser.add_argument("--decisions", type=int, default=150, help="decisions measured [150]")
    parser.add_argument("--seed", type=int, default=1, help="chance of the marks [1]")
    text = "folder for review.json and the count; a count that is there is used"
    parser.add_argument("-o", "--output", type=Path, help=text)
    return parser.parse_args(arguments)


# --- the count --------------------------------------------------------------------------------


def make_count(folder: Path, sheets: int, doubts: int, seed: int) -> None:
    """A count of so many sheets of one page, of which so many have one doubt.

    Args:
        folder: Where it goes.
        sheets: How many.
        doubts: How many of them, spread evenly, have an unclear mark.
        seed: Chance of who marks what.
    """
    rng = random.Random(seed)
    settings = Settings()
    with Store(folder, create=True) as store:
        (form,) = keep_forms(store, FORMS, [FORM])
        choices = [_choose(form, rng) for _picture in range(min(PICTURES, sheets))]
        _draw(folder / "images" / "a.pdf", form, choices, seed)
        batch = store.begin_batch(BatchRequest(files=("a.pdf",)), settings.model_dump_json())
        store.add_file(ScannedFile(batch.id, 0, "a", "a.pdf", "a.pdf", len(choices)))
        (file,) = store.files(batch.id)
        store.plan_pages(
            batch.id,
            (PlannedPage(n, file.id, n % len(choices) + 1, 1) for n in range(sheets)),
        )
        every = sheets // doubts
        records = []
        done = -1
        while waiting := store.pages_to_read(batch.id, after=done, limit=PAGES_AT_ONCE):
            results = []
            for source in waiting:
                is_doubtful = source.position % every == 0
                chosen = choices[source.position % len(choices)]
                reading = _read(form, chosen, settings, rng, is_doubtful=is_doubtful)
                results.append(PageResult(source.page, f"{source.position}", reading))
                records.append(
                    (_record(form, source.position + 1, batch.id, reading), [source.page], ())
                )
            store.save_results(results)
            done = waiting[-1].position
        store.finish_batch(batch.id, records)
        store.add_person(PERSON, PIN, Role.COMMITTEE, PERSON)


def _choose(form: Form, rng: random.Random) -> dict[str, tuple[str, ...]]:
    return {one.id: (rng.choice(one.options).id,) for one in form.contests}


def _draw(path: Path, form: Form, choices: Sequence[dict[str, tuple[str, ...]]], seed: int) -> None:
    recipe = Recipe(form=form.id, sheets=len(choices), seed=seed, dpi=DPI, tally={})
    pages = []
    for index, chosen in enumerate(choices):
        (page,) = draw_sheet(recipe, form, chosen, index)
        _done, data = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, recipe.jpeg_quality])
        pages.append(data.tobytes())
    pack_scans(path, pages, dpi=DPI)


def _read(
    form: Form,
    chosen: dict[str, tuple[str, ...]],
    settings: Settings,
    rng: random.Random,
    *,
    is_doubtful: bool,
) -> PageReading:
    mm = MM_PER_INCH / DPI
    targets = []
    for place, (contest, option) in enumerate(form.targets_on(1)):
        is_marked = option.id in chosen[contest.id]
        inside = rng.uniform(0.3, 0.6) if is_marked else rng.uniform(0.0, 0.01)
        if is_doubtful and place == 0:
            inside = 0.11
        measures = TargetMeasures(inside, 0.55 * inside, 0.0, 0.0, 0.0, 3.0, 0.0, 0.1, 0.95)
        targets.append(
            decide_target(contest.id, option.id, measures, covered=True, settings=settings,
                          shape=option.shape)
        )  # fmt: skip
    lies = (mm, 0.0, 0.0, 0.0, mm, 0.0, 0.0, 0.0, 1.0)
    return PageReading(form.id, form.content_hash, 1, 0, lies, tuple(targets))


def _record(form: Form, sheet: int, batch: int, reading: PageReading) -> SheetRecord:
    contests = tuple(
        decide_contest(one, [t for t in reading.targets if t.contest == one.id], form.rule)
        for one in form.contests
    )
    return SheetRecord(sheet, batch, form.id, (), contests)


# --- what is measured -------------------------------------------------------------------------


def time_load(count: Path, doubts: int) -> float:
    """Seconds that the queue takes to be loaded; it holds as many doubts as were made."""
    with Store(count) as store:
        forms = load_kept_forms(store)
        start = time.perf_counter()
        queue = Queue.load(store, forms)
        seconds = time.perf_counter() - start
        waiting = sum(len(queue.on_sheet(sheet)) for sheet in store.suspects(forms))
    if waiting < doubts:
        raise SystemExit(f"{waiting} doubts instead of {doubts}")
    return seconds


@contextmanager
def serve(count: Path) -> Iterator[str]:
    """The program's own server; gives the address that lets a browser in."""
    command = [sys.executable, str(ROOT / "cli.py"), "review", str(count)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "KIEMPHIEU_LANG": "en"}
    with subprocess.Popen(
        [*command, "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                found = re.search(r"http://\S+/enter/\S+", line)
                if found is not None:
                    yield found[0]
                    break
        finally:
            process.terminate()


class Clerk:
    """A person at the page, by the requests that the page sends.

    Args:
        address: That lets a browser in.
    """

    def __init__(self, address: str) -> None:
        base, _enter, _token = address.partition("/enter/")
        self._http = httpx.Client(base_url=base, headers={"Origin": base}, timeout=60.0)
        self._http.get(address)
        fields = {"csrf": self._csrf(self.page("/sign-in")), "name": PERSON, "pin": PIN}
        self._http.post("/sign-in", data=fields)
        self._token = self._csrf(self.page("/desk"))

    def __enter__(self) -> Clerk:
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def page(self, path: str) -> str:
        """A page as a browser asks for it."""
        answer = self._http.get(path, headers={"Accept": "text/html"})
        answer.raise_for_status()
        return answer.text

    def picture(self, path: str) -> None:
        """A picture of a page."""
        self._http.get(path).raise_for_status()

    def begin(self) -> str:
        """The address of the first doubt."""
        return str(self._http.get("/desk/next").headers["location"])

    def part(self, address: str) -> dict[str, Any]:
        """A doubt as the page asks for it beforehand."""
        answer = self._http.get(address.replace("/desk/", "/desk-part/", 1))
        answer.raise_for_status()
        return dict(answer.json())

    def decide(self, address: str, html: str) -> str:
        """Decide on it; gives the address of the next."""
        sheet, contest = re.findall(r'data-(?:sheet|contest)="([^"]*)"', html)[:2]
        crop = re.findall(r'data-crop="([^"]*)"', html)[0]
        (option,) = re.findall(r'class="option" data-option="([^"]*)"', html)[:1]
        body = {"sheet": int(sheet), "contest": contest, "verdict": "options", "known": 0}
        answer = self._http.post(
            "/desk/decide",
            json=body | {"options": [option], "crop": crop},
            headers={"X-CSRF-Token": self._token},
        )
        answer.raise_for_status()
        if not answer.json()["saved"]:
            raise SystemExit(f"{address}: {answer.text}")
        return str(answer.json()["next"])

    @staticmethod
    def _csrf(page: str) -> str:
        return page.partition('<meta name="csrf" content="')[2].partition('"')[0]


def measure(clerk: Clerk, decisions: int) -> list[Timing]:
    """Ask for everything a few times.

    Args:
        clerk: Who asks.
        decisions: How many doubts are decided.
    """
    queue = _time(lambda: clerk.page("/desk"), SCREENS)
    filtered = _time(lambda: clerk.page(f"/desk?question={FORM}/q1"), SCREENS)
    parts, pictures, saves = [], [], []
    address = clerk.begin()
    for _number in range(decisions):
        part, part_ms = _timed(partial(clerk.part, address))
        parts.append(part_ms)
        pictures += [_timed(partial(clerk.picture, url))[1] for url in part["pictures"]]
        address, save_ms = _timed(partial(clerk.decide, address, part["html"]))
        saves.append(save_ms)
    walls = [one for state in ("marked", "unmarked") for one in _time_wall(clerk, state)]
    return [
        Timing("queue page", queue, LIMITS_MS["queue page"]),
        Timing("queue page, one question", filtered, LIMITS_MS["queue page"]),
        Timing("decision", saves, LIMITS_MS["decision"]),
        Timing("next doubt, beforehand", parts),
        Timing("its pictures, each", pictures),
        Timing("wall page", walls, LIMITS_MS["wall page"]),
        Timing("start page", _time(lambda: clerk.page("/"), SCREENS)),
    ]


def _time_wall(clerk: Clerk, state: str) -> Iterator[float]:
    """Milliseconds of a page and the picture of its crops, screen after screen."""
    address = f"/wall?state={state}"
    for _screen in range(SCREENS):
        start = time.perf_counter()
        page = clerk.page(address)
        sprites = re.findall(r'href="(/wall/sprite[^"]*)"', page)
        if not sprites:
            raise SystemExit("the wall has no crops")
        clerk.picture(sprites[0].replace("&amp;", "&"))
        yield 1000 * (time.perf_counter() - start)
        (data,) = re.findall(r'id="wall-data">(.*?)</script>', page, re.DOTALL)
        address = json.loads(data)["next"]


def _time(work: Callable[[], object], times: int) -> list[float]:
    """Milliseconds of each time but the first, which finds everything cold."""
    return [_timed(work)[1] for _time in range(times + 1)][1:]


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.perf_counter()
    result = work()
    return result, 1000 * (time.perf_counter() - start)


def _report(timings: Sequence[Timing]) -> None:
    rows: list[list[Cell]] = [
        [
            timing.what,
            len(timing.times_ms),
            median(timing.times_ms),
            quantiles(timing.times_ms, n=20)[-1],
            max(timing.times_ms),
            "" if timing.limit_ms is None else f"{timing.limit_ms:.0f}",
            "" if timing.limit_ms is None else "yes" if timing.holds else "NO",
        ]
        for timing in timings
    ]
    names = ("ms", "times", "median", "19 of 20", "slowest", "limit", "holds")
    print(format_table(names, rows))


if __name__ == "__main__":
    sys.exit(main())
