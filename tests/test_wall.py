"""The wall: every target once, the least sure first; who looked over which is on the record."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import count as numbers
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
import sqlalchemy as sa
from PIL import Image

from scanner.ballot import MarkState, Reason
from scanner.counting.adjudication import Verdict
from scanner.counting.journal import Action
from scanner.counting.people import Role
from scanner.counting.queue import Filter
from scanner.counting.store import Store
from scanner.counting.store_schema import wall_order
from scanner.counting.wall import CROPS_A_SCREEN, WALLS, Place, Wall, WallTarget, measure
from scanner.errors import BadArgumentsError
from scanner.publishing.cutting import Picture
from scanner.review.sprite import Grid, draw_sprite
from tests.fake_pages import make_form
from tests.review_client import Browser, Office, open_office
from tests.reviewed_counts import copy_count
from tests.stored_counts import LOOSE, change, ink, make_count, take_decision

EMPTY, CLEAR, WEAK = ink(0.001), ink(0.5), ink(0.11)


@pytest.fixture
def count(tmp_path: Path) -> Path:
    """41 sheets of one form, each with ink of its own, and one of another form."""
    form = make_form(tmp_path / "forms", "khao-sat")
    sheets = [
        ((ink(0.3 + n / 200), EMPTY, ink(n / 4000)), (EMPTY, CLEAR, EMPTY)) for n in range(41)
    ]
    other = make_form(tmp_path / "forms", "phieu-bau", pages=1)
    folder = make_count(tmp_path / "count", form, sheets)
    return make_count(folder, other, [((CLEAR, EMPTY, EMPTY),)])


def walk(count: Path, wall: Wall, step: int = 10, *, unseen: bool = False) -> list[WallTarget]:
    """All of a wall, screen by screen."""
    found: list[WallTarget] = []
    with Store(count) as store:
        while True:
            after = found[-1].at if found else None
            screen = store.wall_targets(wall, step, after=after, unseen=unseen)
            found += screen
            if len(screen) < step:
                return found


# --- the order ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", WALLS)
def test_a_wall_has_every_target_that_was_read_so_once_and_the_least_sure_first(
    count: Path, state: MarkState
) -> None:
    found = walk(count, Wall(state))
    with Store(count) as store:
        read = [box for box in store.boxes() if box.target.state is state]
    expected = sorted((box.sheet, box.target.contest, box.target.option) for box in read)
    assert sorted((one.sheet, one.contest, one.option) for one in found) == expected
    sure = [one.at.probability for one in found]
    assert sure == sorted(sure, reverse=state is MarkState.UNMARKED)
    assert len(set(sure)) < len(sure), "targets that are as sure as each other are told apart"


def test_a_wall_can_be_of_one_form_contest_and_option(count: Path) -> None:
    everything = walk(count, Wall(MarkState.UNMARKED))
    for asked in (
        ("khao-sat", None, None),
        ("khao-sat", "c1", None),
        ("khao-sat", "c1", "o3"),
        ("phieu-bau", "c1", "o3"),
    ):
        wall = Wall(MarkState.UNMARKED, *asked)
        kept = [one for one in everything if wall.has((one.form, one.contest, one.option))]
        assert walk(count, wall) == kept
        assert kept
    assert walk(count, Wall(MarkState.MARKED, "khao-sat", "c1", "o2")) == []


def test_there_is_no_wall_of_doubtful_targets() -> None:
    with pytest.raises(BadArgumentsError):
        Wall(MarkState.DOUBTFUL)


def test_a_place_is_written_so_that_it_is_found_again_to_the_last_digit() -> None:
    for probability in (0.1 + 0.2, 1.0, 0.0, 5e-324, 1 - 2**-53):
        place = Place(probability, 2**40, 19)
        assert Place.parse(str(place)) == place
    for text in ("", "1:2", "1:2:3:4", "nan:1:1", "-1:1:1", "1e999999:1:1", "1:-1:1", "1.0.0:1:1"):
        with pytest.raises(BadArgumentsError):
            Place.parse(text)


# --- what is entered ----------------------------------------------------------------------------


def test_a_screen_that_was_looked_over_is_on_the_record_and_in_the_progress(count: Path) -> None:
    wall = Wall(MarkState.MARKED, "khao-sat", "c1")
    first = walk(count, wall)[:30]
    with Store(count) as store:
        assert store.add_screen(wall, first, set(), "Minh") == 0
        assert store.add_screen(wall, first[:10], set(), "Lan") == 0
        done = measure(wall, store.wall_totals(wall.state), store.wall_seen(wall.state))
        assert (done.seen, done.total) == (30, 41)
        everything = Wall(MarkState.MARKED)
        done = measure(everything, store.wall_totals(wall.state), store.wall_seen(wall.state))
        assert (done.seen, done.total) == (30, 83)
        other = Wall(MarkState.MARKED, "khao-sat", "c2")
        assert measure(other, store.wall_totals(wall.state), store.wall_seen(wall.state)).seen == 0
        seen = store.seen_by(wall.state, first)
        assert [seen[one.spot] for one in first] == ["Lan"] * 10 + ["Minh"] * 20
        entries = [one for one in store.entries() if one.action is Action.SCREEN_CHECKED]
        assert [entry.who for entry in entries] == ["Minh", "Lan"]
        assert json.loads(entries[0].detail["row"]["targets"]) == [list(one.spot) for one in first]
        assert store.verify() == []
    assert walk(count, wall, unseen=True) == walk(count, wall)[30:]


def test_the_odd_ones_out_enter_the_queue_once(count: Path) -> None:
    wall = Wall(MarkState.MARKED)
    screen = walk(count, wall)[:20]
    odd = {screen[3].spot, screen[7].spot}
    with Store(count) as store:
        assert store.add_screen(wall, screen, odd, "Minh") == 2
        assert store.add_screen(wall, screen, odd, "Lan") == 0
        flags = [one for made in store.decisions().values() for one in made]
        assert [(one.verdict, one.by) for one in flags] == [(Verdict.FLAG, "Minh")] * 2
        assert {(one.sheet, one.contest, *one.options) for one in flags} == {
            (one.sheet, one.contest, one.option) for one in (screen[3], screen[7])
        }
        remarks = store.remarks(screen)
    assert [one.spot for one in screen if remarks[one.spot].is_flagged] == [
        screen[3].spot, screen[7].spot,
    ]  # fmt: skip


def test_a_target_that_a_person_decided_says_so_and_waits_no_more(count: Path) -> None:
    wall = Wall(MarkState.MARKED, "khao-sat", "c1")
    screen = walk(count, wall)[:3]
    with Store(count) as store:
        store.add_screen(wall, screen, {one.spot for one in screen}, "Minh")
    take_decision(count, screen[0].sheet, Verdict.BLANK, "c1")
    take_decision(count, screen[1].sheet, Verdict.REFUSE)
    with Store(count) as store:
        remarks = store.remarks(walk(count, wall)[:3])
        said = [remarks[one.spot] for one in screen]
        assert [(one.is_decided, one.is_flagged) for one in said] == [
            (True, False), (True, True), (False, True),
        ]  # fmt: skip


def test_what_other_limits_read_otherwise_was_not_looked_over_as_that(tmp_path: Path) -> None:
    form = make_form(tmp_path / "forms", "khao-sat", pages=1)
    fair = ink(0.13)
    count = make_count(tmp_path / "count", form, [((CLEAR, fair, EMPTY),)] * 3)
    before = walk(count, Wall(MarkState.MARKED))
    assert len(before) == 3
    with Store(count) as store:
        store.add_screen(Wall(MarkState.MARKED), before, set(), "Lan")
        totals = store.wall_totals(MarkState.MARKED)
        assert sum(totals.values()) == 3
    change(count, LOOSE)
    after = walk(count, Wall(MarkState.MARKED))
    assert len(after) == 6, "the limits read more as marked now"
    with Store(count) as store:
        assert sum(store.wall_totals(MarkState.MARKED).values()) == 6
        assert sum(store.wall_seen(MarkState.MARKED).values()) == 3


def test_totals_are_counted_anew_when_sheets_come_in(count: Path, tmp_path: Path) -> None:
    with Store(count) as store:
        before = sum(store.wall_totals(MarkState.MARKED).values())
        form = make_form(tmp_path / "more", "phieu-moi", pages=1)
        make_count(count, form, [((CLEAR, EMPTY, EMPTY),)])
        assert sum(store.wall_totals(MarkState.MARKED).values()) == before + 1


def test_an_older_count_gets_the_index_when_it_is_opened(count: Path) -> None:
    with Store(count) as store, store._write() as connection:
        wall_order.drop(connection)
        connection.execute(sa.text("UPDATE count SET schema = 2"))
    with Store(count) as store, store._write() as connection:
        names = {index["name"] for index in sa.inspect(connection).get_indexes("mark")}
        assert wall_order.name in names
        query = "EXPLAIN QUERY PLAN SELECT page FROM mark WHERE state = 'marked'"
        plan = connection.execute(sa.text(f"{query} ORDER BY probability, page, place")).all()
    assert str(wall_order.name) in plan[0].detail
    assert not any("TEMP B-TREE" in step.detail for step in plan), "nothing is sorted"


# --- the sprite ---------------------------------------------------------------------------------


def test_each_picture_lies_in_its_own_cell() -> None:
    def picture(gray: int, width: int) -> Picture:
        pixels = np.full((16, width, 1), gray, np.uint8)
        jpeg = simplejpeg.encode_jpeg(pixels, colorspace="GRAY", colorsubsampling="Gray")
        return Picture(jpeg, "", width, 16)

    grid = Grid(32, 16)
    pictures = [picture(10 * n, 32) for n in range(12)]
    pictures[1] = picture(200, 16)
    sprite = np.asarray(Image.open(io.BytesIO(draw_sprite([*pictures, None], grid))))
    assert sprite.shape == (32, 320)
    for number, place in zip((0, 2, 9, 10, 11), map(grid.place, (0, 2, 9, 10, 11)), strict=True):
        x, y = place
        assert abs(int(sprite[y + 8, x + 16]) - 10 * number) < 6
    assert abs(int(sprite[8, 48]) - 200) < 12, "a narrow picture lies in the middle"


# --- the page -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office(staffed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(copy_count(staffed, tmp_path_factory.mktemp("wall") / "count")) as opened:
        yield opened


@pytest.fixture(scope="module")
def reader(office: Office) -> Browser:
    return office.person(Role.READER)


def test_a_screen_shows_the_crops_of_its_targets_in_one_picture(
    office: Office, reader: Browser
) -> None:
    page = reader.get("/wall?state=marked&form=tth5_phuong").text
    targets = office.desk.store.wall_targets(Wall(MarkState.MARKED, "tth5_phuong"), 100)
    spots = [f"{page_id}.{place}" for page_id, place in (one.spot for one in targets)]
    assert page.count('class="crop') == len(targets) == CROPS_A_SCREEN
    at = [page.index(f'data-spot="{spot}"') for spot in spots]
    assert at == sorted(at), "the least sure first"
    answer = reader.ask(f"/wall/sprite?at={','.join(spots)}")
    assert answer.headers["content-type"] == "image/jpeg"
    sprite = Image.open(io.BytesIO(answer.content))
    assert sprite.size == (960, 960)
    some = office.desk.pictures.target_jpeg(
        targets[13].sheet, targets[13].contest, targets[13].option, height_px=96, masked=True
    )
    own = np.asarray(Image.open(io.BytesIO(some.jpeg)), int)
    cell = np.asarray(sprite, int)[96:192, 288:384]
    assert np.abs(cell - own).mean() < 4
    other = np.asarray(sprite, int)[96:192, 384:480]
    assert np.abs(other - own).mean() > 8, "another cell shows something else"


def test_a_reader_enters_a_screen_and_an_observer_cannot(office: Office, reader: Browser) -> None:
    targets = office.desk.store.wall_targets(Wall(MarkState.UNMARKED, "sxd_5muc"), 100)
    spots = [f"{page_id}.{place}" for page_id, place in (one.spot for one in targets)]
    body = {"state": "unmarked", "form": "sxd_5muc", "shown": spots, "odd": spots[4:6]}
    observer = office.person(Role.OBSERVER)
    assert observer.post("/wall/looked", body).status_code == 403
    assert "/wall/looked" not in observer.get("/wall").text
    reader.get("/wall")
    assert reader.post("/wall/looked", body).json() == {"flagged": 2}
    assert reader.ask("/wall/progress?state=unmarked&form=sxd_5muc").json()["seen"] == 100
    page = reader.get("/wall?state=unmarked&form=sxd_5muc").text
    assert page.count('class="crop waits"') == 2
    queue = office.desk.queue
    queue.catch_up()
    lan = next(one for one in office.desk.store.people() if one.role is Role.COMMITTEE)
    waiting = queue.doubts(Filter(reason=Reason.FLAGGED), lan)
    assert {one.place for one in waiting} == {(one.sheet, one.contest) for one in targets[4:6]}


@pytest.mark.parametrize(
    "change_",
    [
        {"odd": ["1.0"], "shown": ["1.1"]},
        {"shown": ["999999.1"]},
        {"state": "marked"},
        {"contest": "q1_1"},
    ],
)
def test_a_screen_that_is_not_what_the_machine_reads_is_refused_whole(
    office: Office, reader: Browser, change_: dict[str, object]
) -> None:
    targets = office.desk.store.wall_targets(Wall(MarkState.UNMARKED, "sxd_5muc", "q5"), 5)
    spots = [f"{page_id}.{place}" for page_id, place in (one.spot for one in targets)]
    before = office.desk.store.head()
    reader.get("/wall")
    whole = {"state": "unmarked", "form": "sxd_5muc", "contest": "q5", "shown": spots, "odd": []}
    assert reader.post("/wall/looked", whole | change_).status_code == 400
    assert office.desk.store.head() == before


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/wall?form=nix", 404),
        ("/wall?form=sxd_5muc&contest=nix", 404),
        ("/wall?form=sxd_5muc&contest=q5&option=nix", 404),
        ("/wall?state=doubtful", 422),
        ("/wall?after=nix", 400),
        ("/wall/sprite?at=1", 404),
        ("/wall/sprite?at=999999.0", 404),
        (f"/wall/sprite?at={'9' * 40}.0", 404),
        ("/wall/sprite?at=1.-1", 404),
        ("/wall/sprite?at=" + ",".join(["1.0"] * 101), 422),
    ],
)
def test_what_is_not_there_is_not_shown(reader: Browser, path: str, status: int) -> None:
    assert reader.get(path).status_code == status


def test_the_next_screen_goes_on_where_this_one_ended(office: Office, reader: Browser) -> None:
    address, seen = "/wall?state=unmarked", []
    for number in numbers(1):
        page = reader.get(address).text
        seen += [part.split('"')[0] for part in page.split('data-spot="')[1:]]
        data = json.loads(page.split('id="wall-data">')[1].split("</script>")[0])
        if not data["next"]:
            break
        address = data["next"]
        assert number < 20
    read = [one for one in office.desk.store.boxes() if one.target.state is MarkState.UNMARKED]
    assert len(seen) == len(set(seen)) == len(read)
