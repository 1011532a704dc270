"""The review page without a browser: a client that behaves as one does, and can be told not to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from scanner.counting.people import Role
from scanner.review.app import create_app
from scanner.review.context import Desk
from scanner.review.security import Guard
from scanner.review.server import open_desk
from tests.reviewed_counts import NAMES, PIN

HOST = "127.0.0.1:8420"
ORIGIN = f"http://{HOST}"
PASS_PHRASE = "năm con mèo trắng"


class Browser:
    """One browser at a running application, with its cookies and the token of its last page.

    Args:
        app: The application.
        guard: Its guard.
        client: The address from which it asks.
    """

    def __init__(self, app: FastAPI, guard: Guard, client: str = "127.0.0.1") -> None:
        self.guard = guard
        self.http = TestClient(
            app,
            base_url=ORIGIN,
            follow_redirects=False,
            raise_server_exceptions=False,
            client=(client, 50000),
        )
        self.csrf = ""

    def get(self, path: str, **headers: str) -> Response:
        """Open a page; its token is remembered."""
        usual = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        answer = self.http.get(path, headers=usual | _named(headers))
        found = re.search(r'<meta name="csrf" content="([^"]+)"', answer.text)
        if found is not None:
            self.csrf = found[1]
        return answer

    def ask(self, path: str, **headers: str) -> Response:
        """What a script asks for."""
        usual = {"Accept": "application/json", "Sec-Fetch-Site": "same-origin"}
        return self.http.get(path, headers=usual | _named(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Response:
        """What a script sends."""
        usual = {"Accept": "application/json", "Origin": ORIGIN, "X-CSRF-Token": self.csrf}
        return self.http.post(path, json=body or {}, headers=usual | _named(headers))

    def submit(self, path: str, fields: Mapping[str, str], **headers: str) -> Response:
        """A plain form, sent."""
        usual = {"Accept": "text/html", "Origin": ORIGIN}
        return self.http.post(
            path, data={"csrf": self.csrf, **fields}, headers=usual | _named(headers)
        )

    def come_in(self) -> Browser:
        """By the one-time address."""
        self.get(self.guard.address().removeprefix(self.guard.base_address()))
        self.get("/sign-in")
        return self

    def sign_in(self, role: Role | str = Role.COMMITTEE) -> Browser:
        """As the person of a role, or of a name."""
        name = NAMES[role] if isinstance(role, Role) else role
        answer = self.come_in().submit("/sign-in", {"name": name, "pin": PIN})
        assert answer.status_code == 303, answer.text
        self.get("/log")
        return self


@dataclass(frozen=True)
class Office:
    """An application over a count, and browsers for it."""

    app: FastAPI
    guard: Guard
    desk: Desk

    def browser(self, client: str = "127.0.0.1") -> Browser:
        """One that has not come in."""
        return Browser(self.app, self.guard, client)

    def person(self, role: Role | str = Role.COMMITTEE) -> Browser:
        """One at which somebody has signed in."""
        return self.browser().sign_in(role)


@contextmanager
def open_office(count: Path, *, pass_phrase: str | None = None) -> Iterator[Office]:
    """The review page of a count, to be asked without a network.

    Args:
        count: The folder of the count; it is written to.
        pass_phrase: Serve the office network too.
    """
    host, port = HOST.split(":")
    guard = Guard(host if pass_phrase is None else "0.0.0.0", int(port), pass_phrase=pass_phrase)
    with open_desk(count) as desk:
        yield Office(create_app(desk, guard), guard, desk)


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    """``Sec_Fetch_Site="cross-site"`` is the header ``Sec-Fetch-Site``."""
    return {name.replace("_", "-"): value for name, value in headers.items()}
