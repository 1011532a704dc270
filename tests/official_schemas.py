"""The official schemas of the standards, where they are at hand: they are not ours to ship."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

VARIABLE = "KIEMPHIEU_STANDARDS"
NEIGHBOUR = Path(__file__).parents[2] / "shared" / "standards"


def official_faults(schema: str, data: Any) -> list[str]:
    """What a schema finds wrong with a report; skips the test where there is no such schema.

    Args:
        schema: Name of its file.
        data: The report.
    """
    folder = Path(os.environ.get(VARIABLE, NEIGHBOUR))
    if not (folder / schema).is_file():
        pytest.skip(f"{schema} is not in {folder}; {VARIABLE} names its folder")
    described = json.loads((folder / schema).read_text("utf-8"))
    validator = jsonschema.Draft4Validator(
        described, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER
    )
    return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(data)]
