"""What the commands about forms show: in tables and sentences, in the user's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scanner.forms.findings import Finding, Severity, score
from scanner.forms.template import FORM_FILE, Form
from scanner.messages import gettext as _


def show_forms(forms: Iterable[Form]) -> RenderableType:
    """A list of registered forms."""
    table = Table()
    for name in ("Id", _("Title"), _("Pages"), _("Contests"), _("Targets")):
        table.add_column(name)
    for form in forms:
        figures = (len(form.pages), len(form.contests), len(list(form.targets())))
        table.add_row(form.id, form.title, *map(str, figures))
    return table


def show_imported(form: Form, notes: Sequence[str]) -> Iterator[RenderableType]:
    """A form that has just been registered, and what to do with it."""
    yield _size(form)
    yield from notes
    yield _("Look at it: kiemphieu form show {form}").format(form=form.id)


def show_printed(form: Form, *, has_copies: bool) -> Iterator[RenderableType]:
    """A form that has just been drawn, and what to do with it."""
    from scanner.forms.layout import BLANK_PDF, COPIES_PDF

    yield _size(form)
    yield _("To print, at 100 %: {path}").format(path=form.folder / BLANK_PDF)
    if has_copies:
        yield _("Numbered copies: {path}").format(path=form.folder / COPIES_PDF)
    yield from _next_for(form)


def show_registered(
    form: Form, notes: Sequence[str], pictures: Sequence[Path]
) -> Iterator[RenderableType]:
    """A draft that has just been made from a blank, and what to do with it."""
    yield from show_doubts(form, notes)
    yield _("Look at the pictures, and correct what is wrong in {path}:").format(
        path=form.folder / FORM_FILE
    )
    yield from (f"  {picture}" for picture in pictures)
    yield _("After a correction, draw it anew:")
    yield f"  kiemphieu form show {form.id}"
    yield from _next_for(form)


def show_doubts(form: Form, notes: Sequence[str]) -> Iterator[RenderableType]:
    """A draft that has just been made, and what the program was not sure of."""
    yield _size(form)
    for note in notes:
        yield Text(f"  ? {note}", style="yellow")


def _size(form: Form) -> str:
    return _("{form}: {pages} pages, {targets} targets.").format(
        form=form.id, pages=len(form.pages), targets=len(list(form.targets()))
    )


def _next_for(form: Form) -> Iterator[RenderableType]:
    yield _("Next, see whether it can be read well:")
    yield f"  kiemphieu form check {form.id}"
    yield f"  kiemphieu form testdeck {form.id} --scan"


def show_findings(findings: Mapping[str, Sequence[Finding]]) -> Iterator[RenderableType]:
    """How fit each form is, and what was found about it."""
    for form, found in findings.items():
        points = score(found)
        heading = _("{form}: {score} of 100 points").format(form=form, score=points)
        style = "red" if any(one.severity is Severity.FAULT for one in found) else ""
        yield Text(heading, style=f"bold {style or ('yellow' if found else 'green')}")
        if not found:
            yield _("  Nothing found.")
        for finding in sorted(found, key=lambda one: -one.weight):
            page = _("page {n}").format(n=finding.page) + ": " if finding.page else ""
            style = "red" if finding.severity is Severity.FAULT else "yellow"
            yield Text(f"  −{finding.weight}  {page}{finding.message}", style=style)
            yield Text(f"       {finding.remedy}")
