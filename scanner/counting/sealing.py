"""A count is closed: everything in its folder is listed, hashed and signed; or opened again.

``seal.json`` in the count's folder holds the list, the head of the record and the tally. From the
moment that the record says so, nothing more is written to the count.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner import __version__
from scanner.counting.manifest import NO_FILE, SEAL_FILE, list_files
from scanner.counting.records import EXPORTS_FOLDER
from scanner.counting.redecide import at_rest
from scanner.counting.results import now
from scanner.counting.signing import (
    Kind,
    NotSignedError,
    RecordHead,
    SignedFile,
    fingerprint,
    public_of,
    read_signed,
    sign,
    write_canonical,
    write_plain,
)
from scanner.counting.store import Store
from scanner.counting.store_schema import storage_faults
from scanner.errors import BadArgumentsError, CountError
from scanner.messages import gettext as _

TALLY_FILE = f"{EXPORTS_FOLDER}/tally.json"
FORMER_SEALS_FOLDER = "seals"

TallyMaker = Callable[[datetime], Mapping[str, Any]]
"""Makes the tally of the count as it stands, as plain JSON, said to be made at a moment.

It refuses where the count is not final.
"""


def seal_count(
    store: Store,
    keys: Sequence[Ed25519PrivateKey],
    make_tally: TallyMaker,
    *,
    by: str = "",
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> SignedFile:
    """Close a count.

    Stopped half way, the same command closes it; until then nothing more is written to it.

    Args:
        store: The count.
        keys: Those that sign, at least one.
        make_tally: Makes its tally.
        by: Who closes it; empty where only the keys say so.
        tell: Told after each file how many are hashed and how many there are.

    Returns:
        The seal as it lies in the folder.

    Raises:
        CountError: It is sealed already or not final, its record is not whole, a scan into it is
            running or was broken off, another program has it open, or there is a link in it.
        StorageError: It cannot be written.
    """
    with at_rest(store):
        _check_ready(store)
        at = now()
        make_tally(at)
        store.enter_seal(by, [fingerprint(bytes.fromhex(public_of(key))) for key in keys])
        head = RecordHead(*store.head())
        tally = sign(Kind.TALLY, make_tally(at), keys, at=at, record=head)
        _write_whole(store.folder, TALLY_FILE, write_plain(tally))
        store.settle()
        with storage_faults(store.folder):
            files = list_files(store.folder, tell)
        if links := [file.path for file in files if file.sha256 == NO_FILE]:
            raise CountError(
                _("This is no file, and cannot be sealed: {name}.").format(name=links[0]),
                remedy=_("Put the file itself there, and run the same command again."),
                path=store.folder,
            )
        content = {
            "program": {"name": "kiemphieu", "version": __version__},
            "count": store.folder.resolve().name,
            "by": by,
            "files": [file.to_json() for file in files],
            "tally": {name: part for name, part in tally.items() if name != "seal"},
        }
        text = write_canonical(sign(Kind.COUNT, content, keys, at=at, record=head))
        _write_whole(store.folder, SEAL_FILE, text)
        return read_signed(text)


def open_again(store: Store, by: str, why: str) -> None:
    """Let a sealed count be written to again; the record says who did it and why.

    The seal that held until now is kept in the folder ``seals``.

    Args:
        store: The count.
        by: Who opens it.
        why: The reason.

    Raises:
        BadArgumentsError: No name or no reason is given.
        CountError: It is not sealed.
        StorageError: It cannot be written.
    """
    if not by.strip() or not why.strip():
        raise BadArgumentsError(
            _("A sealed count is opened again with a name and a reason."),
            remedy=_("Give --by NAME and --why TEXT."),
        )
    with store.exclusive():
        if not store.is_sealed:
            raise CountError(_("This count is not sealed."), path=store.folder)
        seal = read_seal(store.folder)
        store.enter_opened_again(by, why, seal.digest if seal is not None else "")
        path = store.folder / SEAL_FILE
        if path.is_file():
            name = f"{store.head()[0]}.json"
            with storage_faults(store.folder):
                (store.folder / FORMER_SEALS_FOLDER).mkdir(exist_ok=True)
                path.replace(store.folder / FORMER_SEALS_FOLDER / name)


def read_seal(folder: Path) -> SignedFile | None:
    """The seal of a count's folder, for what is to be printed; None where it has none that holds.

    Only its signatures are looked at, not what it says about the files.
    """
    try:
        seal = read_signed((folder / SEAL_FILE).read_bytes())
    except (OSError, NotSignedError):
        return None
    return seal if seal.kind is Kind.COUNT and seal.holds else None


def keep_sealed(folder: Path, path: Path) -> None:
    """See that writing a file does not alter a sealed count.

    Args:
        folder: The count's folder.
        path: The file about to be written.

    Raises:
        CountError: It is one of those that were sealed, or lies where nothing may be added.
    """
    inside = path.resolve()
    if not (folder / SEAL_FILE).is_file() or not inside.is_relative_to(folder.resolve()):
        return
    seal = read_seal(folder)
    name = inside.relative_to(folder.resolve()).as_posix()
    sealed = {file["path"] for file in seal.data["files"]} if seal is not None else {name}
    if name in sealed or not name.startswith(f"{EXPORTS_FOLDER}/"):
        raise CountError(
            _("The count is sealed, and {name} is part of it.").format(name=name),
            remedy=_("Name another place with -o."),
            path=folder,
        )


def _check_ready(store: Store) -> None:
    if store.is_sealed and (store.folder / SEAL_FILE).is_file():
        raise CountError(
            _("This count is sealed already."),
            remedy=_("'kiemphieu verify COUNT' says whether the seal holds."),
            path=store.folder,
        )
    faults = store.verify()
    if faults:
        raise CountError(
            faults[0],
            remedy=_("The record is not as it was written; compare with a copy."),
            path=store.folder,
        )
    # Found before the record says that the count is closed, not after.
    store.settle()


def _write_whole(folder: Path, name: str, text: bytes) -> None:
    """A file that takes its place only when it is complete and on the disk."""
    path = folder / name
    passing = path.with_name(f"{path.name}.part")
    with storage_faults(folder):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with passing.open("wb") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            passing.replace(path)
        finally:
            with suppress(OSError):
                passing.unlink(missing_ok=True)
