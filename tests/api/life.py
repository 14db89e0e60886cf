"""The life of versions: sample rows before traffic, loading when a route or an operator needs it, unloading.

A model on a server that keeps its answer back makes a load that lasts until the test lets it go on.
"""
import http.client
import json
import os
import socket
import tempfile
import threading

from runtime import DEADLINE_S, FLIGHTS, Runtime, poll, run_tests
from v2_server import Server, answer

AT_ONCE = ("--set", "routes.keep_warm=0s", "--set", "routes.idle_unload=0s")
GOOD = json.load(open(f"{FLIGHTS}/infer.json"))


def states(runtime, model="flight-delay"):
    return [v["state"] for v in runtime.json("versions", model)["versions"]]


def note(runtime, version):
    model = runtime.json("status", "flight-delay")["models"][0]
    return next(v["note"] for v in model["versions"] if v["version"] == version)


def ask(runtime, version=None):
    path = "/v2/models/flight-delay" + ("" if version is None else f"/versions/{version}")
    status, answer = runtime.infer(GOOD, path + "/infer")
    return status, answer.get("model_version", answer.get("error"))


def rows_file(text):
    path = os.path.join(tempfile.mkdtemp(), "rows.csv")
    with open(path, "w") as file:
        file.write(text)
    return path


def artifact(runtime, version):
    digest = runtime.json("versions", "flight-delay")["versions"][version - 1]["manifest"]["sha256"]
    return os.path.join(runtime.state, "artifacts", "sha256", digest[:2], digest)


class Control:
    """One request over the control socket, on a thread of its own, so that it may wait."""

    def __init__(self, runtime, path, body):
        self.answer = None
        self.thread = threading.Thread(target=self.ask, args=(runtime, path, body))
        self.thread.start()

    def ask(self, runtime, path, body):
        connection = http.client.HTTPConnection("localhost", timeout=DEADLINE_S)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(os.path.join(runtime.state, "control", "mldeck.sock"))
        connection.request("POST", f"/control/v1/models/flight-delay/{path}", json.dumps(body))
        response = connection.getresponse()
        self.answer = response.status, json.loads(response.read())
        connection.close()

    def wait(self):
        self.thread.join(DEADLINE_S)
        return self.answer


def test_a_version_that_does_not_answer_its_samples_is_refused():
    runtime = Runtime()
    runtime.deploy_flights(1)
    header, *rows = open(f"{FLIGHTS}/sample.csv").read().splitlines()
    short = rows_file("\n".join([",".join(header.split(",")[1:]), ",".join(rows[0].split(",")[1:])]) + "\n")
    wrong = rows_file("\n".join([header, rows[0], rows[1].replace("17.3", "windy"), ""]))
    for path, say in [(short, "weekday"), (wrong, "line 3"), (rows_file(header + "\n"), "no rows")]:
        done = runtime.command("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/v2.ubj", "--samples", path)
        assert done.returncode == 2 and say in done.stderr and "sample rows" in done.stderr, done
        assert done.stderr.count("\n") == 1, done.stderr
    assert states(runtime) == ["ready"]
    assert runtime.json("audit")["records"][0]["outcome"] == "bad_input"
    runtime.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/v2.ubj", "--samples", f"{FLIGHTS}/sample.csv")
    assert states(runtime) == ["ready", "ready"]
    runtime.stop()


def test_what_is_in_no_route_is_unloaded_and_loaded_again_by_a_change():
    runtime = Runtime(options=AT_ONCE)
    runtime.deploy_flights(3)
    poll(lambda: states(runtime) == ["ready", "unloaded", "unloaded"])
    status, why = ask(runtime, 2)
    assert status == 503 and "unloaded since" in why and "`mldeck load flight-delay 2`" in why, why
    response, data = runtime.request("POST", "/v2/repository/index")
    assert [v["state"] for v in json.loads(data)] == ["READY", "UNAVAILABLE", "UNAVAILABLE"], data
    runtime.run("promote", "flight-delay", "2", "--reason", "test")
    assert ask(runtime) == (200, "2")
    poll(lambda: states(runtime) == ["unloaded", "ready", "unloaded"])
    runtime.run("split", "flight-delay", "2=50", "3=50", "--reason", "test")
    assert states(runtime) == ["unloaded", "ready", "ready"]
    runtime.run("rollback", "flight-delay", "--to", "1", "--reason", "test")
    assert ask(runtime) == (200, "1")
    poll(lambda: states(runtime) == ["ready", "unloaded", "unloaded"])
    runtime.stop()


