"""How well a batch was scanned, and which of its sheets to scan again. Numbers only.

A scanner is judged by its own batch: what is usual there is the median of its pages, and how much
pages vary by chance is their median distance from it, times 1.4826 (the standard deviation, where
they vary normally). A page stands out by several times that, and never by less than a fixed floor.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

from scanner.ballot import Reason
from scanner.counting.skew import skew_degrees
from scanner.geometry import MM_PER_INCH
from scanner.reading.evidence import Evidence

_MAD_TO_DEVIATION = 1.4826
_STANDS_OUT = 5.0
_OTHER_RESOLUTION = 0.12
"""A page larger or smaller by this share was scanned at another resolution."""
_SCALE_FLOOR = 0.012
_STRETCH_FLOOR = 0.01
_SKEWED_DEG = 2.0
_CLIPPED_MM = 8.0
_PRINT_LOST = 0.004
_DARK_FLOOR = 25.0
_TOO_DARK = 140.0
_LEAST_CONTRAST = 80.0
_UNEVEN = 45.0
_LAMP_DRIFT = 12.0
_LAMP_PAGES = 20
_SPREAD_FLOOR_MM = 0.15
_FEWEST_PATCHES = 0.7
_PRINT_FLOOR = 0.2
_LONGER_MM = 8.0
_STREAK_MM = 1.5
"""Lines on two pages so near to each other are one line on the glass."""
_STREAK_SHARE = 0.05
"""Share of the pages from which a line is told of, and three at least: a fold may look like one."""
_FEW_PAGES = 4


class Finding(StrEnum):
    """What can be wrong with the scans of a batch: the closed list."""

    STREAK_DOWN = "streak_down"
    STREAK_ACROSS = "streak_across"
    OTHER_RESOLUTION = "other_resolution"
    SCALE_DIFFERS = "scale_differs"
    STRETCHED = "stretched"
    SKEWED = "skewed"
    CLIPPED = "clipped"
    DARK = "dark"
    PALE = "pale"
    UNEVEN_LIGHT = "uneven_light"
    LAMP_DRIFT = "lamp_drift"
    PRINT_BROKEN = "print_broken"
    LIES_BADLY = "lies_badly"
    LONGER = "longer"
    PAGE_GAP = "page_gap"
    BLANK_BACKS = "blank_backs"
    BLANK_PAGE = "blank_page"
    NOT_READ = "not_read"


SCAN_AGAIN = frozenset(
    {
        Finding.CLIPPED,
        Finding.DARK,
        Finding.PALE,
        Finding.PRINT_BROKEN,
        Finding.LIES_BADLY,
        Finding.LONGER,
        Finding.PAGE_GAP,
        Finding.BLANK_PAGE,
        Finding.NOT_READ,
    }
)
"""A sheet with one of these is better scanned again; the others are for the scanner."""


class Edge(StrEnum):
    """An edge of the form."""

    LEFT = "left"
    TOP = "top"
    RIGHT = "right"
    BOTTOM = "bottom"


_BEYOND = {
    Edge.LEFT: Evidence.BEYOND_LEFT_MM,
    Edge.TOP: Evidence.BEYOND_TOP_MM,
    Edge.RIGHT: Evidence.BEYOND_RIGHT_MM,
    Edge.BOTTOM: Evidence.BEYOND_BOTTOM_MM,
}


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """One page of a batch as it came out of the scanner."""

    position: int
    """Place in the batch, from 0."""
    sheet: int | None
    """Its sheet; None while the batch is not finished."""
    file: str
    number: int
    """Page of that file, from 1; 0 for a file as a whole."""
    form: str | None = None
    page: int = 0
    refusal: Reason | None = None
    doubts: tuple[Reason, ...] = ()
    """Those about its sheet as a whole."""
    homography: tuple[float, ...] = ()
    """Nine numbers, row by row: pixels of the scan to millimetres on the form."""
    evidence: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def dpi(self) -> float:
        """Pixels of the scan in an inch of the form."""
        return MM_PER_INCH / math.sqrt(self._mm_across * self._mm_down)

    @property
    def stretch(self) -> float:
        """How much longer the form's height came out than its width."""
        return self._mm_across / self._mm_down

    @property
    def skew_deg(self) -> float:
        """How crooked it lies, -45..45."""
        return skew_degrees(self.homography)

    def number_of(self, name: Evidence) -> float | None:
        """A measure; None for pages that were read by a program that did not take it."""
        value = self.evidence.get(name)
        return float(value) if isinstance(value, int | float) else None

    @property
    def _mm_across(self) -> float:
        """Along the form's width, millimetres a pixel, wherever on the scan that lies."""
        a, b = self.homography[0], self.homography[1]
        return math.hypot(a, b)

    @property
    def _mm_down(self) -> float:
        d, e = self.homography[3], self.homography[4]
        return math.hypot(d, e)


