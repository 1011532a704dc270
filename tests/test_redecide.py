"""Other limits on stored measures: nothing is read again, and nothing that people did is lost."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
import sqlalchemy as sa

from scanner.ballot import (
    Reason,
    SheetStatus,
    TargetMeasures,
)
from scanner.counting import store_limits
from scanner.counting.adjudication import SheetRecord, Verdict
from scanner.counting.intake import ScanOptions, scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.limits import Limits, settings_in_force
from scanner.counting.price_range import price_range
from scanner.counting.records import BatchRequest, StoredTarget
from scanner.counting.redecide import (
    at_rest,
    change_limits,
    redecide,
)
from scanner.counting.results import final_records
from scanner.counting.store import Store
from scanner.counting.store_schema import SCHEMA_VERSION
from scanner.errors import BadArgumentsError, CountError
from scanner.forms.template import Form
from scanner.settings import Settings
from tests.fake_pages import FakeFactory, draw_pile, make_form
from tests.stored_counts import (
    LOOSE,
    READ_WITH,
    STRICT,
    Measured,
    boxes,
    change,
    ink,
    make_count,
    plain,
    statuses,
    take_decision,
)

EMPTY, CLEAR, WEAK = ink(0.001), ink(0.5), ink(0.11)
"""Sure under all limits here, sure under all, and sure only under loose ones."""
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return make_form(tmp_path_factory.mktemp("desk") / "forms", "khao-sat")


def page(*marks: Measured) -> tuple[Measured, ...]:
    return marks


# --- what stays ----------------------------------------------------------------------------------


def test_a_decision_stays_on_a_sheet_that_is_no_longer_in_doubt(form: Form, tmp_path: Path) -> None:
    sheet = (page(WEAK, EMPTY, EMPTY), page(CLEAR, EMPTY, EMPTY))
    count = make_count(tmp_path / "count", form, [sheet, sheet])
    assert statuses(count) == [SheetStatus.IN_DOUBT, SheetStatus.IN_DOUBT]
    take_decision(count, 1, Verdict.BLANK, "c1")
    made = change(count, LOOSE)
    assert statuses(count) == [SheetStatus.DECIDED, SheetStatus.CLEAN]
    assert made.statuses == {
        (SheetStatus.DECIDED, SheetStatus.DECIDED): 1,
        (SheetStatus.IN_DOUBT, SheetStatus.CLEAN): 1,
    }
    with Store(count) as store:
        first, second = final_records(store, load_kept_forms(store))
    assert first.votes[0].options == ()
    assert second.votes[0].options == ("o1",)


def test_doubts_that_are_not_about_the_amount_of_ink_stay(form: Form, tmp_path: Path) -> None:
    off_the_paper = Measured(CLEAR.measures, covered=False)
    sheets = [
        (page(off_the_paper, EMPTY, EMPTY), page(CLEAR, EMPTY, EMPTY)),
        (page(ink(0.5, print_match=0.3), EMPTY, EMPTY), page(CLEAR, EMPTY, EMPTY)),
        (page(CLEAR, EMPTY, EMPTY),),
    ]
    reasons = (Reason.OTHER_VERSION,)
    count = make_count(tmp_path / "count", form, sheets, page_reasons=reasons)
    before = [(record.reasons, record.contests[0].reasons) for record in Store(count).sheets()]
    assert Reason.OUTSIDE_SCAN in before[0][1]
    assert Reason.PRINT_MISMATCH in before[1][1]
    assert {Reason.OTHER_VERSION, Reason.PAGE_MISSING} <= set(before[2][0])
    change(count, LOOSE)
    after = [(record.reasons, record.contests[0].reasons) for record in Store(count).sheets()]
    assert after == before


def test_a_sheet_that_is_blank_only_under_loose_limits_is_blank_only_then(
    form: Form, tmp_path: Path
) -> None:
    faint = page(ink(0.014), EMPTY, EMPTY)
    count = make_count(tmp_path / "count", form, [(faint, faint)])
    with Store(count) as store:
        assert Reason.BLANK_SHEET in store.sheet(1).reasons
    change(count, Limits(0.98, 0.0000001))
    with Store(count) as store:
        assert Reason.BLANK_SHEET not in store.sheet(1).reasons
    change(count, LOOSE)
    with Store(count) as store:
        assert Reason.BLANK_SHEET in store.sheet(1).reasons


# --- what is written -----------------------------------------------------------------------------


def some_count(form: Form, folder: Path, sheets: int = 3) -> Path:
    sheet = (page(WEAK, EMPTY, EMPTY), page(ink(0.2), ink(0.04), EMPTY))
    return make_count(folder / "count", form, [sheet] * sheets)


def test_every_change_is_added_and_the_settings_it_was_read_with_stay(
    form: Form, tmp_path: Path
) -> None:
    count = some_count(form, tmp_path)
    before = boxes(count)
    change(count, STRICT)
    change(count, LOOSE)
    with Store(count) as store:
        changes = store.limit_changes()
        (batch,) = store.batches()
        former = store.former_readings()
        (in_force,) = settings_in_force(store).values()
        noted = [detail for _at, what, detail in store.events() if what == "limits changed"]
    assert Limits.of(Settings.model_validate_json(batch.settings)) == READ_WITH
    assert Limits.of(in_force) == LOOSE
    assert [
        (Limits.of(Settings.model_validate_json(c.settings)), c.by, c.why, c.batch) for c in changes
    ] == [(STRICT, "Lan", "thử", 1), (LOOSE, "Lan", "thử", 1)]
    assert changes[0].at <= changes[1].at
    assert [(n["from"]["1"], n["to"]) for n in noted] == [
        ([0.98, 0.03], [0.9999, 0.0001]),
        ([0.9999, 0.0001], [0.6, 0.4]),
    ]
    # What a target was first is the oldest that was put aside, or what it still is.
    first: dict[tuple[int, str], StoredTarget] = {}
    for _change, stored in former:
        first.setdefault((stored.sheet, stored.reading.target), stored)
    assert first
    restored = [
        first[box.sheet, box.target.target].reading
        if (box.sheet, box.target.target) in first
        else box.target
        for box in boxes(count)
    ]
    assert restored == [box.target for box in before]


def test_a_change_needs_a_name_and_a_reason(form: Form, tmp_path: Path) -> None:
    count = some_count(form, tmp_path)
    before = plain(count)
    with Store(count) as store:
        made = redecide(store, load_kept_forms(store), STRICT)
        for by, why in ((" ", "thử"), ("Lan", "")):
            with pytest.raises(BadArgumentsError, match="name and a reason"):
                change_limits(store, made, by=by, why=why)
    assert plain(count) == before


def test_a_change_broken_off_leaves_nothing_of_it(
    form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = some_count(form, tmp_path)
    before = plain(count)
    written: list[int] = []
    write = store_limits._replace_sheets

    def break_off(connection: sa.Connection, records: Sequence[SheetRecord]) -> None:
        if written:
            raise RuntimeError("broken off")
        write(connection, records)
        written.extend(record.sheet for record in records)

    with monkeypatch.context() as patched:
        patched.setattr(store_limits, "_replace_sheets", break_off)
        patched.setattr(store_limits, "SHEETS_AT_ONCE", 1)
        with pytest.raises(RuntimeError):
            change(count, STRICT)
    assert written == [1]
    assert plain(count) == before
    assert change(count, STRICT).sheets


KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
from scanner.counting import store_limits
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.limits import Limits
from scanner.counting.redecide import at_rest, change_limits, redecide
from scanner.counting.store import Store
from scanner.counting.store_schema import SCHEMA_VERSION

def note(connection, what, detail):
    assert connection.in_transaction()
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

store_limits.note = note
with Store(Path(sys.argv[1])) as store, at_rest(store):
    made = redecide(store, load_kept_forms(store), Limits(0.9999, 0.0001))
    change_limits(store, made, by="Lan", why="tried")
"""


