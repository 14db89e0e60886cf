"""The runtime as its clients see it: predictions, errors, promotions under load, drain, kill -9.

What these tests share with others is in runtime.py.
"""
import csv
import http.client
import json
import math
import os
import resource
import stat
import struct
import subprocess
import tempfile
import threading

from runtime import DEADLINE_S, FLIGHTS, MLDECK, Runtime, poll, rows_body, run_tests


def expected_rows():
    with open(f"{FLIGHTS}/expected.csv") as file:
        return list(csv.DictReader(file))


def feature_names(runtime, model="flight-delay"):
    return runtime.json("versions", model)["versions"][0]["manifest"]["feature_names"]


def number(text):
    return None if text == "" else float(text)


def test_predictions_equal_the_libraries():
    runtime = Runtime()
    expected = expected_rows()
    files = {"flight-delay": ["v1.txt", "v2.ubj", "v3.txt", "v4.txt"], "arrival-delay": ["v1.txt", "v2.json"]}
    for model, names in files.items():
        for version, name in enumerate(names, 1):
            runtime.run("deploy", model, f"{FLIGHTS}/{model}/{name}")
            features = feature_names(runtime, model)
            body = rows_body([[number(row[f]) for f in features] for row in expected],
                             outputs=[{"name": "predict"}, {"name": "raw_score"}])
            status, answer = runtime.infer(body, f"/v2/models/{model}/versions/{version}/infer")
            assert status == 200, answer
            assert answer["model_version"] == str(version), answer
            predict, raw = answer["outputs"][0]["data"], answer["outputs"][1]["data"]
            for i, row in enumerate(expected):
                want, want_raw = float(row[f"{model}-v{version}"]), float(row[f"{model}-v{version}-raw"])
                assert raw[i] == want_raw or struct.pack("f", raw[i]) == struct.pack("f", want_raw), \
                    f"{model} v{version} row {i}: raw {raw[i]!r}, the library {want_raw!r}"
                assert math.isclose(predict[i], want, rel_tol=1e-6, abs_tol=1e-6), (model, version, i)
    runtime.stop()


def test_health_and_metadata():
    runtime = Runtime()
    runtime.deploy_flights(1)
    for path in ["/v2/health/live", "/v2/health/ready", "/v2/models/flight-delay/ready",
                 "/v2/models/flight-delay/versions/1/ready"]:
        response, data = runtime.request("GET", path)
        assert response.status == 200, path
        assert json.loads(data).get("live" if path.endswith("live") else "ready") is True, data
    response, data = runtime.request("GET", "/v2")
    assert json.loads(data)["name"] == "mldeck"
    response, data = runtime.request("GET", "/v2/models/flight-delay")
    metadata = json.loads(data)
    assert metadata["versions"] == ["1"] and metadata["inputs"][0]["shape"] == [-1, 15], metadata
    runtime.stop()


def test_names_may_be_given_to_features_that_only_have_numbers():
    """A model that was trained with an array: LightGBM writes Column_0, XGBoost's file says nothing."""
    runtime = Runtime()
    for name, file in [("lgb", "edge_lgb_plain.txt"), ("xgb", "x1_base_json.json")]:
        path = f"tests/fixtures/forest/{file}"
        runtime.run("deploy", name + "-plain", path)
        count = len(json.loads(runtime.request("GET", f"/v2/models/{name}-plain")[1])["features"])
        names = [f"name {i}" for i in range(count)]
        runtime.run("deploy", name, path, "--features", ",".join(names))
        runtime.run("deploy", name, path)
        runtime.run("deploy", name, path, "--features", ",".join(names))
        done = runtime.command("deploy", f"{name}-plain", path, "--features", ",".join(names))
        assert done.returncode == 3 and "never changed" in done.stderr, done
        assert json.loads(runtime.request("GET", f"/v2/models/{name}")[1])["features"] == names
        status, answer = runtime.infer({n: 0.5 for n in names}, f"/predict/{name}")
        _, want = runtime.infer([[0.5] * count], f"/predict/{name}-plain")
        assert status == 200 and answer["outputs"] == want["rows"][0], (answer, want)
    done = runtime.command("deploy", "named", "examples/flights/flight-delay/v1.txt", "--features", "a,b")
    assert done.returncode == 2 and "names its features itself" in done.stderr, done
    runtime.stop()