@dataclass(frozen=True, slots=True)
class Flaw:
    """One finding of a batch and the pages that show it."""

    finding: Finding
    pages: tuple[ScannedPage, ...]
    amount: float = 0.0
    """How much, in the unit that the finding is told in: percent, degrees, grey levels or mm."""
    at_mm: float = 0.0
    """Where, for a line: from the left or the upper edge of the scan."""
    edge: Edge | None = None


@dataclass(frozen=True, slots=True)
class BatchHealth:
    """What the pages of a batch say about the scanner and the paper."""

    pages: int
    read: int
    """Pages that were read as a form's."""
    dpi: float = 0.0
    """Median, as the next."""
    skew_deg: float = 0.0
    most_skew_deg: float = 0.0
    """Of the page that lies most crooked."""
    paper_level: float = 0.0
    print_level: float = 0.0
    flaws: tuple[Flaw, ...] = ()

    def scan_again(self) -> dict[int, list[Flaw]]:
        """Sheets that are better scanned again, with why."""
        found: defaultdict[int, list[Flaw]] = defaultdict(list)
        for flaw in self.flaws:
            if flaw.finding in SCAN_AGAIN:
                for sheet in dict.fromkeys(page.sheet for page in flaw.pages):
                    if sheet is not None:
                        found[sheet].append(flaw)
        return dict(sorted(found.items()))


def examine_batch(pages: Sequence[ScannedPage], page_counts: Mapping[str, int]) -> BatchHealth:
    """What the pages of a batch say.

    Args:
        pages: All of them, in scan order.
        page_counts: How many pages each form has.
    """
    read = [page for page in pages if page.form is not None]
    flaws = [*_refused(pages, page_counts), *_gaps(pages)]
    if not read:
        return BatchHealth(len(pages), 0, flaws=tuple(flaws))
    flaws = [
        *_streaks(read),
        *_shapes(read),
        *_clipped(read),
        *_tones(read),
        *_print(read),
        *flaws,
    ]
    return BatchHealth(
        pages=len(pages),
        read=len(read),
        dpi=median(page.dpi for page in read),
        skew_deg=median(page.skew_deg for page in read),
        most_skew_deg=max((page.skew_deg for page in read), key=abs),
        paper_level=_usual(read, Evidence.PAPER_LEVEL),
        print_level=_usual(read, Evidence.PRINT_LEVEL),
        flaws=tuple(flaws),
    )


@dataclass(frozen=True, slots=True)
class _Usual:
    """What is usual in a batch, and how far from it a page stands out."""

    middle: float
    reach: float

    @classmethod
    def of(cls, values: Iterable[float], floor: float) -> _Usual:
        known = list(values)
        if not known:
            return cls(0.0, math.inf)
        middle = median(known)
        deviation = _MAD_TO_DEVIATION * median(abs(value - middle) for value in known)
        return cls(middle, max(_STANDS_OUT * deviation, floor))

    def beyond(self, value: float | None) -> float:
        """By how much a value lies above (or below: negative) what is usual; 0 where it is."""
        if value is None or abs(value - self.middle) <= self.reach:
            return 0.0
        return value - self.middle


def _values(pages: Iterable[ScannedPage], name: Evidence) -> list[float]:
    found = (page.number_of(name) for page in pages)
    return [value for value in found if value is not None]


