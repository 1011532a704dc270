"""Reads files with marksense; run by the Python of an environment that has it.

``python marksense_driver.py JOB.json`` writes ``answers.json`` beside the job. The files are read
with both of its limits at nothing, so that its confidence is known for what it would have left
out. The first few are read as its makers meant it as well: what it answers must be the same.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import marksense.pipeline as pipeline  # type: ignore[import-not-found]
from marksense.detector import DensityDetector  # type: ignore[import-not-found]
from marksense.interpreter import TemplateInterpreter  # type: ignore[import-not-found]

LIMIT = 0.3
COMPARED = 6


def main() -> None:
    """Read all files of the job."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    usual = [_read(task) for task in job[:COMPARED]]
    detector, interpret = DensityDetector, TemplateInterpreter.interpret
    pipeline.DensityDetector = lambda: detector(min_density=0.0)
    TemplateInterpreter.interpret = lambda self, found, page: interpret(self, found, page, 0.0)
    started = time.perf_counter()
    sheets = [_read(task) for task in job]
    seconds = time.perf_counter() - started
    for one, other in zip(usual, sheets, strict=False):
        _must_agree(one, other)
    out = Path(sys.argv[1]).with_name("answers.json")
    out.write_text(json.dumps({"seconds": seconds, "sheets": sheets}), encoding="utf-8")


def _read(task: dict[str, str]) -> dict[str, Any]:
    try:
        result = pipeline.read_form(task["file"], task["template"])
    except Exception as error:  # noqa: BLE001 - whatever it raises, the sheet was not read
        return {"error": repr(error)}
    return {
        "answers": result.answers,
        "confidence": result.confidence,
        "multi_marked": result.multi_marked,
        "alignment": min(result.alignment_confidence.values(), default=0.0),
    }


def _must_agree(usual: dict[str, Any], free: dict[str, Any]) -> None:
    """What it answers by itself is what it answers without limits, less what is unsure."""
    if "error" in usual or "error" in free:
        return
    kept = {
        question: answer
        for question, answer in free["answers"].items()
        if free["confidence"][question] >= LIMIT
    }
    if kept != usual["answers"]:
        raise SystemExit(f"answers differ: {kept} and {usual['answers']}")


if __name__ == "__main__":
    main()
