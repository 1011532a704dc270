"""The queue of doubts: what is in it, in which order it comes, and that it misses nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.ballot import Reason
from scanner.counting.adjudication import Decision, Stage, Verdict, open_questions
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.overtaken import OvertakenError
from scanner.counting.people import Person, Role
from scanner.counting.queue import Doubt, Filter, Pile, Queue, is_for, measure_pace
from scanner.counting.results import decide, now, readers_of
from scanner.counting.same_paper import SamePaper
from scanner.counting.second_reader import SecondReader
from scanner.counting.store import Store
from scanner.forms.template import Form
from tests.decided_counts import count_with_doubts, say
from tests.fake_pages import make_form
from tests.stored_counts import ink, make_count

LAN = Person(1, "Lan", Role.COMMITTEE, is_active=True)
MINH = Person(2, "Minh", Role.READER, is_active=True)
TU = Person(3, "Tú", Role.READER, is_active=True)
OBSERVER = Person(4, "Hà", Role.OBSERVER, is_active=True)
EVERYTHING = Filter()


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return make_form(tmp_path_factory.mktemp("queue") / "forms", "khao-sat")


@pytest.fixture(scope="module")
def kept(form: Form, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return count_with_doubts(tmp_path_factory.mktemp("kept") / "count", form)


@pytest.fixture
def store(kept: Path, tmp_path: Path) -> Iterator[Store]:
    with Store(Path(shutil.copytree(kept, tmp_path / "count"))) as opened:
        yield opened


def load(store: Store) -> Queue:
    return Queue.load(store, load_kept_forms(store))


def everything(queue: Queue) -> list[Doubt]:
    """All that is in a queue, whatever list it lies in."""
    return [doubt for sheet in range(1, 100) for doubt in queue.on_sheet(sheet)]


def places(doubts: list[Doubt]) -> list[tuple[int, str | None]]:
    return [doubt.place for doubt in doubts]


def test_the_queue_holds_what_is_in_doubt_in_scan_order(store: Store) -> None:
    queue = load(store)
    assert places(queue.doubts(EVERYTHING, MINH)) == [(2, "c1"), (3, "c2"), (4, "c1"), (4, "c2")]
    assert queue.left(EVERYTHING, MINH) == 4


def test_only_sheets_that_may_be_in_doubt_are_read(store: Store) -> None:
    assert store.suspects(load_kept_forms(store)) == [2, 3, 4]


def test_what_a_form_does_not_ask_about_is_no_suspect(form: Form, tmp_path: Path) -> None:
    shutil.copytree(form.folder.parent, tmp_path / "forms")
    blank = [[ink(0.001)] * 3] * 2
    count = make_count(tmp_path / "count", form, [blank] * 5)
    with Store(count) as store:
        assert store.suspects(load_kept_forms(store)) == []


def test_a_decided_doubt_leaves_the_queue_and_an_undone_one_comes_back(store: Store) -> None:
    queue = load(store)
    say(store, 2, Verdict.BLANK, "c1")
    queue.catch_up()
    assert queue.left(EVERYTHING, MINH) == 3
    assert places(queue.doubts(Filter(pile=Pile.DECIDED), MINH)) == [(2, "c1")]
    say(store, 2, Verdict.WITHDRAW, "c1", undoes=store.decisions_on(2)[-1].id)
    queue.catch_up()
    assert queue.left(EVERYTHING, MINH) == 4
    assert queue.doubts(Filter(pile=Pile.DECIDED), MINH) == []


def test_what_another_program_writes_is_noticed(store: Store) -> None:
    queue = load(store)
    with Store(store.folder) as other:
        say(other, 3, Verdict.OPTIONS, "c2", "o1")
        other.flag(1, "c1", "o1", "Minh")
    queue.catch_up()
    assert places(queue.doubts(EVERYTHING, MINH)) == [(1, "c1"), (2, "c1"), (4, "c1"), (4, "c2")]
    found = queue.find((1, "c1"))
    assert found is not None
    assert found.reasons == (Reason.FLAGGED,)


def test_what_is_escalated_waits_for_the_committee_alone(store: Store) -> None:
    queue = load(store)
    store.escalate(2, "c1", "Minh", "Xin xem")
    queue.catch_up()
    assert places(queue.doubts(Filter(pile=Pile.ESCALATED), MINH)) == [(2, "c1")]
    assert (2, "c1") not in places(queue.doubts(EVERYTHING, MINH))
    assert (2, "c1") in places(queue.doubts(EVERYTHING, LAN))


def test_a_second_reader_is_another_person_and_is_told_no_reason(store: Store) -> None:
    queue = load(store)
    store.set_second_reader(SecondReader.DOUBTS, "Lan")
    say(store, 2, Verdict.BLANK, "c1", by="Minh")
    queue.catch_up()
    found = queue.find((2, "c1"))
    assert found is not None
    assert found.pile is Pile.SECOND
    assert found.is_blind
    assert found.reasons == ()
    assert is_for(found, TU)
    assert not is_for(found, MINH)
    say(store, 2, Verdict.OPTIONS, "c1", "o1", by="Tú", stage=Stage.SECOND)
    queue.catch_up()
    found = queue.find((2, "c1"))
    assert found is not None
    assert found.pile is Pile.DISAGREE
    assert not is_for(found, TU)
    assert is_for(found, LAN)


def test_an_observer_sees_all_that_is_not_decided(store: Store) -> None:
    store.escalate(2, "c1", "Minh", "")
    say(store, 3, Verdict.BLANK, "c2")
    assert places(load(store).doubts(EVERYTHING, OBSERVER)) == [(2, "c1"), (4, "c1"), (4, "c2")]


def test_a_double_that_is_refused_frees_the_other_sheet(store: Store) -> None:
    pages = {sheet: source.page for sheet, source in store.sources()}
    store.save_same_paper(1, [SamePaper(pages[5], pages[6], 30.0, 20.0)])
    queue = load(store)
    assert {(5, None), (6, None)} <= {*places(queue.doubts(EVERYTHING, MINH))}
    say(store, 6, Verdict.REFUSE)
    queue.catch_up()
    left = places(queue.doubts(EVERYTHING, MINH))
    assert (5, None) not in left
    assert (6, None) not in left
    say(store, 6, Verdict.WITHDRAW, undoes=store.decisions_on(6)[-1].id)
    queue.catch_up()
    assert {(5, None), (6, None)} <= {*places(queue.doubts(EVERYTHING, MINH))}


def test_next_leads_through_every_doubt_once_and_round_again(store: Store) -> None:
    queue = load(store)
    seen = []
    place = None
    for _turn in range(5):
        doubt = queue.next_after(place, MINH, EVERYTHING)
        assert doubt is not None
        place = doubt.place
        seen.append(place)
    assert seen == [(2, "c1"), (3, "c2"), (4, "c1"), (4, "c2"), (2, "c1")]


def test_what_was_skipped_comes_back_at_the_end(store: Store) -> None:
    queue = load(store)
    queue.skip((3, "c2"), MINH)
    seen = []
    place = None
    while (doubt := queue.next_after(place, MINH, EVERYTHING)) is not None:
        place = doubt.place
        seen.append(place)
        say(store, doubt.sheet, Verdict.BLANK, doubt.contest)
        queue.catch_up()
    assert seen == [(2, "c1"), (4, "c1"), (4, "c2"), (3, "c2")]


def test_a_skip_of_one_person_is_not_another_s(store: Store) -> None:
    queue = load(store)
    queue.skip((2, "c1"), MINH)
    doubt = queue.next_after(None, TU, EVERYTHING)
    assert doubt is not None
    assert doubt.place == (2, "c1")


def test_what_somebody_else_holds_is_passed_over(store: Store) -> None:
    queue = load(store)
    doubt = queue.next_after(None, MINH, EVERYTHING, held={2, 4})
    assert doubt is not None
    assert doubt.place == (3, "c2")
    assert queue.next_after(doubt.place, MINH, EVERYTHING, held={2, 4}) is None


def test_before_leads_back(store: Store) -> None:
    queue = load(store)
    found = queue.before((4, "c2"), MINH, EVERYTHING)
    assert found is not None
    assert found.place == (4, "c1")
    assert queue.before((2, "c1"), MINH, EVERYTHING) is None


def test_every_filter_leaves_as_many_as_it_says(store: Store) -> None:
    say(store, 2, Verdict.BLANK, "c1")
    store.escalate(3, "c2", "Minh", "")
    queue = load(store)
    for base in (Filter(), Filter(question=("khao-sat", "c2")), Filter(batch=1)):
        counts = queue.count(base, LAN)
        assert counts.mine == len(queue.doubts(base, LAN))
        for pile, number in counts.piles.items():
            assert len(queue.doubts(replace(base, pile=pile), LAN)) == number
        for reason, number in counts.reasons.items():
            assert len(queue.doubts(replace(base, reason=reason), LAN)) == number
        for question, number in counts.questions.items():
            assert len(queue.doubts(replace(base, question=question), LAN)) == number
        for batch, number in counts.batches.items():
            assert len(queue.doubts(replace(base, batch=batch), LAN)) == number
        for form_id, number in counts.forms.items():
            assert len(queue.doubts(replace(base, form=form_id), LAN)) == number


def test_the_pace_is_the_median_of_what_was_no_pause() -> None:
    start = datetime(2026, 5, 1, 8, tzinfo=UTC)
    moments = [start]
    for gap in (4, 6, 5, 1800, 7, 3, 5):
        moments.append(moments[-1] + timedelta(seconds=gap))
    pace = measure_pace(moments)
    assert pace is not None
    assert pace.seconds_each == 5
    assert pace.seconds_for(60) == 300


def test_no_pace_is_told_from_too_little() -> None:
    start = datetime(2026, 5, 1, 8, tzinfo=UTC)
    assert measure_pace([]) is None
    assert measure_pace([start + timedelta(seconds=4 * n) for n in range(5)]) is None
    assert measure_pace([start + timedelta(hours=n) for n in range(30)]) is None


def test_what_becomes_close_by_other_decisions_waits_for_a_second_reader(
    form: Form, tmp_path: Path
) -> None:
    page = (ink(0.5), ink(0.0), ink(0.0))
    with Store(make_count(tmp_path / "count", form, [(page, page)] * 4)) as store:
        store.set_second_reader(SecondReader.CLOSE, "Lan")
        queue = load(store)
        say(store, 1, Verdict.OPTIONS, "c1", "o2", by="Minh")
        queue.catch_up()
        assert queue.doubts(EVERYTHING, TU) == []
        say(store, 2, Verdict.OPTIONS, "c1", "o2", by="Minh")
        queue.catch_up()
        assert places(queue.doubts(EVERYTHING, TU)) == [(1, "c1"), (2, "c1")]


STEPS = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.sampled_from([None, "c1", "c2"]),
        st.sampled_from(
            ["blank", "o1", "o2", "accept", "refuse", "flag", "escalate", "withdraw", "policy"]
        ),
        st.sampled_from(["Lan", "Minh", "Tú"]),
    ),
    max_size=12,
)


@settings(max_examples=20, deadline=None)
@given(steps=STEPS)
def test_whatever_people_do_the_queue_is_what_the_count_asks(
    steps: list[tuple[int, str | None, str, str]],
    kept: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with Store(Path(shutil.copytree(kept, folder / "count"))) as store:
        forms = load_kept_forms(store)
        queue = Queue.load(store, forms)
        for sheet, contest, what, who in steps:
            _do(store, sheet, contest, what, who)
            queue.catch_up()
        asked = {
            (record.sheet, question.contest, question.stage)
            for record in store.sheets()
            for question in open_questions(
                record, store.decisions_on(record.sheet), forms[0].rule, readers_of(store, forms)
            )
        }
        waiting = [doubt for doubt in everything(queue) if doubt.pile is not Pile.DECIDED]
        assert {(*doubt.place, doubt.stage) for doubt in waiting} == asked
        assert everything(queue) == everything(Queue.load(store, forms))
    shutil.rmtree(folder)


def _do(store: Store, sheet: int, contest: str | None, what: str, who: str) -> None:
    """Something that a person does, possible or not."""
    if what == "policy":
        policies = {"Lan": SecondReader.NONE, "Minh": SecondReader.DOUBTS, "Tú": SecondReader.CLOSE}
        store.set_second_reader(policies[who], who)
    elif what == "flag":
        store.flag(sheet, contest, None, who)
    elif what == "escalate":
        store.escalate(sheet, contest, who, "")
    elif what == "withdraw":
        made = [one for one in store.decisions_on(sheet) if one.verdict is not Verdict.WITHDRAW]
        if made:
            undone = made[-1]
            store.add_decision(
                Decision(
                    sheet, Verdict.WITHDRAW, who, "nhầm", now(), undone.contest, undoes=undone.id
                )
            )
    elif what in {"accept", "refuse"}:
        store.add_decision(Decision(sheet, Verdict(what), who, "nhìn rõ", now()))
    elif contest is not None:
        verdict = Verdict.BLANK if what == "blank" else Verdict.OPTIONS
        options = () if what == "blank" else (what,)
        stage = Stage.COMMITTEE if who == "Lan" else Stage.SECOND if who == "Tú" else Stage.FIRST
        store.add_decision(
            Decision(sheet, verdict, who, "nhìn rõ", now(), contest, options, stage=stage)
        )


def test_a_decision_is_not_saved_over_one_that_was_not_seen(store: Store) -> None:
    forms = load_kept_forms(store)
    say(store, 2, Verdict.BLANK, "c1", by="Minh")
    mine = Decision(2, Verdict.OPTIONS, "Tú", "nhìn rõ", now(), "c1", ("o1",))
    with pytest.raises(OvertakenError, match="Minh"):
        decide(store, forms, mine, known=0)
    assert [one.by for one in store.decisions_on(2)] == ["Minh"]
    decide(store, forms, mine, known=store.decisions_on(2)[-1].id)
    assert [one.by for one in store.decisions_on(2)] == ["Minh", "Tú"]
