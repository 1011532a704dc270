"""The price of limits over a range of them, before one is chosen.

Counted from stored measures and from what was decided so far; no image is read and nothing is
written.
"""

from __future__ import annotations

from collections.abc import Sequence

from scanner.ballot import MarkState
from scanner.counting.adjudication import Decision, SheetRecord
from scanner.counting.batch_grey import Greys, greys_of
from scanner.counting.limits import Limits, common_limits, ladder, settings_in_force
from scanner.counting.prices import Price, price_of_sheet
from scanner.counting.records import StoredTarget
from scanner.counting.redecide import decide_stored, redecide_sheet, sheets_with_targets
from scanner.counting.results import readers_of
from scanner.counting.second_reader import Readers
from scanner.counting.store import Store
from scanner.forms.template import Form
from scanner.settings import Settings


def price_range(store: Store, forms: Sequence[Form]) -> list[Price]:
    """The prices of limits around those in force, loose to tight; one row is those in force."""
    in_force = [Limits.of(settings) for settings in settings_in_force(store).values()]
    if not in_force:
        return []
    rungs: list[Limits | None] = list(ladder(in_force[-1]))
    if any(limits != in_force[-1] for limits in in_force):
        rungs[rungs.index(in_force[-1])] = None
    return find_prices(store, forms, rungs)


def find_prices(
    store: Store, forms: Sequence[Form], wanted: Sequence[Limits | None]
) -> list[Price]:
    """What limits would cost.

    Where a second person reads answers to contests that are close, those are that are close now.

    Args:
        store: The count.
        forms: The count's forms.
        wanted: Limits; None for those that each batch has.

    Returns:
        A price for each of them, in their order.
    """
    by_id = {form.id: form for form in forms}
    decisions = store.decisions()
    in_force = settings_in_force(store)
    readers = readers_of(store, forms)
    common = common_limits(in_force)
    prices = [Price(one or common, is_present=one in (None, common)) for one in wanted]
    rungs = {
        batch: _Rungs(settings, wanted, greys_of(store, batch, forms))
        for batch, settings in in_force.items()
    }
    for record, stored in sheets_with_targets(store):
        if record.form is not None:
            sheet = (record, by_id[record.form], decisions.get(record.sheet, ()))
            _add_sheet(prices, rungs[record.batch], sheet, stored, readers)
    return prices


class _Rungs:
    """The settings of a batch under each of several limits, and under the widest of them."""

    def __init__(self, settings: Settings, wanted: Sequence[Limits | None], greys: Greys) -> None:
        self.greys = greys
        limits = [Limits.of(settings) if one is None else one for one in wanted]
        self.all = [one.put_into(settings) for one in limits]
        self.loosest = Limits(
            min(one.marked for one in limits), max(one.unmarked for one in limits)
        ).put_into(settings)
        self.tightest = Limits(
            max(one.marked for one in limits), min(one.unmarked for one in limits)
        ).put_into(settings)


_Sheet = tuple[SheetRecord, Form, Sequence[Decision]]


def _add_sheet(
    prices: Sequence[Price],
    rungs: _Rungs,
    sheet: _Sheet,
    stored: Sequence[StoredTarget],
    readers: Readers,
) -> None:
    """Add what a sheet costs to each price.

    What is sure under the tightest limits is so under all, and what is doubtful under the
    loosest as well; only the others are decided for each. Limits under which they come to the
    same are worked out once.
    """
    record, form, made = sheet
    greys = rungs.greys
    targets = [decide_stored(one.reading, rungs.tightest, form, greys) for one in stored]
    open_ = []
    for place, one in enumerate(stored):
        if targets[place].state is MarkState.DOUBTFUL:
            loose = decide_stored(one.reading, rungs.loosest, form, greys)
            if loose != targets[place]:
                open_.append(place)
    bills: dict[tuple[MarkState, ...], Price] = {}
    for price, settings in zip(prices, rungs.all, strict=True):
        for place in open_:
            targets[place] = decide_stored(stored[place].reading, settings, form, greys)
        key = tuple(targets[place].state for place in open_)
        if key not in bills:
            again = redecide_sheet(record, form, stored, targets)
            bills[key] = price_of_sheet(again, form, made, targets, readers)
        price.add(bills[key])
