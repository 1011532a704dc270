"""Does the count close? Every paper that was handed out and came back is accounted for.

For each batch and for the count as a whole::

    issued >= collected = hand count = scanned = valid + void + in review

Figures that nobody has told are left out of the chain; but papers that nobody has counted by hand
prove nothing, so without any such figure the count is not final. Until the chain holds, no final
document is made, unless two people take it upon themselves, with a reason that stands in the
record and in the document.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from scanner.counting.people import is_same_name
from scanner.counting.tally import Judged, Standing
from scanner.errors import BadArgumentsError, CountError
from scanner.messages import gettext as _

PEOPLE_TO_OVERRIDE = 2


class PointKind(StrEnum):
    """Why a count is not final."""

    DIFFERS = "differs"
    """Two figures that ought to be the same are not."""
    EXCEEDS = "exceeds"
    """A figure is greater than one that it cannot exceed."""
    NOT_COUNTED = "not_counted"
    """Nobody has told how many papers there are."""
    IN_REVIEW = "in_review"
    """Sheets wait for a person."""
    UNFINISHED = "unfinished"
    """A scan was broken off."""


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """One reason why a count is not final."""

    kind: PointKind
    batch: int | None = None
    """None for the count as a whole."""
    what: str = ""
    """Name of a figure of :class:`Account`, or ``batches`` for their sum."""
    figure: int = 0
    other: str = ""
    other_figure: int = 0


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What people say about the papers of one batch; nothing of it can be read from a scan."""

    issued: int | None = None
    collected: int | None = None
    hand_count: int | None = None
    """Papers counted by hand before they were scanned."""
    channel: str = ""
    """How they came: box, post, online."""
    day: str = ""
    """When they came, as year-month-day; empty for the day of the scan."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the papers of one batch went, or those of the whole count."""

    batch: int | None = None
    """None for the count as a whole."""
    issued: int | None = None
    collected: int | None = None
    hand_count: int | None = None
    scanned: int = 0
    """Papers that came out of the scanner; unprinted backs, copies and what was set aside as
    foreign are none."""
    valid: int = 0
    void: int = 0
    in_review: int = 0
    not_paper: int = 0
    void_by_reason: Mapping[str, int] = field(default_factory=dict)

    @property
    def returned(self) -> int:
        """Papers that came back: as told, else as counted by hand, else as scanned."""
        told = (self.collected, self.hand_count)
        return next((figure for figure in told if figure is not None), self.scanned)

    @property
    def accounted(self) -> int:
        """Papers of which it is known what became of them."""
        return self.valid + self.void + self.in_review

    def points(self) -> list[OpenPoint]:
        """What does not agree."""
        chain = [
            (name, figure)
            for name, figure in (
                ("collected", self.collected),
                ("hand_count", self.hand_count),
                ("scanned", self.scanned),
                ("accounted", self.accounted),
            )
            if figure is not None
        ]
        first, figure = chain[0]
        found = []
        if self.issued is not None and figure > self.issued:
            found.append(
                OpenPoint(PointKind.EXCEEDS, self.batch, first, figure, "issued", self.issued)
            )
        for (one, its), (next_, its_next) in pairwise(chain):
            if its != its_next:
                found.append(OpenPoint(PointKind.DIFFERS, self.batch, one, its, next_, its_next))
        return found


@dataclass(frozen=True, slots=True)
class Override:
    """One person lets a count pass as it stands."""

    by: str
    why: str
    at: datetime
    """With its time zone."""
    points: str
    """Which open points, as :func:`fingerprint` writes it."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How a count closes: the whole, its batches, and what is open."""

    whole: Account
    batches: tuple[Account, ...] = ()
    open_points: tuple[OpenPoint, ...] = ()
    overrides: tuple[Override, ...] = ()
    """Those that are about exactly these open points, one of each person."""

    @property
    def closes(self) -> bool:
        """Whether no figures disagree."""
        disagree = {PointKind.DIFFERS, PointKind.EXCEEDS}
        return not any(point.kind in disagree for point in self.open_points)

    @property
    def is_overridden(self) -> bool:
        """Whether two people have let pass what is open."""
        return bool(self.open_points) and len(self.overrides) >= PEOPLE_TO_OVERRIDE

    @property
    def is_final(self) -> bool:
        """Whether final documents may be made."""
        return not self.open_points or self.is_overridden


