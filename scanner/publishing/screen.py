"""What the commands show: tables and sentences for the screen, in the user's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scanner.ballot import REFUSING, Reason, SheetStatus
from scanner.counting.adjudication import sheet_label
from scanner.counting.intake import Refusal, ScanSummary
from scanner.counting.records import WHOLE_FILE
from scanner.counting.tally import REFUSED_BY_PERSON, Gap, Tally
from scanner.messages import describe, ngettext
from scanner.messages import gettext as _

STATUS_STYLES = {
    SheetStatus.CLEAN: "green",
    SheetStatus.DECIDED: "green",
    SheetStatus.IN_DOUBT: "yellow",
    SheetStatus.REFUSED: "red",
}
WARNING_STYLE = "bold yellow"
FIRST_REFUSALS = 20
"""So many refused pages are named one by one in a summary."""


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One sheet for a list of sheets."""

    sheet: int
    status: SheetStatus
    form: str | None
    reasons: tuple[str, ...]
    """In words."""
    pages: tuple[str, ...]
    """Where its pages are, as :func:`place_of` writes it."""


def place_of(file: str, number: int) -> str:
    """A page of a file in a few words: ``scan.pdf, page 3``."""
    name = Path(file).name
    return name if number == WHOLE_FILE else _("{file}, page {page}").format(file=name, page=number)


def show_closing(tally: Tally) -> RenderableType:
    """Where every paper went, and whether the figures close."""
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row(_("Issued"), _figure(tally.issued))
    table.add_row(_("Collected"), _figure(tally.collected))
    table.add_row(_("Scanned"), str(tally.scanned), end_section=True)
    for status, figure in (
        (SheetStatus.CLEAN, tally.clean),
        (SheetStatus.DECIDED, tally.decided),
        (SheetStatus.IN_DOUBT, tally.in_doubt),
        (SheetStatus.REFUSED, tally.refused),
    ):
        style = STATUS_STYLES[status] if figure else "dim"
        table.add_row(*(Text(cell, style=style) for cell in (describe(status), str(figure))))
    for reason, figure in tally.refused_by_reason.items():
        cells = (f"  {refusal_in_words(reason)}", str(figure))
        table.add_row(*(Text(cell, style="dim") for cell in cells))
    return table


def closing_sentences(tally: Tally) -> Iterator[Text]:
    """How the figures close, what does not add up, and whether the tally is final."""
    yield Text(
        _(
            "{clean} clean + {decided} decided + {in_doubt} in doubt + {refused} refused"
            " = {scanned} scanned."
        ).format(
            clean=tally.clean,
            decided=tally.decided,
            in_doubt=tally.in_doubt,
            refused=tally.refused,
            scanned=tally.scanned,
        )
    )
    for gap in tally.gaps():
        yield Text(gap_in_words(gap), style=WARNING_STYLE)
    if tally.is_provisional:
        yield Text(
            ngettext(
                "This tally is provisional: {n} sheet waits for a person and counts for nobody.",
                "This tally is provisional: {n} sheets wait for a person and count for nobody.",
                tally.in_review,
            ).format(n=tally.in_review),
            style=WARNING_STYLE,
        )
    elif tally.closes:
        yield Text(_("The tally closes."), style="bold green")


def show_summary(summary: ScanSummary) -> Iterator[RenderableType]:
    """What a scan did."""
    if summary.resumed:
        yield _("A scan that had been broken off was finished.")
    if summary.reordered:
        yield _("The sheets of these files were put together anew, in the order told now.")
    for name, first_name in summary.known:
        yield Text(
            _("{file} is already in this count (as {first}); it is not counted twice.").format(
                file=Path(name).name, first=Path(first_name).name
            ),
            style=WARNING_STYLE,
        )
    if not summary.pages:
        return
    yield _("{pages} pages, {sheets} sheets; {seconds:.1f} s, {speed:.1f} sheets a second.").format(
        pages=summary.pages,
        sheets=summary.sheets,
        seconds=summary.seconds,
        speed=summary.sheets / max(summary.seconds, 0.001),
    )  # fmt: skip
    yield _show_statuses(summary.statuses, summary.reasons)
    if summary.settled:
        yield ngettext(
            "{n} doubt settled by what the whole batch shows: a target without a stroke, and no"
            " greyer than such targets usually are there, is not marked.",
            "{n} doubts settled by what the whole batch shows: a target without a stroke, and no"
            " greyer than such targets usually are there, is not marked.",
            summary.settled,
        ).format(n=summary.settled)
    yield from _show_refusals(summary.refusals)
    if summary.waiting_again:
        yield Text(
            _(
                "Papers scanned now seem to be in the count already, so these sheets of earlier"
                " scans wait as well: {sheets}."
            ).format(sheets=", ".join(map(sheet_label, summary.waiting_again))),
            style=WARNING_STYLE,
        )
    for fronts, backs in summary.sides:
        yield _sides_in_words(fronts, backs)
    if summary.needs_order:
        yield Text(
            _(
                "In which order the sides of these sheets were scanned cannot be told, so all of"
                " them wait. Look at the paper, then give the same command once more with"
                " --fronts-first or --backs-first. Nothing is read again."
            ),
            style=WARNING_STYLE,
        )


