"""A random check: a draw that anybody can repeat, a blind reading, an exact interval."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from itertools import islice
from math import comb
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import MarkState, SheetStatus
from scanner.counting.adjudication import Verdict
from scanner.counting.checking import draw_check, end_check, list_path, list_sure, see_population
from scanner.counting.journal import Action
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.people import Role
from scanner.counting.random_check import (
    MOST_DRAWN,
    Errors,
    Figures,
    Seen,
    SureTarget,
    choose_sure,
    clean_seed,
    compare,
    draw,
    exact_interval,
    fingerprint,
    list_lines,
)
from scanner.counting.results import final_records
from scanner.counting.second_reader import SecondReader
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError, CountError
from tests.fake_pages import make_form
from tests.review_client import Office, open_office
from tests.reviewed_counts import NAMES, PIN, add_people
from tests.stored_counts import ink, make_count, take_decision

EMPTY, CLEAR, WEAK = ink(0.001), ink(0.5), ink(0.11)
SEED = "35162451346215342616"


@pytest.fixture
def count(tmp_path: Path) -> Path:
    """Sheet 1 waits for a person at one box; 2 to 5 are clean."""
    form = make_form(tmp_path / "forms", "khao-sat")
    weak = ((WEAK, EMPTY, EMPTY), (CLEAR, EMPTY, EMPTY))
    clean = ((CLEAR, EMPTY, EMPTY), (EMPTY, CLEAR, EMPTY))
    return make_count(tmp_path / "count", form, [weak, clean, clean, clean, clean])


def begin(count: Path, drawn: int = 10, seed: str = SEED) -> int:
    with Store(count) as store:
        forms = load_kept_forms(store)
        published = see_population(store, forms).fingerprint
        return draw_check(store, forms, seed=seed, drawn=drawn, published=published, who="Lan")


def read_all(count: Path, number: int, *wrong: int) -> None:
    """A person who sees what the machine read, but for some places."""
    with Store(count) as store:
        for one in store.drawn_targets(number):
            seen = Seen(one.target.state)
            if one.place in wrong:
                seen = Seen.MARKED if seen is Seen.UNMARKED else Seen.UNMARKED
            store.add_reading(number, one.place, seen, "Minh")


# --- the draw -----------------------------------------------------------------------------------


def test_a_known_seed_draws_what_anybody_can_work_out() -> None:
    found: list[int] = []
    count = 0
    while len(found) < 50:
        count += 1
        digest = hashlib.sha256(f"{SEED},{count}".encode()).digest()
        number = int.from_bytes(digest, "big") % 60 + 1
        if number not in found:
            found.append(number)
    assert draw(SEED, 50, 60) == found
    assert count > 50, "some picks were there before"
    # By hand: the remainder of what "printf '35162451346215342616,1' | sha256sum" says, plus 1.
    assert draw(SEED, 3, 1_000_000) == [570_516, 211_337, 452_031]


@given(st.text("0123456789", min_size=1, max_size=30), st.integers(1, 200), st.data())
def test_a_draw_takes_each_number_once_and_a_longer_one_goes_on(
    seed: str, population: int, data: st.DataObject
) -> None:
    drawn = data.draw(st.integers(1, population))
    numbers = draw(seed, drawn, population)
    assert len(set(numbers)) == drawn
    assert set(numbers) <= set(range(1, population + 1))
    assert draw(seed, population, population)[:drawn] == numbers


def test_every_number_is_drawn_equally_often() -> None:
    """Chi-squared over 20,000 first picks among 100: below the 99.9 % limit of 99 degrees."""
    seen = Counter(draw(str(seed), 1, 100)[0] for seed in range(20_000))
    chi_squared = sum((seen[number] - 200) ** 2 / 200 for number in range(1, 101))
    assert len(seen) == 100
    assert chi_squared < 148.2


@pytest.mark.parametrize(("drawn", "population"), [(0, 5), (6, 5), (1, 0), (MOST_DRAWN + 1, 10**6)])
def test_no_more_can_be_drawn_than_there_are(drawn: int, population: int) -> None:
    with pytest.raises(BadArgumentsError):
        draw(SEED, drawn, population)


def test_a_seed_is_digits_and_the_spaces_between_the_throws_are_not() -> None:
    assert clean_seed(" 3516 2451\n3462 ") == "351624513462"
    for text in ("", "  ", "35x", "3.5", "٣٥", "1" * 201):
        with pytest.raises(BadArgumentsError):
            clean_seed(text)


# --- the interval -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "read", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0),
        (0, 100, 0.0, 0.0362),
        (1, 100, 0.0003, 0.0545),
        (10, 100, 0.0490, 0.1762),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_interval_is_the_published_one(wrong: int, read: int, low: float, high: float) -> None:
    """The table of Clopper and Pearson's limits in handbooks of statistics, at 95 %."""
    found = exact_interval(wrong, read)
    assert found.low == pytest.approx(low, abs=6e-5)
    assert found.high == pytest.approx(high, abs=6e-5)