def test_wrong_requests_are_refused_with_a_sentence():
    runtime = Runtime()
    runtime.deploy_flights(1)
    good = json.load(open(f"{FLIGHTS}/infer.json"))
    infer = "/v2/models/flight-delay/infer"
    cases = [
        ("GET", infer, None, 405), ("POST", "/v2/models/nothing/infer", json.dumps(good), 404),
        ("POST", "/v2/models/flight-delay/versions/9/infer", json.dumps(good), 404),
        ("POST", "/v2/models/flight-delay/versions/x/infer", json.dumps(good), 404),
        ("GET", "/nowhere", None, 404), ("POST", infer, "", 400), ("POST", infer, "{", 400),
        ("POST", infer, "[" * 100000, 400), ("POST", infer, json.dumps({"inputs": []}), 400),
        ("POST", infer, json.dumps(rows_body([[1.0] * 14])), 400),
        ("POST", infer, json.dumps(rows_body([["a"] * 15])), 400),
    ]
    for method, path, body, want in cases:
        response, data = runtime.request(method, path, body)
        assert response.status == want, (path, (body or "")[:60], response.status, data)
        assert list(json.loads(data)) == ["error"], data
    response, data = runtime.request("POST", infer, json.dumps(rows_body([[1.0] * 14])))
    assert "expected 15 features a row, got 14" in json.loads(data)["error"], data
    connection = http.client.HTTPConnection(runtime.host, runtime.port, timeout=DEADLINE_S)
    connection.putrequest("POST", infer)
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    status, answer = runtime.infer(good)
    assert status == 200, "a good request is answered after all that"
    runtime.stop()


def test_units_stick_while_a_share_grows():
    runtime = Runtime()
    runtime.deploy_flights(2)
    good = json.load(open(f"{FLIGHTS}/infer.json"))

    def versions():
        return {unit: runtime.infer(good, headers={"Mldeck-Unit": f"N{unit}"})[1]["model_version"]
                for unit in range(300)}

    runtime.run("split", "flight-delay", "1=90", "2=10", "--reason", "test")
    small = versions()
    assert small == versions(), "a unit keeps its version"
    runtime.run("split", "flight-delay", "1=60", "2=40", "--reason", "test")
    large = versions()
    assert all(large[unit] == "2" for unit in small if small[unit] == "2"), "a unit left a growing share"
    assert 10 <= sum(v == "2" for v in small.values()) <= 55, small
    assert 80 <= sum(v == "2" for v in large.values()) <= 160, large
    by_parameter = runtime.infer({**good, "parameters": {"unit": "N7"}})[1]["model_version"]
    assert by_parameter == large[7], "the parameter `unit` counts as the header does"
    status, answer = runtime.infer(good, headers={"Mldeck-Unit": "N" * 256})
    assert status == 400 and "longer than 255 bytes" in answer["error"], answer
    runtime.stop()