def remedy_for_order(count: str) -> Text:
    """What to do where the sheets of a batch wait for the order of their pages."""
    return Text(
        _(
            "Sheets that wait only because the order of their pages cannot be told are put"
            " together by 'kiemphieu scan {count} FILES --fronts-first' (or --backs-first), with"
            " the files they came from. Nothing is read again."
        ).format(count=count),
        style=WARNING_STYLE,
    )


def next_steps(summary: ScanSummary, count: str) -> Iterator[str]:
    """What to do after a scan."""
    if summary.statuses.get(SheetStatus.IN_DOUBT):
        yield _(
            "Next: 'kiemphieu list {count} --status in_doubt' names the sheets that wait for a"
            " person, 'kiemphieu show' draws one, 'kiemphieu decide' records a decision."
        ).format(count=count)
    yield _("'kiemphieu tally {count}' shows the figures.").format(count=count)


def show_sheets(lines: Iterable[SheetLine]) -> RenderableType:
    """A list of sheets with their reasons in words."""
    table = Table()
    for name in (_("Sheet"), _("Status"), _("Form"), _("Reasons"), _("Pages")):
        table.add_column(name)
    for line in lines:
        table.add_row(
            sheet_label(line.sheet),
            Text(describe(line.status), style=STATUS_STYLES[line.status]),
            line.form or "–",
            "\n".join(line.reasons),
            "\n".join(line.pages),
        )
    return table


def refusal_in_words(reason: str) -> str:
    """Why a sheet is refused."""
    if reason == REFUSED_BY_PERSON:
        return _("A person refused it.")
    return describe(Reason(reason))


def _sides_in_words(fronts: int, backs: int) -> Text:
    """What became of fronts and backs that were scanned apart."""
    if fronts != backs:
        sentence = _(
            "{fronts} fronts and {backs} backs: no pair of them can be trusted, so all of them"
            " wait. Find the page that was not scanned, scan that side again, and scan both"
            " sides into a new count."
        )
        return Text(sentence.format(fronts=fronts, backs=backs), style=WARNING_STYLE)
    sentence = _(
        "{fronts} fronts and {backs} backs were put side by side by their order alone. Compare"
        " the first sheet and the last with the paper ('kiemphieu show'); if they are mixed up,"
        " begin a new count, with --reversed if it was not there, or without it if it was."
    )
    return Text(sentence.format(fronts=fronts, backs=backs))


def _figure(figure: int | None) -> str:
    return _("not given") if figure is None else str(figure)


def gap_in_words(gap: Gap) -> str:
    """Two figures that do not agree, in a sentence."""
    names = {"issued": _("Issued"), "collected": _("Collected"), "scanned": _("Scanned")}
    return _("This does not add up: {what} {figure}, {other} {other_figure}.").format(
        what=names.get(gap.what, gap.what),
        figure=gap.figure,
        other=names.get(gap.other, gap.other),
        other_figure=gap.other_figure,
    )


def _show_statuses(
    statuses: Mapping[SheetStatus, int], reasons: Mapping[Reason, int]
) -> RenderableType:
    table = Table(show_header=False)
    table.add_column(justify="right")
    table.add_column()
    parts: dict[SheetStatus, Sequence[Reason]] = {
        SheetStatus.CLEAN: [],
        SheetStatus.IN_DOUBT: [reason for reason in reasons if reason not in REFUSING],
        SheetStatus.REFUSED: [reason for reason in reasons if reason in REFUSING],
    }
    for status, members in parts.items():
        number = statuses.get(status, 0)
        style = STATUS_STYLES[status] if number else "dim"
        table.add_row(Text(str(number), style=style), Text(describe(status), style=style))
        for reason in sorted(members, key=lambda member: -reasons[member]):
            table.add_row("", f"{reasons[reason]} × {describe(reason)}")
    return table


def _show_refusals(refusals: Sequence[Refusal]) -> Iterator[Text]:
    for refusal in refusals[:FIRST_REFUSALS]:
        place = place_of(refusal.file, refusal.number)
        details = refusal.result.evidence.get("error", "")
        sentence = f"{place}: {describe(refusal.result.reason)}"
        yield Text(f"{sentence} ({details})" if details else sentence, style="red")
    more = len(refusals) - FIRST_REFUSALS
    if more > 0:
        yield Text(
            ngettext("… and {n} more page.", "… and {n} more pages.", more).format(n=more),
            style="red",
        )
