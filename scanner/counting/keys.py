"""Key files: the private half under a pass phrase, the public half beside it."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from scanner.counting.signing import fingerprint
from scanner.errors import BadArgumentsError, StorageError, UnreadableFileError
from scanner.messages import gettext as _

FEWEST_LETTERS = 12
"""Of a pass phrase: who has the file can try out shorter ones."""
PUBLIC_SUFFIX = ".pub"
ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
ONLY_ITS_OWNER = 0o600


def make_key(path: Path, pass_phrase: str) -> tuple[Path, str]:
    """Make a pair of keys: the private one in a file that is not there yet.

    Args:
        path: Where the private key goes (PEM, PKCS8, encrypted); the public one lies beside it.
        pass_phrase: Twelve letters or more; nobody can find it again.

    Returns:
        The file of the public key, and its fingerprint in short groups.

    Raises:
        BadArgumentsError: One of the two files is there already, or the pass phrase is too short.
        StorageError: They cannot be written.
    """
    if len(pass_phrase) < FEWEST_LETTERS:
        raise BadArgumentsError(
            _("A pass phrase has {number} letters or more.").format(number=FEWEST_LETTERS)
        )
    public_path = path.with_name(f"{path.name}{PUBLIC_SUFFIX}")
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(pass_phrase.encode())
    )
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for file in (public_path, path):
        if file.exists():
            raise _there_already(file)
    _write_new(path, private)
    _write_new(public_path, public)
    return public_path, fingerprint(key.public_key().public_bytes_raw())


def read_key(path: Path, pass_phrase: str) -> Ed25519PrivateKey:
    """The private key in a file.

    Raises:
        BadArgumentsError: The pass phrase is another one.
        UnreadableFileError: The file is not there, or holds no such key.
    """
    text = _read(path)
    try:
        key = load_pem_private_key(text, pass_phrase.encode())
    except TypeError as error:
        raise UnreadableFileError(
            _("This key has no pass phrase; whoever finds the file could sign."),
            remedy=_("Make another with 'kiemphieu key new FILE'."),
            path=path,
        ) from error
    except ValueError as error:
        if text.startswith(ENCRYPTED):
            raise BadArgumentsError(_("The pass phrase is wrong."), path=path) from error
        raise _no_key(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path)
    return key


def read_public_key(path: Path) -> str:
    """The public key in a file, 64 hexadecimal digits.

    Raises:
        UnreadableFileError: The file is not there, or holds no such key.
    """
    try:
        key = load_pem_public_key(_read(path))
    except ValueError as error:
        raise _no_key(path) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path)
    return key.public_bytes_raw().hex()


def _write_new(path: Path, text: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Windows would write other line ends into what it takes for text.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        handle = os.open(path, flags, ONLY_ITS_OWNER)
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise _there_already(path) from error
    except OSError as error:
        raise StorageError(
            _("This file cannot be written: {why}.").format(why=error.strerror or error),
            remedy=_("Close it where it is open, make space, or choose another place."),
            path=path,
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(
            _("This file cannot be opened: {why}.").format(why=error.strerror or error), path=path
        ) from error


def _there_already(path: Path) -> BadArgumentsError:
    return BadArgumentsError(
        _("This file is there already; no key is ever written over."),
        remedy=_("Choose another name."),
        path=path,
    )


def _no_key(path: Path) -> UnreadableFileError:
    return UnreadableFileError(
        _("This is no key that 'kiemphieu key new' has made."),
        remedy=_("The private key is in the file that was named, the public one in FILE.pub."),
        path=path,
    )
