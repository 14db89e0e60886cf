"""Benchmarks of versions and of training runs, against a real runtime. No verdict here depends on the machine but that
a forest three times as large takes more than 1.05 times as long, and that what it takes less time for is no regression."""
import hashlib
import json
import math
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile

from runtime import DEADLINE_S, FLIGHTS, MLDECK, Runtime, poll, run_tests
from v2_server import METADATA, Server, answer

FAST = ["--quick", "--time-ms", "5", "--batch", "1,256"]
MODEL = "flight-delay"
# Of the commands: what a benchmark leaves behind would be there.
os.environ["TMPDIR"] = tempfile.mkdtemp()


def runtime_with_versions():
    """v1 is live; v2 is a forest of three times its size."""
    runtime = Runtime()
    runtime.run("deploy", MODEL, f"{FLIGHTS}/flight-delay/v1.txt", "--samples", f"{FLIGHTS}/sample.csv")
    runtime.run("deploy", MODEL, f"{FLIGHTS}/flight-delay/v3.txt")
    return runtime


def bench(runtime, *words):
    done = subprocess.run([MLDECK, "bench", MODEL, *words, "--json", "--state", runtime.state], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=2 * DEADLINE_S)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def write(text, name="rows.csv"):
    path = os.path.join(tempfile.mkdtemp(), name)
    with open(path, "w") as file:
        file.write(text)
    return path


def test_a_slower_version_is_a_regression_and_kept():
    runtime = runtime_with_versions()
    code, report, _ = bench(runtime, "2", *FAST, "--seed", "5", "--data", f"{FLIGHTS}/replay.csv")
    assert code == 1 and report["verdict"] == "regression" and not report["passed"], report
    assert (report["version"], report["against"], report["pairs"], report["seed"]) == (2, 1, 8, "5")
    assert report["batch_256"]["low"] > 1.05 and report["batch_256"]["p_adjusted"] < 0.05
    assert report["batch_1"]["old"] > 0 and report["memory"]["old"] > 1e6 and report["load"]["new"] > 0
    assert report["rows"]["origin"] == "data" and not report["rows"]["made"]
    assert report["rows"]["source_count"] == 26000 and report["new_version"]["rows_asked"] == 4096
    kept = runtime.json("tests", MODEL, str(report["id"]))
    assert kept["report"]["summary"] == report["summary"] and kept["kind"] == "benchmark" and not kept["passed"]
    assert "benchmark" in runtime.run("tests", MODEL)
    runtime.run("policy", MODEL, "tests=benchmark", "--reason", "speed matters")
    refused = runtime.command("promote", MODEL, "2", "--reason", "hope")
    assert refused.returncode == 1 and "benchmark" in refused.stderr, refused.stderr
    runtime.stop()


def test_a_faster_version_passes_with_rows_of_its_samples():
    runtime = runtime_with_versions()
    code, report, _ = bench(runtime, "1", "--against", "2", *FAST)
    # Slower by no means; on a noisy machine the memory alone may not be told.
    assert code == 0 and report["verdict"] == "pass", report
    assert report["rows"]["origin"] == "samples" and report["rows"]["made"] and report["batch_1"]["ratio"] < 1
    runtime.stop()


def test_versions_on_other_servers():
    """Whatever they take, what they answer is told, and one that is gone is named."""
    metadata = dict(METADATA, outputs=METADATA["outputs"][:1])

    def server(y):
        def infer(request):
            rows = request.json()["inputs"][0]["shape"][0]
            output = {"name": "y", "datatype": "FP64", "shape": [rows, 1], "parameters": {"binary_data_size": 8 * rows}}
            text = json.dumps({"model_name": "m", "outputs": [output]}).encode()
            return answer(200, text + struct.pack("<d", y) * rows, [f"Inference-Header-Content-Length: {len(text)}"])

        return Server(infer, metadata=metadata, extensions=["binary_tensor_data"])

    runtime, servers = Runtime(), [server(1), server(math.nan)]
    for one in servers:
        runtime.run("deploy", MODEL, one.url())
    words = ["2", "--quick", "--time-ms", "1", "--batch", "256"]
    code, report, _ = bench(runtime, *words)
    assert code in (0, 1, 8) and report["new_version"]["clock"] == "wall", report
    assert report["new_version"]["engine"] == "remote" and report["rows"]["origin"] == "signature", report
    assert [report[side]["not_finite"] for side in ("old_version", "new_version")] == [0, 256], report
    done = runtime.command("bench", MODEL, *words)
    assert "made up from the signature of v2" in done.stdout, done
    assert "v2 answers 256 of 256 rows with no finite number" in done.stdout and "v1 answers" not in done.stdout, done
    servers[1].stop()
    done = runtime.command("bench", MODEL, *words)
    assert done.returncode == 7 and "v2 could not be measured: nothing answers on" in done.stderr, done
    servers[0].stop()
    runtime.stop()


