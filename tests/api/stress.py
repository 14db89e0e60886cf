"""mldeck stress: against a runtime, and against servers that stall, cut, chunk, hang up or do not answer at all.

Nothing here says how fast a machine is: what is asserted is what was counted, and ratios within one run.
"""
import collections
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

from runtime import DEADLINE_S, FLIGHTS, MLDECK, Runtime, poll, run_tests

FOLDER = tempfile.mkdtemp()
ROWS = f"{FLIGHTS}/baseline.csv"
METADATA = json.dumps({"name": "m", "versions": ["1"], "platform": "test",
                       "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}],
                       "outputs": [{"name": "y", "datatype": "FP64", "shape": [-1, 1]}]}).encode()
BODY = b'{"model_name":"m","outputs":[{"name":"y","datatype":"FP64","shape":[1,1],"data":[0.5]}]}'


def answer(body=BODY, status="200 OK", headers=""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


class Server:
    """A V2 server: `infer(number)` gives the bytes of an answer to the number-th prediction, or what sends them, and
    whether to go on."""

    def __init__(self, infer):
        self.infer = infer
        self.count = 0
        self.lock = threading.Lock()
        self.bodies = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve_all, args=(connection,), daemon=True).start()

    def serve_all(self, connection):
        try:
            self.serve(connection)
        except OSError:
            pass  # the client is gone

    def serve(self, connection):
        data = b""
        with connection:
            while True:
                while b"\r\n\r\n" not in data:
                    part = connection.recv(65536)
                    if not part:
                        return
                    data += part
                head, data = data.split(b"\r\n\r\n", 1)
                length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                               if line.startswith(b"content-length:")), 0)
                while len(data) < length:
                    data += connection.recv(65536)
                body, data = data[:length], data[length:]
                if head.startswith(b"GET"):
                    connection.sendall(answer(METADATA))
                    continue
                with self.lock:
                    self.count += 1
                    number = self.count
                    self.bodies.append(json.loads(body))
                text, go_on = self.infer(number)
                if callable(text):
                    text(connection)
                else:
                    connection.sendall(text)
                if not go_on:
                    return

    def close(self):
        self.listener.close()


def write_rows(text="x_0,x_1\n1,2\n3,4\n5,6\n"):
    number, path = tempfile.mkstemp(".csv", dir=FOLDER)
    with os.fdopen(number, "w") as file:
        file.write(text)
    return path


def stress(*words, **more):
    return subprocess.run([MLDECK, "stress", *words, "--state", os.path.join(FOLDER, "none")], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S, **more)


def report(server, *words, rate=200, duration="1s"):
    done = stress("m", "--url", server.url, "--data", write_rows(), "--rate", str(rate), "--duration", duration,
                  "--json", *words)
    server.close()
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def check_sums(found):
    """Every request that was due is somewhere."""
    requests, errors = found["requests"], sum(found["errors"].values())
    assert requests["due"] == requests["sent"] + requests["unsent"], found
    assert requests["sent"] == requests["answered"] + errors + requests["unanswered"], found


def test_a_good_server():
    server = Server(lambda number: (answer(), True))
    code, found = report(server, "--arrivals", "constant", "--connections", "4")
    check_sums(found)
    assert found["requests"]["due"] == 200 and found["requests"]["connections_made"] == 4, found
    assert sum(found["errors"].values()) == 0, found
    assert sum(count for _, count in found["histogram_us"]) == 200, found
    assert found["runtime"] is None and found["settings"]["rows"] == 3, found
    assert code == (0 if found["passed"] else 1) and found["kind"] == "stress"
    # The rows in turn, however the connections overtake each other.
    rows = collections.Counter(tuple(body["inputs"][0]["data"]) for body in server.bodies)
    assert rows == {(1, 2): 67, (3, 4): 67, (5, 6): 66}, rows


def test_a_stall_shows():
    """200 ms every 2 s: from the intended start the p99 has it; a closed view, from the send, has a median of no stall."""
    begun = time.monotonic()

    def infer(number):
        phase = (time.monotonic() - begun) % 2
        if phase < 0.2:
            time.sleep(0.2 - phase)
        return answer(), True

    code, found = report(Server(infer), "--connections", "2", "--arrivals", "constant", duration="4s")
    check_sums(found)
    intended, service = found["latency"], found["latency_from_send"]
    assert intended["p99_us"] >= 10 * service["p50_us"], (intended, service)
    assert intended["p99_us"] >= 100000, intended
    # The loop was open: what a stall of two connections held up is more than two requests a stall.
    late = sum(count for start, count in found["histogram_us"] if start >= 30000)
    assert late > 20, found["histogram_us"]


