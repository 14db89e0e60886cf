"""Differential tests of real versions: what they catch and pass, as a command, a job and a gate, and bad data."""
import json
import math
import os
import random
import shlex
import shutil
import signal
import struct
import subprocess

from runtime import FLIGHTS, MLDECK, Runtime, Skip, poll, run_tests
from v2_server import METADATA, Server, answer

MODEL = "flight-delay"
V1 = f"{FLIGHTS}/flight-delay/v1.txt"
REPLAY = f"{FLIGHTS}/replay.csv"
MASK = 0xffffffff


def swapped(text, a, b):
    """The model with two of its features' names swapped."""
    lines = text.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("feature_names="))
    names = lines[at].removeprefix("feature_names=").split(" ")
    i, j = names.index(a), names.index(b)
    names[i], names[j] = names[j], names[i]
    lines[at] = "feature_names=" + " ".join(names)
    return "\n".join(lines)


def zeroed(text, name):
    """The model as it answers when a feature is always 0: its splits go where 0 goes."""
    lines = text.split("\n")
    names = next(line for line in lines if line.startswith("feature_names=")).removeprefix("feature_names=").split(" ")
    feature, features = str(names.index(name)), []
    for i, line in enumerate(lines):
        if line.startswith("split_feature="):
            features = line.removeprefix("split_feature=").split(" ")
        if line.startswith("threshold="):
            values = line.removeprefix("threshold=").split(" ")
            lines[i] = "threshold=" + " ".join(
                ("1e300" if float(v) >= 0 else "-1e300") if f == feature else v for f, v in zip(features, values))
    return "\n".join(lines)


def off_by_one(text):
    """The model as if every category's code were one higher."""
    lines, bounds = text.split("\n"), []
    for i, line in enumerate(lines):
        if line.startswith("cat_boundaries="):
            bounds = [int(word) for word in line.removeprefix("cat_boundaries=").split()]
        if line.startswith("cat_threshold="):
            words, moved = [int(word) for word in line.removeprefix("cat_threshold=").split()], []
            for first, end in zip(bounds, bounds[1:]):
                bits = sum(word << 32 * k for k, word in enumerate(words[first:end])) << 1
                moved += [bits >> 32 * k & MASK for k in range(end - first)]
            lines[i] = "cat_threshold=" + " ".join(map(str, moved))
    return "\n".join(lines)


