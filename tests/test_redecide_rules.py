"""The rules of other limits, on any measures: nothing drifts, and prices are true."""

from __future__ import annotations

import random
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import (
    ContestState,
    MarkState,
    Reason,
    SheetStatus,
    TargetMeasures,
    TargetReading,
)
from scanner.counting.adjudication import Decision, SheetRecord, Stage, Verdict
from scanner.counting.batch_grey import Greys
from scanner.counting.intake import read_sheet
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.limits import Limits, ladder
from scanner.counting.price_range import find_prices, price_range
from scanner.counting.records import StoredTarget
from scanner.counting.redecide import (
    decide_stored,
    redecide,
    redecide_sheet,
)
from scanner.counting.results import decide, now
from scanner.counting.second_reader import SecondReader
from scanner.counting.sheets import SheetDraft
from scanner.counting.store import Store
from scanner.forms.template import Form
from scanner.reading.decide import decide_target
from scanner.settings import Settings
from tests.fake_pages import make_form
from tests.stored_counts import (
    LOOSE,
    READ_WITH,
    STRICT,
    Measured,
    boxes,
    change,
    decisions,
    ink,
    make_count,
    plain,
    statuses,
    take_decision,
)

EMPTY, CLEAR = ink(0.001), ink(0.5)
SHEETS = 60
VERDICTS: list[tuple[Verdict, str | None, tuple[str, ...]]] = [
    (Verdict.ACCEPT, None, ()),
    (Verdict.REFUSE, None, ()),
    (Verdict.BLANK, "c1", ()),
    (Verdict.OPTIONS, "c2", ("o1",)),
]


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return make_form(tmp_path_factory.mktemp("desk") / "forms", "khao-sat")


def page(*marks: Measured) -> tuple[Measured, ...]:
    return marks


# --- the rules, on any measures ------------------------------------------------------------------

amounts = st.one_of(st.floats(0, 0.02), st.floats(0.02, 0.3), st.floats(0.3, 1))
measured = st.builds(
    Measured,
    st.builds(
        TargetMeasures,
        inside=amounts,
        weight=amounts,
        outline=st.sampled_from([0.0, 0.0, 0.2]),
        outside=st.sampled_from([0.0, 0.0, 0.03, 0.7]),
        label_mm=st.sampled_from([0.0, 0.0, 4.0]),
        extent_mm=st.sampled_from([0.5, 3.0, 3.0]),
        through=st.sampled_from([0.0, 0.0, 0.0, 1.0]),
        residual_mm=st.sampled_from([0.1, 0.1, 0.1, 2.0]),
        print_match=st.sampled_from([0.95, 0.95, 0.95, 0.3]),
    ),
    covered=st.sampled_from([True, True, True, False]),
)
sheets = st.lists(measured, min_size=6, max_size=6)
any_limits = st.builds(Limits, marked=st.floats(0.5, 1), unmarked=st.floats(0, 0.5))

Read = tuple[list[TargetReading], SheetRecord]


def read(form: Form, sheet: list[Measured], limits: Limits) -> Read:
    """What a scan makes of a sheet."""
    settings = limits.put_into(Settings())
    targets = [
        decide_target(
            contest.id,
            option.id,
            one.measures,
            covered=one.covered,
            settings=settings,
            shape=option.shape,
        )
        for (contest, option), one in zip(form.targets(), sheet, strict=True)
    ]
    draft = SheetDraft((1, 2), form.id, (Reason.PAGE_ORDER,))
    return targets, read_sheet(draft, form, (), targets, (1, 1))


def again(form: Form, was: Read, limits: Limits) -> Read:
    """What other limits make of it."""
    settings, alone = limits.put_into(Settings()), Greys(dict, ())
    targets = [decide_stored(target, settings, form, alone) for target in was[0]]
    stored = [StoredTarget(1, 1, place, target) for place, target in enumerate(was[0])]
    return targets, redecide_sheet(was[1], form, stored, targets)


