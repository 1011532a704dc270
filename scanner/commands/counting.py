"""The commands of a count: scan, list, show, decide, thresholds, health, demo."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import rich_click as click

from scanner.ballot import SheetStatus
from scanner.commands.shared import (
    FILE,
    FOLDER,
    FORMS_FOLDER,
    HOME,
    channel_option,
    choose_forms_folder,
    collected_option,
    console,
    count_argument,
    day_option,
    forms_option,
    hand_count_option,
    issued_option,
    jobs_option,
    open_count,
    say,
    what_is_told,
)
from scanner.commands.shared import mark as _
from scanner.errors import BadArgumentsError, TallyMismatchError
from scanner.messages import describe, gettext

DEMO_SAMPLE = Path("samples", "so_xay_dung_2023")


@click.command(
    "scan",
    help=_(
        "Reads scanned files into the count in the folder COUNT, which is made if it is not"
        " there. FILES are PDF, TIFF, JPEG or PNG files, or folders of them. Stopped at any"
        " moment, the same command goes on.\n\n"
        "Example: kiemphieu scan ward-3 monday.pdf tuesday.pdf --issued 120 --collected 98"
    ),
)
@count_argument
@click.argument("files", nargs=-1, type=FILE)
@click.option("-f", "--form", "form_ids", multiple=True, help=_("Id of a form in the pile."))
@forms_option
@jobs_option
@click.option("--fronts", multiple=True, type=FILE, help=_("Scan of all fronts, by a feeder that"
              " reads one side."))  # fmt: skip
@click.option("--backs", multiple=True, type=FILE, help=_("Scan of all backs."))
@click.option("--reversed", "reversed_", is_flag=True, help=_("The backs were scanned from the last"
              " sheet to the first."))  # fmt: skip
@click.option("--fronts-first/--backs-first", "is_fronts_first", default=None, help=_("Which side"
              " of a sheet comes first; also for files in the count already."))  # fmt: skip
@click.option("--last-leaf-first", "is_last_leaf_first", is_flag=True, help=_("Sheets of several"
              " leaves were scanned from the last leaf to the first."))  # fmt: skip
@issued_option
@collected_option
@hand_count_option
@channel_option
@day_option
def _scan(
    count: Path,
    files: tuple[Path, ...],
    form_ids: tuple[str, ...],
    forms_folder: Path | None,
    jobs: int,
    fronts: tuple[Path, ...],
    backs: tuple[Path, ...],
    reversed_: bool,
    is_fronts_first: bool | None,
    is_last_leaf_first: bool,
    issued: int | None,
    collected: int | None,
    hand_count: int | None,
    channel: str | None,
    day: str | None,
) -> None:
    from scanner.counting.intake import scan
    from scanner.counting.page_order import told_order
    from scanner.counting.records import BatchRequest
    from scanner.counting.store import Store
    from scanner.publishing import screen
    from scanner.publishing.progress import watch_scan

    if bool(fronts) != bool(backs):
        raise BadArgumentsError(gettext("--fronts and --backs go together."))
    told = what_is_told(hand_count=hand_count, channel=channel, day=day)
    request = BatchRequest(
        files=_absolute(files),
        fronts=_absolute(fronts),
        backs=_absolute(backs),
        reversed_=reversed_,
        order=told_order(fronts_first=is_fronts_first, last_leaf_first=is_last_leaf_first),
        forms=form_ids,
    )
    with watch_scan(console(stderr=True), jobs) as options:
        summary = scan(count, request, choose_forms_folder(forms_folder), options)
    with Store(count) as store:
        store.set_papers(issued=issued, collected=collected)
        # A batch without a page is one of files that the count has already.
        batch = summary.batch if summary.batch and store.count_pages(summary.batch)[0] else None
        if told and batch is not None:
            store.tell_batch(batch, told, "")
    say(*screen.show_summary(summary), *screen.next_steps(summary, str(count)))
    if told and batch is None:
        raise BadArgumentsError(
            gettext("What was told of these papers is not noted: they are not one batch."),
            remedy=gettext("Note it for each of their batches: 'kiemphieu batch COUNT NUMBER'."),
        )


def _absolute(paths: Sequence[Path]) -> tuple[str, ...]:
    """The files behind paths, folders and patterns; absolute, so that a scan can go on anywhere."""
    from scanner.reading.pages import expand_paths

    return tuple(str(path.resolve()) for path in expand_paths(paths)) if paths else ()


@click.command(
    "list",
    help=_(
        "Lists the sheets of a count with the reasons why they wait for a person or are"
        " refused.\n\nExample: kiemphieu list ward-3 --status in_doubt"
    ),
)
@count_argument
@click.option("--status", type=click.Choice([str(status) for status in SheetStatus]),
              help=_("Only sheets that stand so."))  # fmt: skip
def _list(count: Path, status: str | None) -> None:
    from scanner.counting.reorder import batches_without_order
    from scanner.publishing import screen
    from scanner.publishing.sheet_list import list_sheets

    wanted = SheetStatus(status) if status else None
    with open_count(count) as (store, forms):
        lines = list_sheets(store, forms, wanted)
        needs_order = bool(batches_without_order(store))
    say(screen.show_sheets(lines) if lines else gettext("There is no such sheet."))
    if needs_order and any(line.status is SheetStatus.IN_DOUBT for line in lines):
        say(screen.remedy_for_order(str(count)))


@click.command(
    "show",
    help=_(
        "Draws what was read on the pages of a sheet: a PNG picture for each page.\n\n"
        "Example: kiemphieu show ward-3 0007 -o pictures"
    ),
)
@count_argument
@click.argument("sheet", type=click.IntRange(1))
@click.option("-o", "--output", type=FILE, help=_("Folder for the pictures, or a name that ends"
              " in .png [the count's folder exports]."))  # fmt: skip
def _show(count: Path, sheet: int, output: Path | None) -> None:
    from scanner.counting.records import EXPORTS_FOLDER
    from scanner.publishing import screen
    from scanner.publishing.pictures import write_sheet
    from scanner.publishing.sheet_list import list_sheets

    with open_count(count) as (store, forms):
        lines = list_sheets(store, forms, sheet=sheet)
        for path in write_sheet(store, forms, sheet, output or count / EXPORTS_FOLDER):
            say(str(path))
    say(screen.show_sheets(lines))


@click.command(
    "decide",
    help=_(
        "Records a person's decision. It is added to those made before, and the latest"
        " counts.\n\nExample: kiemphieu decide ward-3 0007 cau-1 hai-long --by 'Lan' --why 'The"
        " cross touches the box.'"
    ),
)
@count_argument
@click.argument("sheet", type=click.IntRange(1))
@click.argument("contest", required=False)
@click.argument("options", nargs=-1)
@click.option("--blank", "verdict", flag_value="blank", help=_("Nothing was chosen."))
@click.option("--invalid", "verdict", flag_value="overvote",
              help=_("Too many were chosen; none counts."))  # fmt: skip
@click.option("--accept", "verdict", flag_value="accept",
              help=_("The sheet is good as read."))  # fmt: skip
@click.option("--refuse", "verdict", flag_value="refuse",
              help=_("The sheet is not to be counted."))  # fmt: skip
@click.option("--withdraw", "verdict", flag_value="withdraw",
              help=_("The last decision on this counts no more."))  # fmt: skip
@click.option("--by", required=True, help=_("Who decides; asks for the PIN of a person known to the"
              " count."))  # fmt: skip
@click.option("--why", required=True, help=_("The reason."))
def _decide(
    count: Path,
    sheet: int,
    contest: str | None,
    options: tuple[str, ...],
    verdict: str | None,
    by: str,
    why: str,
) -> None:
    from scanner.commands.record import sign
    from scanner.counting.adjudication import Decision, Verdict, sheet_label
    from scanner.counting.results import decide, decision_to_make, now
    from scanner.publishing import screen
    from scanner.publishing.sheet_list import list_sheets

    if verdict is not None and options:
        raise BadArgumentsError(gettext("Name options or give a flag, not both."))
    decision = Decision(
        sheet=sheet,
        verdict=Verdict(verdict) if verdict else Verdict.OPTIONS,
        by=by,
        why=why,
        at=now(),
        contest=contest,
        options=options,
    )
    with open_count(count) as (store, forms):
        name, is_committee = sign(store, by)
        decision = decision_to_make(
            store, forms, replace(decision, by=name), is_committee=is_committee
        )
        status = decide(store, forms, decision)
        say(f"{sheet_label(sheet)}: {describe(status)}")
        lines = list_sheets(store, forms, SheetStatus.IN_DOUBT, sheet)
    if lines:
        say(screen.show_sheets(lines))


@click.command(
    "thresholds",
    help=_(
        "Shows what the limits of the reading cost, over a range of them: what people have to look"
        " at, and how many errors nobody would see. With --set-marked or --set-unmarked the count"
        " is decided anew from what was measured; no page is read again, and every decision of a"
        " person stands.\n\n"
        "Example: kiemphieu thresholds ward-3 --set-marked 0.99 --set-unmarked 0.02 --dry-run"
    ),
)
@count_argument
@click.option("-o", "--plot", type=FILE, help=_("PNG picture of the prices to write."))
@click.option("--set-marked", type=click.FloatRange(0.5, 1),
              help=_("From this probability on a target is marked."))  # fmt: skip
@click.option("--set-unmarked", type=click.FloatRange(0, 0.5),
              help=_("Up to this probability a target is not marked."))  # fmt: skip
@click.option("--dry-run", is_flag=True, help=_("Only show what would change."))
@click.option("--by", default="", help=_("Who changes the limits."))
@click.option("--why", default="", help=_("The reason."))
def _thresholds(
    count: Path,
    plot: Path | None,
    set_marked: float | None,
    set_unmarked: float | None,
    dry_run: bool,
    by: str,
    why: str,
) -> None:
    from scanner.commands.record import sign
    from scanner.counting.limits import limits_to_set
    from scanner.counting.price_range import price_range
    from scanner.counting.redecide import at_rest, change_limits, redecide
    from scanner.publishing import thresholds_screen as screen
    from scanner.publishing.thresholds_plot import write_plot

    with open_count(count) as (store, forms):
        wanted = limits_to_set(store, set_marked, set_unmarked)
        if wanted is None:
            prices = price_range(store, forms)
            say(*screen.show_prices(prices, forms, store.second_reader()))
            if store.unfinished_batch() is not None:
                say(screen.scan_is_unfinished())
        else:
            with at_rest(store):
                change = redecide(store, forms, wanted)
                if not dry_run:
                    name, _is_committee = sign(store, by)
                    change_limits(store, change, by=name, why=why)
            prices = [change.before, change.after]
            say(*screen.show_change(change, store.second_reader(), is_tried=dry_run))
    if plot is not None and prices:
        write_plot(prices, count.resolve().name, plot)
        say(str(plot))


@click.command(
    "health",
    help=_(
        "Says how well each batch was scanned, what is wrong with the scanner, and which sheets to"
        " scan again.\n\nExample: kiemphieu health ward-3"
    ),
)
@count_argument
def _health(count: Path) -> None:
    from scanner.counting.scan_health import examine_batch
    from scanner.publishing.health_screen import show_health

    with open_count(count) as (store, forms):
        page_counts = {form.id: len(form.pages) for form in forms}
        for batch in store.batches():
            health = examine_batch(store.scanned_pages(batch.id), page_counts)
            say(*show_health(batch.id, health))


@click.command(
    "demo",
    help=_(
        "Counts a sample and compares with the figures it ought to give. Without NAME: the survey"
        " of a provincial Department of Construction in 2023, 38 two-sided papers in one PDF. With"
        " NAME, a folder of 'samples': its papers are drawn, scanned and decided on as they were"
        " drawn, its tallies written and added up, and with -o its documents made.\n\n"
        "Example: kiemphieu demo huong_long_2023 -o demo-count"
    ),
)
@click.argument("name", required=False)
@click.option("-o", "--output", type=FOLDER, help=_("Folder for the count [a passing one]."))
@click.option("--only", multiple=True, metavar="PILE", help=_("Draw and read only this pile; of the"
              " others take the figures."))  # fmt: skip
@jobs_option
def _demo(name: str | None, output: Path | None, only: tuple[str, ...], jobs: int) -> None:
    from scanner.publishing.demo import count_sample, show_demo
    from scanner.publishing.progress import watch_scan

    with tempfile.TemporaryDirectory(prefix="kiemphieu-") as passing:
        folder = output if output is not None else Path(passing) / "demo"
        if name is not None:
            _demo_scenario(name, folder, only, jobs, with_documents=output is not None)
            return
        with watch_scan(console(stderr=True), jobs) as options:
            result = count_sample(HOME / DEMO_SAMPLE, HOME / FORMS_FOLDER, folder, options)
    say(*show_demo(result))
    if result.differences:
        raise TallyMismatchError(
            gettext("The tally is not the expected one."),
            remedy=gettext("Sheets in doubt have to be decided first, see 'kiemphieu list'."),
        )


def _demo_scenario(
    name: str, folder: Path, only: tuple[str, ...], jobs: int, *, with_documents: bool
) -> None:
    """Go through a sample by its name."""
    from scanner.counting.results import now
    from scanner.publishing.progress import watch_scan
    from scanner.publishing.scenario_check import check_scenario, show_scenario
    from scanner.publishing.scenarios import ScenarioRun, list_samples, run_scenario

    known = list_samples(HOME / DEMO_SAMPLE.parent)
    if name not in known:
        raise BadArgumentsError(
            gettext("There is no sample {name}.").format(name=name),
            remedy=gettext("There are: {names}.").format(names=", ".join(known)),
        )
    sample = HOME / DEMO_SAMPLE.parent / name
    with watch_scan(console(stderr=True), jobs) as options:
        run = ScenarioRun(options, frozenset(only) or None)
        piles = run_scenario(sample, HOME / FORMS_FOLDER, folder, run)
    result = check_scenario(sample, piles, now())
    say(*show_scenario(result))
    if with_documents:
        from scanner.publishing.scenario_documents import show_documents, write_documents

        say(*show_documents(write_documents(sample, piles, folder, now())))
    if result.differences or result.silent_errors:
        raise TallyMismatchError(gettext("The tally is not the expected one."))


COMMANDS = (_scan, _list, _show, _decide, _thresholds, _health, _demo)
"""In the order in which the help names them."""