def _usual(pages: Iterable[ScannedPage], name: Evidence) -> float:
    values = _values(pages, name)
    return median(values) if values else 0.0


def _flaw(
    finding: Finding, amounts: Iterable[tuple[ScannedPage, float]], edge: Edge | None = None
) -> Iterator[Flaw]:
    """A flaw of the pages whose amount is not 0; the largest amount is told."""
    found = [(page, amount) for page, amount in amounts if amount]
    if found:
        most = max((amount for _page, amount in found), key=abs)
        yield Flaw(finding, tuple(page for page, _amount in found), most, edge=edge)


def _streaks(pages: Sequence[ScannedPage]) -> Iterator[Flaw]:
    """Lines at the same place of several scans: dust on the glass stays where it is."""
    fewest = 1 if len(pages) <= _FEW_PAGES else max(3, math.ceil(_STREAK_SHARE * len(pages)))
    for finding, name in (
        (Finding.STREAK_DOWN, Evidence.STREAKS_DOWN_MM),
        (Finding.STREAK_ACROSS, Evidence.STREAKS_ACROSS_MM),
    ):
        lines = sorted(
            (float(mm), page.position, page)
            for page in pages
            for mm in str(page.evidence.get(name, "")).split()
        )
        groups: list[list[tuple[float, int, ScannedPage]]] = []
        for line in lines:
            if not groups or line[0] - groups[-1][-1][0] > _STREAK_MM:
                groups.append([])
            groups[-1].append(line)
        for group in groups:
            shown = {position: page for _mm, position, page in group}
            if len(shown) >= fewest:
                where = median(mm for mm, _position, _page in group)
                yield Flaw(finding, tuple(shown[at] for at in sorted(shown)), at_mm=where)


def _shapes(pages: Sequence[ScannedPage]) -> Iterator[Flaw]:
    """Pages that came out larger, stretched, longer or more crooked than the others."""
    dpi = median(page.dpi for page in pages)
    other = [page for page in pages if abs(page.dpi / dpi - 1) > _OTHER_RESOLUTION]
    yield from _flaw(Finding.OTHER_RESOLUTION, ((page, page.dpi) for page in other))
    alike = [page for page in pages if page not in other]
    scale = _Usual.of((page.dpi / dpi for page in alike), _SCALE_FLOOR)
    yield from _flaw(
        Finding.SCALE_DIFFERS, ((page, 100 * scale.beyond(page.dpi / dpi)) for page in alike)
    )
    stretch = _Usual.of((page.stretch for page in alike), _STRETCH_FLOOR)
    yield from _flaw(
        Finding.STRETCHED, ((page, 100 * stretch.beyond(page.stretch)) for page in alike)
    )
    crooked = (page for page in pages if abs(page.skew_deg) >= _SKEWED_DEG)
    yield from _flaw(Finding.SKEWED, ((page, page.skew_deg) for page in crooked))
    yield from _longer(alike, dpi)


def _longer(pages: Sequence[ScannedPage], dpi: float) -> Iterator[Flaw]:
    """Images longer than the others: a feeder measures two sheets that overlap as one."""
    amounts: defaultdict[int, float] = defaultdict(float)
    for name in (Evidence.IMAGE_WIDTH_MM, Evidence.IMAGE_HEIGHT_MM):
        sizes = {
            page.position: size * page.dpi / dpi
            for page in pages
            if (size := page.number_of(name)) is not None
        }
        usual = _Usual.of(sizes.values(), _LONGER_MM)
        for position, size in sizes.items():
            amounts[position] = max(amounts[position], usual.beyond(size))
    yield from _flaw(Finding.LONGER, ((page, amounts[page.position]) for page in pages))


def _clipped(pages: Sequence[ScannedPage]) -> Iterator[Flaw]:
    """Pages of which an edge lies outside of the scan."""
    for edge, name in _BEYOND.items():
        amounts = []
        for page in pages:
            beyond = page.number_of(name) or 0.0
            worst = max(page.number_of(other) or 0.0 for other in _BEYOND.values())
            lost = (page.number_of(Evidence.PRINT_OUTSIDE) or 0.0) > _PRINT_LOST
            is_clipped = beyond >= _CLIPPED_MM or (lost and beyond == worst)
            amounts.append((page, beyond if is_clipped else 0.0))
        yield from _flaw(Finding.CLIPPED, amounts, edge)


