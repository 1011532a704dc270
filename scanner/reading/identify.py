"""Which form, which page, which way up: by its code where it has one, else by its print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scanner.ballot import Reason, UnreadablePage
from scanner.forms.codes import PageCode
from scanner.geometry import Homography, apply_homography
from scanner.reading.blank import BlankPage
from scanner.reading.catalog_index import CatalogIndex
from scanner.reading.codes import read_page_code
from scanner.reading.evidence import Evidence, RefusedEvidence
from scanner.reading.features import Features, Match, find_features, match_features
from scanner.reading.glance import Glance
from scanner.reading.lookalike import Difference, find_difference
from scanner.reading.perspective import rectify
from scanner.reading.small import Halves
from scanner.settings import Settings

_FIRST_LOOK = (160, 1)
_CLOSER_LOOK = (400, 2)
"""How many features of a scan are compared, and in how many sizes it is looked at; a blank keeps
more of them, in more sizes."""
_LOOK_AT_PRINT = (1000, 4)
_MUCH_BARE = 0.8
"""Where the print of a scan fills less than this share of it, it is looked at by itself, too: a
small sheet on a large glass."""
_CANDIDATES = 5
_CLEARLY_MATCHED = 0.20
"""Share of the scan's features in agreement with which no other candidate is tried."""
_SURELY_MATCHED = 0.22
"""Share of them with which no closer look is needed."""
_SEEN_FROM_THE_SIDE = 0.12
"""A smaller share, and it may be a photograph: it is laid flat before it is looked at again."""
_LOOKALIKE = 0.20
"""Share of its features that a page must have in common with another to be looked at twice."""
_BLANK_FEATURES = 60


_Seen = tuple[Features, tuple[BlankPage, Match] | None]
"""The features of a scan, and the page with which most of them agree."""


@dataclass(frozen=True, slots=True)
class IdentifiedPage:
    """A scan with the page of a form that it seems to be."""

    halves: Halves
    """The scan."""
    blank: BlankPage
    homography: Homography
    """Pixels of the scan to working pixels of ``blank``."""
    inliers: int
    """Features, or at a glance pieces of print, in agreement with it."""
    features: Features | None
    """None where a glance was enough."""
    code: PageCode | None

    @property
    def gray(self) -> NDArray[np.uint8]:
        """The scan, shape (h, w)."""
        return self.halves.halved(0)


