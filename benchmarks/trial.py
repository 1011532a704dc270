"""Sheets of the known world, drawn and read; what of them was read wrongly or asked about."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.batch_evidence import JUDGED_TWICE, Result, settle_batch
from benchmarks.reliability import BINS
from benchmarks.sheet_record import SheetRecord
from scanner.ballot import MarkState, PageReading, Reason, TargetReading, UnreadablePage
from scanner.forms.catalog import list_forms
from scanner.forms.template import Form
from scanner.reading.decide import decide_contest, needs_review
from scanner.reading.interpret import Reader, use_one_core
from scanner.reading.pages import close_files, load_page
from tests.world.habits import TargetTruth
from tests.world.sheets import SHEETS_A_BATCH, DrawnSheet, World, draw_sheet, plan_batch

_NOT_READ = frozenset({Reason.PRINT_MISMATCH, Reason.MISALIGNED, Reason.OUTSIDE_SCAN})
"""Where the print is not the form's, or lies elsewhere, no probability is claimed: nothing is read;
nor on a page that may be of another form."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_AROUND_MM = 16.0
_CROP_PX_PER_MM = 14.0


class Trial:
    """Draws and reads batches; one for each process.

    Args:
        world: Which world.
        forms: Folder of registered forms, all of which may lie in the pile.
        crops: Where pictures of silent errors go.
        doubts: Where pictures of clear targets in doubt go, if they are wanted.
    """

    def __init__(self, world: World, forms: Path, crops: Path, doubts: Path | None) -> None:
        use_one_core()
        self._world = world
        self._forms = list_forms(forms)
        self._reader = Reader(self._forms)
        self._crops = crops
        self._doubts = doubts

    def run_batch(self, number: int) -> list[SheetRecord]:
        """Draw and read the sheets of one batch."""
        batch = plan_batch(self._world, self._forms, number)
        records = []
        read: list[tuple[DrawnSheet, Result]] = []
        with tempfile.TemporaryDirectory(prefix="trial-") as folder:
            for place in range(SHEETS_A_BATCH):
                started = time.perf_counter()
                sheet = draw_sheet(batch, number * SHEETS_A_BATCH + place)
                path = Path(folder) / f"{place}{sheet.suffix}"
                path.write_bytes(sheet.data)
                drawn = time.perf_counter()
                image = load_page(path, 1, min_long_side_px=self._reader.min_long_side_px)
                result = self._reader.read(image)
                done = time.perf_counter()
                record = judge(sheet, result, (drawn - started, done - drawn))
                for error in record.silent:
                    save_crop(sheet, error, self._crops)
                if self._doubts is not None and isinstance(result, PageReading):
                    for doubt in doubts_about(sheet, result):
                        save_crop(sheet, doubt, self._doubts)
                records.append(record)
                read.append((sheet, result))
            close_files()
        return self._judge_again(records, read)

    def _judge_again(
        self, records: Sequence[SheetRecord], read: Sequence[tuple[DrawnSheet, Result]]
    ) -> list[SheetRecord]:
        """The records of a batch with what comes out where it settles doubts."""
        settled = settle_batch([result for _sheet, result in read], self._forms)
        again = []
        for record, (sheet, _result), result in zip(records, read, settled, strict=True):
            judged = judge(sheet, result, record.seconds)
            for error in judged.silent:
                save_crop(sheet, error, self._crops)
            by_batch = {name: getattr(judged, name) for name in JUDGED_TWICE}
            again.append(replace(record, by_batch=by_batch))
        return again


def batch_size(world: World, forms: Sequence[Form], number: int) -> int:
    """How many targets the sheets of a batch have."""
    batch = plan_batch(world, forms, number)
    return SHEETS_A_BATCH * len(batch.form.targets_on(batch.page.number))


def judge(
    sheet: DrawnSheet, result: PageReading | UnreadablePage, seconds: tuple[float, float]
) -> SheetRecord:
    """Compare what was read on a sheet with what is true of it."""
    clear = [truth for truth in sheet.truths if truth.clear]
    known: dict[str, Any] = {
        "seed": sheet.seed,
        "form": sheet.batch.form.id,
        "page": sheet.batch.page.number,
        "habit": sheet.voter.habit,
        "pen": sheet.voter.hand.name,
        "paper": sorted([*sheet.paper, *(["photocopy"] if sheet.batch.photocopy else [])]),
        "placing": sorted(sheet.placing),
        "scanner": sheet.batch.scanner.name,
        "positions": len(sheet.truths),
        "clear": len(clear),
        "marked": sum(truth.marked for truth in clear),
        "must_ask": len(clear) < len(sheet.truths) or _is_spoilt(sheet),
        "seconds": (round(seconds[0], 3), round(seconds[1], 3)),
    }
    if isinstance(result, UnreadablePage):
        return SheetRecord(status="refused", asked=True, reasons=[str(result.reason)], **known)
    reasons = [str(reason) for reason in result.reasons]
    if (result.form, result.page) != (sheet.batch.form.id, sheet.batch.page.number):
        return SheetRecord(status="wrong form", asked=bool(reasons), reasons=reasons, **known)
    return _compare(sheet, result, known)


def _is_spoilt(sheet: DrawnSheet) -> bool:
    """Whether more options of a question are meant than may be, or all names are struck out."""
    marked = Counter(truth.contest for truth in sheet.truths if truth.marked)
    here = Counter(truth.contest for truth in sheet.truths)
    for contest in sheet.batch.form.contests:
        meant = here[contest.id] * contest.is_struck - marked[contest.id]
        if abs(meant) > contest.max or (contest.is_struck and here[contest.id] and not meant):
            return True
    return False