def test_a_change_killed_at_its_last_step_leaves_nothing_of_it(form: Form, tmp_path: Path) -> None:
    count = some_count(form, tmp_path)
    before = plain(count)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", KILLED, str(count)]
    assert subprocess.run(command, env=environment, check=False).returncode != 0
    assert plain(count) == before
    assert change(count, STRICT).sheets


def test_limits_wait_for_a_scan(form: Form, tmp_path: Path) -> None:
    count = some_count(form, tmp_path)
    with (
        Store(count) as scanning,
        scanning.exclusive(),
        Store(count) as store,
        pytest.raises(CountError, match="scan into this count is running"),
        at_rest(store),
    ):
        pass
    with Store(count) as store:
        store.begin_batch(BatchRequest(files=("b.pdf",)), Settings().model_dump_json())
        with pytest.raises(CountError, match="broken off"), at_rest(store):
            pass


def test_what_is_scanned_later_is_read_with_the_changed_limits(tmp_path: Path) -> None:
    make_form(tmp_path / "forms", "khao-sat")
    options = ScanOptions(make_reader=FakeFactory)
    for number, folder in enumerate(("first", "second", "third")):
        files = tuple(str(path) for path in draw_pile(tmp_path / folder, 2 + number))
        scan(tmp_path / "count", BatchRequest(files=files), tmp_path / "forms", options)
        if number == 1:
            change(tmp_path / "count", STRICT)
    with Store(tmp_path / "count") as store:
        read_with = [json.loads(batch.settings)["clearly_marked"] for batch in store.batches()]
        in_force = [each.clearly_marked for each in settings_in_force(store).values()]
    assert read_with == [0.98, 0.98, 0.9999]
    assert in_force == [0.9999] * 3


