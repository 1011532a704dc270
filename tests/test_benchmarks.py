"""The benchmarks tell a right reading from a wrong one, and measure what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks import memory, real_ballots, speed
from benchmarks.cases import read_case
from benchmarks.commands import measure_command
from scanner.forms.template import Form
from tests.synthetic import (
    Design,
    blank_page,
    draw_small_form,
    form_dpi,
    mark,
    photo_of_a_cat,
    random_choices,
    scan_like,
    target_box_px,
    write_image,
    write_scan_pdf,
)

Choices = dict[str, list[str]]


class CaseFolder:
    """A test case in the making."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.data: dict[str, Any] = {"name": name, "dpi": 150, "templates": [], "ballots": []}

    def add_form(self, form: Form) -> None:
        pages = []
        for page in form.pages:
            blank = blank_page(form, page.number)
            write_image(self.folder / f"blank-{form.id}-{page.number}.png", blank)
            targets = [
                {"id": f"{contest.id}/{option.id}", "contest": contest.id, "option": option.id}
                | {"shape": "box", **_pixels(form, contest.id, option.id)}
                for contest, option in form.targets_on(page.number)
            ]
            height, width = blank.shape
            pages.append(
                {"page": page.number, "blank": f"blank-{form.id}-{page.number}.png"}
                | {"width": width, "height": height, "targets": targets}
            )
        contests = [{"id": contest.id} for contest in form.contests]
        dpi = round(form_dpi(form))
        self.data["templates"].append(
            {"id": form.id, "blank_dpi": dpi, "contests": contests, "pages": pages}
        )

    def add_ballot(self, name: str, form: Form, choices: Choices, pages: list[int]) -> None:
        images = []
        for number in pages:
            page = mark(form, choices, number=number, seed=len(self.data["ballots"]) + 7)
            image = self.folder / "scans" / f"{name}-{number}.jpg"
            image.parent.mkdir(exist_ok=True)
            write_image(image, scan_like(page, seed=len(self.data["ballots"]) + 1))
            images.append({"page": number, "image": f"scans/{image.name}"})
        marks = [f"{contest}/{option}" for contest, chosen in choices.items() for option in chosen]
        self.data["ballots"].append(
            {"id": name, "template": form.id, "pages": images, "marks": marks}
        )

    def falsify(self, target: str) -> None:
        """Say of the last ballot that it has a mark where it has none, or the other way round."""
        marks = self.data["ballots"][-1]["marks"]
        if target in marks:
            marks.remove(target)
        else:
            marks.append(target)

    def write(self) -> Path:
        (self.folder / "case.json").write_text(json.dumps(self.data), encoding="utf-8")
        return self.folder


def _pixels(form: Form, contest: str, option: str) -> dict[str, float]:
    box = target_box_px(form, contest, option)
    return {"x": box.x, "y": box.y, "w": box.w, "h": box.h}


