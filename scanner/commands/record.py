"""The commands about people and what they did: people, log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scanner.commands.shared import console, count_argument, open_count, say
from scanner.commands.shared import mark as _
from scanner.errors import BadArgumentsError, CountError
from scanner.messages import gettext

if TYPE_CHECKING:
    from scanner.counting.people import Person
    from scanner.counting.store import Store

ROLES = ("reader", "committee", "observer")
"""What ``--role`` takes: the members of ``scanner.counting.people.Role``."""
PIN_VARIABLE = "KIEMPHIEU_PIN"
THE_PROGRAM = "kiemphieu people"
"""Who is on the record for what was changed on the command line."""


class _ListedByDefault(click.RichGroup):
    """A group that takes what is no command of its own for the argument of ``list``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["list", *args]
        return super().resolve_command(ctx, args)


@click.group(
    "people",
    cls=_ListedByDefault,
    help=_(
        "Says who takes part in a count, and what each may do.\n\nExample: kiemphieu people ward-3"
    ),
)
def people() -> None:
    """The group of the commands about people."""


@people.command("list", help=_("Lists the people.\n\nExample: kiemphieu people list ward-3"))
@count_argument
def _list(count: Path) -> None:
    with open_count(count) as (store, _forms):
        _show_people(store)


@people.command(
    "add",
    help=_(
        "Lets somebody take part; asks for their PIN twice. A reader decides what is in doubt; the"
        " committee also what readers hand on, and who takes part; an observer sees all and changes"
        " nothing.\n\nExample: kiemphieu people add ward-3 'Lan' --role reader"
    ),
)
@count_argument
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help=_("What they may do."))
def _add(count: Path, name: str, role: str) -> None:
    from scanner.counting.people import Role

    with open_count(count) as (store, _forms):
        store.add_person(name, _new_pin(), Role(role), THE_PROGRAM)
        _show_people(store)


@people.command(
    "change",
    help=_(
        "Changes what somebody may do, or their PIN.\n\n"
        "Example: kiemphieu people change ward-3 'Lan' --role committee"
    ),
)
@count_argument
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), help=_("What they may do from now on."))
@click.option("--pin", "is_pin_new", is_flag=True, help=_("Ask for a new PIN."))
@click.option("--active/--inactive", "is_active", default=None,
              help=_("Whether they take part."))  # fmt: skip
def _change(
    count: Path, name: str, role: str | None, is_pin_new: bool, is_active: bool | None
) -> None:
    from scanner.counting.people import Role

    with open_count(count) as (store, _forms):
        person = _find(store, name)
        store.change_person(
            person.id,
            THE_PROGRAM,
            role=Role(role) if role is not None else None,
            pin=_new_pin() if is_pin_new else None,
            is_active=is_active,
        )
        _show_people(store)


@click.command(
    "log",
    help=_(
        "Shows the record: who did what and when, newest first. With --verify it proves that no"
        " entry was altered, left out or put in later. Note the number and the hash of the last"
        " entry in the minutes; --contains HASH then shows that nothing was cut off since.\n\n"
        "Example: kiemphieu log ward-3 --verify"
    ),
)
@count_argument
@click.option("--verify", is_flag=True, help=_("Prove that the record is whole."))
@click.option("--contains", "wanted", metavar="HASH", default="",
              help=_("Also see that an entry with this hash is there."))  # fmt: skip
@click.option("--sheet", type=click.IntRange(1), help=_("Only what is about this sheet."))
@click.option("--who", help=_("Only what this person did."))
@click.option("--most", type=click.IntRange(1), default=50, show_default=True,
              help=_("So many entries at most."))  # fmt: skip
def _log(
    count: Path, verify: bool, wanted: str, sheet: int | None, who: str | None, most: int
) -> None:
    from scanner.publishing.record_lines import show_log, tell

    with open_count(count) as (store, forms):
        if verify or wanted:
            _verify(store, wanted)
            return
        entries = store.latest_entries(most, before=None, sheet=sheet, who=who)
        say(show_log([tell(entry, forms) for entry in entries]))


def _verify(store: Store, wanted: str) -> None:
    """Say that the record is whole.

    Raises:
        CountError: It is not.
    """
    faults = store.verify()
    if wanted and not store.has_entry(wanted):
        faults.append(gettext("No entry of the record has this hash: {hash}.").format(hash=wanted))
    if faults:
        for fault in faults[1:]:
            console(stderr=True).print(fault, soft_wrap=True)
        raise CountError(
            faults[0],
            remedy=gettext("The record is not as it was written; compare with a copy."),
            path=store.folder,
        )
    number, last = store.head()
    say(gettext("The record is whole: {number} entries.").format(number=number))
    say(gettext("Hash of the last: {hash}").format(hash=last))


def sign(store: Store, name: str) -> tuple[str, bool]:
    """See who it is that changes a count on the command line, where people are known to it.

    Returns:
        Their name as the count has it, and whether they are of the committee; so is anybody
        where no people are known.

    Raises:
        BadArgumentsError: Nobody of that name may decide, or the PIN is wrong.
    """
    from scanner.counting.people import Role

    if not any(person.is_active for person in store.people()):
        return name, True
    person = _find(store, name)
    if person.role is Role.OBSERVER:
        raise BadArgumentsError(gettext("An observer sees everything and changes nothing."))
    known = store.check_pin(name, ask_pin("PIN"))
    return known.name, known.role is Role.COMMITTEE


def _find(store: Store, name: str) -> Person:
    person = store.find_person(name)
    if person is None:
        raise BadArgumentsError(
            gettext("Nobody of this count is called {name}.").format(name=name),
            remedy=gettext("'kiemphieu people COUNT' shows who takes part."),
            path=store.folder,
        )
    return person


def _new_pin() -> str:
    pin = ask_pin("PIN")
    if pin != ask_pin(gettext("PIN again")):
        raise BadArgumentsError(gettext("The two PINs differ."))
    return pin


def ask_pin(text: str) -> str:
    """A PIN as it is typed, or as the environment has it."""
    known = os.environ.get(PIN_VARIABLE)
    return known if known else str(click.prompt(text, hide_input=True, err=True))


def _show_people(store: Store) -> None:
    from scanner.publishing.record_lines import show_people

    say(show_people(store.people()))


COMMANDS = (people, _log)
"""In the order in which the help names them."""