class Load:
    """Clients that predict without pause until told to stop; every answer is kept."""

    def __init__(self, runtime, clients=4, keep_alive=True):
        self.runtime, self.keep_alive = runtime, keep_alive
        self.body = json.dumps(json.load(open(f"{FLIGHTS}/infer.json"))).encode()
        self.ended = threading.Event()
        self.answers, self.errors, self.refused = {}, [], 0
        self.threads = [threading.Thread(target=self.work) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def once(self, connection):
        connection.request("POST", "/v2/models/flight-delay/infer", self.body)
        response = connection.getresponse()
        data = json.loads(response.read())
        version = data.get("model_version", data)
        self.answers[(response.status, str(version))] = self.answers.get((response.status, str(version)), 0) + 1
        return response.getheader("Connection") != "close" and self.keep_alive

    def work(self):
        connection = None
        while not self.ended.is_set():
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(self.runtime.host, self.runtime.port, timeout=DEADLINE_S)
                    connection.connect()
            except ConnectionRefusedError:
                self.refused += 1
                return
            try:
                if not self.once(connection):
                    connection.close()
                    connection = None
            except Exception as error:
                self.errors.append(repr(error))
                connection = None

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        return sum(self.answers.values())


def test_promotions_under_load_fail_no_request():
    runtime = Runtime()
    runtime.deploy_flights(3)
    load = Load(runtime)
    for i in range(20):
        runtime.run("promote", "flight-delay", str(2 + i % 2), "--reason", f"round {i}")
        runtime.run("rollback", "flight-delay", "--reason", f"round {i}")
    poll(lambda: sum(load.answers.values()) > 200 or load.errors)
    load.stop()
    assert not load.errors, load.errors[:3]
    assert all(status == 200 and version in "123" for status, version in load.answers), load.answers
    history = runtime.json("history", "flight-delay", )["revisions"]
    assert [r["revision"] for r in history] == list(range(41, 0, -1)), history[:2]
    runtime.stop()


def test_sigterm_drops_no_accepted_request():
    for keep_alive in (False, True):
        runtime = Runtime()
        runtime.deploy_flights(1)
        load = Load(runtime, clients=6, keep_alive=keep_alive)
        poll(lambda: sum(load.answers.values()) > 100)
        code = runtime.stop()
        load.stop()
        assert code == 0, code
        assert not load.errors, (keep_alive, load.errors[:3])
        assert all(status == 200 for status, _ in load.answers), load.answers


def test_kill_loses_nothing_acknowledged():
    runtime = Runtime()
    runtime.deploy_flights(3)
    acknowledged = 1
    for round_number in range(6):
        done = threading.Event()
        answers = []

        def promote():
            version = 2
            while not done.is_set():
                result = runtime.command("promote", "flight-delay", str(version), "--reason", "loop", "--json")
                if result.returncode == 0:
                    answers.append(json.loads(result.stdout)["revision"])
                elif result.returncode == 5:
                    return
                version = 5 - version

        thread = threading.Thread(target=promote)
        thread.start()
        poll(lambda: len(answers) >= 2 + round_number)
        runtime.process.kill()
        runtime.process.wait()
        done.set()
        thread.join()
        acknowledged = max(answers)
        runtime.start()
        revisions = runtime.json("history", "flight-delay", "--limit", "1000")["revisions"]
        newest = revisions[0]["revision"]
        assert newest in (acknowledged, acknowledged + 1), (newest, acknowledged)
        assert [r["revision"] for r in revisions] == list(range(newest, 0, -1))
        live = runtime.json("status", "flight-delay")["models"][0]["live"]
        good = json.load(open(f"{FLIGHTS}/infer.json"))
        assert runtime.infer(good)[1]["model_version"] == str(live)
        audited = {r["revision"] for r in runtime.json("audit", "flight-delay", "--limit", "1000")["records"]
                   if r["outcome"] == "done"}
        assert set(range(1, newest + 1)) <= audited
    runtime.stop()


def test_one_process_holds_a_state_directory():
    runtime = Runtime()
    second = runtime.command("serve", "--listen", "127.0.0.1:0")
    assert second.returncode == 3 and str(runtime.process.pid) in second.stderr, second
    runtime.run("status")
    taken = subprocess.run([MLDECK, "serve", "--listen", f"127.0.0.1:{runtime.port}", "--state", tempfile.mkdtemp()],
                           capture_output=True, text=True, timeout=DEADLINE_S)
    assert taken.returncode == 3 and "--listen" in taken.stderr, taken
    runtime.stop()


def test_the_control_socket_is_private():
    runtime = Runtime()
    path = os.path.join(runtime.state, "control", "mldeck.sock")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    runtime.deploy_flights(1)
    record = runtime.json("audit")["records"][0]
    assert record["uid"] == os.geteuid() and record["action"] == "deploy", record
    runtime.stop()
    assert not os.path.exists(path)


def test_a_wrong_file_is_refused_and_changes_nothing():
    runtime = Runtime()
    runtime.deploy_flights(1)
    before = runtime.json("versions", "flight-delay")
    whole = open(f"{FLIGHTS}/flight-delay/v1.txt", "rb").read()
    cases = {"empty": b"", "png": b"\x89PNG\r\n\x1a\n" + bytes(100), "half": whole[:len(whole) // 2],
             "escape\x1b[31m": b"hello"}
    for name, content in cases.items():
        path = os.path.join(tempfile.mkdtemp(), name)
        open(path, "wb").write(content)
        done = runtime.command("deploy", "flight-delay", path)
        assert done.returncode == 2, (name, done)
        assert done.stderr.count("\n") == 1 and "\x1b" not in done.stderr, done.stderr
    assert runtime.json("versions", "flight-delay") == before
    runtime.stop()


def test_a_full_disk_refuses_the_deploy_only():
    runtime = Runtime(before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600000, 600000)))
    small, large = (os.path.join(tempfile.mkdtemp(), name) for name in ("small.txt", "large.txt"))
    open(large, "w").write(2 * open(f"{FLIGHTS}/flight-delay/v3.txt").read())
    fixture = sorted(f for f in os.listdir("tests/fixtures/forest") if f.endswith(".txt"))[0]
    open(small, "w").write(open(f"tests/fixtures/forest/{fixture}").read())
    runtime.run("deploy", "small", small)
    done = runtime.command("deploy", "small", large)
    assert done.returncode == 7, done
    assert len(runtime.json("versions", "small")["versions"]) == 1
    runtime.run("deploy", "other", small)
    runtime.stop()