def write(runtime, name, text):
    path = os.path.join(runtime.state, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def rows(runtime, name, count=2000, change=lambda line: line):
    with open(REPLAY) as file:
        lines = [next(file).rstrip("\n") for _ in range(count + 1)]
    return write(runtime, name, "\n".join(map(change, lines)) + "\n")


def serving(*models):
    runtime = Runtime()
    for model in (V1, *models):
        runtime.run("deploy", MODEL, model)
    return runtime


def diff(runtime, version, *words, data=REPLAY):
    done = runtime.command("diff", MODEL, str(version), "--data", data, "--json", *words)
    assert done.returncode in (0, 1), f"exit {done.returncode}: {done.stderr}"
    report = json.loads(done.stdout)
    assert report["passed"] == (done.returncode == 0), report["verdict"]
    return report


def verdicts(report):
    return {finding["name"]: finding["verdict"] for finding in report["findings"]}


def refused(done, code, *words):
    assert done.returncode == code, f"exit {done.returncode}: {done.stdout} {done.stderr}"
    for word in words:
        assert word in done.stderr, f"no {word!r} in {done.stderr!r}"


# --- what it catches, and what it passes ---

def test_faults_that_look_healthy_are_caught():
    runtime = Runtime()
    with open(V1) as file:
        text = file.read()
    faults = [f"{FLIGHTS}/flight-delay/v4.txt", write(runtime, "swapped", swapped(text, "sched_dep_min", "sched_arr_min")),
              write(runtime, "off", off_by_one(text)), write(runtime, "zeroed", zeroed(text, "dep_delay_min"))]
    for model in (V1, *faults):
        runtime.run("deploy", MODEL, model)
    for version in range(2, 6):
        report = diff(runtime, version, "--against", "1", "--labels", "late", "--segment", "carrier")
        found = verdicts(report)
        assert not report["passed"] and found["rows"] == "fail" and found["segments"] == "fail", (version, found)
        assert report["rows"] == 26000 and report["difference"]["violations"] > 5000, report["difference"]
        segments = report["segments"]["values"]
        for part, whole in (("flips", report["classes"]["flips"]), ("negative", report["labels"]["negative"]),
                            ("violations", report["difference"]["violations"]), ("rows", 26000)):
            assert sum(segment[part] for segment in segments) == whole > 0, (version, part, segments)
        assert len(report["worst"]) == 10 and report["worst"][0]["inputs"]["carrier"] is not None
    # The stale one is worse by the labels, too.
    assert verdicts(diff(runtime, 2, "--against", "1", "--labels", "late"))["negative_flips"] == "fail"
    runtime.stop()


def test_the_same_model_exported_another_way_passes():
    runtime = serving()
    features = write(runtime, "features", open(REPLAY).readline().split("unit,")[1].split(",late")[0] + "\n")
    done = runtime.command("deploy", MODEL, "tests/fixtures/flights_v1.onnx", "--features", features)
    if "ONNX Runtime" in done.stderr:
        raise Skip("no ONNX Runtime library: run scripts/setup")
    assert done.returncode == 0, done.stderr
    report = diff(runtime, 2, "--labels", "late", "--segment", "origin")
    assert report["passed"] and set(verdicts(report).values()) == {"pass"}, verdicts(report)
    assert report["difference"]["violations"] == 0 and 0 < report["difference"]["greatest"] < 1e-6
    assert 0 < report["ulp"]["greatest"] and report["noise"] == {"rows": 4096, "differing": 0, "greatest": 0}
    assert report["classes"]["confusion"][0][1] == 0 and report["classes"]["flips"] == 0
    assert [s["value"] for s in report["segments"]["values"]] and report["ignored_columns"] == [
        "departed_s", "known_s", "unit", "arr_delay"], report["ignored_columns"]
    # Nothing differs by more, so nothing is forgiven: even one part in a thousand million is seen.
    assert not diff(runtime, 2, "--atol", "0", "--rtol", "1e-9")["passed"]
    runtime.stop()


def ask(runtime, line):
    """What a line of the report says when it is pasted into a shell; without curl, when it is sent."""
    if shutil.which("curl"):
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (line, done)
        found = json.loads(done.stdout)
    else:
        words = shlex.split(line)
        found = runtime.infer(json.loads(words[2]), words[3].split(f"{runtime.host}:{runtime.port}")[1])[1]
    return found["outputs"][0]["data"][0]


def test_worst_rows_can_be_asked_again():
    runtime = serving(f"{FLIGHTS}/flight-delay/v2.ubj")
    report = diff(runtime, 2)
    for worst in report["worst"]:
        assert abs(ask(runtime, worst["curl"]) - worst["new"]) < 1e-7, worst
        assert abs(ask(runtime, worst["curl_old"]) - worst["old"]) < 1e-7, worst
    assert report["worst"][0]["times_tolerance"] > 1 and report["worst"][0]["inputs"]["weekday"] in range(1, 8)
    runtime.stop()


# --- versions on other servers, and every kind of prediction and input ---

METADATA = dict(METADATA, outputs=METADATA["outputs"][:1])


def summing(change):
    """A server whose `m` answers change(x_0 + x_1) for a row, in bytes, so that NaN can be answered."""
    def infer(request):
        asked, binary = request.json(), request.body[request.json_size():]
        x = struct.unpack(f"<{asked['inputs'][0]['parameters']['binary_data_size'] // 4}f", binary)
        y = [change(x[i] + x[i + 1]) for i in range(0, len(x), 2)]
        output = {"name": "y", "datatype": "FP64", "shape": [len(y), 1], "parameters": {"binary_data_size": 8 * len(y)}}
        text = json.dumps({"model_name": "m", "outputs": [output]}).encode()
        return answer(200, text + struct.pack(f"<{len(y)}d", *y), [f"Inference-Header-Content-Length: {len(text)}"])

    return Server(infer, metadata=METADATA, extensions=["binary_tensor_data"])


def test_versions_on_other_servers():
    # Nothing stays loaded that is not in the route: each is loaded for its test.
    runtime = Runtime(options=("--set", "routes.idle_unload=1s", "--set", "routes.keep_warm=0s"))
    noise = random.Random(7).uniform
    changes = {"sum": lambda y: y, "nan": lambda y: math.nan if y > 1 else y, "inf": lambda y: math.inf if y > 1 else y,
               "one": lambda y: 1.0, "uno": lambda y: 1.0, "noisy": lambda y: y + noise(-0.1, 0.1),
               "as_noisy": lambda y: y + noise(-0.1, 0.1), "off": lambda y: y + 1 + noise(-0.1, 0.1)}
    servers = {name: summing(change) for name, change in changes.items()}
    for server in servers.values():
        runtime.run("deploy", MODEL, server.url())
    state = lambda version: next(v["state"] for v in runtime.control(
        "GET", f"/control/v1/models/{MODEL}/versions")[1]["versions"] if v["version"] == version)
    poll(lambda: state(2) == "unloaded")
    data = write(runtime, "x.csv", "note,x_1,x_0\n" + "".join(f"n,{i / 100},{i % 7}\n" for i in range(300)))
    number = {name: str(i + 1) for i, name in enumerate(changes)}

    def compare(new, old, data=data):
        return diff(runtime, number[new], "--against", number[old], data=data)

    for new, old in (("nan", "sum"), ("sum", "nan"), ("inf", "sum")):
        report = compare(new, old)
        worst, count = report["worst"][0], sum(i / 100 + i % 7 > 1 for i in range(300))
        assert verdicts(report)["not_finite"] == "fail" and report["difference"]["not_finite"] == count, report
        assert {"NaN", "inf"} & {worst["new"], worst["old"]} and worst["times_tolerance"] is None, worst
        assert (worst["ulp"] is None) == ("inf" not in (new, old)), worst
        assert report["summary"].startswith(f"not_finite: {count} of 300 rows"), report["summary"]
    assert verdicts(compare("nan", "inf"))["not_finite"] == "fail"
    assert verdicts(compare("one", "sum"))["spread"] == "fail" and verdicts(compare("sum", "one"))["spread"] == "fail"
    report = compare("uno", "one")
    assert report["verdict"] == "wait" and verdicts(report)["spread"] == "wait", report
    # What the old version does not answer twice is no difference, and what is beyond it is one.
    report = compare("as_noisy", "noisy")
    assert report["passed"] and report["noise"]["differing"] == 300, report["noise"]
    assert abs(report["settings"]["diff_atol"] - 4 * report["noise"]["greatest"]) < 1e-9 < report["noise"]["greatest"]
    assert verdicts(compare("off", "noisy"))["rows"] == "fail"
    assert verdicts(compare("noisy", "sum"))["rows"] == "fail"
    # One row; none; a row whose inputs are absent, where both answer NaN.
    assert verdicts(compare("uno", "one", write(runtime, "one.csv", "x_0,x_1\n1,2\n")))["mean"] == "wait"
    none = write(runtime, "none.csv", "x_0,x_1\n")
    refused(runtime.command("diff", MODEL, "2", "--data", none), 2, "there are no rows in")
    assert verdicts(compare("uno", "sum", write(runtime, "nan.csv", "x_0,x_1\n1,\n2,3\n2,3\n")))["not_finite"] == "fail"
    report = compare("as_noisy", "noisy", write(runtime, "nan.csv", "x_0,x_1\n1,\n2,3\n2,3\n"))
    assert verdicts(report)["not_finite"] == "pass" and report["difference"]["not_finite"] == 0, report
    # One that is gone cannot be loaded, and that is said at once.
    servers["uno"].stop()
    poll(lambda: state(5) == "unloaded")
    refused(runtime.command("diff", MODEL, number["uno"], "--data", data), 3, "v5", "nothing answers on")
    for server in servers.values():
        server.stop()
    runtime.stop()


def test_classes_integers_and_texts():
    runtime = Runtime()
    for name in ("multi_softprob_json.json", "multi_softprob_ubj.ubj", "multi_softmax_json.json"):
        runtime.run("deploy", "classes", f"tests/fixtures/forest/new_{name}")
    draw = random.Random(5).gauss
    data = write(runtime, "f.csv", "f0,f1,f2,f3,f4\n" + "".join(
        ",".join(f"{draw(0, 1):.4f}" for _ in range(5)) + "\n" for _ in range(300)))
    # The same three classes, whose numbers no row has at one half: the greatest counts.
    done = runtime.command("diff", "classes", "2", "--data", data, "--json")
    confusion = json.loads(done.stdout)["classes"]["confusion"]
    assert done.returncode == 0 and len(confusion) == 3, done
    assert all((confusion[i][j] > 0) == (i == j) for i in range(3) for j in range(3)), confusion
    refused(runtime.command("diff", "classes", "3", "--data", data), 3, "a class", "a number for each class")
    metadata = {"name": "m", "versions": ["1"], "platform": "test", "outputs": METADATA["outputs"], "inputs": [
        {"name": name, "datatype": datatype, "shape": [-1, 1]} for name, datatype in
        (("n", "INT64"), ("s", "BYTES"), ("b", "BOOL"))]}

    def server(more):
        def infer(request):
            n, s, b = (tensor["data"] for tensor in request.json()["inputs"])
            y = [a % 1000 + len(text) + flag + more for a, text, flag in zip(n, s, b)]
            return answer(200, {"outputs": [{"name": "y", "datatype": "FP64", "shape": [len(y), 1], "data": y}]})

        return Server(infer, metadata=metadata)

    servers = [server(0), server(1)]
    for one in servers:
        runtime.run("deploy", "texts", one.url())
    mark = os.path.join(runtime.state, "ran")
    texts = ["it's, \"x\"", "@file", "two\nlines", f"$(touch {mark}) `touch {mark}`", "\u00e9\u2603"]
    numbers = [2**53 + 1, -5, 7, 2**63 - 1, 1]
    data = write(runtime, "t.csv", "s,b,n\n" + "".join(
        '"%s",%d,%d\n' % (text.replace('"', '""'), n % 2, n) for text, n in zip(texts, numbers)))
    report = json.loads(runtime.command("diff", "texts", "2", "--data", data, "--json").stdout)
    assert len(report["worst"]) == 5 and verdicts(report)["rows"] == "fail", report
    asked = {row["inputs"]["s"]: row for row in report["worst"]}
    for text, n in zip(texts, numbers):
        row = asked[text]
        assert row["inputs"] == {"s": text, "n": n if n < 2**53 else str(n), "b": n % 2 == 1}, row
        assert ask(runtime, row["curl"]) == row["new"] and ask(runtime, row["curl_old"]) == row["old"], row
        assert servers[0].log[-1].json()["inputs"][0]["data"] == [n], n
    assert not os.path.exists(mark)
    for row, words in (("x,1,1.5", ("`n`", "1.5")), ("x,1,", ("`n`", "absent")), ("x,2,1", ("`b`", "`2`")),
                       ("x,1,9e99", ("`n`", "9e99"))):
        refused(runtime.command("diff", "texts", "2", "--data", write(runtime, "bad.csv", "s,b,n\n" + row + "\n")), 2,
                "line 2", *words)
    for one in servers:
        one.stop()
    runtime.stop()


def test_numbers_are_compared_too():
    runtime = Runtime()
    for name in ("v1.txt", "v2.json"):
        runtime.run("deploy", "arrival", f"{FLIGHTS}/arrival-delay/{name}")
    report = json.loads(runtime.command("diff", "arrival", "2", "--data", REPLAY, "--labels", "arr_delay", "--json").stdout)
    found = verdicts(report)
    assert "flips" not in found and found["error"] in ("pass", "fail") and report["classes"] is None, found
    assert 10 < report["labels"]["old_error"] < 15 and report["labels"]["rows"] == 26000
    runtime.stop()


# --- sensitivity, job and gate ---

def test_sensitivity_is_the_models_own():
    runtime = serving(f"{FLIGHTS}/flight-delay/v2.ubj")
    assert not diff(runtime, 2)["passed"]
    runtime.run("policy", MODEL, "diff_rows_max=100%", "diff_flips_max=5%", "diff_mean_max=0.05", "--reason", "trained again")
    report = diff(runtime, 2, "--labels", "late")
    assert report["passed"] and report["settings"]["diff_rows_max"] == 100, verdicts(report)
    assert report["settings"]["diff_atol"] > 0 and report["difference"]["violations"] > 25000
    assert verdicts(diff(runtime, 2, "--set", "diff_flips_max=0%"))["flips"] == "fail"
    refused(runtime.command("diff", MODEL, "2", "--data", REPLAY, "--set", "min_age=0"), 2, "--set takes")
    refused(runtime.command("diff", MODEL, "2", "--data", REPLAY, "--atol", "much"), 2, "diff_atol takes a number")
    runtime.stop()


def test_a_job_runs_it_and_the_gate_reads_it():
    runtime = serving(f"{FLIGHTS}/flight-delay/v2.ubj")
    runtime.run("policy", MODEL, "tests=differential", "--reason", "careful")
    done = runtime.command("promote", MODEL, "2", "--reason", "x")
    assert done.returncode == 1 and "there is no differential test" in done.stdout + done.stderr, done
    body = {"kind": "diff", "model": MODEL, "version": 2, "start": {"data": os.path.abspath(REPLAY), "labels": "late"}}
    status, answer = runtime.control("POST", "/control/v1/jobs", json.dumps(body))
    assert status == 200 and answer["command"].startswith(f"mldeck diff {MODEL} 2 --data /"), answer
    poll(lambda: runtime.json("jobs")["jobs"][0]["state"] == "done")
    found = runtime.json("tests", MODEL)["tests"]
    assert len(found) == 1 and found[0]["job"] == answer["id"] and not found[0]["passed"], found
    done = runtime.command("promote", MODEL, "2", "--reason", "x")
    assert done.returncode == 1 and "the differential test of v2 against v1 failed" in done.stdout + done.stderr, done
    # Sensitivity of the command alone opens no gate.
    looser = ("diff_rows_max=100%", "diff_flips_max=5%", "diff_mean_max=1")
    runtime.run("diff", MODEL, "2", "--data", REPLAY, *(word for setting in looser for word in ("--set", setting)))
    done = runtime.command("promote", MODEL, "2", "--reason", "x")
    assert done.returncode == 1 and "ran with diff_rows_max 100%, the policy has 0.1%" in done.stderr, done
    runtime.run("policy", MODEL, *looser, "--reason", "trained again")
    runtime.run("promote", MODEL, "2", "--reason", "tested")
    report = runtime.json("tests", MODEL, "1")["report"]
    assert report["kind"] == "differential" and report["labels"]["negative"] >= 0
    del body["version"]
    status, answer = runtime.control("POST", "/control/v1/jobs", json.dumps(body))
    assert status == 400 and "field `version` is missing" in answer["error"], answer
    runtime.stop()


def test_a_stopped_run_keeps_nothing():
    runtime = serving(f"{FLIGHTS}/flight-delay/v2.ubj")
    with open(REPLAY) as file:
        text = file.read()
    data = write(runtime, "many.csv", text + text[text.index("\n") + 1:] * 40)
    process = subprocess.Popen([MLDECK, "diff", MODEL, "2", "--data", data, "--state", runtime.state],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    poll(lambda: any(job["progress"]["done"] > 0 for job in runtime.json("jobs")["jobs"]))
    poll(lambda: any(job["progress"].get("plots") for job in runtime.json("jobs")["jobs"]))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, process.returncode
    job = runtime.json("jobs")["jobs"][0]
    assert job["state"] == "cancelled" and runtime.json("tests", MODEL)["tests"] == [], job
    runtime.stop()


# --- bad input ---

def test_bad_data_is_refused():
    runtime = serving(f"{FLIGHTS}/flight-delay/v2.ubj")

    def try_data(name, text, *words, code=2):
        refused(runtime.command("diff", MODEL, "2", "--data", write(runtime, name, text)), code, *words)

    header, first = open(f"{FLIGHTS}/sample.csv").read().split("\n")[:2]
    try_data("empty.csv", "", "is empty")
    try_data("none.csv", header + "\n", "there are no rows")
    try_data("missing.csv", header.replace("carrier", "airline") + "\n" + first + "\n", "`carrier`")
    try_data("word.csv", header + "\n" + first + "\n" + first.replace(",", ",x", 1) + "\n", "line 3", "`sched_dep_min`")
    try_data("short.csv", header + "\n" + first + ",1\n", "line 2", "fields")
    good = write(runtime, "good.csv", header + "\n" + first + "\n")
    refused(runtime.command("diff", MODEL, "2", "--data", good, "--labels", "late"), 2, "`late`", "--labels")
    refused(runtime.command("diff", MODEL, "2", "--data", good, "--segment", "x"), 2, "`x`", "--segment")
    refused(runtime.command("diff", MODEL, "2", "--data", good, "--labels", "recent_delay_min", "--against", "2"), 3, "is both")
    refused(runtime.command("diff", MODEL, "1", "--data", good), 3, "the live one")
    refused(runtime.command("diff", MODEL, "9", "--data", good), 4, "no version 9")
    refused(runtime.command("diff", MODEL, "2"), 2, "--data")
    refused(runtime.command("diff", MODEL, "2", "--data", "/nowhere.csv"), 4, "cannot be opened")
    refused(runtime.command("diff", MODEL, "2", "--data", runtime.state), 2, "no ordinary file")
    text = write(runtime, "label.csv", header + ",late\n" + first + ",maybe\n")
    refused(runtime.command("diff", MODEL, "2", "--data", text, "--labels", "late"), 2, "line 2", "`maybe` is no label")
    text = write(runtime, "blank.csv", header + ",late\n" + first + ",\n")
    refused(runtime.command("diff", MODEL, "2", "--data", text, "--labels", "late"), 2, "no row has a label")
    assert runtime.json("tests", MODEL)["tests"] == []
    runtime.run("deploy", MODEL, f"{FLIGHTS}/arrival-delay/v1.txt")
    refused(runtime.command("diff", MODEL, "3", "--data", good, "--against", "2"), 3, "cannot be compared")
    runtime.stop()


def test_one_row_and_reordered_columns():
    runtime = serving(f"{FLIGHTS}/flight-delay/v2.ubj")
    one = rows(runtime, "one.csv", count=1)
    report = diff(runtime, 2, data=one)
    assert verdicts(report)["mean"] == "wait" and not report["passed"], verdicts(report)
    plain = diff(runtime, 2, data=rows(runtime, "some.csv"))
    turned = diff(runtime, 2, data=rows(runtime, "turned.csv", change=lambda line: ",".join(line.split(",")[::-1])))
    for part in ("difference", "mean", "quantiles", "classes"):
        assert plain[part] == turned[part], part
    runtime.stop()


run_tests(globals())
