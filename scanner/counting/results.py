"""The final votes of a count and their sums, from what was read and what was decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from scanner.ballot import SheetStatus
from scanner.counting.adjudication import Decision, check_decision, resolve
from scanner.counting.store import Store
from scanner.counting.tally import CastVoteRecord, Tally, add_up
from scanner.forms.template import Form


def final_records(store: Store, forms: Sequence[Form]) -> Iterator[CastVoteRecord]:
    """The final votes of every sheet, in scan order.

    Args:
        store: The count.
        forms: The count's forms.
    """
    by_id = {form.id: form for form in forms}
    decisions = store.decisions()
    for record in store.sheets():
        form = by_id[record.form] if record.form is not None else None
        yield resolve(record, decisions.get(record.sheet, ()), form)


def tally_count(store: Store, forms: Sequence[Form]) -> Tally:
    """The sums of a count.

    Args:
        store: The count.
        forms: The count's forms.
    """
    info = store.info()
    records = final_records(store, forms)
    return add_up(records, forms, issued=info.issued, collected=info.collected)


def decide(store: Store, forms: Sequence[Form], decision: Decision) -> SheetStatus:
    """Add a person's decision, if it can be carried out.

    Args:
        store: The count.
        forms: The count's forms.
        decision: What was decided, by whom and why.

    Returns:
        Where the sheet stands now.

    Raises:
        BadArgumentsError: The decision cannot be carried out.
        CountError: There is no such sheet.
    """
    record = store.sheet(decision.sheet)
    form = next((form for form in forms if form.id == record.form), None)
    check_decision(decision, record, form)
    store.add_decision(decision)
    return resolve(record, store.decisions()[decision.sheet], form).status


def now() -> datetime:
    """This moment, with the time zone of this machine."""
    return datetime.now().astimezone()
