"""The final votes of a count and their sums, from what was read and what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from scanner.ballot import SheetStatus
from scanner.counting.adjudication import (
    Decision,
    SheetRecord,
    Stage,
    Verdict,
    resolve,
    stage_for,
    standing,
)
from scanner.counting.decision_checks import check_decision
from scanner.counting.figures import figures_of
from scanner.counting.finals import Finals
from scanner.counting.overtaken import check_known
from scanner.counting.reconcile import told_in_all
from scanner.counting.second_reader import ONE_READER, Readers, SecondReader
from scanner.counting.store import Store
from scanner.counting.store_decisions import check_length
from scanner.counting.tally import CastVoteRecord, Tally, add_up
from scanner.forms.template import Form


def final_records(store: Store, forms: Sequence[Form]) -> Iterator[CastVoteRecord]:
    """The final votes of every sheet, in scan order.

    Args:
        store: The count.
        forms: The count's forms.
    """
    return (final for _record, final in judged_sheets(store, forms))


def judged_sheets(
    store: Store, forms: Sequence[Form]
) -> Iterator[tuple[SheetRecord, CastVoteRecord]]:
    """Every sheet as it was read, with its final votes, in scan order.

    Args:
        store: The count.
        forms: The count's forms.
    """
    decisions = store.decisions()
    finals = finals_of(store, forms)
    for record in store.sheets():
        yield record, finals.of(record, decisions.get(record.sheet, ()))


def finals_of(store: Store, forms: Sequence[Form]) -> Finals:
    """By what the sheets of a count become final votes now.

    Args:
        store: The count.
        forms: The count's forms.
    """
    by_id = {form.id: form for form in forms}
    return Finals(by_id, store.sheet_rules(), readers_of(store, forms))


def tally_count(store: Store, forms: Sequence[Form]) -> Tally:
    """The sums of a count.

    Args:
        store: The count.
        forms: The count's forms.
    """
    return tally_of(final_records(store, forms), store, forms)


def tally_of(records: Iterable[CastVoteRecord], store: Store, forms: Sequence[Form]) -> Tally:
    """The sums of the sheets of a count, with what is told of its papers.

    Args:
        records: The final votes of every sheet.
        store: The count.
        forms: The count's forms.
    """
    told = told_in_all(store.batch_facts(), store.paper_facts())
    return add_up(
        records,
        forms,
        issued=told.issued,
        collected=told.collected,
        hand_count=told.hand_count,
    )


def readers_of(store: Store, forms: Sequence[Form]) -> Readers:
    """Who has to read what a person reads, as the count asks for it now.

    Args:
        store: The count.
        forms: The count's forms.
    """
    policy = store.second_reader()
    if policy is SecondReader.NONE:
        return ONE_READER
    if policy is SecondReader.CLOSE:
        return Readers(policy, figures_of(store, forms).close_contests())
    return Readers(policy)


def decide(
    store: Store, forms: Sequence[Form], decision: Decision, *, known: int | None = None
) -> SheetStatus:
    """Add a person's decision, if it can be carried out.

    It is checked against all that others have decided up to this moment. The record says what
    the sheet, or the contest, counted as before and counts as now.

    Args:
        store: The count.
        forms: The count's forms.
        decision: What was decided, by whom and why.
        known: Id of the last decision on the same contest, or sheet as a whole, that the person
            has seen, 0 for none; None where that plays no part.

    Returns:
        Where the sheet stands now.

    Raises:
        BadArgumentsError: The decision cannot be carried out.
        CountError: There is no such sheet, or it counts no more.
        OvertakenError: Somebody has decided on the same thing since.
    """
    for text in (decision.why, decision.note):
        check_length(text)
    readers = readers_of(store, forms)
    with store.deciding() as save:
        record = store.sheet(decision.sheet)
        store.see_that_it_stands(decision.sheet)
        form = next((form for form in forms if form.id == record.form), None)
        made = store.decisions_on(decision.sheet)
        if known is not None:
            check_known(decision, made, known)
        check_decision(decision, record, form, made)
        before = resolve(record, made, form, readers)
        after = resolve(record, [*made, replace(decision, id=_NOT_YET)], form, readers)
        detail = {
            "before": _counts_as(before, decision.contest),
            "after": _counts_as(after, decision.contest),
        }
        save(decision, detail)
    return after.status


def due_stage(
    store: Store, forms: Sequence[Form], decision: Decision, *, is_committee: bool
) -> Stage:
    """As what a person's decision counts, if it is made now.

    Args:
        store: The count.
        forms: The count's forms.
        decision: The decision, whatever stage it names.
        is_committee: Whether the person is of the committee.

    Raises:
        CountError: There is no such sheet.
    """
    record = store.sheet(decision.sheet)
    form = next((form for form in forms if form.id == record.form), None)
    if form is None:
        return Stage.FIRST
    made = store.decisions_on(decision.sheet)
    due = stage_for(decision, record, made, form.rule, readers_of(store, forms))
    return Stage.FIRST if due is Stage.COMMITTEE and not is_committee else due


def decision_to_make(
    store: Store, forms: Sequence[Form], decision: Decision, *, is_committee: bool
) -> Decision:
    """A decision with the stage that it has now; a withdrawal with the decision that it undoes.

    Args:
        store: The count.
        forms: The count's forms.
        decision: What a person wants; a withdrawal is about the last decision on the contest.
        is_committee: Whether the person is of the committee.

    Raises:
        CountError: There is no such sheet.
    """
    if decision.verdict is not Verdict.WITHDRAW:
        stage = due_stage(store, forms, decision, is_committee=is_committee)
        return replace(decision, stage=stage)
    made = standing(store.decisions_on(decision.sheet))
    own = [one.id for one in made if one.contest == decision.contest]
    stage = Stage.COMMITTEE if is_committee else Stage.FIRST
    return replace(decision, stage=stage, undoes=own[-1] if own else None)


def now() -> datetime:
    """This moment, with the time zone of this machine."""
    return datetime.now().astimezone()


_NOT_YET = -1
"""Instead of the id of a decision that is not written yet."""


def _counts_as(final: CastVoteRecord, contest: str | None) -> dict[str, Any]:
    """What a sheet counts as, and a contest of it, as the record says it."""
    known: dict[str, Any] = {"status": final.status}
    for vote in final.votes:
        if vote.contest == contest:
            known |= {"state": vote.state, "options": list(vote.options)}
    return known
