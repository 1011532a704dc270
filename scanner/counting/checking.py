"""A random check of a count: the list is published, the draw made, the figures worked out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

from scanner.counting.adjudication import resolve
from scanner.counting.random_check import (
    DrawnTarget,
    Figures,
    Population,
    SureTarget,
    choose_sure,
    clean_seed,
    compare,
    draw,
    fingerprint,
    fingerprint_lines,
    list_lines,
    take,
)
from scanner.counting.records import EXPORTS_FOLDER
from scanner.counting.results import readers_of
from scanner.counting.store import Store
from scanner.counting.store_schema import storage_faults
from scanner.errors import BadArgumentsError
from scanner.forms.template import Form
from scanner.messages import gettext as _


def list_sure(store: Store, forms: Sequence[Form]) -> Iterator[SureTarget]:
    """The targets that a check draws from, by sheet, page and place."""
    by_id = {form.id: form for form in forms}
    readers = readers_of(store, forms)
    suspects = store.suspects(forms)
    decisions = store.some_decisions(suspects)
    unclean = (
        resolve(record, decisions.get(record.sheet, ()), by_id.get(record.form or ""), readers)
        for record in store.some_sheets(suspects)
    )
    return choose_sure(unclean, store.sure_targets())


def see_population(store: Store, forms: Sequence[Form]) -> Population:
    """How many targets there are to draw from, and the fingerprint of their list."""
    return fingerprint(list_sure(store, forms))


def list_path(store: Store, number: int) -> Path:
    """Where the list lies that a check was drawn from: with it anybody can repeat the draw."""
    return store.folder / EXPORTS_FOLDER / f"random-check-{number}.txt"


def draw_check(
    store: Store, forms: Sequence[Form], *, seed: str, drawn: int, published: str, who: str
) -> int:
    """Draw targets, enter the draw, and keep the list that was drawn from.

    Args:
        store: The count.
        forms: The count's forms.
        seed: As it was typed: digits and spaces.
        drawn: How many targets.
        published: The fingerprint of the list as it was published before the seed was thrown.
        who: Name of the person who typed the seed.

    Returns:
        The number of the draw.

    Raises:
        BadArgumentsError: The seed is none or was used before, there are not so many targets, or
            the list is not any more what was published.
        StorageError: The list cannot be written.
    """
    digits = clean_seed(seed)
    passing = store.folder / EXPORTS_FOLDER / f"random-check-{uuid4().hex}.part"
    try:
        with storage_faults(store.folder):
            passing.parent.mkdir(parents=True, exist_ok=True)
            with passing.open("w", encoding="utf-8", newline="\n") as stream:
                stream.writelines(list_lines(list_sure(store, forms)))
        population, targets = _draw_from(passing, digits, drawn, published, store)
        number = store.add_draw(digits, population, targets, who)
        with storage_faults(store.folder):
            passing.replace(list_path(store, number))
    finally:
        passing.unlink(missing_ok=True)
    return number


def end_check(store: Store, number: int, who: str) -> Figures:
    """Bring a check to its end: enter its figures, and put what disagrees into the queue.

    What nobody has looked at is left out: the targets come in the order of the draw, so those that
    were read are a draw as well, only a smaller one.

    Args:
        store: The count.
        number: The draw.
        who: Name of the person who ends it.

    Raises:
        BadArgumentsError: It has ended before, or nobody has read anything.
        CountError: There is no such draw.
    """
    store.find_draw(number)
    return store.end_draw(number, work_out, who)


def work_out(drawn: Sequence[DrawnTarget]) -> Figures:
    """The figures of what was read so far.

    Raises:
        BadArgumentsError: Nobody has read anything.
    """
    read = [one for one in drawn if one.seen is not None]
    if not read:
        raise BadArgumentsError(_("Nobody has looked at any of the boxes yet."))
    return compare((one.target.state, one.seen) for one in read)


def _draw_from(
    path: Path, seed: str, drawn: int, published: str, store: Store
) -> tuple[Population, list[SureTarget]]:
    """The targets drawn from a list in a file, in the order of the draw."""
    with path.open(encoding="utf-8", newline="") as lines:
        population = fingerprint_lines(lines)
    if population.fingerprint != published:
        raise BadArgumentsError(
            _("The list of boxes has changed since it was published."),
            remedy=_("Publish it anew, then throw a new seed."),
        )
    numbers = draw(seed, drawn, population.size)
    with path.open(encoding="utf-8", newline="") as lines:
        names = take(lines, numbers)
    states = store.states_of(names)
    return population, [SureTarget(*name, states[name]) for name in names]
