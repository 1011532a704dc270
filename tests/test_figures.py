"""The figures kept up to date are those of the whole count added up anew."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.ballot import Reason
from scanner.counting.adjudication import Stage, Verdict
from scanner.counting.figures import Figures, figures_of
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.results import readers_of, tally_count
from scanner.counting.rules import ShareRule
from scanner.counting.second_reader import SecondReader
from scanner.counting.sheet_rules import VOIDING, SheetRules
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError
from scanner.forms.template import Form
from tests.decided_counts import CLEAR, EMPTY, WEAK, count_with_doubts, say
from tests.fake_pages import make_form
from tests.stored_counts import LOOSE, STRICT, change, make_count

Step = tuple[int, Verdict, str | None, str, str]


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return make_form(tmp_path_factory.mktemp("desk") / "forms", "khao-sat")


@pytest.fixture(scope="module")
def fresh(form: Form, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return count_with_doubts(tmp_path_factory.mktemp("desk") / "count", form)


@pytest.fixture
def count(fresh: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(fresh, tmp_path / "count"))


steps = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.sampled_from(list(Verdict)),
        st.sampled_from([None, "c1", "c2"]),
        st.sampled_from(["o1", "o2", "o3"]),
        st.sampled_from(["Lan", "Minh"]),
    ),
    max_size=8,
)


def work(store: Store, step: Step) -> None:
    """Do what is asked, if it can be done."""
    sheet, verdict, about, option, who = step
    options = (option,) if verdict in {Verdict.OPTIONS, Verdict.FLAG} and about else ()
    last = store.decisions_on(sheet)
    undoes = last[-1].id if last and verdict is Verdict.WITHDRAW else None
    stage = Stage.COMMITTEE if who == "Minh" else Stage.FIRST
    with suppress(BadArgumentsError):
        say(store, sheet, verdict, about, *options, by=who, undoes=undoes, stage=stage)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps, st.sampled_from(list(SecondReader)), st.sets(st.sampled_from(VOIDING)))
def test_the_figures_are_those_of_the_whole_count_after_every_step(
    fresh: Path,
    tmp_path: Path,
    several: Sequence[Step],
    policy: SecondReader,
    void: set[Reason],
) -> None:
    folder = Path(shutil.copytree(fresh, tmp_path / "copy", dirs_exist_ok=True))
    with Store(folder) as store:
        forms = load_kept_forms(store)
        figures = Figures(store, forms)
        assert figures.tally() == tally_count(store, forms)
        store.set_second_reader(policy, "Lan")
        store.set_rules(ShareRule(), SheetRules(frozenset(void)), "Lan")
        assert figures.tally() == tally_count(store, forms)
        for step in several:
            work(store, step)
            assert figures.tally() == tally_count(store, forms)
            assert Figures(store, forms).tally() == figures.tally()
            assert Figures(store, forms).close_contests() == figures.close_contests()
        assert store.verify() == []


def test_a_batch_and_other_limits_are_heeded(count: Path, form: Form) -> None:
    with Store(count) as store:
        forms = load_kept_forms(store)
        figures = figures_of(store, forms)
        seen = [figures.tally()]
        for limits in (STRICT, LOOSE):
            change(count, limits)
            seen.append(figures.tally())
            assert seen[-1] == tally_count(store, forms)
        make_count(count, form, [((CLEAR, EMPTY, EMPTY), (CLEAR, EMPTY, EMPTY))])
        seen.append(figures.tally())
        assert seen[-1] == tally_count(store, forms)
        store.set_papers(issued=9, collected=7)
        assert (figures.tally().issued, figures.tally().collected) == (9, 7)
    assert [tally.in_doubt for tally in seen] == [3, 3, 0, 0]
    assert seen[-1].clean == 7


def test_sheets_that_become_void_by_another_rule_are_in_no_figure(
    form: Form, tmp_path: Path
) -> None:
    answered, blank = (CLEAR, EMPTY, EMPTY), (EMPTY, EMPTY, EMPTY)
    sheets = [(answered, answered), (answered, blank), (blank, blank)]
    folder = make_count(tmp_path / "count", form, sheets)
    with Store(folder) as store:
        forms = load_kept_forms(store)
        figures = figures_of(store, forms)
        found = []
        for rule in ((), (Reason.BLANK_SHEET,), (Reason.BLANK_CONTEST,)):
            store.set_rules(ShareRule(), SheetRules(frozenset(rule)), "Lan")
            assert figures.tally() == tally_count(store, forms)
            found.append((figures.tally().valid, figures.tally().void_by_reason))
    assert found == [(3, {}), (2, {"blank_sheet": 1}), (1, {"blank_contest": 2})]


def test_where_one_answer_makes_a_sheet_void_all_its_contests_are_disputed(
    form: Form, tmp_path: Path
) -> None:
    first, second = (CLEAR, EMPTY, EMPTY), (EMPTY, CLEAR, EMPTY)
    unclear = (WEAK, EMPTY, EMPTY)
    sheets = [(first, first), (first, first), (second, first), (unclear, first), (unclear, second)]
    folder = make_count(tmp_path / "count", form, sheets)
    with Store(folder) as store:
        forms = load_kept_forms(store)
        figures = figures_of(store, forms)
        assert figures.close_contests() == {("khao-sat", "c1")}
        strict = SheetRules(frozenset({Reason.BLANK_CONTEST}))
        store.set_rules(ShareRule(), strict, "Lan")
        # 3 sheets are sure to be first at c2, 2 are disputed: still not close; with another, it is.
        assert figures.close_contests() == {("khao-sat", "c1")}
        make_count(folder, form, [(unclear, second), (unclear, first)])
        assert figures.close_contests() == {("khao-sat", "c1"), ("khao-sat", "c2")}
        store.set_rules(ShareRule(), SheetRules(), "Lan")
        assert figures.close_contests() == {("khao-sat", "c1")}


def test_a_copy_that_is_refused_frees_the_other_sheet(form: Form, tmp_path: Path) -> None:
    import sqlite3

    page = (CLEAR, EMPTY, EMPTY)
    folder = make_count(tmp_path / "count", form, [(page, page), (page, page)])
    connection = sqlite3.connect(folder / "count.db")
    with connection:
        connection.execute(
            "INSERT INTO same_paper (page, other, score, 'limit') VALUES (3, 1, 30, 20)"
        )
    connection.close()
    with Store(folder) as store:
        forms = load_kept_forms(store)
        figures = figures_of(store, forms)
        assert (figures.tally().in_doubt, figures.tally().clean) == (2, 0)
        assert Reason.SAME_PAPER in store.sheet(1).reasons
        say(store, 2, Verdict.REFUSE)
        assert figures.tally() == tally_count(store, forms)
        assert (figures.tally().refused, figures.tally().clean) == (1, 1)
        undone = store.decisions_on(2)[-1].id
        say(store, 2, Verdict.WITHDRAW, undoes=undone)
        assert figures.tally() == tally_count(store, forms)
        assert figures.tally().in_doubt == 2


def test_what_another_program_wrote_is_noticed(count: Path) -> None:
    with Store(count) as store, Store(count) as other:
        forms = load_kept_forms(store)
        figures = figures_of(store, forms)
        before = figures.tally()
        say(other, 2, Verdict.OPTIONS, "c1", "o3")
        after = figures.tally()
        assert (before.decided, after.decided) == (0, 1)
        assert after == tally_count(store, forms)


def test_a_contest_is_close_by_the_sheets_that_nobody_disputes(count: Path) -> None:
    # c1: o1 3, o2 1, two disputed sheets; c2: o1 2, o2 2, two disputed sheets.
    with Store(count) as store:
        store.set_second_reader(SecondReader.CLOSE, "Lan")
        forms = load_kept_forms(store)
        assert readers_of(store, forms).close == {("khao-sat", "c1"), ("khao-sat", "c2")}
        say(store, 2, Verdict.OPTIONS, "c1", "o1")
        # What people decided plays no part, only how many answers are theirs.
        assert readers_of(store, forms).close == {("khao-sat", "c1"), ("khao-sat", "c2")}


def test_a_contest_with_a_clear_lead_is_not_close(form: Form, tmp_path: Path) -> None:
    page = (CLEAR, EMPTY, EMPTY)
    with Store(make_count(tmp_path / "count", form, [(page, page)] * 4)) as store:
        store.set_second_reader(SecondReader.CLOSE, "Lan")
        forms = load_kept_forms(store)
        say(store, 1, Verdict.OPTIONS, "c1", "o2")
        assert readers_of(store, forms).close == frozenset()
        say(store, 2, Verdict.OPTIONS, "c1", "o2")
        assert readers_of(store, forms).close == {("khao-sat", "c1")}
        assert figures_of(store, forms).tally().in_doubt == 2