def test_the_telemetry_of_an_unloaded_version_stays():
    runtime = Runtime(options=AT_ONCE)
    runtime.deploy_flights(2)
    for _ in range(7):
        assert ask(runtime) == (200, "1")
    runtime.run("promote", "flight-delay", "2", "--reason", "test")
    poll(lambda: states(runtime) == ["unloaded", "ready"])
    text = runtime.request("GET", "/metrics")[1].decode()
    line = next(l for l in text.splitlines() if l.startswith("mldeck_requests_total")
                and 'version="1"' in l and 'outcome="ok"' in l)
    assert line.endswith(" 7"), line
    runtime.stop()


def test_versions_stay_loaded_for_their_times():
    runtime = Runtime()
    runtime.deploy_flights(3)
    runtime.run("promote", "flight-delay", "2", "--reason", "test")
    assert states(runtime) == ["ready"] * 3
    runtime.stop()
    # v1 was live a moment ago; v3 never was.
    runtime.start()
    assert states(runtime) == ["ready", "ready", "unloaded"]
    assert "when the runtime started" in note(runtime, 3)
    runtime.stop()
    runtime.options = AT_ONCE
    runtime.start()
    assert states(runtime) == ["unloaded", "ready", "unloaded"]
    runtime.stop()


def test_load_needs_no_route():
    runtime = Runtime(options=("--set", "routes.idle_unload=1h"))
    runtime.deploy_flights(2)
    runtime.stop()
    runtime.start()
    assert states(runtime) == ["ready", "unloaded"]
    answer = runtime.json("load", "flight-delay", "2", "--reason", "to look at it")
    assert answer == {"model": "flight-delay", "version": 2, "state": "ready"}, answer
    assert ask(runtime, 2) == (200, "2") and ask(runtime) == (200, "1")
    record = runtime.json("audit")["records"][0]
    assert (record["action"], record["version"], record["reason"]) == ("load", 2, "to look at it"), record
    for words, code in [(["flight-delay", "3"], 4), (["nothing", "1"], 4), (["flight-delay", "x"], 2)]:
        done = runtime.command("load", *words)
        assert done.returncode == code and done.stderr.count("\n") == 1, done
    runtime.stop()


def test_a_file_that_is_gone_fails_the_change_and_nothing_else():
    runtime = Runtime(options=AT_ONCE)
    runtime.deploy_flights(2)
    poll(lambda: states(runtime) == ["ready", "unloaded"])
    path = artifact(runtime, 2)
    os.rename(path, path + ".kept")
    done = runtime.command("promote", "flight-delay", "2", "--reason", "test")
    assert done.returncode == 3 and "v2 of flight-delay is not ready" in done.stderr, done
    assert states(runtime) == ["ready", "failed"] and ask(runtime) == (200, "1")
    assert runtime.json("audit")["records"][0]["outcome"] == "conflict"
    os.rename(path + ".kept", path)
    runtime.run("promote", "flight-delay", "2", "--reason", "test")
    assert ask(runtime) == (200, "2")
    runtime.stop()


METADATA = {
    "name": "m", "versions": ["1"], "platform": "test",
    "inputs": [{"name": "rows", "datatype": "FP64", "shape": [-1, 15]}],
    "outputs": [{"name": "predict", "datatype": "FP64", "shape": [-1, 1]}],
}


class Held:
    """A model as the sample one, on a server that answers a prediction when the test lets it: its load lasts as long."""

    def __init__(self, options=AT_ONCE):
        self.gate, self.asked, self.status = threading.Event(), threading.Event(), 200
        self.gate.set()
        self.server = Server(infer=self.infer, metadata=METADATA)
        self.runtime = Runtime(options=options)

    def infer(self, request):
        self.asked.set()
        self.gate.wait(DEADLINE_S)
        rows = request.json()["inputs"][0]["shape"][0]
        output = {"name": "predict", "datatype": "FP64", "shape": [rows, 1], "data": [0.5] * rows}
        return answer(self.status, {"outputs": [output]} if self.status == 200 else {"error": "out of order"})

    def hold(self):
        self.gate.clear()
        self.asked.clear()

    def deploy(self, model="flight-delay"):
        self.runtime.run("deploy", model, self.server.url(), "--features", f"{FLIGHTS}/sample.csv")

    def stop(self):
        self.gate.set()
        assert self.runtime.stop() == 0
        self.server.stop()


