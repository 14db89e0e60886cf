"""`mldeck predict` against a real runtime: exact answers, kill -9 and resume, constant memory, every kind of end.

Prints `ok NAME` or `not ok NAME: why` a test. Nothing here sleeps to wait: it polls with a deadline.
"""
import csv
import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import time

from runtime import DEADLINE_S, FLIGHTS, MLDECK, Runtime, Skip, poll, run_tests

RELEASE = os.environ.get("MLDECK_RELEASE", MLDECK)
ONNX = "tests/fixtures/onnx"
ROWS = 200_000
FEW = 60_000


def rows_file(path, count, header=True, bad=()):
    """count rows of the recording, over and over; the lines of bad are no numbers."""
    with open(f"{FLIGHTS}/replay.csv") as source:
        first, *lines = source.read().splitlines()
    with open(path, "w") as out:
        if header:
            out.write(first + "\n")
        for i in range(count):
            line = lines[i % len(lines)]
            out.write((line.replace(",", ",x", 3) if i in bad else line) + "\n")


class Predict(Runtime):
    def __init__(self, versions=2):
        super().__init__()
        self.deploy_flights(versions)

    def file(self, name, text=None):
        path = os.path.join(self.state, name)
        if text is not None:
            with open(path, "w") as out:
                out.write(text)
        return path

    def read(self, name):
        with open(self.file(name), "rb") as file:
            return file.read()

    def words(self, source, target, *more, program=MLDECK):
        return [program, "predict", "flight-delay", "--input", source, "--output", target, "--state", self.state,
                *more]

    def predict(self, source, target, *more, want=0, stdin=subprocess.DEVNULL, program=MLDECK):
        done = subprocess.run(self.words(source, target, *more, program=program), capture_output=True, text=True,
                              stdin=stdin, timeout=4 * DEADLINE_S)
        assert done.returncode == want, f"{more}: exit {done.returncode}: {done.stderr} {done.stdout}"
        return done

    def left_behind(self, name):
        return [f for f in os.listdir(self.state) if f.startswith(name) and f != name]


def test_predictions_are_exact():
    runtime = Predict(4)
    with open(f"{FLIGHTS}/expected.csv") as file:
        expected = list(csv.DictReader(file))
    for version in (1, 2, 3, 4):
        out = runtime.file("out.csv")
        done = runtime.predict(f"{FLIGHTS}/expected.csv", out, "--version", f"v{version}", "--keep", "row",
                               "--outputs", "predict,raw_score")
        assert f"with v{version} of flight-delay" in done.stdout, done.stdout
        with open(out) as file:
            got = list(csv.DictReader(file))
        assert len(got) == len(expected)
        for have, want in zip(got, expected):
            assert have["row"] == want["row"]
            for output, column in (("predict", ""), ("raw_score", "-raw")):
                a, b = float(have[output]), float(want[f"flight-delay-v{version}{column}"])
                assert abs(a - b) <= 1e-6 * max(1, abs(b)), (version, output, a, b)
    runtime.stop()


def test_what_a_batch_asks_is_no_traffic():
    runtime = Predict(1)
    runtime.predict(f"{FLIGHTS}/sample.csv", runtime.file("out.csv"))
    assert runtime.json("status")["server"]["requests"] == 0
    runtime.stop()

def flat(tensor):
    """A tensor of a fixture as {column: [value of each row]}."""
    count = tensor["shape"][0]
    width = len(tensor["data"]) // count
    names = [tensor["name"]] if width == 1 else [f"{tensor['name']}_{k}" for k in range(width)]
    return {name: tensor["data"][k::width] for k, name in enumerate(names)}


