"""The figures of a count with the answers behind each: never more nor fewer than it says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from scanner.ballot import ContestState
from scanner.counting.rules import answer_shares, percent_text
from scanner.counting.tally import CastVote, Standing
from scanner.counting.tally_file import TallyContest, TallyFile, TallyForm
from scanner.errors import TallyMismatchError
from scanner.forms.template import Contest, Form
from scanner.messages import current_language, describe
from scanner.messages import gettext as _
from scanner.publishing.evidence_pictures import PagePicture
from scanner.publishing.evidence_sheets import Hidden, SheetEvidence

CROPS_ON_PAGE = 60


@dataclass(frozen=True, slots=True)
class Crop:
    """An answer, cut out of its sheet."""

    sheet: str
    """Key of the sheet."""
    name: str
    pictures: tuple[str, ...]
    """Names of the files; several for a contest on several pages."""
    is_decided: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with everything behind it."""

    id: str
    contest: str
    label: str
    votes: int
    percent: str
    crops: tuple[Crop, ...]

    @property
    def pages(self) -> int:
        """How many pages its crops fill; one at the least."""
        return max(1, ceil(len(self.crops) / CROPS_ON_PAGE))

    def page(self, number: int) -> str:
        """The file of one of them."""
        return f"{self.id}-{number}.html"


def figures_of_count(
    forms: Sequence[Form],
    tally: TallyFile,
    sheets: Sequence[SheetEvidence],
    pictures: Mapping[str, Sequence[PagePicture]],
    hidden: Hidden,
) -> Iterator[Figure]:
    """Every figure of every contest, each with as many answers behind it as it says."""
    valid = [sheet for sheet in sheets if sheet.standing is Standing.VALID]
    for place, (form, sums) in enumerate(zip(forms, tally.forms, strict=True), start=1):
        own = [sheet for sheet in valid if sheet.form.id == form.id]
        for turn, (contest, figures) in enumerate(
            zip(form.contests, sums.contests, strict=True), start=1
        ):
            if (form.id, contest.id) in hidden:
                continue
            behind: defaultdict[str, list[Crop]] = defaultdict(list)
            for sheet in own:
                vote = next(one for one in sheet.final.votes if one.contest == contest.id)
                names = tuple(
                    page.crops[contest.id]
                    for page in pictures[sheet.key]
                    if contest.id in page.crops
                )
                crop = Crop(sheet.key, sheet.name, names, vote.is_decided)
                for group in _groups_of(vote):
                    behind[group].append(crop)
            yield from _figures_of(f"f{place}-c{turn}", contest, figures, tally, sums, behind)


def _figures_of(
    stem: str,
    contest: Contest,
    figures: TallyContest,
    tally: TallyFile,
    own: TallyForm,
    behind: Mapping[str, Sequence[Crop]],
) -> Iterator[Figure]:
    whole = tally.whole(own, figures)
    rows = [(f"option {one.id}", one.label, one.votes) for one in figures.options]
    rows.append((str(ContestState.BLANK), describe(ContestState.BLANK), figures.blank))
    rows.append((str(ContestState.OVERVOTE), describe(ContestState.OVERVOTE), figures.overvote))
    options, rest = answer_shares(
        [one.votes for one in figures.options],
        [figures.blank, figures.overvote],
        whole,
        tally.rule,
        most=figures.max,
    )
    for number, ((group, label, votes), percent) in enumerate(
        zip(rows, [*options, *rest], strict=True), start=1
    ):
        crops = tuple(behind.get(group, ()))
        if len(crops) != votes:
            raise TallyMismatchError(
                _("Behind {figure} there are {shown} answers instead of {votes}.").format(
                    figure=f"{contest.id}/{label}", shown=len(crops), votes=votes
                )
            )
        title = contest.title or contest.id
        text = percent_text(percent, current_language()) if percent is not None else ""
        yield Figure(f"{stem}-o{number}", title, label, votes, text, crops)


def _groups_of(vote: CastVote) -> list[str]:
    if vote.state in {ContestState.BLANK, ContestState.OVERVOTE}:
        return [str(vote.state)]
    return [f"option {option}" for option in vote.options]
