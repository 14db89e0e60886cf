"""Rollouts under real traffic: good versions go up, bad ones go back, and what an operator does meanwhile.

The versions are models on servers of ours, which behave as a test says, or the sample models of flights.
"""
import collections
import csv
import hashlib
import http.client
import json
import os
import random
import resource
import signal
import socket
import threading
import time

from runtime import DEADLINE_S, FLIGHTS, Runtime, poll, rows_body, run_tests
from v2_server import Server, answer, honest, predict

# What a test does not look at must not end its rollout: two servers of Python differ by chance.
CALM = ["--threshold", "analysis_requests=20", "--threshold", "p99_ratio_max=1000", "--threshold", "drift_max=10"]


class Traffic:
    """Requests from several threads, with units, until the end of the block; counts (status, version)."""

    def __init__(self, runtime, body=None, model="m", threads=4):
        self.runtime, self.body, self.model = runtime, body or self.sums, model
        self.counts, self.lock, self.ending = collections.Counter(), threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(i,)) for i in range(threads)]

    @staticmethod
    def sums(rng):
        return {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [rng.gauss(0, 1), rng.gauss(0, 1)]}],
                "outputs": [{"name": "y"}]}

    def work(self, seed):
        rng = random.Random(seed)
        connection = http.client.HTTPConnection(self.runtime.host, self.runtime.port, timeout=DEADLINE_S)
        while not self.ending.is_set():
            connection.request("POST", f"/v2/models/{self.model}/infer", json.dumps(self.body(rng)),
                               {"Mldeck-Unit": f"unit-{rng.randrange(10000)}"})
            response = connection.getresponse()
            answered = json.loads(response.read())
            with self.lock:
                self.counts[(response.status, answered.get("model_version"))] += 1
        connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive()

    def total(self):
        with self.lock:
            return sum(self.counts.values())


def wrong(request):
    """Answers as the honest one does, but of other numbers."""
    asked = request.json()
    asked["inputs"][0]["data"] = [value + 3 for value in asked["inputs"][0]["data"]]
    request.body = json.dumps(asked).encode()
    return answer(200, {"model_name": "m", "outputs": predict(request)[0]})


class Versions:
    """A runtime with the model m: v1 of an honest server, then one of each further behaviour."""

    def __init__(self, *behaviours):
        self.runtime = Runtime()
        self.servers = [Server(infer) for infer in (honest, *behaviours)]

    def __enter__(self):
        for server in self.servers:
            self.runtime.run("deploy", "m", server.url())
        return self.runtime

    def __exit__(self, kind, error, trace):
        code = self.runtime.stop()
        for server in self.servers:
            server.stop()
        if kind is None:
            assert code == 0, (code, self.runtime.read_log())


def start(runtime, version, *words, steps="1,5,25,100", hold="200ms", model="m"):
    return json.loads(runtime.run("rollout", model, str(version), "--steps", steps, "--hold", hold, "--reason", "better",
                                  "--json", *words))["rollout"]


def look(runtime, model="m"):
    return runtime.json("rollout", model)


def weights(runtime, model="m"):
    m = next(m for m in runtime.json("status")["models"] if m["name"] == model)
    return {entry["version"]: round(entry["percent"] * 100) for entry in m["route"] if entry["role"] != "shadow"}


def reach(runtime, condition, model="m"):
    """The rollout once the condition holds of it."""
    seen = []

    def check():
        seen[:] = [look(runtime, model)]
        return condition(seen[0])
    try:
        poll(check)
    except AssertionError:
        raise AssertionError(f"never: {seen}") from None
    return seen[0]


def metrics(runtime):
    return runtime.request("GET", "/metrics")[1].decode()


def audits(runtime, action):
    return [r for r in runtime.json("audit", "m")["records"] if r["action"] == action]


def check_refused(runtime, words, code, part):
    done = runtime.command(*words)
    assert done.returncode == code and part in done.stderr, (words, done)


