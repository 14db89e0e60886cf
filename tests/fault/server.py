"""Kill -9 of the real runtime at every point of core/fault.h that its commands come by, and at random times.

Each start looks at what the kill before it left: the audit is whole and holds what was kept of it, everything that a
command called done is there, and what serves is the newest revision.
"""
import http.client
import json
import os
import random
import re
import subprocess
import tempfile
import threading

from runtime import DEADLINE_S, FLIGHTS, Runtime, run_tests

# Those of A/B tests are come by in tests/fault/kill.sh.
POINTS = [p for p in re.findall(r"X\((\w+)\)", open("src/core/fault.h").read())
          if p != "name" and not p.startswith(("batch_", "look_"))]
ROUNDS = 2
RANDOM_KILLS = 8
MODEL = "flight-delay"


class Killed(Exception):
    """The runtime is gone."""


class Session:
    """One state directory over many lives of a runtime."""

    def __init__(self):
        self.state = tempfile.mkdtemp()
        self.head = None
        self.done = {}  # revision: route, as commands said
        self.rollouts = {}  # id: it, as commands said last
        self.versions = 0
        self.files = 0
        self.kills = 0

    def change(self, *words):
        done = self.runtime.command(*words, "--reason", "test", "--json")
        if done.returncode == 0:
            answer = json.loads(done.stdout)
            # That a rollout was paused is no revision of its own.
            self.done.setdefault(answer["revision"], answer.get("after"))
            if "rollout" in answer:
                self.rollouts[answer["rollout"]["id"]] = answer["rollout"]
            self.head = self.runtime.command("audit", "--head").stdout.strip() or self.head
            return
        # Nothing further back, it is so already, a rollout is open or is none: refused, not failed.
        if done.returncode not in (2, 3, 4):
            assert done.returncode == 5, done
            raise Killed(done.stderr)

    def deploy(self):
        """Another file each time: blanks behind the JSON."""
        path = f"{self.state}-model.json"
        with open("tests/fixtures/forest/x2_linear_json.json") as source, open(path, "w") as file:
            file.write(source.read() + " " * self.files)
        self.files += 1
        done = self.runtime.command("deploy", MODEL, path, "--json")
        if done.returncode != 0:
            assert done.returncode == 5, done
            raise Killed(done.stderr)
        self.versions = max(self.versions, json.loads(done.stdout)["version"])
        self.head = self.runtime.command("audit", "--head").stdout.strip() or self.head

    def work(self, chance):
        while self.versions < 3:
            self.deploy()
        for step in range(40):
            a, b = chance.sample(range(1, self.versions + 1), 2)
            kind = step % 6
            if kind == 0:
                self.change("promote", MODEL, str(a))
            elif kind == 1:
                self.change("split", MODEL, f"{a}=60", f"{b}=40")
            elif kind == 2:
                self.change("rollback", MODEL)
            elif kind == 3 and self.versions < 30:
                self.deploy()
            elif kind == 4:
                self.roll_out(str(b), chance)
            else:
                self.change("promote", MODEL, str(b))
        assert False, "the runtime outlived its fault"

    def roll_out(self, version, chance):
        self.change("rollout", MODEL, version, "--steps", "5,25,100", "--hold", "1h")
        for action in ["--pause", "--resume", "--skip"]:
            self.change("rollout", MODEL, action)
        # Else a rollback ends it, the next time round.
        if chance.randrange(2):
            self.change("rollout", MODEL, "--abort")

    def check_rollouts(self, routes):
        status, answer = self.runtime.control("GET", f"/control/v1/models/{MODEL}/rollouts?limit=1000")
        assert status == 200, answer
        found = {r["id"]: r for r in answer["rollouts"]}
        assert sum(r["state"] in ("running", "paused") for r in found.values()) <= 1
        for number, said in self.rollouts.items():
            assert number in found, f"rollout {number} was begun and is lost"
            assert found[number]["step"] >= said["step"], (said, found[number])
            if said["state"] not in ("running", "paused"):
                assert found[number]["state"] == said["state"], (said, found[number])
        for r in found.values():
            share = r["steps"][r["step"]]["weight_bp"] / 100
            if r["state"] in ("running", "paused", "done"):
                assert f"v{r['version']} {share:g}%" in routes[r["revision"]], (r, routes[r["revision"]])

    def check(self):
        runtime = self.runtime
        verify = ["audit", "--verify"] + (["--head", self.head] if self.head else [])
        assert runtime.json(*verify)["ok"] is True
        models = runtime.json("status")["models"]
        if not models:
            assert not self.done and not self.versions, "everything is lost"
            return
        revisions = runtime.json("history", MODEL, "--limit", "1000")["revisions"]
        routes = {r["revision"]: r["text"] for r in revisions}
        for revision, route in self.done.items():
            assert revision in routes, f"revision {revision} was done and is lost"
            assert route in (None, routes[revision]), (revision, route, routes[revision])
        self.check_rollouts(routes)
        versions = runtime.json("versions", MODEL)["versions"]
        assert len(versions) >= self.versions, "a version was deployed and is lost"
        self.versions = len(versions)
        assert models[0]["revision"] == revisions[0]["revision"], (models[0], revisions[0])
        routed = {e["version"] for e in revisions[0]["route"]["entries"] if e["role"] != "shadow"}
        rows = {"inputs": [{"name": i["name"], "shape": [1] + i["shape"][1:], "datatype": i["datatype"],
                            "data": [0.5] * i["shape"][1]}
                           for i in json.loads(runtime.request("GET", f"/v2/models/{MODEL}")[1])["inputs"]]}
        for _ in range(5):
            status, answer = runtime.infer(rows, f"/v2/models/{MODEL}/infer")
            assert status == 200 and int(answer["model_version"]) in routed, (status, answer, routed)

    def look(self, fault):
        """check(); the checkpoint of an open rollout may come by the fault meanwhile, and then the next life looks."""
        try:
            self.check()
        except (AssertionError, OSError, http.client.HTTPException, ValueError) as error:
            if not (fault or "").startswith("rollout_") or not self.ended():
                raise
            raise Killed("while it was looked at") from error

    def ended(self):
        try:
            return self.runtime.process.wait(1) == -9
        except subprocess.TimeoutExpired:
            return False

    def live(self, fault, chance):
        """One life: what is there is looked at, then there is work until the end."""
        os.environ.pop("MLDECK_FAULT", None)
        if fault:
            os.environ["MLDECK_FAULT"] = fault
        self.runtime = Runtime(state=self.state)
        os.environ.pop("MLDECK_FAULT", None)
        timer = threading.Timer(chance.random() * 0.5, self.runtime.process.kill)
        try:
            self.look(fault)
            if not fault:
                timer.start()
            self.work(chance)
        except Killed:
            self.runtime.process.wait(DEADLINE_S)
        assert self.runtime.process.returncode == -9, (fault, self.runtime.read_log())
        self.kills += 1


def test_killed_at_every_point_and_at_random():
    chance = random.Random(7)
    session = Session()
    for life in range(ROUNDS):
        for point in POINTS:
            session.live(f"{point}:{1 + chance.randrange(3)}", chance)
    for life in range(RANDOM_KILLS):
        session.live(None, chance)
    session.runtime = Runtime(state=session.state)
    session.check()
    session.runtime.stop()
    assert session.kills == ROUNDS * len(POINTS) + RANDOM_KILLS
    print(f"# {session.kills} kills, {len(session.done)} changes", flush=True)


run_tests(globals())