def test_a_version_against_itself_is_no_test():
    runtime = runtime_with_versions()
    code, report, _ = bench(runtime, "2", "--against", "2", *FAST)
    assert code in (0, 8) and report["verdict"] != "regression" and "id" not in report, report
    assert runtime.json("tests", MODEL)["tests"] == []
    runtime.stop()


def test_what_cannot_be_measured_is_said():
    runtime = runtime_with_versions()
    with open(f"{FLIGHTS}/replay.csv") as file:
        lines = file.readlines()
    without = write("\n".join(line.strip().rsplit(",", 3)[0] for line in lines[:5000]) + "\n")
    words = write("".join([lines[0]] + [line.replace(line.split(",")[4], "noon", 1) for line in lines[1:5000]]))
    for words, code, text in [
            (["2", "--data", without], 2, "visib_mi"),
            (["2", "--data", words], 2, "line 2, column `sched_dep_min`"),
            (["2", "--data", write(lines[0])], 2, "there are no rows"),
            (["2", "--data", write("".join(lines[:2]))], 2, "only 1 different rows"),
            (["2", "--data", "/nowhere/rows.csv"], 4, "/nowhere/rows.csv"),
            (["9"], 4, "no version 9"),
            (["1"], 2, "v1 of flight-delay is the live version"),
            (["2", "--against", "7"], 4, "no version 7"),
            (["2", "--batch", "1,0"], 2, "--batch"),
            (["2", "--batch", "1,1"], 2, "twice"),
            (["2", "--threshold", "1"], 2, "--threshold"),
            (["2", "--pairs", "3"], 2, "pairs"),
            (["2", "--quick", "--pairs", "9"], 2, "--quick"),
            ([], 2, "VERSION is missing"),
            (["2", "--training"], 4, "no training run"),
            (["2", "--training", "--quick"], 2, "--quick is not of --training"),
            (["2", "--last", "2"], 2, "--last is of --training")]:
        done = runtime.command("bench", MODEL, *words)
        assert done.returncode == code and text in done.stderr, (words, done)
        assert done.stdout == "", done
    assert runtime.command("bench", "nobody", "2").returncode == 4
    assert runtime.json("tests", MODEL)["tests"] == []
    assert not [name for name in os.listdir(os.environ["TMPDIR"]) if name.startswith("mldeck.bench")]
    runtime.stop()


def test_a_benchmark_is_a_job_that_can_be_cancelled():
    runtime = runtime_with_versions()
    body = {"kind": "bench", "model": MODEL, "version": 2, "start": {"batch": "1", "pairs": 8, "threshold": "2"}}
    status, answer = runtime.control("POST", "/control/v1/jobs", json.dumps(body))
    assert status == 200, answer
    job = lambda number: runtime.control("GET", f"/control/v1/jobs/{number}")[1]
    poll(lambda: job(answer["id"])["state"] not in ("queued", "running"))
    assert "v2" in job(answer["id"])["summary"], job(answer["id"])
    tests = runtime.json("tests", MODEL)["tests"]
    report = runtime.json("tests", MODEL, str(tests[0]["id"]))["report"]
    assert report["plots"][0]["labels"] == ["1 a call"], report["plots"]
    assert job(answer["id"])["progress"]["plots"] == report["plots"], job(answer["id"])
    assert len(tests) == 1 and tests[0]["job"] == answer["id"], tests
    body["start"]["pairs"] = 200
    _, answer = runtime.control("POST", "/control/v1/jobs", json.dumps(body))
    poll(lambda: job(answer["id"])["progress"]["done"] > 1)
    assert job(answer["id"])["progress"]["total"] == 400
    runtime.run("cancel", str(answer["id"]))
    poll(lambda: job(answer["id"])["state"] == "cancelled")
    assert len(runtime.json("tests", MODEL)["tests"]) == 1
    status, answer = runtime.control("POST", "/control/v1/jobs",
                                     json.dumps({"kind": "train", "model": MODEL, "start": {}}))
    assert status == 400 and "in a shell" in answer["error"], answer
    runtime.stop()


