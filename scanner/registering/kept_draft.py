"""The draft of a form kept beside it at each edit, so that nothing is lost with the browser."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from scanner.errors import FormError
from scanner.forms.workshop import open_whole
from scanner.registering.editing import Draft, dump_draft, load_draft

DRAFT_FILE = "draft.json"
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """What was not saved when the page was last open."""

    draft: Draft
    stamp: str
    """The state of ``form.yaml`` that it was made from."""
    kept_at: datetime


def keep_draft(draft: Draft, stamp: str, folder: Path) -> None:
    """Write a draft beside its form, in the place of the one before.

    Raises:
        StorageError: The folder cannot be written.
    """
    data = {"schema": _SCHEMA, "form": stamp, "draft": dump_draft(draft)}
    with open_whole(folder / DRAFT_FILE) as stream:
        stream.write(json.dumps(data, ensure_ascii=False).encode())
        stream.flush()
        os.fsync(stream.fileno())


def find_draft(folder: Path) -> KeptDraft | None:
    """The draft that lies beside a form; None where there is none, or none that can be read."""
    path = folder / DRAFT_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != _SCHEMA:
            return None
        kept_at = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        return KeptDraft(load_draft(data["draft"]), str(data["form"]), kept_at)
    except (OSError, ValueError, KeyError, TypeError, FormError):
        return None


def drop_draft(folder: Path) -> None:
    """Take the draft away: it was saved, or is not wanted."""
    (folder / DRAFT_FILE).unlink(missing_ok=True)