def check_onnx(runtime, name, features=None):
    """Predicts a fixture's inputs as CSV and as JSON lines; the outputs are the fixture's."""
    with open(f"{ONNX}/{name}.json") as file:
        known = json.load(file)
    inputs = {k: v for tensor in known["inputs"] for k, v in flat(tensor).items()}
    if features:
        inputs = dict(zip(features, inputs.values()))
    rows = [dict(zip(inputs, row)) for row in zip(*inputs.values())]
    source = runtime.file(f"{name}.csv")
    with open(source, "w", newline="") as file:
        writer = csv.DictWriter(file, list(inputs))
        writer.writeheader()
        writer.writerows(rows)
    lines = runtime.file(f"{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    for path in (source, lines):
        done = runtime.command("predict", name, "--input", path, "--output", runtime.file("o.csv"), "--format", "csv",
                               "--chunk", "5")
        assert done.returncode == 0, (name, done)
        with open(runtime.file("o.csv"), newline="") as file:
            got = list(csv.DictReader(file))
        wanted = {k: v for tensor in known["outputs"] for k, v in flat(tensor).items()}
        assert list(got[0]) == list(wanted) and len(got) == len(rows), (name, got[0])
        for column, values in wanted.items():
            for i, value in enumerate(values):
                have = got[i][column]
                if isinstance(value, (str, bool)):
                    assert have == (value if isinstance(value, str) else str(value).lower()), (name, column, have)
                else:
                    assert abs(float(have) - value) <= 1e-4 * max(1, abs(value)), (name, column, i, have, value)


def test_models_of_several_inputs_and_datatypes():
    runtime = Predict(1)
    models = ["sk_pipeline", "sk_zipmap_names", "text", "types", "whole", "half", "xgb_classes"]
    for name in models:
        done = runtime.command("deploy", name, f"{ONNX}/{name}.onnx")
        if "needs the ONNX Runtime library" in done.stderr:
            runtime.stop()
            raise Skip("no ONNX Runtime library: run scripts/setup")
        assert done.returncode == 0, done.stderr
        check_onnx(runtime, name)
    # Names of the features stand for the columns of a single input.
    runtime.run("deploy", "net", f"{ONNX}/net.onnx")
    check_onnx(runtime, "net", ["age", "income", "debt", "years"])
    # An output that has not a row for each row, and an input that is no column.
    for name, code, sentence in (("free_shape", 5, "cannot be told apart"), ("scalar", 2, "takes tensors")):
        runtime.run("deploy", name, f"{ONNX}/{name}.onnx")
        done = runtime.command("predict", name, "--input", runtime.file("x.csv", "x\n1\n2\n"), "--output",
                               runtime.file("n.csv"))
        assert done.returncode == code and sentence in done.stderr, done
    runtime.stop()


def test_a_killed_run_goes_on_to_the_same_bytes():
    runtime = Predict(2)
    source = runtime.file("rows.csv")
    rows_file(source, ROWS, bad=set(range(5, ROWS, 9973)))
    runtime.predict(source, runtime.file("whole.csv"), "--keep", "unit", want=1)
    whole, rejects = runtime.read("whole.csv"), runtime.read("whole.csv.rejects.csv")
    assert whole.count(b"\n") == ROWS + 1 and rejects.count(b"\n") == len(range(5, ROWS, 9973)) + 1
    assert b"line,row,column,reason\n7,6," in rejects[:60]
    killed = 0
    for part in (0, 0.02, 0.2, 0.5, 0.8, 0.99):
        out = runtime.file("out.csv")
        # --chunk 64: many writes; where it is killed between two records of the progress is left to chance.
        words = runtime.words(source, out, "--keep", "unit", "--chunk", "64")
        process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        part_file = out + ".part"
        size = int(len(whole) * part)
        poll(lambda: process.poll() is not None
             or (os.path.exists(part_file) and os.path.getsize(part_file) >= size))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if process.returncode == -signal.SIGKILL:
            killed += 1
            assert not os.path.exists(out), "a half output has the final name"
        done = runtime.predict(source, out, "--keep", "unit", "--chunk", "64", want=1)
        if process.returncode == -signal.SIGKILL and part > 0:
            assert "goes on" in done.stderr, done.stderr
        assert runtime.read("out.csv") == whole and runtime.read("out.csv.rejects.csv") == rejects, part
        assert runtime.left_behind("out.csv") == ["out.csv.rejects.csv"], runtime.left_behind("out.csv")
        os.remove(out)
        os.remove(out + ".rejects.csv")
    assert killed >= 4, killed
    runtime.stop()


def test_a_stopped_run_says_how_to_go_on():
    runtime = Predict(2)
    source, out = runtime.file("rows.csv"), runtime.file("out.csv")
    rows_file(source, FEW)
    runtime.predict(source, runtime.file("whole.csv"))
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = subprocess.Popen(runtime.words(source, out, "--chunk", "32", "--parallel", "1"), text=True,
                                   stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        assert "flight-delay v1" in process.stderr.readline()
        poll(lambda: process.poll() is not None or os.path.exists(out + ".progress"))
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == code, (process.returncode, stderr)
        assert re.search(r"stopped after \d+ rows; the same command goes on there", stderr), stderr
    # The version stays the one that the run began with.
    runtime.run("promote", "flight-delay", "2", "--reason", "test")
    done = runtime.predict(source, out, "--chunk", "32", "--parallel", "1")
    assert "It began with v1; v2 is live now" in done.stderr, done.stderr
    assert runtime.read("out.csv") == runtime.read("whole.csv")
    runtime.stop()


def test_a_changed_run_is_not_continued():
    runtime = Predict(2)
    source, out = runtime.file("rows.csv"), runtime.file("out.csv")
    rows_file(source, FEW)
    process = subprocess.Popen(runtime.words(source, out, "--chunk", "32", "--parallel", "1"),
                               stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    poll(lambda: process.poll() is not None or os.path.exists(out + ".progress"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "go on with --version 1" in runtime.predict(source, out, "--version", "2", want=3).stderr
    assert "something else" in runtime.predict(source, out, "--keep", "unit", want=3).stderr
    with open(source, "a") as file:
        file.write("\n")
    assert "has changed" in runtime.predict(source, out, want=3).stderr
    done = runtime.predict(source, out, "--version", "2", "--restart", "--json")
    answer = json.loads(done.stdout)
    assert answer["rows"] == FEW and answer["version"] == 2 and answer["resumed_rows"] == 0, answer
    assert runtime.left_behind("out.csv") == []
    runtime.stop()


def test_two_runs_do_not_write_one_output():
    runtime = Predict(1)
    out = runtime.file("out.csv")
    process = subprocess.Popen(runtime.words("-", out), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL)
    poll(lambda: os.path.exists(out + ".part"))
    done = runtime.predict(f"{FLIGHTS}/sample.csv", out, want=3)
    assert "another run is writing" in done.stderr, done.stderr
    with open(f"{FLIGHTS}/sample.csv", "rb") as file:
        process.communicate(file.read(), timeout=DEADLINE_S)
    assert process.returncode == 0, process.returncode
    assert runtime.read("out.csv").startswith(b"predict\n0."), runtime.read("out.csv")[:40]
    runtime.stop()


def peak_kib(words):
    """Peak resident memory of a command, by the kernel."""
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    return usage.ru_maxrss


def test_memory_does_not_grow_with_the_input():
    runtime = Predict(1)
    small, large = runtime.file("small.csv"), runtime.file("large.csv")
    rows_file(small, 100_000)
    rows_file(large, 1_000_000)
    few = peak_kib(runtime.words(small, runtime.file("a.csv"), "--keep", "all", program=RELEASE))
    many = peak_kib(runtime.words(large, runtime.file("b.csv"), "--keep", "all", program=RELEASE))
    assert many < few + 8 * 1024 and many < 128 * 1024, (few, many)
    runtime.stop()


def test_json_lines_in_and_out():
    runtime = Predict(1)
    with open(f"{FLIGHTS}/sample.csv") as file:
        rows = list(csv.DictReader(file))
    runtime.predict(f"{FLIGHTS}/sample.csv", runtime.file("a.csv"))
    want = runtime.read("a.csv").decode().split()[1:]
    lines = [json.dumps({"id": i, **{k: float(v) if v else None for k, v in row.items()}})
             for i, row in enumerate(rows)]
    lines.insert(1, json.dumps({"id": "bad", **rows[0], "weekday": "Monday"}))
    lines.insert(2, "{")
    source = runtime.file("rows.jsonl", "\n".join(lines))
    done = runtime.predict(source, runtime.file("out.jsonl"), "--keep", "id", want=1)
    assert "2 of them could not be" in done.stdout, done.stdout
    got = [json.loads(line) for line in runtime.read("out.jsonl").decode().splitlines()]
    assert got[1] == {"id": "bad", "predict": None} and got[2] == {"id": None, "predict": None}, got[:3]
    assert [g["predict"] for i, g in enumerate(got) if i not in (1, 2)] == [float(w) for w in want]
    with open(runtime.file("out.jsonl.rejects.csv")) as file:
        rejects = list(csv.DictReader(file))
    assert [(r["line"], r["column"]) for r in rejects] == [("2", "weekday"), ("3", "")], rejects
    # To CSV, and all that was there in JSON lines.
    runtime.predict(source, runtime.file("out.csv"), "--keep", "id", want=1)
    assert runtime.read("out.csv").decode().splitlines()[2:4] == ["bad,", ","]
    runtime.predict(source, runtime.file("all.jsonl"), "--keep", "all", want=1)
    first = json.loads(runtime.read("all.jsonl").splitlines()[0])
    assert first["id"] == 0 and first["predict"] == float(want[0]) and first["weekday"] == 4, first
    runtime.stop()


def test_standard_input_and_output():
    runtime = Predict(1)
    runtime.predict(f"{FLIGHTS}/sample.csv", runtime.file("a.csv"))
    with open(f"{FLIGHTS}/sample.csv") as source:
        done = runtime.predict("-", "-", stdin=source)
    assert done.stdout.encode() == runtime.read("a.csv"), done.stdout
    assert "rows of standard input predicted" in done.stderr, done.stderr
    source = runtime.file("bad.csv")
    rows_file(source, 10, bad={3})
    done = runtime.predict(source, "-", "--format", "jsonl", want=1)
    assert json.loads(done.stdout.splitlines()[3]) == {"predict": None}
    assert re.search("line 5, column `.*`: `x.*` is not a number", done.stderr), done.stderr
    # A reader that goes away ends it.
    process = subprocess.Popen(runtime.words(source, "-"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    stderr = process.stderr.read()
    assert process.wait(DEADLINE_S) == 7 and b"gone away" in stderr, stderr
    runtime.stop()


def test_bad_use_is_named():
    runtime = Predict(1)
    good, out = f"{FLIGHTS}/sample.csv", runtime.file("out.csv")
    empty, header = runtime.file("empty.csv", ""), runtime.file("header.csv", open(good).readline())
    lone = runtime.file("lone.csv", "".join(open(good).readlines()[:2]).rstrip("\n"))
    cases = [
        (2, "--input is missing", ["predict", "flight-delay", "--output", out]),
        (2, "--output is missing", ["predict", "flight-delay", "--input", good]),
        (2, "csv or jsonl", ["predict", "flight-delay", "--input", good, "--output", out, "--format", "xml"]),
        (2, "--keep takes", ["predict", "flight-delay", "--input", good, "--output", out, "--keep", "a,,b"]),
        (2, "to be kept", ["predict", "flight-delay", "--input", good, "--output", out, "--keep", "id"]),
        (2, "no output `score`", ["predict", "flight-delay", "--input", good, "--output", out, "--outputs", "score"]),
        (2, "no column `weekday`", ["predict", "flight-delay", "--input", runtime.file("x.csv", "a\n1\n"),
                                    "--output", out]),
        (2, "is empty", ["predict", "flight-delay", "--input", empty, "--output", out]),
        (2, "overwrite the input", ["predict", "flight-delay", "--input", lone, "--output", lone]),
        (2, "none of the first", ["predict", "flight-delay", "--input", runtime.file(
            "y.csv", open(good).readline() + (",".join("y" * 15) + "\n") * 3000), "--output", out]),
        (2, "quote that is not closed", ["predict", "flight-delay", "--input", runtime.file(
            "q.csv", open(good).readline() + '"'), "--output", out]),
        (2, "longer than 16 MiB", ["predict", "flight-delay", "--input", runtime.file(
            "l.csv", open(good).readline() + "1" * (17 << 20)), "--output", out]),
        (4, "no model", ["predict", "nothing", "--input", good, "--output", out]),
        (4, "no version 9", ["predict", "flight-delay", "--input", good, "--output", out, "--version", "9"]),
        (4, "cannot be opened", ["predict", "flight-delay", "--input", good + "x", "--output", out]),
        (4, "cannot be written", ["predict", "flight-delay", "--input", good, "--output", runtime.file("n/o.csv")]),
    ]
    for code, sentence, words in cases:
        done = runtime.command(*words)
        assert done.returncode == code and sentence in done.stderr, (words, done)
        assert not os.path.exists(out) and not [f for f in runtime.left_behind("out.csv") if "rejects" not in f], words
    assert runtime.predict(header, out).stdout.startswith("0 rows") and runtime.read("out.csv") == b"predict\n"
    assert runtime.predict(lone, out).stdout.startswith("1 row of")
    source = runtime.file("rejects.csv")
    rows_file(source, 100, bad={1, 2, 3})
    done = runtime.predict(source, runtime.file("m.csv"), "--max-rejects", "2", want=2)
    assert "more than 2 rows cannot be predicted; line 3" in done.stderr, done.stderr
    assert os.path.exists(runtime.file("m.csv.rejects.csv")) and not os.path.exists(runtime.file("m.csv"))
    runtime.predict(source, runtime.file("m.csv"), "--max-rejects", "3", want=1)
    runtime.stop()
    done = runtime.command("predict", "flight-delay", "--input", good, "--output", out)
    assert done.returncode == 5 and "start a runtime" in done.stderr, done.stderr


def test_a_limit_on_file_sizes_is_a_full_disk():
    runtime = Predict(1)
    source, out = runtime.file("rows.csv"), runtime.file("out.csv")
    rows_file(source, FEW)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    done = subprocess.run(runtime.words(source, out), capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 7 and "there is no room for" in done.stderr, done
    assert "goes on" in runtime.predict(source, out).stderr
    assert runtime.read("out.csv").count(b"\n") == FEW + 1 and not runtime.left_behind("out.csv")
    runtime.stop()


def test_a_runtime_that_starts_again_is_waited_for():
    runtime = Predict(1)
    source, out = runtime.file("rows.csv"), runtime.file("out.csv")
    rows_file(source, FEW)
    runtime.predict(source, runtime.file("whole.csv"))
    process = subprocess.Popen(runtime.words(source, out, "--chunk", "16", "--parallel", "1"),
                               stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    poll(lambda: process.poll() is not None or os.path.exists(out + ".progress"))
    runtime.process.kill()
    runtime.process.wait()
    runtime.start()
    assert process.wait(2 * DEADLINE_S) == 0
    assert runtime.read("out.csv") == runtime.read("whole.csv")
    runtime.stop()


def jobs(runtime):
    return runtime_get(runtime, "/control/v1/jobs")["jobs"]


def runtime_get(runtime, path, body=None):
    done = subprocess.run(["curl", "-s", "--unix-socket", os.path.join(runtime.state, "control/mldeck.sock"),
                           *(["-d", json.dumps(body)] if body is not None else []), "http://localhost" + path],
                          capture_output=True, text=True, timeout=DEADLINE_S)
    return json.loads(done.stdout)


def test_the_job_list_has_it_and_stops_it():
    runtime = Predict(1)
    runtime.predict(f"{FLIGHTS}/sample.csv", runtime.file("a.csv"))
    job = jobs(runtime)[0]
    assert (job["kind"], job["state"], job["version"]) == ("predict", "done", 1), job
    assert job["command"].startswith("mldeck predict flight-delay --input "), job
    assert job["title"] == "sample.csv to a.csv" and job["progress"]["done"] == 20, job
    process = subprocess.Popen(runtime.words("-", runtime.file("b.csv")), stdin=subprocess.PIPE,
                               stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    poll(lambda: jobs(runtime)[0]["state"] == "running")
    job = jobs(runtime)[0]
    runtime_get(runtime, f"/control/v1/jobs/{job['id']}/cancel", {"reason": "test"})
    assert process.wait(DEADLINE_S) == 143
    assert "cancelled by an operator" in process.stderr.read()
    assert jobs(runtime)[0]["state"] == "cancelled", jobs(runtime)[0]
    assert runtime.left_behind("b.csv") == [] and not os.path.exists(runtime.file("b.csv"))
    # One that the runtime starts.
    source, out = runtime.file("rows.csv"), runtime.file("c.csv")
    rows_file(source, 20_000)
    answer = runtime_get(runtime, "/control/v1/jobs", {"kind": "predict", "model": "flight-delay",
                                                       "start": {"input": source, "output": out}})
    assert "id" in answer, answer
    poll(lambda: jobs(runtime)[0]["state"] not in ("queued", "running"))
    job = jobs(runtime)[0]
    assert job["state"] == "done" and job["progress"]["done"] == 20_000 and not job["in_shell"], job
    assert runtime.read("c.csv").count(b"\n") == 20_001
    runtime.stop()


def on_terminal(words, columns, term="xterm-256color"):
    """What a run on a terminal of so many columns draws."""
    import fcntl
    import struct
    import termios
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = term
        os.execv(words[0], words)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    text, end = b"", time.monotonic() + 2 * DEADLINE_S
    while time.monotonic() < end:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        text += data
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, text
    return text.decode()


def test_a_terminal_has_a_bar():
    runtime = Predict(1)
    source = runtime.file("rows.csv")
    rows_file(source, 100_000)
    words = runtime.words(source, runtime.file("out.csv"), "--chunk", "64", "--parallel", "1")
    for columns in (40, 100):
        text = on_terminal(words, columns)
        bars = re.findall("\r([^\r\n]*)\x1b\\[K", text)
        drawn = [bar for bar in bars if bar]
        assert drawn and all(len(bar) < columns and "rows" in bar for bar in drawn), (columns, bars[:3])
        assert bars[-1] == "", "the bar is removed"
    text = on_terminal(words, 80, term="dumb")
    assert "\x1b" not in text and "100000 rows" in text, text
    runtime.stop()


run_tests(globals())
