"""Who may talk to the server at all: host, origin, size, the entrance, forged requests.

The threats are other pages in the same browser (forged requests, a foreign name that leads here),
other people on the same machine or network, and text or numbers made to break out of their place.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import threading
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import HTTPException, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scanner.messages import LANGUAGES, current_language, known_language, speaking
from scanner.messages import gettext as _
from scanner.review.session import Session, Sessions

MAX_BODY_BYTES = 64 * 1024
MOST_DRAINED_BYTES = 32 * 1024 * 1024
"""Of a body that is too large so much is taken and thrown away, so that the browser can still
read the answer; after that the connection is cut."""
MIN_PASS_PHRASE = 12
COOKIE_SECONDS = 12 * 3600
LANGUAGE_COOKIE = "kiemphieu_language"
FREE_TRIES = 3
FREE_TRIES_OF_ALL = 30
LONGEST_WAIT_SECONDS = 300.0
EVERYBODY = ""
"""Where the tries of all addresses together are counted."""
READING = frozenset({"GET", "HEAD"})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer a browser would send its own forms with "Origin: null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Attempts:
    """Wrong tries from one address, or from all of them: each makes the next wait longer."""

    wrong: int = 0
    free_at: float = 0.0
    """When the next try may be made, in seconds of the monotonic clock."""

    def after_wrong(self, now: float, free_tries: int) -> Attempts:
        """With one wrong try more; long after the last wait, the count begins anew."""
        wrong = 1 if now - self.free_at > LONGEST_WAIT_SECONDS else self.wrong + 1
        if wrong < free_tries:
            return Attempts(wrong, now)
        return Attempts(wrong, now + min(2.0 ** (wrong - free_tries), LONGEST_WAIT_SECONDS))


@dataclass
class Guard:
    """What a running server is told about who may come in.

    Args:
        host: The address it listens at.
        port: The port it listens at.
        pass_phrase: What people on the network type first; None if only this machine is served.
        idle_minutes: After so long without a request a person is signed out.
        tell: Told each new one-time address, as the last one is used up.
    """

    host: str
    port: int
    pass_phrase: str | None = None
    idle_minutes: float = 20.0
    tell: Callable[[str], None] = lambda _address: None
    sessions: Sessions = field(init=False)

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.idle_minutes * 60)
        self._token = secrets.token_urlsafe(32)
        self._attempts: dict[str, Attempts] = {}
        self._lock = threading.Lock()

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; browsers do not keep those of two ports apart."""
        return f"kiemphieu_{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether only this machine is served."""
        return is_loopback(self.host)

    def base_address(self) -> str:
        """Where a browser on this machine finds the server, without a slash at the end."""
        host = self.host if not is_unspecified(self.host) else "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def address(self) -> str:
        """The address that lets one browser in, once."""
        return f"{self.base_address()}/enter/{self._token}"

    def use_token(self, given: str) -> bool:
        """Whether that is the one-time token; if so it is worthless from now on."""
        with self._lock:
            if not secrets.compare_digest(given.encode(), self._token.encode()):
                return False
            self._token = secrets.token_urlsafe(32)
        self.tell(self.address())
        return True

    def try_pass_phrase(self, given: str, client: str) -> bool:
        """Whether that is the pass phrase.

        Raises:
            HTTPException: 429; too many wrong ones came from there, or from everywhere.
        """
        if self.pass_phrase is None:
            return False
        with self._lock:
            now = time.monotonic()
            # Many addresses together get further tries more slowly as well.
            tried = [self._attempts.get(key, Attempts()) for key in (client, EVERYBODY)]
            wait = max(one.free_at for one in tried) - now
            if wait > 0:
                raise HTTPException(
                    429,
                    _("Too many wrong tries. Wait {n} seconds.").format(n=int(wait) + 1),
                    headers={"Retry-After": str(int(wait) + 1)},
                )
            # Some keyboards write a Vietnamese letter as one sign, others as two.
            typed, known = (unicodedata.normalize("NFC", one) for one in (given, self.pass_phrase))
            if secrets.compare_digest(typed.encode(), known.encode()):
                self._attempts.pop(client, None)
                return True
            one, all_of_them = tried
            self._attempts[client] = one.after_wrong(now, FREE_TRIES)
            self._attempts[EVERYBODY] = all_of_them.after_wrong(now, FREE_TRIES_OF_ALL)
            return False

    def knows_host(self, given: str | None) -> bool:
        """Whether a Host header names this server: a foreign name that leads here does not."""
        name, port = _split_host(given or "")
        if port != self.port:
            return False
        if self.is_local:
            return name == "localhost" or is_loopback(name)
        # A numeric address cannot be made to lead elsewhere, as a name can.
        return _is_address(name) or name in {"localhost", socket.gethostname().lower()}