def test_every_form_of_an_answer():
    chunked = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + BODY[:5] + b"\r\n%x\r\n" % len(BODY[5:]) +
               BODY[5:] + b"\r\n0\r\n\r\n")
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" + answer()
    closing = answer(headers="Connection: close\r\n")
    until_end = b"HTTP/1.1 200 OK\r\n\r\n" + BODY
    forms = [(chunked, True), (interim, True), (closing, False), (until_end, False), (answer(), True)]
    code, found = report(Server(lambda number: forms[number % len(forms)]))
    check_sums(found)
    assert sum(found["errors"].values()) == 0, found["errors"]
    assert found["requests"]["connections_made"] > 50, found["requests"]


def test_a_slow_body():
    """A body that drips ends with its last byte, not with its first; one that never ends is given up."""
    def drip(connection):
        text = answer()
        connection.sendall(text[:-20])
        for at in range(len(text) - 20, len(text)):
            time.sleep(0.002)
            connection.sendall(text[at:at + 1])

    server = Server(lambda number: (drip, True))
    code, found = report(server, "--connections", "16", "--arrivals", "constant", rate=50)
    check_sums(found)
    assert sum(found["errors"].values()) == 0 and found["requests"]["answered"] == 50, found
    assert found["latency_from_send"]["p50_us"] >= 40000, found["latency_from_send"]
    release = threading.Event()

    def hang(connection):
        connection.sendall(answer()[:-1])
        release.wait(DEADLINE_S)

    code, found = report(Server(lambda number: (hang, False)), "--timeout", "200ms", rate=20)
    release.set()
    check_sums(found)
    assert code == 1 and found["errors"]["timeout"] > 0 and found["requests"]["answered"] == 0, found


