"""A/B tests on live traffic of the flights sample: who is in which arm, what outcomes do, verdicts, ends, restarts."""
import concurrent.futures
import csv
import http.client
import json
import signal
import threading

from runtime import DEADLINE_S, FLIGHTS, Runtime, poll, rows_body, run_tests

MODEL = "flight-delay"
BASE = f"/control/v1/models/{MODEL}/experiments"
FEEDBACK = f"/v2/models/{MODEL}/feedback"
SPLIT = {"arms": [{"version": 1, "share_bp": 4000}, {"version": 3, "share_bp": 4000}]}
LATE = {"name": "late", "kind": "log_loss", "role": "primary", "direction": "lower"}
ERRORS = {"name": "errors", "kind": "error_rate", "role": "guardrail", "direction": "lower", "margin": 0.05}
MOVED = {"name": "moved", "kind": "binary", "role": "other", "direction": "same"}


def flights(count):
    """Rows of the replay as the model takes them, with what became of them."""
    with open(f"{FLIGHTS}/replay.csv") as file:
        reader = csv.reader(file)
        header = next(reader)
        first, end = header.index("weekday"), header.index("late")
        rows = [next(reader) for _ in range(count)]
    return [([float(v) if v else None for v in row[first:end]], float(row[end])) for row in rows]


ROWS = flights(1200)


class Client:
    """One connection that stays open."""

    def __init__(self, runtime):
        self.connection = http.client.HTTPConnection(runtime.host, runtime.port, timeout=DEADLINE_S)

    def send(self, path, body, headers={}):
        self.connection.request("POST", path, body, headers)
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    def predict(self, unit, row, request=None, path="infer", headers={}):
        body = rows_body([row], **({"id": request} if request else {}))
        status, answer = self.send(f"/v2/models/{MODEL}/{path}", json.dumps(body), {"Mldeck-Unit": unit, **headers})
        assert status == 200, answer
        return int(answer["model_version"])

    def feedback(self, *outcomes):
        status, answer = self.send(FEEDBACK, json.dumps({"outcomes": outcomes}))
        assert status == 200, answer
        return answer


def outcome(unit, value, metric="late", **more):
    return {"unit": unit, "metric": metric, "value": value, **more}


def plan(name, metrics=(LATE, ERRORS), **more):
    return {"name": name, "metrics": list(metrics), "planned_size": 2000, "minimum_events": 50, **SPLIT, **more}


def post(runtime, path, body, status=200):
    got, answer = runtime.control("POST", path, json.dumps(body))
    assert got == status, (got, answer)
    return answer


def start(runtime, name, *metrics, status=200, **more):
    return post(runtime, BASE, plan(name, metrics or (LATE, ERRORS), **more), status)


def stop(runtime, name, status=200, **more):
    return post(runtime, f"{BASE}/{name}/stop", {"reason": "seen enough", **more}, status)


def look(runtime, name, query=""):
    status, answer = runtime.control("GET", f"{BASE}/{name}?{query}")
    assert status == 200, answer
    return answer


def history(runtime):
    return runtime.control("GET", f"/control/v1/models/{MODEL}/history")[1]["revisions"]


def route(runtime):
    model = next(m for m in runtime.json("status")["models"] if m["name"] == MODEL)
    return {entry["version"]: entry["percent"] for entry in model["route"]}


def serving(count=3):
    runtime = Runtime()
    runtime.deploy_flights(count)
    return runtime


def exposed(experiment):
    return [arm["exposed"] for arm in experiment["arms"]]


def numbers(experiment):
    """What does not depend on when it was asked."""
    report = experiment["report"]
    return [experiment["sha256"], exposed(experiment), experiment["counts"],
            [(c["arm"], c["metric"], c["units"], c["effect"], c["mean"]) for c in report["comparisons"]]]