def test_a_good_version_goes_up():
    with Versions(honest) as runtime, Traffic(runtime) as traffic:
        begun = start(runtime, 2, *CALM)
        assert begun["state"] == "running" and begun["step"] == 0 and begun["first_revision"] == 1, begun
        assert weights(runtime) == {1: 9900, 2: 100}
        done = runtime.command("rollout", "m", "--watch")
        assert done.returncode == 0 and "done at 100% (step 4 of 4)" in done.stdout, done
        ended = look(runtime)
        assert ended["state"] == "done" and ended["revision"] == 5 and ended["ended_ms"] > 0, ended
        assert [f["verdict"] for f in ended["findings"]] == ["pass"] * 3, ended
        assert weights(runtime) == {2: 10000}
        revisions = runtime.json("history", "m")["revisions"]
        assert [r["text"] for r in revisions] == ["v2 100%", "v1 75% v2 25%", "v1 95% v2 5%", "v1 99% v2 1%", "v1 100%"]
        assert [r["who"] for r in revisions[:3]] == ["mldeck"] * 3 and revisions[3]["who"] != "mldeck", revisions
        assert runtime.json("alerts")["alerts"] == []
        # A rollout is undone as a whole.
        runtime.run("rollback", "m", "--reason", "not now")
        assert weights(runtime) == {1: 10000}
    assert set(traffic.counts) == {(200, "1"), (200, "2")}, traffic.counts


class Turning:
    """Honest, until a test turns it: a version that fails at once would not pass its warm-up."""

    def __init__(self, bad):
        self.bad, self.turned = bad, threading.Event()

    def __call__(self, request):
        return self.bad(request) if self.turned.is_set() else honest(request)


def failing(request):
    return answer(500, {"error": "out of order"})


def test_a_version_that_fails_goes_back():
    bad = Turning(failing)
    with Versions(bad, honest) as runtime:
        with Traffic(runtime) as traffic:
            start(runtime, 2, steps="20", hold="1h")
            bad.turned.set()
            done = runtime.command("rollout", "m", "--watch")
        assert done.returncode == 1 and "rolled back at 20%" in done.stdout and "error_rate: v2 answers" in done.stdout, \
            done
        assert weights(runtime) == {1: 10000}
        newest = runtime.json("history", "m")["revisions"][0]
        assert newest["who"] == "mldeck" and newest["action"] == "rollback", newest
        assert newest["reason"].startswith("rolled back: error_rate: v2 answers"), newest
        record = audits(runtime, "rollback")[0]
        assert record["client"] == "rollout" and record["revision"] == newest["revision"], record
        # Every request had an answer: of the bad version the sentence that its server is out of order.
        assert set(traffic.counts) <= {(200, "1"), (200, "2"), (502, None)}, traffic.counts
        assert traffic.counts[(200, "1")] > 0 and traffic.counts[(502, None)] > 0, traffic.counts

        alert, = runtime.json("alerts")["alerts"]
        assert (alert["rule"], alert["model"], alert["version"], alert["state"]) == ("rollout", "m", 2, "firing"), alert
        assert alert["value"] > 0.5 and alert["threshold"] == 0.5, alert
        assert 'mldeck_alerts_firing{model="m"} 1\n' in metrics(runtime)
        # A console sees both.
        picture = runtime.json("status")
        assert picture["server"]["alerts_firing"] == 1 and picture["alerts"][0]["id"] == alert["id"], picture
        assert picture["models"][0]["rollout"]["state"] == "rolled back", picture
        runtime.run("ack", "1", "--note", "told its owner")
        alert, = runtime.json("alerts")["alerts"]
        assert alert["state"] == "acknowledged" and alert["note"] == "told its owner", alert
        assert "told its owner" in runtime.run("alerts")
        assert audits(runtime, "acknowledge")[0]["reason"] == "told its owner"
        again = runtime.run("ack", "1")
        assert "It was acknowledged before by " in again and ": told its owner\n" in again, again
        assert runtime.json("ack", "1", "--note", "told its owner")["before"]["state"] == "acknowledged"
        check_refused(runtime, ["ack", "7"], 4, "there is no alert 7")
        check_refused(runtime, ["ack", "x"], 2, "no number of an alert")

        # It is over with the next rollout that gets through.
        with Traffic(runtime):
            start(runtime, 3, *CALM, steps="50")
            assert runtime.command("rollout", "m", "--watch").returncode == 0
        assert runtime.json("alerts")["alerts"][0]["state"] == "resolved"
        check_refused(runtime, ["ack", "1"], 3, "is resolved")