def test_targets_that_another_program_decided_otherwise_are_told(
    form: Form, tmp_path: Path
) -> None:
    count = some_count(form, tmp_path)
    with sqlite3.connect(count / "count.db") as connection:
        connection.execute("UPDATE mark SET state = 'unmarked' WHERE page = 1 AND place = 0")
    connection.close()
    with Store(count) as store:
        made = redecide(store, load_kept_forms(store), STRICT)
    seen = [one for one in made.targets if one.is_seen]
    assert made.drifted == 1 < len(seen)
    assert not made.is_nothing


def test_batches_with_limits_of_their_own_have_one_row_for_them(form: Form, tmp_path: Path) -> None:
    sheet = (page(WEAK, EMPTY, EMPTY), page(CLEAR, EMPTY, EMPTY))
    loose = Settings(clearly_marked=0.6, clearly_unmarked=0.4)
    count = make_count(tmp_path / "count", form, [sheet], settings=loose)
    make_count(count, form, [sheet])
    assert statuses(count) == [SheetStatus.CLEAN, SheetStatus.IN_DOUBT]
    with Store(count) as store:
        prices = price_range(store, load_kept_forms(store))
    (present,) = [price for price in prices if price.is_present]
    assert (present.limits, present.sheets) == (None, 1)


def test_a_count_of_the_version_before_opens_and_takes_limits(form: Form, tmp_path: Path) -> None:
    count = some_count(form, tmp_path)
    before = plain(count)
    with sqlite3.connect(count / "count.db") as connection:
        connection.execute("DROP TABLE former_mark")
        connection.execute("DROP TABLE limits")
        for measure in (field for field in fields(TargetMeasures) if field.default is not MISSING):
            connection.execute(f"ALTER TABLE mark DROP COLUMN {measure.name}")
        connection.execute("UPDATE count SET schema = 1")
    connection.close()
    assert plain(count) == before
    assert change(count, STRICT).sheets
    with sqlite3.connect(count / "count.db") as connection:
        assert connection.execute("SELECT schema FROM count").fetchone() == (SCHEMA_VERSION,)
    connection.close()
