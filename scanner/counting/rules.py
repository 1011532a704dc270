"""How counts become percentages: of what, with how many decimals, and how they are rounded.

Every share is worked out from whole numbers. Nothing here ever adds, averages or rounds what was
rounded before, and no binary fraction decides a half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from scanner.messages import gettext as _
from scanner.messages import known_language, ngettext

MOST_DECIMALS = 2


class Denominator(StrEnum):
    """Of what a percentage is taken."""

    RETURNED = "returned"
    """All papers that were collected, void ones among them."""
    VALID = "valid"
    """Valid sheets."""
    ANSWERED = "answered"
    """Valid sheets with a valid answer to this question."""
    MEMBERS = "members"
    """All who could have voted, whether they did or not; their number is told."""


class Rounding(StrEnum):
    """How a percentage gets its last digit."""

    HALF_UP = "half_up"
    """To the nearest; a half goes up."""
    TRUNCATE = "truncate"
    """Further digits are cut off."""
    LARGEST_REMAINDER = "largest_remainder"
    """Cut off first; what the sum then lacks goes to those that lost most."""


@dataclass(frozen=True, slots=True)
class ShareRule:
    """How the percentages of a count are worked out; printed under each table.

    Raises:
        ValueError: ``decimals`` is not 0 to 2, or ``members`` is missing, needless or below 1.
    """

    denominator: Denominator = Denominator.VALID
    decimals: int = 0
    rounding: Rounding = Rounding.HALF_UP
    members: int | None = None
    """How many could have voted; for :attr:`Denominator.MEMBERS`, and for no other."""

    def __post_init__(self) -> None:
        if not 0 <= self.decimals <= MOST_DECIMALS:
            raise ValueError(_("Percentages have 0 to 2 decimals."))
        if (self.denominator is Denominator.MEMBERS) != (self.members is not None):
            raise ValueError(_("The number of members goes with the denominator 'members' only."))
        if self.members is not None and self.members < 1:
            raise ValueError(_("There must be at least one member."))

    def whole(self, *, returned: int, valid: int, answered: int) -> int:
        """Of how many the percentages of one question are.

        Args:
            returned: Papers collected.
            valid: Valid sheets.
            answered: Valid sheets with a valid answer to this question.
        """
        if self.denominator is Denominator.MEMBERS:
            return self.members or 0
        figures = {
            Denominator.RETURNED: returned,
            Denominator.VALID: valid,
            Denominator.ANSWERED: answered,
        }
        return figures[self.denominator]


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """The answers to one question on satisfaction, of any number of units."""

    satisfied: int
    """Answers that are satisfied, or very satisfied."""
    answers: int
    """All answers; blanks and answers that are not valid are none."""


def shares(counts: Sequence[int], whole: int, rule: ShareRule) -> list[Decimal]:
    """The percentages of some figures of one whole.

    What each way of rounding promises, for figures of 0 and more:

    * half up: no percentage is further from the true one than half a last digit;
    * truncated: none is above the true one, none a whole last digit below;
    * largest remainder: none is a whole last digit away, their sum is the sum of the true ones
      rounded half up, so exactly 100 where the figures make up the whole, and nothing is given
      to a figure of 0. Of equal remainders the larger figure is served first, then the one
      printed first (Hamilton's method).

    Args:
        counts: The figures, in printed order; each at least 0.
        whole: Of how many; at least 0. Of 0 everything is 0 %.
        rule: How; its denominator has led to ``whole`` already.

    Returns:
        One for each figure, with the decimals of the rule.

    Raises:
        ValueError: A figure is below 0.
    """
    if whole < 0 or any(count < 0 for count in counts):
        raise ValueError("figures below 0 have no share")
    if whole == 0:
        return [_last_digits(0, rule.decimals) for _count in counts]
    scale = 100 * 10**rule.decimals
    return [_last_digits(digits, rule.decimals) for digits in _rounded(counts, whole, scale, rule)]


def share(count: int, whole: int, rule: ShareRule) -> Decimal:
    """One percentage that is in no sum with others, as the rate of return.

    Args:
        count: The figure; at least 0.
        whole: Of how many.
        rule: How; without others the largest remainder is to the nearest.
    """
    return shares([count], whole, rule)[0]


def index_of(questions: Sequence[Satisfaction], rule: ShareRule) -> Decimal:
    """The satisfaction index: all satisfied answers of all answers, to all questions together.

    For one question its share of satisfied answers. From counts, so that the index of a town is
    that of all its ballots, and not the mean of the percentages of its wards.

    Args:
        questions: The questions on satisfaction; of several units one after the other.
        rule: How many decimals, and how they are rounded; its denominator plays no part.
    """
    satisfied = sum(question.satisfied for question in questions)
    return share(satisfied, sum(question.answers for question in questions), rule)


def answer_shares(
    options: Sequence[int], rest: Sequence[int], whole: int, rule: ShareRule, *, most: int
) -> tuple[list[Decimal], list[Decimal | None]]:
    """The percentages of one question, the same wherever they are shown.

    Options, blanks and overvotes are parts of one whole and rounded together; of the valid answers
    only the options are parts, and the others have no share in them. Where a voter may choose
    several options nothing makes up a whole, so each is rounded by itself.

    Args:
        options: The votes of each option, in printed order.
        rest: Blanks and overvotes.
        whole: Of how many, by :meth:`ShareRule.whole`.
        rule: How they are rounded.
        most: How many options a voter may choose.

    Returns:
        Those of the options, and those of the rest; None for what has no share.
    """
    single = shares if most == 1 else _each
    if rule.denominator is Denominator.ANSWERED:
        return single(options, whole, rule), [None for _figure in rest]
    made = single([*options, *rest], whole, rule)
    return made[: len(options)], [*made[len(options) :]]


def percent_text(value: Decimal, language: str) -> str:
    """A percentage as it is written: 95.31 -> ``95,31 %`` in Vietnamese, ``95.31 %`` in English.

    Args:
        value: With the decimals that are to be seen.
        language: A code such as ``vi`` or ``en-US``.
    """
    text = f"{value:f}"
    return f"{text.replace('.', ',') if _is_vietnamese(language) else text} %"


def number_text(value: int, language: str) -> str:
    """A whole number as it is written: 1348 -> ``1.348`` in Vietnamese, ``1,348`` in English.

    Args:
        value: The number.
        language: A code such as ``vi`` or ``en-US``.
    """
    text = f"{value:,}"
    return text.replace(",", ".") if _is_vietnamese(language) else text


def describe_rule(rule: ShareRule) -> str:
    """The rule in a sentence or two, as it stands under a table, in the language in use."""
    of_what = {
        Denominator.RETURNED: _("Percentages are of all papers returned"),
        Denominator.VALID: _("Percentages are of all valid sheets"),
        Denominator.ANSWERED: _("Percentages are of the valid answers to each question"),
        Denominator.MEMBERS: _("Percentages are of all {members} members"),
    }[rule.denominator].format(members=rule.members)
    digits = (
        ngettext("{n} decimal", "{n} decimals", rule.decimals).format(n=rule.decimals)
        if rule.decimals
        else _("whole percents")
    )
    how = {
        Rounding.HALF_UP: _("rounded to {digits}, halves up. They need not add up to 100 %."),
        Rounding.TRUNCATE: _("cut off to {digits}. They need not add up to 100 %."),
        Rounding.LARGEST_REMAINDER: _(
            "rounded to {digits} so that a whole adds up to 100 % (largest remainder)."
        ),
    }[rule.rounding].format(digits=digits)
    return f"{of_what}, {how}"


def _rounded(counts: Sequence[int], whole: int, scale: int, rule: ShareRule) -> list[int]:
    """The shares in units of their last digit."""
    if rule.rounding is Rounding.HALF_UP:
        return [(2 * scale * count + whole) // (2 * whole) for count in counts]
    cut = [scale * count // whole for count in counts]
    if rule.rounding is Rounding.TRUNCATE:
        return cut
    due = (2 * scale * sum(counts) + whole) // (2 * whole)
    in_turn = sorted(
        range(len(counts)),
        key=lambda place: (-(scale * counts[place] % whole), -counts[place], place),
    )
    for place in in_turn[: due - sum(cut)]:
        cut[place] += 1
    return cut


def _each(counts: Sequence[int], whole: int, rule: ShareRule) -> list[Decimal]:
    """The percentages of figures that are no parts of one whole."""
    return [share(count, whole, rule) for count in counts]


def _last_digits(digits: int, decimals: int) -> Decimal:
    """A number from its digits and how many of them are decimals."""
    return Decimal(digits).scaleb(-decimals)


def _is_vietnamese(language: str) -> bool:
    return known_language(language) == "vi"
