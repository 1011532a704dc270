"""What people tell a count for its figures: its rules, its papers, and that it may pass.

Each is an event of the count, and so has its entry in the record; the latest of a kind holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scanner.ballot import Reason
from scanner.counting.reconcile import BatchFacts, Override, check_batch_facts
from scanner.counting.rules import Denominator, Rounding, ShareRule
from scanner.counting.sheet_rules import SheetRules
from scanner.counting.store_base import CountDatabase, note
from scanner.counting.store_schema import batch, count, event_log, is_standing, sheet
from scanner.errors import BadArgumentsError, CountError
from scanner.messages import gettext as _

RULES = "rules"
"""Noted where the rules of the figures are set."""
BATCH_FACTS = "batch facts"
"""Noted where something is told about the papers of a batch, or of the count."""
PASSED = "passed"
"""Noted where a person lets a count pass that is not final."""


class ClosingStore(CountDatabase):
    """The rules of a count, the papers of its batches, and who let it pass."""

    def share_rule(self) -> ShareRule:
        """How its percentages are worked out."""
        last = self._last_rules()
        if "share" not in last:
            return ShareRule()
        kept = last["share"]
        return ShareRule(
            denominator=Denominator(kept["denominator"]),
            decimals=kept["decimals"],
            rounding=Rounding(kept["rounding"]),
            members=kept["members"],
        )

    def sheet_rules(self) -> SheetRules:
        """What makes its sheets void."""
        last = self._last_rules()
        if "void" not in last:
            return SheetRules()
        return SheetRules(frozenset(map(Reason, last["void"])))

    def set_rules(self, share: ShareRule, sheets: SheetRules, by: str) -> None:
        """Set the rules of the figures.

        Args:
            share: How percentages are worked out.
            sheets: What makes a sheet void.
            by: Who says so.
        """
        detail = {"share": asdict(share), "void": sorted(sheets.void), "by": by}
        with self._write() as connection:
            note(connection, RULES, detail)

    def batch_facts(self) -> dict[int, BatchFacts]:
        """What is told about each batch; its day is that of the scan unless told."""
        found = {
            row["id"]: BatchFacts(day=_day_of(row["started"]))
            for row in self._rows(sa.select(batch.c.id, batch.c.started).order_by(batch.c.id))
        }
        for detail in self._noted(BATCH_FACTS):
            if detail["batch"] in found:
                told = {name: detail[name] for name in _FACTS if name in detail}
                found[detail["batch"]] = replace(found[detail["batch"]], **told)
        return found

    def paper_facts(self) -> BatchFacts:
        """What is told about the papers of the count as a whole."""
        row = next(self._rows(sa.select(count.c.issued, count.c.collected)))
        hand_count = None
        for detail in self._noted(BATCH_FACTS):
            if detail["batch"] is None:
                hand_count = detail.get("hand_count", hand_count)
        return BatchFacts(row["issued"], row["collected"], hand_count)

    def tell_batch(self, number: int | None, told: Mapping[str, int | str], by: str) -> None:
        """Note what is told about the papers of a batch, or of the count as a whole.

        Args:
            number: The batch; None for the count, of which only ``hand_count`` is told here.
            told: Fields of :class:`~scanner.counting.reconcile.BatchFacts`; others stay as they
                are.
            by: Who says so.

        Raises:
            BadArgumentsError: A field cannot be told, or the day is none.
            CountError: There is no such batch.
        """
        if not told or (number is None and told.keys() != {"hand_count"}):
            raise BadArgumentsError(_("There is nothing to note."))
        check_batch_facts(told)
        with self._write() as connection:
            query = sa.select(batch.c.id).where(batch.c.id == number)
            if number is not None and connection.scalar(query) is None:
                raise CountError(
                    _("There is no batch {number}.").format(number=number), path=self.folder
                )
            note(connection, BATCH_FACTS, {"batch": number, **told, "by": by})

    def overrides(self) -> list[Override]:
        """Everybody who ever let the count pass, oldest first."""
        return [
            Override(one["by"], one["why"], datetime.fromisoformat(one["at"]), one["points"])
            for one in self._noted(PASSED)
        ]

    def let_pass(self, override: Override, points: str) -> None:
        """Note that a person lets the count pass as it stands.

        Args:
            override: Who, why, and which open points.
            points: The open points in words, for the record.

        Raises:
            BadArgumentsError: No name or no reason is given.
        """
        if not override.by.strip() or not override.why.strip():
            raise BadArgumentsError(_("Say who lets the count pass, and why."))
        detail = asdict(override) | {"at": override.at.isoformat(), "open": points}
        with self._write() as connection:
            note(connection, PASSED, detail)

    def sheets_of_batches(self) -> dict[int, int]:
        """How many sheets each batch has; refused ones among them."""
        query = (
            sa.select(sheet.c.batch, sa.func.count().label("number"))
            .where(is_standing(sheet.c.id))
            .group_by(sheet.c.batch)
        )
        return {row["batch"]: row["number"] for row in self._rows(query)}

    def _last_rules(self) -> dict[str, Any]:
        last: dict[str, Any] = {}
        for detail in self._noted(RULES):
            last = detail
        return last

    def _noted(self, what: str) -> Iterator[dict[str, Any]]:
        query = sa.select(event_log.c.detail).where(event_log.c.what == what)
        for row in self._rows(query.order_by(event_log.c.id)):
            yield json.loads(row["detail"])


_FACTS = {"issued", "collected", "hand_count", "channel", "day"}


def _day_of(moment: str) -> str:
    """The day of a moment, in the time of this machine."""
    return datetime.fromisoformat(moment).astimezone().date().isoformat()
