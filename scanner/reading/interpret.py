"""One page image through all stages: this module reads like the list of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from scanner.ballot import (
    MarkState,
    PageReading,
    Reason,
    TargetMeasures,
    TargetReading,
    UnreadablePage,
)
from scanner.forms.template import TEXT_SHAPES, Form
from scanner.geometry import apply_homography, fit_affine
from scanner.reading.added_ink import describe_added_ink
from scanner.reading.align import AlignedPage, align_page, nodes_over
from scanner.reading.blank import BlankPage
from scanner.reading.closer import Voter, doubt_marks, look_closer, take_off_tails
from scanner.reading.condition import describe_condition
from scanner.reading.decide import decide_target, has_ink_near, is_of_ink
from scanner.reading.evidence import Evidence, RefusedEvidence
from scanner.reading.identify import FormIndex, IdentifiedPage
from scanner.reading.ink import Tone
from scanner.reading.lookalike import Verdict, compare, compare_words
from scanner.reading.marks import MeasuredPage, find_tone, measure_marks
from scanner.reading.page_ink import PageInk
from scanner.reading.pages import PageImage
from scanner.reading.spots import Spots
from scanner.settings import Settings

_FINE_ENOUGH = 0.9
"""Share of the working resolution at which a scan may be decoded: a little less of it, averaged,
is better than twice as much of which every other pixel is skipped."""
_GLASS_MM = 297.0
_EVERYWHERE = np.stack(np.meshgrid(np.linspace(0, 1, 6), np.linspace(0, 1, 8)), axis=-1).reshape(
    -1, 2
)
"""Places all over a page, as shares of its width and height."""
_TRIED = 4
"""Look-alikes, the most alike first, that a page is tried as when it does not fit."""
_MARKS_OF_A_PEN = 2
"""Questions of a page with a mark of ink from which it is known what its voter wrote with: so many,
and twice as many as those that may have been answered with something else."""
_OTHER_VERSION_SHARE = 0.2
_OTHER_VERSION_TARGETS = 3
"""So many targets, and such a share of a page's targets, with other print beside them make
it another version of the form."""


class Reader:
    """Reads page images against a set of registered forms.

    Args:
        forms: The forms that may lie in the pile.
        settings: Thresholds.
        cache: A folder for what is worked out from the blanks; None keeps it in memory.
    """

    def __init__(
        self, forms: Sequence[Form], settings: Settings | None = None, *, cache: Path | None = None
    ) -> None:
        self._settings = settings or Settings()
        blanks = [
            BlankPage(form, page, self._settings.working_dpi, cache)
            for form in forms
            for page in form.pages
        ]
        self._index = FormIndex(blanks, self._settings)
        longest = max((_glass_mm(blank) * blank.px_per_mm for blank in blanks), default=0.0)
        self.min_long_side_px = round(_FINE_ENOUGH * longest)
        """Long side, in pixels, that a scan must keep when it is decoded smaller."""

    @property
    def blanks(self) -> Sequence[BlankPage]:
        """All pages of the forms."""
        return self._index.blanks

    @property
    def settings(self) -> Settings:
        """The thresholds."""
        return self._settings

    def read(self, image: PageImage) -> PageReading | UnreadablePage:
        """Read one page image: which page it is, and the state of each of its targets."""
        identified = self._index.identify_page(image.gray)
        if isinstance(identified, UnreadablePage):
            return identified
        return self.read_identified(image, identified)

    def read_identified(
        self, image: PageImage, identified: IdentifiedPage
    ) -> PageReading | UnreadablePage:
        """Read one page image of which it is known what page it seems to be, and how it lies."""
        chosen = self._choose_form(identified)
        if isinstance(chosen, UnreadablePage):
            return chosen
        page, aligned, tone, lookalikes = chosen
        measured = measure_marks(aligned, tone)
        targets = tuple(
            self._decide(page.blank, number, one, covered=measured.covered[number])
            for number, one in enumerate(measured.targets)
        )
        targets = self._look_closer(aligned, tone, measured, targets)
        alternatives = _alternatives(page, lookalikes)
        return PageReading(
            form=page.blank.form.id,
            form_hash=page.blank.form.content_hash,
            page=page.blank.page.number,
            rotation=_rotation(aligned),
            homography=_to_millimetres(aligned, image.reduction),
            targets=targets,
            reasons=_page_reasons(targets, is_certain=not alternatives),
            serial=page.code.serial or None if page.code else None,
            alternatives=alternatives,
            evidence={
                Evidence.FEATURES: float(page.inliers),
                Evidence.PATCHES_FOUND: float(aligned.patches_found),
                Evidence.PATCHES_TRIED: float(aligned.patches_tried),
                Evidence.SPREAD_MM: aligned.spread_px / aligned.blank.px_per_mm,
                **describe_condition(aligned, tone, measured.streaks),
                Evidence.ADDED_INK: describe_added_ink(aligned, tone, targets),
            },
        )

    def _choose_form(
        self, page: IdentifiedPage
    ) -> tuple[IdentifiedPage, AlignedPage, Tone, list[BlankPage]] | UnreadablePage:
        """Align the page, and make sure that it is not a look-alike of what it seems to be."""
        beaten: set[tuple[str, int]] = set()
        while True:
            aligned = align_page(page.halves, page.blank, page.homography)
            share = aligned.patches_found / max(aligned.patches_tried, 1)
            if share >= self._settings.min_page_print_match:
                tone = find_tone(aligned)
                better, alternatives = self._compare_lookalikes(aligned, tone, beaten)
                switched = self._index.as_other(page, better) if better else None
                if switched is None:
                    # What fits better but cannot be laid under the scan stays an open question.
                    open_ = alternatives if better is None else [better]
                    return page, aligned, tone, open_
            else:
                switched = self._best_lookalike(page, beaten)
                if switched is None:
                    seems = f"{page.blank.form.id}/{page.blank.page.number}"
                    return UnreadablePage(
                        Reason.UNKNOWN_FORM,
                        {
                            RefusedEvidence.MOST_ALIKE: seems,
                            Evidence.FEATURES: float(page.inliers),
                            RefusedEvidence.PRINT_FOUND: share,
                        },
                    )
            beaten.add(page.blank.key)
            page = switched

    def _best_lookalike(
        self, page: IdentifiedPage, beaten: set[tuple[str, int]]
    ) -> IdentifiedPage | None:
        """The same scan as the look-alike that it fits best, of those not ruled out yet."""
        others = [key for key in self._index.lookalikes(page.blank.key) if key not in beaten]
        taken = [self._index.as_other(page, self._index.blank(key)) for key in others[:_TRIED]]
        fitting = [one for one in taken if one is not None]
        return max(fitting, key=lambda one: one.inliers, default=None)

    def _compare_lookalikes(
        self, aligned: AlignedPage, tone: Tone, beaten: set[tuple[str, int]]
    ) -> tuple[BlankPage | None, list[BlankPage]]:
        """A look-alike that fits better, if any; and those that cannot be told from this one."""
        undecided = []
        key = aligned.blank.key
        for other, difference in self._index.lookalikes(key).items():
            if other in beaten:
                continue
            verdict = compare(aligned, tone, difference)
            if verdict is Verdict.OPEN:
                back = self._index.lookalikes(other).get(key, difference)
                verdict = compare_words(aligned, difference, back)
            if verdict is Verdict.OTHER:
                return self._index.blank(other), []
            if verdict is Verdict.OPEN:
                undecided.append(self._index.blank(other))
        return None, undecided

    def _look_closer(
        self,
        aligned: AlignedPage,
        tone: Tone,
        measured: MeasuredPage,
        targets: tuple[TargetReading, ...],
    ) -> tuple[TargetReading, ...]:
        """Settle the doubts that the page as a whole can settle.

        A second time as well: a mark found in one target may tell what the grey in another is.
        """
        blank, page = aligned.blank, PageInk(aligned, tone)
        boxes = [n for n, (_, o) in enumerate(blank.targets) if o.shape not in TEXT_SHAPES]
        marked = [n for n in boxes if targets[n].state is MarkState.MARKED]
        doubted = doubt_marks(measured, page, marked)
        targets = self._decide_again(blank, measured, targets, doubted)
        told: dict[int, tuple[bool, bool]] = {}
        for _ in range(2):
            unclear = [
                n
                for n in boxes
                if targets[n].reasons == (Reason.UNCLEAR_MARK,) and n not in doubted
            ]
            if not unclear:
                break
            voter = _know_voter(blank, targets, unclear)
            # Where its voter is known no better than before, a target would be measured alike.
            news = {n: (voter.is_known, n in voter.has_chosen) for n in unclear}
            fresh = [n for n in unclear if news[n] != told.get(n)]
            if not fresh:
                break
            told |= news
            found = look_closer(measured, page, fresh, voter)
            targets = self._decide_again(blank, measured, targets, found)
        clean = take_off_tails(measured, page, _bare_targets(blank, targets), _sure_marks(targets))
        again = list(targets)
        for number, measures in clean.items():
            again[number] = replace(targets[number], measures=measures)
        return tuple(again)

    def _decide_again(
        self,
        blank: BlankPage,
        measured: MeasuredPage,
        targets: tuple[TargetReading, ...],
        found: Mapping[int, TargetMeasures],
    ) -> tuple[TargetReading, ...]:
        """The readings of a page, of which some were measured again."""
        again = list(targets)
        for number, measures in found.items():
            covered = measured.covered[number]
            again[number] = self._decide(blank, number, measures, covered=covered)
        return tuple(again)

    def _decide(
        self, blank: BlankPage, number: int, measures: TargetMeasures, *, covered: bool
    ) -> TargetReading:
        contest, option = blank.targets[number]
        return decide_target(
            contest.id,
            option.id,
            measures,
            covered=covered,
            settings=self._settings,
            shape=option.shape,
        )


def _know_voter(
    blank: BlankPage, targets: Sequence[TargetReading], unclear: Sequence[int]
) -> Voter:
    """What the marks of a page tell about the one who made them.

    Args:
        blank: The page.
        targets: Its targets as read so far.
        unclear: Numbers of those in doubt.
    """
    inked = {one.contest for one in targets if is_of_ink(one)}
    open_ = {targets[number].contest for number in unclear} - inked
    marks = Counter(one.contest for one in targets if one.state is MarkState.MARKED)
    chosen = (n for n in unclear if marks[targets[n].contest] >= blank.targets[n][0].max)
    return Voter(
        is_known=len(inked) >= max(_MARKS_OF_A_PEN, 2 * len(open_)), has_chosen=frozenset(chosen)
    )


def _bare_targets(blank: BlankPage, targets: Sequence[TargetReading]) -> list[int]:
    """Targets with ink near them, in questions without a mark or a doubt."""
    answered = {one.contest for one in targets if one.state is not MarkState.UNMARKED}
    shapes = [option.shape for _, option in blank.targets]
    return [
        number
        for number, (one, shape) in enumerate(zip(targets, shapes, strict=True))
        if one.contest not in answered
        and shape not in TEXT_SHAPES
        and has_ink_near(one.measures, shape)
    ]


def _sure_marks(targets: Sequence[TargetReading]) -> list[int]:
    return [number for number, one in enumerate(targets) if one.state is MarkState.MARKED]


def _glass_mm(blank: BlankPage) -> float:
    """The long side of what a page is scanned on: a small sheet may lie on a large glass."""
    return max(blank.page.width_mm, blank.page.height_mm, _GLASS_MM)


def _alternatives(page: IdentifiedPage, lookalikes: Sequence[BlankPage]) -> tuple[str, ...]:
    """The forms that the page may be as well, after its own code has had its say.

    A code that names this very page settles what the print leaves open; one that names another
    contradicts the print, and a person is asked.
    """
    open_ = dict.fromkeys(other.form.id for other in lookalikes)
    if page.code is None:
        return tuple(open_)
    if (page.code.form, page.code.page) == page.blank.key:
        return ()
    return tuple(dict.fromkeys([page.code.form, *open_]))


def _page_reasons(targets: Sequence[TargetReading], *, is_certain: bool) -> tuple[Reason, ...]:
    reasons = []
    if not is_certain:
        reasons.append(Reason.FORM_UNCERTAIN)
    strange = sum(Reason.PRINT_MISMATCH in target.reasons for target in targets)
    if strange >= max(_OTHER_VERSION_TARGETS, _OTHER_VERSION_SHARE * len(targets)):
        reasons.append(Reason.OTHER_VERSION)
    return tuple(reasons)


def _rotation(aligned: AlignedPage) -> int:
    """By how many degrees clockwise, in quarter turns, the scan was turned upright."""
    across, down = aligned.homography[0, 0], aligned.homography[1, 0]
    return round(float(np.degrees(np.arctan2(down, across))) / 90) * 90 % 360


def _to_millimetres(aligned: AlignedPage, reduction: int) -> tuple[float, ...]:
    """Pixels of the full-size scan to millimetres on the form, row by row.

    One transform for the whole page, through what the local alignment found: good enough to
    show a place on the scan, and not what marks are measured with.
    """
    blank = aligned.blank
    places = _everywhere(blank)
    # Where the whole-page transform puts what lies there; the rest is nearly a plane.
    put = apply_homography(aligned.homography, aligned.to_scan(places))
    to_form = np.vstack([fit_affine(put, places.points) / blank.px_per_mm, [0.0, 0.0, 1.0]])
    matrix = to_form @ aligned.homography @ np.diag([1 / reduction, 1 / reduction, 1.0])
    return tuple(float(value) for value in (matrix / matrix[2, 2]).ravel())


@lru_cache(maxsize=512)
def _everywhere(blank: BlankPage) -> Spots:
    return Spots.of(_EVERYWHERE * (blank.width_px, blank.height_px), nodes_over(blank))


def use_one_core() -> None:
    """Keep OpenCV from starting threads of its own: each worker process has one core."""
    cv2.setNumThreads(1)
