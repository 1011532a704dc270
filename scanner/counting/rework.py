"""What a person can do with sheets that were refused, or whose pages do not belong together.

Each action makes new sheets of the pages of former ones and says that the former count no more.
Nothing is guessed: what is not certain about a new sheet is a doubt of it, and goes to the desk
like any other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from scanner.ballot import UnreadablePage
from scanner.counting.adjudication import SheetRecord, sheet_label
from scanner.counting.bench import Bench, Hand
from scanner.counting.reworked import SET_ASIDE, NewSheet, Rework, ReworkKind
from scanner.counting.second_look import SecondLook, told_as_json
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError
from scanner.forms.template import Form
from scanner.messages import gettext as _


def keep_look(store: Store, forms: Sequence[Form], look: SecondLook, hand: Hand) -> Rework:
    """Make a sheet of what was read again; where it is no page of its former sheet, two.

    Raises:
        BadArgumentsError: The page could not be read, or no name or no reason is given.
        CountError: The sheet counts no more.
    """
    again = look.result
    if isinstance(again, UnreadablePage):
        raise BadArgumentsError(
            _("The page could not be read this time either."),
            remedy=_("Say something else of it, or type its answers by hand."),
        )
    bench = Bench(store, forms)
    told = told_as_json(look.told)
    leaves = [
        leaf.read_as(again, bench.settled(leaf, again), json.dumps(told, ensure_ascii=False))
        if leaf.id == look.page
        else leaf
        for leaf in bench.leaves(look.sheet)
    ]
    try:
        sheets = [bench.make(leaves, (look.sheet,))]
    except BadArgumentsError:
        sheets = [bench.make([leaf], (look.sheet,)) for leaf in leaves]
    said = {"page": look.page, **told}
    return bench.write(ReworkKind.READ_AGAIN, (look.sheet,), sheets, hand, said)


def pair(store: Store, forms: Sequence[Form], sheets: tuple[int, int], hand: Hand) -> Rework:
    """Make one sheet of the pages of two.

    A page that could not be read is taken for the one that is missing: its answers are typed by
    hand.

    Raises:
        BadArgumentsError: The pages cannot be one sheet, or no name or no reason is given.
        CountError: One of the sheets is not there, or counts no more.
    """
    one, other = sheets
    if one == other:
        raise BadArgumentsError(_("A sheet cannot be paired with itself."))
    bench = Bench(store, forms)
    leaves = [*bench.leaves(one), *bench.leaves(other)]
    return bench.write(ReworkKind.PAIRED, sheets, [bench.make(leaves, sheets)], hand)


def take_apart(store: Store, forms: Sequence[Form], sheet: int, hand: Hand) -> Rework:
    """Make a sheet of each page of one, since its pages do not belong together.

    Raises:
        BadArgumentsError: It has only one page, or no name or no reason is given.
        CountError: The sheet is not there, or counts no more.
    """
    bench = Bench(store, forms)
    leaves = bench.leaves(sheet)
    if len(leaves) < 2:
        raise BadArgumentsError(_("This sheet has one page only."))
    sheets = [bench.make([leaf], (sheet,)) for leaf in leaves]
    return bench.write(ReworkKind.TAKEN_APART, (sheet,), sheets, hand)


def type_by_hand(
    store: Store, forms: Sequence[Form], sheet: int, form_id: str, hand: Hand
) -> Rework:
    """Make a sheet of a form without anything read on it: each contest waits for a person.

    Raises:
        BadArgumentsError: There is no such form, or no name or no reason is given.
        CountError: The sheet is not there, or counts no more.
    """
    bench = Bench(store, forms)
    new = bench.make_typed(bench.leaves(sheet), form_id, (sheet,))
    return bench.write(ReworkKind.TYPED, (sheet,), [new], hand, {"form": form_id})


def set_aside(
    store: Store,
    forms: Sequence[Form],
    sheet: int,
    kind: ReworkKind,
    hand: Hand,
    copy_of: int | None = None,
) -> Rework:
    """Say that a sheet is no ballot of this count, a copy of another sheet, or void.

    Args:
        store: The count.
        forms: The count's forms.
        sheet: The sheet.
        kind: One of :data:`SET_ASIDE`.
        hand: Who says so, and why.
        copy_of: The sheet that it is a copy of.

    Raises:
        BadArgumentsError: It is not said of which sheet it is a copy, or that sheet does not count
            itself; or no name or no reason is given.
        CountError: A sheet is not there, or counts no more.
    """
    if kind is ReworkKind.COPY:
        _see_that_it_has_a_copy(store, sheet, copy_of)
    bench = Bench(store, forms)
    leaves = tuple(bench.leaves(sheet))
    record = SheetRecord(0, bench.batch_of(leaves), None, (SET_ASIDE[kind],))
    said = {"copy_of": copy_of} if kind is ReworkKind.COPY else {}
    return bench.write(kind, (sheet,), [NewSheet(record, leaves)], hand, said)


def undo(store: Store, forms: Sequence[Form], rework_id: int, hand: Hand) -> Rework:
    """Take a rework back: the former sheets count again, with what was decided on them.

    Raises:
        BadArgumentsError: There is no such rework, it is an undoing itself, or no name or no reason
            is given.
        CountError: It was undone before, or one of its sheets was put together anew since.
    """
    undone = next((one for one in store.reworks() if one.id == rework_id), None)
    if undone is None or undone.kind is ReworkKind.UNDONE:
        raise BadArgumentsError(_("There is nothing to undo."))
    bench = Bench(store, forms)
    plan = bench.plan(ReworkKind.UNDONE, undone.made, (), hand, {"undoes": undone.kind.value})
    after = tuple(bench.said_of(store.sheet(number)) for number in undone.former)
    return store.save_undo(replace(plan, after=after), undone)


def _see_that_it_has_a_copy(store: Store, sheet: int, copy_of: int | None) -> None:
    if copy_of is None or copy_of == sheet:
        raise BadArgumentsError(_("Say of which other sheet this one is a copy."))
    other = store.sheet(copy_of)
    if other.form is None or store.is_gone(copy_of):
        raise BadArgumentsError(
            _("Sheet {sheet} is not counted itself.").format(sheet=sheet_label(copy_of)),
            remedy=_("Name the sheet that stays in the count."),
        )
