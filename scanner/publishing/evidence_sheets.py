"""The sheets of a count as the evidence shows them: what each says, how it counts, who decided."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scanner.ballot import SheetStatus
from scanner.counting.adjudication import SheetRecord, as_read, sheet_label
from scanner.counting.journal import Action, Entry
from scanner.counting.results import judged_sheets
from scanner.counting.store import Store
from scanner.counting.tally import CastVote, CastVoteRecord, Standing
from scanner.counting.tally_file import TallyFile
from scanner.forms.template import Contest, Form
from scanner.messages import describe
from scanner.messages import gettext as _
from scanner.publishing.record_lines import EntryLine, tell
from scanner.publishing.screen import place_of, refusal_in_words

DECISIVE = frozenset(
    {
        Action.DECIDED,
        Action.WITHDRAWN,
        Action.ESCALATED,
        Action.NOTED,
        Action.FLAGGED,
        Action.REWORKED,
    }
)
"""What the record says of a sheet and has to do with what it counts as."""

Hidden = frozenset[tuple[str, str]]
"""Ids of forms and contests that are shown nowhere."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sheet says to one contest."""

    title: str
    read: str
    """As the machine read it."""
    counts: str
    """As it counts in the end; empty where the sheet does not count."""
    is_decided: bool


@dataclass(frozen=True, slots=True)
class SheetEvidence:
    """One sheet as its page shows it."""

    key: str
    """Of its files."""
    name: str
    standing: Standing
    reason: str
    """The reason of its standing; empty for a sheet that is valid or in doubt."""
    why: str
    """Why it is void or waits, in words; empty for a valid sheet."""
    form: Form
    record: SheetRecord
    final: CastVoteRecord
    source: tuple[str, ...]
    """Files and pages that it was scanned from; none where that is secret."""
    entries: tuple[EntryLine, ...]


@dataclass(frozen=True, slots=True)
class RefusedEvidence:
    """A page that was refused, or a sheet that is no paper of the count, as its page shows it."""

    key: str
    """Of its files."""
    name: str
    standing: Standing
    reason: str
    why: str
    """The reason in words."""
    record: SheetRecord
    source: tuple[str, ...]
    """Files and pages that it was scanned from; none where that is secret."""
    entries: tuple[EntryLine, ...]


def hidden_contests(tally: TallyFile) -> Hidden:
    """Contests that say who answers, where fewer sheets than a group must have say the same."""
    return frozenset(
        (form.id, contest.id)
        for form in tally.forms
        for contest in form.contests
        if contest.is_breakdown
        and any(0 < option.votes < tally.smallest_group for option in contest.options)
    )


def gather_sheets(
    store: Store, forms: Sequence[Form], hidden: Hidden, *, is_secret: bool
) -> tuple[list[SheetEvidence], list[RefusedEvidence]]:
    """Every sheet of the count, in the order in which it is shown."""
    by_id = {form.id: form for form in forms}
    entries: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in store.entries():
        is_hidden = any(contest == entry.contest for _form, contest in hidden)
        if entry.action in DECISIVE and not is_hidden:
            for number in _sheets_of(entry):
                entries[number].append(entry)
    sources: defaultdict[int, list[str]] = defaultdict(list)
    for number, scanned in store.sources():
        sources[number].append(place_of(scanned.name, scanned.number))
    judged = list(judged_sheets(store, forms))
    if is_secret:
        secrets.SystemRandom().shuffle(judged)
    sheets: list[SheetEvidence] = []
    refused: list[RefusedEvidence] = []
    for place, (read, final) in enumerate(judged, start=1):
        form = by_id.get(read.form or "")
        lines = tuple(tell(entry, forms) for entry in entries[final.sheet])
        if is_secret:
            lines = tuple(_without_order(line) for line in lines)
        label = place if is_secret else sheet_label(final.sheet)
        key = secrets.token_hex(6) if is_secret else sheet_label(final.sheet)
        name = _("Sheet {number}").format(number=label)
        source = () if is_secret else tuple(sources[final.sheet])
        if form is None or final.standing is Standing.NOT_PAPER:
            refused.append(
                RefusedEvidence(
                    key=key,
                    name=name,
                    standing=final.standing,
                    reason=final.judged.reason,
                    why=refusal_in_words(final.refusal),
                    record=read,
                    source=source,
                    entries=lines,
                )
            )
            continue
        sheets.append(
            SheetEvidence(
                key=key,
                name=name,
                standing=final.standing,
                reason=final.judged.reason,
                why=_why(final),
                form=form,
                record=read,
                final=final,
                source=source,
                entries=lines,
            )
        )
    return sheets, refused


def _sheets_of(entry: Entry) -> set[int]:
    """The sheet that an entry is about, and those that were made of it."""
    made = entry.detail["row"]["made"] if entry.action is Action.REWORKED else "[]"
    own = set() if entry.sheet is None else {entry.sheet}
    return own | set(json.loads(made))


def _without_order(line: EntryLine) -> EntryLine:
    """An entry without what tells when it was made, or where to find it in the record."""
    return replace(line, number=0, sheet=None, hash="", facts=line.facts[:2])


def _why(final: CastVoteRecord) -> str:
    if final.status is SheetStatus.IN_DOUBT:
        return describe(SheetStatus.IN_DOUBT)
    reason = final.judged.reason
    return refusal_in_words(reason) if reason else ""


def answers_of(sheet: SheetEvidence, hidden: Hidden) -> list[Answer]:
    """What a sheet says to each contest that is shown."""
    finals = {vote.contest: vote for vote in sheet.final.votes}
    is_counted = sheet.standing is Standing.VALID
    answers = []
    for reading in sheet.record.contests:
        contest = sheet.form.contest(reading.contest)
        if contest is None or (sheet.form.id, contest.id) in hidden:
            continue
        final = finals.get(contest.id)
        answers.append(
            Answer(
                title=contest.title or contest.id,
                read=_in_words(contest, as_read(reading)),
                counts=_in_words(contest, final) if is_counted and final is not None else "",
                is_decided=final is not None and final.is_decided,
            )
        )
    return answers


def _in_words(contest: Contest, vote: CastVote) -> str:
    labels = {option.id: option.label or option.id for option in contest.options}
    chosen = ", ".join(labels[option] for option in vote.options)
    return chosen or describe(vote.state)
