"""The figures of a form parted into groups: by field of service, batch, channel or day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from scanner.counting.reconcile import BatchFacts
from scanner.counting.tally import CastVoteRecord, FormTally, Sums
from scanner.forms.template import Contest, Form

NO_GROUP = ""
"""The group of sheets that do not say to which group they belong."""

GroupsOf = Callable[[CastVoteRecord], Sequence[str]]
"""The groups in which a sheet counts: one, or several where it gives several answers."""


class By(StrEnum):
    """By what figures are parted."""

    FIELD = "field"
    """Contests that say who answers; each is a breakdown of its own."""
    BATCH = "batch"
    CHANNEL = "channel"
    DAY = "day"


def by_answer(contest: Contest) -> GroupsOf:
    """By the answers to one contest; a sheet with several is in the group of each of them."""

    def groups(record: CastVoteRecord) -> Sequence[str]:
        vote = next((vote for vote in record.votes if vote.contest == contest.id), None)
        return (vote.options if vote is not None else ()) or (NO_GROUP,)

    return groups


def by_batch(
    batches: Mapping[int, int], facts: Mapping[int, BatchFacts], by: By = By.BATCH
) -> GroupsOf:
    """By the batch of a sheet, or by the channel or the day of its batch.

    Args:
        batches: The batch of each sheet.
        facts: What is told of each batch.
        by: By the batch itself unless told.
    """

    def groups(record: CastVoteRecord) -> Sequence[str]:
        number = batches[record.sheet]
        told = facts.get(number, BatchFacts())
        names = {By.BATCH: str(number), By.CHANNEL: told.channel, By.DAY: told.day}
        return (names[by],)

    return groups


def break_down(
    records: Iterable[CastVoteRecord], form: Form, groups_of: GroupsOf
) -> dict[str, FormTally]:
    """The sums of one form for each group.

    Where every sheet is in one group, the sums of the groups are those of the form.

    Args:
        records: Valid sheets; those of other forms are left out.
        form: The form.
        groups_of: In which groups a sheet counts.

    Returns:
        By group, in the order of their names; the sheets without a group last.
    """
    sums: dict[str, Sums] = {}
    for record in records:
        if record.form == form.id:
            for group in groups_of(record):
                sums.setdefault(group, Sums()).add(record)
    names = sorted(sums, key=lambda name: (name == NO_GROUP, len(name) if name.isdigit() else 0,
                                           name))  # fmt: skip
    return {name: sums[name].tally([form]).forms[0] for name in names}
