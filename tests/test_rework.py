"""Sheets put together anew: nothing is changed, nothing is lost, nothing counts twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.ballot import ContestState, PageReading, Reason, SheetStatus, UnreadablePage
from scanner.counting.bench import Hand
from scanner.counting.intake import scan
from scanner.counting.journal import Action
from scanner.counting.records import BatchRequest
from scanner.counting.redecide import at_rest, change_limits, redecide
from scanner.counting.results import tally_count
from scanner.counting.rework import take_apart
from scanner.counting.reworked import ReworkKind
from scanner.counting.scan_health import examine_batch
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError, CountError
from scanner.forms.template import Form
from tests.reworked_counts import BLANK, LAN, REFUSED, Pile, Table, make, page_of
from tests.stored_counts import LOOSE, STRICT
from tests.synthetic import Design, draw_small_form


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    """Two pages with two questions of three options each."""
    design = Design(pages=2, questions=2, options=3)
    return draw_small_form(tmp_path_factory.mktemp("registered"), design=design)


Lay = Callable[..., Table]


@pytest.fixture
def lay(tmp_path: Path, form: Form) -> Iterator[Lay]:
    """Lays a count of some pages on the table."""
    stores = []

    def lay_out(*pile: PageReading | UnreadablePage) -> Table:
        store = Store(make(tmp_path / "count", form, pile))
        stores.append(store.__enter__())
        return Table(store)

    yield lay_out
    for store in stores:
        store.__exit__(None, None, None)


def test_a_refused_page_that_is_read_again_makes_its_sheet_whole(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), REFUSED)
    assert table.statuses() == {"in_doubt": 1, "refused": 1, "scanned": 2}
    front, back = table.standing()
    (again,) = table.read(back, page_of(form, 2))
    assert table.record(again).form == form.id
    assert Reason.PAGE_MISSING in table.record(again).reasons
    whole = table.pair(front, again)
    assert table.standing() == [whole]
    assert table.statuses() == {"clean": 1, "scanned": 1}
    assert table.votes() == {"o1": 1, "o2": 0, "o3": 0}
    table.check()


def test_what_was_read_at_first_stays_as_it_was(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), REFUSED)
    _front, back = table.standing()
    page = table.store.leaves(back)[0].id
    table.read(back, page_of(form, 2))
    assert table.store.reading(page) == REFUSED
    assert table.record(back).reasons == (Reason.UNKNOWN_FORM,)
    table.check()


def test_a_page_that_is_refused_again_changes_nothing(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), REFUSED)
    before = table.standing()
    with pytest.raises(BadArgumentsError, match="not be read this time"):
        table.read(before[1], REFUSED)
    assert table.standing() == before


def test_a_sheet_counts_once_however_often_its_page_is_read(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), page_of(form, 2))
    (sheet,) = table.standing()
    for seed in (1, 2, 1):
        (sheet,) = table.read(sheet, page_of(form, 1, seed))
        assert table.statuses() == {"clean": 1, "scanned": 1}
        assert sum(table.votes().values()) == 1
    assert table.votes() == {"o1": 0, "o2": 1, "o3": 0}
    table.check()


def test_a_page_that_turns_out_to_be_another_leaves_its_sheet(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), page_of(form, 2))
    (sheet,) = table.standing()
    made = table.read(sheet, page_of(form, 1), place=1)
    assert len(made) == 2
    assert all(Reason.PAGE_MISSING in table.record(one).reasons for one in made)
    table.check()


def test_a_reading_that_is_doubtful_is_doubtful_on_the_new_sheet(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), REFUSED)
    front, back = table.standing()
    (again,) = table.read(back, page_of(form, 2, is_faint=True))
    whole = table.pair(front, again)
    states = {one.contest: one.state for one in table.record(whole).contests}
    assert states["q3"] is ContestState.IN_DOUBT
    assert table.statuses() == {"in_doubt": 1, "scanned": 1}
    table.check()


def test_sheets_that_were_paired_wrongly_are_put_right(form: Form, lay: Lay) -> None:
    pile = [page_of(form, 1, 0), page_of(form, 2, 1), page_of(form, 1, 1), page_of(form, 2, 0)]
    table = lay(*pile)
    first, second = table.standing()
    front, wrong_back = table.apart(first)
    other_front, own_back = table.apart(second)
    assert table.statuses() == {"in_doubt": 4, "scanned": 4}
    table.check()
    table.pair(front, own_back)
    table.pair(other_front, wrong_back)
    assert table.statuses() == {"clean": 2, "scanned": 2}
    table.check()


def test_pages_that_cannot_be_one_sheet_are_not_paired(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), page_of(form, 1), page_of(form, 1), page_of(form, 2))
    one, other, whole = table.standing()
    with pytest.raises(BadArgumentsError, match="the same page twice"):
        table.pair(one, other)
    with pytest.raises(BadArgumentsError, match="same page twice"):
        table.pair(one, whole)
    with pytest.raises(BadArgumentsError, match="with itself"):
        table.pair(one, one)
    assert table.standing() == [one, other, whole]


def test_a_back_that_nobody_can_read_is_typed_beside_its_front(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), REFUSED)
    whole = table.pair(*table.standing())
    reasons = {one.contest: one.reasons for one in table.record(whole).contests}
    assert reasons == {
        "q1": (), "q2": (), "q3": (Reason.TYPED_BY_HAND,), "q4": (Reason.TYPED_BY_HAND,),
    }  # fmt: skip
    assert Reason.PAGE_MISSING not in table.record(whole).reasons
    table.check()
    assert table.decide(whole, "q3", "o1") is SheetStatus.IN_DOUBT
    assert table.decide(whole, "q4", "o2") is SheetStatus.DECIDED
    assert table.votes("q3") == {"o1": 1, "o2": 0, "o3": 0}
    table.check()


def test_answers_typed_by_hand_count_when_each_is_decided(form: Form, lay: Lay) -> None:
    table = lay(REFUSED, REFUSED, page_of(form, 1), page_of(form, 2))
    front, back, _other = table.standing()
    typed = table.type(front)
    assert Reason.PAGE_MISSING in table.record(typed).reasons
    whole = table.pair(typed, back)
    contests = table.record(whole).contests
    assert {one.reasons for one in contests} == {(Reason.TYPED_BY_HAND,)}
    assert {one.state for one in contests} == {ContestState.IN_DOUBT}
    assert table.record(whole).reasons == ()
    for contest in ("q1", "q2", "q3", "q4"):
        assert table.statuses() == {"clean": 1, "in_doubt": 1, "scanned": 2}
        table.decide(whole, contest, "o3")
    assert table.statuses() == {"clean": 1, "decided": 1, "scanned": 2}
    assert table.votes() == {"o1": 1, "o2": 0, "o3": 1}
    table.check()


def test_what_is_typed_is_not_what_the_machine_sees_there(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), page_of(form, 2))
    typed = table.type(table.standing()[0])
    assert table.statuses() == {"in_doubt": 1, "scanned": 1}
    for limits in (STRICT, LOOSE):
        with at_rest(table.store):
            made = redecide(table.store, table.forms, limits)
            change_limits(table.store, made, by="Lan", why="try")
        assert {one.reasons for one in table.record(typed).contests} == {(Reason.TYPED_BY_HAND,)}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ReworkKind.FOREIGN, Reason.FOREIGN_SHEET),
        (ReworkKind.VOID, Reason.VOID_SHEET),
        (ReworkKind.COPY, Reason.COPY_OF_SHEET),
    ],
)
def test_a_sheet_that_is_set_aside_gives_no_vote(
    form: Form, lay: Lay, kind: ReworkKind, reason: Reason
) -> None:
    table = lay(page_of(form, 1), page_of(form, 2), page_of(form, 1), page_of(form, 2))
    kept, copy = table.standing()
    aside = table.aside(copy, kind, kept)
    assert table.record(aside).reasons == (reason,)
    tally = tally_count(table.store, table.forms)
    assert (tally.clean, tally.refused) == (1, 1)
    assert tally.refused_by_reason == {reason.value: 1}
    assert sum(table.votes().values()) == 1
    table.check()
    table.undo()
    assert table.statuses() == {"clean": 2, "scanned": 2}
    table.check()


def test_a_copy_and_a_foreign_sheet_are_no_papers_but_a_void_one_is(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), page_of(form, 2), REFUSED, REFUSED, REFUSED)
    kept, one, two, three = table.standing()
    table.store.set_papers(collected=2)
    assert not tally_count(table.store, table.forms).closes
    table.aside(one, ReworkKind.FOREIGN)
    table.aside(two, ReworkKind.COPY, kept)
    table.aside(three, ReworkKind.VOID)
    assert tally_count(table.store, table.forms).closes


def test_a_copy_names_a_sheet_that_counts(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), page_of(form, 2), REFUSED, REFUSED)
    whole, one, other = table.standing()
    for copy_of in (None, one, other):
        with pytest.raises(BadArgumentsError):
            table.aside(one, ReworkKind.COPY, copy_of)
    with pytest.raises(CountError, match="no sheet 99"):
        table.aside(one, ReworkKind.COPY, 99)
    table.aside(one, ReworkKind.COPY, whole)
    assert table.store.reworks()[-1].told == {"copy_of": whole}


def test_undone_the_old_sheet_stands_again_with_its_decisions(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1, is_faint=True), page_of(form, 2))
    (sheet,) = table.standing()
    table.decide(sheet, "q1", "o2")
    assert table.votes() == {"o1": 0, "o2": 1, "o3": 0}
    (again,) = table.read(sheet, page_of(form, 1))
    assert table.votes() == {"o1": 1, "o2": 0, "o3": 0}
    table.decide(again, "q1", "o3")
    table.undo()
    assert table.standing() == [sheet]
    assert table.votes() == {"o1": 0, "o2": 1, "o3": 0}
    table.check()


def test_what_was_undone_can_be_done_once_more(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), REFUSED)
    front, back = table.standing()
    for _ in range(3):
        whole = table.pair(front, back)
        assert table.standing() == [whole]
        table.check()
        table.undo()
        assert table.standing() == [front, back]
        table.check()


def test_only_the_last_thing_done_with_a_sheet_can_be_undone(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), REFUSED)
    front, back = table.standing()
    (again,) = table.read(back, page_of(form, 2))
    first = table.store.reworks()[-1].id
    table.pair(front, again)
    with pytest.raises(CountError, match="counts no more"):
        table.undo(first)
    table.undo()
    table.undo(first)
    assert table.standing() == [front, back]
    with pytest.raises(CountError, match="counts no more"):
        table.undo(first)
    with pytest.raises(BadArgumentsError, match="nothing to undo"):
        table.undo(table.store.reworks()[-1].id)
    table.check()


def test_nobody_decides_on_a_sheet_that_counts_no_more(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1, is_faint=True), page_of(form, 2))
    (sheet,) = table.standing()
    table.aside(sheet, ReworkKind.VOID)
    with pytest.raises(CountError, match="counts no more"):
        table.decide(sheet, "q1", "o1")
    assert table.store.decisions() == {}


def test_two_people_cannot_make_two_sheets_of_one(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), REFUSED)
    _front, back = table.standing()
    table.aside(back, ReworkKind.VOID)
    with pytest.raises(CountError, match="counts no more"):
        table.type(back)
    table.check()


def test_a_rework_needs_a_name_and_a_reason(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), page_of(form, 2))
    (sheet,) = table.standing()
    for hand in (Hand("", "why"), Hand("Lan", "  ")):
        with pytest.raises(BadArgumentsError, match="name and a reason"):
            take_apart(table.store, table.forms, sheet, hand)
    assert table.standing() == [sheet]


def test_the_record_says_who_why_and_what_before_and_after(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), REFUSED)
    front, back = table.standing()
    whole = table.pair(front, back)
    (entry,) = [one for one in table.store.entries() if one.action is Action.REWORKED]
    assert (entry.who, entry.sheet) == ("Lan", front)
    assert entry.detail["row"]["why"] == LAN.why
    assert [one["sheet"] for one in entry.detail["before"]] == [front, back]
    assert [one["status"] for one in entry.detail["before"]] == ["in_doubt", "refused"]
    (after,) = entry.detail["after"]
    assert (after["sheet"], after["status"]) == (whole, "in_doubt")


def test_a_rework_that_somebody_alters_shows(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), page_of(form, 2))
    table.apart(table.standing()[0])
    assert table.store.verify() == []
    with table.store._write() as connection:
        connection.exec_driver_sql("UPDATE rework SET who = 'Minh'")
    assert table.store.verify() != []


def test_the_same_image_read_again_never_counts_beside_itself(form: Form, lay: Lay) -> None:
    table = lay(REFUSED, page_of(form, 2), page_of(form, 1), page_of(form, 2))
    with table.store._write() as connection:
        connection.exec_driver_sql("UPDATE page SET image_hash = 'x' WHERE position IN (0, 2)")
    (again,) = table.read(table.standing()[0], page_of(form, 1))
    assert Reason.SAME_IMAGE in table.record(again).reasons


def test_new_limits_reach_a_sheet_that_may_count_again(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1, is_faint=True), page_of(form, 2))
    (sheet,) = table.standing()
    before = table.record(sheet)
    aside = table.aside(sheet, ReworkKind.FOREIGN)
    with at_rest(table.store):
        change_limits(table.store, redecide(table.store, table.forms, LOOSE), by="Lan", why="try")
    assert table.standing() == [aside]
    table.undo()
    after = table.record(sheet)
    assert after != before
    assert redecide(table.store, table.forms, LOOSE).is_nothing


def test_limits_that_were_worked_out_before_a_rework_are_worked_out_again(
    form: Form, lay: Lay
) -> None:
    table = lay(page_of(form, 1, is_faint=True), page_of(form, 2))
    made = redecide(table.store, table.forms, LOOSE)
    (sheet,) = table.standing()
    table.read(sheet, page_of(form, 1, 1, is_faint=True))
    with pytest.raises(CountError, match="meanwhile"):
        change_limits(table.store, made, by="Lan", why="try")
    assert table.store.limit_changes() == []
    change_limits(table.store, redecide(table.store, table.forms, LOOSE), by="Lan", why="try")


def test_a_batch_with_a_sheet_put_together_anew_stays_as_it_is(
    tmp_path: Path, form: Form, lay: Lay
) -> None:
    table = lay(page_of(form, 1), REFUSED)
    second = make(tmp_path / "count", form, [page_of(form, 2)])
    front, back, other = table.standing()
    table.pair(front, other)
    left = table.standing()
    (_first, batch) = table.store.batches()
    with pytest.raises(CountError, match="has put sheet"):
        table.store.reopen_batches({batch.id: batch.request})
    assert table.standing() == left
    assert second == table.store.folder
    assert back in left


def test_a_page_read_again_is_judged_as_it_was_read_last(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), REFUSED)
    before = [page.refusal for page in table.store.scanned_pages(1)]
    assert before == [None, Reason.UNKNOWN_FORM]
    _front, back = table.standing()
    (again,) = table.read(back, page_of(form, 2))
    pages = table.store.scanned_pages(1)
    assert [(page.position, page.refusal) for page in pages] == [(0, None), (1, None)]
    assert pages[1].sheet == again
    assert examine_batch(pages, {form.id: 2})
    table.undo()
    assert [page.refusal for page in table.store.scanned_pages(1)] == before


def test_a_page_read_again_changes_nothing_for_the_others(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), page_of(form, 2), REFUSED)
    weights = table.store.weights_without_stroke(1)
    table.read(table.standing()[1], page_of(form, 1))
    assert table.store.weights_without_stroke(1) == weights


def test_a_file_that_cannot_be_opened_is_not_typed(tmp_path: Path, form: Form) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"no pdf")
    request = BatchRequest(files=(str(broken),), forms=(form.id,))
    scan(tmp_path / "count", request, form.folder.parent)
    with Store(tmp_path / "count") as store:
        table = Table(store)
        (sheet,) = table.standing()
        with pytest.raises(BadArgumentsError, match="cannot be opened"):
            table.type(sheet)
        (loose,) = store.loose_sheets()
        assert loose.pages[0].source.number == 0
        table.aside(sheet, ReworkKind.VOID)


def test_loose_sheets_are_those_that_somebody_must_put_right(form: Form, lay: Lay) -> None:
    table = lay(page_of(form, 1), page_of(form, 2), page_of(form, 1), REFUSED, BLANK)
    whole, front, refused, blank = table.standing()
    assert [one.sheet for one in table.store.loose_sheets()] == [front, refused, blank]
    aside = table.aside(blank, ReworkKind.FOREIGN)
    loose = {one.sheet: one.is_set_aside for one in table.store.loose_sheets()}
    assert loose == {front: False, refused: False, aside: True}
    assert [one.sheet for one in table.store.loose_sheets([whole])] == [whole]


ACTIONS = ("read", "read_other", "pair", "apart", "type", "foreign", "void", "copy", "undo", "say")


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.integers(0, 20), st.integers(0, 20)), max_size=8
    )
)
def test_every_sheet_in_is_a_sheet_out_whatever_is_done(
    tmp_path_factory: pytest.TempPathFactory, form: Form, steps: list[tuple[str, int, int]]
) -> None:
    pile: Pile = [page_of(form, 1), page_of(form, 2), page_of(form, 1, 1), REFUSED, REFUSED,
            page_of(form, 2, 2)]  # fmt: skip
    folder = make(tmp_path_factory.mktemp("any") / "count", form, pile)
    with Store(folder) as store:
        table = Table(store)
        for action, one, other in steps:
            with suppress(BadArgumentsError, CountError):
                _do(table, form, action, one, other)
            table.check()


def _do(table: Table, form: Form, action: str, one: int, other: int) -> None:
    standing = table.standing()
    sheet, second = standing[one % len(standing)], standing[other % len(standing)]
    kinds = {
        "foreign": ReworkKind.FOREIGN, "void": ReworkKind.VOID, "copy": ReworkKind.COPY
    }  # fmt: skip
    if action in {"read", "read_other"}:
        reading = page_of(form, 1 + (action == "read_other"), other)
        table.read(sheet, reading, place=other % len(table.store.leaves(sheet)))
    elif action == "pair":
        table.pair(sheet, second)
    elif action == "apart":
        table.apart(sheet)
    elif action == "type":
        table.type(sheet)
    elif action == "undo":
        done = table.store.reworks()
        table.undo(done[other % len(done)].id if done else 1)
    elif action == "say":
        table.decide(sheet, f"q{1 + other % 4}", "o1")
    else:
        table.aside(sheet, kinds[action], second)
