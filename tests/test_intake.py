"""Batches from files to sheets: every page comes out, whatever happens to it."""

from __future__ import annotations

import errno
import hashlib
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from scanner.ballot import Reason, SheetStatus
from scanner.counting.intake import ScanOptions, ScanSummary, Stage, scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.page_order import PageOrder
from scanner.counting.records import BatchRequest
from scanner.counting.results import final_records, tally_count
from scanner.counting.store import Store
from scanner.counting.tally import Tally
from scanner.errors import CountError, FormError, InputError, KiemPhieuError, StorageError
from tests.fake_pages import (
    BLANK,
    CRASH,
    DEADLY,
    ENDLESS,
    UNKNOWN,
    FakeFactory,
    draw_page,
    draw_pile,
    make_form,
)

FAKE = ScanOptions(make_reader=FakeFactory)
FAKE_POOL = ScanOptions(jobs=2, make_reader=FakeFactory)


@pytest.fixture
def forms_folder(tmp_path: Path) -> Path:
    make_form(tmp_path / "forms", "a-two")
    make_form(tmp_path / "forms", "b-one", pages=1)
    return tmp_path / "forms"


def request(*paths: Path, order: PageOrder = PageOrder.LEARNED) -> BatchRequest:
    return BatchRequest(files=tuple(map(str, paths)), order=order)


def tally(count: Path) -> Tally:
    with Store(count) as store:
        return tally_count(store, load_kept_forms(store))


def reasons(count: Path) -> list[tuple[Reason, ...]]:
    with Store(count) as store:
        return [record.reasons for record in store.sheets()]


def test_every_page_becomes_part_of_a_sheet_and_every_vote_counts(
    tmp_path: Path, forms_folder: Path
) -> None:
    pile = draw_pile(tmp_path / "in", 6)
    summary = scan(tmp_path / "count", request(*pile), forms_folder, FAKE)
    assert (summary.pages, summary.sheets) == (12, 6)
    assert summary.statuses == {SheetStatus.CLEAN: 6}
    sums = tally(tmp_path / "count").forms[0].contests
    assert [contest.options for contest in sums] == [{"o1": 2, "o2": 2, "o3": 2}] * 2


def test_several_processes_find_what_one_finds(tmp_path: Path, forms_folder: Path) -> None:
    pile = draw_pile(tmp_path / "in", 12)
    pile.insert(5, draw_page(tmp_path / "in" / "strange.png", UNKNOWN, 1))
    for name, options in (("one", FAKE), ("two", FAKE_POOL)):
        scan(tmp_path / name, request(*pile), forms_folder, options)
    assert tally(tmp_path / "one") == tally(tmp_path / "two")
    assert reasons(tmp_path / "one") == reasons(tmp_path / "two")


def test_sheets_are_numbered_in_scan_order_and_on_through_batches(
    tmp_path: Path, forms_folder: Path
) -> None:
    first, second = draw_pile(tmp_path / "in", 4)[:4], draw_pile(tmp_path / "in", 4)[4:]
    scan(tmp_path / "count", request(*first), forms_folder, FAKE)
    scan(tmp_path / "count", request(*second), forms_folder, FAKE)
    with Store(tmp_path / "count") as store:
        found = [(record.sheet, record.batch) for record in store.sheets()]
        files = [Path(source.name).name for _, source in store.sources()]
    assert found == [(1, 1), (2, 1), (3, 2), (4, 2)]
    assert files == [path.name for path in (*first, *second)]


def test_the_same_file_is_noticed_and_not_counted_twice(tmp_path: Path, forms_folder: Path) -> None:
    pile = draw_pile(tmp_path / "in", 3)
    copy = tmp_path / "in" / "copy.png"
    copy.write_bytes(pile[0].read_bytes())
    summary = scan(tmp_path / "count", request(*pile, copy), forms_folder, FAKE)
    assert summary.known == ((str(copy), str(pile[0])),)
    before = tally(tmp_path / "count")
    again = scan(tmp_path / "count", request(*pile), forms_folder, FAKE)
    assert (again.pages, len(again.known)) == (0, 6)
    assert tally(tmp_path / "count") == before


