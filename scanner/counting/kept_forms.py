"""A count keeps a copy of each form it reads with, and never reads with another."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path

from scanner.counting.records import FORMS_FOLDER
from scanner.counting.store import Store
from scanner.counting.store_schema import storage_faults
from scanner.errors import CountError, FormError
from scanner.forms.catalog import find_form, list_forms
from scanner.forms.template import FORM_FILE, Form, read_form
from scanner.forms.versions import former_versions
from scanner.messages import gettext as _


def keep_forms(store: Store, forms_folder: Path, form_ids: Sequence[str]) -> list[Form]:
    """The count's own copies of some forms; those it does not have yet are copied.

    Args:
        store: The count.
        forms_folder: Where forms are registered.
        form_ids: Forms to read with; with none, those of the count, or all that are registered
            if the count has none yet.

    Raises:
        CountError: A registered form is not any more the one the count began with.
        FormError: There is no such form, or none at all, or one is faulty.
    """
    kept = store.forms()
    wanted = form_ids or sorted(kept) or [form.id for form in list_forms(forms_folder)]
    if not wanted:
        raise FormError(
            _("No form is registered here."),
            remedy=_("Register one with 'kiemphieu form import', or give --forms FOLDER."),
            path=forms_folder,
        )
    for form_id in wanted:
        if form_id in kept:
            _see_that_it_is_the_same(kept[form_id][0], forms_folder / form_id, store.folder)
        else:
            _copy_form(store, find_form(forms_folder, form_id))
    return load_kept_forms(store, wanted)


def load_kept_forms(store: Store, form_ids: Sequence[str] = ()) -> list[Form]:
    """The count's copies of some of its forms, of all if none are named.

    Raises:
        CountError: A copy is not what it was.
    """
    forms = []
    for form_id, (content_hash, folder) in store.forms().items():
        if form_ids and form_id not in form_ids:
            continue
        form = _read_unchanged(store.folder / FORMS_FOLDER / folder)
        if form.content_hash != content_hash:
            raise CountError(
                _("The count's copy of form {form} has been changed.").format(form=form_id),
                remedy=_("Take the folder back from a copy of the count."),
                path=form.folder,
            )
        forms.append(form)
    return forms


def _read_unchanged(folder: Path) -> Form:
    """The form in a folder, read anew only after one of its files has changed."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    stamps = ((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return _read_once(folder, tuple(stamps))


@lru_cache(maxsize=256)
def _read_once(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> Form:
    del stamps  # They only tell one state of the folder from another.
    return read_form(folder)


def _see_that_it_is_the_same(content_hash: str, registered: Path, count_folder: Path) -> None:
    if not (registered / FORM_FILE).is_file():
        return
    # Places to write may be added to a form in use: what is read does not depend on them. And a
    # form that was saved anew on its page still has the version that the count began with.
    versions = chain([read_form(registered)], former_versions(registered))
    if not any(
        content_hash in {form.content_hash, form.hash_without_comments} for form in versions
    ):
        raise CountError(
            _("Form {form} has changed since this count began.").format(form=registered.name),
            remedy=_("Begin a new count, or register the changed form under another name."),
            path=count_folder,
        )


def _copy_form(store: Store, form: Form) -> None:
    name = f"{form.id}-{form.content_hash[:12]}"
    target = store.folder / FORMS_FOLDER / name
    with storage_faults(store.folder):
        if not target.is_dir():
            passing = target.with_name(f"{name}.part")
            shutil.rmtree(passing, ignore_errors=True)
            passing.mkdir(parents=True)
            for file in (FORM_FILE, *(page.blank for page in form.pages)):
                shutil.copyfile(form.folder / file, passing / file)
            passing.replace(target)
        yaml = (target / FORM_FILE).read_text(encoding="utf-8")
    store.add_form(form.id, form.content_hash, name, yaml)