def test_a_test_from_start_to_end():
    runtime = serving()
    client = Client(runtime)
    dry = start(runtime, "stale", dry_run=True, assume={"late": {"mean": 0.4, "sd": 0.5, "effect": 0.1}})
    sizes = {size["metric"]: size for size in dry["forecast"]["sizes"]}
    assert dry["dry_run"] and dry["revision"] == 2 and sizes["late"]["anytime_units"] > sizes["late"]["fixed_units"]
    assert sizes["errors"]["needs"] == "mean" and route(runtime) == {1: 100}, sizes
    begun = start(runtime, "stale", reason="v1 is old")
    assert begun["sha256"] == dry["sha256"] and begun["revision"] == 2
    assert route(runtime) == {1: 60, 3: 40}, route(runtime)
    assert history(runtime)[0]["action"] == "experiment" and history(runtime)[0]["route"]["salt"] == begun["plan"]["salt"]
    audit = runtime.json("audit")["records"][0]
    assert audit["action"] == "experiment" and begun["sha256"] in json.dumps(audit), audit

    # Units keep their arm, whatever they ask; a fifth of them is in none.
    arms = {f"u{i}": client.predict(f"u{i}", row, f"r{i}") for i, (row, _) in enumerate(ROWS)}
    assert all(client.predict(f"u{i}", ROWS[0][0]) == arms[f"u{i}"] for i in range(100))
    now = look(runtime, "stale")
    total = sum(exposed(now))
    assert 0.75 * len(ROWS) < total < 0.85 * len(ROWS), exposed(now)
    assert exposed(now)[1] == sum(v == 3 for v in arms.values()), exposed(now)
    assert now["state"] == "running" and now["verdict"] == "CONTINUE" and now["counts"]["units"] == total

    # What became of them comes late, out of order, and twice, by unit and by request.
    late = [outcome(f"u{i}", value, key=f"k{i}") for i, (_, value) in enumerate(ROWS)]
    for i in range(0, len(late), 3):
        late[i]["id"] = late[i].pop("unit").replace("u", "r")
    late.reverse()
    first, again = client.feedback(*late), client.feedback(*late[:500], *late[:500])
    assert first["accepted"] == total and first["unknown_unit"] + first["unknown_request"] == len(ROWS) - total, first
    assert again["accepted"] == 0 and again["duplicate"] > 700, again
    other = client.feedback(outcome(late[0].get("unit", "u1"), 1 - late[0]["value"], key=late[0].get("key")))
    assert other["accepted"] == 0, other
    now = look(runtime, "stale")
    judged = next(c for c in now["report"]["comparisons"] if c["metric"] == "late")
    assert sum(judged["units"]) == total and judged["effect"] < 0, judged
    assert now["sentence"] and now["plan"]["salt"] == begun["plan"]["salt"] and len(now["looks"]) >= 2

    # kill -9: it goes on with the same numbers, and the same arms.
    before = numbers(look(runtime, "stale"))
    runtime.process.send_signal(signal.SIGKILL)
    runtime.process.wait()
    runtime.start()
    client = Client(runtime)
    assert numbers(look(runtime, "stale", "peek=0")) == before
    assert all(client.predict(f"u{i}", ROWS[0][0]) == arms[f"u{i}"] for i in range(100))
    assert client.feedback(*late[:100])["accepted"] == 0
    assert sum(exposed(look(runtime, "stale"))) == total
    for i in range(40):
        client.predict(f"new{i}", ROWS[0][0])
    assert total + 20 < sum(exposed(look(runtime, "stale"))) <= total + 40

    shown = runtime.control("GET", f"/control/v1/snapshot?experiment=stale&detail={MODEL}")[1]["experiments"]
    assert len(shown) == 1 and shown[0]["plan"]["name"] == "stale" and shown[0]["looks"][0]["effect"] < 0
    ended = stop(runtime, "stale")
    assert ended["experiment"]["state"] == "stopped" and route(runtime) == {1: 100}, ended
    assert history(runtime)[0]["reason"] == "seen enough"
    stop(runtime, "stale", 409)
    listed = runtime.control("GET", "/control/v1/experiments")[1]["experiments"]
    assert [(e["name"], e["state"]) for e in listed] == [("stale", "stopped")]
    assert runtime.control("GET", "/control/v1/snapshot?experiments=1")[1]["experiments"][0]["name"] == "stale"
    assert runtime.control("GET", "/control/v1/audit/verify")[1]["ok"]
    assert runtime.stop() == 0


