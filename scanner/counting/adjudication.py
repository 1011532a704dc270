"""What people decided: always added, never overwritten; the latest counts.

What the machine read stays beside every decision. A sheet in doubt becomes decided when each
contest in doubt has a decision and the doubts about the sheet as a whole are accepted. A clean
sheet may be corrected too. A decision is taken back by another one that names it; then counts what
counted before.

Two readers who gave the same answer are as one; where they differ, and where somebody asked for
it, only the committee may decide. An answer of the committee goes before those of readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from scanner.ballot import ContestReading, ContestState, Reason, SheetStatus
from scanner.counting.people import is_same_name
from scanner.counting.second_reader import ONE_READER, Readers
from scanner.counting.tally import REFUSED_BY_PERSON, CastVote, CastVoteRecord
from scanner.forms.template import Form, Rule
from scanner.reading.decide import needs_review


class Verdict(StrEnum):
    """What a person decided."""

    OPTIONS = "options"
    BLANK = "blank"
    OVERVOTE = "overvote"
    ACCEPT = "accept"
    """The sheet is one voter's and is good as read."""
    REFUSE = "refuse"
    """The sheet is not to be counted."""
    WITHDRAW = "withdraw"
    """The decision that it undoes counts no more."""
    FLAG = "flag"
    """A person wants to see this again."""
    ESCALATE = "escalate"
    """The committee must see this."""


class Stage(StrEnum):
    """As what a person decides."""

    FIRST = "first"
    SECOND = "second"
    """Without having seen what the first reader decided."""
    COMMITTEE = "committee"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision on one sheet, or on one contest of it."""

    sheet: int
    verdict: Verdict
    by: str
    why: str
    at: datetime
    """With its time zone."""
    contest: str | None = None
    """None for a decision on the sheet as a whole."""
    options: tuple[str, ...] = ()
    """The options chosen; of a flag those that it is about."""
    stage: Stage = Stage.FIRST
    note: str = ""
    crop: str = ""
    """SHA-256 of the picture that was shown, in hexadecimal digits; empty where there was none."""
    undoes: int | None = None
    """The id of the decision that counts no more, for a withdrawal."""
    id: int = field(default=0, compare=False)
    """Given by the store; decisions with a higher one are later."""


@dataclass(frozen=True, slots=True)
class SheetRecord:
    """One sheet as the machine left it."""

    sheet: int
    batch: int
    form: str | None
    reasons: tuple[Reason, ...]
    """Doubts about the sheet as a whole, or why it is refused."""
    contests: tuple[ContestReading, ...] = ()
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a person has to decide on a sheet."""

    contest: str | None
    """None for the sheet as a whole."""
    reasons: tuple[Reason, ...]
    """All there are; none where only a second reader is asked for."""
    stage: Stage
    """As what it is to be decided next."""
    is_escalated: bool = False
    """Whether a person has asked for the committee."""


CALLS = frozenset({Verdict.FLAG, Verdict.ESCALATE})
"""What asks for a decision and is none."""


def standing(decisions: Iterable[Decision]) -> list[Decision]:
    """Those of some decisions that count: neither withdrawn nor withdrawals, oldest first."""
    made = list(decisions)
    undone = {one.undoes for one in made if one.verdict is Verdict.WITHDRAW}
    return [one for one in made if one.verdict is not Verdict.WITHDRAW and one.id not in undone]


def answers(decisions: Iterable[Decision]) -> list[Decision]:
    """Those of some decisions by which something counts as it does; flags and calls do not."""
    return [one for one in standing(decisions) if one.verdict not in CALLS]


def resolve(
    record: SheetRecord,
    decisions: Sequence[Decision],
    form: Form | None,
    readers: Readers = ONE_READER,
) -> CastVoteRecord:
    """What a sheet counts as: its reading, with the latest decisions laid over it.

    Args:
        record: The sheet as read.
        decisions: All decisions on it, oldest first.
        form: The sheet's form; None for a refused page.
        readers: Which answers a second person gives as well.
    """
    if form is None:
        refusal = record.reasons[0].value if record.reasons else ""
        return CastVoteRecord(record.sheet, None, SheetStatus.REFUSED, refusal=refusal)
    made = standing(decisions)
    if _is_refused(record, made, form.rule, readers):
        return CastVoteRecord(
            record.sheet, record.form, SheetStatus.REFUSED, refusal=REFUSED_BY_PERSON
        )
    votes = tuple(
        _cast(reading, Answers.of(made, reading.contest).counts, form)
        for reading in record.contests
    )
    if open_questions(record, decisions, form.rule, readers):
        status = SheetStatus.IN_DOUBT
    else:
        status = SheetStatus.DECIDED if answers(made) else SheetStatus.CLEAN
    return CastVoteRecord(record.sheet, record.form, status, votes)


