"""What a batch shows together: it settles doubts about grey, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import MarkState, Reason, SheetStatus, TargetMeasures, TargetReading
from scanner.counting import store as stores
from scanner.counting.batch_grey import Greys, greys_of
from scanner.counting.intake import ScanSummary, scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.limits import Limits
from scanner.counting.price_range import find_prices
from scanner.counting.records import BatchRequest
from scanner.counting.store import Store
from scanner.forms.template import Form
from scanner.publishing import screen
from scanner.reading.batch import CHANCE_OF_MARK, FEWEST, BatchGrey, has_no_stroke
from scanner.reading.decide import decide_target
from scanner.settings import Settings
from tests.fake_pages import make_form
from tests.stored_counts import (
    READ_WITH,
    STRICT,
    Measured,
    Sheet,
    boxes,
    change,
    ink,
    make_count,
    plain,
    statuses,
)

SETTINGS = Settings()
HIGHLIGHTED = 0.09


def grey(weight: float, **others: float) -> Measured:
    """A target that is so dark without a stroke."""
    return ink(0.0, weight=weight, extent_mm=0.0, **others)


def noisy(seed: int, count: int, middle: float = 0.033) -> list[Measured]:
    """Unmarked targets from a scanner that makes them so grey."""
    chance = random.Random(seed)
    return [grey(chance.gauss(middle, 0.003)) for _ in range(count)]


def decided(target: Measured) -> TargetReading:
    return decide_target(
        "c", "o", target.measures, covered=target.covered, settings=SETTINGS, shape="box"
    )


def settled(batch: list[Measured], target: Measured) -> TargetReading:
    """A target of a batch as it is read with what the batch shows."""
    found = BatchGrey.of(one.measures for one in batch)
    assert found is not None
    return found.settle(decided(target), SETTINGS)


# --- the rule ------------------------------------------------------------------------------------


def test_a_noisy_scanner_s_batch_loses_its_doubts() -> None:
    batch = noisy(1, 400)
    doubts = [one for one in batch if decided(one).state is MarkState.DOUBTFUL]
    assert len(doubts) > 300
    readings = [settled(batch, one) for one in doubts]
    assert {one.state for one in readings} == {MarkState.UNMARKED}
    assert {(one.probability, one.reasons) for one in readings} == {(CHANCE_OF_MARK, ())}
    assert [one.measures for one in readings] == [one.measures for one in doubts]


def test_a_grey_mark_darker_than_the_batch_usually_is_stays_a_doubt() -> None:
    mark = grey(HIGHLIGHTED)
    assert settled([*noisy(2, 400), mark], mark) == decided(mark)
    assert decided(mark).reasons == (Reason.UNCLEAR_MARK,)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.6])
def test_marks_that_are_only_grey_stay_doubts_though_most_targets_bear_one(share: float) -> None:
    """As where a booth has a highlighter, and a question two answers."""
    marks = noisy(3, round(400 * share), HIGHLIGHTED)
    batch = [*noisy(4, 400 - len(marks), 0.01), *marks]
    assert {settled(batch, one).state for one in marks} == {MarkState.DOUBTFUL}


def test_a_batch_that_is_too_grey_is_asked_about_all_the_same() -> None:
    batch = noisy(5, 400, 0.07)
    assert {settled(batch, one).state for one in batch} == {MarkState.DOUBTFUL}


@pytest.mark.parametrize(
    "stroke", [{"inside": 0.02}, {"stroke_mm": 0.3}, {"through": 1.0}, {"extent_mm": 2.0}]
)
def test_only_what_holds_no_stroke_is_settled(stroke: dict[str, float]) -> None:
    batch = noisy(6, 400)
    bare = grey(0.033)
    target = Measured(replace(bare.measures, **stroke))
    assert settled(batch, bare).state is MarkState.UNMARKED
    assert decided(target).state is MarkState.DOUBTFUL
    assert settled(batch, target) == decided(target)


def test_too_few_targets_show_nothing() -> None:
    marked = [ink(0.5)] * FEWEST
    few = noisy(7, FEWEST - 1)
    assert BatchGrey.of(one.measures for one in [*few, *marked]) is None
    assert BatchGrey.of(one.measures for one in [*few, few[0]]) is not None


def test_grey_that_a_closer_look_explained_does_not_hide_what_is_usual() -> None:
    batch = noisy(10, 200)
    explained = [grey(0.0)] * 300
    assert settled([*batch, *explained], batch[0]) == settled(batch, batch[0])
    assert BatchGrey.of(one.measures for one in explained) is None


def test_limits_tighter_than_the_evidence_leave_the_doubt() -> None:
    batch = noisy(8, 400)
    found = BatchGrey.of(one.measures for one in batch)
    assert found is not None
    for limit, state in ((CHANCE_OF_MARK, "unmarked"), (CHANCE_OF_MARK / 2, "doubtful")):
        settings = Limits(0.98, limit).put_into(SETTINGS)
        assert found.settle(decided(batch[0]), settings).state == state


shares = st.one_of(st.just(0.0), st.floats(0, 0.012), st.floats(0, 0.15), st.floats(0, 1))
lengths = st.one_of(st.just(0.0), st.floats(0, 5))
any_measures = st.builds(
    TargetMeasures,
    inside=shares, weight=shares, outline=shares, outside=shares, label_mm=lengths,
    extent_mm=lengths, through=st.sampled_from([0.0, 0.0, 1.0]),
    residual_mm=st.sampled_from([0.1, 0.1, 2.0]), print_match=st.sampled_from([0.95, 0.95, 0.3]),
    stroke_mm=lengths,
)  # fmt: skip
any_targets = st.builds(Measured, any_measures, st.sampled_from([True, True, False]))


@given(
    batch=st.lists(any_measures, min_size=1, max_size=20),
    usual=st.floats(0.001, 0.07),
    target=any_targets,
)
def test_only_doubts_change_and_only_into_unmarked(
    batch: list[TargetMeasures], usual: float, target: Measured
) -> None:
    found = BatchGrey.of([*batch, *[grey(usual).measures] * FEWEST])
    assert found is not None
    before = decided(target)
    after = found.settle(before, SETTINGS)
    if after != before:
        assert (before.state, before.reasons) == (MarkState.DOUBTFUL, (Reason.UNCLEAR_MARK,))
        assert (after.state, after.measures) == (MarkState.UNMARKED, before.measures)


@given(batch=st.lists(any_measures, max_size=300), chance=st.randoms(use_true_random=False))
def test_the_order_of_the_targets_does_not_matter(
    batch: list[TargetMeasures], chance: random.Random
) -> None:
    batch = [*batch, *(one.measures for one in noisy(9, FEWEST))]
    other = chance.sample(batch, len(batch))
    assert BatchGrey.of(batch) == BatchGrey.of(other)


# --- in a count ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return make_form(tmp_path_factory.mktemp("desk") / "forms", "khao-sat")


def noisy_sheets(count: int) -> list[Sheet]:
    """Sheets with a clear mark on each page, from a noisy scanner."""
    return [
        tuple([ink(0.5), *noisy(10 * number + leaf, 2)] for leaf in (1, 2))
        for number in range(count)
    ]


def some_sheets() -> list[Sheet]:
    """Of which the third has a grey mark that is greyer than the scanner makes anything."""
    sheets = noisy_sheets(40)
    sheets[2] = ([grey(HIGHLIGHTED), *noisy(1, 2)], sheets[2][1])
    return sheets


MakeCount = Callable[[str], Path]


@pytest.fixture
def make(form: Form, tmp_path: Path) -> MakeCount:
    return lambda name: make_count(tmp_path / name, form, some_sheets())


def test_a_scan_settles_what_the_batch_shows_and_asks_about_the_rest(make: MakeCount) -> None:
    count = make("count")
    assert statuses(count) == [
        SheetStatus.IN_DOUBT if number == 3 else SheetStatus.CLEAN for number in range(1, 41)
    ]
    doubts = [box.target for box in boxes(count) if box.target.state is MarkState.DOUBTFUL]
    assert [(one.target, one.measures.weight) for one in doubts] == [("c1/o1", HIGHLIGHTED)]
    with Store(count) as store:
        (done,) = [detail for _at, what, detail in store.events() if what == stores.BATCH_DONE]
        assert store.settled_doubts(1) == done["settled"] > 100


def test_the_summary_of_a_scan_says_how_many_doubts_the_batch_settled() -> None:
    for settled_doubts, words in ((0, []), (1, ["1 doubt settled"]), (12, ["12 doubts settled"])):
        summary = ScanSummary(pages=1, settled=settled_doubts)
        said = [line for line in screen.show_summary(summary) if "settled" in str(line)]
        assert [str(line).split(" by ")[0] for line in said] == words


def test_a_small_batch_is_asked_about(form: Form, tmp_path: Path) -> None:
    count = make_count(tmp_path / "count", form, noisy_sheets(10))
    assert SheetStatus.IN_DOUBT in statuses(count)
    with Store(count) as store:
        assert store.settled_doubts(1) == 0


def test_each_batch_is_judged_by_its_own_targets(form: Form, tmp_path: Path) -> None:
    clean: list[Sheet] = [([ink(0.5), grey(0.001), grey(0.002)],) * 2] * 40
    clean[0] = ([ink(0.5), grey(0.033), grey(0.001)], clean[0][1])
    count = make_count(tmp_path / "count", form, some_sheets())
    make_count(count, form, clean)
    assert statuses(count)[40:] == [SheetStatus.IN_DOUBT, *[SheetStatus.CLEAN] * 39]


def test_the_limits_in_force_change_nothing_that_the_batch_settled(make: MakeCount) -> None:
    count = make("count")
    before = plain(count)
    assert change(count, READ_WITH).is_nothing
    assert plain(count) == before
    assert change(count, STRICT).drifted == 0
    assert set(statuses(count)) == {SheetStatus.IN_DOUBT}
    change(count, READ_WITH)
    assert plain(count) == before


def test_what_limits_cost_is_foretold_with_what_the_batch_shows(make: MakeCount) -> None:
    count = make("count")
    with Store(count) as store:
        wanted = [None, Limits(0.98, CHANCE_OF_MARK / 2)]
        present, tight = find_prices(store, load_kept_forms(store), wanted)
        many = store.settled_doubts(1)
    assert (present.targets, present.sheets) == (1, 1)
    assert tight.sheets == 40
    # A settled doubt is no more than the chance that is left; its own grey counts no longer.
    assert present.silent_errors == pytest.approx(CHANCE_OF_MARK * many, rel=0.5)


def test_put_together_anew_a_batch_comes_out_the_same(make: MakeCount, form: Form) -> None:
    count = make("count")
    before = plain(count)
    with Store(count) as store:
        (batch,) = store.batches()
        many = store.settled_doubts(1)
        store.reopen_batches({1: batch.request})
    summary = scan(count, BatchRequest(), form.folder.parent)
    assert plain(count) == before
    assert summary.settled == many > 0


def test_broken_off_at_the_last_step_nothing_is_settled_and_then_everything(
    make: MakeCount, form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(_connection: object, what: str, _detail: object) -> None:
        if what == stores.BATCH_DONE:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(stores, "note", break_off)
        with pytest.raises(KeyboardInterrupt):
            make("broken")
    broken = tmp_path / "broken"
    with Store(broken) as store:
        pages = [source[0] for source in store.page_reasons(1).values()]
        doubts = [one for one in store.targets(pages) if one.state is MarkState.DOUBTFUL]
        assert len(doubts) > 100
    scan(broken, BatchRequest(), form.folder.parent)
    assert plain(broken) == plain(make("whole"))


def test_nothing_is_asked_of_the_database_where_nothing_is_unclear(form: Form) -> None:
    def ask() -> dict[tuple[str, str, str], list[float]]:
        raise AssertionError("asked")

    greys = Greys(ask, [form])
    sure = replace(decided(ink(0.5)), contest="c1", option="o1")
    assert greys.settle(sure, form, SETTINGS) is sure


def test_the_database_and_the_rule_agree_on_what_holds_no_stroke(
    form: Form, tmp_path: Path
) -> None:
    chance = random.Random(20231027)

    def target() -> Measured:
        others = {
            "stroke_mm": chance.choice([0.0, 0.0, 0.0, 0.2]),
            "through": chance.choice([0.0, 0.0, 0.0, 1.0]),
            "extent_mm": chance.choice([0.0, 0.5, 1.3, 3.0]),
        }
        return ink(chance.choice([0.0, 0.009, 0.01, 0.011, 0.4]), weight=chance.random(), **others)

    sheets = [[[target() for _ in range(3)] for _ in range(2)] for _ in range(80)]
    count = make_count(tmp_path / "count", form, sheets)
    with Store(count) as store:
        found = store.weights_without_stroke(1)
        assert store.weights_without_stroke(2) == {}
    expected = [
        one.measures.weight
        for sheet in sheets
        for leaf in sheet
        for one in leaf
        if has_no_stroke(one.measures)
    ]
    assert sorted(weight for weights in found.values() for weight in weights) == sorted(expected)
    assert 40 < len(expected) < 400


def test_printed_words_are_not_judged_by_grey(form: Form, tmp_path: Path) -> None:
    count = make_count(tmp_path / "count", form, noisy_sheets(60))
    contests = tuple(
        contest.model_copy(
            update={
                "options": tuple(o.model_copy(update={"shape": shape}) for o in contest.options)
            }
        )
        for contest, shape in zip(form.contests, ("box", "label"), strict=True)
    )
    other = Form.model_validate(
        form.model_dump(by_alias=True) | {"contests": [c.model_dump() for c in contests]}
    )
    unclear = decided(grey(0.033))
    with Store(count) as store:
        greys = greys_of(store, 1, [other])
        for contest, state in (("c1", MarkState.UNMARKED), ("c2", MarkState.DOUBTFUL)):
            reading = replace(unclear, contest=contest, option="o2")
            assert greys.settle(reading, other, SETTINGS).state is state
