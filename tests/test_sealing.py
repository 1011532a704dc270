"""A sealed count: whatever is done to its files shows, and nothing more is written to it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.counting import sealing
from scanner.counting.adjudication import Verdict
from scanner.counting.intake import scan
from scanner.counting.records import BatchRequest
from scanner.counting.signing import public_of
from scanner.counting.store import Store
from scanner.counting.verifying import check_sealed_tally, verify
from scanner.errors import BadArgumentsError, CountError, TallyMismatchError
from scanner.forms.template import Form
from scanner.publishing.sealed_tally import recount
from scanner.publishing.tally_json import check_tally, read_tally
from tests.decided_counts import say
from tests.fake_pages import make_form
from tests.sealed_counts import LAN, MINH, bytes_of, count_to_seal, seal_with
from tests.stored_counts import STRICT, change, plain

MANY = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return make_form(tmp_path_factory.mktemp("sealing") / "forms", "khao-sat")


@pytest.fixture(scope="module")
def ready(form: Form, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return count_to_seal(tmp_path_factory.mktemp("sealing") / "count", form)


@pytest.fixture(scope="module")
def sealed_once(ready: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed count that no test alters."""
    folder = Path(shutil.copytree(ready, tmp_path_factory.mktemp("sealed") / "count"))
    seal_with(folder, (LAN, MINH))
    return folder


@pytest.fixture
def count(sealed_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed_once, tmp_path / "count"))


def faults(folder: Path) -> str:
    verdict = verify(folder, recount=recount)
    assert verdict.holds is not bool(verdict.faults)
    return "\n".join(verdict.faults)


def sql(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / "count.db") as connection:
        connection.execute(statement)
    connection.close()


def test_a_sealed_count_holds_wherever_it_is_copied_to(count: Path, tmp_path: Path) -> None:
    verdict = verify(count, [public_of(LAN)], recount)
    assert verdict.holds, verdict.faults
    texts = [finding.text for finding in verdict.findings]
    assert any("byte for byte" in text for text in texts)
    assert "Counted anew from the database, the tally is the one that was sealed." in texts
    moved = Path(shutil.copytree(count, tmp_path / "elsewhere" / "another name"))
    assert verify(moved, recount=recount).holds


def test_to_verify_and_to_read_changes_nothing(count: Path) -> None:
    before = bytes_of(count)
    verify(count, recount=recount)
    plain(count)
    assert bytes_of(count) == before


@MANY
@given(data=st.data())
def test_any_altered_byte_is_found_and_its_file_named(
    sealed_once: Path, data: st.DataObject
) -> None:
    files = bytes_of(sealed_once)
    name = data.draw(st.sampled_from(sorted(name for name in files if files[name])))
    content = bytearray(files[name])
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path = sealed_once / name
    try:
        path.write_bytes(content)
        assert name in faults(sealed_once)
    finally:
        path.write_bytes(files[name])


@MANY
@given(data=st.data())
def test_any_altered_byte_of_a_mailed_tally_is_found(
    sealed_once: Path, data: st.DataObject
) -> None:
    text = (sealed_once / "exports" / "tally.json").read_bytes()
    content = bytearray(text)
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path = sealed_once.with_name("mailed.json")
    path.write_bytes(content)
    with pytest.raises(TallyMismatchError):
        check_sealed_tally(path, [public_of(LAN)])


def test_every_byte_of_the_seal_itself_counts(sealed_once: Path) -> None:
    path = sealed_once.with_name("seal.json")
    text = (sealed_once / "seal.json").read_bytes()
    for place in range(0, len(text), 7):
        path.write_bytes(text[:place] + bytes([text[place] ^ 0x20]) + text[place + 1 :])
        assert not verify(path).holds, text[place - 10 : place + 10]
    for spaced in (text + b"\n", text.replace(b":", b": ", 1), b" " + text):
        path.write_bytes(spaced)
        assert not verify(path).holds


def test_a_file_that_is_missing_or_added_is_named(count: Path) -> None:
    (count / "images" / "a.pdf").rename(count / "images" / "b.pdf")
    assert faults(count) == "Missing: images/a.pdf\nAdded: images/b.pdf"


def test_a_link_in_the_place_of_a_file_is_named(count: Path, tmp_path: Path) -> None:
    scan_file = count / "images" / "a.pdf"
    other = Path(shutil.move(scan_file, tmp_path / "a.pdf"))
    try:
        scan_file.symlink_to(other)
    except OSError:
        pytest.skip("this system allows no links")
    assert faults(count) == "Changed: images/a.pdf"


def test_what_lies_beside_the_database_and_would_be_read_with_it_is_named(count: Path) -> None:
    (count / "count.db-wal").write_bytes(b"")
    (count / "count.lock").write_bytes(b"")
    assert faults(count) == ""
    (count / "count.db-wal").write_bytes(b"pages to be read instead")
    assert "Added: count.db-wal" in faults(count)


def test_a_later_export_is_mentioned_and_breaks_nothing(count: Path) -> None:
    (count / "exports" / "minutes.docx").write_bytes(b"the number of the seal")
    verdict = verify(count, recount=recount)
    assert verdict.holds, verdict.faults
    assert "Written later, and not sealed: exports/minutes.docx" in [
        finding.text for finding in verdict.findings
    ]


def test_an_export_is_not_written_over_a_sealed_file(count: Path) -> None:
    sealing.keep_sealed(count, count / "exports" / "minutes.docx")
    sealing.keep_sealed(count, count.parent / "tally.json")
    for name in ("exports/tally.json", "images/new.pdf", "seal.json"):
        with pytest.raises(CountError, match="is part of it"):
            sealing.keep_sealed(count, count / name)