@given(sheet=sheets, first=any_limits, other=any_limits)
def test_there_and_back_restores_every_reading(
    form: Form, sheet: list[Measured], first: Limits, other: Limits
) -> None:
    before = read(form, sheet, first)
    assert again(form, before, first) == before
    changed = again(form, before, other)
    assert changed == read(form, sheet, other)
    assert again(form, changed, first) == before


@given(sheet=sheets, present=any_limits)
def test_tighter_limits_only_ever_add_doubt(
    form: Form, sheet: list[Measured], present: Limits
) -> None:
    readings = [read(form, sheet, limits) for limits in ladder(present)]
    for (loose, loose_sheet), (tight, tight_sheet) in pairwise(readings):
        for one, other in zip(loose, tight, strict=True):
            assert other.state in {one.state, MarkState.DOUBTFUL}
        for contest, closer in zip(loose_sheet.contests, tight_sheet.contests, strict=True):
            if contest.state is ContestState.IN_DOUBT:
                assert closer.state is ContestState.IN_DOUBT


# --- a pile of all kinds of sheets, some of them decided -----------------------------------------


@pytest.fixture(scope="module")
def pile(form: Form, tmp_path_factory: pytest.TempPathFactory) -> Path:
    chance = random.Random(20231027)

    def target() -> Measured:
        inside = chance.choice([0.001, 0.5, 0.3, chance.uniform(0.02, 0.2), chance.random()])
        others = {"through": 1.0} if chance.random() < 0.02 else {}
        if chance.random() < 0.02:
            others["print_match"] = 0.3
        return Measured(ink(inside, **others).measures, covered=chance.random() > 0.02)

    made = [[[target() for _ in range(3)] for _ in range(2)] for _ in range(SHEETS)]
    count = make_count(tmp_path_factory.mktemp("pile") / "count", form, made)
    for sheet in range(1, SHEETS + 1, 3):
        verdict, contest, options = chance.choice(VERDICTS)
        take_decision(count, sheet, verdict, contest, *options)
    return count


@pytest.fixture
def copy(pile: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pile, tmp_path / "count"))


def test_the_limits_a_count_was_read_with_change_nothing(copy: Path) -> None:
    before = plain(copy)
    assert change(copy, READ_WITH).is_nothing
    assert plain(copy) == before
    with Store(copy) as store:
        assert store.limit_changes() == []


def test_there_and_back_restores_the_count_and_loses_no_decision(copy: Path) -> None:
    before = plain(copy)
    for other in (STRICT, LOOSE, Limits(0.5, 0.5), Limits(1.0, 0.0)):
        assert not change(copy, other).is_nothing
        assert decisions(copy) == before[3]
    change(copy, READ_WITH)
    assert plain(copy) == before


def test_tighter_limits_ask_more_and_let_fewer_errors_through(pile: Path) -> None:
    with Store(pile) as store:
        prices = price_range(store, load_kept_forms(store))
    assert [price.limits for price in prices if price.is_present] == [READ_WITH]
    for loose, tight in pairwise(prices):
        assert loose.targets <= tight.targets
        assert loose.answers <= tight.answers
        assert loose.sheets <= tight.sheets
        assert loose.silent_errors >= tight.silent_errors
    assert prices[0].targets < prices[-1].targets
    assert prices[0].silent_errors > prices[-1].silent_errors


def test_a_price_is_what_is_paid(copy: Path) -> None:
    """What is foretold for some limits is what is stored once they are in force."""
    wanted = [LOOSE, Limits(0.99, 0.3), STRICT]
    with Store(copy) as store:
        foretold = find_prices(store, load_kept_forms(store), wanted)
    made = {(one.sheet, one.contest) for each in decisions(copy).values() for one in each}
    for price, limits in zip(foretold, wanted, strict=True):
        made_of_it = change(copy, limits)
        assert made_of_it.after.silent_errors == pytest.approx(price.silent_errors)
        assert (made_of_it.after.targets, made_of_it.after.sheets) == (price.targets, price.sheets)
        stand = statuses(copy)
        doubtful = [
            box
            for box in boxes(copy)
            if box.target.state is MarkState.DOUBTFUL
            and stand[box.sheet - 1] is not SheetStatus.REFUSED
            and (box.sheet, box.target.contest) not in made
        ]
        assert price.targets == len(doubtful)
        assert price.sheets == stand.count(SheetStatus.IN_DOUBT)
        with Store(copy) as store:
            (present,) = find_prices(store, load_kept_forms(store), [None])
        assert present.silent_errors == price.silent_errors
        with Store(copy) as store:
            following = redecide(store, load_kept_forms(store), READ_WITH)
        assert following.before.silent_errors == price.silent_errors
        assert following.before.sheets == price.sheets


