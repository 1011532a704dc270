"""The benchmark of papers scanned twice reckons as it says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.same_paper import AS_IN_FULL, read_paper, report, to_expect
from scanner.counting.same_paper import FEWEST_MARKS


def test_false_alarms_are_reckoned_from_the_fall_off() -> None:
    pairs = AS_IN_FULL * (AS_IN_FULL - 1) / 2
    scores = np.random.default_rng(1).exponential(1.0, 400_000)
    # The chance of an exponential variable above 16 is e to the -16.
    assert to_expect(scores, 16.0) == pytest.approx(pairs * np.exp(-16), rel=0.9)
    assert to_expect(scores, 20.0) < to_expect(scores, 16.0) / 20
    assert to_expect(scores, np.inf) == 0


def test_a_paper_is_found_again_and_strangers_are_told_apart(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seeds = [seed for seed in range(3_000_000, 3_000_004)]
    inks = {
        again: [
            read_paper(seed, form_id="tth5_phuong", world="conforming", one_voter=True, again=again)
            for seed in seeds
        ]
        for again in (False, True)
    }
    firsts = [ink for ink in inks[False] if ink is not None]
    assert min(ink.count(":") for ink in firsts) > FEWEST_MARKS
    pairs = [(a, b) for a, b in zip(*inks.values(), strict=True) if a and b]
    report(firsts, pairs)
    said = capsys.readouterr().out
    assert "found 4 of 4 papers scanned twice" in said
    assert "false alarms: 0 in 6 pairs" in said
