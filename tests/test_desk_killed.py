"""Killed in the middle of saves, fifty times: nothing that was acknowledged is lost or doubled.

Most of the times a process is killed that saves as fast as it can on the path that the server saves
on (``results.decide``); a few times it is the real server, with two people at it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx2 as httpx
import pytest

from scanner.counting.adjudication import Decision, Verdict
from scanner.counting.journal import Action
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.people import Role
from scanner.counting.queue import Queue
from scanner.counting.results import decide, now, tally_count
from scanner.counting.store import Store
from scanner.forms.template import Form
from tests.desk_counts import choose, draw_desk_form, make_desk_count
from tests.reviewed_counts import NAMES, PIN, SECOND_READER, add_people

ROOT = Path(__file__).parents[1]
KILLS_OF_SAVERS = 44
KILLS_OF_SERVERS = 6
SHEETS = 30
LONGEST_S = 60.0
WORK_MS = (2, 60)
"""So long a process saves before it is killed."""


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return draw_desk_form(tmp_path_factory.mktemp("killed"))


@pytest.fixture
def count(form: Form, tmp_path: Path) -> Path:
    made = make_desk_count(tmp_path / "count", form, choose(form, SHEETS))
    add_people(made)
    return made


def save_for_ever(count: Path, said: Path, name: str, seed: int) -> None:
    """Decide on anything, again and again, and write down what was acknowledged."""
    rng = random.Random(seed)
    with Store(count) as store, said.open("ab", buffering=0) as acknowledged:
        forms = load_kept_forms(store)
        for number in range(10**6):
            contest = rng.choice(forms[0].contests)
            option = rng.choice(contest.options).id
            sheet = rng.randint(1, SHEETS)
            token = f"{name}-{number}"
            made = Decision(sheet, Verdict.OPTIONS, "Lan", token, now(), contest.id, (option,))
            decide(store, forms, made)
            acknowledged.write(f"{token}\n".encode())


def kill(process: BaseProcess | subprocess.Popen[str]) -> None:
    """At once, with no time for anything."""
    assert process.pid is not None
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def acknowledged(said: Path) -> list[str]:
    """The tokens that were written down; half a line was never acknowledged."""
    text = said.read_text("utf-8") if said.exists() else ""
    return text[: text.rfind("\n") + 1].split()


@pytest.mark.slow
def test_of_what_was_saved_nothing_is_lost_or_doubled_by_a_kill(
    count: Path, tmp_path: Path
) -> None:
    said = tmp_path / "said.txt"
    kinds = multiprocessing.get_all_start_methods()
    context = (
        multiprocessing.get_context("forkserver")
        if "forkserver" in kinds
        else multiprocessing.get_context("spawn")
    )
    context.set_forkserver_preload(["scanner.counting.results", __name__])
    rng = random.Random(20261123)
    in_the_middle = 0
    for turn in range(KILLS_OF_SAVERS):
        before = len(acknowledged(said))
        process = context.Process(
            target=save_for_ever, args=(count, said, f"t{turn}", turn), daemon=True
        )
        process.start()
        deadline = time.monotonic() + LONGEST_S
        while len(acknowledged(said)) == before and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(rng.uniform(*WORK_MS) / 1000)
        in_the_middle += process.is_alive()
        kill(process)
        process.join(LONGEST_S)
    assert in_the_middle == KILLS_OF_SAVERS
    with Store(count) as store:
        made = [one.why for on_sheet in store.decisions().values() for one in on_sheet]
        entered = [
            entry.detail["row"]["why"]
            for entry in store.entries()
            if entry.action is Action.DECIDED
        ]
        assert store.verify() == []
        forms = load_kept_forms(store)
        assert Queue.load(store, forms).find((1, "q1")) is not None
        assert tally_count(store, forms).closes
    told = acknowledged(said)
    assert len(told) >= KILLS_OF_SAVERS
    assert Counter(made) == Counter(entered)
    assert max(Counter(made).values()) == 1
    assert {*told} <= {*made}
    # Each kill can leave one decision that was saved and not acknowledged any more.
    assert len({*made} - {*told}) <= KILLS_OF_SAVERS


# --- the real server --------------------------------------------------------------------------


@contextmanager
def serve(count: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program itself, and the address that lets a browser in; at the end it is killed."""
    command = [sys.executable, str(ROOT / "cli.py"), "review", str(count)]
    with subprocess.Popen(
        [*command, "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "KIEMPHIEU_LANG": "en"},
    ) as process:
        try:
            yield process, _address(process)
        finally:
            kill(process)
            process.wait(LONGEST_S)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    heard = ""
    for line in process.stdout:
        heard += line
        found = re.search(r"http://[^\s]+/enter/[^\s]+", heard)
        if found is not None:
            return found[0]
    raise AssertionError(heard)


class Clerk:
    """A person at the server, by the requests that the page sends.

    Args:
        address: That lets a browser in.
        name: Whose.
    """

    def __init__(self, address: str, name: str) -> None:
        base, _slash, _token = address.partition("/enter/")
        self._http = httpx.Client(base_url=base, headers={"Origin": base}, timeout=LONGEST_S)
        self._http.get(address)
        fields = {"csrf": self._csrf("/sign-in"), "name": name, "pin": PIN}
        assert self._http.post("/sign-in", data=fields).status_code == 303
        self._token = self._csrf("/desk")

    def __enter__(self) -> Clerk:
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def next(self) -> tuple[int, str] | None:
        """The doubt that the server leads to."""
        where = self._http.get("/desk/next").headers["location"]
        found = re.match(r"/desk/(\d+)/(\w+)", where)
        return (int(found[1]), found[2]) if found is not None else None

    def decide(self, place: tuple[int, str], option: str, known: int) -> bool:
        """Decide as the page does; whether the server says that it is saved."""
        html = self._http.get(f"/desk-part/{place[0]}/{place[1]}").json()["html"]
        crop = html.partition('data-crop="')[2].partition('"')[0]
        body = {"sheet": place[0], "contest": place[1], "verdict": "options"}
        answer = self._http.post(
            "/desk/decide",
            json=body | {"options": [option], "known": known, "crop": crop},
            headers={"X-CSRF-Token": self._token, "Accept": "application/json"},
        )
        return answer.status_code == 200 and bool(answer.json()["saved"])

    def _csrf(self, path: str) -> str:
        page = self._http.get(path, headers={"Accept": "text/html"}).text
        return page.partition('<meta name="csrf" content="')[2].partition('"')[0]


@pytest.mark.slow
def test_a_server_killed_in_the_middle_of_saves_loses_and_doubles_nothing(
    count: Path, form: Form
) -> None:
    saved: list[tuple[int, str]] = []
    tried: dict[str, tuple[int, str]] = {}
    rng = random.Random(5)

    def work(clerk: Clerk, name: str) -> None:
        with contextlib.suppress(httpx.TransportError), clerk:
            again = tried.get(name)
            while (place := again or clerk.next()) is not None:
                # What was not acknowledged before the kill is sent once more, as it was.
                tried[name], again = place, None
                if clerk.decide(place, _option_for(form, place), 0):
                    saved.append(place)
                del tried[name]

    for _kill in range(KILLS_OF_SERVERS):
        with serve(count) as (process, address):
            before = len(saved)
            workers = []
            for name in (NAMES[Role.READER], SECOND_READER):
                clerk = Clerk(address, name)
                address = _address(process)
                workers.append(threading.Thread(target=work, args=(clerk, name)))
            for worker in workers:
                worker.start()
            deadline = time.monotonic() + LONGEST_S
            while len(saved) < before + 3 and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(rng.uniform(*WORK_MS) / 1000)
        for worker in workers:
            worker.join(LONGEST_S)
    with Store(count) as store:
        made = [
            (one.sheet, one.contest or "", one.options)
            for on_sheet in store.decisions().values()
            for one in on_sheet
        ]
        assert store.verify() == []
    assert len(saved) >= 3 * KILLS_OF_SERVERS
    assert len(saved) == len({*saved})
    assert {(sheet, contest) for sheet, contest, _options in made} >= {*saved}
    assert max(Counter((sheet, contest) for sheet, contest, _o in made).values()) == 1
    assert all(options == (_option_for(form, (s, c)),) for s, c, options in made)


def _option_for(form: Form, place: tuple[int, str]) -> str:
    """What everybody decides on that contest, so that a decision sent twice is the same."""
    contest = form.contest(place[1])
    assert contest is not None
    return contest.options[place[0] % len(contest.options)].id