def test_the_same_image_in_another_file_puts_the_later_sheet_in_doubt(
    tmp_path: Path, forms_folder: Path
) -> None:
    page = draw_page(tmp_path / "in" / "a.png", 1, 1, [1, 0, 0])
    twin = tmp_path / "in" / "b.png"
    twin.write_bytes(page.read_bytes() + b"\0")
    scan(tmp_path / "count", request(page, twin), forms_folder, FAKE)
    assert reasons(tmp_path / "count") == [(), (Reason.SAME_IMAGE,)]


def test_pages_that_are_not_counted_are_listed_with_their_reason(
    tmp_path: Path, forms_folder: Path
) -> None:
    folder = tmp_path / "in"
    pile = draw_pile(folder, 2)
    (folder / "text.jpg").write_text("not a picture")
    (folder / "empty.pdf").write_bytes(b"")
    strange = [
        draw_page(folder / "x.png", UNKNOWN, 1),
        draw_page(folder / "y.png", BLANK, 1),
        folder / "text.jpg",
        folder / "empty.pdf",
    ]
    summary = scan(tmp_path / "count", request(*pile, *strange), forms_folder, FAKE)
    assert summary.statuses == {SheetStatus.CLEAN: 2, SheetStatus.REFUSED: 4}
    assert [(Path(r.file).name, r.number, r.result.reason) for r in summary.refusals] == [
        ("x.png", 1, Reason.UNKNOWN_FORM),
        ("y.png", 1, Reason.BLANK_PAGE),
        ("text.jpg", 0, Reason.UNREADABLE_FILE),
        ("empty.pdf", 0, Reason.UNREADABLE_FILE),
    ]
    assert all(refusal.result.evidence for refusal in summary.refusals)


@pytest.mark.parametrize("options", [FAKE, FAKE_POOL], ids=["one process", "two processes"])
def test_a_page_that_trips_the_program_does_not_stop_the_others(
    tmp_path: Path, forms_folder: Path, options: ScanOptions
) -> None:
    pile = draw_pile(tmp_path / "in", 3)
    pile.insert(2, draw_page(tmp_path / "in" / "trip.png", CRASH, 1))
    summary = scan(tmp_path / "count", request(*pile), forms_folder, options)
    assert summary.statuses == {SheetStatus.CLEAN: 3, SheetStatus.REFUSED: 1}
    assert "ZeroDivisionError" in str(summary.refusals[0].result.evidence["error"])


def test_a_page_that_kills_its_process_does_not_stop_the_others(
    tmp_path: Path, forms_folder: Path
) -> None:
    pile = draw_pile(tmp_path / "in", 10)
    pile.insert(2, draw_page(tmp_path / "in" / "deadly.png", DEADLY, 1))
    summary = scan(tmp_path / "count", request(*pile), forms_folder, FAKE_POOL)
    assert summary.statuses == {SheetStatus.CLEAN: 10, SheetStatus.REFUSED: 1}
    assert summary.refusals[0].result.evidence == {"error": "the reading process died"}


def test_a_page_that_is_never_done_does_not_stop_the_others(
    tmp_path: Path, forms_folder: Path
) -> None:
    pile = draw_pile(tmp_path / "in", 6)
    pile.insert(2, draw_page(tmp_path / "in" / "endless.png", ENDLESS, 1))
    options = ScanOptions(jobs=2, longest_page_s=1, make_reader=FakeFactory)
    summary = scan(tmp_path / "count", request(*pile), forms_folder, options)
    assert summary.statuses == {SheetStatus.CLEAN: 6, SheetStatus.REFUSED: 1}
    assert summary.refusals[0].result.evidence == {"error": "no end after 1 s"}


