"""The price of limits, and what a change of them changed, as tables and sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scanner.counting.adjudication import sheet_label
from scanner.counting.limits import Limits
from scanner.counting.prices import ContestPrice, Price, of_contests
from scanner.counting.redecide import Redecision, TargetChange
from scanner.counting.second_reader import SecondReader
from scanner.forms.template import Form
from scanner.messages import describe, ngettext
from scanner.messages import gettext as _
from scanner.publishing.screen import STATUS_STYLES, WARNING_STYLE
from scanner.publishing.thresholds_plot import errors_in_words, limit_in_words

FIRST_CHANGES = 30
"""So many targets that changed are named one by one."""
FIRST_CONTESTS = 15
"""So many contests that cost something are named one by one."""
PRESENT_STYLE = "bold"


def show_prices(
    prices: Sequence[Price], forms: Sequence[Form], policy: SecondReader = SecondReader.NONE
) -> Iterator[RenderableType]:
    """The prices of a range of limits, what the figures mean, and where the present ones bite.

    Args:
        prices: One for each pair of limits.
        forms: The count's forms.
        policy: Which answers a second person gives as well.
    """
    if not prices:
        yield _("Nothing has been scanned yet.")
        return
    yield _price_table(prices)
    first = prices[0]
    yield Text(
        _("Of {sheets} sheets with {targets} targets; decisions made so far are left out.").format(
            sheets=first.all_sheets, targets=first.all_targets
        )
    )
    yield Text(
        _(
            "Both limits move together: from row to row the odds of an error that each allows,"
            " compared with those in force, are 20, 10, 5, 2, 1, 1/2, 1/5, 1/10, 1/100, 1/1000."
        ),
        style="dim",
    )
    yield from meaning_of_answers(policy)
    yield meaning_of_silent_errors()
    present = next((price for price in prices if price.is_present), None)
    if present is not None:
        yield from _show_contests(present, forms)


def meaning_of_answers(policy: SecondReader) -> Iterator[Text]:
    """How answers are counted where a second person reads them as well."""
    if policy is SecondReader.NONE:
        return
    words = {
        SecondReader.DOUBTS: _("Whatever is in doubt is read by two people: it is two answers."),
        SecondReader.ALL: _("Whatever a person reads is read by two people: it is two answers."),
        SecondReader.CLOSE: _(
            "What is in doubt in contests that are close as things stand is read by two people:"
            " it is two answers."
        ),
    }
    yield Text(words[policy], style="dim")


def meaning_of_silent_errors() -> Text:
    """What the expected silent errors are, and what they are not."""
    return Text(
        _(
            "Silent errors: the sum, over all targets that no person looks at, of the chance that"
            " each is read wrongly. It is what to expect if the probabilities of the reading are"
            " true, and no count of errors that were found."
        ),
        style="dim",
    )


def show_change(
    change: Redecision, policy: SecondReader = SecondReader.NONE, *, is_tried: bool
) -> Iterator[RenderableType]:
    """What a change of the limits changed, or, where it is only tried, would change."""
    if change.is_nothing:
        yield _("These limits are in force already; nothing changes.")
        return
    before = replace(change.before, is_present=is_tried)
    yield _price_table([before, replace(change.after, is_present=not is_tried)])
    yield from meaning_of_answers(policy)
    yield meaning_of_silent_errors()
    yield from _show_targets([one for one in change.targets if one.is_seen])
    if change.drifted:
        yield Text(
            ngettext(
                "{n} of them would change with the limits in force, too: another version of the"
                " program decided it.",
                "{n} of them would change with the limits in force, too: another version of the"
                " program decided them.",
                change.drifted,
            ).format(n=change.drifted),
            style=WARNING_STYLE,
        )
    for (was, becomes), number in sorted(change.statuses.items()):
        if was is not becomes:
            sentence = ngettext(
                "{n} sheet: {was} → {becomes}", "{n} sheets: {was} → {becomes}", number
            ).format(n=number, was=describe(was), becomes=describe(becomes))
            yield Text(sentence, style=STATUS_STYLES[becomes])
    if is_tried:
        yield Text(_("Nothing was written: this was a trial."), style=WARNING_STYLE)
    else:
        yield Text(_limits_in_words(change.limits), style="bold green")


def scan_is_unfinished() -> Text:
    """What to know where a batch is not finished."""
    return Text(
        _("A scan into this count is not finished; its sheets are not in these figures."),
        style=WARNING_STYLE,
    )


def _limits_in_words(limits: Limits) -> str:
    return _(
        "Limits in force from now on: marked from {marked}, not marked up to {unmarked}. Every"
        " decision of a person stands."
    ).format(marked=limit_in_words(limits.marked), unmarked=limit_in_words(limits.unmarked))


def _price_table(prices: Sequence[Price]) -> RenderableType:
    table = Table()
    for name in (
        _("Marked from"),
        _("Not marked up to"),
        _("Doubtful targets"),
        _("Answers to give"),
        _("Sheets to look at"),
        "%",
        _("Silent errors expected"),
    ):
        table.add_column(name, justify="right")
    table.add_column("")
    for price in prices:
        share = 100 * price.sheets / max(1, price.all_sheets)
        cells = (
            *_limit_cells(price.limits),
            str(price.targets),
            str(price.answers),
            str(price.sheets),
            f"{share:.1f}",
            errors_in_words(price.silent_errors),
            _("← in force") if price.is_present else "",
        )
        table.add_row(*cells, style=PRESENT_STYLE if price.is_present else None)
    return table


def _limit_cells(limits: Limits | None) -> tuple[str, str]:
    if limits is None:
        return _("by batch"), _("by batch")
    return limit_in_words(limits.marked), limit_in_words(limits.unmarked)


def _show_contests(price: Price, forms: Sequence[Form]) -> Iterator[RenderableType]:
    """The contests that wait most often with the limits in force."""
    costly = [
        (name, figures)
        for name, figures in of_contests(price, forms).items()
        if figures.sheets or figures.silent_errors >= price.silent_errors / FIRST_CONTESTS > 0
    ]
    costly.sort(key=lambda each: (-each[1].sheets, -each[1].silent_errors))
    if not costly:
        return
    titles = {(f.id, c.id): c.title or c.id for f in forms for c in f.contests}
    table = Table(
        title=_("With the limits in force, by contest"), title_justify="left", title_style="bold"
    )
    table.add_column(_("Contest"))
    for heading in (_("Doubtful targets"), _("Sheets to look at"), _("Silent errors expected")):
        table.add_column(heading, justify="right")
    for (form_id, contest_id), figures in costly[:FIRST_CONTESTS]:
        name = f"{titles[form_id, contest_id]} [{contest_id}]"
        table.add_row(Text(name), *_contest_cells(figures))
    yield table
    more = len(costly) - FIRST_CONTESTS
    if more > 0:
        yield ngettext("… and {n} more contest.", "… and {n} more contests.", more).format(n=more)


def _contest_cells(figures: ContestPrice) -> tuple[str, str, str]:
    errors = errors_in_words(figures.silent_errors)
    return str(figures.targets), str(figures.sheets), errors


def _show_targets(changes: Sequence[TargetChange]) -> Iterator[RenderableType]:
    """How many targets went from which state to which, and the first of them by name."""
    if not changes:
        yield _("No target is read otherwise.")
        return
    ways = Counter((one.stored.reading.state, one.becomes.state) for one in changes)
    for (before, after), number in sorted(ways.items()):
        yield ngettext(
            "{n} target: {before} → {after}", "{n} targets: {before} → {after}", number
        ).format(n=number, before=describe(before), after=describe(after))
    table = Table()
    for heading in (_("Sheet"), _("Target"), _("Before"), _("After")):
        table.add_column(heading)
    table.add_column(_("Probability"), justify="right")
    for one in changes[:FIRST_CHANGES]:
        table.add_row(
            sheet_label(one.stored.sheet),
            one.becomes.target,
            describe(one.stored.reading.state),
            describe(one.becomes.state),
            f"{one.becomes.probability:.6f}",
        )
    yield table
    more = len(changes) - FIRST_CHANGES
    if more > 0:
        yield ngettext("… and {n} more target.", "… and {n} more targets.", more).format(n=more)
