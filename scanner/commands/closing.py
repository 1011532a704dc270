"""The commands about the figures of a count: tally, rules, batch, close."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from scanner.commands.shared import (
    channel_option,
    collected_option,
    count_argument,
    day_option,
    hand_count_option,
    issued_option,
    open_count,
    say,
    what_is_told,
)
from scanner.commands.shared import mark as _

BREAKDOWNS = ("field", "batch", "channel", "day")
"""What ``tally --per`` takes: the members of ``scanner.counting.breakdown.By``."""
DENOMINATORS = ("returned", "valid", "answered", "members")
"""What ``--of`` takes: the members of ``scanner.counting.rules.Denominator``."""
ROUNDINGS = ("half_up", "truncate", "largest_remainder")
"""What ``--rounding`` takes: the members of ``scanner.counting.rules.Rounding``."""
VOIDING = ("blank_sheet", "blank_contest", "overvote", "unknown_form")
"""What ``--void`` takes: the members of ``scanner.counting.sheet_rules.VOIDING``."""

by_option = click.option(
    "--by", required=True, help=_("Who says so; asks for the PIN of a person known to the count."),
)  # fmt: skip


@click.command(
    "tally",
    help=_(
        "Shows the figures of a count, the rule of their percentages, and how the papers close.\n\n"
        "Example: kiemphieu tally ward-3 --issued 120 --collected 98 --hand-count 98"
    ),
)
@count_argument
@issued_option
@collected_option
@hand_count_option
@click.option("--per", type=click.Choice(BREAKDOWNS), multiple=True,
              help=_("Also part the figures into groups."))  # fmt: skip
@click.option("--effort", is_flag=True, help=_("Also show blanks, and who marks one column all the"
              " way down: is the form too long?"))  # fmt: skip
def _tally(
    count: Path,
    issued: int | None,
    collected: int | None,
    hand_count: int | None,
    per: tuple[str, ...],
    effort: bool,
) -> None:
    from scanner.counting.account import open_books
    from scanner.counting.breakdown import By
    from scanner.counting.effort import measure_effort
    from scanner.publishing import screen, tally_screen

    with open_count(count) as (store, forms):
        store.set_papers(issued=issued, collected=collected)
        if hand_count is not None:
            store.tell_batch(None, {"hand_count": hand_count}, "")
        books = open_books(store, forms)
    tally = books.tally
    say(*tally_screen.show_figures(books))
    for name in per:
        say(*tally_screen.show_breakdown(books, By(name)))
    for form in books.forms if effort else ():
        if valid := books.valid(form):
            say(*tally_screen.show_effort(measure_effort(valid, form), form))
    say(screen.show_closing(tally), *screen.closing_sentences(tally))
    say(*tally_screen.show_papers(books.closing), *tally_screen.show_openness(books.closing))


@click.command(
    "rules",
    help=_(
        "Shows by which rules a count becomes figures, or sets them: of what percentages are, how"
        " they are rounded, and what makes a sheet void. What is not named stays as it is.\n\n"
        "Example: kiemphieu rules ward-3 --of returned --decimals 2 --by 'Lan'"
    ),
)
@count_argument
@click.option("--of", "of", type=click.Choice(DENOMINATORS), help=_("Of what percentages are."))
@click.option("--members", type=click.IntRange(1), help=_("How many could have voted; with '--of"
              " members'."))  # fmt: skip
@click.option("--decimals", type=click.IntRange(0, 2), help=_("Decimals of percentages."))
@click.option("--rounding", type=click.Choice(ROUNDINGS), help=_("How they are rounded."))
@click.option("--void", type=click.Choice([*VOIDING, "none"]), multiple=True, help=_("What makes a"
              " sheet void; several times for several things, 'none' for nothing."))  # fmt: skip
@click.option("--by", default="", help=_("Who sets the rules; asks for the PIN of a person known to"
              " the count."))  # fmt: skip
def _rules(
    count: Path,
    of: str | None,
    members: int | None,
    decimals: int | None,
    rounding: str | None,
    void: tuple[str, ...],
    by: str,
) -> None:
    from scanner.commands.record import sign
    from scanner.counting.rule_change import RuleChange, change_rules
    from scanner.publishing.tally_screen import show_rules

    change = RuleChange(of, members, decimals, rounding, void)
    with open_count(count) as (store, _forms):
        if change.is_any:
            name, is_committee = sign(store, by)
            change_rules(store, change, name, is_committee=is_committee)
        say(*show_rules(store.share_rule(), store.sheet_rules()))


@click.command(
    "batch",
    help=_(
        "Notes what is known of the papers of one batch: how many there were, how and when they"
        " came.\n\nExample: kiemphieu batch ward-3 2 --hand-count 105 --channel post --by 'Lan'"
    ),
)
@count_argument
@click.argument("number", type=click.IntRange(1))
@issued_option
@collected_option
@hand_count_option
@channel_option
@day_option
@by_option
def _batch(
    count: Path,
    number: int,
    issued: int | None,
    collected: int | None,
    hand_count: int | None,
    channel: str | None,
    day: str | None,
    by: str,
) -> None:
    from scanner.commands.record import sign
    from scanner.counting.account import close_of
    from scanner.publishing.tally_screen import show_papers

    told = what_is_told(
        issued=issued, collected=collected, hand_count=hand_count, channel=channel, day=day
    )
    with open_count(count) as (store, forms):
        name, _is_committee = sign(store, by)
        store.tell_batch(number, told, name)
        say(*show_papers(close_of(store, forms)))


@click.command(
    "close",
    help=_(
        "Says whether a count is final: whether every paper is accounted for. Exit code 7 if it is"
        " not. With --by and --why a person of the committee lets it pass as it stands; when two"
        " have done so, final documents may be made, and they name both and their reasons.\n\n"
        "Example: kiemphieu close ward-3 --by 'Lan' --why 'One paper was torn in the feeder.'"
    ),
)
@count_argument
@click.option("--by", default="", help=_("Who lets the count pass; asks for the PIN of a person"
              " known to the count."))  # fmt: skip
@click.option("--why", default="", help=_("The reason."))
def _close(count: Path, by: str, why: str) -> None:
    from scanner.commands.record import sign
    from scanner.counting.account import close_of, let_pass
    from scanner.counting.reconcile import require_final
    from scanner.publishing.tally_screen import show_openness, show_papers

    with open_count(count) as (store, forms):
        if by or why:
            name, is_committee = sign(store, by)
            closing = let_pass(store, forms, name, why, is_committee=is_committee)
        else:
            closing = close_of(store, forms)
    say(*show_papers(closing), *show_openness(closing))
    require_final(closing, path=count)


COMMANDS = (_tally, _rules, _batch, _close)
"""In the order in which the help names them."""