def open_doubts(
    record: SheetRecord,
    decisions: Sequence[Decision],
    rule: Rule,
    readers: Readers = ONE_READER,
) -> list[tuple[str | None, tuple[Reason, ...]]]:
    """What still needs a person: (contest, or None for the sheet as a whole; its reasons)."""
    found = open_questions(record, decisions, rule, readers)
    return [(question.contest, question.reasons) for question in found]


def open_questions(
    record: SheetRecord,
    decisions: Sequence[Decision],
    rule: Rule,
    readers: Readers = ONE_READER,
) -> list[Question]:
    """What people still have to decide on a sheet: the sheet as a whole first, then contests.

    Args:
        record: The sheet as read.
        decisions: All decisions on it, oldest first.
        rule: Its form's.
        readers: Which answers a second person gives as well.
    """
    made = standing(decisions)
    whole = _ask(record, made, rule, readers, None)
    if whole is None and _is_refused(record, made, rule, readers):
        return []
    asked = [_ask(record, made, rule, readers, reading) for reading in record.contests]
    return [question for question in (whole, *asked) if question is not None]


def stage_for(
    decision: Decision,
    record: SheetRecord,
    decisions: Sequence[Decision],
    rule: Rule,
    readers: Readers = ONE_READER,
) -> Stage:
    """As what a decision counts where its person is a reader, or one of several.

    Args:
        decision: The decision, whatever stage it names.
        record: The sheet as read.
        decisions: All decisions on it so far, oldest first.
        rule: Its form's.
        readers: Which answers a second person gives as well.

    Returns:
        :attr:`Stage.COMMITTEE` where only the committee may decide.
    """
    own = Answers.of(standing(decisions), decision.contest)
    if own.needs_committee:
        return Stage.COMMITTEE
    for given in (own.first, own.second) if not own.is_flagged else ():
        if given is not None and is_same_name(given.by, decision.by):
            return given.stage
    asked = open_questions(record, decisions, rule, readers)
    return next((one.stage for one in asked if one.contest == decision.contest), Stage.FIRST)


def as_read(reading: ContestReading) -> CastVote:
    """What a contest counts as where nobody has decided on it."""
    counts = reading.state in {ContestState.VOTED, ContestState.UNDERVOTE}
    return CastVote(reading.contest, reading.state, reading.marked if counts else ())


def disputed_contests(record: SheetRecord, made: Sequence[Decision], rule: Rule) -> set[str]:
    """The contests of a sheet whose answer is a person's or waits for one.

    Args:
        record: The sheet as read.
        made: The standing decisions on it.
        rule: Its form's.
    """
    spoken_of = {one.contest for one in made}
    if None in spoken_of or _doubts_of_machine(record, rule, None):
        return {reading.contest for reading in record.contests}
    return {
        reading.contest
        for reading in record.contests
        if reading.contest in spoken_of or _doubts_of_machine(record, rule, reading)
    }


def sheet_label(sheet: int) -> str:
    """The number of a sheet as people write it: 7 -> 0007."""
    return f"{sheet:04d}"


@dataclass(frozen=True, slots=True)
class Answers:
    """What people have said about one contest, or about a sheet as a whole."""

    first: Decision | None
    second: Decision | None
    committee: Decision | None
    flagged_at: int
    """Place of the last flag among the standing decisions on the sheet; -1 where there is none."""
    answered_at: int
    """That of the last answer; -1 where there is none."""
    is_escalated: bool
    """Handed to the committee, which has not answered since."""

    @classmethod
    def of(cls, made: Sequence[Decision], contest: str | None) -> Answers:
        """From the standing decisions on the sheet, oldest first."""
        calls = dict.fromkeys(CALLS, -1)
        own: list[tuple[int, Decision]] = []
        for place, one in enumerate(made):
            if one.contest == contest and one.verdict in CALLS:
                calls[one.verdict] = place
            elif one.contest == contest:
                own.append((place, one))
        flagged_at = calls[Verdict.FLAG]
        # What was answered before a flag counts until somebody has answered it, and no longer.
        fresh = [(place, one) for place, one in own if place > flagged_at] or own
        latest = {one.stage: (place, one) for place, one in fresh}
        places = [place for place, _one in latest.values()]
        first, second, committee = (latest.get(stage, (-1, None)) for stage in Stage)
        return cls(
            first=first[1],
            second=second[1],
            committee=committee[1],
            flagged_at=flagged_at,
            answered_at=max(places, default=-1),
            is_escalated=calls[Verdict.ESCALATE] > committee[0],
        )

    @property
    def is_flagged(self) -> bool:
        """Whether all answers are from before a flag, and somebody has to answer again."""
        return self.flagged_at > self.answered_at

    @property
    def counts(self) -> Decision | None:
        """The answer by which the contest counts."""
        return self.committee or self.first or self.second

    @property
    def differ(self) -> bool:
        """Whether two readers gave different answers, and the committee none."""
        one, other = self.first, self.second
        if self.committee is not None or one is None or other is None:
            return False
        return (one.verdict, {*one.options}) != (other.verdict, {*other.options})

    @property
    def missing(self) -> Stage | None:
        """Which of two readers has not answered yet; None where the committee has."""
        if self.committee is not None or self.counts is None:
            return None
        if self.first is None:
            return Stage.FIRST
        return Stage.SECOND if self.second is None else None

    @property
    def needs_committee(self) -> bool:
        """Whether only the committee may answer now."""
        return self.is_escalated or self.differ or self.committee is not None