def test_a_promotion_resolves_the_alert():
    bad = Turning(failing)
    with Versions(bad, honest) as runtime:
        with Traffic(runtime):
            start(runtime, 2, steps="50", hold="1h")
            bad.turned.set()
            assert runtime.command("rollout", "m", "--watch").returncode == 1
        assert runtime.json("alerts")["alerts"][0]["state"] == "firing"
        runtime.run("promote", "m", "3", "--reason", "mended")
        poll(lambda: runtime.json("alerts")["alerts"][0]["state"] == "resolved")
        assert 'mldeck_alerts_firing{model="m"} 0\n' in metrics(runtime)


def test_a_slow_version_goes_back():
    wait = threading.Event()

    def slow(request):
        wait.wait(0.05)
        return honest(request)
    with Versions(slow) as runtime, Traffic(runtime, threads=8) as traffic:
        start(runtime, 2, "--threshold", "analysis_requests=20", "--threshold", "p99_ratio_max=2", steps="50", hold="1h")
        done = runtime.command("rollout", "m", "--watch")
        assert done.returncode == 1 and "latency_p99: the p99 of v2" in done.stdout, done
        assert weights(runtime) == {1: 10000}
    assert set(traffic.counts) == {(200, "1"), (200, "2")}, traffic.counts


def test_other_predictions_go_back():
    with Versions(wrong) as runtime, Traffic(runtime) as traffic:
        # The live version has to be known first.
        poll(lambda: traffic.total() > 1100)
        start(runtime, 2, "--threshold", "analysis_requests=50", "--threshold", "p99_ratio_max=1000", steps="50", hold="1h")
        done = runtime.command("rollout", "m", "--watch")
        assert done.returncode == 1 and "prediction_drift: the PSI of the predictions of v2 and v1" in done.stdout, done
    assert set(traffic.counts) == {(200, "1"), (200, "2")}, traffic.counts


def flight_rows():
    with open(f"{FLIGHTS}/replay.csv", newline="") as file:
        return [[float(v) if v else None for v in row[-15:]] for row in list(csv.reader(file))[1:3001]]


def test_no_traffic_waits():
    with Versions(honest) as runtime:
        start(runtime, 2, *CALM, steps="50", hold="0s")
        waiting = reach(runtime, lambda r: "waits: v2 has answered nothing" in r["note"])
        assert waiting["state"] == "running" and waiting["step"] == 0, waiting
        assert {f["verdict"] for f in waiting["findings"]} == {"wait"}, waiting
        assert "the hold is over" in runtime.run("rollout", "m")
        with Traffic(runtime):
            reach(runtime, lambda r: r["state"] == "done")