def damage(runtime, model, version):
    """Flips a byte of a version's artifact; returns its path and what it held."""
    digest = runtime.json("versions", model)["versions"][version - 1]["manifest"]["sha256"]
    path = os.path.join(runtime.state, "artifacts", "sha256", digest[:2], digest)
    whole = open(path, "rb").read()
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.write(bytes([whole[0] ^ 1]))
    return path


def test_a_version_that_cannot_be_loaded_gets_no_traffic_until_it_is_healed():
    runtime = Runtime()
    runtime.deploy_flights(3)
    runtime.run("promote", "flight-delay", "2", "--reason", "test")
    runtime.run("promote", "flight-delay", "3", "--reason", "test")
    damage(runtime, "flight-delay", 2)
    assert runtime.stop() == 0
    runtime.start()
    good = json.load(open(f"{FLIGHTS}/infer.json"))
    for words in (["promote", "flight-delay", "2"], ["rollback", "flight-delay"],
                  ["rollback", "flight-delay", "--to", "2"], ["split", "flight-delay", "2=50", "3=50"]):
        refused = runtime.command(*words, "--reason", "test")
        assert refused.returncode == 3 and "v2" in refused.stderr, refused
        assert runtime.infer(good)[1]["model_version"] == "3"
    runtime.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/v2.ubj")
    runtime.run("rollback", "flight-delay", "--reason", "healed")
    assert runtime.infer(good)[1]["model_version"] == "2"
    runtime.stop()


def test_idle_connections_leave_the_control_plane_alone():
    runtime = Runtime(before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400)))
    runtime.deploy_flights(1)
    idle = []
    for _ in range(500):
        connection = http.client.HTTPConnection(runtime.host, runtime.port, timeout=DEADLINE_S)
        connection.connect()
        idle.append(connection)
    runtime.run("status")
    runtime.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/v2.ubj")
    runtime.run("promote", "flight-delay", "2", "--reason", "under pressure")
    for connection in idle:
        connection.close()
    good = json.load(open(f"{FLIGHTS}/infer.json"))
    assert runtime.infer(good)[0] == 200
    runtime.stop()


run_tests(globals())
