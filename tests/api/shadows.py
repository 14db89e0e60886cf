"""Shadow traffic: what is copied, that answers never come from a shadow, and that no shadow harms a live request.

Shadows that fail or hang are models on v2_server.py's server, which logs what it is asked.
"""
import collections
import concurrent.futures
import http.client
import itertools
import json
import math
import re
import socket
import threading

from runtime import DEADLINE_S, FLIGHTS, Runtime, poll, run_tests
from v2_server import Server, answer, honest

MODEL = "flight-delay"
SAMPLE = re.compile(r"^(mldeck_[a-z_]+)\{?([^}]*)\}? (\S+)$", re.M)


def metric(runtime, name, *labels):
    """The sum of a metric's samples that have all these labels, such as 'version="2"'."""
    text = runtime.request("GET", "/metrics")[1].decode()
    return sum(float(value) for found, label, value in SAMPLE.findall(text)
               if found == name and all(wanted in label for wanted in labels))


def outcome(runtime, word, version="2"):
    return metric(runtime, "mldeck_shadow_requests_total", f'outcome="{word}"', f'version="{version}"')


def outcomes(runtime):
    return {word: outcome(runtime, word) for word in ("compared", "failed", "dropped")}


def settled(runtime, copied):
    poll(lambda: sum(outcomes(runtime).values()) == copied)
    return outcomes(runtime)


def flights(share, *options):
    runtime = Runtime(options=options)
    runtime.deploy_flights(2)
    runtime.run("shadow", MODEL, f"2={share}%", "--reason", "test")
    return runtime


class Clients:
    """Requests on kept connections, from several threads."""

    def __init__(self, runtime, body, path=f"/v2/models/{MODEL}/infer"):
        self.runtime, self.body, self.path = runtime, json.dumps(body), path
        self.local = threading.local()

    def ask(self, headers={}, body=None):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.runtime.host, self.runtime.port, timeout=DEADLINE_S)
        self.local.connection.request("POST", self.path, body or self.body, headers)
        response = self.local.connection.getresponse()
        return response.status, json.loads(response.read())

    def ask_many(self, count, threads=4):
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda _: self.ask(), range(count)))


def flight_rows():
    return json.load(open(f"{FLIGHTS}/infer.json"))


def test_a_share_is_copied_and_never_answers():
    runtime = flights(25)
    count = 3000
    answers = Clients(runtime, flight_rows()).ask_many(count)
    assert all(status == 200 and body["model_version"] == "1" for status, body in answers)
    assert len({json.dumps(body["outputs"]) for _, body in answers}) == 1, "an answer of another version"
    # Five standard deviations of a binomial.
    low, high = (count * 0.25 + sign * 5 * math.sqrt(count * 0.25 * 0.75) for sign in (-1, 1))
    poll(lambda: low <= sum(outcomes(runtime).values()) <= high and metric(runtime, "mldeck_shadows_waiting") == 0)
    assert outcome(runtime, "failed") == 0
    assert metric(runtime, "mldeck_requests_total", 'version="2"') == 0, "a copy is no request of the model"
    poll(lambda: runtime.json("status", MODEL)["models"][0]["requests"] == count)
    assert "25%" in runtime.run("shadow", MODEL)
    runtime.stop()


def test_the_comparison_is_told():
    runtime = flights(100)
    for _ in range(40):
        runtime.infer(flight_rows())
    settled(runtime, 40)
    shadow = runtime.json("shadow", MODEL)["shadows"][0]
    told = shadow["comparison"]
    assert (shadow["version"], shadow["percent"], told["against"]) == (2, 100, 1), shadow
    assert (told["copied"], told["compared"], told["rows"], told["failed"]) == (40, 40, 80, 0), told
    one, two = (runtime.infer(flight_rows(), f"/v2/models/{MODEL}/versions/{i}/infer")[1]["outputs"][0]["data"]
                for i in (1, 2))
    # What the shadow's own answers are: in another precision than the live version's, by this number.
    assert math.isclose(told["difference_sum"], 40 * sum(b - a for a, b in zip(one, two)), rel_tol=1e-5), told
    assert math.isclose(told["absolute_max"], max(abs(b - a) for a, b in zip(one, two)), rel_tol=1e-5), told
    assert sum(told["bins"]) == 80 and told["live_ns_sum"] > 0 and told["shadow_p99_ns"] > 0, told
    stats = runtime.json("status", MODEL)["models"][0]["per_version"][1]
    assert stats["shadow"] == told
    for words in (("shadow", MODEL), ("status", MODEL)):
        lines = [line.split() for line in runtime.run(*words).splitlines()]
        row = next(line for line in lines if line[:3] == ["v2", "100%", "v1"])
        assert row[3:6] == ["40", "0", "0"], row

    # Another share goes on; another pair begins anew.
    runtime.run("shadow", MODEL, "2=50%", "--reason", "test")
    assert runtime.json("shadow", MODEL)["shadows"][0]["comparison"]["since_ms"] == told["since_ms"]
    runtime.run("shadow", MODEL, "2=0", "--reason", "test")
    runtime.run("shadow", MODEL, "2=50%", "--reason", "test")
    again = runtime.json("shadow", MODEL)["shadows"][0]["comparison"]
    assert again["copied"] == 0 and again["since_ms"] >= told["since_ms"], again
    assert outcome(runtime, "compared") == 40
    runtime.stop()


