"""A random check of the machine: a public draw, readings by a person, the error with its interval.

The draw is the one of Rivest's "sampler" (2011), which anybody can repeat by hand or with any
program that computes SHA-256. The targets of which the machine was sure are numbered from 1 to
``population`` in the order in which they are counted. The pick ``k`` is

    int(SHA-256(seed + "," + k), 16) % population + 1

for ``k`` = 1, 2, 3, … with all in decimal digits; a number that was drawn before is passed over.
Nobody can choose the sample who does not know the seed beforehand, so the seed is thrown in public
after the population was published.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from scipy.special import betaincinv

from scanner.ballot import MarkState
from scanner.counting.tally import COUNTED, CastVoteRecord
from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _

SUGGESTED_DIGITS = 20
"""So many digits of dice leave about as many draws as 52 throws of a coin: nobody tries them."""
MOST_DIGITS = 200
MOST_DRAWN = 5000
CONFIDENCE = 0.95


TargetName = tuple[int, str, str]
"""Sheet, contest and option."""


class Seen(StrEnum):
    """What a person sees at a target, without knowing what the machine read."""

    MARKED = "marked"
    UNMARKED = "unmarked"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class SureTarget:
    """A target of which the machine was sure, on a sheet that counts."""

    sheet: int
    contest: str
    option: str
    state: MarkState
    """Marked or unmarked, never doubtful."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw of a count."""

    id: int
    seed: str
    population: Population
    drawn: int
    who: str
    at: datetime
    """With its time zone."""
    end: End | None = None
    """None as long as it is being read."""

    @property
    def is_open(self) -> bool:
        """Whether readings are still taken: afterwards what the machine read is shown."""
        return self.end is None


@dataclass(frozen=True, slots=True)
class End:
    """A check that was brought to its end, with what came of it."""

    figures: Figures
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DrawnTarget:
    """A target that was drawn, and what a person sees there."""

    place: int
    """In the order of the draw, from 0."""
    target: SureTarget
    seen: Seen | None = None
    """The latest reading; None where nobody has looked yet."""

    @property
    def is_wrong(self) -> bool:
        """Whether a person sees the opposite of what the machine had read."""
        return is_wrong(self.target.state, self.seen)


@dataclass(frozen=True, slots=True)
class Population:
    """What is drawn from, as it is published before the seed is thrown."""

    size: int
    fingerprint: str
    """SHA-256 over all lines, as :func:`fingerprint` takes it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Limits of a share, both in 0..1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Errors:
    """What a person found at the targets that were read in one way."""

    drawn: int
    right: int
    wrong: int
    cannot_tell: int

    @property
    def read(self) -> int:
        """At how many a person saw something that agrees or disagrees."""
        return self.right + self.wrong

    @property
    def interval(self) -> Interval:
        """Between which limits the share of errors lies, with 95 % confidence."""
        return exact_interval(self.wrong, self.read)

    @property
    def worst(self) -> Interval:
        """The same, if the machine was wrong wherever the person could not tell."""
        return exact_interval(self.wrong + self.cannot_tell, self.read + self.cannot_tell)


@dataclass(frozen=True, slots=True)
class Figures:
    """The outcome of a check, for the page and for a report."""

    marked: Errors
    """At targets that the machine had read as marked."""
    unmarked: Errors

    def to_plain(self) -> dict[str, dict[str, int]]:
        """For the record; :meth:`from_plain` gives equal figures back."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: Mapping[str, Mapping[str, int]]) -> Self:
        """The figures that :meth:`to_plain` gave."""
        return cls(Errors(**data["marked"]), Errors(**data["unmarked"]))

    @property
    def all(self) -> Errors:
        """At all targets together."""
        one, other = self.marked, self.unmarked
        return Errors(
            one.drawn + other.drawn,
            one.right + other.right,
            one.wrong + other.wrong,
            one.cannot_tell + other.cannot_tell,
        )


def choose_sure(
    unclean: Iterable[CastVoteRecord], targets: Iterable[SureTarget]
) -> Iterator[SureTarget]:
    """The targets that a check draws from, in their order.

    Those of counted sheets, but for contests that a person has decided: there the person's answer
    counts and not what the machine read. Sheets that are void by rule are among them: what the
    machine read may be what makes them so.

    Args:
        unclean: The final votes of every sheet that may not be clean; any other sheet is.
        targets: All targets of which the machine was sure, by sheet, page and place.
    """
    waiting: set[int] = set()
    decided: set[tuple[int, str]] = set()
    for record in unclean:
        if record.status not in COUNTED:
            waiting.add(record.sheet)
        decided.update((record.sheet, vote.contest) for vote in record.votes if vote.is_decided)
    return (
        target
        for target in targets
        if target.sheet not in waiting and (target.sheet, target.contest) not in decided
    )