def test_measuring_alone():
    done = subprocess.run([MLDECK, "measure", f"{FLIGHTS}/flight-delay/v1.txt", "--rows", f"{FLIGHTS}/baseline.csv",
                           "--batch", "1,100", "--time-ms", "5"], capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0, done
    measured = json.loads(done.stdout)
    assert measured["engine"] == "forest" and measured["clock"] == "cpu" and measured["rows"] == 2000
    assert [batch["batch"] for batch in measured["batches"]] == [1, 100] and measured["peak_bytes"] > 1e6
    assert all(batch["ns_per_row"] > 0 and batch["passes"] > 0 for batch in measured["batches"])
    for words, text in [(["--rows", "/nowhere"], "/nowhere"), ([], "--rows"), (["--rows", write("x\n1\n")], "weekday"),
                        (["--rows", f"{FLIGHTS}/sample.csv", "--batch", "64"], "a batch size is 64")]:
        done = subprocess.run([MLDECK, "measure", f"{FLIGHTS}/flight-delay/v1.txt", *words], capture_output=True,
                              text=True, timeout=DEADLINE_S)
        assert done.returncode in (2, 4) and text in done.stderr and done.stdout == "", (words, done)


def train(runtime, *words, **more):
    return subprocess.run([MLDECK, "train", MODEL, "--state", runtime.state, *words], capture_output=True, text=True,
                          timeout=DEADLINE_S, **more)


def test_training_is_kept_and_tied_to_its_version():
    runtime = runtime_with_versions()
    model = f"{FLIGHTS}/flight-delay/v1.txt"
    done = train(runtime, "--produces", model, "--rate", "3.6", "--", "sh", "-c", "cat; echo err >&2", input="passed on")
    assert done.returncode == 0 and done.stdout == "passed on", done
    assert "err\n" in done.stderr and "it made v1 of flight-delay" in done.stderr, done
    later = f"{FLIGHTS}/flight-delay/v4.txt"
    done = train(runtime, "--produces", later, "--json", "--", "sh", "-c", "exit 3")
    report = json.loads(done.stderr)
    assert done.returncode == 3 and not report["passed"] and report["exit_code"] == 3 and report["version"] == 0
    with open(later, "rb") as file:
        assert report["sha256"] == hashlib.sha256(file.read()).hexdigest()
    tests = runtime.json("tests", MODEL, "--kind", "training")["tests"]
    assert [test["version"] for test in tests] == [0, 1] and [test["passed"] for test in tests] == [False, True]
    first = runtime.json("tests", MODEL, str(tests[1]["id"]))["report"]
    assert first["wall_s"] > 0 and first["peak_bytes"] > 0 and abs(first["cost"] - first["wall_s"] / 1000) < 1e-9
    assert first["command"] == "sh -c 'cat; echo err >&2'", first
    runtime.run("deploy", MODEL, later)
    assert train(runtime, "--", "true").returncode == 0
    done = runtime.command("bench", MODEL, "--training", "--json")
    runs = json.loads(done.stdout)["runs"]
    assert done.returncode == 8 and [run["version"] for run in runs] == [0, 3, 1], done
    assert "too few" in runtime.command("bench", MODEL, "--training").stdout
    # Of no version yet, so no gate can look for it.
    assert [test["version"] for test in runtime.json("tests", MODEL, "--kind", "training")["tests"]][:3] == [0, 0, 0]
    runtime.stop()


def test_training_that_takes_longer_is_a_regression():
    runtime = runtime_with_versions()
    for _ in range(4):
        assert train(runtime, "--", sys.executable, "-c", "x = bytearray(1)").returncode == 0
    assert train(runtime, "--", sys.executable, "-c", "x = bytearray(b'1' * 100_000_000)").returncode == 0
    done = runtime.command("bench", MODEL, "--training", "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1 and answer["memory"]["verdict"] == "regression", answer
    assert answer["method"] == "prediction interval" and answer["earlier"] == 4, answer
    runtime.stop()


def test_a_comparison_of_trainings_is_a_gate():
    runtime = runtime_with_versions()
    later, usual = f"{FLIGHTS}/flight-delay/v3.txt", [sys.executable, "-c", "x = bytearray(b'1' * 5_000_000)"]
    runtime.run("policy", MODEL, "tests=training", "bench_ratio_max=100", "bench_memory_max=3", "--reason", "dear")
    for _ in range(6):
        assert train(runtime, "--", *usual).returncode == 0
    promote = lambda: runtime.command("promote", MODEL, "2", "--reason", "x")
    # A run alone, of the very file, is no comparison.
    assert train(runtime, "--produces", later, "--", *usual[:2], usual[2].replace("5_", "200_")).returncode == 0
    assert "there is no training test of v2 against v1" in promote().stderr, promote()
    done = runtime.command("bench", MODEL, "--training")
    assert done.returncode == 1 and "Kept as test" in done.stdout, done
    assert "the training test of v2 against v1 failed" in promote().stderr and "memory" in promote().stderr, promote()
    assert train(runtime, "--produces", later, "--", *usual).returncode == 0
    # Newer runs of no version are passed over when it is named.
    assert train(runtime, "--", *usual[:2], usual[2].replace("5_", "200_")).returncode == 0
    assert "failed" in promote().stderr
    runtime.run("policy", MODEL, "bench_memory_max=100", "--reason", "the one run counts with those before")
    done = runtime.command("bench", MODEL, "2", "--training", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0 and (report["version"], report["against"]) == (2, 1), report
    assert [f["name"] for f in report["findings"]] == ["wall", "cpu", "memory"] and report["earlier"] == 7, report
    kept = runtime.json("tests", MODEL, str(report["id"]))
    assert kept["passed"] and kept["report"]["newest_run"] == report["newest_run"] and kept["against"] == 1, kept
    assert promote().returncode == 0
    assert runtime.command("bench", MODEL, "1", "--training").returncode == 4
    runtime.stop()


def test_the_first_training_comes_before_the_model():
    runtime = Runtime()
    model, new = f"{FLIGHTS}/flight-delay/v1.txt", "brand-new"
    with open(os.path.join(runtime.state, "mldeck.ini"), "w") as file:
        file.write("[train]\nrate = 7200\n")
    first = subprocess.run([MLDECK, "train", new, "--state", runtime.state, "--produces", model, "--", "sleep", "0"],
                           capture_output=True, text=True, timeout=DEADLINE_S)
    assert first.returncode == 0 and "there is no model brand-new; none is deployed" in first.stderr, first
    second = subprocess.run([MLDECK, "train", new, "--state", runtime.state, "--rate", "0", "--", "true"],
                            capture_output=True, text=True, timeout=DEADLINE_S)
    assert second.returncode == 0 and "there is no model" not in second.stderr, second
    # A name, and no model: nothing but its tests knows it.
    assert runtime.json("status")["models"] == [] and runtime.command("policy", new).returncode == 4
    assert runtime.command("tests", "other").returncode == 4
    assert [job["model"] for job in runtime.json("jobs")["jobs"]] == [new, new]
    tests = runtime.json("tests", new)["tests"]
    assert len(tests) == 2 and tests[1]["version"] == 0, tests
    run = runtime.json("tests", new, str(tests[1]["id"]))["report"]
    assert abs(run["cost"] - 2 * run["wall_s"]) < 1e-9, run
    assert runtime.command("bench", new, "--training").returncode == 8
    deployed = runtime.json("deploy", new, model)
    assert deployed["version"] == 1 and deployed["live"], deployed
    report = json.loads(runtime.command("bench", new, "--training", "--json").stdout)
    assert [run["version"] for run in report["runs"]] == [0, 1], report
    assert runtime.command("audit", "--verify").returncode == 0
    runtime.stop()
    runtime = Runtime(runtime.state)
    assert len(runtime.json("tests", new)["tests"]) == 4
    runtime.stop()


def test_training_has_the_terminal():
    """A shell of a few lines: what is typed reaches the command, Ctrl-Z stops both, and Ctrl-C ends it."""
    # The loop starts nothing: a shell that is just starting something cannot be stopped.
    runtime = runtime_with_versions()
    command = [MLDECK, "train", MODEL, "--state", runtime.state, "--", "sh", "-c",
               "read line; trap 'echo on again' CONT; echo got $line; while :; do :; done"]
    shell, terminal = pty.fork()
    if shell == 0:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        job = os.fork()
        if job == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.execv(command[0], command)
        stopped = os.waitpid(job, os.WUNTRACED)[1]
        os.write(1, b"stopped %d\n" % os.WIFSTOPPED(stopped))
        os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)
        os.write(1, b"ended %d\n" % os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))
        os._exit(0)
    said = b""
    os.set_blocking(terminal, False)

    def sees(text):
        nonlocal said
        try:
            said += os.read(terminal, 65536)
        except BlockingIOError:
            pass
        return text in said

    os.write(terminal, b"hello\n")
    poll(lambda: sees(b"got hello"))
    os.write(terminal, b"\x1a")
    poll(lambda: sees(b"stopped 1"))
    poll(lambda: sees(b"on again"))
    os.write(terminal, b"\x03")
    poll(lambda: sees(b"ended 130"))
    os.close(terminal)
    os.waitpid(shell, 0)
    assert runtime.json("jobs")["jobs"][0]["state"] == "failed"
    runtime.stop()


def test_training_passes_every_byte_on():
    runtime = runtime_with_versions()
    both = bytes(range(256)) * 300
    done = subprocess.run([MLDECK, "train", MODEL, "--state", runtime.state, "--", "cat"], input=both,
                          capture_output=True, timeout=DEADLINE_S)
    assert done.returncode == 0 and done.stdout == both and done.stderr.startswith(b"mldeck train: took"), done.stderr
    runtime.stop()


def test_training_passes_signals_on_and_shows_as_a_job():
    runtime = runtime_with_versions()
    child = subprocess.Popen([MLDECK, "train", MODEL, "--state", runtime.state, "--rate", "1", "--", "sh", "-c",
                              "trap 'echo caught; exit 7' TERM; while :; do sleep 0.05; done"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    jobs = lambda: [job for job in runtime.json("jobs")["jobs"] if job["kind"] == "train"]
    poll(lambda: jobs() and "CPU" in jobs()[0]["progress"].get("note", ""))
    note = jobs()[0]["progress"]["note"]
    assert "cost" in note and "B" in note, note
    assert [plot["y_unit"] for plot in jobs()[0]["progress"]["plots"]] == ["percent", "bytes", "value"], jobs()
    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=DEADLINE_S)
    assert child.returncode == 7 and out == "caught\n", (child.returncode, out)
    assert jobs()[0]["state"] == "failed" and "exit code 7" in jobs()[0]["summary"], jobs()
    child = subprocess.Popen([MLDECK, "train", MODEL, "--state", runtime.state, "--", "sleep", "600"],
                             stderr=subprocess.PIPE, text=True)
    poll(lambda: [job for job in jobs() if job["state"] == "running"])
    runtime.run("cancel", str(jobs()[0]["id"]))
    _, said = child.communicate(timeout=DEADLINE_S)
    assert child.returncode == 143 and "ended by signal 15" in said, said
    assert jobs()[0]["state"] == "cancelled", jobs()
    runtime.stop()


def test_training_says_what_is_wrong_before_it_runs():
    runtime = runtime_with_versions()
    mark = os.path.join(tempfile.mkdtemp(), "ran")
    for words, code, text in [
            (["train", "No Body", "--", "touch", mark], 2, "No Body"),
            (["train", MODEL, "--config", "/nowhere.ini", "--", "touch", mark], 4, "/nowhere.ini"),
            (["train", MODEL, "--rate", "much", "--", "touch", mark], 2, "--rate"),
            (["train", MODEL, "--produces", "", "--", "touch", mark], 2, "--produces"),
            (["train", MODEL], 2, "COMMAND"),
            (["train", MODEL, "--", "/nowhere/program"], 127, "/nowhere/program"),
            (["train", MODEL, "--", "no-such-command"], 127, "no-such-command"),
            (["train", MODEL, "--", "/etc/passwd"], 126, "/etc/passwd")]:
        done = subprocess.run([MLDECK, words[0], "--state", runtime.state, *words[1:]], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE_S)
        assert done.returncode == code and text in done.stderr, (words, done)
    assert not os.path.exists(mark)
    assert runtime.json("tests", MODEL)["tests"] == []
    done = train(runtime, "--produces", "/nowhere/model", "--", "true")
    assert done.returncode == 0 and "tied to no version" in done.stderr, done
    runtime.stop()


run_tests(globals())