def test_the_route_while_one_runs():
    runtime = serving()
    route_path, rollout_path = f"/control/v1/models/{MODEL}/route", f"/control/v1/models/{MODEL}/rollout"
    start(runtime, "one")
    start(runtime, "two", status=409)
    refused = [post(runtime, route_path, {"action": "promote", "version": 3}, 409),
               post(runtime, route_path, {"action": "split", "weights": [{"version": 1, "weight_bp": 10000}]}, 409),
               post(runtime, rollout_path, {"version": 2, "steps": "5,100", "hold": "1m"}, 409)]
    assert all("mldeck ab stop" in answer["error"] for answer in refused), refused
    assert look(runtime, "one")["state"] == "running"

    # Who must, does, and the test is worth nothing then.
    forced = post(runtime, route_path, {"action": "promote", "version": 3, "force": True, "reason": "an emergency"})
    assert [g["name"] for g in forced["gates"] if g["forced"]] == ["experiment"], forced["gates"]
    ended = look(runtime, "one")
    assert ended["state"] == "invalid" and ended["verdict"] == "INVALID" and "arms" in ended["sentence"], ended
    post(runtime, BASE, plan("of-v1"), 400)
    swapped = {"arms": [{"version": 3, "share_bp": 5000}, {"version": 1, "share_bp": 5000}]}
    start(runtime, "three", **swapped)
    runtime.run("rollback", MODEL, "--reason", "it is bad")
    assert look(runtime, "three")["verdict"] == "INVALID"
    assert Client(runtime).predict("anyone", ROWS[0][0]) == 3

    post(runtime, rollout_path, {"version": 2, "steps": "5,100", "hold": "1h"})
    assert "canary" in start(runtime, "four", status=409, **swapped)["error"]
    beside = {"arms": [{"version": 3, "share_bp": 5000}, {"version": 2, "share_bp": 5000}]}
    assert "rollout" in start(runtime, "four", status=409, **beside)["error"]
    post(runtime, rollout_path + "/abort", {})
    start(runtime, "four", **swapped)
    assert stop(runtime, "four", keep=True)["after"] == "v3 50% v1 50%" and route(runtime) == {3: 50, 1: 50}
    start(runtime, "five", **swapped)
    assert stop(runtime, "five", promote=1)["after"] == "v1 100%" and route(runtime) == {1: 100}

    # The same version on both arms: all go to it, and units are in arms all the same.
    same = {"mode": "aa", "arms": [{"version": 1, "share_bp": 5000}, {"version": 1, "share_bp": 5000}]}
    start(runtime, "same", **same)
    client = Client(runtime)
    for i in range(40):
        assert client.predict(f"u{i}", ROWS[i][0]) == 1
    assert sum(exposed(look(runtime, "same"))) == 40 and min(exposed(look(runtime, "same"))) > 5
    assert runtime.stop() == 0


def test_what_is_known_beforehand():
    runtime = serving(1)
    client = Client(runtime)
    same = {"mode": "aa", "arms": [{"version": 1, "share_bp": 5000}, {"version": 1, "share_bp": 5000}]}
    slow = {"name": "slow", "kind": "latency", "role": "guardrail", "direction": "lower", "quantile": 0.9}
    delay = {"name": "delay", "kind": "continuous", "role": "primary", "direction": "same", "low": 0, "high": 20}
    assert "threshold_ns" in start(runtime, "early", delay, slow, status=409, **same)["error"]
    client.predict("u", ROWS[0][0])
    known = {"covariate": "given", "covariate_low": 0, "covariate_high": 20}
    assert start(runtime, "known", delay, slow, **same, **known)["plan"]["metrics"][1]["threshold_ns"] > 1000
    for i in range(200):
        client.predict(f"u{i}", ROWS[0][0], headers={"Mldeck-Covariate": str(i % 17)})
    client.feedback(*[outcome(f"u{i}", i % 17, "delay") for i in range(200)])
    judged = next(c for c in look(runtime, "known")["report"]["comparisons"] if c["metric"] == "delay")
    assert sum(judged["units"]) == 200 and judged["variance_ratio"] < 0.1, judged
    assert runtime.stop() == 0


def test_many_at_once():
    runtime = serving(1)
    done, asked, counted = threading.Event(), [0] * 4, [0] * 4

    def ask(i):
        client = Client(runtime)
        while not done.is_set():
            unit = f"t{i}-{asked[i] % 50}"
            client.predict(unit, ROWS[asked[i] % 100][0])
            status, answer = client.send(FEEDBACK, json.dumps(outcome(unit, asked[i] % 2, key=f"{i}-{asked[i]}")))
            assert status in (200, 404), answer
            counted[i] += answer.get("accepted", 0)
            asked[i] += 1

    same = {"mode": "aa", "arms": [{"version": 1, "share_bp": 5000}, {"version": 1, "share_bp": 5000}]}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(ask, i) for i in range(4)]
        try:
            for i in range(3):
                start(runtime, f"n{i}", **same)
                begun = sum(asked)
                poll(lambda: sum(asked) > begun + 100)
                look(runtime, f"n{i}")
                stop(runtime, f"n{i}", keep=i == 1)
        finally:
            done.set()
        for client in clients:
            client.result()
    tests = [look(runtime, f"n{i}") for i in range(3)]
    assert sum(t["counts"]["outcomes"]["accepted"] for t in tests) >= sum(counted) > 100
    assert all(t["counts"]["lost"] == 0 and t["state"] == "stopped" and sum(exposed(t)) > 20 for t in tests)
    assert runtime.stop() == 0


