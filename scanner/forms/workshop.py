"""Where a form or a file is made before it takes its place: complete, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

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


@contextmanager
def open_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its place only when it is complete.

    Raises:
        StorageError: It cannot be written there.
    """
    passing = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with passing.open("wb") as stream:
            yield stream
        passing.replace(path)
    except OSError as error:
        raise StorageError(
            _("This file cannot be written: {why}.").format(why=error.strerror or error),
            remedy=_("Close it where it is open, make space, or choose another place."),
            path=path,
        ) from error
    finally:
        with suppress(OSError):
            passing.unlink(missing_ok=True)
