"""Small counts that are final, and keys to seal them with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.people import Role
from scanner.counting.sealing import seal_count
from scanner.counting.signing import SignedFile
from scanner.counting.store import Store
from scanner.counting.tally_making import TallyHeading
from scanner.forms.template import Form
from scanner.publishing.sealed_tally import final_tally
from tests.stored_counts import ink, make_count

EMPTY, CLEAR = ink(0.001), ink(0.5)
LAN = Ed25519PrivateKey.from_private_bytes(b"L" * 32)
MINH = Ed25519PrivateKey.from_private_bytes(b"M" * 32)
PIN = "4711"


def count_to_seal(folder: Path, form: Form) -> Path:
    """Four clear sheets of two contests, c1 and c2; the papers are told, people are entered."""
    first, second = (CLEAR, EMPTY, EMPTY), (EMPTY, CLEAR, EMPTY)
    sheets = [(first, first), (second, first), (first, second), (second, second)]
    make_count(folder, form, sheets)
    (folder / "images" / "a.pdf").write_bytes(b"%PDF-1.7 four sheets of paper")
    with Store(folder) as store:
        store.set_papers(issued=5, collected=4)
        store.add_person("Hoa", PIN, Role.COMMITTEE, "Hoa")
        store.add_person("Xem", PIN, Role.READER, "Hoa")
    return folder


def seal_with(folder: Path, keys: Sequence[Ed25519PrivateKey] = (LAN,)) -> SignedFile:
    """Seal a count as the command does."""
    with Store(folder) as store:
        forms = load_kept_forms(store)

        def make_tally(at: datetime) -> dict[str, Any]:
            return final_tally(store, forms, at, TallyHeading())

        return seal_count(store, keys, make_tally, by="Hoa")


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, the cache left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] != "cache"
    }
