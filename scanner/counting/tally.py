"""Cast vote records become sums, and the sums show how they close.

Counted are valid sheets: those that are clean or decided, and that no rule of the count makes
void. A sheet in review gives no vote to anyone until a person has decided; as long as there is
one, the tally is provisional.

For every contest of a form:

* with one choice: options + blank + overvote = counted sheets;
* with ``max`` choices: votes + undervotes + overvotes × max = max × counted sheets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from scanner.ballot import ContestState, Reason, SheetStatus
from scanner.forms.template import Contest, Form

COUNTED = frozenset({SheetStatus.CLEAN, SheetStatus.DECIDED})
"""Sheets with an answer to every contest; counted unless a rule makes them void."""

REFUSED_BY_PERSON = "refused_by_person"
"""Stands beside the reasons for a sheet that a person has refused."""

NOT_PAPER = frozenset({Reason.BLANK_PAGE, Reason.FOREIGN_SHEET, Reason.COPY_OF_SHEET})
"""Refused for one of these, it is no sheet that was collected: the unprinted back of a leaf, what
is no ballot of this count, a second scan of a sheet."""

BY_MACHINE = frozenset(
    {
        Reason.UNKNOWN_FORM,
        Reason.UNREADABLE_FILE,
        Reason.ENCRYPTED_FILE,
        Reason.IMAGE_TOO_LARGE,
    }
)
"""Papers that were refused before any person saw them."""


class Standing(StrEnum):
    """What became of one sheet."""

    VALID = "valid"
    VOID = "void"
    IN_REVIEW = "in_review"
    """Counts for nobody until a person has decided."""
    NOT_PAPER = "not_paper"
    """No paper that was collected: an unprinted back, a copy, something foreign set aside."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one sheet, and why unless it is valid or in doubt."""

    standing: Standing
    reason: str = ""
    """A reason, or :data:`REFUSED_BY_PERSON`."""


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
    void: str = ""
    """Why a rule of the count makes it void; empty where none does."""

    @property
    def standing(self) -> Standing:
        """What became of it."""
        if self.status is SheetStatus.IN_DOUBT:
            return Standing.IN_REVIEW
        if self.status is not SheetStatus.REFUSED:
            return Standing.VOID if self.void else Standing.VALID
        if self.refusal in NOT_PAPER:
            return Standing.NOT_PAPER
        waits = self.refusal in BY_MACHINE and not self.void
        return Standing.IN_REVIEW if waits else Standing.VOID

    @property
    def judged(self) -> Judged:
        """The same with its reason."""
        return Judged(self.standing, self.void or self.refusal)


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
    void: int = 0
    """Of those that are clean or decided: void by a rule of the count."""
    refused: int = 0
    """By a person."""

    @property
    def counted(self) -> int:
        """Valid sheets, whose votes are added up."""
        return self.clean + self.decided - self.void


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
    standings: dict[Standing, int] = field(default_factory=dict)
    """How many sheets are valid, void, in review, and no paper; no entry where there is none."""
    void_by_reason: dict[str, int] = field(default_factory=dict)
    hand_count: int | None = None

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
        return self.standings.get(Standing.NOT_PAPER, 0)

    @property
    def valid(self) -> int:
        """Sheets whose votes are added up."""
        return self.standings.get(Standing.VALID, 0)

    @property
    def void(self) -> int:
        """Sheets that count for nobody: refused by a person, or void by a rule."""
        return self.standings.get(Standing.VOID, 0)

    @property
    def in_review(self) -> int:
        """Sheets that wait for a person: in doubt, or refused by the machine alone."""
        return self.standings.get(Standing.IN_REVIEW, 0)

    def returned(self, form: FormTally) -> int:
        """Papers of a form that came back: as told, else as counted by hand, else as scanned.

        A count of one form has all papers; where there are several, nobody has told of which form
        they were, so it is those that were read as this one.
        """
        if len(self.forms) > 1:
            return form.clean + form.decided + form.in_doubt + form.refused
        told = (self.collected, self.hand_count)
        papers = self.scanned - self.not_paper
        return next((figure for figure in told if figure is not None), papers)

    @property
    def is_provisional(self) -> bool:
        """True as long as a sheet waits for a person."""
        return self.in_review > 0

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
        self._standings: Counter[Standing] = Counter()
        self._void: Counter[str] = Counter()
        self._void_by_rule: Counter[str | None] = Counter()
        self._votes: dict[tuple[str, str], Counter[str | ContestState]] = {}

    def add(self, record: CastVoteRecord, times: int = 1) -> None:
        """Add one sheet so many times; -1 takes it away."""
        self.add_sheets(record, times)
        if record.standing is Standing.VALID:
            for vote in record.votes:
                self.add_votes(record.form or "", vote, times)

    def add_sheets(self, record: CastVoteRecord, times: int) -> None:
        """Add so many sheets that stand alike, without their votes; below 0 takes them away."""
        self._statuses[record.form, record.status] += times
        self._standings[record.standing] += times
        if record.standing is Standing.VOID:
            self._void[record.judged.reason] += times
        if record.status is SheetStatus.REFUSED:
            self._refusals[record.refusal] += times
        elif record.standing is Standing.VOID:
            self._void_by_rule[record.form] += times

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
        self,
        forms: Sequence[Form],
        *,
        issued: int | None = None,
        collected: int | None = None,
        hand_count: int | None = None,
    ) -> Tally:
        """What has been added so far.

        Args:
            forms: The forms of the count.
            issued: Papers handed out, if it is known.
            collected: Papers taken back, if it is known.
            hand_count: Papers counted by hand, if it is known.
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
            standings={one: n for one in Standing if (n := self._standings[one])},
            void_by_reason={why: n for why, n in sorted(self._void.items()) if n},
            hand_count=hand_count,
            forms=tuple(
                FormTally(
                    form=form.id,
                    clean=self._statuses[form.id, SheetStatus.CLEAN],
                    decided=self._statuses[form.id, SheetStatus.DECIDED],
                    in_doubt=self._statuses[form.id, SheetStatus.IN_DOUBT],
                    contests=tuple(self._contest(form, contest) for contest in form.contests),
                    void=self._void_by_rule[form.id],
                    refused=self._statuses[form.id, SheetStatus.REFUSED],
                )
                for form in forms
            ),
        )

    def _contest(self, form: Form, contest: Contest) -> ContestTally:
        sums = self._votes.get((form.id, contest.id), Counter())
        options = {option.id: sums[f"option {option.id}"] for option in contest.options}
        read = sum(self._statuses[form.id, status] for status in COUNTED)
        states = (ContestState.VOTED, ContestState.UNDERVOTE, ContestState.BLANK)
        answered = sum(sums[state] for state in states)
        return ContestTally(
            contest=contest.id,
            max=contest.max,
            options=options,
            blank=sums[ContestState.BLANK],
            overvote=sums[ContestState.OVERVOTE],
            undervotes=contest.max * answered - sum(options.values()),
            in_doubt=self._statuses[form.id, SheetStatus.IN_DOUBT],
            counted=read - self._void_by_rule[form.id],
        )


def add_up(
    records: Iterable[CastVoteRecord],
    forms: Sequence[Form],
    *,
    issued: int | None = None,
    collected: int | None = None,
    hand_count: int | None = None,
) -> Tally:
    """Add the final votes up.

    Args:
        records: One for each sheet of the count, in any order.
        forms: The forms of the count.
        issued: Papers handed out, if it is known.
        collected: Papers taken back, if it is known.
        hand_count: Papers counted by hand, if it is known.
    """
    sums = Sums()
    for record in records:
        sums.add(record)
    return sums.tally(forms, issued=issued, collected=collected, hand_count=hand_count)


def percent(part: int, whole: int) -> int:
    """The share in whole percent, halves up: 19 of 38 is 50, 23 of 38 is 61; 0 of 0 is 0.

    Integers only, so that no binary fraction decides a half.
    """
    return (200 * part + whole) // (2 * whole) if whole else 0
