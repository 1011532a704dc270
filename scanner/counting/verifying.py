"""Is a seal worth anything? What holds and what does not, in words, from the files alone.

Nothing is written beside the files that are checked: the database is looked into in a passing
copy. Whoever can write to a folder can also seal it anew with a key of their own; so a key that is
known from elsewhere (``trusted``) says more than the folder can say about itself.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner.counting.manifest import (
    SEAL_FILE,
    Differences,
    KeptFile,
    compare,
    list_files,
)
from scanner.counting.records import DATABASE_FILE, FORMS_FOLDER
from scanner.counting.signing import (
    Kind,
    NotSignedError,
    SignedFile,
    Signer,
    fingerprint,
    is_signed,
    read_signed,
)
from scanner.counting.store import Store
from scanner.errors import KiemPhieuError, TallyMismatchError, UnreadableFileError
from scanner.messages import gettext as _

Recount = Callable[[Store, Mapping[str, Any]], bool | None]
"""Whether a count still gives the figures of a sealed tally; None where that cannot be said."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    text: str
    holds: bool | None = True
    """None for what is only to be known."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that was found."""

    findings: tuple[Finding, ...]
    signed: SignedFile | None = None
    """The seal, where it can be read."""

    @property
    def holds(self) -> bool:
        """Whether there is a seal, and nothing speaks against it."""
        return self.signed is not None and all(one.holds is not False for one in self.findings)

    @property
    def faults(self) -> tuple[str, ...]:
        """What does not hold."""
        return tuple(one.text for one in self.findings if one.holds is False)


