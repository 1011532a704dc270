"""The order of the pages told after the fact puts a finished batch together anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.ballot import SheetStatus
from scanner.counting import intake
from scanner.counting.adjudication import Decision, Verdict
from scanner.counting.intake import ScanOptions, ScanSummary, Stage, scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.page_order import PageOrder
from scanner.counting.records import BatchRequest
from scanner.counting.reorder import batches_without_order
from scanner.counting.results import decide, now, tally_count
from scanner.counting.store import Store
from scanner.counting.tally import Tally
from scanner.errors import BadArgumentsError, CountError
from tests.fake_pages import FakeFactory, draw_pile, make_form

FRONTS, BACKS = PageOrder.FRONTS_FIRST, PageOrder.BACKS_FIRST


class Desk:
    """A pile whose last page is missing, and a count to scan it into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_form(folder / "forms", "a-two")
        self.pile = draw_pile(folder / "in", 6)[:-1]

    def scan(
        self,
        *files: Path,
        order: PageOrder = PageOrder.LEARNED,
        count: str = "count",
        options: ScanOptions | None = None,
    ) -> ScanSummary:
        names = tuple(str(path) for path in files or self.pile)
        options = options or ScanOptions(make_reader=FakeFactory)
        request = BatchRequest(files=names, order=order)
        return scan(self.folder / count, request, self.folder / "forms", options)

    def tally(self, count: str = "count") -> Tally:
        with Store(self.folder / count) as store:
            return tally_count(store, load_kept_forms(store))

    def waiting_batches(self) -> list[int]:
        with Store(self.folder / "count") as store:
            return [batch.id for batch in batches_without_order(store)]

    def accept(self, sheet: int) -> None:
        with Store(self.folder / "count") as store:
            made = Decision(sheet, Verdict.ACCEPT, "Lan", "seen", now())
            decide(store, load_kept_forms(store), made)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_order_told_later_gives_what_the_order_told_at_once_gives(desk: Desk) -> None:
    before = desk.scan()
    assert before.statuses == {SheetStatus.IN_DOUBT: 6}
    assert before.needs_order == (1,)
    assert desk.waiting_batches() == [1]
    after = desk.scan(order=FRONTS)
    assert after.statuses == {SheetStatus.CLEAN: 5, SheetStatus.IN_DOUBT: 1}
    assert (after.reordered, after.needs_order, after.known) == ((1,), (), ())
    assert desk.waiting_batches() == []
    desk.scan(order=FRONTS, count="other")
    assert desk.tally() == desk.tally("other")


def test_no_page_is_read_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.scan()
    monkeypatch.setattr(intake, "read_pages", None)
    assert desk.scan(order=FRONTS).pages == 11


def test_an_order_that_was_told_wrong_can_be_told_again(desk: Desk) -> None:
    desk.scan(order=FRONTS)
    first = desk.tally()
    assert desk.scan(order=BACKS).reordered == (1,)
    assert desk.tally() != first
    desk.scan(order=FRONTS)
    assert desk.tally() == first


def test_files_are_known_by_what_is_in_them(desk: Desk) -> None:
    desk.scan()
    (desk.folder / "in").rename(desk.folder / "moved")
    moved = [desk.folder / "moved" / path.name for path in desk.pile]
    assert desk.scan(*moved, order=FRONTS).reordered == (1,)


def test_new_files_beside_known_ones_become_a_batch_of_their_own(desk: Desk) -> None:
    desk.scan(*desk.pile[:3])
    summary = desk.scan(order=FRONTS)
    assert summary.batches == (1, 2)
    assert summary.reordered == (1,)
    assert len(summary.known) == 3


def test_the_same_order_told_again_changes_nothing(desk: Desk) -> None:
    desk.scan(order=FRONTS)
    again = desk.scan(order=FRONTS)
    assert (again.reordered, len(again.known)) == ((), 11)


def test_without_an_order_known_files_stay_as_they_are(desk: Desk) -> None:
    desk.scan(order=FRONTS)
    before = desk.tally()
    assert desk.scan().reordered == ()
    assert desk.tally() == before


def test_a_decision_is_never_thrown_away(desk: Desk) -> None:
    desk.scan()
    desk.accept(2)
    before = desk.tally()
    with pytest.raises(CountError, match="decided on sheet 2") as caught:
        desk.scan(order=FRONTS)
    assert "new count" in caught.value.remedy
    assert desk.tally() == before


def test_of_several_batches_all_are_put_together_anew_or_none(desk: Desk) -> None:
    desk.scan(*desk.pile[:5])
    desk.scan(*desk.pile[5:])
    desk.accept(4)
    before = desk.tally()
    with pytest.raises(CountError):
        desk.scan(order=FRONTS)
    assert desk.tally() == before


def test_a_part_of_the_files_is_not_enough(desk: Desk) -> None:
    desk.scan()
    before = desk.tally()
    with pytest.raises(BadArgumentsError, match="together with others"):
        desk.scan(*desk.pile[:4], order=FRONTS)
    assert desk.tally() == before


def test_stopped_half_way_it_goes_on(desk: Desk) -> None:
    def stop(stage: Stage, done: int, _total: int) -> None:
        if stage is Stage.SHEETS and done == 3:
            raise KeyboardInterrupt

    desk.scan()
    with pytest.raises(KeyboardInterrupt):
        desk.scan(order=FRONTS, options=ScanOptions(make_reader=FakeFactory, progress=stop))
    desk.scan(order=FRONTS)
    desk.scan(order=FRONTS, count="other")
    assert desk.tally() == desk.tally("other")
