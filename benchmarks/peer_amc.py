"""Auto Multiple Choice, as Debian packages it, on a questionnaire that it has made itself.

Its own commands compile the questionnaire, learn where the boxes are, and read the scans. The
same page becomes a form of ours, so that everybody reads the same pictures.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import NotThereError
from benchmarks.readers import Answers, SheetAnswer
from scanner.forms.template import Contest, Form, Option, Page, read_form, write_form

DEFAULT_LIMIT = 0.15
"""Its default: a box of which so much is black is ticked."""
_WORST_FIT = 3.0
_MOST_SENSITIVE = 8.0
"""Its defaults: a page whose marks fit worse, or with a box nearer to the limit, is red."""
_BLANK_DPI = 300
_BOX_ZONE = 4

_SINGLE = (
    ("How polite was the clerk?", "very", "rather", "hardly", "not at all"),
    ("How long did you wait?", "an hour", "half a day", "a day", "longer"),
    ("How often did you have to come?", "once", "twice", "three times", "more often"),
    ("Was the notice board easy to read?", "very", "rather", "hardly", "not at all"),
    ("How did you come to the office?", "on foot", "by bicycle", "by bus", "by car"),
    ("Were the fees explained to you?", "fully", "in part", "hardly", "not at all"),
    ("How clear was the form?", "very", "rather", "hardly", "not at all"),
    ("Did the office keep its promise?", "fully", "in part", "hardly", "not at all"),
    ("How do you like the opening hours?", "very well", "well", "hardly", "not at all"),
    ("How satisfied are you on the whole?", "very", "rather", "hardly", "not at all"),
)
_SEVERAL = (
    ("What did you come for?", "birth", "land", "house", "trade"),
    ("What should be better?", "fees", "time", "rooms", "words"),
)


@dataclass(frozen=True, slots=True)
class Project:
    """A project of Auto Multiple Choice, and its page as a form of ours."""

    folder: Path
    form: Form
    names: dict[tuple[int, int], tuple[str, str]]
    """Contest and option by the numbers of question and answer."""


def make_project(folder: Path) -> Project:
    """Compile the questionnaire and register its page.

    Raises:
        NotThereError: The program is not installed, or LaTeX fails.
    """
    if shutil.which("auto-multiple-choice") is None:
        raise NotThereError("auto-multiple-choice is not installed (Debian has it as a package)")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    (folder / "source.tex").write_text(_source(), encoding="utf-8")
    prepare = ("prepare", "--mode", "s", "--with", "pdflatex", "--data", "data", "--prefix", "./")
    files = (*("--out-sujet", "sujet.pdf"), *("--out-corrige", "corrige.pdf"))
    _run(folder, *prepare, *files, "--out-calage", "calage.xy", "source.tex")
    _run(folder, "meptex", "--src", "calage.xy", "--data", "data")
    return _register(folder)


def _run(folder: Path, *arguments: str) -> None:
    environment = os.environ | {"DISPLAY": ""}
    done = subprocess.run(
        ["auto-multiple-choice", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise NotThereError(f"auto-multiple-choice {arguments[0]}: {done.stderr.strip()[-300:]}")


def _source() -> str:
    questions = [_question("question", f"q{n}", texts) for n, texts in enumerate(_SINGLE, 1)]
    questions += [_question("questionmult", f"m{n}", texts) for n, texts in enumerate(_SEVERAL, 1)]
    return "\n".join(
        [
            r"\documentclass[a4paper,11pt]{article}",
            r"\usepackage[utf8]{inputenc}",
            r"\usepackage[T1]{fontenc}",
            r"\usepackage[bloc]{automultiplechoice}",
            r"\begin{document}",
            r"\onecopy{1}{",
            r"\noindent{\large\bf Survey of the ward office}\vspace{3mm}",
            "",
            *questions,
            "}",
            r"\end{document}",
        ]
    )


def _question(kind: str, name: str, texts: Sequence[str]) -> str:
    first, *others = texts[1:]
    answers = rf"\correctchoice{{{first}}}" + "".join(rf"\wrongchoice{{{one}}}" for one in others)
    return (
        rf"\begin{{{kind}}}{{{name}}}{texts[0]}"
        rf"\begin{{choiceshoriz}}[o]{answers}\end{{choiceshoriz}}\end{{{kind}}}"
    )


def _register(folder: Path) -> Project:
    """The page as the program itself says where its boxes are."""
    home = folder / "forms" / "amc"
    home.mkdir(parents=True)
    picture = ("pdftoppm", "-r", str(_BLANK_DPI), "-gray", "-png", "-singlefile")
    subprocess.run([*picture, str(folder / "sujet.pdf"), str(home / "page-1")], check=True)
    with closing(sqlite3.connect(folder / "data" / "layout.sqlite")) as layout:
        ((dpi, width, height),) = layout.execute("SELECT dpi, width, height FROM layout_page")
        names = dict(layout.execute("SELECT question, name FROM layout_question"))
        boxes = layout.execute(
            "SELECT question, answer, xmin, ymin, xmax, ymax FROM layout_box WHERE role = 1"
            " ORDER BY question, answer"
        ).fetchall()
    texts = {f"q{n}": texts for n, texts in enumerate(_SINGLE, 1)}
    texts |= {f"m{n}": texts for n, texts in enumerate(_SEVERAL, 1)}
    scale = 25.4 / dpi
    options: dict[str, list[Option]] = {}
    for question, answer, left, top, right, bottom in boxes:
        at = {"x": left * scale, "y": top * scale}
        size = {"w": (right - left) * scale, "h": (bottom - top) * scale}
        label = texts[names[question]][answer]
        option = Option(id=f"o{answer}", label=label, page=1, **at, **size)
        options.setdefault(names[question], []).append(option)
    contests = tuple(
        Contest(
            id=name,
            title=texts[name][0],
            max=1 if name.startswith("q") else len(here),
            options=tuple(here),
        )
        for name, here in options.items()
    )
    page = Page(number=1, blank="page-1.png", width_mm=width * scale, height_mm=height * scale)
    title = "Survey of the ward office"
    write_form(Form(id="amc", title=title, pages=(page,), contests=contests), home)
    known = {(question, answer): (names[question], f"o{answer}") for question, answer, *_ in boxes}
    return Project(folder, read_form(home), known)


def read(project: Project, files: Sequence[Path]) -> Answers:
    """What it makes of the scans, with one process.

    Raises:
        NotThereError: It ended with an error.
    """
    capture = project.folder / "data" / "capture.sqlite"
    capture.unlink(missing_ok=True)
    where = ("--projet", str(project.folder), "--data", str(project.folder / "data"))
    listing = project.folder / "scans.txt"
    listing.write_text("".join(f"{file}\n" for file in files), encoding="utf-8")
    # Every sheet is a photocopy of the one that was compiled.
    how = ("--multiple", "--pre-allocate", "1", "--n-procs", "1")
    started = time.perf_counter()
    _run(project.folder, "analyse", *where, *how, "--liste-fichiers", str(listing))
    seconds = time.perf_counter() - started
    with closing(sqlite3.connect(capture)) as database:
        pages = {
            Path(str(source).replace("%PROJET", str(project.folder))).name: (copy, mse)
            for source, copy, mse in database.execute("SELECT src, copy, mse FROM capture_page")
        }
        rows = database.execute(
            "SELECT copy, id_a, id_b, black, total FROM capture_zone WHERE type = ?", (_BOX_ZONE,)
        ).fetchall()
    dark: dict[int, dict[tuple[str, str], float]] = {}
    for copy, question, answer, black, total in rows:
        name = project.names.get((question, answer))
        if name is not None and total > 0:
            dark.setdefault(copy, {})[name] = black / total
    sheets = [_as_answer(project.form, pages.get(file.name), dark) for file in files]
    version = "Auto Multiple Choice 1.6"
    return Answers(version, tuple(sheets), seconds, (DEFAULT_LIMIT, DEFAULT_LIMIT))


def _as_answer(
    form: Form,
    page: tuple[int, float] | None,
    dark: dict[int, dict[tuple[str, str], float]],
) -> SheetAnswer:
    if page is None:
        return SheetAnswer(None)
    copy, fit = page
    known = dark.get(copy, {})
    targets = [(contest.id, option.id) for contest, option in form.targets_on(1)]
    if any(target not in known for target in targets):
        return SheetAnswer(None)
    values = tuple(known[target] for target in targets)
    nearest = min(abs(value - DEFAULT_LIMIT) for value in values)
    sensitivity = 10 * (DEFAULT_LIMIT - nearest) / DEFAULT_LIMIT
    return SheetAnswer(values, is_flagged=fit > _WORST_FIT or sensitivity > _MOST_SENSITIVE)