def test_processes_that_always_die_end_the_scan_and_lose_nothing(
    tmp_path: Path, forms_folder: Path
) -> None:
    pile = [draw_page(tmp_path / "in" / f"{n}.png", DEADLY, 1, voter=n) for n in range(4)]
    with pytest.raises(KiemPhieuError, match="keep dying"):
        scan(tmp_path / "count", request(*pile), forms_folder, FAKE_POOL)
    with Store(tmp_path / "count") as store:
        assert store.count_pages(1) == (4, 2)


@pytest.mark.parametrize(
    "fault",
    [PermissionError(errno.EACCES, "Permission denied"), NotImplementedError("no semaphores")],
    ids=["no right", "no semaphores"],
)
@pytest.mark.parametrize("when", ["__init__", "submit"])
def test_where_no_process_can_be_started_one_reads_every_page(
    tmp_path: Path,
    forms_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    when: str,
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise fault

    monkeypatch.setattr(ProcessPoolExecutor, when, refuse)
    pile = draw_pile(tmp_path / "in", 7)
    notes: list[str] = []
    options = ScanOptions(jobs=2, note=notes.append, make_reader=FakeFactory)
    summary = scan(tmp_path / "count", request(*pile), forms_folder, options)
    assert summary.statuses == {SheetStatus.CLEAN: 7}
    (note,) = notes
    assert "One process reads all pages" in note
    assert str(getattr(fault, "strerror", None) or fault) in note


def test_a_page_that_killed_its_process_is_never_read_by_the_one_that_writes(
    tmp_path: Path, forms_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = ProcessPoolExecutor.__init__
    started: list[int] = []

    def start_once(*arguments: object, **options: object) -> None:
        if started:
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        started.append(1)
        start(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(ProcessPoolExecutor, "__init__", start_once)
    pile = [draw_page(tmp_path / "in" / "deadly.png", DEADLY, 1)]
    with pytest.raises(KiemPhieuError, match="No process can be started"):
        scan(tmp_path / "count", request(*pile), forms_folder, FAKE_POOL)


def test_a_missing_back_is_found_and_the_other_sheets_stand(
    tmp_path: Path, forms_folder: Path
) -> None:
    pile = draw_pile(tmp_path / "in", 8)
    del pile[5]
    summary = scan(tmp_path / "count", request(*pile), forms_folder, FAKE)
    assert summary.statuses == {SheetStatus.CLEAN: 6, SheetStatus.IN_DOUBT: 2}
    assert reasons(tmp_path / "count")[2:4] == [
        (Reason.PAGE_MISSING, Reason.PAGE_ORDER),
        (Reason.PAGE_ORDER,),
    ]


def sides(pile: list[Path]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(map(str, pile[0::2])), tuple(map(str, pile[1::2]))


def test_fronts_and_backs_from_a_one_sided_feeder_become_sheets(
    tmp_path: Path, forms_folder: Path
) -> None:
    fronts, backs = sides(draw_pile(tmp_path / "in", 5))
    wanted = BatchRequest(fronts=fronts, backs=backs[::-1], reversed_=True)
    summary = scan(tmp_path / "count", wanted, forms_folder, FAKE)
    assert summary.statuses == {SheetStatus.CLEAN: 5}
    with Store(tmp_path / "count") as store:
        pairs: dict[int, set[str]] = {}
        for sheet, source in store.sources():
            pairs.setdefault(sheet, set()).add(Path(source.name).name[:3])
    assert all(len(voters) == 1 for voters in pairs.values())


def test_where_a_side_has_a_page_less_no_pair_is_trusted(
    tmp_path: Path, forms_folder: Path
) -> None:
    fronts, backs = sides(draw_pile(tmp_path / "in", 5))
    wanted = BatchRequest(fronts=fronts, backs=backs[:2] + backs[3:])
    summary = scan(tmp_path / "count", wanted, forms_folder, FAKE)
    assert SheetStatus.CLEAN not in summary.statuses
    assert all(Reason.PAGE_ORDER in found for found in reasons(tmp_path / "count"))


def test_a_count_keeps_the_forms_it_began_with(tmp_path: Path, forms_folder: Path) -> None:
    pile = draw_pile(tmp_path / "in", 2)
    scan(tmp_path / "count", request(*pile[:2]), forms_folder, FAKE)
    changed = forms_folder / "a-two" / "form.yaml"
    changed.write_text(changed.read_text("utf-8").replace("Câu 1", "Câu một"), "utf-8")
    with pytest.raises(CountError, match="has changed") as caught:
        scan(tmp_path / "count", request(*pile[2:]), forms_folder, FAKE)
    assert "new count" in caught.value.remedy
    with Store(tmp_path / "count") as store:
        assert load_kept_forms(store)[0].contests[0].title == "Câu 1"


def test_a_count_can_be_carried_away_from_the_registered_forms(
    tmp_path: Path, forms_folder: Path
) -> None:
    pile = draw_pile(tmp_path / "in", 2)
    scan(tmp_path / "count", request(*pile[:2]), forms_folder, FAKE)
    (tmp_path / "count").rename(tmp_path / "elsewhere")
    forms_folder.rename(tmp_path / "gone")
    summary = scan(tmp_path / "elsewhere", request(*pile[2:]), forms_folder, FAKE)
    assert summary.statuses == {SheetStatus.CLEAN: 1}


def test_a_changed_copy_of_a_form_is_noticed(tmp_path: Path, forms_folder: Path) -> None:
    pile = draw_pile(tmp_path / "in", 1)
    scan(tmp_path / "count", request(*pile), forms_folder, FAKE)
    blank = next((tmp_path / "count" / "forms").glob("a-two-*/page-1.png"))
    blank.write_bytes(blank.read_bytes() + b"\0")
    with Store(tmp_path / "count") as store, pytest.raises(CountError, match="has been changed"):
        load_kept_forms(store)


def test_without_a_form_nothing_is_scanned(tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    page = draw_page(tmp_path / "a.png", 0, 1)
    with pytest.raises(FormError, match="No form is registered"):
        scan(tmp_path / "count", request(page), tmp_path / "forms", FAKE)


def test_two_scans_into_one_count_at_once_are_refused(tmp_path: Path, forms_folder: Path) -> None:
    page = draw_page(tmp_path / "a.png", 1, 1)
    with (
        Store(tmp_path / "count", create=True) as store,
        store.exclusive(),
        pytest.raises(CountError, match="Another scan"),
    ):
        scan(tmp_path / "count", request(page), forms_folder, FAKE)


class Stop(KeyboardInterrupt):
    """Ctrl-C at a chosen moment."""


def stopping_at(stage: Stage, done: int) -> ScanOptions:
    def tell(now: Stage, finished: int, _total: int) -> None:
        if now is stage and finished == done:
            raise Stop

    return ScanOptions(make_reader=FakeFactory, progress=tell)


@pytest.mark.parametrize("stage", list(Stage))
def test_a_scan_that_was_stopped_goes_on_and_ends_like_any_other(
    tmp_path: Path, forms_folder: Path, stage: Stage
) -> None:
    pile = draw_pile(tmp_path / "in", 6)
    with pytest.raises(Stop):
        scan(tmp_path / "count", request(*pile), forms_folder, stopping_at(stage, 3))
    summary = scan(tmp_path / "count", request(*pile), forms_folder, FAKE)
    scan(tmp_path / "other", request(*pile), forms_folder, FAKE)
    assert summary.resumed
    assert tally(tmp_path / "count") == tally(tmp_path / "other")


def test_pages_read_before_a_stop_are_not_read_again(tmp_path: Path, forms_folder: Path) -> None:
    pile = draw_pile(tmp_path / "in", 6)
    with pytest.raises(Stop):
        scan(tmp_path / "count", request(*pile), forms_folder, stopping_at(Stage.PAGES, 7))
    with Store(tmp_path / "count") as store:
        assert store.count_pages(1) == (12, 7)


def test_other_files_can_be_named_after_a_stop(tmp_path: Path, forms_folder: Path) -> None:
    pile = draw_pile(tmp_path / "in", 6)
    with pytest.raises(Stop):
        scan(tmp_path / "count", request(*pile[:8]), forms_folder, stopping_at(Stage.PAGES, 2))
    summary = scan(tmp_path / "count", request(*pile[8:]), forms_folder, FAKE)
    assert summary.batches == (1, 2)
    assert tally(tmp_path / "count").clean == 6


def test_without_files_a_stopped_scan_is_finished(tmp_path: Path, forms_folder: Path) -> None:
    pile = draw_pile(tmp_path / "in", 3)
    with pytest.raises(Stop):
        scan(tmp_path / "count", request(*pile), forms_folder, stopping_at(Stage.FILES, 4))
    summary = scan(tmp_path / "count", BatchRequest(), forms_folder, FAKE)
    assert summary.statuses == {SheetStatus.CLEAN: 3}


def test_a_file_that_is_gone_is_named_and_can_be_put_back(
    tmp_path: Path, forms_folder: Path
) -> None:
    pile = draw_pile(tmp_path / "in", 2)
    data = pile[2].read_bytes()
    pile[2].unlink()
    with pytest.raises(InputError, match="cannot be opened") as caught:
        scan(tmp_path / "count", request(*pile), forms_folder, FAKE)
    assert caught.value.path == pile[2]
    pile[2].write_bytes(data)
    summary = scan(tmp_path / "count", request(*pile), forms_folder, FAKE)
    assert summary.statuses == {SheetStatus.CLEAN: 2}


def test_a_full_disk_stops_the_scan_and_loses_nothing(
    tmp_path: Path, forms_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pile = draw_pile(tmp_path / "in", 4)
    real, calls = os.fsync, [0]

    def fsync(handle: int) -> None:
        calls[0] += 1
        if calls[0] == 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageError, match="No space left") as caught:
        scan(tmp_path / "count", request(*pile), forms_folder, FAKE)
    assert "space" in caught.value.remedy
    monkeypatch.setattr(os, "fsync", real)
    summary = scan(tmp_path / "count", request(*pile), forms_folder, FAKE)
    assert summary.statuses == {SheetStatus.CLEAN: 4}
    assert not list((tmp_path / "count" / "images").glob("*.part"))


def test_originals_are_kept_unchanged_under_their_hash(tmp_path: Path, forms_folder: Path) -> None:
    pile = draw_pile(tmp_path / "in", 2)
    scan(tmp_path / "count", request(*pile), forms_folder, FAKE)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "count" / "images").iterdir()}
    assert set(kept.values()) == {path.read_bytes() for path in pile}
    assert all(name == f"{hashlib.sha256(data).hexdigest()}.png" for name, data in kept.items())


def test_progress_is_told_for_every_stage(tmp_path: Path, forms_folder: Path) -> None:
    told: list[tuple[Stage, int, int]] = []
    options = ScanOptions(make_reader=FakeFactory, progress=lambda *news: told.append(news))
    scan(tmp_path / "count", request(*draw_pile(tmp_path / "in", 2)), forms_folder, options)
    assert [news for news in told if news[1] == news[2]] == [
        (Stage.FILES, 4, 4),
        (Stage.PAGES, 4, 4),
        (Stage.SHEETS, 2, 2),
    ]


def test_an_unclear_mark_puts_its_contest_in_doubt(tmp_path: Path, forms_folder: Path) -> None:
    page = draw_page(tmp_path / "a.png", 1, 1, [1, 2, 0])
    summary: ScanSummary = scan(tmp_path / "count", request(page), forms_folder, FAKE)
    assert summary.statuses == {SheetStatus.IN_DOUBT: 1}
    assert summary.reasons == {Reason.UNCLEAR_MARK: 1}
    with Store(tmp_path / "count") as store:
        (final,) = final_records(store, load_kept_forms(store))
    assert final.votes[0].options == ()