class FormIndex:
    """All pages of all registered forms, ready to be recognised.

    Args:
        blanks: The pages.
        settings: The thresholds.
    """

    def __init__(self, blanks: Sequence[BlankPage], settings: Settings) -> None:
        self.blanks = list(blanks)
        self._by_key = {blank.key: blank for blank in self.blanks}
        self._settings = settings
        self._has_codes = any(blank.page.code for blank in self.blanks)
        self._glance = Glance([blank.small for blank in self.blanks])
        self._index = CatalogIndex([blank.features for blank in self.blanks])
        self.lookalikes = lru_cache(maxsize=512)(self._find_lookalikes)

    def identify_page(self, gray: NDArray[np.uint8]) -> IdentifiedPage | UnreadablePage:
        """The page of a form that a scan seems to be, whichever way up it lies."""
        code = read_page_code(gray) if self._has_codes else None
        halves = Halves(gray)
        known = self._know_at_a_glance(halves, code)
        if known is not None:
            return known
        features, best = self._look(gray, _FIRST_LOOK, code)
        if best is None or best[1].inliers < _SURELY_MATCHED * len(features.points):
            features, best = self._look(gray, _CLOSER_LOOK, code)
            if best is None or best[1].inliers < _CLEARLY_MATCHED * len(features.points):
                features, best = self._look_at_print(gray, features, best, code)
            if best is None or best[1].inliers < _SEEN_FROM_THE_SIDE * len(features.points):
                features, best = self._look_from_above(gray, features, best, code)
        if len(features.points) < _BLANK_FEATURES:
            return UnreadablePage(
                Reason.BLANK_PAGE, {RefusedEvidence.FEATURES_SEEN: float(len(features.points))}
            )
        if best is None or best[1].inliers < self._settings.min_matches:
            return UnreadablePage(
                Reason.UNKNOWN_FORM,
                {
                    RefusedEvidence.MOST_ALIKE: f"{best[0].form.id}/{best[0].page.number}"
                    if best
                    else "",
                    Evidence.FEATURES: float(best[1].inliers if best else 0),
                },
            )
        blank, match = best
        return IdentifiedPage(halves, blank, match.homography, match.inliers, features, code)

    def as_other(self, page: IdentifiedPage, other: BlankPage) -> IdentifiedPage | None:
        """The same scan taken for another page, or None where it does not fit."""
        features = page.features
        if features is None:
            count, levels = _CLOSER_LOOK
            features = find_features(page.gray, count=count, levels=levels)
        # Laid flat first: from the side, pages differ by more than a flat one's transform.
        laid = apply_homography(page.homography, features.points).astype(np.float32)
        match = match_features(Features(laid, features.descriptors), other.features)
        if match is None or match.inliers < self._settings.min_matches:
            return None
        homography = np.asarray(match.homography @ page.homography, np.float64)
        return IdentifiedPage(page.halves, other, homography, match.inliers, features, page.code)

    def _know_at_a_glance(self, halves: Halves, code: PageCode | None) -> IdentifiedPage | None:
        """The page of a scan that lies as it should, unless its code names another."""
        guess = self._glance.guess(halves)
        if guess is None or guess.agree < self._settings.min_matches:
            return None
        blank = self.blanks[guess.number]
        named = self._by_key.get((code.form, code.page), blank) if code else blank
        if named is not blank:
            return None
        return IdentifiedPage(halves, blank, guess.homography, guess.agree, None, code)

    def _look(self, gray: NDArray[np.uint8], look: tuple[int, int], code: PageCode | None) -> _Seen:
        count, levels = look
        features = find_features(gray, count=count, levels=levels)
        return features, self._best_match(features, code)

    def _look_at_print(
        self,
        gray: NDArray[np.uint8],
        features: Features,
        best: tuple[BlankPage, Match] | None,
        code: PageCode | None,
    ) -> _Seen:
        """A look at that part of the scan which has print, where that is a small one."""
        if len(features.points) < _BLANK_FEATURES:
            return features, best
        corner, end = np.percentile(features.points, (1, 99), axis=0)
        margin = 0.05 * (end - corner)
        x0, y0 = np.maximum(corner - margin, 0).astype(int)
        x1, y1 = np.minimum(end + margin, gray.shape[::-1]).astype(int)
        if (x1 - x0) * (y1 - y0) > _MUCH_BARE * gray.size:
            return features, best
        part = find_features(gray[y0:y1, x0:x1], count=_LOOK_AT_PRINT[0], levels=_LOOK_AT_PRINT[1])
        part = Features(part.points + np.array([x0, y0], np.float32), part.descriptors)
        found = self._best_match(part, code)
        if found is None or (best is not None and found[1].inliers <= best[1].inliers):
            return features, best
        return part, found

    def _look_from_above(
        self,
        gray: NDArray[np.uint8],
        features: Features,
        best: tuple[BlankPage, Match] | None,
        code: PageCode | None,
    ) -> _Seen:
        """A look at the page laid flat, where it has print and was taken from the side."""
        if len(features.points) < _BLANK_FEATURES:
            return features, best
        laid = rectify(gray, best, lambda seen: self._best_match(seen, code))
        if laid is None or (best is not None and laid.match.inliers <= best[1].inliers):
            return features, best
        return laid.features, (laid.blank, laid.match)

    def _best_match(
        self, features: Features, code: PageCode | None
    ) -> tuple[BlankPage, Match] | None:
        best: tuple[BlankPage, Match] | None = None
        for blank in self._candidates(features, code):
            match = match_features(features, blank.features)
            if match is None or (best is not None and match.inliers <= best[1].inliers):
                continue
            best = blank, match
            if match.inliers >= _CLEARLY_MATCHED * len(features.points):
                break
        return best

    def _candidates(self, features: Features, code: PageCode | None) -> list[BlankPage]:
        ranked = [self.blanks[number] for number in self._index.rank(features, _CANDIDATES)]
        named = self._by_key.get((code.form, code.page)) if code else None
        return ranked if named is None else [named]

    def blank(self, key: tuple[str, int]) -> BlankPage:
        """The page with that form id and page number."""
        return self._by_key[key]

    def _find_lookalikes(self, key: tuple[str, int]) -> dict[tuple[str, int], Difference]:
        """The registered pages that have much print in common with this one, and where not."""
        this = self._by_key[key]
        found = {}
        for number in self._index.rank(this.features, len(self.blanks)):
            other = self.blanks[number]
            if other.key == key:
                continue
            match = match_features(other.features, this.features)
            fewest = min(len(this.features.points), len(other.features.points))
            if match is not None and match.inliers >= _LOOKALIKE * fewest:
                found[other.key] = find_difference(this, other, match)
        return found
