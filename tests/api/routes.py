"""Routes that change under full load: not one request fails, and every answer names a version that was in the route.

A version can have answered a request rightly if some revision gave it requests at a moment between the request's start
and the end of its answer. A revision is in force from some moment after its change was asked for until some moment
before the answer to the change that replaced it: both ends are taken as wide as that.
"""
import http.client
import json
import os
import random
import socket
import threading
import time

from runtime import DEADLINE_S, FLIGHTS, Runtime, poll, run_tests

AT_ONCE = ("--set", "routes.keep_warm=0s", "--set", "routes.idle_unload=0s")
GOOD = json.load(open(f"{FLIGHTS}/infer.json"))


def many_rows(count):
    """A body whose prediction takes so long that the workers get it."""
    first = GOOD["inputs"][0]
    width = first["shape"][1]
    return {"inputs": [{**first, "shape": [count, width], "data": (first["data"][:width]) * count}]}


class Operator:
    """The control socket on one connection; every change of the model is kept with its times."""

    def __init__(self, runtime, model):
        self.model = model
        self.connection = http.client.HTTPConnection("localhost", timeout=DEADLINE_S)
        self.connection.sock = socket.socket(socket.AF_UNIX)
        self.connection.sock.connect(os.path.join(runtime.state, "control", "mldeck.sock"))
        self.changes = [(float("-inf"), float("-inf"), {1})]  # asked, answered, versions that get requests
        self.seed = random.Random(model)

    def post(self, path, body):
        self.connection.request("POST", f"/control/v1/models/{self.model}/{path}", json.dumps(body))
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    def change(self, **body):
        asked = time.monotonic()
        status, answer = self.post("route", {"reason": "under load", **body})
        assert status == 200, answer
        entries = answer["route"]["entries"]
        self.changes.append((asked, time.monotonic(), {e["version"] for e in entries if e["role"] != "shadow"}))
        return answer["live"]

    def promote_or_roll_back(self, versions):
        """One of each, and between them, now and then, a canary, a shadow, and a load of what is in no route."""
        live = max(self.changes[-1][2]) if len(self.changes[-1][2]) == 1 else None
        target = self.seed.choice([v for v in range(1, versions + 1) if v != live])
        live = self.change(action="promote", version=target)
        other = self.seed.choice([v for v in range(1, versions + 1) if v != live])
        kind = self.seed.randrange(4)
        if kind == 0:
            self.change(action="split", weights=[{"version": live, "weight_bp": 7000},
                                                 {"version": other, "weight_bp": 3000}])
        elif kind == 1:
            self.change(action="shadow", weights=[{"version": other, "weight_bp": 5000}])
        elif kind == 2:
            status, answer = self.post(f"versions/{other}/load", {})
            assert status == 200, answer
        self.change(action="rollback")

    def in_force(self, start, end):
        """The versions that may answer what ran from start to end."""
        found = set()
        for i, (asked, _, versions) in enumerate(self.changes):
            until = self.changes[i + 1][1] if i + 1 < len(self.changes) else float("inf")
            if asked <= end and start <= until:
                found |= versions
        return found


class Client:
    """Asks without pause on a thread of its own; every answer is kept with its times."""

    def __init__(self, runtime, model, body, keep_alive):
        self.runtime, self.path, self.body = runtime, f"/v2/models/{model}/infer", json.dumps(body).encode()
        self.model, self.keep_alive = model, keep_alive
        self.answers, self.failures = [], []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        connection = None
        while not self.ended.is_set() and len(self.failures) < 10:
            start = time.monotonic()
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(self.runtime.host, self.runtime.port, timeout=DEADLINE_S)
                connection.request("POST", self.path, self.body)
                response = connection.getresponse()
                answer = json.loads(response.read())
                if response.status == 200:
                    self.answers.append((start, time.monotonic(), int(answer["model_version"])))
                else:
                    self.failures.append((response.status, answer))
            except Exception as error:
                self.failures.append(repr(error))
                connection = None
            if not self.keep_alive and connection is not None:
                connection.close()
                connection = None

    def stop(self):
        self.ended.set()
        self.thread.join()


def check(operator, clients):
    """Every answer's version was in the route; how many there were of each."""
    seen = {}
    for client in clients:
        assert not client.failures, (client.model, client.failures[:3])
        for start, end, version in client.answers:
            allowed = operator.in_force(start, end)
            assert version in allowed, (client.model, version, allowed, start, end)
            seen[version] = seen.get(version, 0) + 1
    return seen


def test_the_judge_of_answers_is_exact():
    operator = Operator.__new__(Operator)
    operator.changes = [(float("-inf"), float("-inf"), {1}), (10.0, 11.0, {2}), (20.0, 21.0, {2, 3})]
    for start, end, want in [(1, 9, {1}), (1, 10, {1, 2}), (10.5, 10.6, {1, 2}), (11, 12, {1, 2}), (11.1, 12, {2}),
                             (1, 30, {1, 2, 3}), (20.5, 20.6, {2, 3}), (22, 23, {2, 3})]:
        assert operator.in_force(start, end) == want, (start, end)


def test_a_hundred_promotions_and_rollbacks_fail_no_request():
    # A request of 64 rows is for the workers, one of one row is not.
    runtime = Runtime(options=[*AT_ONCE, "--set", "workers.inline=100us"])
    models = {"flight-delay": (3, GOOD), "slow": (3, many_rows(64)), "arrival": (2, GOOD)}
    files = {"arrival": [f"{FLIGHTS}/arrival-delay/v1.txt", f"{FLIGHTS}/arrival-delay/v2.json"]}
    for model, (count, _) in models.items():
        names = files.get(model) or [f"{FLIGHTS}/flight-delay/{n}" for n in ("v1.txt", "v2.ubj", "v3.txt")]
        for name in names[:count]:
            runtime.run("deploy", model, name)
    clients = {model: [Client(runtime, model, body, keep_alive) for keep_alive in (True, True, False)]
               for model, (_, body) in models.items()}
    operators = {model: Operator(runtime, model) for model in models}
    problems = []

    def operate(model, rounds):
        try:
            for _ in range(rounds):
                operators[model].promote_or_roll_back(models[model][0])
        except Exception as error:
            problems.append((model, repr(error)))

    # 50 rounds of a promotion and a rollback; the other models' operators are at it meanwhile.
    threads = [threading.Thread(target=operate, args=(model, 50 if model == "flight-delay" else 25)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for model in models:
        for client in clients[model]:
            client.stop()
    assert not problems, problems
    for model in models:
        seen = check(operators[model], clients[model])
        assert len(seen) == models[model][0] and sum(seen.values()) > 100, (model, seen)
    # What the runtime says now is what it does: a wrong log of ours would hide everything.
    for model, (_, body) in models.items():
        live = runtime.json("status", model)["models"][0]["live"]
        version = int(runtime.infer(body, f"/v2/models/{model}/infer")[1]["model_version"])
        assert version in operators[model].changes[-1][2] and live in operators[model].changes[-1][2]
    poll(lambda: sum(v["state"] == "unloaded" for v in runtime.json("versions", "flight-delay")["versions"]) > 0)
    assert runtime.stop() == 0, runtime.read_log()


run_tests(globals())
