"""The same paper scanned twice, told from another voter's with the same answers.

Each mark of a page is known as a coarse picture of its ink (:mod:`scanner.reading.added_ink`).
How alike two pictures are is their correlation. Marks of two people in the same box are seldom very
much alike, and not in one box after the other, while those of one paper are alike in nearly all,
whatever scanner has seen them. So how seldom is added up over the marks, as the logarithms of
independent chances are (Fisher, 1932).

A paper with fewer than three marks that can be told from others is never recognised: an empty one
looks like any other empty one, and filled boxes are all alike.
"""

from __future__ import annotations

from base64 import b64decode
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_MARKS = 3
"""Marks that two pages must have in common."""
LIMIT_AT_NONE = 9.5
LIMIT_A_MARK = 1.7
"""The limit grows with the marks in common, as the evidence of chance likeness does. Measured by
``benchmarks/same_paper.py``, where no two of many thousand papers with the same votes came near."""
_USUAL_UNLIKENESS = 0.2
"""1 minus the correlation of two marks in the same box that says nothing at all."""
_DECADE = 3.0
"""Of two people's marks, those ten times less unlike are a thousand times as rare."""
_MOST_OF_ONE = 5.0
_LEAST_OF_ONE = -3.0
"""One mark alone, spoilt on one of the scans, speaks no more than so much against the others."""
_ONLY_ON_ONE = -2.0
_WORTH_A_LOOK = 0.87
"""Mean correlation of the marks in common below which two pages are not compared closely."""
_COMMON_SHARE = 0.6
_COMPONENTS = 16
"""Numbers to which a picture is reduced for the first look."""
_SAMPLE = 3000
_ROWS_AT_ONCE = 256
_PAIRS_AT_ONCE = 50_000

Marks = Mapping[int, NDArray[np.float32]]
"""By the target's index the picture of its ink, mean 0 and length 1."""


@dataclass(frozen=True, slots=True)
class InkedPage:
    """One page of the count with the ink that was added to the form."""

    id: int
    form: str
    page: int
    image_hash: str
    ink: str
    """As :func:`scanner.reading.added_ink.describe_added_ink` gives it."""


@dataclass(frozen=True, slots=True)
class SamePaper:
    """Two scanned pages that seem to be one piece of paper."""

    page: int
    """Id of the page that came later."""
    other: int
    """Id of the page that was there before."""
    score: float
    """How much more than chance they are alike."""
    limit: float
    """The score from which it is believed, for as many marks as they have in common."""


def limits_for(marks: NDArray[np.intp]) -> NDArray[np.float64]:
    """The scores from which pages with so many marks in common are taken for one paper."""
    limits = LIMIT_AT_NONE + LIMIT_A_MARK * marks.astype(np.float64)
    return np.where(marks >= FEWEST_MARKS, limits, np.inf)


def read_marks(ink: str) -> dict[int, NDArray[np.float32]]:
    """The pictures of the marks of a page, by the target's index; even ones are left out."""
    marks = {}
    for part in ink.split():
        number, _, picture = part.partition(":")
        packed = np.frombuffer(b64decode(picture), np.uint8)
        levels = np.stack([packed >> 4, packed & 15], axis=1).ravel().astype(np.float32)
        levels -= levels.mean()
        length = float(np.linalg.norm(levels))
        if length > 0:
            marks[int(number)] = np.asarray(levels / length, np.float32)
    return marks


def find_same_paper(
    pages: Iterable[InkedPage], new: Collection[int] | None = None
) -> list[SamePaper]:
    """Pairs of pages that seem to be one piece of paper; of the very same image none is named.

    Args:
        pages: All pages read so far, in the order in which they came.
        new: Ids of those to be compared with all before them; None for all.
    """
    groups: defaultdict[tuple[str, int], list[InkedPage]] = defaultdict(list)
    for page in pages:
        if page.ink.count(":") >= FEWEST_MARKS:
            groups[page.form, page.page].append(page)
    found = []
    for members in groups.values():
        is_new = np.array([new is None or page.id in new for page in members])
        if is_new.any():
            found += _find_in_group(members, is_new)
    return sorted(found, key=lambda pair: (pair.page, pair.other))


def _find_in_group(pages: Sequence[InkedPage], is_new: NDArray[np.bool_]) -> list[SamePaper]:
    """The pairs among the pages of one side of a form."""
    inks = Inks([read_marks(page.ink) for page in pages])
    found = []
    for one, other in inks.worth_a_look(np.flatnonzero(is_new)):
        scores, common = inks.compare(one, other)
        limits = limits_for(common)
        for k in np.flatnonzero(scores >= limits):
            later, before = pages[one[k]], pages[other[k]]
            if later.image_hash != before.image_hash:
                found.append(SamePaper(later.id, before.id, float(scores[k]), float(limits[k])))
    return found