def _tones(pages: Sequence[ScannedPage]) -> Iterator[Flaw]:
    """Paper too dark, print too pale, light that is uneven or that changed along the batch."""
    levels = _values(pages, Evidence.PAPER_LEVEL)
    paper = _Usual.of(levels, _DARK_FLOOR)
    dark, pale, uneven = [], [], []
    for page in pages:
        level, black = (
            page.number_of(name) for name in (Evidence.PAPER_LEVEL, Evidence.PRINT_LEVEL)
        )
        darkest = page.number_of(Evidence.PAPER_DARKEST)
        if level is None or black is None or darkest is None:
            continue
        is_dark = level < _TOO_DARK or paper.beyond(level) < 0
        dark.append((page, level if is_dark else 0.0))
        pale.append((page, level - black if level - black < _LEAST_CONTRAST else 0.0))
        uneven.append((page, level - darkest if level - darkest >= _UNEVEN else 0.0))
    yield from _flaw(Finding.DARK, dark)
    yield from _flaw(Finding.PALE, pale)
    yield from _flaw(Finding.UNEVEN_LIGHT, uneven)
    third = len(levels) // 3
    if len(levels) >= _LAMP_PAGES:
        drift = median(levels[-third:]) - median(levels[:third])
        if abs(drift) >= _LAMP_DRIFT:
            yield Flaw(Finding.LAMP_DRIFT, tuple(pages), drift)


def _print(pages: Sequence[ScannedPage]) -> Iterator[Flaw]:
    """Pages whose print is broken, or does not come to lie on the form's."""
    sides: defaultdict[tuple[str | None, int], list[ScannedPage]] = defaultdict(list)
    for page in pages:
        sides[page.form, page.page].append(page)
    broken, badly = [], []
    for members in sides.values():
        usual = _Usual.of(_values(members, Evidence.PRINT_FOUND), _PRINT_FLOOR)
        spread = _Usual.of(_values(members, Evidence.SPREAD_MM), _SPREAD_FLOOR_MM)
        for page in members:
            found = page.number_of(Evidence.PRINT_FOUND)
            broken.append((page, min(usual.beyond(found), 0.0)))
            tried = page.number_of(Evidence.PATCHES_TRIED) or 0.0
            patches = page.number_of(Evidence.PATCHES_FOUND) or 0.0
            too_few = tried > 0 and patches < _FEWEST_PATCHES * tried
            away = spread.beyond(page.number_of(Evidence.SPREAD_MM)) > 0
            badly.append((page, 1.0 if too_few or away else 0.0))
    yield from _flaw(Finding.PRINT_BROKEN, broken)
    yield from _flaw(Finding.LIES_BADLY, badly)


def _refused(pages: Sequence[ScannedPage], page_counts: Mapping[str, int]) -> Iterator[Flaw]:
    """Pages that were not read; a blank back of a form without one is none of them."""
    backs: list[tuple[ScannedPage, float]] = []
    blanks: list[tuple[ScannedPage, float]] = []
    others: list[tuple[ScannedPage, float]] = []
    before: ScannedPage | None = None
    for page in pages:
        if page.refusal is Reason.BLANK_PAGE:
            is_back = before is not None and page_counts.get(before.form or "") == 1
            (backs if is_back else blanks).append((page, 1.0))
        elif page.refusal is not None:
            others.append((page, 1.0))
        before = page
    yield from _flaw(Finding.BLANK_BACKS, backs)
    yield from _flaw(Finding.BLANK_PAGE, blanks)
    yield from _flaw(Finding.NOT_READ, others)


def _gaps(pages: Sequence[ScannedPage]) -> Iterator[Flaw]:
    """Sheets of which a page is missing: two sheets may have gone through together."""
    lacking = (page for page in pages if Reason.PAGE_MISSING in page.doubts)
    yield from _flaw(Finding.PAGE_GAP, ((page, 1.0) for page in lacking))