def test_the_limits_leave_a_fortieth_on_each_side() -> None:
    """What the interval means, by the sum over the binomial: no other formula."""
    wrong, read = 3, 40
    found = exact_interval(wrong, read)

    def at_most(share: float, most: int) -> float:
        return sum(comb(read, k) * share**k * (1 - share) ** (read - k) for k in range(most + 1))

    assert at_most(found.high, wrong) == pytest.approx(0.025)
    assert 1 - at_most(found.low, wrong - 1) == pytest.approx(0.025)


def test_what_cannot_be_told_is_neither_right_nor_wrong() -> None:
    marked, unmarked = MarkState.MARKED, MarkState.UNMARKED
    figures = compare(
        [
            (marked, Seen.MARKED),
            (marked, Seen.UNMARKED),
            (marked, Seen.CANNOT_TELL),
            (unmarked, Seen.UNMARKED),
            (unmarked, Seen.MARKED),
            (unmarked, None),
        ]
    )
    assert figures.marked == Errors(drawn=3, right=1, wrong=1, cannot_tell=1)
    assert figures.unmarked == Errors(drawn=3, right=1, wrong=1, cannot_tell=0)
    assert figures.all == Errors(drawn=6, right=2, wrong=2, cannot_tell=1)
    assert figures.all.read == 4
    assert figures.all.worst == exact_interval(3, 5)
    assert Figures.from_plain(json.loads(json.dumps(figures.to_plain()))) == figures


# --- the list -----------------------------------------------------------------------------------


def test_the_list_has_the_sure_boxes_of_counted_sheets_that_nobody_decided(count: Path) -> None:
    def sheets_and_contests() -> set[tuple[int, str]]:
        with Store(count) as store:
            found = list(list_sure(store, load_kept_forms(store)))
        assert all(one.state is not MarkState.DOUBTFUL for one in found)
        return {(one.sheet, one.contest) for one in found}

    def expected() -> set[tuple[int, str]]:
        """The long way: over the final votes of every sheet."""
        with Store(count) as store:
            records = {one.sheet: one for one in final_records(store, load_kept_forms(store))}
            counted = {SheetStatus.CLEAN, SheetStatus.DECIDED}
            return {
                (one.sheet, one.contest)
                for one in store.sure_targets()
                if records[one.sheet].status in counted
                and not any(
                    vote.is_decided for vote in records[one.sheet].votes
                    if vote.contest == one.contest
                )
            }  # fmt: skip

    assert sheets_and_contests() == expected()
    assert 1 not in {sheet for sheet, _contest in sheets_and_contests()}
    take_decision(count, 1, Verdict.OPTIONS, "c1", "o1")
    assert sheets_and_contests() == expected()
    assert {contest for sheet, contest in expected() if sheet == 1} == {"c2"}
    take_decision(count, 2, Verdict.REFUSE)
    assert sheets_and_contests() == expected()
    assert 2 not in {sheet for sheet, _contest in expected()}
    with Store(count) as store:
        store.set_second_reader(SecondReader.ALL, "Lan")
    assert sheets_and_contests() == expected()


def test_the_fingerprint_is_that_of_the_list_and_knows_nothing_of_what_was_read() -> None:
    one, other = (
        [SureTarget(sheet, "q\t1", 'o"1', state) for sheet in (1, 2)]
        for state in (MarkState.MARKED, MarkState.UNMARKED)
    )
    text = "".join(list_lines(one))
    assert text.count("\n") == 2
    assert json.loads(text.splitlines()[1]) == [2, 2, "q\t1", 'o"1']
    found = fingerprint(one)
    assert (found.size, found.fingerprint) == (2, hashlib.sha256(text.encode()).hexdigest())
    assert fingerprint(other) == found


def test_a_sheet_that_nobody_asks_about_is_counted() -> None:
    target = SureTarget(7, "q1", "o1", MarkState.MARKED)
    assert list(choose_sure([], [target])) == [target]


# --- a check of a count -------------------------------------------------------------------------