def test_pause_resume_skip_abort():
    with Versions(honest, honest) as runtime:
        start(runtime, 2, *CALM, steps="10,50", hold="1h")
        check_refused(runtime, ["rollout", "m", "--resume", "--reason", "r"], 3, "is running already")
        check_refused(runtime, ["rollout", "m", "--pause"], 2, "--reason")
        check_refused(runtime, ["rollout", "m", "--pause", "--skip", "--reason", "r"], 2, "two changes")
        runtime.run("rollout", "m", "--pause", "--reason", "lunch")
        paused = look(runtime)
        assert paused["state"] == "paused" and "lunch" in paused["note"], paused
        check_refused(runtime, ["rollout", "m", "--pause", "--reason", "r"], 3, "is paused already")
        # Paused, its clock stands still.
        assert look(runtime)["held_ms"] == paused["held_ms"]
        runtime.run("rollout", "m", "--skip", "--reason", "seen enough")
        skipped = look(runtime)
        assert skipped["step"] == 1 and skipped["state"] == "paused" and skipped["held_ms"] == 0, skipped
        assert weights(runtime) == {1: 5000, 2: 5000}
        runtime.run("rollout", "m", "--resume", "--reason", "back")
        reach(runtime, lambda r: r["held_ms"] > 0)
        runtime.run("rollout", "m", "--abort", "--reason", "wrong one")
        aborted = look(runtime)
        assert aborted["state"] == "aborted" and "wrong one" in aborted["note"], aborted
        assert weights(runtime) == {1: 10000}
        assert runtime.json("alerts")["alerts"] == [], "an abort is nobody's surprise"
        for verb in ("pause", "resume", "abort", "skip"):
            check_refused(runtime, ["rollout", "m", "--" + verb, "--reason", "r"], 4, "no rollout under way")
        assert [r["reason"] for r in audits(runtime, "pause") if r["outcome"] == "done"] == ["lunch"]
        assert [r["reason"] for r in audits(runtime, "resume") if r["outcome"] == "done"] == ["back"]
        assert {r["outcome"] for r in audits(runtime, "pause")} == {"done", "conflict", "not_found"}
        who = runtime.json("history", "m")["revisions"]
        assert "skipped by" in who[1]["reason"] and "seen enough" in who[1]["reason"], who
        # The last step is skipped, too.
        start(runtime, 3, *CALM, steps="10", hold="1h")
        runtime.run("rollout", "m", "--skip", "--reason", "sure")
        assert look(runtime)["state"] == "done" and weights(runtime) == {3: 10000}


def kill(runtime):
    runtime.process.send_signal(signal.SIGKILL)
    runtime.process.wait(DEADLINE_S)


def test_it_survives_a_crash():
    with Versions(honest) as runtime:
        start(runtime, 2, *CALM, steps="10,50", hold="2s")
        with Traffic(runtime):
            reach(runtime, lambda r: r["step"] == 1 and r["held_ms"] > 300)
        # Written now, and not only with the next checkpoint.
        runtime.run("rollout", "m", "--pause", "--reason", "r")
        held = look(runtime)["held_ms"]
        kill(runtime)
        runtime.start()
        again = look(runtime)
        assert (again["step"], again["state"], again["held_ms"]) == (1, "paused", held), again
        assert weights(runtime) == {1: 5000, 2: 5000}
        runtime.run("rollout", "m", "--resume", "--reason", "r")
        kill(runtime)
        runtime.start()
        again = look(runtime)
        assert again["step"] == 1 and again["state"] == "running" and again["held_ms"] >= held, again
        # It goes on, with what is counted from now on.
        with Traffic(runtime):
            done = reach(runtime, lambda r: r["state"] == "done")
        assert done["id"] == 1 and weights(runtime) == {2: 10000}, done
        # In good order, how long a step was held is kept to the last tick.
        runtime.run("rollback", "m", "--reason", "r")
        start(runtime, 2, steps="50", hold="1h")
        held = reach(runtime, lambda r: r["held_ms"] > 500)["held_ms"]
        assert runtime.stop() == 0
        runtime.start()
        assert look(runtime)["held_ms"] >= held


def test_other_changes_meanwhile():
    with Versions(honest, honest) as runtime:
        start(runtime, 2, steps="10", hold="1h")
        for words in (["promote", "m", "2"], ["promote", "m", "3"], ["split", "m", "1=50", "2=50"]):
            check_refused(runtime, [*words, "--reason", "r"], 3, "rollout m --abort")
        check_refused(runtime, ["rollout", "m", "3", "--steps", "10", "--hold", "1m", "--reason", "r"], 3,
                      "m has a rollout already, of v2")
        assert weights(runtime) == {1: 9000, 2: 1000}
        runtime.run("shadow", "m", "3=50%", "--reason", "r")
        assert look(runtime)["state"] == "running"
        # An operator's rollback ends it, and the runtime lets it be.
        runtime.run("rollback", "m", "--reason", "I do not like it")
        ended = reach(runtime, lambda r: r["state"] != "running")
        assert ended["state"] == "aborted" and "I do not like it" in ended["note"], ended
        assert weights(runtime) == {1: 10000}
        # The runtime has seen it: its own list is the registry's.
        poll(lambda: 'mldeck_rollouts_ended_total{model="m",outcome="aborted"} 1\n' in metrics(runtime))
        start(runtime, 3, steps="10", hold="1h")
        assert look(runtime)["id"] == 2


