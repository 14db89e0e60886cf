"""check: the committed models still answer expected.csv, and the data files agree.

    python check.py

Exits 0 if everything holds, 1 with a sentence if not. Other releases of the libraries may differ
in the last digit, hence the tolerance.
"""
import json
import pathlib
import sys

import numpy as np
import pandas as pd

import flights
import train

HERE = pathlib.Path(__file__).resolve().parent
SIZE_LIMIT_BYTES = 4_000_000
TOLERANCE = 1e-6


def problems():
    """Yields one sentence for each thing that is wrong."""
    replay = train.read_replay()
    expected = pd.read_csv(HERE / "expected.csv")
    rows = flights.features(expected)
    if not np.array_equal(rows, flights.features(replay.iloc[expected["row"]]), equal_nan=True):
        yield "expected.csv has other rows than replay.csv"
    for version in train.VERSIONS:
        for suffix, values in zip(("", "-raw"), train.predict(version, rows)):
            if not np.allclose(values, expected[version.name + suffix], TOLERANCE, TOLERANCE):
                yield f"{version.name}{suffix} differs from expected.csv"
    if not replay["departed_s"].is_monotonic_increasing:
        yield "replay.csv is not in order of departure"
    if not (replay["known_s"] > replay["departed_s"]).all():
        yield "replay.csv knows an outcome before its departure"
    if not (replay["late"] == (replay["arr_delay"] > flights.LATE_AFTER_MIN)).all():
        yield "replay.csv has a late flag that its arr_delay contradicts"
    for name in ("baseline.csv", "sample.csv"):
        if list(pd.read_csv(HERE / name).columns) != flights.FEATURES:
            yield f"{name} has other columns than the models"
    tensor = json.loads((HERE / "infer.json").read_text())["inputs"][0]
    width, cells = tensor["shape"][1], np.prod(tensor["shape"])
    if width != len(flights.FEATURES) or len(tensor["data"]) != cells:
        yield "infer.json has a shape that its data do not fill"
    size = sum(path.stat().st_size for path in HERE.rglob("*")
               if path.is_file() and "__pycache__" not in path.parts)
    if size >= SIZE_LIMIT_BYTES:
        yield f"the folder has {size} bytes, {SIZE_LIMIT_BYTES} or more"


def main():
    found = list(problems())
    for problem in found:
        print(f"check: {problem}.", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