def test_each_pair_of_limits_lies_within_the_next() -> None:
    for present in (READ_WITH, STRICT, LOOSE, Limits(1.0, 0.0), Limits(0.5, 0.5)):
        rungs = ladder(present)
        assert present in rungs
        for loose, tight in pairwise(rungs):
            assert 0.5 <= loose.marked <= tight.marked <= 1
            assert 0.5 >= loose.unmarked >= tight.unmarked >= 0


# --- silent errors -------------------------------------------------------------------------------


def test_silent_errors_are_those_of_targets_that_nobody_looks_at(
    form: Form, tmp_path: Path
) -> None:
    sure = page(ink(0.14), ink(0.05), EMPTY)
    unsure = page(CLEAR, ink(0.08), EMPTY)
    count = make_count(tmp_path / "count", form, [(sure, unsure)])
    with Store(count) as store:
        forms = load_kept_forms(store)
        (price,) = find_prices(store, forms, [None])
    chances = {box.target.target: box.target.probability for box in boxes(count)}
    expected = (1 - chances["c1/o1"]) + chances["c1/o2"] + chances["c1/o3"]
    assert 0.01 < expected < 0.1
    assert price.silent_errors == pytest.approx(expected)
    assert (price.targets, price.answers, price.sheets) == (1, 1, 1)
    assert (price.all_targets, price.all_sheets) == (6, 1)
    # A person has decided the rest: nothing of it is expected or waits any more.
    take_decision(count, 1, Verdict.OPTIONS, "c2", "o1")
    with Store(count) as store:
        (price,) = find_prices(store, forms, [None])
    assert price.silent_errors == pytest.approx(expected)
    assert (price.targets, price.answers, price.sheets) == (0, 0, 0)
    take_decision(count, 1, Verdict.BLANK, "c1")
    with Store(count) as store:
        assert find_prices(store, forms, [None])[0].silent_errors == 0


# --- two readers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "at_first", "after_one", "after_two"),
    [
        (SecondReader.NONE, (2, 1), (1, 1), (1, 1)),
        (SecondReader.DOUBTS, (4, 1), (3, 1), (2, 1)),
        (SecondReader.ALL, (4, 1), (3, 1), (2, 1)),
        # One sheet, and its doubts may still make any option lead.
        (SecondReader.CLOSE, (4, 1), (3, 1), (2, 1)),
    ],
)
def test_what_two_people_have_to_read_is_two_answers(
    form: Form,
    tmp_path: Path,
    policy: SecondReader,
    at_first: tuple[int, int],
    after_one: tuple[int, int],
    after_two: tuple[int, int],
) -> None:
    unsure = page(CLEAR, ink(0.08), EMPTY)
    count = make_count(tmp_path / "count", form, [(unsure, unsure)])
    paid = []
    with Store(count) as store:
        store.set_second_reader(policy, "Lan")
        forms = load_kept_forms(store)
        for by, stage in (("", None), ("Lan", Stage.FIRST), ("Minh", Stage.SECOND)):
            if stage is not None and not (stage is Stage.SECOND and policy is SecondReader.NONE):
                made = Decision(1, Verdict.OPTIONS, by, "rõ", now(), "c1", ("o1",), stage)
                decide(store, forms, made)
            (price,) = find_prices(store, forms, [None])
            paid.append((price.answers, price.sheets))
            assert redecide(store, forms, STRICT).before.answers == price.answers
    assert paid == [at_first, after_one, after_two]