def test_what_cannot_be_started():
    with Versions(honest, honest) as runtime:
        usual = ["--steps", "1,5,25", "--hold", "5m", "--reason", "r"]
        refused = [
            (["m", "1", *usual], 3, "v1 of m is live already"),
            (["m", "9", *usual], 4, "m has no version 9; it has 1 to 3"),
            (["none", "1", *usual], 4, "none"),
            (["m", "2", *usual, "--expect-revision", "7"], 3, "revision 1"),
            (["m", "2", "--steps", "5,1", "--hold", "5m", "--reason", "r"], 2, "must ascend"),
            (["m", "2", "--steps", "1,5", "--hold", "5", "--reason", "r"], 2, "hold time"),
            (["m", "2", "--steps", "1,5", "--reason", "r"], 2, "--hold"),
            (["m", "2", "--hold", "5m", "--reason", "r"], 2, "--steps"),
            (["m", "2", "--steps", "1,5", "--hold", "5m"], 2, "--reason"),
            (["m", "2", *usual, "--threshold", "min_age=1h"], 2, "min_age"),
            (["m", "2", *usual, "--threshold", "p99_ratio_max=many"], 2, "p99_ratio_max"),
            (["m", "2", *usual, "--threshold", "p99_ratio_max"], 2, "NAME=VALUE"),
            (["m", "2", *usual, "--pause"], 2, "leave VERSION out"),
            (["m", "--steps", "1,5"], 2, "name the VERSION"),
            (["m", "--reason", "r"], 2, "--reason is for a change"),
        ]
        for words, code, part in refused:
            check_refused(runtime, ["rollout", *words], code, part)
        assert weights(runtime) == {1: 10000} and runtime.json("rollout", "m") is None
        assert "no rollout yet" in runtime.run("rollout", "m")
        assert {r["outcome"] for r in audits(runtime, "rollout")} == {"conflict", "not_found", "bad_input"}
        planned = json.loads(runtime.run("rollout", "m", "2", *usual, "--dry-run", "--json"))
        assert planned["dry_run"] and planned["after"] == "v1 99% v2 1%" and planned["rollout"]["id"] == 0, planned
        assert weights(runtime) == {1: 10000} and runtime.json("rollout", "m") is None
        # Beside the live version there may be the one that is rolled out, with less, and no other.
        runtime.run("split", "m", "1=90", "2=10", "--reason", "r")
        check_refused(runtime, ["rollout", "m", "3", *usual], 3, "v2 of m is a canary")
        check_refused(runtime, ["rollout", "m", "2", *usual], 3, "gets 10% already")
        start(runtime, 2, steps="20", hold="1h")
        runtime.run("rollout", "m", "--abort", "--reason", "r")
        assert weights(runtime) == {1: 9000, 2: 1000}


def test_a_full_disk_delays_the_way_back():
    bad = Turning(failing)
    with Versions(bad) as runtime:
        start(runtime, 2, steps="50", hold="1h")
        pid = runtime.process.pid
        usual = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        # Files cannot grow: what SQLite reports as a full disk.
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, usual[1]))
        bad.turned.set()
        with Traffic(runtime):
            stuck = reach(runtime, lambda r: r["note"].startswith("cannot go back"))
            assert stuck["state"] == "running" and "disk" in stuck["note"], stuck
            resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)
            reach(runtime, lambda r: r["state"] == "rolled back")
        poll(lambda: runtime.json("alerts")["alerts"] != [])
        assert weights(runtime) == {1: 10000}


