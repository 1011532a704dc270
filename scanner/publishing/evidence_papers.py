"""The papers behind the figures of a count: never more nor fewer than it says.

Papers that are valid, void or in review, and what is no paper at all, such as unprinted backs,
foreign sheets and copies; where they have reasons, also reason by reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from scanner.counting.tally import NOT_PAPER, Standing
from scanner.counting.tally_file import TallyFile
from scanner.errors import TallyMismatchError
from scanner.messages import gettext as _
from scanner.publishing.evidence_sheets import RefusedEvidence, SheetEvidence
from scanner.publishing.screen import refusal_in_words

PAPERS_ON_PAGE = 200
Paper = SheetEvidence | RefusedEvidence


@dataclass(frozen=True, slots=True)
class Pile:
    """One figure of papers, with everything behind it."""

    id: str
    title: str
    papers: tuple[Paper, ...]
    is_part: bool = False
    """One reason among those of the pile before it."""

    @property
    def number(self) -> int:
        """How many papers it has."""
        return len(self.papers)

    @property
    def pages(self) -> int:
        """How many pages its list fills; one at the least."""
        return max(1, ceil(len(self.papers) / PAPERS_ON_PAGE))

    def page(self, number: int) -> str:
        """The file of one of them."""
        return f"{self.id}-{number}.html"

    def papers_on(self, number: int) -> tuple[Paper, ...]:
        """The papers on one of them."""
        return self.papers[(number - 1) * PAPERS_ON_PAGE : number * PAPERS_ON_PAGE]


def piles_of_count(
    tally: TallyFile, sheets: Sequence[SheetEvidence], refused: Sequence[RefusedEvidence]
) -> list[Pile]:
    """The piles in the order in which they are shown; those without a paper are left out.

    Raises:
        TallyMismatchError: A pile is not as high as the tally says.
    """
    papers: list[Paper] = [*sheets, *refused]
    said = tally.sheets
    nothing: dict[str, int] = {why: said.refused_by_reason.get(why, 0) for why in sorted(NOT_PAPER)}

    def pile(name: str, title: str, figure: int, test: Callable[[Paper], bool]) -> Pile:
        return _pile(name, title, figure, [one for one in papers if test(one)])

    def stands(standing: Standing) -> Callable[[Paper], bool]:
        return lambda one: one.standing is standing

    def is_paper(one: Paper) -> bool:
        return one.standing is not Standing.NOT_PAPER

    def because(standing: Standing, reason: str) -> Callable[[Paper], bool]:
        return lambda one: one.standing is standing and one.reason == reason

    def parts(standing: Standing, figures: dict[str, int]) -> Iterator[Pile]:
        for place, (reason, figure) in enumerate(figures.items(), start=1):
            made = pile(
                f"{standing}-{place}", refusal_in_words(reason), figure, because(standing, reason)
            )
            yield Pile(made.id, made.title, made.papers, is_part=True)

    found = [
        pile("papers", _("scanned"), said.paper, is_paper),
        pile("valid", _("valid"), said.valid, stands(Standing.VALID)),
        pile("void", _("void"), said.void, stands(Standing.VOID)),
        *parts(Standing.VOID, dict(said.void_by_reason)),
        pile("in-review", _("in review"), said.in_review, stands(Standing.IN_REVIEW)),
        pile("not-paper", _("no paper of the count"), said.not_paper, stands(Standing.NOT_PAPER)),
        *parts(Standing.NOT_PAPER, nothing),
    ]
    return [one for one in found if one.papers or not one.is_part]


def _pile(name: str, title: str, figure: int, papers: Sequence[Paper]) -> Pile:
    if len(papers) != figure:
        raise TallyMismatchError(
            _("Behind {figure} there are {shown} papers instead of {number}.").format(
                figure=title, shown=len(papers), number=figure
            )
        )
    return Pile(name, title, tuple(papers))
