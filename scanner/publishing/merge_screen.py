"""What ``merge`` shows: who filed what, the figures of the whole, and what a person should know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scanner.counting.merge import RollUp, Standing
from scanner.counting.notices import Notice, NoticeKind
from scanner.counting.rules import (
    ShareRule,
    answer_shares,
    describe_rule,
    number_text,
    percent_text,
    share,
)
from scanner.counting.tally_file import TallyContest, TallyFile, TallyForm
from scanner.counting.weighing import describe_weights, weighted_answers
from scanner.messages import current_language, ngettext
from scanner.messages import gettext as _

WARNING_STYLE = "bold yellow"
NAMED_FILES = 10
"""So many files are named in one sentence."""
RATES = ShareRule(decimals=2)
"""Shares of a quota: two decimals, halves up."""


def show_roll_up(result: RollUp) -> Iterator[RenderableType]:
    """The units, the figures of the whole, and how they came about.

    Raises:
        BadArgumentsError: The units have weights, and the figures cannot be weighted.
    """
    yield from (Text(line, style=WARNING_STYLE) for line in _notices_in_words(result.notices))
    yield _show_units(result)
    if result.total is not None:
        for form in result.total.forms:
            yield _show_form(result.total, form)
        yield Text(describe_rule(result.total.rule), style="dim")
        if result.total.weights:
            yield Text(describe_weights(), style="dim")
    yield from coverage_in_words(result)


def coverage_in_words(result: RollUp) -> Iterator[Text]:
    """How many units are complete; then by name those that are missing, late or short."""
    standings = list(result.standings())
    complete = sum(not one.missing for one in standings)
    yield Text(
        _("{period}: {complete} of {all} units are complete.").format(
            period=result.period.id, complete=complete, all=len(standings)
        ),
        style="bold green" if complete == len(standings) else WARNING_STYLE,
    )
    for standing in standings:
        for sentence in _faults_in_words(standing):
            yield Text(f"{standing.unit.name}: {sentence}", style=WARNING_STYLE)


def _notices_in_words(notices: Sequence[Notice]) -> Iterator[str]:
    """Each notice; but those of which there may be hundreds together, in one sentence."""
    others = [one for one in notices if one.kind is NoticeKind.OTHER_PERIOD]
    open_ones = [one for one in notices if one.kind is NoticeKind.NOT_FINAL]
    yield from (notice_in_words(one) for one in notices if one not in [*others, *open_ones])
    if open_ones:
        yield ngettext(
            "{n} tally is not final, so the sum is not either: {files}.",
            "{n} tallies are not final, so the sum is not either: {files}.",
            len(open_ones),
        ).format(n=len(open_ones), files=_some([one.file for one in open_ones]))
    if others:
        yield ngettext(
            "{n} file of another period was left out: {periods}.",
            "{n} files of other periods were left out: {periods}.",
            len(others),
        ).format(n=len(others), periods=", ".join(sorted({one.other for one in others})))


def _some(files: Sequence[str]) -> str:
    """The first names of a list, and whether there are more."""
    return ", ".join(files[:NAMED_FILES]) + (", …" if len(files) > NAMED_FILES else "")


def notice_in_words(notice: Notice) -> str:
    """One thing that a person should know, in a sentence."""
    sentence = {
        NoticeKind.SAME_FILE: _("{file} is the same file as {other}; it is not added twice."),
        NoticeKind.WITHIN: _("What {file} has is in {other} already; it is not added twice."),
        NoticeKind.OTHER_PERIOD: _("{file} is of {other} and was left out."),
        NoticeKind.VERSIONS: _(
            "{file} was counted with another version of the form {other}; contests and options"
            " agree, and were added by their ids."
        ),
        NoticeKind.MAPPED: _("{file}: the form {other} was mapped as the mapping file says."),
        NoticeKind.RULES: _(
            "The percentages of the files were made by rules that differ; the sum has the usual"
            " one."
        ),
        NoticeKind.PROVISIONAL: _("{file} is provisional: sheets that wait for a person: {other}."),
        NoticeKind.GAPS: _("{file} does not close; see its own tally."),
        NoticeKind.NOT_FINAL: _("{file} is not final."),
        NoticeKind.TOTAL: _("{file}: the papers that came back are not the {other} of its total."),
    }[notice.kind]
    return sentence.format(file=notice.file, other=notice.other)


def _faults_in_words(standing: Standing) -> Iterator[str]:
    worked_out = dict(standing.worked_out)
    for period in standing.missing:
        if period in worked_out:
            yield _("{period} is missing; {papers} papers (worked out from the total).").format(
                period=period, papers=_number(worked_out[period])
            )
        else:
            yield _("{period} is missing.").format(period=period)
    for source in standing.late:
        yield _("{period} came late, on {day} ({file}).").format(
            period=source.period, day=_day(source.generated_at), file=source.file
        )
    for period, papers in standing.short_periods:
        quota = standing.period_quota or 0
        yield _("{period} is short of its quota: {returned} of {quota}, {rate}.").format(
            period=period,
            returned=_number(papers),
            quota=_number(quota),
            rate=_rate(papers, quota),
        )


def _show_units(result: RollUp) -> RenderableType:
    table = Table(title=result.period.id, title_justify="left", title_style="bold")
    table.add_column(_("Unit"))
    for heading in (_("Files"), _("Quota"), _("Returned"), "%", _("Valid"), _("Void")):
        table.add_column(heading, justify="right")
    table.add_column(_("Note"))
    for row, style in _unit_rows(result, 0):
        table.add_row(*(Text(cell, style=style) for cell in row))
    return table


def _unit_rows(result: RollUp, depth: int) -> Iterator[tuple[Sequence[str], str]]:
    """A row for each unit; of one that adds up others its sum, and what it counted itself below."""
    standing = result.standing
    total = result.total
    indent = "  " * depth
    if not result.parts and standing is not None:
        yield _standing_row(indent + result.unit.name, standing, total), _style(standing)
        return
    quotas = [one.quota for one in result.standings() if one.quota is not None]
    quota = sum(quotas) if quotas else None
    papers = None if total is None else _papers(total)
    yield (
        (
            indent + result.unit.name,
            str(len(_files(total))),
            _figure(quota),
            _figure(papers),
            _rate(papers, quota),
            _figure(None if total is None else total.sheets.valid),
            _figure(None if total is None else total.sheets.void),
            "",
        ),
        "bold",
    )
    if standing is not None:
        name = "  " + indent + _("{unit} itself").format(unit=result.unit.name)
        yield _standing_row(name, standing, None), _style(standing)
    for part in result.parts:
        yield from _unit_rows(part, depth + 1)


def _standing_row(name: str, standing: Standing, total: TallyFile | None) -> Sequence[str]:
    notes = []
    if standing.missing:
        notes.append(_("missing"))
    if standing.late:
        notes.append(_("late"))
    if standing.is_short or standing.short_periods:
        notes.append(_("short"))
    return (
        name,
        str(len(standing.filed)),
        _figure(standing.quota),
        _figure(standing.returned),
        _rate(standing.returned, standing.quota),
        "" if total is None else _number(total.sheets.valid),
        "" if total is None else _number(total.sheets.void),
        ", ".join(notes),
    )


def _style(standing: Standing) -> str:
    return "yellow" if standing.missing or standing.late or standing.short_periods else ""


def _show_form(total: TallyFile, form: TallyForm) -> RenderableType:
    """The sums of a form; where units have weights, with a column of weighted shares."""
    title = f"{form.title} ({form.id})" if form.title else form.id
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(_("Option"))
    table.add_column(_("Votes"), justify="right")
    table.add_column("%", justify="right")
    if total.weights:
        table.add_column(_("weighted"), justify="right")
    for contest in form.contests:
        table.add_row(Text(contest.title or contest.id, style="bold"))
        for cells, style in _contest_rows(total, form, contest):
            table.add_row(*(Text(cell, style=style) for cell in cells))
        table.add_section()
    return table


def _contest_rows(
    total: TallyFile, form: TallyForm, contest: TallyContest
) -> Iterator[tuple[Sequence[str], str]]:
    language = current_language()
    whole = total.whole(form, contest)
    figures = (contest.blank, contest.overvote)
    of_options, of_rest = answer_shares(
        [one.votes for one in contest.options], figures, whole, total.rule, most=contest.max
    )
    columns = [[*of_options, *of_rest]]
    if total.weights:
        heavy_options, heavy_rest = weighted_answers(total, form, contest)
        columns.append([*heavy_options, *heavy_rest])
    lines = [(option.label, option.votes, "") for option in contest.options]
    lines += [(_("no answer"), contest.blank, "dim"), (_("too many"), contest.overvote, "dim")]
    for number, (name, figure, style) in enumerate(lines):
        values = (column[number] for column in columns)
        cells = ("" if one is None else percent_text(one, language) for one in values)
        yield (f"  {name}", f"{_number(figure)}/{_number(whole)}", *cells), style


def sources_in_words(total: TallyFile) -> str:
    """How many files a sum was made from."""
    files = len(_files(total))
    return ngettext(
        "Made from {n} tally; the file names it with its SHA-256.",
        "Made from {n} tallies; the file names each with its SHA-256.",
        files,
    ).format(n=files)


def _files(total: TallyFile | None) -> set[str]:
    """Hashes of the tallies of counts behind a sum."""
    sources = total.sources if total is not None else ()
    return {one.sha256 for one in sources} - {one.within for one in sources}


def _papers(total: TallyFile) -> int:
    sums = {one.within for one in total.sources}
    return sum(one.returned or 0 for one in total.sources if one.sha256 not in sums)


def _rate(figure: int | None, whole: int | None) -> str:
    if figure is None or not whole:
        return ""
    return percent_text(share(figure, whole, RATES), current_language())


def _day(at: datetime | None) -> str:
    """A day as it is written here."""
    if at is None:
        return "–"
    return f"{at:%d/%m/%Y}" if current_language() == "vi" else f"{at:%Y-%m-%d}"


def _figure(value: int | None) -> str:
    return "–" if value is None else _number(value)


def _number(value: int) -> str:
    return number_text(value, current_language())