def test_only_what_the_live_version_answers_by_itself():
    runtime = flights(100)
    runtime.run("deploy", MODEL, f"{FLIGHTS}/{MODEL}/v3.txt")
    runtime.run("split", MODEL, "1=50", "3=50", "--reason", "a canary answers half")
    body = json.dumps(flight_rows())
    for _ in range(20):
        runtime.infer(flight_rows(), f"/v2/models/{MODEL}/versions/1/infer")
        runtime.infer({"inputs": []})
    versions = collections.Counter(runtime.infer(flight_rows())[1]["model_version"] for _ in range(60))
    assert set(versions) == {"1", "3"}, versions
    counted = settled(runtime, versions["1"])
    assert counted == {"compared": versions["1"], "failed": 0, "dropped": 0}, (counted, versions)

    # An operator's own, over the control socket, and HEAD.
    client = http.client.HTTPConnection("localhost")
    client.sock = socket.socket(socket.AF_UNIX)
    client.sock.connect(f"{runtime.state}/control/mldeck.sock")
    client.request("POST", f"/v2/models/{MODEL}/infer", body)
    assert client.getresponse().status == 200
    assert sum(outcomes(runtime).values()) == versions["1"]
    runtime.stop()


def test_slow_models_are_copied_by_their_workers():
    runtime = flights(100, "--set", "workers.inline=0us")
    answers = Clients(runtime, flight_rows()).ask_many(200)
    assert all(status == 200 and body["model_version"] == "1" for status, body in answers)
    assert settled(runtime, 200) == {"compared": 200, "failed": 0, "dropped": 0}
    assert metric(runtime, "mldeck_shadow_rows_total") == 400
    runtime.stop()


class Pair:
    """`m`: v1 on one server, live, and v2 on another, its shadow."""

    def __init__(self, shadow=honest, share=100, options=()):
        self.live, self.shadow = Server(), Server(infer=lambda request: self.answer(request))
        self.answer = honest
        self.runtime = Runtime(options=options)
        self.runtime.run("deploy", "m", self.live.url())
        self.runtime.run("deploy", "m", self.shadow.url())
        self.runtime.run("shadow", "m", f"2={share}%", "--reason", "test")
        self.shadow.log.clear()
        self.answer = shadow
        self.clients = Clients(self.runtime, body_of([1, 2]), "/v2/models/m/infer")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        code = self.runtime.stop()
        self.live.stop()
        self.shadow.stop()
        if kind is None:
            assert code == 0, (code, self.runtime.read_log())


def body_of(*rows):
    return {"inputs": [{"name": "x", "shape": [len(rows), 2], "datatype": "FP32",
                        "data": [value for row in rows for value in row]}], "outputs": [{"name": "y"}]}


def test_other_servers_are_live_and_shadow():
    with Pair() as pair:
        answers = pair.clients.ask_many(50)
        assert all(status == 200 and body["outputs"][0]["data"] == [3.0] for status, body in answers), answers[0]
        assert settled(pair.runtime, 50) == {"compared": 50, "failed": 0, "dropped": 0}
        assert metric(pair.runtime, "mldeck_shadow_difference_bucket", 'le="0"') == 50
        assert len(pair.shadow.log) == 50
    everything_else = lambda request: answer(200, {"model_name": "m", "outputs": [
        {"name": "y", "datatype": "FP64", "shape": [1, 1], "data": [5.0]}]})
    with Pair(everything_else) as pair:
        for status, body in pair.clients.ask_many(50):
            assert status == 200 and body["outputs"][0]["data"] == [3.0], body
        assert settled(pair.runtime, 50)["compared"] == 50
        assert metric(pair.runtime, "mldeck_shadow_difference_sum") == 100


def test_a_unit_is_copied_always_or_never():
    with Pair(share=30) as pair:
        units, each = 100, 6
        for k, unit in itertools.product(range(each), range(1, units + 1)):
            status, _ = pair.clients.ask({"Mldeck-Unit": f"user-{unit}"}, json.dumps(body_of([unit, k])))
            assert status == 200

        def copied():
            return collections.Counter(unit for request in list(pair.shadow.log) for unit in first_numbers(request))

        poll(lambda: metric(pair.runtime, "mldeck_shadows_waiting") == 0 and copied() and
             set(copied().values()) == {each})
        assert 8 <= len(copied()) <= 54, copied()  # five standard deviations around 30
        # The other server has answered before its answer is compared.
        poll(lambda: outcome(pair.runtime, "compared") == each * len(copied()))


