"""Cast vote records become sums, and the sums show how they close.

Counted sheets are those that are clean or decided. A sheet in doubt gives no vote to anyone
until a person has decided; as long as there is one, the tally is provisional.

For every contest of a form:

* with one choice: options + blank + overvote = counted sheets;
* with ``max`` choices: votes + undervotes + overvotes × max = max × counted sheets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scanner.ballot import ContestState, Reason, SheetStatus
from scanner.forms.template import Contest, Form

COUNTED = frozenset({SheetStatus.CLEAN, SheetStatus.DECIDED})
"""Sheets whose votes are added up."""

REFUSED_BY_PERSON = "refused_by_person"
"""Stands beside the reasons for a sheet that a person has refused."""

NOT_PAPER = frozenset({Reason.BLANK_PAGE, Reason.FOREIGN_SHEET, Reason.COPY_OF_SHEET})
"""Refused for one of these, it is no sheet that was collected: the unprinted back of a leaf, what
is no ballot of this count, a second scan of a sheet."""


@dataclass(frozen=True, slots=True)
class CastVote:
    """The final answer to one contest of one sheet."""

    contest: str
    state: ContestState
    options: tuple[str, ...] = ()
    """The options that count: empty for a blank, an overvote and a contest in doubt."""
    is_decided: bool = False
    """True where a person decided, false where it stands as read."""


@dataclass(frozen=True, slots=True)
class CastVoteRecord:
    """The final votes of one sheet."""

    sheet: int
    form: str | None
    status: SheetStatus
    votes: tuple[CastVote, ...] = ()
    refusal: str = ""
    """Why it is refused: a reason, or :data:`REFUSED_BY_PERSON`."""


@dataclass(frozen=True, slots=True)
class ContestTally:
    """The sums of one contest."""

    contest: str
    max: int
    options: dict[str, int]
    """Votes by option id, in printed order."""
    blank: int
    """Counted sheets with no answer."""
    overvote: int
    """Counted sheets with more options than allowed; none of them counts."""
    undervotes: int
    """Choices that counted sheets left unused, those of blank answers included."""
    in_doubt: int
    """Sheets of the form that wait for a person; in none of the other figures."""
    counted: int

    @property
    def closes(self) -> bool:
        """True if every choice of every counted sheet is accounted for."""
        votes = sum(self.options.values())
        whole = votes + self.undervotes + self.overvote * self.max == self.max * self.counted
        single = self.max > 1 or votes + self.blank + self.overvote == self.counted
        return whole and single


@dataclass(frozen=True, slots=True)
class FormTally:
    """The sums of one form."""

    form: str
    clean: int
    decided: int
    in_doubt: int
    contests: tuple[ContestTally, ...]

    @property
    def counted(self) -> int:
        """Sheets whose votes are added up."""
        return self.clean + self.decided


@dataclass(frozen=True, slots=True)
class Tally:
    """The sums of a count, and how they close."""

    issued: int | None
    collected: int | None
    clean: int
    decided: int
    in_doubt: int
    refused: int
    refused_by_reason: dict[str, int] = field(default_factory=dict)
    forms: tuple[FormTally, ...] = ()

    @property
    def scanned(self) -> int:
        """Every sheet that came in; a refused page is a sheet of its own."""
        return self.clean + self.decided + self.in_doubt + self.refused

    @property
    def blank_pages(self) -> int:
        """Of the refused: unprinted pages, such as the backs of one-sided paper."""
        return self.refused_by_reason.get(Reason.BLANK_PAGE, 0)

    @property
    def not_paper(self) -> int:
        """Of the refused: what is no sheet that was collected."""
        return sum(self.refused_by_reason.get(reason, 0) for reason in NOT_PAPER)

    @property
    def counted(self) -> int:
        """Sheets whose votes are added up."""
        return self.clean + self.decided

    @property
    def is_provisional(self) -> bool:
        """True as long as a sheet waits for a person."""
        return self.in_doubt > 0

    @property
    def closes(self) -> bool:
        """True if the sums of every contest are whole and the papers are all there."""
        return not self.gaps()

    def gaps(self) -> list[Gap]:
        """Everything that does not add up."""
        gaps = []
        papers = self.scanned - self.not_paper
        if self.issued is not None and self.collected is not None and self.collected > self.issued:
            gaps.append(Gap("collected", "issued", self.collected, self.issued))
        if self.collected is not None and papers != self.collected:
            gaps.append(Gap("scanned", "collected", papers, self.collected))
        if self.collected is None and self.issued is not None and papers > self.issued:
            gaps.append(Gap("scanned", "issued", papers, self.issued))
        for form in self.forms:
            gaps += [
                Gap(f"{form.form}/{contest.contest}", "counted", sum(contest.options.values()),
                    contest.counted)
                for contest in form.contests
                if not contest.closes
            ]  # fmt: skip
        return gaps


@dataclass(frozen=True, slots=True)
class Gap:
    """Two figures that ought to agree and do not."""

    what: str
    other: str
    figure: int
    other_figure: int


class Sums:
    """Final votes as they are added up; what was added can be taken away again."""

    def __init__(self) -> None:
        self._statuses: Counter[tuple[str | None, SheetStatus]] = Counter()
        self._refusals: Counter[str] = Counter()
        self._votes: dict[tuple[str, str], Counter[str | ContestState]] = {}

    def add(self, record: CastVoteRecord, times: int = 1) -> None:
        """Add one sheet so many times; -1 takes it away."""
        self.add_sheets(record.form, record.status, times, record.refusal)
        if record.status in COUNTED:
            for vote in record.votes:
                self.add_votes(record.form or "", vote, times)

    def add_sheets(
        self, form: str | None, status: SheetStatus, times: int, refusal: str = ""
    ) -> None:
        """Add so many sheets without their votes.

        Args:
            form: Their form.
            status: Where they stand.
            times: How many; below 0 to take them away.
            refusal: Why they are refused, if they are.
        """
        self._statuses[form, status] += times
        if status is SheetStatus.REFUSED:
            self._refusals[refusal] += times

    def add_votes(self, form: str, vote: CastVote, times: int) -> None:
        """Add the same answer of so many counted sheets; below 0 takes it away."""
        sums = self._votes.setdefault((form, vote.contest), Counter())
        for option in vote.options:
            sums[f"option {option}"] += times
        sums[vote.state] += times

    def votes(self, form: str, contest: Contest) -> dict[str, int]:
        """The votes of each option of a contest."""
        sums = self._votes.get((form, contest.id), Counter())
        return {option.id: sums[f"option {option.id}"] for option in contest.options}

    def tally(
        self, forms: Sequence[Form], *, issued: int | None = None, collected: int | None = None
    ) -> Tally:
        """What has been added so far.

        Args:
            forms: The forms of the count.
            issued: Papers handed out, if it is known.
            collected: Papers taken back, if it is known.
        """
        total: Counter[SheetStatus] = Counter()
        for (_, status), number in self._statuses.items():
            total[status] += number
        return Tally(
            issued=issued,
            collected=collected,
            clean=total[SheetStatus.CLEAN],
            decided=total[SheetStatus.DECIDED],
            in_doubt=total[SheetStatus.IN_DOUBT],
            refused=total[SheetStatus.REFUSED],
            refused_by_reason={why: n for why, n in sorted(self._refusals.items()) if n},
            forms=tuple(
                FormTally(
                    form=form.id,
                    clean=self._statuses[form.id, SheetStatus.CLEAN],
                    decided=self._statuses[form.id, SheetStatus.DECIDED],
                    in_doubt=self._statuses[form.id, SheetStatus.IN_DOUBT],
                    contests=tuple(
                        _contest_tally(form, contest, self._statuses, self._votes)
                        for contest in form.contests
                    ),
                )
                for form in forms
            ),
        )


def add_up(
    records: Iterable[CastVoteRecord],
    forms: Sequence[Form],
    *,
    issued: int | None = None,
    collected: int | None = None,
) -> Tally:
    """Add the final votes up.

    Args:
        records: One for each sheet of the count, in any order.
        forms: The forms of the count.
        issued: Papers handed out, if it is known.
        collected: Papers taken back, if it is known.
    """
    sums = Sums()
    for record in records:
        sums.add(record)
    return sums.tally(forms, issued=issued, collected=collected)


def _contest_tally(
    form: Form,
    contest: Contest,
    statuses: Counter[tuple[str | None, SheetStatus]],
    votes: dict[tuple[str, str], Counter[str | ContestState]],
) -> ContestTally:
    sums = votes.get((form.id, contest.id), Counter())
    options = {option.id: sums[f"option {option.id}"] for option in contest.options}
    counted = sum(statuses[form.id, status] for status in COUNTED)
    overvote = sums[ContestState.OVERVOTE]
    answered = sum(
        sums[state] for state in (ContestState.VOTED, ContestState.UNDERVOTE, ContestState.BLANK)
    )
    return ContestTally(
        contest=contest.id,
        max=contest.max,
        options=options,
        blank=sums[ContestState.BLANK],
        overvote=overvote,
        undervotes=contest.max * answered - sum(options.values()),
        in_doubt=statuses[form.id, SheetStatus.IN_DOUBT],
        counted=counted,
    )


def percent(part: int, whole: int) -> int:
    """The share in whole percent, halves up: 19 of 38 is 50, 23 of 38 is 61; 0 of 0 is 0.

    Integers only, so that no binary fraction decides a half.
    """
    return (200 * part + whole) // (2 * whole) if whole else 0
