"""What the terminal shows while a scan runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scanner.counting.intake import Progress as Tell
from scanner.counting.intake import ScanOptions, Stage
from scanner.messages import gettext as _
from scanner.publishing.screen import WARNING_STYLE


@contextmanager
def watch_scan(console: Console, jobs: int) -> Iterator[ScanOptions]:
    """How to scan with so many processes, while a bar runs and notes are written above it."""

    def note(text: str) -> None:
        console.print(text, style=WARNING_STYLE, soft_wrap=True)

    with show_progress(console) as tell:
        yield ScanOptions(jobs, tell, note)


@contextmanager
def show_progress(console: Console) -> Iterator[Tell | None]:
    """A bar for each stage of a scan, with how many a second; None where no terminal is."""
    if not console.is_terminal:
        yield None
        return
    names = {Stage.FILES: _("Files"), Stage.PAGES: _("Pages"), Stage.SHEETS: _("Sheets")}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        tasks = {
            stage: bar.add_task(name, total=None, visible=False, speed="")
            for stage, name in names.items()
        }

        def tell(stage: Stage, done: int, total: int) -> None:
            speed = bar.tasks[tasks[stage]].speed
            text = _("{speed:.1f} a second").format(speed=speed) if speed else ""
            bar.update(tasks[stage], completed=done, total=total, visible=True, speed=text)

        yield tell


@contextmanager
def show_sheets_drawn(console: Console) -> Iterator[Callable[[int, int], None] | None]:
    """A bar while sheets are drawn; None where no terminal is."""
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(_("Sheets"), total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield tell