def test_who_is_exposed():
    runtime = serving()
    client = Client(runtime)
    whole = {"arms": [{"version": 1, "share_bp": 5000}, {"version": 3, "share_bp": 5000}]}
    start(runtime, "all", LATE, MOVED, **whole)
    client.predict("a", ROWS[0][0], path="versions/1/infer")
    status, _ = client.send(f"/v2/models/{MODEL}/infer", json.dumps(rows_body([ROWS[0][0]])))
    assert status == 200
    status, _ = client.send(f"/v2/models/{MODEL}/infer", "{}", {"Mldeck-Unit": "b"})
    assert status == 400 and sum(exposed(look(runtime, "all"))) == 0
    client.predict("c", ROWS[0][0])
    client.predict("d", ROWS[0][0], "request-d")
    client.predict("e", ROWS[0][0], headers={"Mldeck-Request": "request-e"})
    answer = client.feedback({"id": "request-d", "metric": "late", "value": 1},
                             {"id": "request-e", "metric": "late", "value": 0},
                             outcome("c", 1, metric="moved"))
    assert answer["accepted"] == 3, answer

    # What does not count, and why.
    begun = look(runtime, "all")["started_ms"]
    answer = client.feedback(outcome("a", 1), {"id": "nobody", "metric": "late", "value": 1}, outcome("c", 1, "none"),
                             outcome("c", 7), outcome("c", 1, at_ms=begun - 60000, key="early"),
                             outcome("c", 1, at_ms=begun + 86400000, key="far"))
    results = [e["result"] for e in answer["errors"]]
    assert results == ["unknown_unit", "unknown_request", "unknown_metric", "bad_value", "before_start", "future"], answer
    client.feedback(outcome("c", 1, key="x"))
    assert client.feedback(outcome("c", 0, key="x"))["contradictory"] == 1

    # CSV, and bodies that are no outcomes, of which nothing is applied.
    text = f"value,metric,unit,key\n1,late,d,d-1\n0,moved,d,\n"
    status, answer = client.send(FEEDBACK, text, {"Content-Type": "text/csv"})
    assert status == 200 and answer["accepted"] == 2, answer
    counts = look(runtime, "all")["counts"]
    good = json.dumps(outcome("e", 1, metric="moved"))
    for body, word in [("", "JSON"), ("[]", "JSON"), ("{}", "unit"), ('{"outcomes":[]}', "no outcome"),
                       ('{"outcomes":[' + good + ',{"unit":"e","metric":"late","value":NaN}]}', "JSON"),
                       ('{"outcomes":[' + good + ',{"unit":"e","metric":"late","value":null}]}', "outcome 2"),
                       ('{"outcomes":[' + good + ',{"unit":"e","id":"x","metric":"late","value":1}]}', "not both"),
                       ('{"unit":"e","metric":"late","value":1,"at_ms":-5}', "at_ms"),
                       ('{"unit":"e","metric":"late","value":1,"when":5}', "when"),
                       (json.dumps(outcome("u" * 256, 1)), "255")]:
        status, answer = client.send(FEEDBACK, body)
        assert status == 400 and word in answer["error"], (body, answer)
    for body, word in [("unit,metric\nu,late\n", "line 2"), ("unit,who\n", "who"), ("unit,metric,value\ne,late,nan\n", "value"),
                       ("unit,metric,value\ne,late\n", "fields"), ("unit,metric,value\n", "no outcome")]:
        status, answer = client.send(FEEDBACK, body, {"Content-Type": "text/csv"})
        assert status == 400 and word in answer["error"], (body, answer)
    assert look(runtime, "all")["counts"] == counts
    status, answer = client.send("/v2/models/nobody/feedback", good)
    assert status == 404, answer

    # Plans that make no test.
    for more, word in [({"name": "all"}, "all"), ({"planned_size": 0}, "planned size"), ({"metrics": []}, "metric"),
                       ({"covariate": "shadow", "covariate_low": 0, "covariate_high": 1}, "shadow"),
                       ({"arms": [{"version": 3, "share_bp": 10}, {"version": 1, "share_bp": 10}]}, "live"),
                       ({"arms": [{"version": 1, "share_bp": 10}, {"version": 99, "share_bp": 10}]}, "99"),
                       ({"arms": [{"version": 1, "share_bp": 9999}, {"version": 3, "share_bp": 10}]}, "share"),
                       ({"colour": "red"}, "colour"), ({"model": "other"}, "other")]:
        status, answer = runtime.control("POST", BASE, json.dumps({**plan("bad"), **more}))
        assert status in (400, 404, 409, 415) and word in answer["error"], (more, status, answer)
    assert runtime.control("GET", f"{BASE}/nobody")[0] == 404
    assert runtime.stop() == 0