def test_a_load_delays_nobody_and_the_slower_of_two_operators_is_told():
    held = Held()
    runtime = held.runtime
    runtime.deploy_flights(2)
    runtime.run("deploy", "other", f"{FLIGHTS}/flight-delay/v1.txt")
    runtime.run("deploy", "other", f"{FLIGHTS}/flight-delay/v3.txt")
    held.deploy()
    poll(lambda: states(runtime) == ["ready", "unloaded", "unloaded"])
    held.hold()
    slower = Control(runtime, "route", {"action": "promote", "version": 3, "reason": "slower"})
    assert held.asked.wait(DEADLINE_S)
    assert states(runtime) == ["ready", "unloaded", "loading"]
    status, why = ask(runtime, 3)
    assert status == 503 and "being loaded" in why, why
    third = Control(runtime, "versions/3/load", {"reason": "third"})
    # Nobody else waits: predictions, changes of other models, deploys, and another change of this very model.
    assert ask(runtime) == (200, "1")
    runtime.run("promote", "other", "2", "--reason", "test")
    runtime.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/v4.txt")
    runtime.run("promote", "flight-delay", "2", "--reason", "faster")
    assert ask(runtime) == (200, "2")
    held.gate.set()
    status, refusal = slower.wait()
    assert status == 409 and "promote v2" in refusal["error"] and "not 1 as expected" in refusal["error"], refusal
    # Both were served by one load; nothing needs the version now, so it may be gone again.
    status, loaded = third.wait()
    assert status == 200 and loaded["state"] in ("ready", "unloaded"), loaded
    assert held.server.requests == 1, held.server.requests
    assert ask(runtime) == (200, "2")
    again = {"action": "promote", "version": 3, "reason": "again", "force": True}
    assert Control(runtime, "route", again).wait()[0] == 200
    held.stop()


def test_a_version_stays_until_its_last_prediction():
    held = Held()
    runtime = held.runtime
    runtime.deploy_flights(1)
    held.deploy()
    forced = {"action": "promote", "version": 2, "reason": "test", "force": True}
    assert Control(runtime, "route", forced).wait()[0] == 200
    held.hold()
    answers = []
    late = threading.Thread(target=lambda: answers.append(ask(runtime)))
    late.start()
    assert held.asked.wait(DEADLINE_S)
    # Changes wake the keeper: v2 is in no route, and would be unloaded but for that prediction.
    assert Control(runtime, "route", {**forced, "version": 1}).wait()[0] == 200
    # Requests and not commands: the prediction must not be given up before, on a busy machine neither.
    for _ in range(20):
        assert Control(runtime, "versions/1/load", {"reason": "wake"}).wait()[0] == 200
    assert states(runtime) == ["ready", "ready"] and answers == [], answers
    held.gate.set()
    late.join()
    assert answers == [(200, "2")], answers
    poll(lambda: states(runtime) == ["ready", "unloaded"])
    held.stop()


def test_the_end_of_a_runtime_ends_a_load():
    held = Held()
    runtime = held.runtime
    runtime.deploy_flights(1)
    held.deploy()
    poll(lambda: states(runtime) == ["ready", "unloaded"])
    held.hold()
    promotion = Control(runtime, "route", {"action": "promote", "version": 2, "reason": "test", "force": True})
    assert held.asked.wait(DEADLINE_S)
    assert runtime.stop() == 0, runtime.read_log()
    status, refusal = promotion.wait()
    assert status == 409, refusal
    runtime.start()
    assert ask(runtime) == (200, "1") and states(runtime) == ["ready", "unloaded"]
    held.stop()


def test_a_shadow_cannot_stand_in_the_way_back():
    held = Held()
    runtime = held.runtime
    runtime.deploy_flights(2)
    held.deploy()
    shadow = {"action": "shadow", "weights": [{"version": 3, "weight_bp": 5000}], "reason": "test"}
    status, answered = Control(runtime, "route", shadow).wait()
    assert status == 200, answered
    runtime.run("promote", "flight-delay", "2", "--reason", "test")
    held.status = 500
    runtime.run("rollback", "flight-delay", "--to", "2", "--reason", "test")
    assert ask(runtime) == (200, "1")
    held.stop()


def test_a_server_that_does_not_answer_gets_no_route():
    held = Held(options=())
    runtime = held.runtime
    runtime.deploy_flights(1)
    held.deploy()
    held.status = 500
    for words in (["promote", "flight-delay", "2"], ["split", "flight-delay", "1=90", "2=10"]):
        done = runtime.command(*words, "--reason", "test")
        assert done.returncode == 3 and "v2 of flight-delay gets no requests" in done.stderr, done
        assert "made-up row" in done.stderr and "out of order" in done.stderr, done.stderr
    assert ask(runtime) == (200, "1") and states(runtime)[0] == "ready"
    held.status = 400
    # A made-up row may well be refused; that this model has fewer outputs is for the gates, and forced here.
    forced = Control(runtime, "route", {"action": "promote", "version": 2, "reason": "test", "force": True}).wait()
    assert forced[0] == 200, forced
    held.stop()


run_tests(globals())
