"""NVIDIA's perf_analyzer, the C++ program that measures Triton servers, unmodified.

It asks for the server's metadata and the model's metadata, configuration and statistics, makes its own tensors from
what these say, and counts. No figure of it is asserted but that it measured, and that nothing failed.
"""
# judge: perf perf-glibc
# timeout: 180
import csv
import glob
import json
import os
import subprocess
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
    done = subprocess.run([found[0], "--version"], capture_output=True, text=True, env=environment, timeout=r.DEADLINE_S)
    if "error while loading shared libraries" in done.stderr or "not found" in done.stderr:
        print("skip perf_analyzer: " + done.stderr.strip().replace(found[0], "the program"))
        sys.exit(0)
    return found[0], environment


def measure(runtime, *options, data=None):
    """One short measurement; the rows of its report as dictionaries."""
    path, environment = program()
    report = tempfile.mktemp(".csv")
    words = [path, "-m", "flight-delay", "-u", runtime.address, "-f", report, *options]
    # Windows of so many requests, at most three, and any spread will do: it is not the speed that is judged.
    words += ["--measurement-mode", "count_windows", "--measurement-request-count", "200",
              "--max-trials", "3", "--stability-percentage", "999", "--input-data", data or "random"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=r.DEADLINE_S,
                          stdin=subprocess.DEVNULL)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and os.path.exists(report), f"exit {done.returncode}: {said[-500:]}"
    with open(report) as file:
        rows = list(csv.DictReader(file))
    assert rows and all(float(row["Inferences/Second"]) > 0 for row in rows), rows
    return said, rows


def test_one_row_a_request(runtime):
    said, _ = measure(runtime)
    assert "Failed" not in said, said


def test_batches_and_four_at_a_time(runtime):
    _, rows = measure(runtime, "-b", "8", "--concurrency-range", "4")
    assert rows[0]["Concurrency"] == "4", rows


def test_asynchronous(runtime):
    measure(runtime, "-a", "--concurrency-range", "2")


def test_json_both_ways(runtime):
    measure(runtime, "--input-tensor-format", "json", "--output-tensor-format", "json")


def test_one_version(runtime):
    measure(runtime, "-x", "2")


def test_it_reads_our_statistics(runtime):
    """The server's part of the latency is only reported when the statistics could be read."""
    said, rows = measure(runtime, "--verbose")
    assert "Server Compute Infer" in rows[0] and float(rows[0]["Server Compute Infer"]) >= 0, rows
    assert "Inference count:" in said or "Request count:" in said, said


def rows_file(columns):
    rows = [{"rows": {"content": row[:columns], "shape": [columns]}} for row in r.feature_rows(r.whole_rows()[:4])]
    path = tempfile.mktemp(".json")
    with open(path, "w") as file:
        json.dump({"data": rows}, file)
    return path


def test_it_compares_our_answers_with_the_librarys(runtime):
    """Its own validation: the outputs of each row, as the library predicts them, to the last bit."""
    rows = r.feature_rows(r.whole_rows()[:4])
    path = tempfile.mktemp(".json")
    with open(path, "w") as file:
        json.dump({"data": [{"rows": {"content": row, "shape": [15]}} for row in rows]}, file)
    measure(runtime, data=path)


def test_an_error_shows_our_sentence(runtime):
    path, environment = program()
    done = subprocess.run([path, "-m", "nothing", "-u", runtime.address], capture_output=True, text=True,
                          env=environment, timeout=r.DEADLINE_S)
    assert done.returncode != 0
    r.check_sentence(done.stdout + done.stderr, "there is no model `nothing`")


if __name__ == "__main__":
    program()
    r.judge(globals(), executable=r.RELEASE)
