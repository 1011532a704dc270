"""What a person asks to be seen again, written within the transaction of why it is asked."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from scanner.counting.adjudication import Decision, Verdict
from scanner.counting.journal import Action, Draft
from scanner.counting.store_chain import append_row
from scanner.counting.store_rows import decision_values
from scanner.counting.store_schema import decision


def add_flag(
    connection: sa.Connection, target: tuple[int, str, str], who: str, *, why: str
) -> None:
    """Put one target into the queue.

    Args:
        connection: Of the transaction.
        target: Sheet, contest and option.
        who: Name of the person.
        why: Where it was found, for the record.
    """
    sheet, contest, option = target
    moment = datetime.now(UTC)
    flag = Decision(sheet, Verdict.FLAG, who, why, moment, contest=contest, options=(option,))
    draft = Draft(who, Action.FLAGGED, {}, sheet, contest)
    append_row(connection, decision, decision_values(flag), draft)