def reconcile(
    judged: Iterable[tuple[int, Judged]],
    facts: Mapping[int, BatchFacts],
    told: BatchFacts = BatchFacts(),
    *,
    sheets: Mapping[int, int] | None = None,
    overrides: Sequence[Override] = (),
    is_unfinished: bool = False,
) -> Closing:
    """Set the figures of papers against each other.

    Args:
        judged: For every sheet the number of its batch, and what became of it.
        facts: What is told of each batch; of every batch of the count, also of an empty one.
        told: What is told of the count as a whole; where a figure of papers is missing there and
            every batch has it, it is their sum.
        sheets: How many sheets each batch has, counted otherwise than one by one; those that are
            no paper are among them. None takes those that were judged.
        overrides: All that were ever made, oldest first.
        is_unfinished: Whether a scan was broken off.
    """
    standings: dict[int, Counter[Standing]] = {batch: Counter() for batch in facts}
    reasons: dict[int, Counter[str]] = {batch: Counter() for batch in facts}
    for batch, one in judged:
        standings.setdefault(batch, Counter())[one.standing] += 1
        if one.standing is Standing.VOID:
            reasons.setdefault(batch, Counter())[one.reason] += 1
    batches = tuple(
        _account(
            facts.get(batch, BatchFacts()),
            own,
            reasons.get(batch, Counter()),
            batch=batch,
            sheets=own.total() if sheets is None else sheets.get(batch, 0),
        )
        for batch, own in sorted(standings.items())
    )
    whole = add_accounts(batches, told)
    points = tuple(_open_points(whole, batches, told, is_unfinished=is_unfinished))
    return Closing(whole, batches, points, _standing_overrides(overrides, fingerprint(points)))


def add_accounts(accounts: Sequence[Account], told: BatchFacts = BatchFacts()) -> Account:
    """Several batches, or counts, as one.

    Args:
        accounts: What is added up; in any order, and split in any way, the sums are the same.
        told: What is told of the whole; it goes before the sum.
    """
    void: Counter[str] = Counter()
    for account in accounts:
        void.update(account.void_by_reason)
    parts = [BatchFacts(one.issued, one.collected, one.hand_count) for one in accounts]
    whole = told_in_all(dict(enumerate(parts)), told)
    return Account(
        issued=whole.issued,
        collected=whole.collected,
        hand_count=whole.hand_count,
        scanned=sum(one.scanned for one in accounts),
        valid=sum(one.valid for one in accounts),
        void=sum(one.void for one in accounts),
        in_review=sum(one.in_review for one in accounts),
        not_paper=sum(one.not_paper for one in accounts),
        void_by_reason=dict(sorted(void.items())),
    )


def told_in_all(batches: Mapping[int, BatchFacts], told: BatchFacts) -> BatchFacts:
    """What is told of the papers of a count: of itself, else in sum where every batch has it.

    Args:
        batches: What is told of each batch.
        told: What is told of the count as a whole.
    """
    parts = [*batches.values()]
    return BatchFacts(
        _told_or_sum(told.issued, [one.issued for one in parts]),
        _told_or_sum(told.collected, [one.collected for one in parts]),
        _told_or_sum(told.hand_count, [one.hand_count for one in parts]),
    )


def check_batch_facts(told: Mapping[str, int | str]) -> None:
    """See that what is told of a batch can be.

    Args:
        told: Fields of :class:`BatchFacts`.

    Raises:
        BadArgumentsError: A field is none, or the day is none.
    """
    if not told.keys() <= {one.name for one in fields(BatchFacts)}:
        raise BadArgumentsError(_("There is nothing to note."))
    day = str(told.get("day", "2000-01-01"))
    try:
        is_day = datetime.strptime(day, "%Y-%m-%d").date().isoformat() == day
    except ValueError:
        is_day = False
    if not is_day:
        raise BadArgumentsError(
            _("{text} is no day.").format(text=day), remedy=_("Write it like 2026-03-31.")
        )


def fingerprint(points: Sequence[OpenPoint]) -> str:
    """The open points as an override names them: whoever let these pass let no others pass.

    Returns:
        SHA-256 in hexadecimal digits; the order of the points plays no part.
    """
    lines = sorted(json.dumps(asdict(point), sort_keys=True) for point in points)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def require_final(closing: Closing, **where: Any) -> None:
    """See that final documents may be made.

    Args:
        closing: How the count closes.
        where: Goes to the error, as ``path``.

    Raises:
        CountError: The count does not close, or is not finished, and no two people let it pass.
    """
    if closing.is_final:
        return
    sentences = " ".join(map(point_in_words, closing.open_points))
    raise CountError(
        _("The count is not final. {points}").format(points=sentences),
        remedy=_(
            "Put it right, or let two people of the committee pass it with a reason:"
            " 'kiemphieu close COUNT --by NAME --why TEXT', once for each of them."
        ),
        **where,
    )


