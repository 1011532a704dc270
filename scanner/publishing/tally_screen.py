"""What ``kiemphieu tally`` shows: figures with their rule, breakdowns, and how the papers close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scanner.ballot import ContestState
from scanner.counting.account import Books
from scanner.counting.breakdown import NO_GROUP, By, break_down, by_answer, by_batch
from scanner.counting.effort import Effort
from scanner.counting.reconcile import Closing, closing_in_words, point_in_words
from scanner.counting.rules import (
    Rounding,
    ShareRule,
    answer_shares,
    describe_rule,
    index_of,
    number_text,
    percent_text,
    share,
)
from scanner.counting.satisfaction import index_parts
from scanner.counting.sheet_rules import SheetRules
from scanner.counting.tally import ContestTally, FormTally
from scanner.forms.template import Contest, Form
from scanner.messages import current_language, describe
from scanner.messages import gettext as _
from scanner.publishing.screen import WARNING_STYLE, refusal_in_words

ALL_HUNDREDTHS = Decimal(100)


def show_figures(books: Books) -> Iterator[RenderableType]:
    """The figures of every form that has a sheet, each with its rule below."""
    without = []
    for form, sums in zip(books.forms, books.tally.forms, strict=True):
        if sums.counted or sums.in_doubt:
            yield _show_form(books, form, sums)
            yield Text(describe_rule(books.share), style="dim")
            yield from _notes(books, form, sums)
        else:
            without.append(form.id)
    if without:
        names = ", ".join(without)
        yield Text(_("No sheet counts or waits of: {forms}.").format(forms=names), style="dim")


def show_papers(closing: Closing) -> Iterator[RenderableType]:
    """The chain of papers, for each batch and for the whole, and what is void and why."""
    several = len(closing.batches) > 1
    for batch in closing.batches if several else ():
        chain = closing_in_words(batch)
        yield Text(_("Batch {number}: {chain}").format(number=batch.batch, chain=chain))
    yield Text(_("In all: {chain}").format(chain=closing_in_words(closing.whole)), style="bold")
    if closing.whole.not_paper:
        yield Text(
            _("Besides {n} pages that are no paper that was collected.").format(
                n=closing.whole.not_paper
            ),
            style="dim",
        )
    for reason, figure in closing.whole.void_by_reason.items():
        yield Text(f"  {_('void')}: {figure} × {refusal_in_words(reason)}", style="dim")


def show_openness(closing: Closing) -> Iterator[RenderableType]:
    """Why a count is not final, who let it pass, or that it is final."""
    for point in closing.open_points:
        yield Text(point_in_words(point), style=WARNING_STYLE)
    for one in closing.overrides:
        yield Text(
            _("{name} lets this pass: {why}").format(name=one.by, why=one.why), style=WARNING_STYLE
        )
    if closing.is_overridden:
        sentence = _("Final documents may be made: two people have let pass what is open.")
        yield Text(sentence, style=WARNING_STYLE)
    elif closing.open_points:
        yield Text(_("Not final: no final documents are made of it."), style=WARNING_STYLE)
    else:
        yield Text(_("Every paper is accounted for: the count is final."), style="bold green")


def show_breakdown(books: Books, by: By) -> Iterator[RenderableType]:
    """The figures of each form parted into groups, one table for each way of parting."""
    for form in books.forms:
        valid = books.valid(form)
        if not valid:
            continue
        if by is not By.FIELD:
            groups = break_down(valid, form, by_batch(books.batches, books.facts, by))
            yield _show_groups(books, form, name_of_breakdown(by), groups, {})
            continue
        for contest in form.contests:
            if contest.breakdown:
                groups = break_down(valid, form, by_answer(contest))
                labels = {option.id: option.label or option.id for option in contest.options}
                yield _show_groups(books, form, contest.title or contest.id, groups, labels)


def show_effort(effort: Effort, form: Form) -> Iterator[RenderableType]:
    """Blanks and repeated columns of each question, and who marked one column throughout."""
    table = Table(title=_("How the form was answered"), title_justify="left", title_style="bold")
    table.add_column(_("Question"))
    for name in (_("blank"), _("same column as before")):
        table.add_column(name, justify="right")
    for one in effort.questions:
        contest = form.contest(one.contest)
        title = (contest.title if contest is not None else "") or one.contest
        repeats = f"{one.repeats}/{one.follows}" if one.follows else "–"
        table.add_row(Text(title), f"{one.blank}/{one.sheets}", repeats)
    yield table
    yield Text(
        _("Blank in the first half of the questions: {first}, in the last half: {last}.").format(
            first=effort.blank_first, last=effort.blank_last
        )
    )
    if effort.asked:
        yield Text(
            _(
                "Sheets that mark one column in all {asked} questions of the same kind: {lined_up}"
                " of {complete} that answer them all."
            ).format(asked=effort.asked, lined_up=effort.lined_up, complete=effort.complete)
        )


def show_rules(share_rule: ShareRule, sheets: SheetRules) -> Iterator[RenderableType]:
    """The rules of a count."""
    yield Text(describe_rule(share_rule))
    yield Text(_("A sheet is void if:"))
    for reason in sorted(sheets.void):
        yield Text(f"  {reason.value}: {describe(reason)}")
    yield Text("  " + _("a person has declared it void or refused it."))


def name_of_breakdown(by: By) -> str:
    """By what figures are parted, in words."""
    names = {
        By.FIELD: _("by field"),
        By.BATCH: _("by batch"),
        By.CHANNEL: _("by channel"),
        By.DAY: _("by day"),
    }
    return names[by]


def _show_form(books: Books, form: Form, sums: FormTally) -> RenderableType:
    title = f"{form.title or form.id} ({form.id})" if form.title else form.id
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(_("Option"))
    table.add_column(_("Votes"), justify="right")
    table.add_column("%", justify="right")
    for contest, figures in zip(form.contests, sums.contests, strict=True):
        heading = contest.title or contest.id
        if contest.max > 1:
            heading += " " + _("(up to {max})").format(max=contest.max)
        table.add_row(Text(heading, style="bold"))
        for cells, is_option in _rows_of_contest(books, form, contest, figures):
            style = "" if is_option else "dim"
            table.add_row(*(Text(cell, style=style) for cell in cells))
        table.add_section()
    return table


def _rows_of_contest(
    books: Books, form: Form, contest: Contest, figures: ContestTally
) -> Iterator[tuple[tuple[str, str, str], bool]]:
    """Name, figure of how many, percentage; and whether it is an option."""
    whole = books.whole(form, figures)
    names = [option.label or option.id for option in contest.options]
    names += [describe(ContestState.BLANK), describe(ContestState.OVERVOTE)]
    options, rest = _percents(books, form, figures)
    language = current_language()
    for place, (name, figure, value) in enumerate(
        zip(names, _parts(figures), [*options, *rest], strict=True)
    ):
        number = number_text(figure, language)
        if value is not None:
            number += f"/{number_text(whole, language)}"
        percent = percent_text(value, language) if value is not None else ""
        yield (f"  {name}", number, percent), place < len(options)
    if contest.max > 1:
        unused = number_text(figures.undervotes, language)
        yield (f"  {_('choices left unused')}", unused, ""), False


def _notes(books: Books, form: Form, sums: FormTally) -> Iterator[Text]:
    """What else stands under the table: the index, and that a sum is not 100."""
    odd = [
        (contest.title or contest.id).rstrip(":")
        for contest, figures in zip(form.contests, sums.contests, strict=True)
        if contest.max == 1 and _is_odd(books, form, figures)
    ]
    if odd and books.share.rounding is not Rounding.LARGEST_REMAINDER:
        yield Text(
            _("Not 100 % in sum, because of the rounding: {questions}.").format(
                questions="; ".join(odd)
            ),
            style="dim",
        )
    parts = index_parts(
        [
            (figures.options, {option.id: option.label for option in contest.options})
            for contest, figures in zip(form.contests, sums.contests, strict=True)
        ]
    )
    if any(part.answers for part in parts):
        language = current_language()
        yield Text(
            _("Satisfaction index: {satisfied} of {answers} answers, {percent}.").format(
                satisfied=number_text(sum(part.satisfied for part in parts), language),
                answers=number_text(sum(part.answers for part in parts), language),
                percent=percent_text(index_of(parts, books.share), language),
            )
        )


def _parts(figures: ContestTally) -> list[int]:
    """Votes of each option, blanks and overvotes."""
    return [*figures.options.values(), figures.blank, figures.overvote]


def _percents(
    books: Books, form: Form, figures: ContestTally
) -> tuple[list[Decimal], list[Decimal | None]]:
    *options, blank, overvote = _parts(figures)
    whole = books.whole(form, figures)
    return answer_shares(options, [blank, overvote], whole, books.share, most=figures.max)


def _is_odd(books: Books, form: Form, figures: ContestTally) -> bool:
    """Whether percentages that ought to make up a whole do not, as they are rounded."""
    options, rest = _percents(books, form, figures)
    made = [*options, *rest]
    parts = [part for part, value in zip(_parts(figures), made, strict=True) if value is not None]
    whole = books.whole(form, figures)
    if sum(parts) != whole or not whole:
        return False
    return sum(value for value in made if value is not None) != ALL_HUNDREDTHS


def _show_groups(
    books: Books,
    form: Form,
    title: str,
    groups: Mapping[str, FormTally],
    labels: Mapping[str, str],
) -> RenderableType:
    """One row a group: valid sheets, and how satisfied it is where the form asks for that."""
    table = Table(title=f"{form.id}: {title}", title_justify="left", title_style="bold")
    table.add_column(_("Group"))
    table.add_column(_("Valid sheets"), justify="right")
    table.add_column("%", justify="right")
    table.add_column(_("Satisfied"), justify="right")
    language = current_language()
    total = len(books.valid(form))
    for group, sums in groups.items():
        parts = index_parts(
            [
                (figures.options, {option.id: option.label for option in contest.options})
                for contest, figures in zip(form.contests, sums.contests, strict=True)
            ]
        )
        name = _("(not told)") if group == NO_GROUP else labels.get(group, group)
        index = index_of(parts, books.share) if any(part.answers for part in parts) else None
        table.add_row(
            Text(name),
            number_text(sums.counted, language),
            percent_text(share(sums.counted, total, books.share), language),
            "–" if index is None else percent_text(index, language),
        )
    return table
