"""The rules of a count's figures, changed as somebody asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from scanner.ballot import Reason
from scanner.counting.rules import Denominator, Rounding, ShareRule
from scanner.counting.sheet_rules import SheetRules
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _

NOTHING = "none"
"""Given as the only reason: nothing makes a sheet void but a person's word."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What is asked for; None, or nothing, leaves a thing as it is."""

    denominator: str | None = None
    members: int | None = None
    decimals: int | None = None
    rounding: str | None = None
    void: tuple[str, ...] = ()
    """Reasons, or :data:`NOTHING` alone."""

    @property
    def is_any(self) -> bool:
        """Whether anything is to be changed."""
        return self != RuleChange()


def change_rules(store: Store, change: RuleChange, by: str, *, is_committee: bool) -> None:
    """Set the rules of a count's figures.

    Args:
        store: The count.
        change: What is asked for.
        by: Who asks.
        is_committee: Whether that person is of the committee.

    Raises:
        BadArgumentsError: It is not the committee that asks, nobody is named, or the rules do not
            go together.
    """
    if not is_committee:
        raise BadArgumentsError(_("Only the committee sets the rules."))
    if not by.strip():
        raise BadArgumentsError(_("Say who sets the rules: --by NAME."))
    try:
        share = _changed(store.share_rule(), change)
    except ValueError as error:
        raise BadArgumentsError(str(error)) from error
    store.set_rules(share, _voiding(store.sheet_rules(), change.void), by)


def _changed(rule: ShareRule, change: RuleChange) -> ShareRule:
    denominator = Denominator(change.denominator or rule.denominator)
    members = rule.members if change.members is None else change.members
    if change.members is None and denominator is not Denominator.MEMBERS:
        members = None
    return ShareRule(
        denominator=denominator,
        decimals=rule.decimals if change.decimals is None else change.decimals,
        rounding=Rounding(change.rounding or rule.rounding),
        members=members,
    )


def _voiding(rules: SheetRules, void: tuple[str, ...]) -> SheetRules:
    if not void:
        return rules
    if NOTHING in void and len(void) > 1:
        raise BadArgumentsError(_("'none' goes with no other reason."))
    return SheetRules(frozenset(Reason(name) for name in void if name != NOTHING))
