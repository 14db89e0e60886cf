"""NVIDIA's perf_analyzer, the C++ program that measures Triton servers, unmodified.

It asks for the server's metadata and the model's metadata, configuration and statistics, makes its own tensors from
what these say, and counts. No figure of it is asserted but that it measured, and that nothing failed.
"""
# judge: perf perf-glibc
# timeout: 180
import base64
import csv
import glob
import json
import os
import re
import struct
import sys
import tempfile

import runtime as r

ROOT = sys.prefix


def program():
    """The package for new systems brings it as data, the one for old ones as a script."""
    found = glob.glob(f"{ROOT}/lib/python*/site-packages/perf_analyzer/bin/perf_analyzer") + \
        glob.glob(f"{ROOT}/bin/perf_analyzer")
    libraries = glob.glob(f"{ROOT}/lib/python*/site-packages/nvidia/cuda_runtime/lib")
    environment = dict(os.environ, LD_LIBRARY_PATH=":".join(libraries))
    done = r.call([found[0], "--version"], env=environment)
    if "error while loading shared libraries" in done.stderr or "not found" in done.stderr:
        print("skip perf_analyzer: " + done.stderr.strip().replace(found[0], "the program"))
        sys.exit(0)
    return found[0], environment


def measure(runtime, *options, data="random"):
    """Windows of half a second until three agree: what it printed, and the one row of its report.

    Its --request-count can wait for ever: requests that are answered before its window opens are not counted.
    """
    path, environment = program()
    report = tempfile.mktemp(".csv")
    done = r.call([path, "-m", "flight-delay", "-u", runtime.address, "--input-data", data, "-f", report,
                   "--measurement-interval", "500",
                   "--max-trials", "10", "--stability-percentage", "999", *options], env=environment)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and os.path.exists(report), f"exit {done.returncode}: {said[-500:]}"
    with open(report) as file:
        row, = csv.DictReader(file)
    assert float(row["Inferences/Second"]) > 0, row
    assert "Failed request count" not in said and "error" not in said.lower(), said
    return said, row


def test_one_row_a_request(runtime):
    measure(runtime)


def test_eight_rows_a_request_and_four_at_a_time(runtime):
    _, row = measure(runtime, "-b", "8", "--concurrency-range", "4")
    assert row["Concurrency"] == "4", row


def test_asynchronous(runtime):
    measure(runtime, "-a", "--concurrency-range", "2")


def test_json_both_ways(runtime):
    measure(runtime, "--input-tensor-format", "json", "--output-tensor-format", "json")


def test_one_version(runtime):
    measure(runtime, "-x", "2")


def test_it_reads_our_statistics(runtime):
    """What it reports of the server is the difference of two readings of the statistics."""
    said, row = measure(runtime, "-b", "8")
    counts = {name: int(count) for name, count in
              re.findall(r"(Inference|Execution|Successful request) count: (\d+)", said)}
    requests = counts["Successful request"]
    assert requests > 0, said
    assert counts == {"Inference": 8 * requests, "Execution": requests, "Successful request": requests}, said
    assert float(row["Server Compute Infer"]) >= 0, row


def as_bytes(values):
    return {"b64": base64.b64encode(struct.pack(f"<{len(values)}d", *values)).decode()}


def known_answers(runtime):
    """A file of rows and what the runtime answers them in JSON."""
    rows = r.feature_rows(r.whole_rows())
    body = {"inputs": [{"name": "rows", "shape": [len(rows), 15], "datatype": "FP64",
                        "data": [value for row in rows for value in row]}],
            "outputs": [{"name": "predict"}, {"name": "raw_score"}]}
    status, _, answer = runtime.get("/v2/models/flight-delay/infer", json.dumps(body).encode())
    assert status == 200, answer
    answers = {output["name"]: output["data"] for output in json.loads(answer)["outputs"]}
    r.check_close(answers["predict"], r.predictions("flight-delay", 1, r.whole_rows()))
    path = tempfile.mktemp(".json")
    with open(path, "w") as file:
        # As bytes: it reads decimal numbers of a file less exactly than they are written.
        json.dump({"data": [{"rows": as_bytes(row)} for row in rows],
                   "validation_data": [{name: as_bytes([values[i]]) for name, values in answers.items()}
                                       for i in range(len(rows))]}, file)
    return path


def test_it_finds_its_answers_right(runtime):
    """Its own validation: the binary answers are to the bit what the JSON ones say."""
    measure(runtime, data=known_answers(runtime))


def test_an_error_shows_our_sentence(runtime):
    path, environment = program()
    done = r.call([path, "-m", "nothing", "-u", runtime.address], env=environment)
    assert done.returncode != 0
    r.check_sentence(done.stdout + done.stderr, "there is no model `nothing`")


if __name__ == "__main__":
    program()
    r.judge(globals(), executable=r.RELEASE)
