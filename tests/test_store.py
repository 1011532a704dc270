"""What is written comes back the same, and a count that cannot be used says so."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.ballot import (
    ContestReading,
    ContestState,
    MarkState,
    PageReading,
    Reason,
    TargetMeasures,
    TargetReading,
    UnreadablePage,
)
from scanner.counting.adjudication import Decision, SheetRecord, Verdict
from scanner.counting.page_order import PageOrder
from scanner.counting.records import (
    BatchRequest,
    BatchState,
    PageResult,
    PlannedPage,
    ScannedFile,
    StoredTarget,
)
from scanner.counting.store import Store
from scanner.errors import CountError, StorageError

NOON = datetime(2023, 10, 27, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "count", create=True) as opened:
        yield opened


def with_pages(store: Store, pages: int) -> int:
    """A batch of one file with some pages, planned and not read."""
    batch = store.begin_batch(BatchRequest(files=("a.pdf",)), "{}")
    store.add_file(ScannedFile(batch.id, 0, f"hash-{batch.id}", "a.pdf", "hash.pdf", pages))
    (file,) = store.files(batch.id)
    planned = [PlannedPage(n, file.id, n + 1, 1) for n in range(pages)]
    store.plan_pages(batch.id, planned)
    return batch.id


names = st.text(min_size=1, max_size=8)
shares = st.floats(0, 1)
some_reasons = st.lists(st.sampled_from(list(Reason)), unique=True, max_size=3).map(tuple)
evidence = st.dictionaries(names, shares | names, max_size=3)
targets = st.builds(
    TargetReading,
    contest=names,
    option=names,
    state=st.sampled_from(list(MarkState)),
    probability=shares,
    measures=st.builds(
        TargetMeasures, **dict.fromkeys(TargetMeasures.__dataclass_fields__, shares)
    ),
    reasons=some_reasons,
)
readings = st.builds(
    PageReading,
    form=names,
    form_hash=names,
    page=st.integers(1, 9),
    rotation=st.sampled_from([0, 90, 180, 270]),
    homography=st.tuples(*[st.floats(-1e6, 1e6)] * 9),
    targets=st.lists(targets, max_size=4).map(tuple),
    reasons=some_reasons,
    serial=st.none() | names,
    alternatives=st.lists(names, max_size=2).map(tuple),
    evidence=evidence,
)
refusals = st.builds(UnreadablePage, reason=st.sampled_from(list(Reason)), evidence=evidence)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(readings | refusals, min_size=1, max_size=3))
def test_what_was_read_comes_back_exactly(results: list[PageReading | UnreadablePage]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Store(Path(folder) / "count", create=True) as store,
    ):
        batch = with_pages(store, len(results))
        waiting = store.pages_to_read(batch, after=-1, limit=9)
        store.save_results(
            [
                PageResult(page.page, "image", result)
                for page, result in zip(waiting, results, strict=True)
            ]
        )
        assert [store.reading(page.page) for page in waiting] == results
        assert store.count_pages(batch) == (len(results), len(results))


@given(
    st.builds(
        BatchRequest,
        files=st.lists(names).map(tuple),
        fronts=st.lists(names).map(tuple),
        backs=st.lists(names).map(tuple),
        reversed_=st.booleans(),
        order=st.sampled_from(list(PageOrder)),
        forms=st.lists(names).map(tuple),
    )
)
def test_a_request_survives_the_database(request: BatchRequest) -> None:
    assert BatchRequest.from_json(request.to_json()) == request


def test_sheets_and_decisions_come_back_in_order(store: Store) -> None:
    batch = with_pages(store, 2)
    pages = [source.page for source in store.pages_to_read(batch, after=-1, limit=9)]
    contest = ContestReading("c1", ContestState.VOTED, ("o1",), (Reason.UNDERVOTE,))
    records = [
        SheetRecord(1, batch, "form", (Reason.PAGE_ORDER,), (contest,), "s-1"),
        SheetRecord(2, batch, None, (Reason.UNKNOWN_FORM,)),
    ]
    store.finish_batch(batch, zip(records, [[pages[0]], [pages[1]]], [[], []], strict=True))
    assert list(store.sheets()) == records
    assert store.sheet(2) == records[1]
    assert store.first_free_sheet() == 3
    assert [(sheet, source.number) for sheet, source in store.sources()] == [(1, 1), (2, 2)]

    made = [
        Decision(1, Verdict.OPTIONS, "Lan", "rõ", NOON, "c1", ("o1", "o2")),
        Decision(1, Verdict.REFUSE, "Minh", "phiếu lạ", NOON),
    ]
    for decision in made:
        store.add_decision(decision)
    assert store.decisions() == {1: made}


def test_the_sheets_of_a_batch_are_written_as_a_whole(store: Store) -> None:
    batch = with_pages(store, 2)
    (first, _second) = store.pages_to_read(batch, after=-1, limit=9)

    def broken() -> Iterator[tuple[SheetRecord, list[int], list[StoredTarget]]]:
        yield SheetRecord(1, batch, None, ()), [first.page], []
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError):
        store.finish_batch(batch, broken())
    assert list(store.sheets()) == []
    assert store.unfinished_batch() is not None


def test_a_batch_goes_through_its_states(store: Store) -> None:
    batch = store.begin_batch(BatchRequest(files=("a.pdf",)), "{}")
    assert store.unfinished_batch() == batch
    store.plan_pages(batch.id, [])
    (found,) = store.batches()
    assert found.state is BatchState.READING
    store.finish_batch(batch.id, [])
    assert store.unfinished_batch() is None


def test_papers_are_noted_and_a_figure_not_given_stays(store: Store) -> None:
    store.set_papers(issued=100, collected=38)
    store.set_papers(collected=37)
    info = store.info()
    assert (info.issued, info.collected) == (100, 37)
    assert [what for _at, what, _detail in store.events()] == ["papers", "papers"]


def test_a_page_belongs_to_a_file_that_is_there(store: Store) -> None:
    batch = store.begin_batch(BatchRequest(files=("a.pdf",)), "{}")
    with pytest.raises(CountError):
        store.plan_pages(batch.id, [PlannedPage(0, 77, 1, 1)])


def test_a_folder_without_a_count_is_named(tmp_path: Path) -> None:
    with pytest.raises(CountError, match="no count here") as caught:
        Store(tmp_path)
    assert caught.value.path == tmp_path
    assert "kiemphieu scan" in caught.value.remedy


def test_a_count_of_a_newer_program_is_left_alone(store: Store) -> None:
    with sqlite3.connect(store.folder / "count.db") as connection:
        connection.execute("UPDATE count SET schema = 99")
    connection.close()
    with pytest.raises(CountError, match="newer program"):
        Store(store.folder)


def test_a_database_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "count.db").write_bytes(b"no database at all, but long enough to look" * 40)
    with pytest.raises(CountError, match="damaged"):
        Store(tmp_path)


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        Store(tmp_path / "file" / "count", create=True)


def test_a_sheet_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(CountError, match="no sheet 7"):
        store.sheet(7)