def test_what_was_drawn_is_what_its_list_and_seed_say(count: Path) -> None:
    number = begin(count)
    with Store(count) as store:
        found = store.find_draw(number)
        lines = list_path(store, number).read_text("utf-8").splitlines()
        drawn = [(one.target.sheet, one.target.contest, one.target.option)
                 for one in store.drawn_targets(number)]  # fmt: skip
        states = {(b.sheet, b.target.contest, b.target.option): b.target.state
                  for b in store.boxes()}  # fmt: skip
        assert [one.target.state for one in store.drawn_targets(number)] == [
            states[name] for name in drawn
        ]
    assert found.population.size == len(lines) == 24
    numbers = draw(SEED, 10, 24)
    assert drawn == [tuple(json.loads(lines[line - 1])[1:]) for line in numbers]


def test_a_seed_is_of_no_use_once_the_list_has_changed_or_it_was_thrown_before(count: Path) -> None:
    with Store(count) as store:
        forms = load_kept_forms(store)
        published = see_population(store, forms).fingerprint
    take_decision(count, 3, Verdict.BLANK, "c1")
    with Store(count) as store:
        with pytest.raises(BadArgumentsError, match="changed since"):
            draw_check(store, forms, seed=SEED, drawn=3, published=published, who="Lan")
        assert store.draws() == []
        assert list((count / "exports").glob("*")) == []
    begin(count, drawn=3)
    with pytest.raises(BadArgumentsError, match="already"):
        begin(count, drawn=3, seed=f" {SEED[:5]} {SEED[5:]}")
    with Store(count) as store:
        assert len(store.draws()) == 1
        assert len(list((count / "exports").glob("*"))) == 1


def test_the_figures_are_those_of_the_readings_and_disagreements_enter_the_queue(
    count: Path,
) -> None:
    number = begin(count)
    read_all(count, number, 2, 5)
    with Store(count) as store:
        targets = [one.target for one in store.drawn_targets(number)]
        assert store.decisions() == {}, "nothing is said before the end"
        figures = end_check(store, number, "Lan")
        assert (figures.all.read, figures.all.wrong, figures.all.right) == (10, 2, 8)
        by_state = Counter(target.state for target in targets)
        assert figures.marked.drawn == by_state[MarkState.MARKED]
        end = store.find_draw(number).end
        assert end is not None
        assert (end.figures, end.who) == (figures, "Lan")
        flags = [one for made in store.decisions().values() for one in made]
        assert {(one.sheet, one.contest, *one.options) for one in flags} == {
            (t.sheet, t.contest, t.option) for t in (targets[2], targets[5])
        }
        assert {one.verdict for one in flags} == {Verdict.FLAG}
        waiting = {r.sheet for r in final_records(store, load_kept_forms(store))
                   if r.status is SheetStatus.IN_DOUBT}  # fmt: skip
        assert {targets[2].sheet, targets[5].sheet} <= waiting


def test_sheets_that_were_drawn_from_are_not_put_together_anew(count: Path) -> None:
    with Store(count) as store:
        store.reopen_batches({})
    begin(count, drawn=24)
    with Store(count) as store:
        (batch,) = store.batches()
        with pytest.raises(CountError, match="A person has decided"):
            store.reopen_batches({batch.id: batch.request})
        assert len(list(store.sheets())) == 5


def test_a_later_reading_counts_until_the_end_and_none_afterwards(count: Path) -> None:
    number = begin(count, drawn=4)
    read_all(count, number, 0)
    with Store(count) as store:
        state = store.drawn_targets(number)[0].target.state
        store.add_reading(number, 0, Seen(state), "Minh")
        assert end_check(store, number, "Lan").all.wrong == 0
        for change in (
            lambda: store.add_reading(number, 0, Seen.CANNOT_TELL, "Minh"),
            lambda: end_check(store, number, "Lan"),
        ):
            with pytest.raises(BadArgumentsError, match="ended"):
                change()
        with pytest.raises(CountError):
            end_check(store, number + 1, "Lan")


def test_a_check_that_was_ended_early_speaks_of_what_was_read(count: Path) -> None:
    number = begin(count, drawn=8)
    with Store(count) as store:
        with pytest.raises(BadArgumentsError, match="Nobody"):
            end_check(store, number, "Lan")
        for one in islice(store.drawn_targets(number), 3):
            store.add_reading(number, one.place, Seen(one.target.state), "Minh")
        with pytest.raises(BadArgumentsError, match="no such box"):
            store.add_reading(number, 8, Seen.MARKED, "Minh")
        assert end_check(store, number, "Lan").all == Errors(3, 3, 0, 0)


