"""Which questions ask about satisfaction, and which of their answers are satisfied ones."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from scanner.counting.rules import Satisfaction

SATISFIED = frozenset({"rất hài lòng", "hài lòng", "very satisfied", "satisfied"})
"""What is counted in the index, as that of the Vietnamese ministries is."""
SCALE = SATISFIED | frozenset(
    {
        "tương đối hài lòng", "bình thường", "chưa hài lòng", "không hài lòng",
        "rất không hài lòng", "không có ý kiến", "neutral", "dissatisfied", "very dissatisfied",
        "not satisfied", "neither satisfied nor dissatisfied",
    }
)  # fmt: skip
"""All that is printed on a scale of satisfaction, however many steps it has."""


def satisfied_options(labels: Mapping[str, str]) -> frozenset[str]:
    """The options of a question that are satisfied answers; none where it asks something else.

    A question is on satisfaction if each of its labels is a step of the scale, and one at least is
    a satisfied one and one is not. Letters, capitals and spaces are compared as Unicode means them,
    so that a label of decomposed letters is the same.

    Args:
        labels: The printed words of each option, by its id.
    """
    words = {option: _plain(label) for option, label in labels.items()}
    satisfied = frozenset(option for option, label in words.items() if label in SATISFIED)
    is_scale = all(label in SCALE for label in words.values())
    return satisfied if is_scale and 0 < len(satisfied) < len(labels) else frozenset()


def satisfaction_of(votes: Mapping[str, int], labels: Mapping[str, str]) -> Satisfaction | None:
    """The answers to one question on satisfaction; None where it asks something else.

    Args:
        votes: Of each option, by its id.
        labels: The printed words of each option, by its id.
    """
    satisfied = satisfied_options(labels)
    if not satisfied:
        return None
    return Satisfaction(sum(votes[option] for option in satisfied), sum(votes.values()))


def index_parts(
    questions: Sequence[tuple[Mapping[str, int], Mapping[str, str]]],
) -> list[Satisfaction]:
    """Those of some questions, each as votes and labels, that are on satisfaction."""
    found = [satisfaction_of(votes, labels) for votes, labels in questions]
    return [one for one in found if one is not None]


def _plain(label: str) -> str:
    return " ".join(unicodedata.normalize("NFC", label).casefold().split())
