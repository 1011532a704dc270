"""The order of the pages told after the fact: finished batches are put together anew.

Nothing is read again. What a person has decided is never lost: a batch with a decision on one
of its sheets stays as it is.
"""

from __future__ import annotations

from dataclasses import replace

from scanner.counting.files import hash_file
from scanner.counting.page_order import PageOrder
from scanner.counting.records import Batch, BatchRequest
from scanner.counting.store import BATCH_DONE, Store
from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _


def reopen_batches(store: Store, request: BatchRequest) -> tuple[list[Batch], bool]:
    """Take apart the batches of files that are in the count already, if their order is told now.

    Args:
        store: The count.
        request: What is to be scanned, and in which order its pages lie.

    Returns:
        The batches, to be finished as any other; and whether there is more to scan.

    Raises:
        BadArgumentsError: Only some of the files of a batch are named.
        CountError: A person has decided on a sheet of theirs.
        UnreadableFileError: A file cannot be read.
    """
    told_otherwise = [batch for batch in store.batches() if batch.request.order != request.order]
    if request.order is PageOrder.LEARNED or not told_otherwise:
        return [], True
    given = {hash_file(path) for path in request.paths()}
    reopened = []
    for batch in told_otherwise:
        own = {file.hash: file.name for file in store.files(batch.id) if file.known_as is None}
        if not own or given.isdisjoint(own):
            continue
        unnamed = [name for content_hash, name in own.items() if content_hash not in given]
        if unnamed:
            raise BadArgumentsError(
                _("These files were scanned together with others, such as {file}.").format(
                    file=unnamed[0]
                ),
                remedy=_("Name all files of that scan, so that all are put together anew."),
            )
        reopened.append(replace(batch, request=replace(batch.request, order=request.order)))
        given -= own.keys()
    store.reopen_batches({batch.id: batch.request for batch in reopened})
    return reopened, bool(given) or not reopened


def batches_without_order(store: Store) -> list[Batch]:
    """The batches whose sheets are in doubt until somebody tells the order of their pages."""
    last = {
        detail["id"]: bool(detail.get("needs_order"))
        for _at, what, detail in store.events()
        if what == BATCH_DONE
    }
    return [batch for batch in store.batches() if last.get(batch.id)]