def run(output: Path, *arguments: Path | str) -> tuple[int, list[dict[str, Any]]]:
    code = real_ballots.main([*map(str, arguments), "-o", str(output), "-j", "1"])
    return code, json.loads((output / "results.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> tuple[Form, Form]:
    folder = tmp_path_factory.mktemp("forms")
    return (
        draw_small_form(folder, "one-page"),
        draw_small_form(folder, "two-pages", Design("MARKET CENSUS", pages=2, seed=5)),
    )


def test_wrong_truth_shows_as_a_silent_error_and_a_form_among_the_negatives_as_accepted(
    tmp_path: Path, forms: tuple[Form, Form], capsys: pytest.CaptureFixture[str]
) -> None:
    single, double = forms
    case = CaseFolder(tmp_path, "faulty")
    case.add_form(single)
    case.add_form(double)
    case.add_ballot("right", single, random_choices(single, 1), [1])
    case.add_ballot("wrong", single, random_choices(single, 2), [1])
    case.falsify("q3/o2")
    # Page 2 alone is flagged because page 1 is missing, which must not hide what was misread.
    case.add_ballot("half", double, _on_page(double, 2), [2])
    case.falsify("q8/o1")
    write_image(case.folder / "cat.jpg", photo_of_a_cat())
    write_image(case.folder / "form.jpg", scan_like(mark(single, {"q1": ["o1"]}), seed=40))
    case.data["negatives"] = [{"image": "cat.jpg", "why": "a cat"}, {"image": "form.jpg"}]
    code, (figures,) = run(tmp_path / "out", case.write())
    assert code == 1
    assert [(error["ballot"], error["target"]) for error in figures["errors"]] == [
        ("wrong", "q3/o2"),
        ("half", "q8/o1"),
    ]
    assert all(Path(error["crop"]).is_file() for error in figures["errors"])
    assert figures["neg"] == 2
    assert figures["accepted"] == 1
    assert (figures["sheets"], figures["incompl"], figures["asked"]) == (3, 1, 0)
    assert "SILENT ERROR wrong q3/o2" in capsys.readouterr().out


def test_a_right_reading_of_two_cases_with_all_forms_in_one_pile_has_nothing_to_report(
    tmp_path: Path, forms: tuple[Form, Form]
) -> None:
    folders = []
    for form in forms:
        case = CaseFolder(tmp_path, f"case-{form.id}")
        case.add_form(form)
        for seed in (3, 4):
            pages = [page.number for page in form.pages]
            case.add_ballot(f"voter-{seed}", form, random_choices(form, seed), pages)
        folders.append(case.write())
    code, figures = run(tmp_path / "out", *folders, "--all-forms")
    assert code == 0
    for form, row in zip(forms, figures, strict=True):
        assert row["targets"] == 2 * sum(1 for _target in form.targets())
        assert row["marked"] > 0
        assert [row[name] for name in ("SILENT", "unread", "wrong form", "mixed")] == [0] * 4
        assert [row[name] for name in ("asked", "incompl", "refused", "neg")] == [0] * 4


def _on_page(form: Form, number: int) -> Choices:
    found = {contest.id for contest, _option in form.targets_on(number)}
    choices = {name: [] if name == "q8" else ["o2"] for name in sorted(found)}
    return dict(choices)


def test_a_case_may_leave_out_what_it_has_not(tmp_path: Path, forms: tuple[Form, Form]) -> None:
    case = CaseFolder(tmp_path, "sparse")
    case.add_form(forms[0])
    case.add_ballot("a", forms[0], {"q1": ["o1"]}, [1])
    case.data["ballots"][0] |= {"also_fits": "another"}
    del case.data["name"]
    read = read_case(case.write() / "case.json")
    assert read.name == "sparse"
    assert read.negatives == ()
    assert read.ballots[0].templates == ("one-page", "another")
    assert read.ballots[0].marks == {"q1/o1"}
    assert read.is_complete(read.ballots[0])


def test_what_a_case_names_and_has_not_is_left_out_and_said(
    tmp_path: Path, forms: tuple[Form, Form]
) -> None:
    case = CaseFolder(tmp_path, "stray")
    case.add_form(forms[0])
    case.add_ballot("a", forms[0], {"q1": ["o1"]}, [1])
    case.data["ballots"][0]["marks"].append("q1/o99")
    case.add_ballot("b", forms[0], {"q1": ["o1"]}, [1])
    case.data["ballots"][1]["pages"][0]["image"] = "gone.jpg"
    read = read_case(case.write() / "case.json")
    assert [ballot.id for ballot in read.ballots] == ["a"]
    assert read.faults == (
        "ballot a: there is no target q1/o99",
        "ballot b: gone.jpg is missing",
    )


def test_a_folder_without_a_case_is_named_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    code, figures = run(tmp_path / "out", tmp_path / "empty")
    assert (code, figures) == (2, [])
    assert "empty: there is no case.json" in capsys.readouterr().err


def test_speed_takes_the_very_jpeg_out_of_a_pdf_and_reads_its_pages(
    tmp_path: Path, forms: tuple[Form, Form]
) -> None:
    form = forms[0]
    images = [scan_like(mark(form, random_choices(form, seed)), seed=seed) for seed in (1, 2)]
    path = write_scan_pdf(tmp_path / "scan.pdf", images)
    pages = list(speed.encoded_pages([path]))
    assert [page.number for page in pages] == [1, 2]
    decoded = cv2.imdecode(np.frombuffer(pages[1].data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert decoded is not None
    assert np.abs(decoded.astype(int) - images[1]).mean() < 5
    times = speed.time_pages(pages, [form], repeat=2)
    for record in times:
        assert record.result == "PageReading"
        assert record.pixels == (images[0].shape[1], images[0].shape[0])
        assert len(record.decode) == len(record.whole) == 2
        assert all(whole > load > 0 for whole, load in zip(record.whole, record.load, strict=True))


def test_numbered_pages_differ_in_bytes_and_not_in_pixels(forms: tuple[Form, Form]) -> None:
    encoded = cv2.imencode(".jpg", blank_page(forms[0]))[1].tobytes()
    copies = [memory.number_jpeg(encoded, number) for number in (1, 2)]
    assert len({encoded, *copies}) == 3
    pictures = [
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        for data in (encoded, *copies)
    ]
    assert pictures[0] is not None
    for picture in pictures[1:]:
        assert picture is not None
        assert np.array_equal(pictures[0], picture)


def test_the_cost_of_a_command_is_that_of_its_own_process() -> None:
    ballast = np.ones(600_000_000, np.uint8)
    cost = measure_command("--version")
    assert cost.seconds > 0.05
    assert cost.peak_bytes is None or 10e6 < cost.peak_bytes < ballast.nbytes
