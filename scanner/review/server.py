"""The server itself: a socket, a thread pool, and an end that loses nothing."""

from __future__ import annotations

import errno
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.queue import Queue
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _
from scanner.review.app import create_app
from scanner.review.context import Desk
from scanner.review.pictures import Pictures
from scanner.review.security import MIN_PASS_PHRASE, Guard, is_loopback, is_unspecified

LOCAL_HOST = "127.0.0.1"
USUAL_PORT = 8420
PORTS_TRIED = 20
SECONDS_TO_FINISH = 5
NOBODYS_ADDRESS = "203.0.113.1"
"""Reserved for documents (RFC 5737), and not of this network."""


@dataclass(frozen=True, slots=True)
class Service:
    """Where and to whom a page is served."""

    host: str = LOCAL_HOST
    port: int | None = None
    """None for the first free one from :data:`USUAL_PORT` on; 0 for any."""
    pass_phrase: str | None = None
    idle_minutes: float = 20.0
    opens_browser: bool = True

    def check(self) -> None:
        """See that nobody is let in who should not be.

        Raises:
            BadArgumentsError: The network is served without a pass phrase, or with a short one.
        """
        if self.pass_phrase is not None and len(self.pass_phrase) < MIN_PASS_PHRASE:
            raise BadArgumentsError(
                _("A pass phrase has at least {n} letters.").format(n=MIN_PASS_PHRASE),
                remedy=_("Take four words that do not belong together."),
            )
        if not is_loopback(self.host) and self.pass_phrase is None:
            raise BadArgumentsError(
                _("Others on the network can reach this address."),
                remedy=_("Give --pass-phrase as well; it is asked before anything is shown."),
            )


@contextmanager
def open_desk(folder: Path) -> Iterator[Desk]:
    """A count laid out for review.

    Raises:
        CountError: There is no such count.
    """
    with Store(folder) as store:
        forms = load_kept_forms(store)
        by_id = {form.id: form for form in forms}
        pictures = Pictures(store, by_id)
        try:
            yield Desk(folder, store, by_id, pictures, Queue.load(store, forms))
        finally:
            pictures.close()


def serve_count(
    folder: Path,
    service: Service,
    tell: Callable[[str], None],
    invite: Callable[[str], None],
) -> None:
    """Serve the review page of a count until the program is told to stop.

    Args:
        folder: The count.
        service: Where and to whom.
        tell: Told each address that lets a browser in.
        invite: Told the address for the others in the office, where there are any.

    Raises:
        BadArgumentsError: The port is taken, the address is not this machine's, or the network
            would be served without a pass phrase.
        CountError: There is no such count.
        StorageError: The count cannot be written.
    """
    with open_desk(folder) as desk:
        serve(lambda guard: create_app(desk, guard), service, tell, invite)


def serve(
    make_app: Callable[[Guard], FastAPI],
    service: Service,
    tell: Callable[[str], None],
    invite: Callable[[str], None] | None = None,
) -> None:
    """Serve an application until the program is told to stop (Ctrl-C).

    Args:
        make_app: Makes it, when it is known who may come in.
        service: Where and to whom.
        tell: Told each address that lets a browser in.
        invite: Told the address for the others in the office, where there are any.

    Raises:
        BadArgumentsError: As of :func:`serve_count`.
    """
    service.check()
    with listen(service.host, service.port) as listener:
        guard = Guard(
            service.host,
            listener.getsockname()[1],
            pass_phrase=service.pass_phrase,
            idle_minutes=service.idle_minutes,
            tell=tell,
        )
        server = uvicorn.Server(configure(make_app(guard)))
        tell(guard.address())
        if invite is not None and not guard.is_local:
            invite(office_address(guard))
        if service.opens_browser:
            # A browser on the console would keep the server from starting.
            threading.Thread(target=webbrowser.open, args=(guard.address(),), daemon=True).start()
        # Ctrl-C is how a server is told to stop; it has finished what it was at.
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def office_address(guard: Guard) -> str:
    """The address by which others in the office reach the server."""
    if not is_unspecified(guard.host):
        return f"{guard.base_address()}/"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            # Nothing is sent: this only asks which address of ours would be used.
            asked.connect((NOBODYS_ADDRESS, 9))
            host = asked.getsockname()[0]
        except OSError:
            host = socket.gethostname()
    return f"http://{host}:{guard.port}/"


def configure(app: FastAPI) -> uvicorn.Config:
    """How the server runs: quiet, believing no proxy, telling nobody what it is."""
    return uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens, so that it is known at once whether that is possible.

    Args:
        host: The address.
        port: The port; None for the first free one, 0 for any.

    Raises:
        BadArgumentsError: The port is taken, or the address is not one of this machine.
    """
    ports = range(USUAL_PORT, USUAL_PORT + PORTS_TRIED) if port is None else [port]
    for tried in ports:
        try:
            return _bind(host, tried)
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES} and tried != ports[-1]:
                continue
            raise _cannot_listen(host, tried, error) from error
    raise AssertionError("there is always a port to try")


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _name, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            # On Windows another program could otherwise listen at the same port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> BadArgumentsError:
    if error.errno == errno.EADDRINUSE:
        return BadArgumentsError(
            _("Another program uses port {port}.").format(port=port),
            remedy=_("Stop it, or give another port with --port."),
        )
    return BadArgumentsError(
        _("It is not possible to listen at {host}, port {port} ({reason}).").format(
            host=host, port=port, reason=error.strerror or error
        ),
        remedy=_("Give an address of this machine with --host, and a port above 1023."),
    )