def test_the_entry_of_the_record_that_was_altered_is_named(count: Path) -> None:
    sql(count, "UPDATE journal SET who = 'Lan' WHERE number = 4")
    assert "count.db: Entry 4 of the record was altered." in faults(count)
    assert "Changed: count.db" in faults(count)


def test_figures_altered_outside_the_record_show_in_the_tally(count: Path) -> None:
    sql(count, "UPDATE contest_reading SET marked = '[\"o3\"]' WHERE sheet = 1 AND contest = 'c1'")
    assert "count.db: Counted anew from the database, the tally is another" in faults(count)


def test_a_database_that_is_none_any_more_is_said_to_be_so(count: Path) -> None:
    (count / "count.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert "Changed: count.db" in faults(count)
    assert "count.db: " in faults(count)


def test_a_count_sealed_anew_by_another_key_is_found_by_the_trusted_one(
    ready: Path, tmp_path: Path
) -> None:
    forged = Path(shutil.copytree(ready, tmp_path / "count"))
    seal_with(forged, (MINH,))
    assert verify(forged, recount=recount).holds
    verdict = verify(forged, [public_of(LAN)], recount)
    assert not verdict.holds
    assert "which is trusted, has not signed it" in verdict.faults[0]
    with pytest.raises(TallyMismatchError, match="has not signed it"):
        check_sealed_tally(forged / "exports" / "tally.json", [public_of(LAN)])


def test_a_seal_that_was_taken_away_is_missed(count: Path) -> None:
    (count / "seal.json").unlink()
    assert "Missing: seal.json" in faults(count)
    with Store(count) as store, pytest.raises(CountError, match="is sealed"):
        store.set_papers(issued=9)


def test_a_seal_of_a_count_passes_for_no_tally(count: Path) -> None:
    with pytest.raises(TallyMismatchError, match="no tally"):
        check_sealed_tally(count / "seal.json")


def test_a_sealed_tally_is_a_tally(count: Path) -> None:
    path = count / "exports" / "tally.json"
    assert [signer.holds for signer in check_sealed_tally(path)] == [True, True]
    assert read_tally(path).sheets.clean == 4
    stranger = path.with_name("plain.json")
    stranger.write_text("{}", encoding="utf-8")
    assert check_sealed_tally(stranger) == ()
    with pytest.raises(TallyMismatchError, match="is not sealed"):
        check_sealed_tally(stranger, [public_of(LAN)])


def test_nothing_more_is_written_to_a_sealed_count(count: Path, form: Form) -> None:
    before = bytes_of(count)
    new = count.parent / "new.pdf"
    new.write_bytes(b"%PDF-1.7")
    with Store(count) as store:
        for write in (
            lambda: store.set_papers(issued=6),
            lambda: say(store, 1, Verdict.BLANK, "c1"),
            lambda: store.check_pin("Hoa", "4711"),
            store.refuse_if_sealed,
        ):
            with pytest.raises(CountError, match="sealed: nothing more"):
                write()
    with pytest.raises(CountError, match="sealed: nothing more"):
        scan(count, BatchRequest(files=(str(new),)), form.folder.parent)
    with pytest.raises(CountError, match="sealed: nothing more"):
        change(count, STRICT)
    with pytest.raises(CountError, match="sealed already"):
        seal_with(count)
    assert bytes_of(count) == before


def test_a_count_is_opened_again_on_the_record_and_sealed_anew(count: Path) -> None:
    former = (count / "seal.json").read_bytes()
    with Store(count) as store:
        with pytest.raises(BadArgumentsError):
            sealing.open_again(store, "Hoa", " ")
        sealing.open_again(store, "Hoa", "đếm lại")
        (last,) = store.latest_entries(1, before=None)
        assert (last.who, "đếm lại" in last.detail["row"]["detail"]) == ("Hoa", True)
        with pytest.raises(CountError, match="is not sealed"):
            sealing.open_again(store, "Hoa", "đếm lại")
        store.set_papers(issued=6)
    (kept,) = (count / "seals").iterdir()
    assert kept.read_bytes() == former
    assert "Missing: seal.json" in faults(count)
    seal_with(count)
    assert faults(count) == ""


def test_a_count_that_is_not_final_is_not_sealed(ready: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ready, tmp_path / "count"))
    with Store(folder) as store:
        store.set_papers(collected=7)
        entries = store.head()
    with pytest.raises(CountError, match="not final"):
        seal_with(folder)
    with Store(folder) as store:
        assert store.head() == entries


def test_a_record_that_is_not_whole_is_not_sealed(ready: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ready, tmp_path / "count"))
    sql(folder, "DELETE FROM journal WHERE number = 3")
    with pytest.raises(CountError, match="entries are missing"):
        seal_with(folder)


def test_sealing_that_was_stopped_half_way_is_finished_by_the_same_command(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(ready, tmp_path / "count"))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(sealing, "list_files", stop)
        seal_with(folder)
    with Store(folder) as store, pytest.raises(CountError, match="is sealed"):
        store.set_papers(issued=6)
    seal_with(folder)
    assert faults(folder) == ""


def test_what_another_program_has_just_written_is_sealed_with_it(
    ready: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(ready, tmp_path / "count"))
    with Store(folder) as other:
        other.set_papers(issued=8)
        sealed = seal_with(folder)
        assert sealed.data["tally"]["sheets"]["issued"] == 8
    assert faults(folder) == ""


def test_the_sealed_tally_keeps_to_its_schema(count: Path) -> None:
    check_tally(json.loads((count / "exports" / "tally.json").read_bytes()))
