"""The command that opens the review page."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from scanner.commands.shared import count_argument, say, tell_address
from scanner.commands.shared import mark as _
from scanner.messages import gettext

THE_PROGRAM = "kiemphieu review"
"""Who is on the record for what the command was told."""
SECOND_READERS = ("none", "all", "doubts", "close")
"""What ``--second-reader`` takes: the members of ``SecondReader`` in ``scanner.counting``."""


@click.command(
    "review",
    help=_(
        "Opens the page on which people decide what the machine was not sure of, in the browser of"
        " this PC. Ctrl-C ends it; nothing that was decided is lost.\n\n"
        "Example: kiemphieu review ward-3"
    ),
)
@count_argument
@click.option("--port", type=click.IntRange(0, 65535),
              help=_("Port to serve at [the first free one from 8420 on]."))  # fmt: skip
@click.option("--host", default="127.0.0.1",
              help=_("Address to serve at: that of this PC in the office network, so that others"
              " can take part; wants --pass-phrase [127.0.0.1: only this PC]."))  # fmt: skip
@click.option("--pass-phrase", prompt=True, prompt_required=False, hide_input=True,
              confirmation_prompt=True, envvar="KIEMPHIEU_PASS_PHRASE",
              help=_("What others on the network type first, 12 letters or more; asked for where"
              " it is not given."))  # fmt: skip
@click.option("--second-reader", type=click.Choice(SECOND_READERS),
              help=_("Let a second person read everything, what was in doubt, or close races only,"
              " without seeing the first one's answers [as it was; at first none]."))  # fmt: skip
@click.option("--idle", "idle_minutes", type=click.FloatRange(1, 720), default=20.0,
              help=_("Minutes without work after which a person is signed out."))  # fmt: skip
@click.option("--no-browser", is_flag=True, help=_("Only show the address."))
def review(
    count: Path,
    port: int | None,
    host: str,
    pass_phrase: str | None,
    second_reader: str | None,
    idle_minutes: float,
    no_browser: bool,
) -> None:
    """Serve the review page of a count until it is stopped."""
    from scanner.review.server import Service, serve_count

    service = Service(
        host=host,
        port=port,
        pass_phrase=pass_phrase,
        idle_minutes=idle_minutes,
        opens_browser=not no_browser,
    )
    service.check()
    _prepare(count, second_reader)
    serve_count(count, service, tell_address, _invite)
    say(gettext("The review page is closed. Everything that was decided is kept."))


def _prepare(count: Path, second_reader: str | None) -> None:
    """See that the count can be worked on, and say who reads.

    Raises:
        CountError: There is no count, or it is sealed.
    """
    from scanner.counting.second_reader import SecondReader
    from scanner.counting.store import Store

    with Store(count) as store:
        store.refuse_if_sealed()
        if second_reader is not None:
            policy = SecondReader(second_reader)
            if store.second_reader() is not policy:
                store.set_second_reader(policy, THE_PROGRAM)


def _invite(address: str) -> None:
    say(
        gettext("Others in the office open this one, and type the pass phrase:"),
        f"    {address}",
        gettext("It is not encrypted on its way: use it in a network that you trust."),
    )


COMMANDS = (review,)