def first_numbers(request):
    yield request.json()["inputs"][0]["data"][0]


def test_a_shadow_that_fails_harms_nobody():
    broken = (lambda request: answer(500, {"error": "no"}),
              lambda request: answer(200, b"nonsense"),
              lambda request: None)
    for how in broken:
        with Pair(how) as pair:
            for status, body in pair.clients.ask_many(20):
                assert status == 200 and body["outputs"][0]["data"] == [3.0], body
            assert settled(pair.runtime, 20) == {"compared": 0, "failed": 20, "dropped": 0}
            assert metric(pair.runtime, "mldeck_requests_total", 'outcome="error"') == 0
            # The shadow shows its errors, and its model has none.
            status = lambda: pair.runtime.json("status", "m")["models"][0]
            poll(lambda: [(v["version"], v["requests"], v["errors"]) for v in status()["per_version"]] ==
                 [(1, 20, 0), (2, 20, 20)])
            assert (status()["requests"], status()["errors"]) == (20, 0)


def test_a_shadow_that_hangs_holds_nobody_up():
    released = threading.Event()

    def hang(request):
        released.wait(DEADLINE_S)
        return honest(request)

    with Pair(hang, options=("--set", "shadows.queue=8", "--set", "shadows.timeout=1h", "--set",
                             "remote.timeout=10m")) as pair:
        # Each of these would wait for the shadow if anything of it were on its path: none is released before the end.
        answers = pair.clients.ask_many(200)
        assert all(status == 200 and body["outputs"][0]["data"] == [3.0] for status, body in answers)
        assert metric(pair.runtime, "mldeck_shadows_waiting") <= 8
        # Two threads ask, eight copies wait.
        assert outcome(pair.runtime, "dropped") == 190, outcomes(pair.runtime)
        released.set()
        assert settled(pair.runtime, 200) == {"compared": 10, "failed": 0, "dropped": 190}


def test_a_shadow_that_takes_too_long_is_given_up():
    ended = threading.Event()
    with Pair(lambda request: ended.wait(DEADLINE_S) and None, options=("--set", "shadows.timeout=100ms")) as pair:
        for status, _ in pair.clients.ask_many(6):
            assert status == 200
        counted = settled(pair.runtime, 6)
        assert counted["compared"] == 0 and counted["failed"] >= 1, counted
        ended.set()


def test_the_end_of_a_runtime_waits_for_no_shadow():
    ended = threading.Event()
    with Pair(lambda request: ended.wait(DEADLINE_S) and None, options=("--set", "shadows.timeout=1h", "--set",
                                                                        "remote.timeout=10m")) as pair:
        for status, _ in pair.clients.ask_many(20):
            assert status == 200
        poll(lambda: len(pair.shadow.log) >= 1)
        assert pair.runtime.stop() == 0, pair.runtime.read_log()
        ended.set()


def test_memory_for_copies_is_bounded():
    released = threading.Event()

    def hang(request):
        released.wait(DEADLINE_S)
        return honest(request)

    with Pair(hang, options=("--set", "shadows.bytes=64K", "--set", "shadows.timeout=1h", "--set",
                             "remote.timeout=10m")) as pair:
        large = json.dumps(body_of(*[[1, 2]] * 4000))
        assert pair.clients.ask(body=large)[0] == 200
        poll(lambda: len(pair.shadow.log) == 1)
        for _ in range(10):
            assert pair.clients.ask(body=large)[0] == 200
        assert metric(pair.runtime, "mldeck_shadows_memory_bytes") <= 65536
        assert outcome(pair.runtime, "dropped") == 10, outcomes(pair.runtime)
        released.set()
        assert settled(pair.runtime, 11)["compared"] == 1
        # Small ones find room again.
        assert pair.clients.ask()[0] == 200
        assert settled(pair.runtime, 12)["compared"] == 2


