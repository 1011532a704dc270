"""Two people at the same question: the second one to save is told, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence

from scanner.counting.adjudication import Decision
from scanner.errors import CountError
from scanner.messages import gettext as _


class OvertakenError(CountError):
    """Somebody else has decided on the same thing meanwhile; nothing was saved.

    Args:
        latest: The last decision on it.
    """

    def __init__(self, latest: Decision) -> None:
        super().__init__(
            _("{name} has decided on this meanwhile; yours is not saved.").format(name=latest.by),
            remedy=_("Look at it again."),
        )
        self.latest = latest


def check_known(decision: Decision, decisions: Sequence[Decision], known: int) -> None:
    """See that a person has seen everything that was decided on the same thing.

    Args:
        decision: What they want to decide.
        decisions: Those made before on the same sheet, oldest first.
        known: Id of the last one on the same contest that they knew of, or on the sheet as a
            whole; 0 for none.

    Raises:
        OvertakenError: There is a later one.
    """
    later = [one for one in decisions if one.contest == decision.contest and one.id > known]
    if later:
        raise OvertakenError(later[-1])
