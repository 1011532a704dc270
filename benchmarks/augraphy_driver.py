"""Damages pictures with Augraphy; run by the Python of an environment that has it.

``python augraphy_driver.py JOB.json`` does what the job lists: to each file one effect, as it comes
with its package, from one seed. An effect that fails leaves no picture.
"""

from __future__ import annotations

import json
import random
import sys
import warnings
from pathlib import Path
from typing import Any

import augraphy  # type: ignore[import-not-found]
import cv2
import numpy as np


def main() -> None:
    """Damage all pictures of the job."""
    warnings.simplefilter("ignore")
    for task in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        _damage(task)


def _damage(task: dict[str, Any]) -> None:
    random.seed(task["seed"])
    np.random.seed(task["seed"])
    cv2.setRNGSeed(task["seed"])
    picture = cv2.imread(task["file"])
    try:
        damaged = getattr(augraphy, task["effect"])(p=1)(picture)
    except Exception as error:  # noqa: BLE001 - whatever it raises, there is no picture
        print(f"{task['effect']}, seed {task['seed']}: {error!r}", file=sys.stderr)
        return
    if isinstance(damaged, list | tuple):
        damaged = damaged[0]
    cv2.imwrite(task["out"], damaged, [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main()
