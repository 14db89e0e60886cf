"""Captured live requests: what is kept of the traffic, the tests that run on it, and that it is forgotten."""
import csv
import http.client
import io
import json
import os
import struct
import tempfile
import threading

from runtime import DEADLINE_S, FLIGHTS, Runtime, Skip, poll, rows_body, run_tests

MODEL = "flight-delay"
REPLAY = f"{FLIGHTS}/replay.csv"
V1 = f"{FLIGHTS}/flight-delay/v1.txt"
STALE = f"{FLIGHTS}/flight-delay/v4.txt"
os.environ["TMPDIR"] = tempfile.mkdtemp()


def features(count):
    """Rows of the replay as the model takes them, and their columns' names."""
    with open(REPLAY) as file:
        reader = csv.reader(file)
        header = next(reader)
        first, end = header.index("weekday"), header.index("late")
        rows = [[float(v) if v else None for v in next(reader)[first:end]] for _ in range(count)]
    return rows, header[first:end]


ROWS, NAMES = features(4000)


def send(runtime, rows, batch=20, model=MODEL, path="infer", headers={}):
    """All rows in requests of `batch`, over one connection."""
    connection = http.client.HTTPConnection(runtime.host, runtime.port, timeout=DEADLINE_S)
    for i in range(0, len(rows), batch):
        connection.request("POST", f"/v2/models/{model}/{path}", json.dumps(rows_body(rows[i:i + batch])), headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        response.read()
    connection.close()


def capture(runtime, rows, model=MODEL):
    runtime.run("policy", model, f"capture_rows={rows}", "--reason", "tests on what is asked")


def captured(runtime, query="", model=MODEL):
    status, answer = runtime.control("GET", f"/control/v1/models/{model}/captured?{query}")
    assert status == 200, answer
    return answer


def given(answer):
    return [tuple(float(v) for v in row) for row in list(csv.reader(io.StringIO(answer["csv"])))[1:]]


def as_given(rows):
    return {tuple(float("nan") if v is None else v for v in row) for row in rows}


def same(a, b):
    return sorted(map(str, a)) == sorted(map(str, b))


def held(runtime):
    return next(m for m in runtime.json("status")["models"] if m["name"] == MODEL).get("capture")


def refused(done, code, *words):
    assert done.returncode == code, f"exit {done.returncode}: {done.stdout} {done.stderr}"
    for word in words:
        assert word in done.stderr, f"no {word!r} in {done.stderr!r}"


def serving(*models, options=()):
    runtime = Runtime(options=options)
    for model in (V1, *models):
        runtime.run("deploy", MODEL, model)
    return runtime


# --- one runtime: v1 is live, v2 the same file, v3 a stale one ---

with open(V1) as original, tempfile.NamedTemporaryFile("w", suffix=".txt") as copy:
    copy.write(original.read() + "\n")
    copy.flush()
    runtime = serving(copy.name, STALE)


def test_off_is_said_with_how_to_switch_it_on():
    send(runtime, ROWS[:20])
    assert held(runtime) is None
    for words in (["diff", MODEL, "2"], ["bench", MODEL, "2"], ["stress", MODEL, "--rate", "1", "--version", "2"]):
        refused(runtime.command(*words, "--captured", "10"), 3, "no requests of flight-delay are captured",
                "mldeck policy flight-delay capture_rows=5000")
    refused(runtime.command("policy", MODEL, "capture_rows=100001", "--reason", "x"), 2, "from 0 to 100000")
    capture(runtime, 1000)
    refused(runtime.command("diff", MODEL, "2", "--captured", "10"), 3, "no request of flight-delay was captured yet")


def test_what_is_kept_is_what_was_asked():
    sent = ROWS[:600]
    send(runtime, sent[:300])
    for i in range(300, 600):
        send(runtime, [sent[i]], 1, headers={"Mldeck-Unit": f"customer-{i}"})
    answer = captured(runtime, "limit=100000")
    assert answer["csv"].split("\n")[0] == ",".join(NAMES) and answer["rows"] == 600, answer["rows"]
    assert same(set(given(answer)), as_given(sent)) and "customer" not in json.dumps(answer)
    assert 0 < answer["from_ms"] <= answer["to_ms"] and answer["asked"] == 100000 and answer["versions"] == [1]
    assert len(given(captured(runtime, "limit=50"))) == 50 and captured(runtime)["seen"] == 600
    # As requests, which the model answers.
    body = captured(runtime, "limit=3&form=v2")["requests"]
    assert len(body) == 3 and runtime.infer(body[0])[0] == 200
    facts = held(runtime)
    assert facts["rows"] >= 600 and facts["limit"] == 1000 and 600 * 15 * 8 < facts["bytes"] < 1 << 20, facts
    assert "rows of live requests since" in runtime.run("status", MODEL)
    metrics = runtime.request("GET", "/metrics")[1].decode()
    assert f'mldeck_capture_rows{{model="{MODEL}"}} {facts["rows"]}' in metrics
    assert f'mldeck_capture_lost_total{{model="{MODEL}",reason="memory"}} 0' in metrics


def test_what_is_no_live_request_is_not_kept():
    before = held(runtime)["seen"]
    send(runtime, ROWS[:20], path="versions/2/infer")
    send(runtime, ROWS[:20], headers={"Mldeck-Capture": "no"})
    assert runtime.infer({"inputs": []})[0] == 400
    assert held(runtime)["seen"] == before


def test_every_read_is_audited():
    captured(runtime, "limit=7")
    record = runtime.json("audit", "--limit", "1")["records"][0]
    assert (record["action"], record["model"], record["outcome"]) == ("captured", MODEL, "done"), record
    assert record["detail"] == "7 rows of live requests were read" and record["uid"] == os.getuid(), record
    for query, words in (("limit=0", "`limit`"), ("form=x", "csv or v2"), ("versions=x", "`versions`"),
                         ("versions=1,,2", "`versions`")):
        status, answer = runtime.control("GET", f"/control/v1/models/{MODEL}/captured?{query}")
        assert status == 400 and words in answer["error"], answer
    assert runtime.control("GET", f"/control/v1/models/{MODEL}/captured?versions=9")[0] == 404
    assert runtime.control("GET", "/control/v1/models/nobody/captured")[0] == 404


def test_a_diff_catches_the_stale_version_and_passes_the_same():
    send(runtime, ROWS)
    done = runtime.command("diff", MODEL, "3", "--captured", "1000", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1 and report["rows"] == 1000 and report["difference"]["violations"] > 100, done.stderr
    assert report["data"] == "captured" and report["captured"]["rows"] == 1000, report["captured"]
    # Nothing that a customer sent is in what is kept for ever.
    assert len(report["worst"]) == 10 and not any("inputs" in row or "curl" in row for row in report["worst"])
    kept = runtime.json("tests", MODEL)["tests"][0]
    assert "inputs" not in json.dumps(runtime.json("tests", MODEL, str(kept["id"]))["report"]["worst"])
    done = runtime.command("diff", MODEL, "2", "--captured", "2000", "--segment", "carrier")
    assert done.returncode == 0 and "1000 rows of live requests, 20" in done.stdout, done
    assert "2000 were asked for" in done.stdout
    done = runtime.command("diff", MODEL, "3", "--captured", "100", "--keep-inputs", "--json")
    assert "carrier" in json.loads(done.stdout)["worst"][0]["inputs"]


def test_stress_and_bench_take_them_too():
    before = held(runtime)["seen"]
    done = runtime.command("stress", MODEL, "--version", "2", "--rate", "200", "--duration", "1s", "--captured", "500",
                           "--json")
    report = json.loads(done.stdout)
    assert report["settings"]["rows"] == 500 and "500 rows of live requests" in report["settings"]["rows_from"], report["settings"]
    assert report["requests"]["answered"] > 50 and sum(report["errors"].values()) == 0, report["errors"]
    done = runtime.command("stress", MODEL, "--rate", "50", "--duration", "1s", "--captured", "500", "--yes", "--max-share", "99%", "--json")
    assert json.loads(done.stdout)["requests"]["answered"] > 10, done
    # Its own load is no live traffic.
    assert held(runtime)["seen"] == before
    done = runtime.command("bench", MODEL, "2", "--quick", "--time-ms", "2", "--batch", "64", "--captured", "1000", "--json")
    report = json.loads(done.stdout)
    assert report["rows"]["origin"] == "captured" and report["captured"]["rows"] == 1000, (report["rows"], done.stderr)
    assert report["rows"]["source_count"] <= 1000 and report["rows"]["made"], report["rows"]


def test_options_that_go_not_together():
    for words in (["diff", MODEL, "2"], ["bench", MODEL, "2"], ["stress", MODEL, "--rate", "1"]):
        refused(runtime.command(*words, "--captured", "10", "--data", REPLAY), 2, "leave one out")
        refused(runtime.command(*words, "--captured", "many"), 2, "--captured takes a number of rows")
    refused(runtime.command("diff", MODEL, "2", "--captured", "10", "--labels", "late"), 2, "no labels")
    refused(runtime.command("diff", MODEL, "2"), 2, "--data FILE is missing", "--captured N")
    start = {"kind": "diff", "model": MODEL, "version": 2}
    status, answer = runtime.control("POST", "/control/v1/jobs", json.dumps({**start, "start": {}}))
    assert status == 400 and "give --captured" in answer["error"], answer
    both = {"data": os.path.abspath(REPLAY), "captured": 5}
    status, answer = runtime.control("POST", "/control/v1/jobs", json.dumps({**start, "start": both}))
    assert status == 400 and "leave one out" in answer["error"], answer


def test_a_job_takes_them():
    body = {"kind": "diff", "model": MODEL, "version": 2, "start": {"captured": 300}}
    status, answer = runtime.control("POST", "/control/v1/jobs", json.dumps(body))
    assert status == 200 and answer["command"] == f"mldeck diff {MODEL} 2 --captured 300 --against 1", answer
    poll(lambda: runtime.json("jobs")["jobs"][0]["state"] == "done")
    assert runtime.json("tests", MODEL)["tests"][0]["passed"]


def test_rows_of_another_signature_are_left_out():
    """v4 takes other columns: rows of v1 cannot be asked of it."""
    runtime.run("deploy", MODEL, "tests/fixtures/forest/edge_lgb_plain.txt")
    done = runtime.command("diff", MODEL, "4", "--captured", "100", "--against", "1")
    assert done.returncode == 3 and ("inputs differ" in done.stderr or "cannot be compared" in done.stderr), done.stderr
    status, answer = runtime.control("GET", f"/control/v1/models/{MODEL}/captured?versions=1,4")
    assert status == 200 and answer["rows"] == 0 and answer["unfit"] >= 1000, answer
    assert captured(runtime, "versions=1,2,3")["rows"] == 1000


def test_traffic_while_it_is_switched_and_read():
    stop = threading.Event()

    def load():
        while not stop.is_set():
            send(runtime, ROWS[:200])

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for rows in (10, 0, 5000, 100, 0, 200):
        capture(runtime, rows)
        if rows:
            poll(lambda: captured(runtime)["rows"] > 0)
            assert captured(runtime, "limit=100000")["rows"] <= rows
    stop.set()
    for thread in threads:
        thread.join()


def test_switched_off_it_is_forgotten():
    capture(runtime, 0)
    assert held(runtime) is None
    assert runtime.control("GET", f"/control/v1/models/{MODEL}/captured")[0] == 409
    capture(runtime, 100)
    assert held(runtime)["rows"] == 0
    send(runtime, ROWS[:100])
    # Another setting changes nothing of it.
    runtime.run("policy", MODEL, "canary_requests=1", "--reason", "x")
    assert held(runtime)["rows"] == 100


def test_a_kill_leaves_nothing_behind():
    """Memory alone: after a kill the policy still holds, and no file of the state directory has what was asked."""
    capture(runtime, 1000)
    mark = 123456.78125
    send(runtime, [[mark] * len(NAMES)] * 50)
    assert same(set(given(captured(runtime))), {(mark,) * len(NAMES)})
    runtime.process.kill()
    runtime.process.wait(DEADLINE_S)
    for folder, _, names in os.walk(runtime.state):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    data = file.read()
                    assert b"123456.78125" not in data and struct.pack("<d", mark) not in data, path
    assert os.listdir(os.environ["TMPDIR"]) == []
    runtime.start()
    assert held(runtime)["limit"] == 1000 and held(runtime)["rows"] == 0
    runtime.stop()


# --- memory ---

def test_memory_is_bounded_with_strings():
    small = Runtime(options=["--set", "capture.memory=1M", "--set", "capture.window=2s"])
    done = small.command("deploy", "text", "tests/fixtures/onnx/text.onnx")
    if "ONNX Runtime" in done.stderr:
        small.stop()
        raise Skip("no ONNX Runtime library: run scripts/setup")
    assert done.returncode == 0, done.stderr
    refused(small.command("policy", "text", "capture_rows=100000", "--reason", "x"), 2, "[capture] memory")
    capture(small, 20000, "text")
    connection = http.client.HTTPConnection(small.host, small.port, timeout=DEADLINE_S)
    sent = 0
    for i in range(100):
        data = [chr(97 + k % 26) * (k * 7919 % 300) for k in range(i, i + 1000)]
        connection.request("POST", "/v2/models/text/infer", json.dumps(
            {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1000], "data": data}]}))
        response = connection.getresponse()
        assert response.status == 200, response.read()
        response.read()
        sent += 1000
        if i % 20 == 0:
            assert small.json("status")["models"][0]["capture"]["bytes"] <= 1 << 20
    facts = small.json("status")["models"][0]["capture"]
    assert facts["seen"] == sent and facts["bytes"] <= 1 << 20 and facts["dropped"] > 0, facts
    assert captured(small, "limit=100000", "text")["rows"] > 100
    connection.request("POST", "/v2/models/text/infer", json.dumps(
        {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["x" * 100000]}]}))
    assert connection.getresponse().status == 200
    # What is old leaves without traffic, too.
    poll(lambda: small.json("status")["models"][0]["capture"]["rows"] == 0)
    small.stop()


run_tests(globals())