def _ask(
    record: SheetRecord,
    made: Sequence[Decision],
    rule: Rule,
    readers: Readers,
    reading: ContestReading | None,
) -> Question | None:
    """What is asked about a contest, or with None about the sheet as a whole; None for nothing."""
    contest = reading.contest if reading is not None else None
    given = Answers.of(made, contest)
    is_accepted = reading is not None and _is_accepted(made, given, reading)
    is_flagged = given.is_flagged and not is_accepted
    doubts = _doubts_of_machine(record, rule, reading)
    is_open = given.counts is None and bool(doubts) and not is_accepted
    stage = None
    if given.is_escalated or given.differ or (is_flagged and given.committee is not None):
        stage = Stage.COMMITTEE
    elif is_open or is_flagged:
        stage = Stage.FIRST
    elif given.missing is not None:
        was_in_doubt = bool(doubts) or given.flagged_at >= 0 or _has_doubts(record, rule, contest)
        needs_second = readers.needs_second(record.form, contest, was_in_doubt=was_in_doubt)
        stage = given.missing if needs_second else None
    if stage is None:
        return None
    left = {Reason.FLAGGED: is_flagged, Reason.READERS_DISAGREE: given.differ}
    reasons = {*doubts, *(reason for reason, is_so in left.items() if is_so)}
    return Question(
        contest, tuple(one for one in Reason if one in reasons), stage, given.is_escalated
    )


def _doubts_of_machine(
    record: SheetRecord, rule: Rule, reading: ContestReading | None
) -> tuple[Reason, ...]:
    """Why the machine asks about a contest, or about the sheet as a whole."""
    if reading is None:
        return record.reasons if needs_review(record.reasons, rule) else ()
    is_unclear = reading.state is ContestState.IN_DOUBT
    return reading.reasons if is_unclear or needs_review(reading.reasons, rule) else ()


def _has_doubts(record: SheetRecord, rule: Rule, contest: str | None) -> bool:
    """Whether a sheet as a whole, when it is accepted or refused, has a contest in doubt."""
    return contest is None and any(
        _doubts_of_machine(record, rule, reading) for reading in record.contests
    )


def _is_accepted(made: Sequence[Decision], given: Answers, reading: ContestReading) -> bool:
    """Whether a contest stands as read because the sheet does.

    There is no reading of a contest in doubt that could stand.
    """
    whole = Answers.of(made, None)
    is_so = whole.counts is not None and whole.counts.verdict is Verdict.ACCEPT
    return (
        is_so
        and whole.answered_at > given.flagged_at
        and reading.state is not ContestState.IN_DOUBT
    )


def _is_refused(
    record: SheetRecord, made: Sequence[Decision], rule: Rule, readers: Readers
) -> bool:
    """Whether people have settled that a sheet does not count."""
    answer = Answers.of(made, None).counts
    is_so = answer is not None and answer.verdict is Verdict.REFUSE
    return is_so and _ask(record, made, rule, readers, None) is None


def _cast(reading: ContestReading, decision: Decision | None, form: Form) -> CastVote:
    if decision is None:
        return as_read(reading)
    if decision.verdict is Verdict.BLANK:
        return CastVote(reading.contest, ContestState.BLANK, is_decided=True)
    if decision.verdict is Verdict.OVERVOTE:
        return CastVote(reading.contest, ContestState.OVERVOTE, is_decided=True)
    contest = form.contest(reading.contest)
    is_full = contest is not None and len(decision.options) == contest.max
    state = ContestState.VOTED if is_full else ContestState.UNDERVOTE
    return CastVote(reading.contest, state, decision.options, is_decided=True)