def test_commands():
    runtime = serving()
    options = ["--arm", "1=40", "--arm", "3=40", "--size", "2000",
               "--metric", "late=log_loss,primary,lower,margin=0.01", "--metric", "errors=error_rate,guardrail,lower,margin=0.05"]
    begin = ["ab", "start", MODEL, "--name", "fresh", *options]
    assert "no A/B tests" in runtime.run("ab", "list")
    dry = runtime.run(*begin, "--dry-run", "--assume", "late=0.4,0.5,0.1")
    assert "would be started" in dry and "v1 60% v3 40%" in dry and "1664" in dry and f"POST {BASE}" in dry, dry
    assert route(runtime) == {1: 100} and runtime.json("ab", "list")["experiments"] == []
    # The call that it printed is the start.
    call = json.loads(dry.rstrip().splitlines()[-1])
    assert call["arms"] == SPLIT["arms"] and call["metrics"][0]["margin"] == 0.01 and "dry_run" not in call
    with open(f"{runtime.state}/plan.json", "w") as file:
        json.dump({**call, "name": "other"}, file)
    begun = json.loads(runtime.run("ab", "start", MODEL, "--plan", f"{runtime.state}/plan.json", "--name", "fresh", "--size",
                                   "3000", "--reason", "new", "--json"))
    assert begun["name"] == "fresh" and begun["plan"]["planned_size"] == 3000 and route(runtime) == {1: 60, 3: 40}
    client = Client(runtime)
    for i in range(40):
        client.predict(f"u{i}", ROWS[i][0])
    text = runtime.run("ab", "status", MODEL)
    assert "running, CONTINUE" in text and "v1 control" in text and "sample ratio holds" in text, text
    status = runtime.json("ab", "status", MODEL, "fresh", "--log", "1")
    assert status["look_count"] >= 1 and len(status["looks"]) == 1 and status["metric"] == "late", status
    drawn = runtime.run("snapshot", "experiment", "--charset", "ascii")
    assert "v3 against v1" in drawn and "log" not in drawn.split("against")[0], drawn
    for words, code, word in [((*begin, "--reason", "again"), 3, "fresh"), (("ab", "fly"), 2, "start"), (("ab", "status"), 2, "MODEL"),
                              (("ab", "status", MODEL, "nobody"), 4, "nobody"), (("ab", "status", "nobody"), 4, "nobody"),
                              (("ab", "start", MODEL, "--arm", "x", "--reason", "r"), 2, "--arm"),
                              (("ab", "start", MODEL, "--metric", "late=binary", "--reason", "r"), 2, "--metric"),
                              (("ab", "start", MODEL, "--metric", "late", "--reason", "r"), 2, "--metric"),
                              (("ab", "start", MODEL, "--assume", "late=x", "--reason", "r"), 2, "--assume"),
                              (("ab", "start", MODEL, "--plan", f"{runtime.state}/none", "--reason", "r"), 4, "none"),
                              (("ab", "stop", MODEL), 2, "--reason"),
                              (("ab", "stop", MODEL, "--keep", "--promote", "3", "--reason", "r"), 2, "--keep"),
                              (("snapshot", "experiment", "--model", MODEL, "--experiment", "nobody"), 4, "nobody")]:
        done = runtime.command(*words)
        assert done.returncode == code and word in done.stderr and route(runtime) == {1: 60, 3: 40}, (words, done)
    # Another route, by force, makes the test void, and the command says so with its exit code.
    assert "would be stopped" in runtime.run("ab", "stop", MODEL, "--dry-run") and route(runtime) == {1: 60, 3: 40}
    runtime.run("promote", MODEL, "3", "--force", "--reason", "hurry")
    done = runtime.command("ab", "status", MODEL)
    assert done.returncode == 1 and "INVALID" in done.stdout, done
    assert runtime.stop() == 0


run_tests(globals(), at_once=3)
