"""The tally of a count, as a file that stands alone says it.

Sheets that are void although they could be read, such as wholly blank ones, are in no figure of a
contest: votes, blank and overvote of a contest always make up the valid sheets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from json import loads

from scanner import __version__
from scanner.counting.account import Books, open_books
from scanner.counting.adjudication import answers
from scanner.counting.breakdown import NO_GROUP, By, break_down, by_answer, by_batch
from scanner.counting.effort import measure_effort
from scanner.counting.reconcile import Account, BatchFacts, Closing, PointKind
from scanner.counting.store import Store
from scanner.counting.tally import CastVoteRecord, ContestTally, FormTally, Gap, Tally, add_up
from scanner.counting.tally_file import (
    TallyBatch,
    TallyBreakdown,
    TallyContest,
    TallyDecider,
    TallyFile,
    TallyForm,
    TallyGroup,
    TallyLimitChange,
    TallyOption,
    TallyOverride,
    TallySheets,
    TallyUnit,
)
from scanner.forms.template import Contest, Form

BY_BATCH = By.BATCH.value
BY_CONTEST = "contest:"
NO_ANSWER = "[blank]"
"""The group of sheets that do not say to which group they belong."""


@dataclass(frozen=True, slots=True)
class TallyHeading:
    """What a tally says about itself beside its figures."""

    unit: TallyUnit | None = None
    period: str = ""
    smallest_group: int = 0
    """Groups of fewer valid sheets get no figures of their own."""
    is_secret: bool = False
    """The vote is secret: what goes out of single sheets says nothing about their order."""

    def kept_to(self, forms: Iterable[Form]) -> TallyHeading:
        """The same, as secret as the forms ask for at the least.

        Args:
            forms: The count's forms; the most secret of them rules.
        """
        asked = [form.secrecy for form in forms]
        return replace(
            self,
            smallest_group=max([self.smallest_group, *(one.smallest_group for one in asked)]),
            is_secret=self.is_secret or any(one.shuffled for one in asked),
        )


def make_tally(
    store: Store,
    forms: Sequence[Form],
    heading: TallyHeading,
    *,
    at: datetime,
    books: Books | None = None,
) -> TallyFile:
    """The tally of a count, by the count's own rules.

    Args:
        store: The count.
        forms: The count's forms.
        heading: What it says about itself.
        at: When it is made, with a time zone.
        books: The count's, where they are open already.
    """
    books = books or open_books(store, forms)
    heading = heading.kept_to(forms)
    everything = books.tally
    own = everything.forms
    info = store.info()
    return TallyFile(
        unit=heading.unit,
        period=heading.period,
        program=__version__,
        generated_at=_to_the_second(at),
        count=store.folder.resolve().name,
        created_at=_to_the_second(info.created),
        created_with=info.program,
        rule=books.share,
        sheets=_sheets(everything, books.closing.whole),
        forms=tuple(_form(books, form, sums) for form, sums in zip(forms, own, strict=True)),
        gaps=tuple(_gaps(books.closing, own)),
        breakdowns=tuple(_breakdowns(books, store.batch_facts(), heading.smallest_group)),
        decisions=_decisions(store),
        batches=_batches(store),
        limit_changes=tuple(
            TallyLimitChange(
                _to_the_second(one.at), one.by, one.why, one.batch, loads(one.settings)
            )
            for one in store.limit_changes()
        ),
        is_final=books.closing.is_final,
        overrides=tuple(
            TallyOverride(one.by, one.why, _to_the_second(one.at))
            for one in books.closing.overrides
        ),
        smallest_group=heading.smallest_group,
        log_head=store.head()[1],
    )


def _sheets(tally: Tally, account: Account) -> TallySheets:
    return TallySheets(
        issued=account.issued,
        collected=account.collected,
        hand_count=account.hand_count,
        clean=tally.clean,
        decided=tally.decided,
        in_doubt=tally.in_doubt,
        refused=tally.refused,
        blank_pages=tally.blank_pages,
        not_paper=account.not_paper,
        valid=account.valid,
        void=account.void,
        in_review=account.in_review,
        void_by_reason=account.void_by_reason,
        refused_by_reason=tally.refused_by_reason,
    )


def _form(books: Books, form: Form, sums: FormTally) -> TallyForm:
    effort = measure_effort(books.valid(form), form)
    return TallyForm(
        id=form.id,
        title=form.title,
        version=form.version,
        hash=form.content_hash,
        clean=sums.clean,
        decided=sums.decided,
        in_doubt=sums.in_doubt,
        valid=sums.counted,
        void=sums.void,
        returned=books.returned(form),
        contests=contests_of(form, sums.contests),
        straight_lines=effort.lined_up if effort.asked else None,
    )


def contests_of(form: Form, sums: Sequence[ContestTally]) -> tuple[TallyContest, ...]:
    """The sums of a form's contests as a tally file says them, in the order of the form."""
    return tuple(
        TallyContest(
            id=contest.id,
            title=contest.title,
            max=contest.max,
            counted=figures.counted,
            options=tuple(
                TallyOption(option.id, option.label, figures.options[option.id])
                for option in contest.options
            ),
            blank=figures.blank,
            overvote=figures.overvote,
            undervotes=figures.undervotes,
            in_doubt=figures.in_doubt,
            is_breakdown=contest.breakdown,
        )
        for contest, figures in zip(form.contests, sums, strict=True)
    )