def clean_seed(text: str) -> str:
    """The digits of a seed as it was typed, without the spaces between the throws.

    Raises:
        BadArgumentsError: There is something else in it than digits, or there are none, or more
            than :data:`MOST_DIGITS`.
    """
    seed = re.sub(r"\s+", "", text)
    if not re.fullmatch(rf"[0-9]{{1,{MOST_DIGITS}}}", seed):
        raise BadArgumentsError(
            _("A seed is made of digits, {most} at most.").format(most=MOST_DIGITS),
            remedy=_("Throw dice in public, and type what they show, one digit after the other."),
        )
    return seed


def check_number(drawn: int, population: int) -> None:
    """See that so many can be drawn.

    Raises:
        BadArgumentsError: None are to be drawn, too many, or more than there are.
    """
    most = min(population, MOST_DRAWN)
    if not 1 <= drawn <= most:
        raise BadArgumentsError(
            _("From 1 to {most} boxes can be drawn here.").format(most=most),
            remedy=_("Choose another number."),
        )


def draw(seed: str, drawn: int, population: int) -> list[int]:
    """The numbers drawn, from 1 to ``population``, in the order in which they are drawn.

    The first numbers of a longer draw with the same seed are the shorter draw.

    Args:
        seed: Digits.
        drawn: How many.
        population: How many there are to draw from.

    Raises:
        BadArgumentsError: As :func:`check_number`.
    """
    check_number(drawn, population)
    found: dict[int, None] = {}
    count = 0
    while len(found) < drawn:
        count += 1
        found.setdefault(pick(seed, count, population), None)
    return list(found)


def pick(seed: str, count: int, population: int) -> int:
    """The pick of that count, from 1 to ``population``."""
    return int(hashlib.sha256(f"{seed},{count}".encode()).hexdigest(), 16) % population + 1


def list_lines(targets: Iterable[SureTarget]) -> Iterator[str]:
    """The list that is drawn from: number, sheet, contest and option, without what was read.

    Each line is a JSON array and ends with a line feed, the last one too.
    """
    for number, target in enumerate(targets, start=1):
        line = [number, target.sheet, target.contest, target.option]
        yield json.dumps(line, ensure_ascii=False) + "\n"


def fingerprint(targets: Iterable[SureTarget]) -> Population:
    """How many targets there are, and the SHA-256 of their list in UTF-8."""
    return fingerprint_lines(list_lines(targets))


def fingerprint_lines(lines: Iterable[str]) -> Population:
    """The same of the lines of such a list."""
    digest = hashlib.sha256()
    size = 0
    for line in lines:
        digest.update(line.encode())
        size += 1
    return Population(size, digest.hexdigest())


def take(lines: Iterable[str], numbers: Iterable[int]) -> list[TargetName]:
    """The targets of some numbers in a list, in the order of the numbers."""
    wanted = {number: place for place, number in enumerate(numbers)}
    found = []
    for number, line in enumerate(lines, start=1):
        if number in wanted:
            _number, sheet, contest, option = json.loads(line)
            found.append((wanted[number], (sheet, contest, option)))
    return [name for _place, name in sorted(found)]


def compare(readings: Iterable[tuple[MarkState, Seen | None]]) -> Figures:
    """The figures of a check.

    Args:
        readings: For each target drawn what the machine had read, and what the person saw; None
            where nobody has looked.
    """
    pairs = list(readings)
    return Figures(_errors(pairs, MarkState.MARKED), _errors(pairs, MarkState.UNMARKED))


def is_wrong(state: MarkState, verdict: Seen | None) -> bool:
    """Whether a person saw the opposite of what the machine had read."""
    opposite = {MarkState.MARKED: Seen.UNMARKED, MarkState.UNMARKED: Seen.MARKED}
    return verdict is not None and opposite.get(state) is verdict


def exact_interval(wrong: int, read: int, confidence: float = CONFIDENCE) -> Interval:
    """The exact interval of a share (Clopper and Pearson, 1934).

    Whatever the true share, the interval holds it with at least this confidence. It is that of
    drawing with replacement, and so a little wide for a draw without.

    Args:
        wrong: How many of them are so.
        read: Of how many.
        confidence: Between 0 and 1.
    """
    tail = (1 - confidence) / 2
    low = float(betaincinv(wrong, read - wrong + 1, tail)) if wrong else 0.0
    high = float(betaincinv(wrong + 1, read - wrong, 1 - tail)) if wrong < read else 1.0
    return Interval(low, high)


def _errors(pairs: list[tuple[MarkState, Seen | None]], state: MarkState) -> Errors:
    seen = [verdict for read, verdict in pairs if read is state]
    wrong = sum(is_wrong(state, verdict) for verdict in seen)
    unclear = seen.count(Seen.CANNOT_TELL)
    looked_at = len(seen) - seen.count(None)
    return Errors(len(seen), looked_at - wrong - unclear, wrong, unclear)
