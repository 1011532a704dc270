"""Keys that sign, and files of JSON that carry their signatures.

A signature is Ed25519 (RFC 8032) over the file's content as canonical JSON (RFC 8785), the
signatures themselves left out. Which keys sign stands in what they sign, so that none of them can
be taken away or put in unseen. Nothing here knows a count or a folder.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEAL = "seal"
"""The member of a signed file that holds what belongs to its signatures."""
SIGNATURES = "signatures"
FORMAT = 1
SHORT_DIGITS = 24
GROUP_DIGITS = 4


class Kind(StrEnum):
    """What a signed file is; it is signed with it, so that none passes for another."""

    COUNT = "kiemphieu sealed count"
    TALLY = "kiemphieu sealed tally"


class NotSignedError(ValueError):
    """A file is not one that was signed here; the text says in what, in English, for the log."""


@dataclass(frozen=True, slots=True)
class RecordHead:
    """Where the record of a count stood."""

    entries: int
    hash: str
    """Of the last entry, 64 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that is said to have signed a file, and whether it has."""

    key: str
    """The public key, 64 hexadecimal digits."""
    holds: bool
    """Whether its signature is that of this very content."""

    @property
    def fingerprint(self) -> str:
        """The key in short groups, as it is read out over the telephone."""
        return fingerprint(bytes.fromhex(self.key))


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A signed file, taken apart."""

    kind: Kind
    data: Mapping[str, Any]
    """All that is signed: the file's content without its signatures."""
    at: datetime
    record: RecordHead
    signers: tuple[Signer, ...]
    """Every key named in it, in order."""
    digest: str
    """SHA-256 over what is signed, 64 hexadecimal digits: the seal's own name."""

    @property
    def holds(self) -> bool:
        """Whether every key that is named has signed this very content."""
        return all(signer.holds for signer in self.signers)

    @property
    def short(self) -> str:
        """The digest in short groups, as it is printed on the minutes."""
        return in_groups(self.digest)

    @property
    def content(self) -> dict[str, Any]:
        """What the file says, without what belongs to its signatures."""
        return {name: part for name, part in self.data.items() if name != SEAL}


def public_of(key: Ed25519PrivateKey) -> str:
    """The public half of a key, 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()


def fingerprint(public: bytes) -> str:
    """A public key in short groups: the first 96 bits of the SHA-256 over its 32 bytes."""
    return in_groups(hashlib.sha256(public).hexdigest())


def in_groups(digest: str) -> str:
    """The first 24 hexadecimal digits in groups of four, as in ``3F2A-91BC-0D4E-77A1-5C02-E6B8``.

    Nobody can make another file or key with 96 given bits of SHA-256.
    """
    short = digest[:SHORT_DIGITS].upper()
    return "-".join(
        short[place : place + GROUP_DIGITS] for place in range(0, SHORT_DIGITS, GROUP_DIGITS)
    )


def sign(
    kind: Kind,
    content: Mapping[str, Any],
    keys: Sequence[Ed25519PrivateKey],
    *,
    at: datetime,
    record: RecordHead,
) -> dict[str, Any]:
    """Content with the signatures of some keys.

    Args:
        kind: What it is.
        content: Plain JSON; whole numbers below 2**53.
        keys: At least one; the same key twice signs once.
        at: When, with a time zone.
        record: Where the record of the count stands.

    Raises:
        ValueError: There is no key, or the content is not plain JSON.
    """
    by_public = {public_of(key): key for key in keys}
    if not by_public:
        raise ValueError("a seal needs a key")
    about: dict[str, Any] = {
        "format": FORMAT,
        "kind": kind.value,
        "at": at.isoformat(timespec="seconds"),
        "record": {"entries": record.entries, "hash": record.hash},
        "signers": sorted(by_public),
    }
    # As a reader will have it: whole reals become whole numbers, keys become texts.
    whole: dict[str, Any] = {**content, SEAL: about}
    signed = json.loads(rfc8785.dumps(whole))
    text = rfc8785.dumps(signed)
    signatures = {name: key.sign(text).hex() for name, key in sorted(by_public.items())}
    return {**signed, SEAL: {**signed[SEAL], SIGNATURES: signatures}}


def write_plain(data: Mapping[str, Any]) -> bytes:
    """A signed file as a person can read it; :func:`read_signed` takes this writing."""
    return f"{json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)}\n".encode()


def write_canonical(data: Mapping[str, Any]) -> bytes:
    """A signed file as canonical JSON; :func:`read_signed` takes this writing too."""
    return rfc8785.dumps(dict(data))


def is_signed(text: bytes) -> bool:
    """Whether a file says of itself that it is signed; it need not hold."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and SEAL in data


def read_signed(text: bytes) -> SignedFile:
    """A signed file, with what its signatures are worth.

    Only the two ways in which the program writes are taken, so that not even a space can be put in
    unseen.

    Raises:
        NotSignedError: It is no such file, or was written anew by other hands.
    """
    try:
        data = json.loads(text)
        about = data[SEAL]
        signed = {**data, SEAL: {n: part for n, part in about.items() if n != SIGNATURES}}
        canonical = rfc8785.dumps(signed)
        found = SignedFile(
            kind=Kind(about["kind"]),
            data=signed,
            at=datetime.fromisoformat(about["at"]),
            record=RecordHead(int(about["record"]["entries"]), _hex(about["record"]["hash"], 64)),
            signers=_signers(about, canonical),
            digest=hashlib.sha256(canonical).hexdigest(),
        )
        is_of_here = about["format"] == FORMAT
        is_as_written = text in (write_plain(data), write_canonical(data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotSignedError(f"{type(error).__name__}: {error}") from error
    if not (is_of_here and is_as_written):
        raise NotSignedError("not as it was written")
    return found


def _signers(about: Mapping[str, Any], signed: bytes) -> tuple[Signer, ...]:
    named: list[str] = [_hex(key, 64) for key in about["signers"]]
    signatures: Mapping[str, str] = about[SIGNATURES]
    if not named or named != sorted(set(named)) or set(signatures) != set(named):
        raise ValueError("the signatures are not those of the keys it names")
    return tuple(Signer(key, _holds(key, signatures[key], signed)) for key in named)


def _holds(key: str, signature: str, signed: bytes) -> bool:
    try:
        # Capital letters would be the same number, and another file.
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(_hex(signature, 128)), signed
        )
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _hex(text: str, digits: int) -> str:
    if not re.fullmatch(f"[0-9a-f]{{{digits}}}", text):
        raise ValueError("not hexadecimal digits")
    return text
