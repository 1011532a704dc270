"""A test deck that was scanned, beside what it says: pass or fail, target by target.

The sheets are matched by their order in the scan, first to last or last to first. A target is
right, or a person is asked about its contest where the deck means a doubt or where it does not,
or it is wrong: read otherwise than meant, and nobody asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scanner.ballot import ContestState, Reason, SheetStatus
from scanner.counting.adjudication import SheetRecord, open_doubts, resolve, sheet_label
from scanner.counting.store import Store
from scanner.counting.tally import CastVote
from scanner.errors import BadArgumentsError, TallyMismatchError
from scanner.forms.deck import Deck, DeckMark, DeckSheet, DeckTarget, description_path
from scanner.forms.template import Form
from scanner.messages import gettext as _

LISTED = 40
"""So many differences are named one by one."""


class Outcome(StrEnum):
    """How a target of a deck came through."""

    RIGHT = "right"
    ASKED = "asked"
    """A person is asked, and the deck means a doubt there."""
    NEEDLESS = "needless"
    """A person is asked, and the deck means none."""
    WRONG = "wrong"
    """Counted otherwise than meant."""


@dataclass(frozen=True, slots=True)
class DeckDifference:
    """One target that is wrong, or about which a person is asked for nothing."""

    sheet: int
    """Number in the deck."""
    counted_as: tuple[int, ...]
    """Numbers of the sheets in the count that its pages went to."""
    contest: str
    option: str
    meant: DeckTarget
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class DeckResult:
    """A scanned deck compared with its description."""

    contests: Mapping[str, Counter[Outcome]]
    """Targets by outcome, contest by contest."""
    differences: tuple[DeckDifference, ...]
    sheets: int
    is_reversed: bool = False
    """The last sheet of the deck was scanned first."""

    @property
    def total(self) -> Counter[Outcome]:
        """Targets by outcome."""
        return sum(self.contests.values(), Counter())

    @property
    def needless(self) -> int:
        """Questions to a person for nothing: contests of sheets, however many targets each has."""
        asked = (one for one in self.differences if one.outcome is Outcome.NEEDLESS)
        return len({(one.sheet, one.contest) for one in asked})

    def passes(self, allowed: int = 0) -> bool:
        """True if nothing is wrong, and no more than ``allowed`` questions are for nothing."""
        return not self.total[Outcome.WRONG] and self.needless <= allowed


@dataclass(frozen=True, slots=True)
class _Counted:
    """What became of the pages of one sheet of the deck."""

    sheets: tuple[int, ...]
    answers: Mapping[str, CastVote]
    """Final answers by contest; empty where the pages did not make one sheet of the form."""
    asked: frozenset[str | None]
    """Contests that wait for a person; None for the sheet as a whole."""


def compare_deck(store: Store, forms: Sequence[Form], form_id: str, deck: Deck) -> DeckResult:
    """Compare what a count holds with what the deck in it says.

    Contests that a person has decided are compared as decided.

    Args:
        store: A count that holds the deck and nothing else.
        forms: The count's forms.
        form_id: The form of the deck.
        deck: What it says.

    Raises:
        BadArgumentsError: The form is not in the count, or has other targets than the deck.
        TallyMismatchError: The count has more pages or fewer than the deck.
    """
    form = next((form for form in forms if form.id == form_id), None)
    if form is None:
        raise BadArgumentsError(
            _("The form {form} is not in this count.").format(form=form_id), path=store.folder
        )
    if {(contest.id, option.id) for contest, option in form.targets()} != deck.sheets[0].targets():
        raise BadArgumentsError(
            _("The deck was made from a form with other targets than {form}.").format(form=form_id),
            remedy=_("Make a new deck, or name the deck that was scanned with --deck FILE.json."),
        )
    counted = list(_counted_sheets(store, forms, form, deck))
    forward = _compare(deck, counted, is_reversed=False)
    if not forward.differences:
        return forward
    backward = _compare(deck, counted[::-1], is_reversed=True)
    return min(forward, backward, key=lambda result: len(result.differences))


def find_description(store: Store, usual: Path) -> Path:
    """Where the description of a scanned deck lies: beside the PDF that was scanned, else usual."""
    names = (Path(source.name) for _sheet, source in store.sources())
    beside = (description_path(name) for name in dict.fromkeys(names))
    return next((path for path in beside if path.is_file()), usual)


def show_deck(deck: Deck, pdf: Path) -> Iterator[RenderableType]:
    """A deck that was just made, and what to do with it."""
    yield _("{sheets} sheets: {pdf}; what is marked on them: {description}").format(
        sheets=len(deck.sheets), pdf=pdf, description=description_path(pdf)
    )
    if not deck.scan:
        yield _("Print it at 100 % and scan the paper, or scan the file as it is:")
    # Two decks in one count could not be compared, so each has a count of its own name.
    is_usual = pdf.stem == f"testdeck-{deck.form}"
    named = "" if is_usual else f" --deck {description_path(pdf)}"
    yield f"  kiemphieu scan {pdf.stem} {pdf} -f {deck.form}"
    yield f"  kiemphieu form testdeck {deck.form} --compare {pdf.stem}{named}"


def show_deck_result(form: Form, result: DeckResult, allowed: int = 0) -> Iterator[RenderableType]:
    """Pass or fail, a table of the contests, and what differs."""
    table = Table(title=form.title or form.id, title_justify="left", title_style="bold")
    table.add_column(_("Contest"))
    for name in (
        _("Targets"),
        _("Right"),
        _("Asked, as meant"),
        _("Asked for nothing"),
        _("Wrong"),
    ):
        table.add_column(name, justify="right", min_width=max(map(len, name.split())))
    for contest in form.contests:
        table.add_row(contest.title or contest.id, *_cells(result.contests[contest.id]))
    table.add_section()
    table.add_row(Text(_("All"), style="bold"), *_cells(result.total))
    yield table
    if result.is_reversed:
        yield _("The deck was scanned from its last sheet to its first.")
    lines = list(_differences_in_words(result.differences))
    yield from lines[:LISTED]
    more = len(lines) - LISTED
    if more > 0:
        yield _("… and {more} more.").format(more=more)
    if result.passes(allowed) and result.needless:
        sentence = _("PASS: no mark was counted wrong; questions for nothing: {needless}.")
        yield Text(sentence.format(needless=result.needless), style="bold green")
    elif result.passes(allowed):
        yield Text(_("PASS: every target was read as it was meant."), style="bold green")
    elif result.total[Outcome.WRONG]:
        yield Text(_("FAIL: marks were counted otherwise than meant."), style="bold red")
    else:
        yield Text(_("FAIL: a person is asked about clear marks."), style="bold red")


def show_deck_advice(result: DeckResult, count: Path, form_id: str) -> Iterator[RenderableType]:
    """What to do about a deck that does not pass."""
    first = min(result.differences, key=lambda one: one.outcome is not Outcome.WRONG)
    yield _("Look at the sheet: kiemphieu show {count} {sheet}").format(
        count=count, sheet=first.counted_as[0]
    )
    if first.outcome is Outcome.WRONG:
        yield _(
            "Then at the form: kiemphieu form show {form}. Count nothing with it before every"
            " target lies on its box and the deck passes."
        ).format(form=form_id)
    else:
        yield _(
            "No mark was counted wrong. A question for nothing costs a look at one sheet;"
            " --allow {needless} says that so many in {sheets} sheets will do."
        ).format(needless=result.needless, sheets=result.sheets)


def _counted_sheets(
    store: Store, forms: Sequence[Form], form: Form, deck: Deck
) -> Iterator[_Counted]:
    """What became of each sheet of the deck, in the order of the scan."""
    records = {record.sheet: record for record in store.sheets()}
    pages_of = Counter(sheet for sheet, _source in store.sources())
    pages = sorted(
        (source.page, sheet)
        for sheet, source in store.sources()
        if Reason.BLANK_PAGE not in records[sheet].reasons
    )
    wanted = deck.pages * len(deck.sheets)
    if len(pages) != wanted:
        raise TallyMismatchError(
            _("The count has {pages} printed pages, the deck {wanted}.").format(
                pages=len(pages), wanted=wanted
            ),
            remedy=_("Scan the whole deck, and nothing else, into a count of its own."),
            path=store.folder,
        )
    decisions = store.decisions()
    by_id = {form.id: form for form in forms}
    for start in range(0, wanted, deck.pages):
        sheets = tuple(dict.fromkeys(sheet for _page, sheet in pages[start : start + deck.pages]))
        made = {sheet: decisions.get(sheet, ()) for sheet in sheets}
        finals = [resolve(records[s], made[s], by_id.get(records[s].form or "")) for s in sheets]
        is_whole = len(sheets) == 1 and pages_of[sheets[0]] == deck.pages
        if is_whole and finals[0].form == form.id and finals[0].status is not SheetStatus.REFUSED:
            record = records[sheets[0]]
            doubts = open_doubts(record, made[record.sheet], form.rule)
            yield _Counted(
                sheets,
                {vote.contest: _as_marked(vote, record) for vote in finals[0].votes},
                frozenset(contest for contest, _reasons in doubts),
            )
        else:
            waits = all(one.status in {SheetStatus.IN_DOUBT, SheetStatus.REFUSED} for one in finals)
            yield _Counted(sheets, {}, frozenset({None} if waits else ()))


def _as_marked(vote: CastVote, record: SheetRecord) -> CastVote:
    """The answer with the options that are marked also where too many are."""
    if vote.state is not ContestState.OVERVOTE or vote.is_decided:
        return vote
    marked = next(one.marked for one in record.contests if one.contest == vote.contest)
    return CastVote(vote.contest, vote.state, marked)


def _compare(deck: Deck, counted: Sequence[_Counted], *, is_reversed: bool) -> DeckResult:
    contests: dict[str, Counter[Outcome]] = {name: Counter() for name in deck.tally}
    differences = []
    for sheet, found in zip(deck.sheets, counted, strict=True):
        for contest, targets in sheet.contests.items():
            for option, meant in targets.items():
                outcome = _judge(sheet, found, contest, option)
                contests[contest][outcome] += 1
                if outcome in {Outcome.NEEDLESS, Outcome.WRONG}:
                    differences.append(
                        DeckDifference(sheet.sheet, found.sheets, contest, option, meant, outcome)
                    )
    return DeckResult(contests, tuple(differences), len(deck.sheets), is_reversed)


def _judge(sheet: DeckSheet, found: _Counted, contest: str, option: str) -> Outcome:
    targets = sheet.contests[contest]
    if found.asked & {contest, None}:
        is_meant = sheet.doubt or any(one.doubt for one in targets.values())
        return Outcome.ASKED if is_meant else Outcome.NEEDLESS
    answer = found.answers.get(contest)
    if answer is None:
        return Outcome.WRONG
    if answer.state is ContestState.OVERVOTE and answer.is_decided:
        # A person says "too many" and names none.
        is_right = sum(one.marked for one in targets.values()) > 1
    else:
        is_right = (option in answer.options) is targets[option].marked
    return Outcome.RIGHT if is_right else Outcome.WRONG


def _cells(figures: Counter[Outcome]) -> list[Text]:
    styles = {Outcome.NEEDLESS: "yellow", Outcome.WRONG: "bold red"}
    cells = [Text(str(figures.total()))]
    for outcome in Outcome:
        style = styles.get(outcome, "") if figures[outcome] else "dim"
        cells.append(Text(str(figures[outcome]), style=style))
    return cells


def _differences_in_words(differences: Sequence[DeckDifference]) -> Iterator[Text]:
    """A line for each target that is wrong, and for each question that is asked for nothing."""
    asked: dict[tuple[int, str], list[DeckDifference]] = {}
    for one in differences:
        if one.outcome is Outcome.WRONG:
            sentence = _(
                "Deck sheet {deck_sheet} (in the count: {sheets}), {target}: {meant};"
                " counted otherwise."
            )
            target = f"{one.contest}/{one.option}"
            yield Text(_in_words(sentence, one, target, _mark_in_words(one.meant.mark)), "bold red")
        else:
            asked.setdefault((one.sheet, one.contest), []).append(one)
    for of_contest in asked.values():
        marks = [
            f"{one.option} {_mark_in_words(one.meant.mark)}"
            for one in of_contest
            if one.meant.mark is not None
        ]
        sentence = _(
            "Deck sheet {deck_sheet} (in the count: {sheets}), {target}: {meant}; asked about."
        )
        first = of_contest[0]
        meant = ", ".join(marks) or _mark_in_words(None)
        yield Text(_in_words(sentence, first, first.contest, meant), "yellow")


def _in_words(sentence: str, one: DeckDifference, target: str, meant: str) -> str:
    return sentence.format(
        deck_sheet=sheet_label(one.sheet),
        sheets=", ".join(sheet_label(sheet) for sheet in one.counted_as),
        target=target,
        meant=meant,
    )


def _mark_in_words(mark: DeckMark | None) -> str:
    words = {
        None: _("no mark"),
        DeckMark.CROSS: _("cross"),
        DeckMark.TICK: _("tick"),
        DeckMark.FILL: _("filled"),
        DeckMark.SLASH: _("slash"),
        DeckMark.DOT: _("dot"),
        DeckMark.FAINT: _("faint cross"),
        DeckMark.CANCELLED: _("mark taken back"),
        DeckMark.STRIKE: _("struck out"),
        DeckMark.RING: _("circled"),
        DeckMark.UNDERLINE: _("underlined"),
    }
    return words[mark]