def is_loopback(host: str) -> bool:
    """Whether an address or name can only be reached from this machine."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def is_unspecified(host: str) -> bool:
    """Whether it stands for every address of this machine."""
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _split_host(given: str) -> tuple[str, int]:
    """``[::1]:8000`` -> ``("::1", 8000)``; port 80 where none is named, 0 where it is none."""
    name, port = given.strip().lower(), "80"
    if name.startswith("["):
        name, _bracket, rest = name[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif ":" in name:
        name, _colon, port = name.rpartition(":")
    return name, int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0


class Door:
    """The middleware that every request passes, and every answer leaves by.

    It refuses foreign hosts and origins and bodies that are too large, finds the session, chooses
    the language, and sets the headers that keep a browser from doing more than it is asked.
    """

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            # There is no web socket here; the server's own start and end pass.
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookies = cookie_parser(headers.get("cookie", ""))
        is_activity = "x-background" not in headers
        session = self._guard.sessions.find(
            cookies.get(self._guard.cookie), is_activity=is_activity
        )
        session = session or Session()
        state = scope.setdefault("state", {})
        state["session"], state["guard"] = session, self._guard

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._finish(MutableHeaders(scope=message), session)
            await send(message)

        language = choose_language(cookies.get(LANGUAGE_COOKIE), headers.get("accept-language"))
        with speaking(language):
            refusal = self._refuse(scope["method"], headers)
            if refusal is None and _stated_length(headers) > MAX_BODY_BYTES:
                await _drain(receive)
                refusal = _too_large()
            if refusal is not None:
                await refusal(scope, receive, send_safely)
            else:
                await self._app(scope, _limited(receive), send_safely)

    def _refuse(self, method: str, headers: Headers) -> Response | None:
        if not self._guard.knows_host(headers.get("host")):
            return PlainTextResponse(_("This server does not answer to that name."), 421)
        if method in READING:
            if _is_foreign(headers) and headers.get("sec-fetch-mode") != "navigate":
                return PlainTextResponse(_("Another page asked for this. It is refused."), 403)
            return None
        if not _is_own(headers):
            return PlainTextResponse(_("Another page asked for this. It is refused."), 403)
        return None

    def _finish(self, headers: MutableHeaders, session: Session) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        headers.setdefault("Cache-Control", "no-store")
        if session.needs_cookie:
            session.needs_cookie = False
            headers.append(
                "Set-Cookie",
                f"{self._guard.cookie}={session.key}; HttpOnly; SameSite=Strict; Path=/;"
                f" Max-Age={COOKIE_SECONDS}",
            )


def _is_foreign(headers: Headers) -> bool:
    return headers.get("sec-fetch-site") in {"cross-site", "same-site"}


def _is_own(headers: Headers) -> bool:
    """Whether a page of this very server sent it: by its origin, or by what the browser says."""
    if _is_foreign(headers):
        return False
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") == "same-origin"
    return origin.lower() == f"http://{headers.get('host', '').lower()}"


def _stated_length(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0


async def _drain(receive: Receive) -> None:
    taken = 0
    while taken < MOST_DRAINED_BYTES:
        message = await receive()
        taken += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


def _limited(receive: Receive) -> Receive:
    """A body that does not state its length is cut off where it becomes too large."""
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY_BYTES:
            raise HTTPException(413, too_large_text())
        return message

    return receive_limited


def too_large_text() -> str:
    """What is said about a body that is too large."""
    return _("This is too long: at most {n} kB can be sent at once. Nothing was saved.").format(
        n=MAX_BODY_BYTES // 1024
    )


def _too_large() -> Response:
    from starlette.responses import JSONResponse

    return JSONResponse({"message": too_large_text(), "remedy": _("Shorten the text.")}, 413)


def choose_language(cookie: str | None, accepted: str | None) -> str:
    """The person's choice, else what the browser asks for, else that of the process."""
    if cookie in LANGUAGES:
        return str(cookie)
    ranked = []
    for place, entry in enumerate((accepted or "").split(",")[:20]):
        code, _semicolon, quality = entry.strip().partition(";q=")
        try:
            ranked.append((-float(quality or 1), place, code))
        except ValueError:
            continue
    for _quality, _place, code in sorted(ranked):
        known = known_language(code) if code[:1].isalpha() else None
        if known is not None:
            return known
    return current_language()


async def check_csrf(request: Request) -> None:
    """Every request that changes something carries the token of its session.

    Pages send it as the header ``X-CSRF-Token``, plain forms as the field ``csrf``.

    Raises:
        HTTPException: 403; it does not.
    """
    if request.method in READING:
        return
    given = request.headers.get("x-csrf-token")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given is None and kind == "application/x-www-form-urlencoded":
        field_given = (await request.form()).get("csrf")
        given = field_given if isinstance(field_given, str) else None
    session: Session = request.state.session
    if given is None or not secrets.compare_digest(given.encode(), session.csrf.encode()):
        raise HTTPException(403, _("This page is out of date. Open it again; nothing was changed."))
