"""The reader marksense, from the registry of Python packages, in an environment of its own.

Its template is written as its makers' guide says: a blank at 150 dpi, and for each option a
region a little larger than the printed box. The blank is an empty sheet out of the very scanner
that the others come from, which is kinder to it than the file that was printed. It knows one
answer for each question, so a question that allows several becomes one for each of its options.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

from benchmarks.environments import NotThereError
from benchmarks.readers import Answers, SheetAnswer
from scanner.forms.template import Contest, Form, Option
from tests.world.sheets import Batch, DrawnSheet, scan_empty

PACKAGE = "marksense==0.2.0"
DEFAULT_LIMIT = 0.2999
"""It gives an answer from a confidence of 0.3 on."""
_LEAST_ALIGNMENT = 0.3
"""Its documentation calls an alignment less sure than this unreliable."""
_DPI = 150
_ROOM_MM = 0.7
_DRIVER = Path(__file__).with_name("marksense_driver.py")

Questions = list[tuple[Contest, tuple[Option, ...]]]


def read(
    python: Path, form: Form, sheets: Sequence[DrawnSheet], files: Sequence[Path], folder: Path
) -> Answers:
    """What it makes of the sheets of one page of a form.

    Args:
        python: The Python that has it.
        form: The form; its first page is read.
        sheets: What was drawn.
        files: The same sheets as files.
        folder: For its template.

    Raises:
        NotThereError: It ended with an error.
    """
    questions = _questions(form)
    folder.mkdir(parents=True, exist_ok=True)
    templates: dict[int, str] = {}
    for sheet in sheets:
        batch = sheet.batch
        if batch.number not in templates:
            home = folder / str(batch.number)
            templates[batch.number] = str(_write_template(batch, questions, home))
    tasks = [
        {"file": str(file), "template": templates[sheet.batch.number]}
        for sheet, file in zip(sheets, files, strict=True)
    ]
    job = folder / "job.json"
    job.write_text(json.dumps(tasks), encoding="utf-8")
    done = subprocess.run(
        [str(python), str(_DRIVER), str(job)], capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise NotThereError(f"marksense ended with an error: {done.stderr.strip()[-300:]}")
    said = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    answers = tuple(
        _as_answer(sheet, questions, one) for sheet, one in zip(sheets, said["sheets"], strict=True)
    )
    return Answers("marksense 0.2.0", answers, said["seconds"], (DEFAULT_LIMIT, DEFAULT_LIMIT))


def _questions(form: Form) -> Questions:
    number = form.pages[0].number
    questions: Questions = []
    for contest in form.contests:
        here = tuple(option for option in contest.options if option.page == number)
        if contest.max == 1 and here:
            questions.append((contest, here))
        else:
            questions += [(contest, (option,)) for option in here]
    return questions


def _write_template(batch: Batch, questions: Questions, folder: Path) -> Path:
    folder.mkdir(parents=True)
    page = batch.page
    size = round(page.width_mm * _DPI / 25.4), round(page.height_mm * _DPI / 25.4)
    blank = cv2.resize(scan_empty(batch), size, interpolation=cv2.INTER_AREA)
    (folder / "blank.png").write_bytes(cv2.imencode(".png", blank)[1].tobytes())
    template = {
        "form_type": batch.form.id,
        "canonical_dpi": _DPI,
        "pages": {
            "1": {
                "template_image": "blank.png",
                "canonical_size": [blank.shape[1], blank.shape[0]],
                "questions": [
                    {
                        "id": f"q{number}",
                        "question_num": number,
                        "select_mode": "single",
                        "options": [
                            _as_option(place, option) for place, option in enumerate(options)
                        ],
                    }
                    for number, (_, options) in enumerate(questions, start=1)
                ],
            }
        },
    }
    path = folder / "template.json"
    path.write_text(json.dumps(template), encoding="utf-8")
    return path


def _as_option(place: int, option: Option) -> dict[str, Any]:
    room = _ROOM_MM if option.shape != "cell" else -_ROOM_MM
    box = option.box.grown(room).scaled(_DPI / 25.4, _DPI / 25.4)
    roi = [round(box.x), round(box.y), round(box.w), round(box.h)]
    return {"option_index": place, "value": option.id, "roi": roi, "expected_mark": "check"}


def _as_answer(sheet: DrawnSheet, questions: Questions, said: dict[str, Any]) -> SheetAnswer:
    if said.get("error") or said["alignment"] < _LEAST_ALIGNMENT:
        return SheetAnswer(None)
    sure = dict.fromkeys(((truth.contest, truth.option) for truth in sheet.truths), 0.0)
    for number, (contest, options) in enumerate(questions, start=1):
        chosen = said["answers"].get(f"Q{number}")
        if chosen in {option.id for option in options}:
            sure[contest.id, chosen] = said["confidence"][f"Q{number}"]
    return SheetAnswer(tuple(sure.values()), is_flagged=bool(said["multi_marked"]))
