"""A real browser at a real server on a really scanned count.

``signed_in(page, role)`` is how most tests begin. Whatever a page says against its own rules, an
error of a script or a forbidden style, fails the test.

What a click, a key or a request leads to comes when it comes. A test waits for it before it leaves
the page, asks for what does not wait (a count, a text, the store), or uses what a script does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import uvicorn
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from scanner.counting.people import Role
from scanner.review.app import create_app
from scanner.review.context import Desk
from scanner.review.security import Guard
from scanner.review.server import configure, listen, open_desk
from tests.reviewed_counts import NAMES, PIN, copy_count

DESKTOP: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 30_000
CHROMIUM = os.environ.get("KIEMPHIEU_CHROMIUM") or shutil.which("chromium")

SignIn = Callable[..., Page]

expect.set_options(timeout=PATIENCE_MS)


@cache
def can_drive() -> bool:
    """Whether what drives the browser runs here: it needs a library that small systems lack."""
    node, _script = compute_driver_executable()
    return subprocess.run([node, "--version"], capture_output=True, check=False).returncode == 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser; where there is none it is skipped, and says so."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None or not can_drive():
                item.add_marker(pytest.mark.skip(reason="no Chromium: './run test' installs it"))


@dataclass(frozen=True)
class Review:
    """A running server."""

    desk: Desk
    guard: Guard

    @property
    def folder(self) -> Path:
        """The count that it serves."""
        return self.desk.folder

    @property
    def address(self) -> str:
        """Without a slash at the end."""
        return self.guard.base_address()

    def url(self, path: str) -> str:
        """The address of a page."""
        return f"{self.address}{path}"


@contextmanager
def serve(count: Path) -> Iterator[Review]:
    """Serve a count at a free port until the block ends."""
    with listen("127.0.0.1", 0) as listener, open_desk(count) as desk:
        guard = Guard("127.0.0.1", listener.getsockname()[1])
        server = uvicorn.Server(configure(create_app(desk, guard)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield Review(desk, guard)
        finally:
            server.should_exit = True
            thread.join(timeout=20)


@pytest.fixture
def count(staffed: Path, tmp_path: Path) -> Path:
    """A count with people, for this test alone."""
    return copy_count(staffed, tmp_path / "count")


@pytest.fixture
def review(count: Path) -> Iterator[Review]:
    """A server on that count."""
    with serve(count) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Makes pages, each in a browser of its own; what they say against their rules is a fault."""
    faults: list[str] = []
    contexts = []

    def make(viewport: ViewportSize = DESKTOP, locale: str = "en-GB") -> Page:
        context = chromium.new_context(viewport=viewport, locale=locale)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.extend(_fault(message)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page as wide as an office screen, in English."""
    return new_page()


@pytest.fixture
def signed_in(review: Review) -> SignIn:
    """Signs a person in at a page: ``signed_in(page, Role.READER)``, or a name."""

    def sign_in(page: Page, role: Role | str = Role.COMMITTEE) -> Page:
        return sign_in_at(page, review, NAMES[role] if isinstance(role, Role) else role)

    return sign_in


def sign_in_at(page: Page, running: Review, name: str) -> Page:
    """Sign a person in at a server's page."""
    page.goto(running.guard.address())
    page.goto(running.url("/sign-in"))
    page.locator("#name").fill(name)
    page.locator("#pin").fill(PIN)
    page.locator("button.main").click()
    page.locator(".person").wait_for()
    page.wait_for_load_state()
    return page


def sign_out(page: Page) -> None:
    """Sign out, and wait until that is done."""
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def _fault(message: ConsoleMessage) -> list[str]:
    # The browser says of each refused request that it was; what the page makes of it is tested.
    is_refusal = message.text.startswith("Failed to load resource")
    return [message.text] if message.type == "error" and not is_refusal else []