def _gaps(closing: Closing, forms: Sequence[FormTally]) -> Iterator[Gap]:
    """Figures of papers that disagree, and contests whose sums are not whole."""
    for point in closing.open_points:
        if point.kind in {PointKind.DIFFERS, PointKind.EXCEEDS}:
            where = "" if point.batch is None else f"batch {point.batch}: "
            yield Gap(f"{where}{point.what}", point.other, point.figure, point.other_figure)
    for form in forms:
        for contest in form.contests:
            if not contest.closes:
                votes = sum(contest.options.values())
                yield Gap(f"{form.form}/{contest.contest}", "counted", votes, contest.counted)


def _breakdowns(
    books: Books, facts: Mapping[int, BatchFacts], smallest: int
) -> Iterator[TallyBreakdown]:
    """The figures of each form by batch, channel and day, and by who answers.

    By what all sheets have in common there is no breakdown.
    """
    for form in books.forms:
        valid = books.valid(form)
        for by in (By.BATCH, By.CHANNEL, By.DAY):
            sums = break_down(valid, form, by_batch(books.batches, facts, by))
            if len(sums) > 1:
                groups = [_group(form, name, name, figures) for name, figures in sums.items()]
                yield TallyBreakdown(form.id, by.value, hide_small_groups(groups, smallest))
        for contest in form.contests:
            if contest.breakdown:
                groups = _groups_by_answer(form, contest, valid)
                by_contest = f"{BY_CONTEST}{contest.id}"
                yield TallyBreakdown(form.id, by_contest, hide_small_groups(groups, smallest))


def _groups_by_answer(
    form: Form, contest: Contest, valid: Sequence[CastVoteRecord]
) -> list[TallyGroup]:
    """All answers to one contest, also those that nobody gave, and sheets without any."""
    sums = break_down(valid, form, by_answer(contest))
    (nobody,) = add_up([], [form]).forms
    labels = {option.id: option.label for option in contest.options}
    groups = [_group(form, name, label, sums.get(name, nobody)) for name, label in labels.items()]
    return [*groups, _group(form, NO_ANSWER, "", sums.get(NO_GROUP, nobody))]


def _group(form: Form, name: str, label: str, sums: FormTally) -> TallyGroup:
    return TallyGroup(name, label, sums.counted, contests_of(form, sums.contests))


def hide_small_groups(groups: Sequence[TallyGroup], smallest: int) -> tuple[TallyGroup, ...]:
    """Groups without the figures of those that have fewer valid sheets than asked for.

    What is hidden must not be found as the whole less what is shown. So further groups, the
    smallest first, are hidden until there are two, and with as many sheets together as a group
    must have (Willenborg & de Waal, Elements of Statistical Disclosure Control, 2001, section 1.4:
    secondary suppression). Empty groups are left as they are.

    Args:
        groups: All groups of one breakdown.
        smallest: The smallest group that is shown; 0 and 1 show all.
    """
    hidden: list[TallyGroup] = []
    for one in sorted((one for one in groups if one.valid), key=lambda one: (one.valid, one.id)):
        is_enough = len(hidden) > 1 and sum(group.valid for group in hidden) >= smallest
        if one.valid < smallest or (hidden and not is_enough):
            hidden.append(one)
    names = {one.id for one in hidden}
    return tuple(replace(one, contests=None) if one.id in names else one for one in groups)


def _decisions(store: Store) -> tuple[TallyDecider, ...]:
    """Who decided how much."""
    made: Counter[str] = Counter()
    sheets: dict[str, set[int]] = {}
    for sheet, decisions in store.decisions().items():
        for decision in answers(decisions):
            made[decision.by] += 1
            sheets.setdefault(decision.by, set()).add(sheet)
    return tuple(TallyDecider(name, made[name], len(sheets[name])) for name in sorted(made))


def _batches(store: Store) -> tuple[TallyBatch, ...]:
    settings = store.settings_in_force()
    return tuple(
        TallyBatch(
            batch=batch.id,
            files=len(batch.request.paths()),
            pages=store.count_pages(batch.id)[0],
            settings=loads(settings[batch.id]),
        )
        for batch in store.batches()
    )


def _to_the_second(at: datetime) -> datetime:
    """A moment as the file says it, so that a tally is the same before and after."""
    return at.replace(microsecond=0)