def test_draw_reading_and_end_are_in_the_record_without_what_the_machine_read(count: Path) -> None:
    number = begin(count, drawn=3)
    read_all(count, number, 1)
    with Store(count) as store:
        before = [entry for entry in store.entries() if entry.action.startswith("check")]
        assert [entry.action for entry in before] == [Action.CHECK_DRAWN, *[Action.CHECK_READ] * 3]
        assert before[0].detail["row"]["seed"] == SEED
        assert not re.search("marked", json.dumps(before[0].detail))
        end_check(store, number, "Lan")
        entries = list(store.entries())
        assert [entry.action for entry in entries[-2:]] == [Action.CHECK_ENDED, Action.FLAGGED]
        assert json.loads(entries[-2].detail["row"]["figures"])["marked"].keys() == {
            "drawn", "right", "wrong", "cannot_tell",
        }  # fmt: skip
        assert store.verify() == []


# --- the page -----------------------------------------------------------------------------------


def shown(office: Office, number: int) -> str:
    """All that is sent about an open check, without what differs from session to session."""
    browser = office.person()
    page = browser.get(f"/check/{number}").text
    place = json.loads(re.findall(r'id="check-data">(.*?)</script>', page)[0])["boxes"][0]["place"]
    answer = browser.post(f"/check/{number}/read", {"place": place, "seen": "cannot_tell"})
    assert answer.status_code == 200, answer.text
    again = browser.get(f"/check/{number}").text
    return re.sub(r'(name="csrf"[^>]*value=|content=)"[^"]*"', "", page + answer.text + again)


def test_nothing_that_is_sent_about_an_open_check_says_what_the_machine_read(
    tmp_path: Path,
) -> None:
    """Two counts that differ in nothing but what was read: their pages are the same."""
    sent = []
    for name, (first, second) in {"a": (CLEAR, EMPTY), "b": (EMPTY, CLEAR)}.items():
        form = make_form(tmp_path / name / "forms", "khao-sat")
        sheet = ((first, second, EMPTY), (second, first, EMPTY))
        count = make_count(tmp_path / name / "count", form, [sheet] * 6)
        with Store(count) as store:
            lan = NAMES[Role.COMMITTEE]
            store.add_person(lan, PIN, Role.COMMITTEE, lan)
        number = begin(count, drawn=12)
        with Store(count) as store:
            states = [one.target.state for one in store.drawn_targets(number)]
        with open_office(count) as office:
            sent.append((states, shown(office, number)))
    (states, page), (other_states, other_page) = sent
    assert states != other_states
    assert page == other_page
    for word in ("probability", "machine_read", '"state"'):
        assert word not in page


def test_only_the_committee_draws_and_an_observer_changes_nothing(count: Path) -> None:
    add_people(count)
    with open_office(count) as office:
        observer, reader = office.person(Role.OBSERVER), office.person(Role.READER)
        published = observer.ask("/check/population").json()["fingerprint"]
        asked = {"seed": SEED, "drawn": 2, "published": published}
        for person in (observer, reader):
            assert person.post("/check/draw", asked).status_code == 403
        assert office.person().post("/check/draw", asked).json() == {"number": 1}
        reading = {"place": 0, "seen": "marked"}
        assert observer.post("/check/1/read", reading).status_code == 403
        assert observer.post("/check/1/end").status_code == 403
        assert "check-data" not in observer.get("/check/1").text
        assert reader.post("/check/1/read", reading).json() == {"read": 1, "drawn": 2}
        assert reader.post("/check/1/read", {"place": 0, "seen": "maybe"}).status_code == 422
        assert reader.post("/check/9/read", reading).status_code == 409
        assert reader.post("/check/1/end").status_code == 200
        page = observer.get("/check/1").text
        assert "exact 95 % interval" in page
        lines = observer.ask("/check/1/list.txt").text
        assert hashlib.sha256(lines.encode()).hexdigest() == published
        assert observer.ask("/check/2/list.txt").status_code == 409


def test_the_draw_that_is_described_is_the_one_that_is_made() -> None:
    described = (Path(__file__).parents[1] / "docs" / "random-check.md").read_text("utf-8")
    seed = re.findall(r"With the seed (\d+) and a million", described)[0]
    lines = re.findall(r"lines (\d+), (\d+) and (\d+) come first", described)[0]
    assert draw(seed, 3, 1_000_000) == [int(line) for line in lines]
    rows = re.findall(r"\| (\d+) \| ([\d.]+) % \| ([\d.]+) to ([\d.]+) % \|", described)
    assert len(rows) == 4
    for drawn, none, low, high in rows:
        one = exact_interval(1, int(drawn))
        found = (exact_interval(0, int(drawn)).high, one.low, one.high)
        assert [f"{100 * limit:.2f}" for limit in found] == [none, low, high]