def control(runtime, method, path, body=None):
    """A request to the control API, as a console makes it."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(DEADLINE_S)
        connection.connect(f"{runtime.state}/control/mldeck.sock")
        text = json.dumps(body).encode() if body is not None else b""
        connection.sendall(f"{method} /control/v1/{path} HTTP/1.1\r\nHost: mldeck\r\nConnection: close\r\n"
                           f"Content-Length: {len(text)}\r\n\r\n".encode() + text)
        data = b""
        while more := connection.recv(65536):
            data += more
    head, body = data.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), json.loads(body)


def set_policy(runtime, **settings):
    status, body = control(runtime, "POST", "models/m/policy", {"set": settings, "reason": "r"})
    assert status == 200, body


def test_gates_hold_it_up():
    with Versions(honest) as runtime:
        set_policy(runtime, min_age="1h")
        check_refused(runtime, ["rollout", "m", "2", "--steps", "10", "--hold", "1h", "--reason", "r"], 1, "min_age")
        refused = runtime.command("rollout", "m", "2", "--steps", "10", "--hold", "1h", "--dry-run")
        assert refused.returncode == 1 and "wait" in refused.stdout, "a refusal shows what the gates found"
        asked = {"version": 2, "steps": "10", "hold": "1h", "reason": "r"}
        status, body = control(runtime, "POST", "models/m/rollout", asked)
        assert status == 412 and body["code"] == "gate", body
        assert [g["verdict"] for g in body["gates"] if g["name"] == "min_age"] == ["wait"], body
        assert weights(runtime) == {1: 10000}
        shown = runtime.run("rollout", "m", "2", "--steps", "10", "--hold", "1h", "--dry-run", "--force")
        assert "min_age" in shown and "forced" in shown, shown
        assert shown.endswith("\nThe command: mldeck rollout m 2 --steps 10 --hold 1h --expect-revision 1 --force "
                              "--reason TEXT\n"), shown

        # Forced, it is marked for ever, and its steps pass as well.
        begun = start(runtime, 2, *CALM, "--force", steps="10,50", hold="0s")
        assert begun["forced"], begun
        assert runtime.json("history", "m")["revisions"][0]["forced"]
        with Traffic(runtime):
            reach(runtime, lambda r: r["state"] == "done")

        # What does not pass at a step is waited for.
        runtime.run("rollback", "m", "--reason", "r")
        set_policy(runtime, min_age="0s", canary_requests="1000000")
        # A policy is not loosened by the way, and what is stricter than it needs no force.
        for loose in ("error_margin=1%", "p99_ratio_max=2", "p99_margin=2ms", "drift_max=0.3", "analysis_requests=100",
                      "analysis_alpha=0.001"):
            words = ["rollout", "m", "2", "--steps", "50", "--hold", "0s", "--threshold", loose, "--reason", "r"]
            check_refused(runtime, words, 1, loose.split("=")[0] + " of this rollout lets more through")
        strict = runtime.command("rollout", "m", "2", "--steps", "50", "--hold", "0s", "--threshold", "drift_max=0.1",
                                 "--threshold", "analysis_requests=300", "--threshold", "analysis_alpha=0.1", "--dry-run")
        assert strict.returncode == 0, strict
        set_policy(runtime, **dict(word.split("=") for word in CALM[1::2]))
        start(runtime, 2, steps="50", hold="0s")
        with Traffic(runtime):
            waiting = reach(runtime, lambda r: "canary" in r["note"])
            assert waiting["state"] == "running" and waiting["step"] == 0, waiting
            set_policy(runtime, canary_requests="0")
            reach(runtime, lambda r: r["state"] == "done")
        assert [r["outcome"] for r in audits(runtime, "rollout")].count("gate") == 2 + 6, "waiting is not for the audit"


def test_the_control_api():
    with Versions(honest) as runtime:
        assert control(runtime, "GET", "models/m/rollouts") == (200, {"model": "m", "rollouts": []})
        assert control(runtime, "GET", "models/none/rollouts")[0] == 404
        assert control(runtime, "POST", "models/m/rollout/stop", {})[0] == 404
        assert control(runtime, "POST", "models/m/rollout", {"version": 2, "hold": "1m"})[0] == 400
        assert control(runtime, "POST", "models/m/rollout", {"version": 2, "steps": "5"})[0] == 400
        assert control(runtime, "POST", "models/m/rollout", {"steps": "5", "hold": "1m"})[0] == 400
        for thresholds in ([], {"p99_ratio_max": 2}, {"secret": "2"}):
            status, body = control(runtime, "POST", "models/m/rollout",
                                   {"version": 2, "steps": "5", "hold": "1m", "thresholds": thresholds})
            assert status == 400, body
        for i in range(3):
            status, body = control(runtime, "POST", "models/m/rollout",
                                   {"version": 2, "steps": "5", "hold": "1m", "thresholds": {"drift_max": "0.5"}})
            assert status == 200 and body["rollout"]["thresholds"]["drift_max"] == "0.5", body
            assert body["before"] == "v1 100%" and body["after"] == "v1 95% v2 5%", body
            status, body = control(runtime, "POST", "models/m/rollout/abort", {"reason": f"r{i}"})
            assert status == 200 and body["rollout"]["state"] == "aborted" and body["revision"] == 3 + 2 * i, body
        listed = control(runtime, "GET", "models/m/rollouts?limit=2")[1]["rollouts"]
        assert [r["id"] for r in listed] == [3, 2] and listed[0]["note"].endswith("r2"), listed
        assert control(runtime, "GET", "alerts?limit=0")[0] == 400
        assert control(runtime, "POST", "alerts/1/acknowledge", {})[0] == 404


def test_monitors_see_it():
    with Versions(honest) as runtime:
        assert 'mldeck_alerts_firing{model="m"} 0\n' in metrics(runtime) and "mldeck_rollout_step{" not in metrics(runtime)
        start(runtime, 2, steps="10,50", hold="1h")
        text = metrics(runtime)
        assert 'mldeck_rollout_step{model="m",version="2",state="running"} 1\n' in text, text
        assert 'mldeck_rollout_steps{model="m",version="2"} 3\n' in text, text
        assert 'mldeck_rollout_left_seconds{model="m",version="2"} 3' in text, text
        assert 'mldeck_rollouts_ended_total{model="m",outcome="aborted"} 0\n' in text, text
        runtime.run("rollout", "m", "--abort", "--reason", "r")
        text = metrics(runtime)
        assert 'mldeck_rollouts_ended_total{model="m",outcome="aborted"} 1\n' in text, text
        assert "mldeck_rollout_step{" not in text, text


def test_real_models():
    """The sample's v3 gets through; v4, which is stale and broken, is rolled back."""
    runtime = Runtime()
    rows = flight_rows()
    for name in ("v2.ubj", "v3.txt", "v4.txt"):
        runtime.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/{name}")
    body = lambda rng: rows_body([rng.choice(rows)])
    calm = ["--threshold", "analysis_requests=300", "--threshold", "p99_ratio_max=1000"]
    with Traffic(runtime, body, "flight-delay") as traffic:
        poll(lambda: traffic.total() > 1100)
        start(runtime, 2, *calm, steps="10,50", model="flight-delay")
        done = runtime.command("rollout", "flight-delay", "--watch")
        assert done.returncode == 0, done
        poll(lambda: traffic.counts[(200, "2")] > 1100)
        start(runtime, 3, *calm, steps="20", hold="1h", model="flight-delay")
        done = runtime.command("rollout", "flight-delay", "--watch")
        assert done.returncode == 1 and "prediction_drift: the PSI" in done.stdout, done
        assert weights(runtime, "flight-delay") == {2: 10000}
    assert {status for status, _ in traffic.counts} == {200}, traffic.counts
    assert runtime.stop() == 0


