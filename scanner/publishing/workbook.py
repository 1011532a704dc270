"""A workbook for a spreadsheet program: how the count closes, its figures, reasons, decisions.

Figures are written as numbers and never as formulas: what is seen is what was counted, also where
the file is opened by something that works nothing out. Percentages are those of the count's rule,
rounded already. Charts are the program's own and follow the cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from scanner.ballot import ContestState, Reason
from scanner.counting.reconcile import name_of_figure
from scanner.counting.rules import describe_rule
from scanner.counting.tally import REFUSED_BY_PERSON, Gap
from scanner.counting.tally_file import TallyContest, TallyFile
from scanner.counting.tally_making import BY_CONTEST, NO_ANSWER
from scanner.messages import describe
from scanner.messages import gettext as _
from scanner.publishing.decision_lines import DecisionLine, ReasonLine
from scanner.publishing.figure_tables import BLANK, Answer, Cell, Figures, answers_of, groups_of

FONT = "Times New Roman"
FEWEST_ROWS = 14
"""A block of rows beside which a chart has room."""
ROW_PX = 20
TITLE_HEIGHT_PT = 24
CHART_COLUMN = 5
CHART_WIDTH_PX = 620
ANSWER_WIDTH = 60
"""Characters."""
BAR_COLOUR = "#1F5A99"
GROUP_COLOURS = ("#1F5A99", "#5B9BD5", "#F2A33A", "#C0504D", "#7F7F7F", "#8064A2")
LANDSCAPE_A4 = 9
FIGURES = frozenset({"issued", "collected", "hand_count", "scanned", "accounted", "batches"})
"""Figures of papers that may disagree."""


@dataclass(frozen=True, slots=True)
class Styles:
    """How cells look."""

    title: Format
    head: Format
    text: Format
    count: Format
    percent: Format
    note: Format
    warning: Format


def write_workbook(
    stream: IO[bytes],
    tally: TallyFile,
    reasons: Sequence[ReasonLine],
    decisions: Sequence[DecisionLine],
) -> None:
    """Write the workbook of a count.

    Args:
        stream: Where it goes.
        tally: The figures.
        reasons: Why sheets are void, and why people were asked.
        decisions: What people decided.
    """
    # Text that begins with = or looks like an address stays text.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(stream, options)
    book.set_properties(
        {
            "title": _("Counting result"),
            "comments": f"kiemphieu {tally.program}",
            "created": tally.generated_at.replace(tzinfo=None),
        }
    )
    styles = _styles(book, tally.rule.decimals)
    _write_closing(book, styles, tally)
    _write_results(book, styles, tally)
    if tally.breakdowns:
        _write_breakdowns(book, styles, tally)
    _write_decisions(book, styles, reasons, decisions)
    book.close()


def _styles(book: xlsxwriter.Workbook, decimals: int) -> Styles:
    plain = {"font_name": FONT, "font_size": 12, "valign": "top"}
    cell = plain | {"border": 1}
    places = "0" if decimals == 0 else f"0.{'0' * decimals}"
    return Styles(
        title=book.add_format(plain | {"bold": True, "font_size": 14}),
        head=book.add_format(
            cell | {"bold": True, "align": "center", "text_wrap": True, "bg_color": "#DCE6F1"}
        ),
        text=book.add_format(cell | {"text_wrap": True}),
        count=book.add_format(cell | {"num_format": "#,##0"}),
        percent=book.add_format(cell | {"num_format": places}),
        note=book.add_format(plain | {"italic": True}),
        warning=book.add_format(plain | {"bold": True, "font_color": "#C00000"}),
    )


def _add_sheet(book: xlsxwriter.Workbook, name: str, widths: Sequence[int]) -> Worksheet:
    """A sheet whose columns have these widths in characters, to be printed on A4."""
    sheet: Worksheet = book.add_worksheet(name)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.set_landscape()
    sheet.set_paper(LANDSCAPE_A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C&P/&N")
    return sheet


def _write_title(sheet: Worksheet, row: int, text: str, styles: Styles) -> None:
    sheet.set_row(row, TITLE_HEIGHT_PT)
    sheet.write_string(row, 0, text, styles.title)


def _write_row(sheet: Worksheet, row: int, cells: Sequence[Cell], styles: Sequence[Format]) -> None:
    for column, (cell, style) in enumerate(zip(cells, styles, strict=True)):
        if cell is None:
            sheet.write_blank(row, column, None, style)
        elif isinstance(cell, str):
            sheet.write_string(row, column, cell, style)
        else:
            sheet.write_number(row, column, cell, style)


# --- how it closes --------------------------------------------------------------------------------


def _write_closing(book: xlsxwriter.Workbook, styles: Styles, tally: TallyFile) -> None:
    name = _("Closing")
    sheet = _add_sheet(book, name, (46, 18))
    unit = tally.unit
    whose = (unit.name or unit.id) if unit is not None else tally.count
    _write_title(sheet, 0, " – ".join(filter(None, (whose, tally.period))), styles)
    made = tally.generated_at.isoformat(sep=" ", timespec="minutes")
    sheet.write_string(
        1, 0, _("Count {count}, written {made}").format(count=tally.count, made=made), styles.note
    )
    _write_row(sheet, 3, (_("Papers"), _("Number")), (styles.head, styles.head))
    sheets = tally.sheets
    lines: list[tuple[str, int | None]] = [
        (name_of_figure("issued"), sheets.issued),
        (name_of_figure("collected"), sheets.collected),
        (name_of_figure("hand_count"), sheets.hand_count),
        (name_of_figure("scanned"), sheets.paper),
        (_("valid"), sheets.valid),
        (_("void"), sheets.void),
        (_("in review"), sheets.in_review),
    ]
    for row, line in enumerate(lines, 4):
        _write_row(sheet, row, line, (styles.text, styles.count))
    row = 4 + len(lines)
    _add_chart(book, sheet, _Series(name, (3, 0), (7, row - 1), 0, 1), row=3, column=3)
    for reason, number in sheets.void_by_reason.items():
        words = f"{_('void')}: {_void_in_words(reason)}"
        _write_row(sheet, row, (words, number), (styles.text, styles.count))
        row += 1
    row = _write_end(sheet, styles, tally, max(row + 1, 4 + FEWEST_ROWS))
    sheet.write_string(row, 0, describe_rule(tally.rule), styles.note)


def _write_end(sheet: Worksheet, styles: Styles, tally: TallyFile, row: int) -> int:
    """Whether it is final, and who let it pass; gives the next free row."""
    if tally.is_final:
        sheet.write_string(row, 0, _("These figures are final."), styles.note)
    else:
        sheet.write_string(row, 0, _("These figures are not final."), styles.warning)
    for one in tally.overrides:
        row += 1
        sentence = _("{name} lets them pass as they stand: {why}")
        sheet.write_string(row, 0, sentence.format(name=one.by, why=one.why), styles.warning)
    for gap in tally.gaps:
        row += 1
        sheet.write_string(row, 0, _gap_in_words(gap), styles.warning)
    return row + 1


def _gap_in_words(gap: Gap) -> str:
    """Two figures that disagree: ``scanned 20 ≠ collected 21``."""
    where, _colon, what = gap.what.rpartition(": ")
    batch = f"{_('batch')} {where.removeprefix('batch ')}: " if where else ""
    first = f"{_figure_in_words(what)} {gap.figure}"
    return f"{batch}{first} ≠ {_figure_in_words(gap.other)} {gap.other_figure}"


def _figure_in_words(name: str) -> str:
    """The name of a figure of papers; a contest by its ids."""
    return name_of_figure(name) if name in FIGURES else name


def _void_in_words(reason: str) -> str:
    if reason == REFUSED_BY_PERSON:
        return _("A person refused it.")
    return describe(Reason(reason)) if reason in set(Reason) else reason


# --- the figures ----------------------------------------------------------------------------------


def _write_results(book: xlsxwriter.Workbook, styles: Styles, tally: TallyFile) -> None:
    """One table a question with its chart beside it."""
    name = _("Results")
    sheet = _add_sheet(book, name, (6, ANSWER_WIDTH, 12, 12))
    row = 0
    for figures in groups_of(tally):
        if not figures.is_whole:
            continue
        title = figures.form.title or figures.form.id
        _write_title(sheet, row, title, styles)
        row += 1
        for number, contest in enumerate(figures.contests or (), 1):
            lines = answers_of(tally, figures, contest)
            _write_question(sheet, styles, row, (number, contest, lines))
            own = _Series(name, (row, 1), (row + 1, row + len(lines)), 1, 2)
            _add_chart(book, sheet, own, row=row, column=CHART_COLUMN)
            row += max(len(lines) + 2, FEWEST_ROWS)
        row += 1
    sheet.write_string(row, 0, describe_rule(tally.rule), styles.note)


def _write_question(
    sheet: Worksheet,
    styles: Styles,
    row: int,
    question: tuple[int, TallyContest, Sequence[Answer]],
) -> None:
    number, contest, lines = question
    head = (str(number), contest.title or contest.id, _("Votes"), _("Share (%)"))
    _write_row(sheet, row, head, (styles.head,) * 4)
    for place, one in enumerate(lines, row + 1):
        cells = ("", _answer_in_words(one), one.votes, one.percent)
        _write_row(sheet, place, cells, (styles.text, styles.text, styles.count, styles.percent))


def _answer_in_words(answer: Answer) -> str:
    if answer.kind == "option":
        return answer.label or answer.id
    return describe(ContestState.BLANK if answer.id == BLANK else ContestState.OVERVOTE)


# --- parted into groups ---------------------------------------------------------------------------


def _write_breakdowns(book: xlsxwriter.Workbook, styles: Styles, tally: TallyFile) -> None:
    """One table for each question of each breakdown: a row a group, a column an answer."""
    name = _("Breakdowns")
    sheet = _add_sheet(book, name, (40, *(16,) * 12))
    row = 0
    for breakdown in tally.breakdowns:
        own = [
            one
            for one in groups_of(tally)
            if one.form.id == breakdown.form and one.by == breakdown.by
        ]
        heading = _("By {what}").format(
            what=_name_of_breakdown(tally, breakdown.form, breakdown.by)
        )
        _write_title(sheet, row, heading, styles)
        row += 1
        (form,) = (one for one in tally.forms if one.id == breakdown.form)
        asked = [one for one in form.contests if not one.is_breakdown]
        for contest in asked:
            last = _write_groups(sheet, styles, row, tally, own, contest)
            if breakdown.by.startswith(BY_CONTEST):
                _add_stacked(book, sheet, name, contest, (row, last))
            row = max(last + 2, row + FEWEST_ROWS if breakdown.by.startswith(BY_CONTEST) else 0)
    if any(group.contests is None for one in tally.breakdowns for group in one.groups):
        note = _("Empty cells: the group is too small, or hides one that is.")
        sheet.write_string(row, 0, note, styles.note)


def _write_groups(
    sheet: Worksheet,
    styles: Styles,
    row: int,
    tally: TallyFile,
    groups: Sequence[Figures],
    asked: TallyContest,
) -> int:
    """The table of one question; gives the row of its last group."""
    names = [option.label or option.id for option in asked.options]
    names += [describe(ContestState.BLANK), describe(ContestState.OVERVOTE)]
    head = (asked.title or asked.id, _("valid"), *names)
    _write_row(sheet, row, head, (styles.head,) * len(head))
    for place, group in enumerate(groups, row + 1):
        contest = next((one for one in group.contests or () if one.id == asked.id), None)
        votes: list[Cell] = [None] * len(names)
        if contest is not None:
            votes = [one.votes for one in answers_of(tally, group, contest)]
        label = _("not said") if group.group in {NO_ANSWER, ""} else group.label or group.group
        counts = (styles.count,) * (len(names) + 1)
        _write_row(sheet, place, (label, group.valid, *votes), (styles.text, *counts))
    return row + len(groups)


def _name_of_breakdown(tally: TallyFile, form_id: str, by: str) -> str:
    names = {"batch": _("batch"), "channel": _("channel"), "day": _("day")}
    if by in names:
        return names[by]
    contest_id = by.removeprefix(BY_CONTEST)
    form = tally.form(form_id)
    contests = form.contests if form is not None else ()
    return next((one.title for one in contests if one.id == contest_id and one.title), contest_id)


# --- reasons and decisions ------------------------------------------------------------------------


def _write_decisions(
    book: xlsxwriter.Workbook,
    styles: Styles,
    reasons: Sequence[ReasonLine],
    decisions: Sequence[DecisionLine],
) -> None:
    sheet = _add_sheet(book, _("Reasons and decisions"), (26, 44, 34, 22, 16, 34, 18, 12))
    _write_title(sheet, 0, _("Reasons"), styles)
    _write_row(sheet, 1, (_("What"), _("Reason"), _("Number")), (styles.head,) * 3)
    row = 2
    for line in reasons:
        cells = (line.kind, line.reason, line.number)
        _write_row(sheet, row, cells, (styles.text, styles.text, styles.count))
        row += 1
    row += 1
    _write_title(sheet, row, _("Decisions"), styles)
    head = (
        _("Sheet"), _("Question"), _("Decision"), _("By"), _("As"), _("Why"), _("When"),
        _("Stands"),
    )  # fmt: skip
    _write_row(sheet, row + 1, head, (styles.head,) * len(head))
    for place, one in enumerate(decisions, row + 2):
        stands = _("yes") if one.is_standing else _("taken back")
        cells_ = (one.sheet, one.question, one.decision, one.by, one.role, one.why, one.at, stands)
        _write_row(sheet, place, cells_, (styles.text,) * len(cells_))


# --- charts ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Series:
    """Cells that a chart shows."""

    sheet: str
    title: tuple[int, int]
    """Row and column of the cell with its title: a text that begins with = would be a formula."""
    rows: tuple[int, int]
    """First and last, from 0."""
    names: int
    """Column of the names."""
    values: int


def _add_chart(
    book: xlsxwriter.Workbook, sheet: Worksheet, series: _Series, *, row: int, column: int
) -> None:
    """One bar a row, in the order of the rows, with its figure."""
    chart: Any = book.add_chart({"type": "bar"})
    first, last = series.rows
    chart.add_series(
        {
            "name": [series.sheet, *series.title],
            "categories": [series.sheet, first, series.names, last, series.names],
            "values": [series.sheet, first, series.values, last, series.values],
            "data_labels": {"value": True, "font": {"name": FONT}},
            "fill": {"color": BAR_COLOUR},
            "gap": 40,
        }
    )
    chart.set_legend({"none": True})
    _dress(chart, (series.sheet, *series.title))
    rows = max(last - first + 3, FEWEST_ROWS)
    chart.set_size({"width": CHART_WIDTH_PX, "height": (rows - 1) * ROW_PX})
    sheet.insert_chart(row, column, chart)


def _add_stacked(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    name: str,
    contest: TallyContest,
    rows: tuple[int, int],
) -> None:
    """One bar a group, parted into the shares of the options."""
    chart: Any = book.add_chart({"type": "bar", "subtype": "percent_stacked"})
    head, last = rows
    for place in range(len(contest.options)):
        chart.add_series(
            {
                "name": [name, head, 2 + place],
                "categories": [name, head + 1, 0, last, 0],
                "values": [name, head + 1, 2 + place, last, 2 + place],
                "fill": {"color": GROUP_COLOURS[place % len(GROUP_COLOURS)]},
                "gap": 40,
            }
        )
    chart.set_legend({"position": "bottom", "font": {"name": FONT}})
    _dress(chart, (name, head, 0))
    height = (max(last - head + 2, FEWEST_ROWS) - 1) * ROW_PX
    chart.set_size({"width": CHART_WIDTH_PX, "height": height})
    sheet.insert_chart(head, 5 + len(contest.options), chart)


def _dress(chart: Any, title: tuple[str, int, int]) -> None:
    chart.set_title({"name": [*title], "name_font": {"name": FONT, "size": 11}, "overlay": False})
    # The first row on top, as in the table.
    # Every bar with its name, also where the program finds that there is little room.
    chart.set_y_axis({"reverse": True, "interval_unit": 1, "num_font": {"name": FONT}})
    chart.set_x_axis({"min": 0, "num_font": {"name": FONT}, "major_gridlines": {"visible": False}})