def _compare(sheet: DrawnSheet, reading: PageReading, known: dict[str, Any]) -> SheetRecord:
    asked, reasons = asked_contests(sheet.batch.form, reading)
    record = SheetRecord(
        status="read",
        asked=bool(reading.reasons) or bool(asked),
        reasons=[str(reason) for reason in dict.fromkeys([*reading.reasons, *reasons])],
        read=known["clear"],
        **known,
    )
    counts: Counter[str] = Counter()
    for truth, target in zip(sheet.truths, reading.targets, strict=True):
        is_asked = bool(reading.reasons) or truth.contest in asked
        if not truth.clear:
            counts["unclear_asked"] += is_asked
            continue
        if _NOT_READ.isdisjoint(target.reasons) and not reading.reasons:
            bins = record.asked_bins if is_asked else record.bins
            _count_in_bins(bins, target.probability, marked=truth.marked)
        if target.state is MarkState.DOUBTFUL:
            counts["doubts"] += 1
            for reason in target.reasons:
                record.doubt_reasons.setdefault(str(reason), [0, 0])[truth.marked] += 1
        elif (target.state is MarkState.MARKED) != truth.marked:
            counts["caught"] += is_asked
            if not is_asked:
                record.silent.append(_describe(truth, target))
    return SheetRecord(**(asdict(record) | dict(counts)))


def doubts_about(sheet: DrawnSheet, reading: PageReading) -> list[dict[str, Any]]:
    """Clear targets in doubt, as :class:`SheetRecord` has its silent errors."""
    by_name = {target.target: target for target in reading.targets}
    pairs = [(truth, by_name.get(f"{truth.contest}/{truth.option}")) for truth in sheet.truths]
    return [
        _describe(truth, target)
        for truth, target in pairs
        if truth.clear and target is not None and target.state is MarkState.DOUBTFUL
    ]


def asked_contests(form: Form, reading: PageReading) -> tuple[set[str], list[str]]:
    """The questions of a page that a person is asked about, and why."""
    asked, reasons = set(), []
    for contest in form.contests:
        here = [target for target in reading.targets if target.contest == contest.id]
        if not here:
            continue
        found = decide_contest(contest, here, form.rule).reasons
        if needs_review(found, form.rule):
            asked.add(contest.id)
            reasons += [str(reason) for reason in found if needs_review([reason], form.rule)]
    return asked, reasons


def bin_of(probability: float) -> int:
    """The number of the bin in which a probability lies."""
    return int(np.clip(np.searchsorted(BINS, probability, side="right") - 1, 0, len(BINS) - 2))


def _count_in_bins(bins: dict[int, list[float]], probability: float, *, marked: bool) -> None:
    counts = bins.setdefault(bin_of(probability), [0, 0, 0.0])
    counts[0] += 1
    counts[1] += marked
    counts[2] = round(counts[2] + probability, 6)


def _describe(truth: TargetTruth, target: TargetReading) -> dict[str, Any]:
    return {
        "target": target.target,
        "deed": truth.deed,
        "marked": truth.marked,
        "probability": round(target.probability, 5),
        "measures": {name: round(value, 4) for name, value in asdict(target.measures).items()},
    }


def save_crop(sheet: DrawnSheet, error: dict[str, Any], folder: Path) -> None:
    """Write the scan around a target, upright, with what was drawn and what was read."""
    contest, _, option = error["target"].partition("/")
    box = next(
        one.box
        for owner, one in sheet.batch.form.targets()
        if (owner.id, one.id) == (contest, option)
    )
    scan = cv2.imdecode(np.frombuffer(sheet.data, np.uint8), cv2.IMREAD_COLOR)
    if scan is None:
        return
    side = _AROUND_MM + max(box.w, box.h)
    x, y = box.center
    pixels = round(side * 2 * _CROP_PX_PER_MM)
    across = np.linspace(-side, side, pixels)
    places = np.stack(np.meshgrid(x + across, y + across[: pixels // 2] + side / 2), axis=-1)
    source = sheet.geometry.to_scan(places.reshape(-1, 2)).astype(np.float32)
    shape = places.shape[:2]
    maps = source.reshape(*shape, 2)
    crop = cv2.remap(scan, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderValue=(200,) * 3)
    words = (
        f"{sheet.batch.world} seed {sheet.seed} {sheet.batch.form.id} {error['target']}",
        f"truth {'MARKED' if error['marked'] else 'unmarked'} by '{error['deed']}', "
        f"read p={error['probability']}; {sheet.voter.hand.name}, {sheet.batch.scanner.name}",
        f"paper {_in_words(sheet.paper)} copy {sheet.batch.photocopy:.2f}",
        f"scanner {_in_words(sheet.batch.scanner.flaws)} q{sheet.batch.scanner.quality}",
        f"laid {_in_words(sheet.placing)}",
    )
    strip = np.full((24 * len(words) + 12, crop.shape[1], 3), 255, np.uint8)
    for line, text in enumerate(words, start=1):
        cv2.putText(strip, text, (6, 24 * line), _FONT, 0.5, (0, 0, 160), 1, cv2.LINE_AA)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{sheet.batch.world}-{sheet.seed}-{contest}-{option}.png"
    (folder / name).write_bytes(cv2.imencode(".png", np.vstack([crop, strip]))[1].tobytes())


def _in_words(strengths: dict[str, float]) -> str:
    return ", ".join(f"{name} {strength:.2f}" for name, strength in strengths.items()) or "-"
