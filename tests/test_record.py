"""The record of a count: whatever people do is entered, and whatever is altered shows."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.counting.adjudication import Stage, Verdict
from scanner.counting.journal import Action, find_break
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.people import Role
from scanner.counting.second_reader import SecondReader
from scanner.counting.store import Store
from scanner.counting.store_schema import SCHEMA_VERSION
from scanner.errors import CountError
from scanner.forms.template import Form
from tests.decided_counts import count_with_doubts, say
from tests.fake_pages import make_form
from tests.stored_counts import STRICT, change, plain

ROOT = Path(__file__).parents[1]
SAVES = 15


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return make_form(tmp_path_factory.mktemp("desk") / "forms", "khao-sat")


@pytest.fixture(scope="module")
def fresh(form: Form, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return count_with_doubts(tmp_path_factory.mktemp("desk") / "count", form)


@pytest.fixture
def count(fresh: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(fresh, tmp_path / "count"))


@pytest.fixture(scope="module")
def worked_on(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A count in which every kind of thing has been done."""
    folder = Path(shutil.copytree(fresh, tmp_path_factory.mktemp("worked") / "count"))
    with Store(folder) as store:
        store.set_papers(issued=9, collected=6)
        person = store.add_person("Lan", "4711", Role.COMMITTEE, "Lan")
        store.add_person("Minh", "1234", Role.READER, "Lan")
        store.change_person(person.id, "Lan", pin="0815")
        store.check_pin("Lan", "0815")
        store.set_second_reader(SecondReader.DOUBTS, "Lan")
        say(store, 2, Verdict.OPTIONS, "c1", "o1")
        say(store, 2, Verdict.OPTIONS, "c1", "o2", by="Minh", stage=Stage.SECOND)
        say(store, 2, Verdict.BLANK, "c1", by="Hoa", stage=Stage.COMMITTEE)
        say(store, 3, Verdict.REFUSE)
        undone = store.decisions_on(3)[-1].id
        say(store, 3, Verdict.WITHDRAW, undoes=undone)
        store.flag(1, "c2", "o1", "Minh")
        store.escalate(4, "c1", "Minh", "không rõ")
        store.note_on(4, "c1", "Minh", "mực xanh")
    return folder


def database(folder: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(folder / "count.db")
    with connection:
        yield connection
    connection.close()


def alter(folder: Path, *statements: str) -> None:
    for connection in database(folder):
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection.execute(statement)


def faults(folder: Path) -> list[str]:
    with Store(folder) as store:
        return store.verify()


def test_whatever_people_do_is_in_the_record(worked_on: Path) -> None:
    with Store(worked_on) as store:
        entries = list(store.entries())
        assert store.verify() == []
    done = [entry.action for entry in entries]
    assert done.count(Action.DECIDED) == 4
    for action in (
        Action.EVENT, Action.PERSON_ADDED, Action.PERSON_CHANGED, Action.SIGNED_IN, Action.POLICY,
        Action.WITHDRAWN, Action.FLAGGED, Action.ESCALATED, Action.NOTED,
    ):  # fmt: skip
        assert action in done
    assert find_break(entries) is None
    events = [entry.detail["row"]["what"] for entry in entries if entry.action is Action.EVENT]
    assert events == ["form", "batch", "batch done", "papers"]


def test_a_decision_says_what_counted_before_and_after(worked_on: Path) -> None:
    with Store(worked_on) as store:
        entries = [one for one in store.entries(sheet=2) if one.action is Action.DECIDED]
    known = [(one.detail["before"], one.detail["after"]) for one in entries]
    in_doubt, decided = {"status": "in_doubt"}, {"status": "decided"}
    assert known == [
        (
            {**in_doubt, "state": "in_doubt", "options": []},
            {**in_doubt, "state": "voted", "options": ["o1"]},
        ),
        (
            {**in_doubt, "state": "voted", "options": ["o1"]},
            {**in_doubt, "state": "voted", "options": ["o1"]},
        ),
        (
            {**in_doubt, "state": "voted", "options": ["o1"]},
            {**decided, "state": "blank", "options": []},
        ),
    ]


def test_no_pin_is_in_the_record(worked_on: Path) -> None:
    with Store(worked_on) as store:
        kept = [str(entry.detail) for entry in store.entries()]
    assert not any(secret in text for text in kept for secret in ("4711", "0815", "argon2"))


JOURNAL = ("at", "who", "action", "sheet", "contest", "detail", "previous", "hash", "number")
DECISION = ("sheet", "contest", "verdict", "options", "who", "why", "at", "stage", "note", "crop",
            "undoes", "id")  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_altered_byte_of_a_journal_or_decision_row_is_found(
    worked_on: Path, tmp_path: Path, data: st.DataObject
) -> None:
    table, columns, key = data.draw(
        st.sampled_from([("journal", JOURNAL, "number"), ("decision", DECISION, "id")])
    )
    column = data.draw(st.sampled_from(columns))
    folder = Path(shutil.copytree(worked_on, tmp_path / "copy", dirs_exist_ok=True))
    for connection in database(folder):
        cells = connection.execute(f"SELECT {key}, {column} FROM {table}").fetchall()
        row, cell = data.draw(st.sampled_from(cells))
        if isinstance(cell, str) and cell:
            letters = bytearray(cell.encode())
            place = data.draw(st.integers(0, len(letters) - 1))
            letters[place] ^= data.draw(st.integers(1, 127))
            value = f"CAST(X'{letters.hex()}' AS TEXT)"
        elif isinstance(cell, int):
            value = str(cell + data.draw(st.integers(1000, 2000)))
        else:
            value = "'x'" if cell == "" or column in {"contest", "why"} else "7"
        connection.execute(f"UPDATE {table} SET {column} = {value} WHERE {key} = {row}")
    try:
        assert faults(folder)
    except CountError as error:
        assert "damaged" in error.message


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM decision WHERE id = 2",
        "DELETE FROM journal WHERE number = 5",
        "DELETE FROM journal WHERE number = (SELECT max(number) FROM journal WHERE sheet = 1)",
        "DELETE FROM event_log WHERE id = 1",
        "UPDATE event_log SET detail = '{\"issued\": 8, \"collected\": 6}' WHERE what = 'papers'",
        "UPDATE count SET collected = 7",
        "UPDATE count SET second_reader = 'none'",
        "UPDATE person SET role = 'committee'",
        "UPDATE person SET pin = (SELECT pin FROM person WHERE name = 'Minh')",
        "DELETE FROM person WHERE name = 'Minh'",
        "INSERT INTO decision (sheet, verdict, options, who, why, at)"
        " VALUES (1, 'refuse', '[]', 'Lan', 'x', '2023-10-27T12:00:00+00:00')",
    ],
)
def test_what_is_done_behind_the_programs_back_is_found(count: Path, worked_on: Path,
                                                        statement: str) -> None:  # fmt: skip
    folder = Path(shutil.copytree(worked_on, count.parent / "altered"))
    assert faults(folder) == []
    alter(folder, statement)
    assert len(faults(folder)) >= 1