def name_of_figure(name: str) -> str:
    """A figure of papers in words, for a sentence or a table."""
    names = {
        "issued": _("issued"),
        "collected": _("collected"),
        "hand_count": _("counted by hand"),
        "scanned": _("scanned"),
        "accounted": _("valid + void + in review"),
        "batches": _("the batches together"),
    }
    return names[name]


def point_in_words(point: OpenPoint) -> str:
    """Why a count is not final, in one sentence."""
    figures = {"figure": point.figure, "other_figure": point.other_figure, "batch": point.batch}
    if point.kind is PointKind.IN_REVIEW:
        return _("Sheets that wait for a person: {figure}.").format(**figures)
    if point.kind is PointKind.NOT_COUNTED:
        return _("Nobody has told how many papers were collected or counted by hand.")
    if point.kind is PointKind.UNFINISHED:
        return _("A scan was broken off.")
    if point.batch is None:
        sentence = _("In all, {what} {figure}, but {other} {other_figure}.")
    else:
        sentence = _("In batch {batch}, {what} {figure}, but {other} {other_figure}.")
    return sentence.format(
        what=name_of_figure(point.what), other=name_of_figure(point.other), **figures
    )


def closing_in_words(account: Account) -> str:
    """The chain as one line: ``issued 100 ≥ collected 38 = scanned 38 = 37 valid + ...``.

    Where two figures do not agree, ``≠`` stands between them.
    """
    told = (("collected", account.collected), ("hand_count", account.hand_count))
    chain = [(name, figure) for name, figure in told if figure is not None]
    chain.append(("scanned", account.scanned))
    first = chain[0][1]
    line = ""
    if account.issued is not None:
        line = f"{name_of_figure('issued')} {account.issued} "
        line += "≥ " if account.issued >= first else "≱ "
    for (name, figure), (_name, next_) in zip(
        chain, [*chain[1:], ("accounted", account.accounted)], strict=True
    ):
        line += f"{name_of_figure(name)} {figure} {'=' if figure == next_ else '≠'} "
    return line + _("{valid} valid + {void} void + {in_review} in review").format(
        valid=account.valid, void=account.void, in_review=account.in_review
    )


def _account(
    facts: BatchFacts,
    standings: Counter[Standing],
    reasons: Counter[str],
    *,
    batch: int,
    sheets: int,
) -> Account:
    return Account(
        batch=batch,
        issued=facts.issued,
        collected=facts.collected,
        hand_count=facts.hand_count,
        scanned=sheets - standings[Standing.NOT_PAPER],
        valid=standings[Standing.VALID],
        void=standings[Standing.VOID],
        in_review=standings[Standing.IN_REVIEW],
        not_paper=standings[Standing.NOT_PAPER],
        void_by_reason=dict(sorted(reasons.items())),
    )


def _open_points(
    whole: Account, batches: Sequence[Account], told: BatchFacts, *, is_unfinished: bool
) -> Iterable[OpenPoint]:
    if is_unfinished:
        yield OpenPoint(PointKind.UNFINISHED)
    for batch in batches:
        yield from batch.points()
    for name in ("issued", "collected", "hand_count"):
        figure = getattr(told, name)
        parts = [getattr(batch, name) for batch in batches]
        together = _told_or_sum(None, parts)
        if figure is not None and together is not None and figure != together:
            yield OpenPoint(PointKind.DIFFERS, None, name, figure, "batches", together)
    yield from whole.points()
    if whole.collected is None and whole.hand_count is None:
        yield OpenPoint(PointKind.NOT_COUNTED)
    if whole.in_review:
        yield OpenPoint(PointKind.IN_REVIEW, figure=whole.in_review)


def _told_or_sum(told: int | None, parts: Sequence[int | None]) -> int | None:
    """What is told; else the sum, where every part is known."""
    known = [part for part in parts if part is not None]
    if told is not None or not parts or len(known) < len(parts):
        return told
    return sum(known)


def _standing_overrides(made: Sequence[Override], points: str) -> tuple[Override, ...]:
    """The first override of each person that is about these points and no others."""
    standing: list[Override] = []
    for one in made:
        if one.points == points and not any(is_same_name(one.by, had.by) for had in standing):
            standing.append(one)
    return tuple(standing)