def test_a_rate_that_cannot_be_offered():
    """A generator that does not run is late: whatever the target does, nothing is known of it, and nothing is left out."""
    server = Server(lambda number: (answer(), True))
    process = subprocess.Popen([MLDECK, "stress", "m", "--url", server.url, "--data", write_rows(), "--rate", "100",
                                "--duration", "1s", "--json", "--arrivals", "constant", "--state", FOLDER + "/none"],
                               stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    poll(lambda: server.count > 5)
    process.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    poll(lambda: time.monotonic() > begun + 0.5)
    process.send_signal(signal.SIGCONT)
    found = json.loads(process.communicate(timeout=DEADLINE_S)[0])
    server.close()
    check_sums(found)
    assert process.returncode == 1 and found["verdict"] == "generator" and found["requests"]["due"] == 100, found
    assert "this machine cannot offer 100/s" in found["summary"], found["summary"]
    # Nothing was due in time: no pass.
    server = Server(lambda number: (answer(), True))
    code, found = report(server, "--seed", "1", rate=0.1)
    assert code == 1 and found["verdict"] == "wait" and server.count == 0, found["summary"]


def test_errors_by_kind():
    forms = [(answer(), True), (answer(status="404 No"), True), (answer(status="503 Busy"), True),
             (answer(status="302 Found"), True), (answer()[:-10], False), (b"", False), (b"SSH-2.0\r\n", False)]
    code, found = report(Server(lambda number: forms[number % len(forms)]))
    check_sums(found)
    errors = found["errors"]
    for kind in ["status_3xx", "status_4xx", "status_5xx", "short", "reset", "malformed"]:
        assert errors[kind] > 10, (kind, errors)
    assert errors["timeout"] == errors["connect"] == 0, errors
    assert code == 1 and found["verdict"] == "errors", found["summary"]


def test_a_server_that_never_answers():
    release = threading.Event()

    def infer(number):
        release.wait(DEADLINE_S)
        return answer(), False

    code, found = report(Server(infer), "--timeout", "300ms", "--connections", "4", rate=50)
    release.set()
    check_sums(found)
    assert code == 1 and found["errors"]["timeout"] > 0 and found["requests"]["answered"] == 0, found
    # Given up is not forgotten: the time that they waited is in the latencies.
    assert found["latency"]["p50_us"] >= 290000 and found["latency_from_send"]["max_us"] == 0, found["latency"]


def test_a_slow_server_gets_a_backlog():
    """One connection, 20 ms an answer, 400/s: three of four requests cannot be answered, and they are all in the report."""
    def infer(number):
        time.sleep(0.02)
        return answer(), True

    server = Server(infer)
    code, found = report(server, "--connections", "1", "--arrivals", "constant", rate=400)
    # On one connection the rows come in their order, again and again.
    data = [body["inputs"][0]["data"] for body in server.bodies]
    assert data[:4] == [[1, 2], [3, 4], [5, 6], [1, 2]], data
    check_sums(found)
    assert code == 1 and found["requests"]["due"] == 400 and found["requests"]["unsent"] > 200, found["requests"]
    assert found["verdict"] in ("backlog", "generator"), found["verdict"]
    assert found["latency"]["p50_us"] > 10 * found["latency_from_send"]["p50_us"], found


def test_a_ramp_counts():
    server = Server(lambda number: (answer(), True))
    done = stress("m", "--url", server.url, "--data", write_rows(), "--ramp", "0:400", "--duration", "1s", "--arrivals",
                  "constant", "--json")
    found = json.loads(done.stdout)
    assert found["requests"]["due"] == 200 and found["settings"]["mode"] == "ramp", found


def test_nobody_there():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    done = stress("m", "--url", f"http://127.0.0.1:{port}", "--data", write_rows(), "--rate", "10")
    assert done.returncode == 5 and done.stderr.count("\n") == 1, done
    assert done.stdout == "" and str(port) in done.stderr, done


def test_a_target_that_goes_away():
    server = Server(lambda number: (answer(), number < 20))

    def infer(number):
        if number == 20:
            server.listener.shutdown(socket.SHUT_RDWR)
            server.listener.close()
        return answer(), number < 20

    server.infer = infer
    begun = time.monotonic()
    done = stress("m", "--url", server.url, "--data", write_rows(), "--rate", "100", "--duration", "50s", "--json",
                  "--connections", "2")
    found = json.loads(done.stdout)
    assert done.returncode == 1 and found["verdict"] == "gone", found["summary"]
    assert found["errors"]["connect"] > 10, found["errors"]
    # By itself, long before its time.
    assert time.monotonic() - begun < 40


def test_bad_input():
    good = ["--url", "http://127.0.0.1:9", "--data", write_rows()]
    for words, code, part in [
        (["M!", "--rate", "1"], 2, "M!"),
        (["m"], 2, "--rate"),
        (["m", "--rate", "-1"], 2, "-1"),
        (["m", "--rate", "0"], 2, "--rate"),
        (["m", "--rate", "nan"], 2, "nan"),
        (["m", "--rate", "1", "--ramp", "1:2"], 2, "--ramp"),
        (["m", "--ramp", "5"], 2, "FROM:TO"),
        (["m", "--ramp", "1:x"], 2, "x"),
        (["m", "--find-max"], 2, "--slo-p99"),
        (["m", "--rate", "1", "--arrivals", "bursts"], 2, "bursts"),
        (["m", "--rate", "1", "--duration", "soon"], 2, "soon"),
        (["m", "--rate", "1", "--connections", "0"], 2, "--connections"),
        (["m", "--rate", "1", "--max-errors", "101"], 2, "--max-errors"),
        (["m", "--rate", "1", "--url", "https://a"], 2, "http://"),
        (["m", "--rate", "1", "--url", "http://127.0.0.1:99999"], 2, "99999"),
        (["m", "--rate", "1", "--url", "http://a/b"], 2, "http://a/b"),
    ]:
        done = stress(*words, *(good if "--url" not in words else good[2:]))
        assert done.returncode == code and part in done.stderr.splitlines()[0], (words, done)
    assert stress("m", "--rate", "1").returncode == 5
    server = Server(lambda number: (answer(), True))
    done = stress("m", "--rate", "1", "--soak", "--url", server.url, "--data", write_rows())
    assert done.returncode == 2 and "--soak" in done.stderr and server.count == 0, done
    server.close()


def test_bad_rows():
    server = Server(lambda number: (answer(), True))
    for text, part in [("", "empty"), ("x_0,x_1\n", "no rows"), ("x_0\n1\n", "x_1"), ("x_0,x_1\n1,two\n", "line 2")]:
        done = stress("m", "--url", server.url, "--data", write_rows(text), "--rate", "10")
        assert done.returncode == 2 and part in done.stderr, (text, done)
    # Matched by name, whatever their order; further columns are passed over.
    done = stress("m", "--url", server.url, "--data", write_rows("b,x_1,x_0\nq,2,1\n"), "--rate", "10", "--duration", "1s",
                  "--json")
    assert server.bodies[0]["inputs"][0]["data"] == [1, 2], server.bodies
    server.close()


def open_runtime():
    runtime = Runtime()
    runtime.deploy_flights(2)
    return runtime


def test_against_a_runtime():
    runtime = open_runtime()
    done = runtime.command("stress", "flight-delay", "--version", "2", "--rate", "200", "--duration", "1s", "--data", ROWS,
                           "--json")
    found = json.loads(done.stdout)
    check_sums(found)
    assert found["version"] == 2 and sum(found["errors"].values()) == 0, found
    assert found["requests"]["answered"] > 100 and found["runtime"]["memory_max_bytes"] > 1e6, found
    assert "no live traffic" in found["blast_radius"], found["blast_radius"]
    # They reached the version over HTTP, and the result is kept with its report.

    def served():
        versions = runtime.json("status")["models"][0]["per_version"]
        return sum(v["requests"] for v in versions if v["version"] == 2)

    poll(lambda: served() >= found["requests"]["answered"])
    kept = runtime.json("tests", "flight-delay")["tests"]
    assert len(kept) == 1 and kept[0]["kind"] == "stress" and kept[0]["passed"] == found["passed"], kept
    assert runtime.json("tests", "flight-delay", str(kept[0]["id"]))["report"] == found
    jobs = runtime.json("jobs")["jobs"]
    assert jobs[0]["kind"] == "stress" and jobs[0]["state"] == "done" and kept[0]["job"] == jobs[0]["id"], jobs
    assert runtime.command("stress", "nobody", "--rate", "1", "--data", ROWS).returncode == 4
    assert runtime.command("stress", "flight-delay", "--rate", "1", "--version", "9", "--data", ROWS).returncode == 4
    assert "--data" in runtime.command("stress", "flight-delay", "--rate", "1", "--version", "2").stderr
    runtime.stop()


def test_live_traffic_is_spared():
    runtime = open_runtime()
    before = runtime.json("status")["server"]["requests"]
    words = ["stress", "flight-delay", "--rate", "100", "--duration", "1s", "--data", ROWS]
    # Also by the address of the same runtime.
    for more in [[], ["--url", f"http://127.0.0.1:{runtime.port}"], ["--url", f"http://localhost:{runtime.port}"]]:
        refused = runtime.command(*words, *more)
        assert refused.returncode == 6 and "--yes" in refused.stderr, refused
        assert "live with 100%" in refused.stderr, refused
    assert runtime.json("status")["server"]["requests"] == before
    dry = runtime.command(*words, "--dry-run")
    assert dry.returncode == 0 and runtime.json("status")["server"]["requests"] == before, dry
    assert runtime.command(*words, "--yes").returncode in (0, 1)
    # Now the model has traffic, and a load may be a part of it only.
    refused = runtime.command(*words[:3], "10000", *words[4:], "--yes")
    assert refused.returncode == 6 and "--max-share" in refused.stderr, refused
    assert runtime.command(*words[:3], "300", *words[4:], "--yes", "--max-share", "100").returncode in (0, 1)
    runtime.stop()


def test_it_stops_when_live_traffic_suffers():
    """Every answer to the others is an error: the load on another version ends by itself, long before its time."""
    runtime = open_runtime()
    stop = threading.Event()
    remote = Server(lambda number: (answer(status="500 Broken"), True))
    runtime.run("deploy", "m", f"{remote.url}/v2/models/m")

    def others():
        body = json.dumps({"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]})
        while not stop.is_set():
            try:
                runtime.request("POST", "/v2/models/m/infer", body)
            except OSError:
                return

    threads = [threading.Thread(target=others, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    poll(lambda: runtime.json("status")["server"]["errors"] > 100)
    done = runtime.command("stress", "flight-delay", "--version", "2", "--rate", "20", "--duration", "300s", "--data", ROWS,
                           "--json")
    stop.set()
    found = json.loads(done.stdout)
    assert done.returncode == 1 and found["verdict"] == "live", found["summary"]
    assert "m answers" in found["summary"], found["summary"]
    remote.close()
    runtime.stop()


def test_as_a_job():
    runtime = open_runtime()
    status, started = runtime.control("POST", "/control/v1/jobs", json.dumps(
        {"kind": "stress", "model": "flight-delay", "version": 2,
         "start": {"rate": "50", "duration": "1s", "data": os.path.abspath(ROWS)}}))
    assert status == 200, started

    def job(number):
        return runtime.control("GET", f"/control/v1/jobs/{number}")[1]

    poll(lambda: job(started["id"])["state"] in ("done", "failed"))
    done = job(started["id"])
    assert done["state"] == "done" and "requests/s answered" in done["summary"], done
    kept = runtime.json("tests", "flight-delay")["tests"][0]
    assert kept["job"] == started["id"], kept
    plots = runtime.json("tests", "flight-delay", str(kept["id"]))["report"]["plots"]
    assert [plot["kind"] for plot in plots] == ["histogram", "series", "series"], plots
    assert done["progress"]["plots"] == plots, done
    # Cancelled: it stops in good order, and is no result.
    _, started = runtime.control("POST", "/control/v1/jobs", json.dumps(
        {"kind": "stress", "model": "flight-delay", "version": 2,
         "start": {"rate": "50", "duration": "600s", "data": os.path.abspath(ROWS)}}))
    poll(lambda: job(started["id"])["progress"]["done"] > 0)
    runtime.control("POST", f"/control/v1/jobs/{started['id']}/cancel", "{}")
    poll(lambda: job(started["id"])["state"] not in ("queued", "running"))
    assert job(started["id"])["state"] == "cancelled", job(started["id"])
    assert len(runtime.json("tests", "flight-delay")["tests"]) == 1
    runtime.stop()


def test_a_soak():
    runtime = open_runtime()
    words = ["stress", "flight-delay", "--version", "2", "--rate", "50", "--data", ROWS, "--soak", "--json"]
    done = runtime.command(*words, "--duration", "4s")
    found = json.loads(done.stdout)
    # Too short to tell: that is no pass.
    assert done.returncode == 1 and found["verdict"] in ("wait", "generator"), found["summary"]
    assert found["findings"][-1]["name"] == "memory_growth" and found["findings"][-1]["verdict"] == "wait", found
    assert found["growth"]["bytes_an_hour"] is None and found["series"], found["growth"]
    assert all(point["memory_bytes"] > 1e6 for point in found["series"]), found["series"]
    runtime.stop()


def test_a_signal_stops_it():
    server = Server(lambda number: (answer(), True))
    process = subprocess.Popen([MLDECK, "stress", "m", "--url", server.url, "--data", write_rows(), "--rate", "100",
                                "--duration", "600s", "--json", "--state", os.path.join(FOLDER, "none")],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    poll(lambda: server.count > 20)
    process.send_signal(signal.SIGTERM)
    text, _ = process.communicate(timeout=DEADLINE_S)
    found = json.loads(text)
    assert process.returncode == 128 + signal.SIGTERM and found["verdict"] == "stopped", found
    check_sums(found)
    server.close()


def test_find_max_finds_a_limit():
    """Beyond 100/s this server refuses: the search ends between what it saw pass and fail, with every step listed."""
    times = []

    def infer(number):
        now = time.monotonic()
        times.append(now)
        while times[0] < now - 0.5:
            times.pop(0)
        return (answer() if len(times) < 75 else answer(status="503 Busy")), True

    server = Server(infer)
    done = stress("m", "--url", server.url, "--data", write_rows(), "--find-max", "--rate", "40", "--slo-p99", "2s",
                  "--duration", "1s", "--arrivals", "constant", "--connections", "8", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["settings"]["mode"] == "find_max", done
    assert 40 <= found["maximum_rps"] < found["failed_rps"] <= 1.051 * found["maximum_rps"], found["summary"]
    verdicts = {step["verdict"] for step in found["steps"]}
    assert "pass" in verdicts and "errors" in verdicts and found["knee_rps"], found["steps"]
    server.close()


run_tests(globals(), at_once=6)
