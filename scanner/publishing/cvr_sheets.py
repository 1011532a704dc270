"""One sheet as a cast vote record of NIST SP 1500-103: what was read, what it meant, who decided.

Each has two snapshots or three (sections 3.3 and 4.14 of the document):

* ``original``: every mark as the machine measured it, before any rule of a contest;
* ``interpreted``: what the marks amount to by the rules of their contests;
* ``modified``: what people made of it, where somebody decided.

A position says what is on the paper (``HasIndication``); whether that is a vote stands in
``IsAllocable``. ``CurrentSnapshotId`` names the snapshot that counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scanner.ballot import ContestState, MarkState, SheetStatus, TargetReading
from scanner.counting.adjudication import Decision, SheetRecord, answers, as_read, sheet_label
from scanner.counting.tally import CastVote, CastVoteRecord
from scanner.forms.template import Contest, Form
from scanner.publishing.paper_places import PaperPlace

Data = dict[str, Any]

INDICATIONS = {MarkState.MARKED: "yes", MarkState.UNMARKED: "no", MarkState.DOUBTFUL: "unknown"}
NEEDS_ADJUDICATION = "needs-adjudication"
INVALIDATED = "invalidated-rules"
VOID = "void: "
"""Before the reason, in the ``OtherStatus`` of a sheet that is void as a whole."""


@dataclass(frozen=True, slots=True)
class ContestIds:
    """What a contest and its options are called in the report."""

    contest: Contest
    id: str
    options: Mapping[str, str]
    """By the id that the option has in its form, in printed order."""


@dataclass(frozen=True, slots=True)
class StyleIds:
    """What the parts of a form are called in the report."""

    form: Form
    contests: Mapping[str, ContestIds]
    """By the id that the contest has in its form."""

    @classmethod
    def of(cls, number: int, form: Form) -> StyleIds:
        """Ids that are names in XML too, whatever the form calls its parts.

        Args:
            number: Of the form among those of the report, from 1.
            form: The form.
        """
        contests = {}
        for place, contest in enumerate(form.contests, start=1):
            name = f"form-{number}-contest-{place}"
            options = {
                option.id: f"{name}-option-{at}" for at, option in enumerate(contest.options, 1)
            }
            contests[contest.id] = ContestIds(contest, name, options)
        return cls(form, contests)


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """All that may be told of one sheet."""

    number: int
    """Its own; where the vote is secret a new one."""
    record: SheetRecord
    """As it was read, without contests that are hidden."""
    final: CastVoteRecord
    made: Sequence[Decision]
    """All decisions on it, oldest first."""
    targets: Sequence[TargetReading]
    images: Sequence[Data]
    place: PaperPlace | None
    """None where the vote is secret: nothing leads to the paper, or tells when it was read."""
    is_doubtful: bool
    """Whether the machine asked for a person."""
    void: str
    """Why it is void as a whole; empty where it is not."""


def sheet_data(facts: SheetFacts, style: StyleIds, ids: Mapping[str, str]) -> Data:
    """One sheet as a CVR.

    Args:
        facts: The sheet.
        style: What the parts of its form are called.
        ids: What the report calls its ``election``, its ``unit`` and its ``device``.
    """
    name = f"sheet-{sheet_label(facts.number)}"
    snapshots = _snapshots(facts, style, name)
    data = {
        "@type": "CVR.CVR",
        "ElectionId": ids["election"],
        "UniqueId": name,
        "BallotStyleId": style.form.id,
        "BallotStyleUnitId": ids["unit"],
        "CreatingDeviceId": ids["device"],
        "CurrentSnapshotId": snapshots[-1]["@id"],
        "CVRSnapshot": snapshots,
    }
    return data | (_paper(facts, facts.place) if facts.place is not None else {})


def _paper(facts: SheetFacts, place: PaperPlace) -> Data:
    """What leads from the record to the paper and its picture."""
    serial = facts.record.serial
    data: Data = {
        "BallotAuditId": serial or sheet_label(facts.record.sheet),
        "BatchId": str(place.batch),
        "BatchSequenceId": place.place,
        "BallotImage": list(facts.images),
    }
    return data | ({"BallotPrePrintedId": serial} if serial else {})


def _snapshots(facts: SheetFacts, style: StyleIds, name: str) -> list[Data]:
    """As scanned, by the rules, and as people decided; the last is the one that counts."""
    targets = _by_option(facts.targets)
    read = {vote.contest: vote for vote in map(as_read, facts.record.contests)}
    given = answers(facts.made)
    waits = facts.final.status is SheetStatus.IN_DOUBT
    contests = [style.contests[one.contest] for one in facts.record.contests]
    snapshots = [
        _snapshot(name, "original", [_as_scanned(one, targets) for one in contests]),
        _snapshot(
            name,
            "interpreted",
            [
                _as_counted(one, targets, read[one.contest.id], "" if given else facts.void)
                for one in contests
            ],
        ),
    ]
    for snapshot in snapshots:
        _flag(snapshot, needs_person=facts.is_doubtful)
    if given:
        final = {vote.contest: vote for vote in facts.final.votes}
        decided = [_as_counted(one, targets, final[one.contest.id], facts.void) for one in contests]
        shown = {None, *(one.contest.id for one in contests)}
        is_secret = facts.place is None
        notes = [_annotation(one, is_secret=is_secret) for one in given if one.contest in shown]
        snapshots.append(_snapshot(name, "modified", decided) | {"Annotation": notes})
    _flag(snapshots[-1], needs_person=waits, void=facts.void)
    return snapshots


def _snapshot(name: str, kind: str, contests: list[Data]) -> Data:
    return {
        "@id": f"{name}-{kind}",
        "@type": "CVR.CVRSnapshot",
        "Type": kind,
        "CVRContest": contests,
    }


def _flag(snapshot: Data, *, needs_person: bool, void: str = "") -> None:
    """Say that a sheet waits for a person, or is void."""
    statuses = [NEEDS_ADJUDICATION] if needs_person else []
    if void:
        statuses.append("other")
        snapshot["OtherStatus"] = VOID + void
    snapshot.pop("Status", None)
    if statuses:
        snapshot["Status"] = statuses


def _as_scanned(ids: ContestIds, targets: _Targets) -> Data:
    """A contest before its rules: every position with what was measured there."""
    selections = []
    for place, (option, name) in enumerate(ids.options.items(), start=1):
        positions = [
            {
                "@type": "CVR.SelectionPosition",
                "HasIndication": INDICATIONS[target.state],
                "NumberVotes": 1,
                "Position": number,
                "MarkMetricValue": [
                    f"{target.probability:.6f}",
                    f"{target.measures.inside:.4f}",
                ],
            }
            for number, target in enumerate(targets.get((ids.contest.id, option), ()), start=1)
        ]
        # A sheet that was typed by hand has no marks; the schema wants none without a position.
        if positions:
            selections.append(_selection(name, place, positions))
    return {"@type": "CVR.CVRContest", "ContestId": ids.id, "CVRContestSelection": selections}


def _as_counted(ids: ContestIds, targets: _Targets, vote: CastVote, void: str) -> Data:
    """A contest by its rules, or as people decided: the positions that say something.

    Args:
        ids: The contest.
        targets: What was read on the sheet.
        vote: What it counts as.
        void: Why the sheet as a whole is void, if it is.
    """
    selections = []
    for place, (option, name) in enumerate(ids.options.items(), start=1):
        seen = _indication(targets.get((ids.contest.id, option), ()))
        if seen == "no" and not ids.contest.is_struck and option not in vote.options:
            continue
        if seen is None and option not in vote.options:
            continue
        selections.append(_counted_selection(ids, (place, option, name), seen, vote, void))
    data: Data = {
        "@type": "CVR.CVRContest",
        "ContestId": ids.id,
        "CVRContestSelection": selections,
    }
    return data | _amounts(ids.contest, vote, void)


def _counted_selection(
    ids: ContestIds, option: tuple[int, str, str], seen: str | None, vote: CastVote, void: str
) -> Data:
    """An option of a contest that is marked, may be, or counts.

    Args:
        ids: The contest.
        option: Its place in print, its id in the form, and in the report.
        seen: Whether the machine saw a mark; None where it has read nothing.
        vote: What the contest counts as.
        void: Why the sheet as a whole is void, if it is.
    """
    place, own_id, name = option
    is_chosen = own_id in vote.options
    is_open = vote.state is ContestState.IN_DOUBT
    if vote.is_decided and vote.state is not ContestState.OVERVOTE:
        # Struck names count where there is no mark; all others where a person saw one.
        is_marked = is_chosen != ids.contest.is_struck
        seen = "yes" if is_marked else ("yes" if seen == "yes" else "no")
    position: Data = {
        "@type": "CVR.SelectionPosition",
        "HasIndication": seen or "unknown",
        "NumberVotes": 1,
        "Position": 1,
        "IsAllocable": "unknown" if is_open else ("yes" if is_chosen and not void else "no"),
    }
    is_invalid = bool(void) or vote.state is ContestState.OVERVOTE
    is_generated = ids.contest.is_struck and is_chosen
    statuses = {
        "adjudicated": vote.is_decided,
        "generated-rules": is_generated,
        INVALIDATED: is_invalid,
    }
    found = [status for status, holds in statuses.items() if holds]
    if is_generated:
        position["IsGenerated"] = True
    if found:
        position["Status"] = found
    selection = _selection(name, place, [position])
    if is_open:
        return selection | {"Status": [NEEDS_ADJUDICATION]}
    selection["TotalNumberVotes"] = int(position["IsAllocable"] == "yes")
    return selection | ({"Status": [INVALIDATED]} if is_invalid else {})


def _amounts(contest: Contest, vote: CastVote, void: str) -> Data:
    """How the choices of a contest are accounted for.

    Overvotes + Undervotes + votes = votes allowed (section 4.12), so both are votes lost and not
    sheets. A contest in doubt, or of a void sheet, has no such account.
    """
    statuses = []
    if vote.state in {ContestState.UNDERVOTE, ContestState.BLANK}:
        is_blank = vote.state is ContestState.BLANK
        statuses.append("not-indicated" if is_blank else "undervoted")
    if vote.state is ContestState.OVERVOTE:
        statuses.append("overvoted")
    if void or vote.state is ContestState.OVERVOTE:
        statuses.append(INVALIDATED)
    data: Data = {"Status": statuses} if statuses else {}
    if void or vote.state is ContestState.IN_DOUBT:
        return data
    is_over = vote.state is ContestState.OVERVOTE
    lost = contest.max if is_over else 0
    return data | {
        "Overvotes": lost,
        "Undervotes": contest.max - lost - len(vote.options),
    }


def _selection(name: str, place: int, positions: list[Data]) -> Data:
    return {
        "@type": "CVR.CVRContestSelection",
        "ContestSelectionId": name,
        "OptionPosition": place,
        "SelectionPosition": positions,
    }


def _annotation(made: Decision, *, is_secret: bool) -> Data:
    """Who decided what; when and why as well, unless that could tell which paper it was."""
    chosen = f" {', '.join(made.options)}" if made.options else ""
    said = [f"{made.contest or 'sheet'}: {made.verdict}{chosen}"]
    data: Data = {
        "@type": "CVR.Annotation",
        "AdjudicatorName": [made.by],
        "Message": said,
    }
    if is_secret:
        return data
    said += [text for text in (made.why, made.note) if text]
    return data | {"TimeStamp": made.at.isoformat(timespec="seconds")}


_Targets = dict[tuple[str, str], list[TargetReading]]
"""What was read of each option; more than one where a page is in the sheet twice."""


def _by_option(targets: Sequence[TargetReading]) -> _Targets:
    found: _Targets = {}
    for target in targets:
        found.setdefault((target.contest, target.option), []).append(target)
    return found


def _indication(targets: Sequence[TargetReading]) -> str | None:
    """Whether an option is marked, by all its targets; None where it has none."""
    seen = {INDICATIONS[target.state] for target in targets}
    if not seen:
        return None
    return seen.pop() if len(seen) == 1 else "unknown"
