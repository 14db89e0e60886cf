"""GET /metrics and the statistics of V2 under real traffic, and the Grafana dashboard on them.

promtool and prometheus (both of Prometheus' own package) judge the text and evaluate the dashboard; where they
are not installed, those tests are skipped.
"""
import collections
import http.client
import json
import math
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import urllib.parse

from runtime import DEADLINE_S, FLIGHTS, Runtime, Skip, poll, rows_body, run_tests

BUILD = os.environ["MLDECK_BUILD"]
DASHBOARD = "deploy/grafana/mldeck.json"
MODEL = "flight-delay"
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_0-9]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-z_0-9]+)="((?:[^"\\\n]|\\[\\"n])*)"')


def program(name):
    path = shutil.which(name, path=os.environ.get("MLDECK_PROMETHEUS", "") or "/nowhere")
    if path is None:
        raise Skip(f"{name} is not installed")
    return path


class Scrape:
    """One answer of /metrics, read by the rules of the text format."""

    def __init__(self, runtime):
        response, data = runtime.request("GET", "/metrics")
        assert response.status == 200, response.status
        assert response.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
        self.text = data.decode()
        self.types, self.samples = {}, {}
        family = None
        for line in self.text.split("\n")[:-1]:
            if line.startswith("# HELP "):
                family = line.split(" ")[2]
                assert family not in self.types, f"{family} twice"
            elif line.startswith("# TYPE "):
                _, _, name, self.types[family] = line.split(" ")
                assert name == family
            else:
                self.add(family, line)

    def add(self, family, line):
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        assert name.startswith(family), (family, line)
        key = (name, tuple(sorted(LABEL.findall(labels or ""))))
        assert key not in self.samples, f"twice: {line}"
        self.samples[key] = float(value)

    def value(self, name, **labels):
        return self.samples[(name, tuple(sorted(labels.items())))]

    def all(self, name):
        """(labels, value) of every sample."""
        return [(dict(key[1]), value) for key, value in self.samples.items() if key[0] == name]

    def check_histograms(self):
        """Buckets rise with le, and the last is the count; returns how many histograms there were."""
        count = 0
        for family in (name for name, kind in self.types.items() if kind == "histogram"):
            buckets = collections.defaultdict(list)
            for labels, value in self.all(family + "_bucket"):
                buckets[(labels["model"], labels["version"])].append((float(labels["le"]), value))
            for (model, version), edges in buckets.items():
                assert edges == sorted(edges) and [v for _, v in edges] == sorted(v for _, v in edges), edges
                assert len({le for le, _ in edges}) == len(edges), edges
                assert edges[-1][0] == float("inf")
                assert edges[-1][1] == self.value(family + "_count", model=model, version=version)
                count += 1
        return count


def deployed():
    runtime = Runtime()
    for file in ("v1.txt", "v2.ubj"):
        runtime.run("deploy", MODEL, f"{FLIGHTS}/{MODEL}/{file}", "--baseline", f"{FLIGHTS}/baseline.csv")
    runtime.run("split", MODEL, "1=60", "2=40", "--reason", "both are to be measured")
    return runtime


def shadowed():
    """The same with a shadow that gets a copy of all that the live version answers."""
    runtime = deployed()
    runtime.run("deploy", MODEL, f"{FLIGHTS}/{MODEL}/v3.txt")
    runtime.run("shadow", MODEL, "3=100%", "--reason", "it is to be measured")
    return runtime


def shadow_outcomes(scrape):
    return {labels["outcome"]: value for labels, value in scrape.all("mldeck_shadow_requests_total")}


def good_body():
    return json.load(open(f"{FLIGHTS}/infer.json"))


def stats_of(runtime, path):
    response, data = runtime.request("GET", path)
    assert response.status == 200, (path, response.status, data)
    return {(s["name"], s["version"]): s for s in json.loads(data)["model_stats"]}


def test_counts_agree_with_the_requests_sent():
    runtime = deployed()
    good = good_body()
    ok, refused, sums = collections.Counter(), 0, collections.Counter()
    rows = good["inputs"][0]["shape"][0]
    for i in range(60):
        status, answer = runtime.infer(good)
        assert status == 200, answer
        ok[answer["model_version"]] += 1
        sums[answer["model_version"]] += sum(answer["outputs"][0]["data"])
    for bad in ({}, {"inputs": []}, rows_body([[1.0] * 14])):
        assert runtime.infer(bad, f"/v2/models/{MODEL}/versions/1/infer")[0] == 400
        refused += 1
    runtime.infer(good, f"/v2/models/{MODEL}/versions/9/infer")  # reaches no version: counts nowhere
    assert set(ok) == {"1", "2"}, ok

    scrape = Scrape(runtime)
    assert scrape.check_histograms() == 4
    for version in "12":
        labels = {"model": MODEL, "version": version}
        value = lambda name, **more: scrape.value(name, **labels, **more)
        assert value("mldeck_requests_total", outcome="ok") == ok[version]
        assert value("mldeck_requests_total", outcome="refused") == (refused if version == "1" else 0)
        assert value("mldeck_requests_total", outcome="error") == 0
        assert value("mldeck_request_duration_seconds_count") == ok[version]
        assert 0 < value("mldeck_request_duration_seconds_sum") < DEADLINE_S
        assert value("mldeck_inference_rows_total") == ok[version] * rows
        assert value("mldeck_prediction_count") == ok[version] * rows
        assert abs(value("mldeck_prediction_sum") - sums[version]) < 1e-6
        assert value("mldeck_prediction_nan_total") == 0
        assert value("mldeck_version_ready") == 1
    assert scrape.value("mldeck_route_weight_ratio", model=MODEL, version="1") == 0.6
    assert scrape.value("mldeck_lost_samples_total") == 0

    everything = stats_of(runtime, "/v2/models/stats")
    assert everything == stats_of(runtime, f"/v2/models/{MODEL}/stats")
    assert set(everything) == {(MODEL, "1"), (MODEL, "2")}
    for version in "12":
        value = lambda name: scrape.value(name, model=MODEL, version=version)
        one = stats_of(runtime, f"/v2/models/{MODEL}/versions/{version}/stats")
        assert list(one) == [(MODEL, version)] and one[(MODEL, version)] == everything[(MODEL, version)]
        stats = one[(MODEL, version)]
        assert stats["inference_count"] == ok[version] * rows and stats["execution_count"] == ok[version]
        assert stats["inference_stats"]["success"]["count"] == ok[version]
        assert stats["inference_stats"]["success"]["ns"] / 1e9 == \
            scrape.value("mldeck_request_duration_seconds_sum", model=MODEL, version=version)
        parts = [stats["inference_stats"][part] for part in
                 ("queue", "compute_input", "compute_infer", "compute_output")]
        assert all(part["count"] == ok[version] for part in parts)
        assert all(part["ns"] > 0 for part in parts[1:]), parts
        assert sum(part["ns"] for part in parts) == stats["inference_stats"]["success"]["ns"]
        seconds = sum(value(f"mldeck_inference_{part}_seconds_total") for part in
                      ("queue", "input", "infer", "output"))
        assert math.isclose(seconds, value("mldeck_request_duration_seconds_sum"))
        assert stats["inference_stats"]["fail"] == {"count": 0, "ns": 0}
    for path in ("/v2/models/nothing/stats", f"/v2/models/{MODEL}/versions/9/stats",
                 f"/v2/models/{MODEL}/versions/x/stats"):
        response, data = runtime.request("GET", path)
        assert response.status == 404 and list(json.loads(data)) == ["error"], (path, data)
    assert "statistics" in json.loads(runtime.request("GET", "/v2")[1])["extensions"]

    status = runtime.json("status", MODEL)["models"][0]
    assert status["errors"] == 0, "the console shows the errors of the version, not its callers'"
    runtime.stop()


def test_copies_are_counted_apart():
    runtime = shadowed()
    rows = good_body()["inputs"][0]["shape"][0]
    live = 0
    for _ in range(60):
        status, answer = runtime.infer(good_body())
        assert status == 200 and answer["model_version"] in "12", answer
        live += answer["model_version"] == "1"
    assert 0 < live < 60
    poll(lambda: sum(shadow_outcomes(Scrape(runtime)).values()) == live)
    scrape = Scrape(runtime)
    assert shadow_outcomes(scrape) == {"compared": live, "failed": 0, "dropped": 0}
    assert scrape.check_histograms() == 6
    value = lambda name, **more: scrape.value(name, model=MODEL, version="3", **more)
    assert value("mldeck_shadow_rows_total") == live * rows
    assert value("mldeck_shadow_difference_count") == live * rows
    assert value("mldeck_shadow_incomparable_total") == 0
    assert value("mldeck_shadow_infer_seconds_total", of="live") > 0
    assert value("mldeck_shadow_infer_seconds_total", of="shadow") > 0
    assert value("mldeck_shadow_weight_ratio") == 1
    one, three = (runtime.infer(good_body(), f"/v2/models/{MODEL}/versions/{i}/infer")[1]["outputs"][0]["data"]
                  for i in (1, 3))
    sum_of_one = sum(abs(a - b) for a, b in zip(one, three))
    assert math.isclose(value("mldeck_shadow_difference_sum"), live * sum_of_one, rel_tol=1e-9)
    flips = sum((a >= 0.5) != (b >= 0.5) for a, b in zip(one, three))
    assert value("mldeck_shadow_flips_total") == live * flips

    # Nothing of it is the model's traffic: two were asked by number, of which none was copied.
    scrape = Scrape(runtime)
    ok = {labels["version"]: value for labels, value in scrape.all("mldeck_requests_total")
          if labels["outcome"] == "ok"}
    assert ok == {"1": live + 1, "2": 60 - live, "3": 1}, ok
    stats = stats_of(runtime, f"/v2/models/{MODEL}/stats")
    assert {v: s["execution_count"] for (_, v), s in stats.items()} == {"1": live + 1, "2": 60 - live, "3": 1}
    assert sum(shadow_outcomes(scrape).values()) == live
    # Counters outlive the shadow.
    runtime.run("promote", MODEL, "3", "--reason", "test")
    assert shadow_outcomes(Scrape(runtime))["compared"] == live
    runtime.stop()


def test_the_route_is_shown_as_it_is():
    runtime = deployed()
    role = lambda: {labels["version"]: labels["role"] for labels, _ in Scrape(runtime).all("mldeck_model_info")}
    assert role() == {"1": "live", "2": "canary"}
    before = Scrape(runtime).value("mldeck_route_revision", model=MODEL)
    runtime.run("promote", MODEL, "2", "--reason", "test")
    scrape = Scrape(runtime)
    assert role() == {"2": "live"}
    info = scrape.all("mldeck_model_info")[0][0]
    manifest = runtime.json("versions", MODEL)["versions"][1]["manifest"]
    assert (info["engine"], info["format"], info["sha256"]) == \
        (manifest["engine"], manifest["format"], manifest["sha256"])
    assert scrape.value("mldeck_route_revision", model=MODEL) == before + 1
    assert scrape.value("mldeck_route_weight_ratio", model=MODEL, version="2") == 1
    runtime.stop()


def predict_until(runtime, ended):
    """One client that predicts on one connection, until told to stop."""
    connection = http.client.HTTPConnection(runtime.host, runtime.port, timeout=DEADLINE_S)
    body = json.dumps(good_body())
    while not ended.is_set():
        connection.request("POST", f"/v2/models/{MODEL}/infer", body)
        connection.getresponse().read()
    connection.close()


class Traffic:
    def __init__(self, runtime, clients=3):
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=predict_until, args=(runtime, self.ended)) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def test_counters_never_fall_and_every_scrape_is_consistent():
    runtime = deployed()
    traffic = Traffic(runtime)
    try:
        before, ok = Scrape(runtime), 0
        for i in range(60):
            if i % 20 == 10:
                runtime.run("promote", MODEL, str(1 + i // 20 % 2), "--reason", "counters outlive it")
            scrape = Scrape(runtime)
            scrape.check_histograms()
            growing = {key for key in before.samples
                       if before.types.get(key[0]) == "counter" or re.search("_(bucket|count|sum)$", key[0])}
            assert growing <= set(scrape.samples), growing - set(scrape.samples)
            for key in growing:
                assert scrape.samples[key] >= before.samples[key], key
            ok = max(ok, sum(v for labels, v in scrape.all("mldeck_requests_total") if labels["outcome"] == "ok"))
            before = scrape
        assert ok > 0
    finally:
        traffic.stop()
    runtime.stop()


def test_another_server_is_counted():
    far, near = deployed(), Runtime()
    near.run("deploy", "near", f"http://{far.host}:{far.port}/v2/models/{MODEL}/versions/1")
    labels = {"model": "near", "version": "1"}
    for _ in range(5):
        status, answer = near.infer(good_body(), "/v2/models/near/infer")
        assert status == 200, (status, answer)
    scrape = Scrape(near)
    assert scrape.value("mldeck_requests_total", outcome="ok", **labels) == 5
    assert scrape.value("mldeck_remote_answers_total", kind="ok", **labels) == 5
    assert scrape.value("mldeck_remote_answers_total", kind="upstream", **labels) == 0
    # The deploy's own connection is kept and used again.
    assert scrape.value("mldeck_remote_connections_total", **labels) <= 1
    assert scrape.value("mldeck_remote_in_flight", **labels) == 0
    assert scrape.value("mldeck_version_ready", **labels) == 1
    far.stop()
    status, answer = near.infer(good_body(), "/v2/models/near/infer")
    assert status == 502, (status, answer)
    scrape = Scrape(near)
    assert scrape.value("mldeck_requests_total", outcome="error", **labels) == 1
    assert scrape.value("mldeck_requests_total", outcome="refused", **labels) == 0
    assert scrape.value("mldeck_remote_answers_total", kind="upstream", **labels) == 1
    assert scrape.value("mldeck_version_ready", **labels) == 0
    if shutil.which("promtool", path=os.environ.get("MLDECK_PROMETHEUS", "") or "/nowhere"):
        assert promtool_check(scrape.text) == (0, ""), promtool_check(scrape.text)
    near.stop()


def promtool_check(text):
    done = subprocess.run([program("promtool"), "check", "metrics"], input=text, capture_output=True, text=True,
                          timeout=DEADLINE_S)
    return done.returncode, done.stdout + done.stderr


def test_promtool_is_content():
    program("promtool")
    runtime = deployed()
    assert promtool_check(Scrape(runtime).text) == (0, ""), "before the first request"
    for _ in range(10):
        runtime.infer(good_body())
    text = Scrape(runtime).text
    assert promtool_check(text) == (0, ""), promtool_check(text)
    runtime.stop()
    hostile = subprocess.run([f"{BUILD}/tests/tools/metrics_dump"], capture_output=True, text=True, check=True).stdout
    assert '\\"' in hostile and "\\\\" in hostile and "\\n" in hostile and "\x1b" not in hostile
    assert promtool_check(hostile) == (0, ""), promtool_check(hostile)
    # The judge does judge.
    assert promtool_check(text.replace("# HELP mldeck_requests_total", "# HELP x"))[0] != 0
    assert promtool_check(text.replace("mldeck_requests_total", "mldeck_requests"))[0] != 0


def test_every_metric_is_documented():
    with open("docs/METRICS.md") as file:
        rows = [line.split("|")[1] for line in file if line.startswith("| `")]
    documented = set(re.findall(r"`([a-z_]+)`", " ".join(rows)))
    runtime = shadowed()
    runtime.run("policy", MODEL, "capture_rows=10", "--reason", "its rows are to be measured")
    runtime.infer(good_body())
    exported = set(Scrape(runtime).types)
    runtime.stop()
    # What another server answers is in test_another_server_is_counted, rollouts and their alerts in rollouts.py.
    elsewhere = ("mldeck_remote_", "mldeck_rollout", "mldeck_alerts_")
    missing = {name for name in documented - exported if not name.startswith(elsewhere)}
    assert not missing, missing
    assert exported <= documented, exported - documented


def dashboard():
    with open(DASHBOARD) as file:
        return json.load(file)


def expressions():
    """Every PromQL expression of the dashboard, with its variables set to what matches all."""
    board = dashboard()
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    found += [annotation["expr"] for annotation in board["annotations"]["list"]]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            found.append(re.fullmatch(r"label_values\((.*), [a-z]+\)", variable["definition"]).group(1))
    names = [v["name"] for v in board["templating"]["list"]]
    for i, text in enumerate(found):
        for name in names:
            text = text.replace(f"${name}", ".*")
        found[i] = text.replace("$__rate_interval", "10s")
        assert "$" not in found[i], f"an unknown variable in {found[i]}"
    return found


def test_the_dashboard_asks_only_for_what_is_exported():
    runtime = shadowed()
    for _ in range(4):
        runtime.infer(good_body())
    exported = {key[0] for key in Scrape(runtime).samples}
    used = {name for text in expressions() for name in re.findall(r"\b(?:mldeck|process)_[a-z_0-9]+", text)}
    assert used and used <= exported, used - exported
    runtime.stop()


def test_the_dashboard_is_well_formed():
    board = dashboard()
    assert board["schemaVersion"] >= 38 and board["uid"] == "mldeck"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    places = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & places and at["x"] + at["w"] <= 24, f"{panel['title']} lies on another panel"
        places |= cells
        assert panel["type"] == "row" or panel["targets"], panel["title"]


def test_every_expression_of_the_dashboard_is_promql():
    promtool = program("promtool")
    rules = {"groups": [{"name": "dashboard", "rules": [
        {"record": f"dashboard:expression:{i}", "expr": text} for i, text in enumerate(expressions())]}]}
    path = os.path.join(tempfile.mkdtemp(), "rules.yml")
    with open(path, "w") as file:
        json.dump(rules, file)  # JSON is YAML
    done = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0 and f"{len(expressions())} rules found" in done.stdout, done.stdout + done.stderr


class Prometheus:
    """A Prometheus that scrapes one runtime every second."""

    def __init__(self, runtime):
        folder = tempfile.mkdtemp()
        config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [
            {"job_name": "mldeck", "static_configs": [{"targets": [f"{runtime.host}:{runtime.port}"]}]}]}
        with open(f"{folder}/prometheus.yml", "w") as file:
            json.dump(config, file)
        self.log_path = f"{folder}/log"
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(
                [program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 "--web.listen-address=127.0.0.1:0", "--log.format=json"], stdout=log, stderr=log)
        poll(lambda: self.process.poll() is not None or self.find_port())
        assert self.process.poll() is None, open(self.log_path).read()[-400:]
        poll(self.is_ready)

    def find_port(self):
        """The port that the system chose; before that, 0 is what was asked for."""
        self.port = max([0, *map(int, re.findall(r"127\.0\.0\.1:(\d+)", open(self.log_path).read()))])
        return self.port > 0

    def is_ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        connection.request("GET", path)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, text):
        """The series that have a number now."""
        series = self.get("/api/v1/query?" + urllib.parse.urlencode({"query": text}))["result"]
        return [one for one in series if math.isfinite(float(one["value"][1]))]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE_S)


def test_prometheus_fills_every_panel():
    program("prometheus")
    runtime = shadowed()
    prometheus = Prometheus(runtime)
    traffic = Traffic(runtime, 1)
    try:
        # What happens seldom has no data until it does.
        seldom = {text for text in expressions() if "changes(" in text}
        for text in expressions():
            if text not in seldom:
                poll(lambda: prometheus.query(text))
        targets = prometheus.get("/api/v1/targets")["activeTargets"]
        assert [t["health"] for t in targets] == ["up"], targets
        runtime.run("shadow", MODEL, "3=50%", "--reason", "a revision")
        for text in seldom:
            poll(lambda: prometheus.query(text))
    finally:
        prometheus.stop()
        traffic.stop()
    runtime.stop()


run_tests(globals())
