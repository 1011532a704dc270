"""The chain of the record: whatever is done to it afterwards shows."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from scanner.counting.journal import (
    NOTHING_BEFORE,
    Action,
    Break,
    Draft,
    Entry,
    Fault,
    canonical,
    find_break,
    plain,
    seal,
)

NOON = "2023-10-27T12:00:00+00:00"
texts = st.text(max_size=8)
values = st.recursive(
    texts | st.booleans() | st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
drafts = st.builds(
    Draft,
    who=texts,
    action=st.sampled_from(list(Action)),
    detail=st.dictionaries(texts, values, max_size=3),
    sheet=st.none() | st.integers(1, 9),
    contest=st.none() | texts,
)


def chain(several: list[Draft]) -> list[Entry]:
    entries: list[Entry] = []
    for number, draft in enumerate(several, start=1):
        previous = entries[-1].hash if entries else NOTHING_BEFORE
        entries.append(seal(draft, number=number, at=NOON, previous=previous))
    return entries


@given(st.lists(drafts, max_size=5))
def test_what_was_entered_holds(several: list[Draft]) -> None:
    assert find_break(chain(several)) is None


@given(st.lists(drafts, min_size=1, max_size=4), st.data())
def test_an_entry_that_is_altered_shows(several: list[Draft], data: st.DataObject) -> None:
    entries = chain(several)
    place = data.draw(st.integers(0, len(entries) - 1))
    former = entries[place]
    changes: dict[str, Any] = {
        "who": former.who + "x",
        "at": NOON.replace("12", "13"),
        "sheet": (former.sheet or 0) + 1,
        "contest": (former.contest or "") + "x",
        "detail": {**former.detail, "more": 1},
        "action": next(one for one in Action if one is not former.action),
        "previous": former.hash,
        "number": former.number + 1,
        "hash": NOTHING_BEFORE,
    }
    name = data.draw(st.sampled_from(sorted(changes)))
    entries[place] = replace(former, **{name: changes[name]})
    broken = find_break(entries)
    assert broken is not None
    assert broken.number in {entries[place].number, former.number}


@given(st.lists(drafts, min_size=3, max_size=5), st.data())
def test_an_entry_left_out_put_in_or_moved_shows(several: list[Draft], data: st.DataObject) -> None:
    entries = chain(several)
    place = data.draw(st.integers(0, len(entries) - 2))
    left_out = [*entries[:place], *entries[place + 1 :]]
    twice = [*entries[: place + 1], *entries[place:]]
    moved = [*left_out[: place + 1], entries[place], *left_out[place + 1 :]]
    for other in (left_out, twice, moved):
        assert find_break(other) is not None


def test_an_entry_written_anew_breaks_the_chain_at_the_next() -> None:
    entries = chain([Draft("Lan", Action.NOTED, {"text": str(n)}) for n in range(3)])
    forged = Draft("Lan", Action.NOTED, {"text": "forged"})
    entries[1] = seal(forged, number=2, at=NOON, previous=entries[0].hash)
    assert find_break(entries) == Break(3, Fault.PREVIOUS)


def test_anybody_can_work_the_hash_out_again() -> None:
    draft = Draft("Lan", Action.DECIDED, {"why": "rõ", "share": 0.1}, 7, "câu 1")
    (entry,) = chain([draft])
    rest: dict[str, Any] = {
        "number": 1, "at": NOON, "who": "Lan", "action": "decided", "sheet": 7, "contest": "câu 1",
        "detail": {"why": "rõ", "share": "0.1"}, "previous": "0" * 64,
    }  # fmt: skip
    assert entry.hash == hashlib.sha256(rfc8785.dumps(rest)).hexdigest()


@given(values)
def test_what_is_kept_is_written_in_one_way_only(value: Any) -> None:
    kept = plain(value)
    assert plain(kept) == kept
    assert canonical(kept) == canonical(plain(kept))


def test_a_letter_that_no_file_can_hold_is_spelt_out() -> None:
    assert plain("a\ud800") == "a\\ud800"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e300, 0.1 + 0.2])
def test_a_real_number_is_kept_as_text(number: float) -> None:
    assert plain({"x": [number]}) == {"x": [repr(number)]}
