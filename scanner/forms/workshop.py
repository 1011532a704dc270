"""Where a form is made before it is put among the others: complete, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scanner.errors import StorageError
from scanner.messages import gettext as _


@contextmanager
def open_workshop(folder: Path) -> Iterator[Path]:
    """A folder on the same disk for unfinished forms; one level too deep to be listed.

    Raises:
        StorageError: ``folder`` cannot be written, or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        yield workshop
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def move_into_place(workshop: Path, folder: Path, form_id: str) -> None:
    """Put a finished form among the others; one of the same id goes, but only if this succeeds.

    Raises:
        OSError: The form could not be moved; the former one is back in its place.
    """
    place, former = folder / form_id, workshop / f"{form_id}.former"
    had_former = place.exists()
    if had_former:
        place.rename(former)
    try:
        (workshop / form_id).rename(place)
    except OSError:
        if had_former:
            former.rename(place)
        raise


def cannot_write(folder: Path, error: OSError) -> StorageError:
    """What the user is told of a disk that refuses."""
    return StorageError(
        _("The form cannot be written ({reason}).").format(reason=error.strerror or error),
        remedy=_("Check that the folder may be written, and that the disk has space."),
        path=folder,
    )
