"""How well a batch was scanned, in a table and in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scanner.counting.adjudication import sheet_label
from scanner.counting.scan_health import BatchHealth, Edge, Finding, Flaw
from scanner.messages import gettext as _
from scanner.publishing.screen import WARNING_STYLE, place_of

FIRST_SHEETS = 40
"""So many sheets to scan again are named one by one."""


def show_health(batch: int, health: BatchHealth) -> Iterator[RenderableType]:
    """What there is to say about the scans of one batch.

    Args:
        batch: Its number.
        health: What its pages say.
    """
    yield Text(_("Batch {number}").format(number=batch), style="bold")
    if health.read:
        yield _show_figures(health)
    else:
        yield _("No page of it was read.")
    for flaw in health.flaws:
        yield Text(tell(flaw, health), style=WARNING_STYLE)
        yield Text("  " + remedy_of(flaw.finding))
    again = health.scan_again()
    if again:
        yield _show_sheets(again)
        yield _(
            "To scan a sheet again: 'kiemphieu decide COUNT SHEET --refuse', then scan its paper"
            " into the same count."
        )
    elif not health.flaws:
        yield Text(_("Nothing is wrong with these scans."), style="green")


def tell(flaw: Flaw, health: BatchHealth) -> str:
    """A finding in a plain sentence."""
    return sentence_of(flaw.finding).format(
        count=len(flaw.pages),
        total=health.pages,
        mm=f"{flaw.at_mm:.0f}",
        amount=f"{flaw.amount:+.1f}" if flaw.finding in _SIGNED else f"{abs(flaw.amount):.0f}",
        dpi=f"{health.dpi:.0f}",
        edge=name_of_edge(flaw.edge) if flaw.edge is not None else "",
    )


_SIGNED = frozenset({Finding.SCALE_DIFFERS, Finding.STRETCHED, Finding.SKEWED})


def name_of_edge(edge: Edge) -> str:
    """An edge of the form in words."""
    names = {
        Edge.LEFT: _("left"),
        Edge.TOP: _("upper"),
        Edge.RIGHT: _("right"),
        Edge.BOTTOM: _("lower"),
    }
    return names[edge]


def sentence_of(finding: Finding) -> str:
    """What is wrong, with places for count, total, mm, amount, dpi and edge."""
    sentences = {
        Finding.STREAK_DOWN: _(
            "A line runs down the scans {mm} mm from their left edge, on {count} of {total} pages."
        ),
        Finding.STREAK_ACROSS: _(
            "A line runs across the scans {mm} mm from their upper edge, on {count} of {total}"
            " pages."
        ),
        Finding.OTHER_RESOLUTION: _(
            "{count} of {total} pages were scanned at another resolution (such as {amount} dpi)"
            " than the others ({dpi} dpi)."
        ),
        Finding.SCALE_DIFFERS: _(
            "{count} of {total} pages came out larger or smaller than the others, by up to"
            " {amount} %."
        ),
        Finding.STRETCHED: _(
            "{count} of {total} pages came out longer or shorter than the others, by up to"
            " {amount} %."
        ),
        Finding.SKEWED: _("{count} of {total} pages lie crooked, by up to {amount} degrees."),
        Finding.CLIPPED: _(
            "On {count} of {total} pages the {edge} edge of the paper lies outside of the scan, by"
            " up to {amount} mm."
        ),
        Finding.DARK: _(
            "On {count} of {total} pages the paper is dark (such as {amount} of 255), darker than"
            " on the others or than can be trusted."
        ),
        Finding.PALE: _(
            "On {count} of {total} pages the print is pale: it differs from the paper by no more"
            " than {amount} of 255."
        ),
        Finding.UNEVEN_LIGHT: _(
            "On {count} of {total} pages the light is uneven: the darkest part of the paper is"
            " {amount} of 255 darker than the rest."
        ),
        Finding.LAMP_DRIFT: _(
            "From the beginning to the end of the batch the brightness of the paper changed by"
            " {amount} of 255."
        ),
        Finding.PRINT_BROKEN: _(
            "On {count} of {total} pages much of the form's print is missing or too light."
        ),
        Finding.LIES_BADLY: _(
            "{count} of {total} pages do not come to lie well on the form: the paper may have been"
            " creased, or may have slipped."
        ),
        Finding.LONGER: _(
            "{count} of {total} images are longer than the others, by up to {amount} mm: two"
            " sheets may have gone through together."
        ),
        Finding.PAGE_GAP: _(
            "{count} of {total} pages lack the other pages of their sheet: two sheets may have"
            " gone through together."
        ),
        Finding.BLANK_BACKS: _(
            "{count} of {total} pages are blank backs of a form that is printed on one side."
        ),
        Finding.BLANK_PAGE: _(
            "{count} of {total} pages are blank where the form has print: a sheet may lie the"
            " wrong way up, or two stuck together."
        ),
        Finding.NOT_READ: _("{count} of {total} pages were not read as a form's."),
    }
    return sentences[finding]


def remedy_of(finding: Finding) -> str:
    """What to do about it."""
    wipe = _("Wipe the glass of the scanner. Scan sheets again if marks on them are in doubt.")
    feeder = _("Clean the rollers of the feeder, and set its guides to the paper.")
    look = _("Look at the paper of these sheets, and scan them again one by one.")
    again = _("Scan these sheets again.")
    brighter = _("Scan these sheets again in grey, at the scanner's usual brightness.")
    lamp = _("Let the scanner warm up, close its lid, and clean it.")
    remedies = {
        Finding.STREAK_DOWN: wipe,
        Finding.STREAK_ACROSS: wipe,
        Finding.OTHER_RESOLUTION: _("Scan a batch at one resolution; 200 to 300 dpi are best."),
        Finding.SCALE_DIFFERS: _("Switch off 'fit to page', and scan all sheets alike."),
        Finding.STRETCHED: feeder,
        Finding.SKEWED: feeder,
        Finding.CLIPPED: _(
            "Scan these sheets again with the whole paper in view; choose the size of the paper."
        ),
        Finding.DARK: brighter,
        Finding.PALE: brighter,
        Finding.UNEVEN_LIGHT: lamp,
        Finding.LAMP_DRIFT: lamp,
        Finding.PRINT_BROKEN: brighter,
        Finding.LIES_BADLY: again,
        Finding.LONGER: look,
        Finding.PAGE_GAP: look,
        Finding.BLANK_BACKS: _("Nothing is lost; scanning one side only is faster."),
        Finding.BLANK_PAGE: look,
        Finding.NOT_READ: _("'kiemphieu list COUNT --status refused' names them with the reasons."),
    }
    return remedies[finding]


def in_short(finding: Finding) -> str:
    """Why a sheet is to be scanned again, in a few words."""
    names = {
        Finding.CLIPPED: _("cut off"),
        Finding.DARK: _("too dark"),
        Finding.PALE: _("print too pale"),
        Finding.PRINT_BROKEN: _("print broken"),
        Finding.LIES_BADLY: _("does not lie well"),
        Finding.LONGER: _("image too long"),
        Finding.PAGE_GAP: _("page missing"),
        Finding.BLANK_PAGE: _("blank page"),
        Finding.NOT_READ: _("not read"),
    }
    return names[finding]


def _show_figures(health: BatchHealth) -> RenderableType:
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, figure in (
        (_("Pages, and of them read"), f"{health.pages}, {health.read}"),
        (_("Resolution"), f"{health.dpi:.0f} dpi"),
        (_("Lean, usual and most"), f"{health.skew_deg:+.1f}°, {health.most_skew_deg:+.1f}°"),
        (_("Brightness of paper and print"), f"{health.paper_level:.0f}, {health.print_level:.0f}"),
    ):
        table.add_row(name, figure)
    return table


def _show_sheets(again: dict[int, list[Flaw]]) -> RenderableType:
    table = Table(title=_("Scan again"), title_justify="left", title_style="bold")
    for name in (_("Sheet"), _("Why"), _("Pages")):
        table.add_column(name)
    for sheet, flaws in list(again.items())[:FIRST_SHEETS]:
        pages = {
            page.position: place_of(page.file, page.number)
            for flaw in flaws
            for page in flaw.pages
            if page.sheet == sheet
        }
        why = dict.fromkeys(in_short(flaw.finding) for flaw in flaws)
        table.add_row(sheet_label(sheet), ", ".join(why), "\n".join(pages.values()))
    if len(again) > FIRST_SHEETS:
        table.add_row("…", str(len(again)), "")
    return table