def spoil(runtime, file_name):
    """Alters the stored copy of a model's file, which is loaded no more."""
    with open(f"{FLIGHTS}/flight-delay/{file_name}", "rb") as file:
        sha256 = hashlib.sha256(file.read()).hexdigest()
    path = f"{runtime.state}/artifacts/sha256/{sha256[:2]}/{sha256}"
    os.chmod(path, 0o600)
    with open(path, "a") as file:
        file.write("junk")


def test_a_version_that_does_not_load_again_goes_back():
    runtime = Runtime()
    rows = flight_rows()
    for name in ("v2.ubj", "v3.txt"):
        runtime.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/{name}")
    start(runtime, 2, steps="50", hold="1h", model="flight-delay")
    kill(runtime)
    spoil(runtime, "v3.txt")
    runtime.start()
    with Traffic(runtime, lambda rng: rows_body([rng.choice(rows)]), "flight-delay"):
        ended = reach(runtime, lambda r: r["state"] == "rolled back", "flight-delay")
    assert ended["note"].startswith("error_rate: v2 answers 100% with an error"), ended
    assert weights(runtime, "flight-delay") == {1: 10000}
    # Who asks for that version by its number chose it: no error of the model.
    errors = [line for line in metrics(runtime).splitlines() if 'version="2",outcome="error"' in line]
    for _ in range(5):
        assert runtime.infer(rows_body(rows[:1]), "/v2/models/flight-delay/versions/2/infer")[0] == 503
    assert errors == [line for line in metrics(runtime).splitlines() if 'version="2",outcome="error"' in line]
    assert runtime.stop() == 0


