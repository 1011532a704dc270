"""A count's books: its sheets judged by its rules, its valid votes added up, and how it closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scanner.counting.people import is_same_name
from scanner.counting.reconcile import (
    BatchFacts,
    Closing,
    OpenPoint,
    Override,
    fingerprint,
    point_in_words,
    reconcile,
)
from scanner.counting.records import BatchState
from scanner.counting.results import judged_sheets, now, tally_of
from scanner.counting.rules import Denominator, ShareRule
from scanner.counting.sheet_rules import SheetRules
from scanner.counting.store import Store
from scanner.counting.tally import CastVoteRecord, ContestTally, Standing, Tally
from scanner.errors import BadArgumentsError
from scanner.forms.template import Form
from scanner.messages import gettext as _


@dataclass(frozen=True, slots=True)
class Books:
    """All that the figures of a count are made of."""

    forms: tuple[Form, ...]
    records: tuple[CastVoteRecord, ...]
    """Of every sheet, in scan order."""
    batches: Mapping[int, int]
    """The batch of each sheet."""
    facts: Mapping[int, BatchFacts]
    """What is told of each batch."""
    share: ShareRule
    sheets: SheetRules
    closing: Closing
    tally: Tally
    """The sums of the whole count."""

    def valid(self, form: Form | None = None) -> list[CastVoteRecord]:
        """The valid sheets, of one form or of all."""
        return [
            one
            for one in self.records
            if one.standing is Standing.VALID and (form is None or one.form == form.id)
        ]

    def returned(self, form: Form) -> int:
        """Papers of a form that came back."""
        (own,) = (one for one in self.tally.forms if one.form == form.id)
        return self.tally.returned(own)

    def whole(self, form: Form, figures: ContestTally) -> int:
        """Of how many the percentages of one contest are, by the rule of the count."""
        returned = self.returned(form) if self.share.denominator is Denominator.RETURNED else 0
        return self.share.whole(
            returned=returned,
            valid=figures.counted,
            answered=figures.counted - figures.blank - figures.overvote,
        )


def open_books(store: Store, forms: Sequence[Form]) -> Books:
    """The books of a count as they stand now.

    Args:
        store: The count.
        forms: The count's forms.
    """
    records, batches = [], {}
    for read, final in judged_sheets(store, forms):
        records.append(final)
        batches[read.sheet] = read.batch
    facts = store.batch_facts()
    closing = reconcile(
        ((batches[one.sheet], one.judged) for one in records),
        facts,
        store.paper_facts(),
        sheets=store.sheets_of_batches(),
        overrides=store.overrides(),
        is_unfinished=any(one.state is not BatchState.DONE for one in store.batches()),
    )
    return Books(
        forms=tuple(forms),
        records=tuple(records),
        batches=batches,
        facts=facts,
        share=store.share_rule(),
        sheets=store.sheet_rules(),
        closing=closing,
        tally=tally_of(records, store, forms),
    )


def close_of(store: Store, forms: Sequence[Form]) -> Closing:
    """How a count closes as it stands now."""
    return open_books(store, forms).closing


def let_pass(
    store: Store, forms: Sequence[Form], by: str, why: str, *, is_committee: bool
) -> Closing:
    """One person lets a count pass that is not final; it takes two for it to be so.

    Args:
        store: The count.
        forms: The count's forms.
        by: Who does.
        why: The reason.
        is_committee: Whether that person is of the committee.

    Returns:
        How the count closes after it.

    Raises:
        BadArgumentsError: There is nothing to let pass, the person has let it pass already or is
            not of the committee, or no name or no reason is given.
    """
    if not is_committee:
        raise BadArgumentsError(_("Only the committee lets a count pass."))
    closing = close_of(store, forms)
    if not closing.open_points:
        raise BadArgumentsError(_("The count closes; there is nothing to let pass."))
    if any(is_same_name(one.by, by) for one in closing.overrides):
        raise BadArgumentsError(
            _("{name} has let this pass already.").format(name=by),
            remedy=_("A second person has to."),
        )
    made = Override(by, why, now(), fingerprint(closing.open_points))
    store.let_pass(made, _in_words(closing.open_points))
    return close_of(store, forms)


def _in_words(points: Sequence[OpenPoint]) -> str:
    return " ".join(map(point_in_words, points))
