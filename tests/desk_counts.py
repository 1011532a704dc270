"""Counts full of doubts with pictures of them, and what the voters of these sheets really chose."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from scanner.ballot import ContestState, SheetStatus
from scanner.counting.tally import CastVote, CastVoteRecord, Tally, add_up
from scanner.forms.template import Contest, Form, read_form, write_form
from tests.stored_counts import Measured, ink, make_count
from tests.synthetic import Design, draw_small_form, form_dpi, mark, write_scan_pdf

EMPTY, WEAK = ink(0.001), ink(0.11)
MM_PER_INCH = 25.4

Truth = Mapping[str, Sequence[str]]
"""What the voter of a sheet chose: ids of options by contest."""


def draw_desk_form(folder: Path, *, questions: int = 4, options: int = 4) -> Form:
    """A small form; of its last question two options may be chosen."""
    form = draw_small_form(folder / "forms", "small", Design(questions=questions, options=options))
    *others, last = form.contests
    changed = form.model_copy(update={"contests": (*others, last.model_copy(update={"max": 2}))})
    write_form(changed, form.folder)
    return read_form(form.folder)


def choose(form: Form, sheets: int, *, seed: int = 7) -> list[Truth]:
    """What so many voters choose: mostly as many as allowed, some none, some too many."""
    rng = random.Random(seed)
    return [{one.id: _choose_one(one, rng) for one in form.contests} for _sheet in range(sheets)]


def make_desk_count(folder: Path, form: Form, truths: Sequence[Truth]) -> Path:
    """A count in which every answer of every sheet is in doubt, with a scan of each.

    Args:
        folder: Of the count; beside the folder of the form.
        form: The form, of one page.
        truths: What the voters chose.
    """
    pages = [mark(form, truth, seed=number) for number, truth in enumerate(truths)]
    dpi = form_dpi(form)
    sheets = [[[*_measured(form, truth)]] for truth in truths]
    count = make_count(folder, form, sheets, mm_per_px=MM_PER_INCH / dpi)
    write_scan_pdf(count / "images" / "a.pdf", pages, dpi=round(dpi))
    return count


def tally_of(form: Form, truths: Sequence[Truth]) -> Tally:
    """The tally that the truth demands once a person has decided everything."""
    records = (
        CastVoteRecord(
            number,
            form.id,
            SheetStatus.DECIDED,
            tuple(_vote(contest, truth[contest.id]) for contest in form.contests),
        )
        for number, truth in enumerate(truths, start=1)
    )
    return add_up(records, [form])


def _choose_one(contest: Contest, rng: random.Random) -> list[str]:
    kind = rng.random()
    if kind < 0.1:
        return []
    number = contest.max + 1 if kind < 0.2 else rng.randint(1, contest.max)
    ids = [option.id for option in contest.options]
    return sorted(rng.sample(ids, number), key=ids.index)


def _measured(form: Form, truth: Truth) -> Iterator[Measured]:
    for contest, option in form.targets():
        # Where nothing is marked there is a blemish, else nobody would be asked.
        is_blemish = not truth[contest.id] and option is contest.options[0]
        yield WEAK if option.id in truth[contest.id] or is_blemish else EMPTY


def _vote(contest: Contest, chosen: Sequence[str]) -> CastVote:
    if not chosen:
        return CastVote(contest.id, ContestState.BLANK, is_decided=True)
    if len(chosen) > contest.max:
        return CastVote(contest.id, ContestState.OVERVOTE, is_decided=True)
    state = ContestState.VOTED if len(chosen) == contest.max else ContestState.UNDERVOTE
    return CastVote(contest.id, state, tuple(chosen), is_decided=True)