def test_a_shadow_cannot_stand_in_the_way_back():
    runtime = Runtime()
    for name in ("v1.txt", "v2.ubj", "v3.txt"):
        runtime.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/{name}")
    runtime.run("shadow", "flight-delay", "3=10%", "--reason", "r")
    start(runtime, 2, steps="50", hold="1h", model="flight-delay")
    kill(runtime)
    spoil(runtime, "v3.txt")
    # One way back is the runtime's own, for v2 does not load either; the other an operator's.
    spoil(runtime, "v2.ubj")
    runtime.start()
    rows = flight_rows()
    with Traffic(runtime, lambda rng: rows_body([rng.choice(rows)]), "flight-delay"):
        reach(runtime, lambda r: r["state"] == "rolled back", "flight-delay")
    assert weights(runtime, "flight-delay") == {1: 10000}
    assert runtime.stop() == 0
    runtime = Runtime()
    runtime.deploy_flights(3)
    runtime.run("shadow", "flight-delay", "3=10%", "--reason", "r")
    start(runtime, 2, steps="50", hold="1h", model="flight-delay")
    kill(runtime)
    spoil(runtime, "v3.txt")
    runtime.start()
    runtime.run("rollout", "flight-delay", "--abort", "--reason", "r")
    assert weights(runtime, "flight-delay") == {1: 10000}
    assert runtime.stop() == 0


def test_a_step_that_needs_a_load_delays_no_other_rollout():
    """The scheduler waits for no server: a rollout elsewhere goes back at once."""
    bad, slow, asked = Turning(failing), threading.Event(), threading.Event()
    release = threading.Event()

    def hanging(request):
        if slow.is_set():
            asked.set()
            release.wait(10 * DEADLINE_S)
        return honest(request)
    with Versions(bad) as runtime:
        runtime.stop()
        runtime.options = ("--set", "server.model_control=yes")
        runtime.start()
        servers = [Server(honest), Server(hanging)]
        samples = f"{runtime.state}-samples.csv"
        with open(samples, "w") as file:
            file.write("x_0,x_1\n1,2\n")
        for server in servers:
            runtime.run("deploy", "a", server.url(), "--samples", samples)
        start(runtime, 2, *CALM, steps="50,60", hold="2s", model="a")
        with Traffic(runtime, model="a"):
            reach(runtime, lambda r: [f["verdict"] for f in r["findings"]] == ["pass"] * 3, "a")
        assert runtime.request("POST", "/v2/repository/models/a/unload", "{}")[0].status == 200
        slow.set()
        waiting = reach(runtime, lambda r: "is not ready: unloaded" in r["note"] or asked.is_set(), "a")
        with Traffic(runtime):
            start(runtime, 2, steps="50", hold="1h")
            bad.turned.set()
            reach(runtime, lambda r: r["state"] == "rolled back")
        assert waiting["state"] == "running" and "mldeck load a" in waiting["note"], waiting
        # Somebody who may wait loads it, and it goes on.
        release.set()
        for version in ("1", "2"):
            runtime.run("load", "a", version)
        reach(runtime, lambda r: r["step"] >= 1, "a")
        for server in servers:
            server.stop()


if __name__ == "__main__":
    run_tests(globals())
