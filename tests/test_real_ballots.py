"""A few pages that real people marked, read from outside the project where they are at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scanner.ballot import MarkState, PageReading, UnreadablePage
from scanner.forms.template import Contest, Form, Option, Page
from scanner.reading.interpret import Reader
from tests.synthetic import Gray, as_page, write_image

BALLOTS = Path(
    os.environ.get("KIEMPHIEU_BALLOTS", Path(__file__).parents[2] / "shared" / "ballots")
)
SETS = (
    "amc-multiple",
    "amc-stats",
    pytest.param("opencount-cedar3", marks=pytest.mark.slow),
    "opencount-durant",
    "vw-choctaw-2019",
)
PAGES_OF_A_SET = 3
AT_MOST_ONE_DOUBT_IN = 10

pytestmark = pytest.mark.skipif(
    not BALLOTS.is_dir(), reason="no real ballots here: set KIEMPHIEU_BALLOTS to their folder"
)


def picture(path: Path) -> Gray:
    encoded = np.frombuffer(path.read_bytes(), np.uint8)
    gray = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    assert gray is not None, path
    return gray.astype(np.uint8)


def register(template: dict[str, Any], dpi: float, source: Path, folder: Path) -> Form:
    """One template of a case as a form, in millimetres."""
    home = folder / template["id"]
    home.mkdir(parents=True)
    per_px = 25.4 / (template.get("blank_dpi") or dpi)
    options: dict[str, list[Option]] = {contest["id"]: [] for contest in template["contests"]}
    pages = []
    for page in template["pages"]:
        number = page["page"]
        write_image(home / f"page-{number}.png", picture(source / page["blank"]))
        size = {f"{side}_mm": page[side] * per_px for side in ("width", "height")}
        pages.append(Page(number=number, blank=f"page-{number}.png", **size))
        for target in page["targets"]:
            place = {side: target[side] * per_px for side in "xywh"}
            option = Option(id=target["option"], page=number, shape=target["shape"], **place)
            options[target["contest"]].append(option)
    contests = [
        Contest(id=contest["id"], max=contest["max"], options=tuple(options[contest["id"]]))
        for contest in template["contests"]
        if options[contest["id"]]
    ]
    form = Form(id=template["id"], pages=tuple(pages), contests=tuple(contests))
    form._folder = home
    return form


@pytest.fixture(scope="module", params=SETS)
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], Reader]:
    source = BALLOTS / request.param
    if not (source / "case.json").is_file():
        pytest.skip(f"the set {request.param} is not among the real ballots")
    data = json.loads((source / "case.json").read_text(encoding="utf-8"))
    folder = tmp_path_factory.mktemp(request.param)
    forms = [register(one, data["dpi"], source, folder) for one in data["templates"]]
    return source, data, Reader(forms)


def test_no_mark_of_a_real_voter_is_misread(case: tuple[Path, dict[str, Any], Reader]) -> None:
    source, data, reader = case
    read = doubtful = 0
    for ballot in data["ballots"][:PAGES_OF_A_SET]:
        unclear = {*ballot["ambiguous"]}
        for page in ballot["pages"]:
            result = reader.read(as_page(picture(source / page["image"])))
            assert isinstance(result, PageReading), (page["image"], result)
            assert result.form in {ballot["template"], ballot.get("also_fits")}
            assert result.page == page["page"]
            for target in result.targets:
                read += 1
                if target.state is MarkState.DOUBTFUL:
                    doubtful += 1
                elif target.target not in unclear:
                    truth = target.target in ballot["marks"]
                    assert (target.state is MarkState.MARKED) == truth, (page["image"], target)
    assert read > 0
    assert doubtful * AT_MOST_ONE_DOUBT_IN <= read


def test_what_is_none_of_the_forms_is_never_read_cleanly(
    case: tuple[Path, dict[str, Any], Reader],
) -> None:
    source, data, reader = case
    for negative in data.get("negatives", [])[:PAGES_OF_A_SET]:
        result = reader.read(as_page(picture(source / negative["image"])))
        clean = not isinstance(result, UnreadablePage) and not result.reasons
        assert not clean, (negative, result)