def verify(
    path: Path,
    trusted: Sequence[str] = (),
    recount: Recount = lambda _store, _tally: None,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Verdict:
    """Check a sealed count's folder, a sealed tally, or a seal by itself.

    Args:
        path: Which.
        trusted: Public keys known from elsewhere (64 hexadecimal digits); each must have signed.
        recount: Works the tally out again.
        tell: Told after each file how many are hashed and how many there are.

    Raises:
        UnreadableFileError: There is nothing there, or it may not be read.
    """
    try:
        if path.is_dir():
            return _verify_folder(path, trusted, recount, tell)
        return _verify_file(path.read_bytes(), trusted)
    except OSError as error:
        raise UnreadableFileError(
            _("This file cannot be opened: {why}.").format(why=error.strerror or error),
            path=Path(error.filename) if error.filename else path,
        ) from error


def check_sealed_tally(path: Path, trusted: Sequence[str] = ()) -> tuple[Signer, ...]:
    """See that a tally is what was sealed, before it is added to others.

    Args:
        path: The file of the tally.
        trusted: Public keys known from elsewhere (64 hexadecimal digits); each must have signed.

    Returns:
        The keys that signed it; none for a tally that nobody sealed, unless keys are given.

    Raises:
        TallyMismatchError: It is sealed, and the seal does not hold; or a key that is trusted
            has not signed it.
        UnreadableFileError: It is not there, or may not be read.
    """
    seal = seal_of_tally(path, trusted)
    return seal.signers if seal is not None else ()


def seal_of_tally(path: Path, trusted: Sequence[str] = ()) -> SignedFile | None:
    """The seal of a tally, which holds.

    Args:
        path: The file of the tally.
        trusted: Public keys known from elsewhere (64 hexadecimal digits); each must have signed.

    Returns:
        None for a tally that nobody sealed, unless keys are given.

    Raises:
        TallyMismatchError: It is sealed, and the seal does not hold; or a key that is trusted
            has not signed it.
        UnreadableFileError: It is not there, or may not be read.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(
            _("This file cannot be opened: {why}.").format(why=error.strerror or error), path=path
        ) from error
    if not is_signed(text) and not trusted:
        return None
    verdict = _verify_file(text, trusted)
    is_tally = verdict.signed is not None and verdict.signed.kind is Kind.TALLY
    if not verdict.holds or verdict.signed is None or not is_tally:
        why = verdict.faults[0] if verdict.faults else _("This is the seal of a count, no tally.")
        raise TallyMismatchError(
            why, remedy=_("Ask for the file again from where it was made."), path=path
        )
    return verdict.signed


def _verify_folder(
    folder: Path, trusted: Sequence[str], recount: Recount, tell: Callable[[int, int], None]
) -> Verdict:
    path = folder / SEAL_FILE
    if not path.is_file():
        return Verdict((*_without_seal(folder),))
    signed, findings = _check_signatures(path.read_bytes(), SEAL_FILE, trusted)
    if signed is not None and signed.kind is not Kind.COUNT:
        signed, findings = None, [_not_of_here(SEAL_FILE)]
    present = list_files(folder, tell)
    if signed is None:
        text = _("No other file can be checked: what was sealed is not known any more.")
        return Verdict((*findings, Finding(text, holds=None), *_look_into(folder, None, recount)))
    try:
        sealed = [KeptFile.from_json(one) for one in signed.data["files"]]
    except (KeyError, TypeError, ValueError):
        return Verdict((*findings, _not_of_here(SEAL_FILE)))
    found = compare(sealed, present)
    findings += _say_differences(found, len(sealed))
    findings += _look_into(folder, signed, recount)
    return Verdict(tuple(findings), signed)


def _verify_file(text: bytes, trusted: Sequence[str]) -> Verdict:
    signed, findings = _check_signatures(text, _("This file"), trusted)
    if signed is not None and signed.kind is Kind.COUNT:
        text_of_it = _("This seal by itself speaks of {number} files, which were not looked at.")
        number = len(signed.data.get("files", ()))
        findings.append(Finding(text_of_it.format(number=number), holds=None))
    return Verdict(tuple(findings), signed)


def _check_signatures(
    text: bytes, name: str, trusted: Sequence[str]
) -> tuple[SignedFile | None, list[Finding]]:
    try:
        signed = read_signed(text)
    except NotSignedError:
        if not is_signed(text):
            return None, [Finding(_("{name} is not sealed.").format(name=name), holds=False)]
        return None, [_not_of_here(name)]
    findings = [Finding(_("Sealed at {at}.").format(at=signed.at.isoformat()), holds=None)]
    findings += [_say_signer(signer, name, trusted) for signer in signed.signers]
    have_signed = {signer.key for signer in signed.signers if signer.holds}
    for key in trusted:
        if key not in have_signed:
            text_of_it = _("The key {fingerprint}, which is trusted, has not signed it.")
            short = fingerprint(bytes.fromhex(key))
            findings.append(Finding(text_of_it.format(fingerprint=short), holds=False))
    return signed, findings


def _say_signer(signer: Signer, name: str, trusted: Sequence[str]) -> Finding:
    if not signer.holds:
        text = _("{name} was altered: the signature of the key {fingerprint} does not hold.")
    elif signer.key in trusted:
        text = _("{name} is signed by the key {fingerprint}, which is trusted.")
    elif trusted:
        text = _("{name} is also signed by the key {fingerprint}, of which nothing is known here.")
    else:
        text = _(
            "{name} is signed by the key {fingerprint}. Whose it is says only who gave it to you:"
            " give --trust FILE.pub."
        )
    return Finding(text.format(name=name, fingerprint=signer.fingerprint), holds=signer.holds)


def _say_differences(found: Differences, number: int) -> Iterator[Finding]:
    for name in found.changed:
        yield Finding(_("Changed: {name}").format(name=name), holds=False)
    for name in found.missing:
        yield Finding(_("Missing: {name}").format(name=name), holds=False)
    for name in found.added:
        yield Finding(_("Added: {name}").format(name=name), holds=False)
    for name in found.added_exports:
        text = _("Written later, and not sealed: {name}")
        yield Finding(text.format(name=name), holds=None)
    if found.is_whole:
        text = _("All {number} files are there, byte for byte as they were sealed.")
        yield Finding(text.format(number=number))


def _look_into(folder: Path, signed: SignedFile | None, recount: Recount) -> Iterator[Finding]:
    """What the database itself says, and which entry of its record does not hold."""
    if not (folder / DATABASE_FILE).is_file():
        return
    with tempfile.TemporaryDirectory(prefix="kiemphieu-") as passing:
        copy = Path(passing) / "count"
        copy.mkdir()
        shutil.copyfile(folder / DATABASE_FILE, copy / DATABASE_FILE)
        if (folder / FORMS_FOLDER).is_dir():
            shutil.copytree(folder / FORMS_FOLDER, copy / FORMS_FOLDER)
        findings = []
        try:
            with Store(copy, even_sealed=True) as store:
                findings = list(_ask(store, signed, recount))
        except KiemPhieuError as error:
            findings.append(_in_database(error.message))
        except Exception as error:  # noqa: BLE001 - an altered database may hold anything
            findings.append(_in_database(f"{type(error).__name__}: {error}"))
    yield from findings


def _ask(store: Store, signed: SignedFile | None, recount: Recount) -> Iterator[Finding]:
    faults = store.verify()
    for fault in faults:
        yield _in_database(fault)
    number, head = store.head()
    if not faults:
        text = _("The record is whole: {number} entries.")
        yield Finding(text.format(number=number), holds=True if signed is not None else None)
    if signed is None:
        return
    if (number, head) != (signed.record.entries, signed.record.hash):
        text = _("The record ends at entry {number}; it was sealed at entry {sealed}.")
        yield _in_database(text.format(number=number, sealed=signed.record.entries))
    agrees = recount(store, signed.data.get("tally", {}))
    if agrees is not None:
        holds = _("Counted anew from the database, the tally is the one that was sealed.")
        differs = _("Counted anew from the database, the tally is another than the sealed one.")
        yield Finding(holds if agrees else f"{DATABASE_FILE}: {differs}", holds=agrees)


def _without_seal(folder: Path) -> Iterator[Finding]:
    name = {"name": SEAL_FILE}
    if not (folder / DATABASE_FILE).is_file():
        yield Finding(_("There is no count here, and no seal."), holds=False)
        return
    yield Finding(_("Missing: {name}").format(**name), holds=False)
    yield from _look_into(folder, None, lambda _store, _tally: None)


def _in_database(text: str) -> Finding:
    return Finding(f"{DATABASE_FILE}: {text}", holds=False)


def _not_of_here(name: str) -> Finding:
    text = _("{name} was altered: it is not any more as the program wrote it.")
    return Finding(text.format(name=name), holds=False)