def test_the_entry_that_does_not_hold_is_named(count: Path) -> None:
    alter(count, "UPDATE journal SET who = 'Minh' WHERE number = 2")
    assert faults(count) == ["Entry 2 of the record was altered."]


def test_entries_cut_off_at_the_end_show_by_the_hash_that_was_noted(count: Path) -> None:
    with Store(count) as store:
        store.note_on(1, None, "Lan", "một")
        _number, noted = store.head()
        assert store.has_entry(noted)
    alter(count, "DELETE FROM journal WHERE number = (SELECT max(number) FROM journal)")
    assert faults(count) == []
    with Store(count) as store:
        assert not store.has_entry(noted)


def test_a_count_of_an_older_program_gets_its_record(count: Path) -> None:
    with Store(count) as store:
        say(store, 2, Verdict.BLANK, "c1")
        store.set_papers(issued=9)
        say(store, 4, Verdict.REFUSE)
    before = plain(count)
    columns = [f"ALTER TABLE decision DROP COLUMN {name}" for name in
               ("stage", "note", "crop", "undoes")]  # fmt: skip
    alter(
        count, "DROP TABLE journal", *columns, "ALTER TABLE count DROP COLUMN second_reader",
        "UPDATE count SET schema = 2",
    )  # fmt: skip
    assert plain(count) == before
    with Store(count) as store:
        entries = list(store.entries())
        assert store.verify() == []
        assert store.events()[-1][1:] == ("record begun", {"decisions": 2, "events": 4})
    assert [(one.action, one.sheet) for one in entries[-4:]] == [
        (Action.DECIDED, 2), (Action.EVENT, None), (Action.DECIDED, 4), (Action.EVENT, None),
    ]  # fmt: skip
    (row,) = [
        row
        for connection in database(count)
        for row in connection.execute("SELECT schema FROM count")
    ]
    assert row == (SCHEMA_VERSION,)
    # Opened once more it is as it is.
    with Store(count) as store:
        assert list(store.entries()) == entries


def test_other_limits_are_in_the_record(count: Path) -> None:
    change(count, STRICT)
    with Store(count) as store:
        last = list(store.entries())[-1]
        assert store.verify() == []
    assert (last.who, last.detail["row"]["what"]) == ("Lan", "limits changed")


def test_a_sheet_with_a_note_is_not_taken_apart(count: Path) -> None:
    with Store(count) as store:
        store.note_on(1, None, "Lan", "một")
        (batch,) = store.batches()
        with pytest.raises(CountError, match="decided on sheet 1"):
            store.reopen_batches({batch.id: batch.request})


SAVER = """
import sys
from pathlib import Path
from scanner.counting.adjudication import Verdict
from scanner.counting.store import Store
from tests.decided_counts import say

count, who, saves = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
with Store(Path(count)) as store:
    for place in range(int(saves)):
        say(store, 1 + place % 6, Verdict.OPTIONS, "c1", "o2", by=who)
"""


def test_two_processes_saving_at_once_lose_nothing(count: Path) -> None:
    program = [sys.executable, "-c", SAVER, str(count)]
    started = [
        subprocess.Popen(
            [*program, who, str(SAVES)], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for who in ("Lan", "Minh")
    ]  # fmt: skip
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.communicate("go\n")
        assert process.returncode == 0
    assert_all_there(count, 2 * SAVES)


def test_threads_saving_at_once_lose_nothing(count: Path) -> None:
    with Store(count) as store:
        forms = load_kept_forms(store)
        assert forms

        def save(who: str) -> None:
            for place in range(SAVES):
                say(store, 1 + place % 6, Verdict.OPTIONS, "c2", "o2", by=who)

        threads = [threading.Thread(target=save, args=(f"P{n}",)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert_all_there(count, 6 * SAVES)


def assert_all_there(count: Path, saves: int) -> None:
    with Store(count) as store:
        assert store.verify() == []
        made = [one.id for several in store.decisions().values() for one in several]
        assert len(set(made)) == saves
        entries = [one for one in store.entries() if one.action is Action.DECIDED]
    assert len(entries) == saves
    # Each begins with what the one before it on the same contest left.
    left: dict[tuple[int | None, str | None], object] = {}
    for entry in entries:
        place = (entry.sheet, entry.contest)
        assert left.get(place, entry.detail["before"]) == entry.detail["before"]
        left[place] = entry.detail["after"]