class Inks:
    """The marks of many pages of one side of a form, side by side."""

    def __init__(self, pages: Sequence[Marks]) -> None:
        by_target: defaultdict[int, list[int]] = defaultdict(list)
        for place, marks in enumerate(pages):
            for target in marks:
                by_target[target].append(place)
        self._pictures = [
            np.stack([pages[place][target] for place in places])
            for target, places in by_target.items()
        ]
        # Which row of a target's pictures is a page's; none where it has no mark there.
        self._row = np.full((len(pages), len(by_target)), -1)
        for column, places in enumerate(by_target.values()):
            self._row[places, column] = np.arange(len(places))
        self._has = (self._row >= 0).astype(np.float32)
        self._count = self._has.sum(axis=1)
        self._reduced = self._reduce()

    def _reduce(self) -> NDArray[np.float32]:
        """Every page as one row, whose products are never less than the sum of correlations.

        Each picture becomes its main components (Pearson, 1901) and the length of what they
        leave over: two rests are at most as alike as if they had the same direction.
        """
        width = _COMPONENTS + 1
        reduced = np.zeros((len(self._row), width * len(self._pictures)), np.float32)
        bases = _main_components(self._pictures)
        for column, pictures in enumerate(self._pictures):
            main = pictures @ bases[pictures.shape[1]]
            rest = np.sqrt(np.maximum(1.0 - (main * main).sum(axis=1), 0.0))
            places = np.flatnonzero(self._row[:, column] >= 0)
            start = width * column
            reduced[places, start : start + main.shape[1]] = main
            reduced[places, start + _COMPONENTS] = rest
        return reduced

    def worth_a_look(
        self, rows: NDArray[np.intp]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Pairs that may be one paper: a page of ``rows`` and one before it."""
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            block = rows[start : start + _ROWS_AT_ONCE]
            before = slice(0, int(block[-1]))
            common = self._has[block] @ self._has[before].T
            alike = self._reduced[block] @ self._reduced[before].T
            most = np.maximum(self._count[block, None], self._count[None, before])
            is_open = (common >= FEWEST_MARKS) & (common >= _COMMON_SHARE * most)
            is_open &= alike >= _WORTH_A_LOOK * common
            one, other = np.nonzero(is_open)
            one = block[one]
            is_before = other < one
            one, other = one[is_before], other[is_before]
            for first in range(0, len(one), _PAIRS_AT_ONCE):
                some = slice(first, first + _PAIRS_AT_ONCE)
                yield one[some], other[some]

    def compare(
        self, one: NDArray[np.intp], other: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """For each pair its score and the number of marks in common."""
        scores = np.zeros(len(one))
        common = np.zeros(len(one), np.intp)
        for column, pictures in enumerate(self._pictures):
            a, b = self._row[one, column], self._row[other, column]
            both = np.flatnonzero((a >= 0) & (b >= 0))
            alike = np.einsum("ij,ij->i", pictures[a[both]], pictures[b[both]])
            scores[both] += score_of(alike)
            scores += _ONLY_ON_ONE * ((a >= 0) != (b >= 0))
            common[both] += 1
        return scores, common


def score_of(alike: NDArray[np.floating]) -> NDArray[np.float64]:
    """What marks so much alike, by their correlation, say for one paper or against it."""
    unlike = np.maximum(1.0 - np.asarray(alike, np.float64), 1e-6)
    score = -_DECADE * np.log10(unlike / _USUAL_UNLIKENESS)
    return np.asarray(np.clip(score, _LEAST_OF_ONE, _MOST_OF_ONE))


def _main_components(
    pictures: Sequence[NDArray[np.float32]],
) -> dict[int, NDArray[np.float32]]:
    """The directions in which pictures differ most, by their number of cells; orthonormal."""
    by_size: defaultdict[int, list[NDArray[np.float32]]] = defaultdict(list)
    for some in pictures:
        by_size[some.shape[1]].append(some)
    bases = {}
    for size, members in by_size.items():
        sample = np.concatenate(members)
        sample = sample[:: max(len(sample) // _SAMPLE, 1)]
        _, directions = np.linalg.eigh(sample.T @ sample)
        bases[size] = np.asarray(directions[:, -_COMPONENTS:], np.float32)
    return bases