def test_the_route_changes_under_traffic():
    runtime = flights(100)
    runtime.run("deploy", MODEL, f"{FLIGHTS}/{MODEL}/v3.txt")
    ended, failures, versions = threading.Event(), [], collections.Counter()

    def traffic():
        clients = Clients(runtime, flight_rows())
        while not ended.is_set():
            status, body = clients.ask()
            if status != 200:
                failures.append(body)
            versions[body.get("model_version")] += 1

    threads = [threading.Thread(target=traffic) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for live, shadow in [(3, 1), (1, 2), (2, 3), (1, 3)]:
            runtime.run("shadow", MODEL, *(f"{entry['version']}=0" for entry in shadow_entries(runtime)), "--reason",
                        "ends")
            runtime.run("promote", MODEL, str(live), "--reason", "test")
            runtime.run("shadow", MODEL, f"{shadow}=100%", "--reason", "begins")
            before = outcome(runtime, "compared", shadow)
            poll(lambda: outcome(runtime, "compared", shadow) > before)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not failures and set(versions) <= {"1", "2", "3"}, (failures[:3], versions)
    poll(lambda: metric(runtime, "mldeck_shadows_waiting") == 0)
    assert metric(runtime, "mldeck_shadow_requests_total", 'outcome="failed"') == 0
    total = lambda: metric(runtime, "mldeck_shadow_requests_total")
    requests = sum(versions.values())
    assert total() <= requests
    status = runtime.json("status", MODEL)["models"][0]
    assert metric(runtime, "mldeck_requests_total") == requests, "copies are no requests"
    assert status["live"] == 1, status["live"]
    runtime.stop()


def shadow_entries(runtime):
    return [entry for entry in runtime.json("status", MODEL)["models"][0]["route"] if entry["role"] == "shadow"]


def test_a_restart_goes_on_copying():
    runtime = flights(100)
    runtime.infer(flight_rows())
    settled(runtime, 1)
    runtime.stop()
    runtime.start()
    assert [entry["version"] for entry in shadow_entries(runtime)] == [2]
    assert sum(outcomes(runtime).values()) == 0
    for _ in range(5):
        runtime.infer(flight_rows())
    assert settled(runtime, 5) == {"compared": 5, "failed": 0, "dropped": 0}
    runtime.stop()


def test_an_unload_does_not_wait_for_what_waits():
    released = threading.Event()

    def hang(request):
        released.wait(DEADLINE_S)
        return honest(request)

    with Pair(hang, options=("--set", "server.model_control=yes", "--set", "shadows.timeout=1h", "--set",
                             "remote.timeout=10m")) as pair:
        for status, _ in pair.clients.ask_many(30):
            assert status == 200
        poll(lambda: len(pair.shadow.log) == 2)
        done, asked = [], [200] * 30
        unload = threading.Thread(target=lambda: done.append(
            pair.runtime.request("POST", "/v2/repository/models/m/unload")[0].status))
        unload.start()
        poll(lambda: asked.append(pair.clients.ask()[0]) or asked[-1] == 503)
        released.set()
        unload.join(DEADLINE_S)
        assert done == [200], done
        # Nothing is waited for but the two that are under way.
        counted = settled(pair.runtime, asked.count(200))
        assert counted["compared"] == 2, counted


def test_a_shadow_takes_what_the_live_version_takes():
    runtime = Runtime()
    runtime.run("deploy", MODEL, f"{FLIGHTS}/{MODEL}/v1.txt")
    runtime.run("deploy", MODEL, "tests/fixtures/forest/edge_lgb_plain.txt")
    before = runtime.json("status", MODEL)["models"][0]
    done = runtime.command("shadow", MODEL, "2=50%", "--reason", "test")
    assert done.returncode == 3, (done.returncode, done.stderr)
    assert "v2 of flight-delay cannot be a shadow of v1, whose requests it does not take: it takes" in done.stderr, \
        done.stderr
    after = runtime.json("status", MODEL)["models"][0]
    assert (after["revision"], after["route"]) == (before["revision"], before["route"])
    assert "cannot be a shadow" in runtime.run("audit", MODEL)
    runtime.stop()


def test_bad_input_changes_nothing():
    runtime = flights(25)
    before = runtime.json("status", MODEL)["models"][0]["route"]
    for words, code in ((["1=50%"], 2), (["9=50%"], 4), (["2=101%"], 2), (["2"], 2), (["2=5%", "2=6%"], 2),
                        (["2=x"], 2), (["2=1.234%"], 2)):
        done = runtime.command("shadow", MODEL, *words, "--reason", "test")
        assert done.returncode == code, (words, done.returncode, done.stderr)
        assert done.stderr.count("\n") == 1, done.stderr
    assert runtime.command("shadow", MODEL, "2=30%").returncode == 2, "a change needs a reason"
    assert runtime.command("shadow", "nothing").returncode == 4
    done = runtime.run("shadow", MODEL, "2=30%", "--dry-run")
    assert "v1 100% v2 shadow 30%" in done and "Nothing was changed" in done, done
    assert runtime.json("status", MODEL)["models"][0]["route"] == before
    assert "the route is v1 100% " in runtime.run("shadow", MODEL, "2=0", "--reason", "it ends")
    assert "has no shadow" in runtime.run("shadow", MODEL)
    assert runtime.json("shadow", MODEL) == {"model": MODEL, "live": 1, "shadows": []}
    runtime.stop()


run_tests(globals())
