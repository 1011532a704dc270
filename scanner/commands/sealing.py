"""The commands about seals: key, seal, verify."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from scanner.commands.exporting import heading_of
from scanner.commands.record import ask_pin
from scanner.commands.record import sign as sign_in
from scanner.commands.shared import FILE, console, count_argument, open_count, say
from scanner.commands.shared import mark as _
from scanner.errors import BadArgumentsError, CountError
from scanner.messages import gettext

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from scanner.counting.signing import SignedFile
    from scanner.counting.store import Store
    from scanner.counting.verifying import Verdict

PASS_PHRASE_VARIABLE = "KIEMPHIEU_KEY_PASS_PHRASE"


@click.group(
    "key",
    help=_("Makes the keys with which counts are sealed.\n\nExample: kiemphieu key new lan.key"),
)
def key() -> None:
    """The group of the commands about keys."""


@key.command(
    "new",
    help=_(
        "Makes a key in FILE, and its public half in FILE.pub, which goes to whoever checks. Asks"
        " for a pass phrase twice: without it the key is worth nothing, and nobody can find it"
        " again.\n\nExample: kiemphieu key new lan.key"
    ),
)
@click.argument("file", type=FILE)
def _new(file: Path) -> None:
    from scanner.counting.keys import make_key

    pass_phrase = _ask_pass_phrase(gettext("Pass phrase"))
    if pass_phrase != _ask_pass_phrase(gettext("Pass phrase again")):
        raise BadArgumentsError(gettext("The two pass phrases differ."))
    public, fingerprint = make_key(file, pass_phrase)
    say(
        gettext("Key: {file}").format(file=file),
        gettext("Public key, to be given away: {file}").format(file=public),
        gettext("Fingerprint: {fingerprint}").format(fingerprint=fingerprint),
    )


@click.command(
    "seal",
    help=_(
        "Closes a count: every file in its folder is listed, hashed and signed in seal.json. From"
        " then on nothing more is written to it. The sealed tally is exports/tally.json; it can be"
        " mailed by itself.\n\nExample: kiemphieu seal ward-3 --key lan.key --key minh.key"
    ),
)
@count_argument
@click.option("-k", "--key", "key_files", multiple=True, type=FILE,
              help=_("Key to sign with; several people sign with several."))  # fmt: skip
@click.option("--open-again", is_flag=True,
              help=_("Let it be written to again; the record keeps who and why."))  # fmt: skip
@click.option("--by", default="", help=_("Who does it; asks for the PIN of a person known to the"
              " count."))  # fmt: skip
@click.option("--why", default="", help=_("The reason."))
@click.option(
    "--unit", default="", help=_("Whose count it is: the unit's id in the tree of units.")
)
@click.option("--unit-name", default="", help=_("The unit's name."))
@click.option("--period", default="", help=_("Of which period, such as 2026-Q1."))
@click.option("--smallest-group", type=click.IntRange(0), default=0, help=_("Groups of fewer valid"
              " sheets get no figures of their own [0: all have]."))  # fmt: skip
def seal(
    count: Path,
    key_files: tuple[Path, ...],
    open_again: bool,
    by: str,
    why: str,
    unit: str,
    unit_name: str,
    period: str,
    smallest_group: int,
) -> None:
    """Close a count, or open it again."""
    if open_again:
        _open_again(count, key_files, by, why)
        return
    if not key_files:
        raise BadArgumentsError(
            gettext("A seal needs a key."),
            remedy=gettext("Make one with 'kiemphieu key new FILE', and give --key FILE."),
        )
    from scanner.counting.sealing import seal_count
    from scanner.publishing.sealed_tally import final_tally

    heading = heading_of(unit, unit_name, period, smallest_group)
    with open_count(count) as (store, forms):

        def make_tally(at: datetime) -> Mapping[str, Any]:
            return final_tally(store, forms, at, heading)

        name = _committee(store, by) if by else ""
        keys = [_read_key(file) for file in key_files]
        sealed = seal_count(store, keys, make_tally, by=name)
    say(*_about(sealed))


@click.command(
    "verify",
    help=_(
        "Says what holds of a sealed count's folder, of a sealed tally, or of a seal.json, and what"
        " does not; names every file that was changed, is missing or was added. Needs nothing but"
        " the files, and writes nothing.\n\nExample: kiemphieu verify ward-3 --trust lan.key.pub"
    ),
)
@click.argument("path", type=FILE)
@click.option("--trust", "trusted", multiple=True, type=FILE,
              help=_("Public key that you have from elsewhere; it must have signed."))  # fmt: skip
def verify(path: Path, trusted: tuple[Path, ...]) -> None:
    """Check a seal."""
    from scanner.counting import verifying
    from scanner.counting.keys import read_public_key
    from scanner.publishing.sealed_tally import recount

    verdict = verifying.verify(path, [read_public_key(file) for file in trusted], recount)
    _tell(verdict, path)


def _tell(verdict: Verdict, path: Path) -> None:
    """Say what was found.

    Raises:
        CountError: Something does not hold.
    """
    signs = {True: "✓", False: "✗", None: "·"}
    for finding in verdict.findings:
        console().print(f"{signs[finding.holds]} {finding.text}", soft_wrap=True)
    if not verdict.holds:
        raise CountError(
            gettext("The seal does not hold."),
            remedy=gettext("Compare with the copy of somebody else who has one."),
            path=path,
        )
    if verdict.signed is not None:
        short = verdict.signed.short
        say(gettext("The seal holds. Its number: {number}").format(number=short))


def _open_again(count: Path, key_files: Sequence[Path], by: str, why: str) -> None:
    from scanner.counting import sealing
    from scanner.counting.store import Store

    if key_files:
        raise BadArgumentsError(gettext("A count is opened again without a key."))
    with Store(count, even_sealed=True) as store:
        sealing.open_again(store, _prove(store, by), why)
    say(gettext("The count is open again; the record says so. Seal it anew when it is done."))


def _committee(store: Store, by: str) -> str:
    """The name of who seals.

    Raises:
        BadArgumentsError: They are not of the committee.
    """
    name, is_committee = sign_in(store, by)
    if not is_committee:
        raise _not_of_the_committee()
    return name


def _prove(store: Store, by: str) -> str:
    """The name of who opens a sealed count, to which even a PIN that is tried writes nothing.

    Raises:
        BadArgumentsError: They are not of the committee.
    """
    from scanner.counting.people import Role

    if not by or not any(person.is_active for person in store.people()):
        return by
    person = store.prove(by, ask_pin("PIN"))
    if person.role is not Role.COMMITTEE:
        raise _not_of_the_committee()
    return person.name


def _not_of_the_committee() -> BadArgumentsError:
    return BadArgumentsError(gettext("Only the committee seals a count or opens it again."))


def _about(sealed: SignedFile) -> list[str]:
    lines = [
        gettext("The count is sealed: {number} files.").format(number=len(sealed.data["files"])),
        gettext("Number of the seal, for the minutes: {number}").format(number=sealed.short),
    ]
    lines += [
        gettext("Signed by the key {fingerprint}").format(fingerprint=signer.fingerprint)
        for signer in sealed.signers
    ]
    lines.append(gettext("The sealed tally, to be mailed: exports/tally.json"))
    return lines


def _read_key(file: Path) -> Ed25519PrivateKey:
    from scanner.counting.keys import read_key

    return read_key(file, _ask_pass_phrase(gettext("Pass phrase of {file}").format(file=file.name)))


def _ask_pass_phrase(text: str) -> str:
    known = os.environ.get(PASS_PHRASE_VARIABLE)
    return known if known else str(click.prompt(text, hide_input=True, err=True))


COMMANDS = (seal, verify, key)
"""In the order in which the help names them."""
