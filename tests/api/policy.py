"""Policies and gates through the commands: what is refused and passes, force, a second person, the group that is let in.

What another user does needs root, and the users and groups that systems have: daemon, nobody.
"""
import grp
import json
import os
import pwd
import random
import shutil
import stat
import subprocess
import tempfile
import threading

from runtime import DEADLINE_S, FLIGHTS, MLDECK, Runtime, Skip, poll, rows_body, run_tests

MODEL = "flight-delay"
ROW = [float(i) for i in range(15)]


def refused(done, code, *words):
    assert done.returncode == code, f"exit {done.returncode}: {done.stdout} {done.stderr}"
    text = done.stdout + done.stderr
    for word in words:
        assert word in text, f"no {word!r} in {text!r}"


def serving(**options):
    runtime = Runtime(**options)
    runtime.deploy_flights()
    return runtime


def gates(runtime, *words):
    """The findings of a dry run by their names, whether or not they refuse."""
    done = runtime.command(*words, "--dry-run", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode == 0) == ("error" not in answer), done
    return {gate["name"]: gate for gate in answer["gates"]}


def live(runtime):
    return runtime.json("status", MODEL)["models"][0]["live"]


def set_policy(runtime, *settings):
    return runtime.json("policy", MODEL, *settings, "--reason", "be careful")


def ask(runtime, count):
    for _ in range(count):
        status, answer = runtime.infer(rows_body([ROW]))
        assert status == 200, answer


# --- one gate after the other ---

def test_a_model_without_a_policy_asks_for_nothing():
    runtime = serving()
    found = gates(runtime, "promote", MODEL, "2")
    assert set(found) == {"ready", "signature"}, found
    assert all(gate["verdict"] == "pass" for gate in found.values())
    policy = runtime.json("policy", MODEL)
    assert policy["number"] == 0 and policy["approvals"] == []
    assert [row["name"] for row in policy["rows"]][:2] == ["promoters", "second_person"]
    assert all(row["value"] == row["default"] for row in policy["rows"])
    runtime.run("promote", MODEL, "2", "--reason", "better")
    runtime.stop()


def test_min_age_holds_up_until_it_is_unset():
    runtime = serving()
    answer = set_policy(runtime, "min_age=1h")
    assert answer["number"] == 1 and answer["policy"]["min_age"] == "1h" and answer["before"]["min_age"] == "0"
    refused(runtime.command("promote", MODEL, "2", "--reason", "x"), 1, "min_age", "has to be 1h old",
            "v1 100%", "v2 100%", "Nothing was changed", f"mldeck promote {MODEL} 2 --expect-revision 1")
    refused(runtime.command("split", MODEL, "1=90", "2=10", "--reason", "x"), 1, "min_age")
    assert live(runtime) == 1
    gate = gates(runtime, "promote", MODEL, "2")["min_age"]
    assert gate["verdict"] == "wait" and gate["threshold"] == 3600 and 0 <= gate["value"] < 3600
    runtime.run("policy", MODEL, "--unset", "min_age", "--reason", "in a hurry")
    runtime.run("promote", MODEL, "2", "--reason", "better")
    assert live(runtime) == 2
    runtime.stop()


def test_another_signature_is_refused():
    runtime = serving()
    runtime.run("deploy", "other", f"{FLIGHTS}/flight-delay/v1.txt")
    runtime.run("deploy", "other", "tests/fixtures/forest/" + other_forest())
    refused(runtime.command("promote", "other", "2", "--reason", "x"), 1, "signature", "is not called like v1")
    runtime.run("policy", "other", "same_signature=no", "--reason", "callers know")
    runtime.run("promote", "other", "2", "--reason", "x")
    runtime.stop()


def other_forest():
    for name in sorted(os.listdir("tests/fixtures/forest")):
        if name.endswith(".txt"):
            return name
    raise Skip("there is no other forest")


def test_results_are_listed_shown_and_compared():
    runtime = serving()
    path = f"/control/v1/models/{MODEL}/tests"
    runtime.run("tested", MODEL, "2", "benchmark", "--passed", "--reason", "build 812")
    for rows, passed in ((3, False), (5, True)):
        report = {"rows": rows, "mean": {"shift": rows / 2}, "findings": [
            {"name": "rows", "verdict": "pass" if passed else "fail", "text": f"{rows} looked at"}]}
        status, answer = runtime.control("POST", path, json.dumps(
            {"kind": "differential", "version": 2, "passed": passed, "summary": f"{rows} rows", "report": report}))
        assert status == 200 and answer["against"] == 1 and answer["id"] == (2 if rows == 3 else 3), answer
    found = runtime.json("tests", MODEL)["tests"]
    assert [(test["id"], test["kind"], test["passed"]) for test in found] == [
        (3, "differential", True), (2, "differential", False), (1, "benchmark", True)]
    assert all("report" not in test for test in found)
    assert len(runtime.json("tests", MODEL, "--kind", "benchmark", "--version", "2")["tests"]) == 1
    assert runtime.json("tests", MODEL, "--version", "3")["tests"] == []
    assert runtime.json("tests", MODEL, "1")["report"] is None
    assert runtime.json("tests", MODEL, "2")["report"]["mean"] == {"shift": 1.5}
    two = runtime.run("tests", MODEL, "2", "3")
    assert any(line.split() == ["mean.shift", "1.5", "2.5"] for line in two.splitlines()), two
    assert "fail: 3 looked at" in two and "pass: 5 looked at" in two, two
    refused(runtime.command("tests", MODEL, "9"), 4, f"{MODEL} has no test 9")
    refused(runtime.command("tests", MODEL, "x"), 2, "number of a test")
    refused(runtime.command("tests", MODEL, "--kind", "vibes"), 2, "there is no test `vibes`")
    status, answer = runtime.control("POST", path, json.dumps(
        {"kind": "differential", "version": 2, "passed": True, "report": [1]}))
    assert status == 400 and "report" in answer["error"], answer
    # The report of another test would open a gate that its own result does not.
    for report, field in (
            ({"passed": False}, "passed"), ({"version": 1}, "version"), ({"against": 2}, "against"),
            ({"kind": "stress"}, "kind"), ({"model": "other"}, "model"), ({"verdict": "inconclusive"}, "passed"),
            ({"findings": [{"name": "rows", "verdict": "fail", "text": "half of them differ"}]}, "passed")):
        status, answer = runtime.control("POST", path, json.dumps(
            {"kind": "differential", "version": 2, "against": 1, "passed": True, "summary": "", "report": report}))
        assert status == 400 and field in answer["error"], (report, answer)
    assert len(runtime.json("tests", MODEL)["tests"]) == 3
    check_snapshots_of_tests(runtime)
    runtime.stop()


def check_snapshots_of_tests(runtime):
    """The same three results, as a console gets them."""
    def snapshot(query, status=200):
        got, answer = runtime.control("GET", f"/control/v1/snapshot?{query}")
        assert got == status, answer
        return answer
    assert "tests" not in snapshot("") and "reports" not in snapshot("")
    assert [test["id"] for test in snapshot("tests=2")["tests"]] == [3, 2]
    newest = snapshot(f"tests=200&detail={MODEL}")["tests"][0]
    assert (newest["verdict"], newest["model"], newest["against"]) == ("pass", MODEL, 1) and newest["who"], newest
    first, before = snapshot("test=3")["reports"]
    assert (first["id"], first["before"], before["id"], before["before"]) == (3, False, 2, True)
    assert {"name": "mean.shift", "text": "2.5", "value": 2.5} in first["figures"], first
    assert [report["id"] for report in snapshot("test=3&with=1")["reports"]] == [3, 1]
    assert snapshot("test=1")["reports"][0]["findings"] == []
    assert snapshot("test=99")["reports"] == [{"id": 99, "missing": True}]
    assert "with" in snapshot("with=3", 400)["error"]
    assert "tests" in snapshot("tests=201", 400)["error"]
    assert "fail: 3" not in runtime.run("snapshot", "tests") and "differential" in runtime.run("snapshot", "tests")
    shown = runtime.run("snapshot", "test", "--model", MODEL, "--size", "100x40")
    assert "test 3" in shown and "last time, test 2" in shown and "mean.shift" in shown, shown
    assert "TEST 1" in runtime.run("snapshot", "test", "--test", "3", "--with", "1")
    refused(runtime.command("snapshot", "test", "--test", "9"), 4, "there is no test 9")
    refused(runtime.command("snapshot", "test", "--test", "3", "--with", "3"), 2, "the same test")


def test_tests_must_have_passed_for_the_pair():
    runtime = serving()
    set_policy(runtime, "tests=differential:7d benchmark")
    refused(runtime.command("promote", MODEL, "2", "--reason", "x"), 1, "there is no differential test of v2 against v1")
    runtime.run("tested", MODEL, "2", "differential", "--passed", "--reason", "build 812")
    runtime.run("tested", MODEL, "2", "benchmark", "--failed", "--reason", "1.4 times as slow")
    gate = gates(runtime, "promote", MODEL, "2")["tests"]
    assert gate["verdict"] == "fail" and gate["value"] == 1 and gate["threshold"] == 2
    assert "1.4 times as slow" in gate["text"]
    assert gates(runtime, "promote", MODEL, "3")["tests"]["verdict"] == "wait"
    runtime.run("tested", MODEL, "2", "benchmark", "--passed", "--reason", "build 813")
    runtime.run("promote", MODEL, "2", "--reason", "tested")
    # The pair is another one now.
    assert gates(runtime, "promote", MODEL, "1")["tests"]["verdict"] == "wait"
    refused(runtime.command("tested", MODEL, "3", "vibes", "--passed", "--reason", "x"), 2, "there is no test `vibes`")
    refused(runtime.command("tested", MODEL, "2", "differential", "--passed", "--reason", "x"), 3, "would be both")
    alone = runtime.run("tested", MODEL, "2", "stress", "--passed", "--reason", "2k/s")
    assert alone.startswith(f"{MODEL}: the stress test of v2 passed."), alone
    refused(runtime.command("tested", MODEL, "9", "stress", "--passed", "--reason", "x"), 4, "no version 9")
    refused(runtime.command("tested", MODEL, "3", "stress", "--reason", "x"), 2, "--passed or --failed")
    runtime.stop()


def test_a_canary_answers_first():
    runtime = serving()
    set_policy(runtime, "canary_requests=20")
    refused(runtime.command("promote", MODEL, "2", "--reason", "x"), 1, "canary", "does not serve beside v1")
    runtime.run("split", MODEL, "1=50", "2=50", "--reason", "try it")
    seen = gates(runtime, "promote", MODEL, "2")
    assert seen["canary"]["verdict"] == "wait" and seen["canary"]["n"] == 0 and seen["canary"]["n_needed"] == 20
    assert seen["error_rate"]["verdict"] == "wait"

    def enough():
        ask(runtime, 10)
        return gates(runtime, "promote", MODEL, "2")["canary"]["n"] >= 20
    poll(enough)
    runtime.run("promote", MODEL, "2", "--reason", "it works")
    assert live(runtime) == 2
    runtime.stop()


def test_a_shadow_is_compared_first():
    runtime = serving()
    set_policy(runtime, "shadow_requests=10", "shadow_flips_max=100%", "shadow_difference_max=1")
    refused(runtime.command("split", MODEL, "1=90", "2=10", "--reason", "x"), 1, "v2 was not compared with v1")
    runtime.run("shadow", MODEL, "2=100", "--reason", "look at it")

    def compared():
        ask(runtime, 5)
        return gates(runtime, "split", MODEL, "1=90", "2=10")["shadow"]["n"] >= 10
    poll(compared)
    set_policy(runtime, "shadow_difference_max=0")
    gate = gates(runtime, "split", MODEL, "1=90", "2=10")["shadow"]
    assert gate["verdict"] == "fail" and gate["threshold"] == 0 and gate["value"] > 0, gate
    set_policy(runtime, "shadow_difference_max=1")
    runtime.run("split", MODEL, "1=90", "2=10", "--reason", "close enough")
    # Admitted once, it is not asked again when its share grows.
    runtime.run("split", MODEL, "1=50", "2=50", "--reason", "more")
    runtime.stop()


# --- force ---

def test_force_is_marked_for_ever():
    runtime = serving()
    set_policy(runtime, "min_age=30d", "canary_requests=100")
    refused(runtime.command("promote", MODEL, "2", "--force"), 2, "needs --reason")
    refused(runtime.command("promote", MODEL, "2", "--force", "--reason", "  "), 2, "needs --reason")
    found = gates(runtime, "promote", MODEL, "2", "--force")
    assert found["min_age"]["forced"] and found["canary"]["forced"] and not found["ready"]["forced"]
    out = runtime.run("promote", MODEL, "2", "--force", "--reason", "v1 answers nonsense")
    assert "Forced" in out and "min_age, canary" in out, out
    runtime.run("rollback", MODEL, "--reason", "it was the network")
    revisions = runtime.json("history", MODEL)["revisions"]
    assert [r["forced"] for r in revisions] == [False, True, False], revisions
    records = [r for r in runtime.json("audit", MODEL)["records"] if r["action"] == "promote"]
    assert records[0]["forced"] and records[0]["reason"] == "v1 answers nonsense"
    data = records[0]["data"]
    evidence = json.dumps(data) if not isinstance(data, str) else data
    assert "min_age" in evidence and "wait" in evidence, evidence
    # A change that needs no force is not marked, whatever was typed.
    runtime.run("policy", MODEL, "--unset", "min_age", "--unset", "canary_requests", "--reason", "x")
    runtime.run("promote", MODEL, "3", "--force", "--reason", "in doubt")
    assert not runtime.json("history", MODEL)["revisions"][0]["forced"]
    runtime.stop()
    runtime.start()
    assert [r["forced"] for r in runtime.json("history", MODEL)["revisions"]] == [False, False, True, False]
    runtime.stop()


# --- policies ---

def test_policies_that_can_never_hold_are_refused():
    runtime = serving()
    cases = [
        (("second_person=yes", "promoters=root"), "root is the only promoter"),
        (("promoters=nobody-of-that-name",), "whom this system does not have"),
        (("promoters=@no-such-group",), "which this system does not have"),
        (("tests=vibes",), "there is no test `vibes`"),
        (("tests=stress:0",), "ages of tests from 1s"),
        (("p99_ratio_max=0",), "p99_ratio_max is from 0.1 to 1000"),
        (("shadow_difference_max=0.1",), "demands nothing without shadow_requests"),
        (("speed=1",), "a policy has no setting `speed`"),
        (("min_age",), "is no setting"),
        (("min_age=1h", "min_age=2h"), "min_age is there twice"),
    ]
    if os.geteuid() == 0:
        cases += [(("second_person=yes",), "one promoter only is let in"),
                  (("second_person=yes", "promoters=root @root"), "one promoter only is let in"),
                  (("promoters=daemon nobody",), "none of daemon nobody is let in")]
    for settings, sentence in cases:
        for more in (["--dry-run"], ["--reason", "x"]):
            refused(runtime.command("policy", MODEL, *settings, *more), 2, sentence)
    refused(runtime.command("policy", MODEL, "min_age=1h"), 2, "needs --reason")
    refused(runtime.command("policy", "nothing", "min_age=1h", "--reason", "x"), 4, "nothing")
    assert runtime.json("policy", MODEL)["number"] == 0
    runtime.stop()


def test_a_stale_number_is_a_conflict():
    runtime = serving()
    set_policy(runtime, "min_age=1h")
    refused(runtime.command("policy", MODEL, "min_age=2h", "--expect-number", "0", "--reason", "x"), 3,
            "is number 1, set by")
    refused(runtime.command("policy", MODEL, "min_age=2h", "--expect-number", "0", "--dry-run"), 3, "is number 1")
    refused(runtime.command("policy", MODEL, "min_age=1h", "--reason", "x"), 3, "already is so")
    runtime.run("policy", MODEL, "no_alerts=yes", "--expect-number", "1", "--reason", "x")
    # A dry run shows and keeps nothing.
    answer = json.loads(runtime.run("policy", MODEL, "min_age=3h", "--dry-run", "--json"))
    assert answer["dry_run"] and answer["policy"]["min_age"] == "3h"
    assert runtime.json("policy", MODEL)["policy"]["min_age"] == "1h"
    runtime.stop()


def test_settings_that_others_change_meanwhile_stay():
    runtime = serving()
    settings = ["min_age=1h", "no_alerts=yes", "drift_max=0.3", "canary_requests=9", "error_margin=1%", "p99_ratio_max=3"]
    threads = [threading.Thread(target=set_policy, args=(runtime, one)) for one in settings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    policy = runtime.json("policy", MODEL)
    assert policy["number"] == len(settings)
    for setting in settings:
        name, value = setting.split("=")
        assert policy["policy"][name] == value, policy["policy"]
    runtime.stop()


def test_what_was_answered_survives_a_kill():
    runtime = serving()
    number = 0
    for _ in range(8):
        stop = threading.Event()

        def change():
            while not stop.is_set():
                done = runtime.command("policy", MODEL, f"min_age={random.randrange(1, 10 ** 6)}s", "--json",
                                       "--reason", "again")
                if done.returncode == 0:
                    answered.append(json.loads(done.stdout))

        answered = []
        thread = threading.Thread(target=change)
        thread.start()
        wanted = random.randrange(1, 6)
        poll(lambda: len(answered) >= wanted)
        runtime.process.kill()
        runtime.process.wait()
        stop.set()
        thread.join()
        runtime.start()
        policy = runtime.json("policy", MODEL)
        last = answered[-1]
        # At most one more was written, and not answered any more.
        assert policy["number"] in (last["number"], last["number"] + 1), (policy["number"], last["number"])
        if policy["number"] == last["number"]:
            assert policy["policy"] == last["policy"]
        done = [r for r in runtime.json("audit", MODEL, "--limit", "1000")["records"]
                if r["action"] == "policy" and r["outcome"] == "done"]
        assert len(done) == policy["number"]
        # The snapshot that consoles draw agrees with it.
        seen = runtime.json("status", MODEL)["models"][0].get("policy")
        if seen is not None:
            assert seen["min_age"] == policy["policy"]["min_age"], seen
        number = policy["number"]
    assert number >= 8
    runtime.stop()


# --- other people ---

class Shared(Runtime):
    """A runtime that the group daemon is let in to, in a folder that everybody can look into."""

    def __init__(self, group="daemon"):
        if os.geteuid() != 0:
            raise Skip("only root can act as other users")
        try:
            pwd.getpwnam("daemon"), pwd.getpwnam("nobody"), grp.getgrnam("daemon")
        except KeyError:
            raise Skip("the system has no daemon or nobody")
        self.folder = tempfile.mkdtemp(dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.socket = f"{self.folder}/control/s"
        # The checkout may be closed to others.
        self.program = shutil.copy(MLDECK, f"{self.folder}/mldeck")
        os.chmod(self.program, 0o755)
        os.chmod(os.path.join(self.folder), 0o755)
        options = ["--socket", self.socket] + (["--set", f"control.group={group}"] if group else [])
        super().__init__(options=options)
        self.deploy_flights()

    def command(self, *words):
        return super().command(*words, "--socket", self.socket)

    def as_user(self, name, *words):
        user = pwd.getpwnam(name)

        def become():
            os.initgroups(name, user.pw_gid)
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        return subprocess.run([self.program, *words, "--socket", self.socket], capture_output=True, text=True, cwd="/",
                              stdin=subprocess.DEVNULL, timeout=DEADLINE_S, preexec_fn=become,
                              env={"PATH": "/usr/bin:/bin", "HOME": "/", "ASAN_OPTIONS": "detect_leaks=0"})

    def end(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_members_of_the_group_are_let_in():
    runtime = Shared()
    assert mode(runtime.socket) == 0o660 and mode(f"{runtime.folder}/control") == 0o750
    assert os.stat(runtime.socket).st_gid == grp.getgrnam("daemon").gr_gid
    done = runtime.as_user("daemon", "promote", MODEL, "2", "--reason", "as another user")
    assert done.returncode == 0, done
    assert runtime.json("history", MODEL)["revisions"][0]["who"] == "daemon"
    assert runtime.as_user("nobody", "status").returncode in (5, 6)
    # Started anew on the folder that it made.
    runtime.stop()
    runtime.start()
    assert runtime.as_user("daemon", "status").returncode == 0
    runtime.end()


def test_others_are_refused_and_recorded_once():
    runtime = Shared()
    os.chmod(f"{runtime.folder}/control", 0o755)
    os.chmod(runtime.socket, 0o666)
    for _ in range(20):
        refused(runtime.as_user("nobody", "promote", MODEL, "2", "--reason", "x"), 6,
                "nobody is neither the owner of this runtime, nor root, nor in the group daemon")
    records = [r for r in runtime.json("audit", "--limit", "1000")["records"] if r["who"] == "nobody"]
    assert len(records) == 1 and records[0]["action"] == "connect" and records[0]["outcome"] == "denied", records
    assert live(runtime) == 1
    runtime.end()


def test_without_a_group_only_the_owner_is_let_in():
    runtime = Shared(group=None)
    assert mode(runtime.socket) == 0o600 and mode(f"{runtime.folder}/control") == 0o700
    os.chmod(f"{runtime.folder}/control", 0o755)
    os.chmod(runtime.socket, 0o666)
    refused(runtime.as_user("daemon", "status"), 6, "daemon is neither the owner of this runtime nor root")
    runtime.end()


def test_groups_that_cannot_be_let_in_stop_the_start():
    state = tempfile.mkdtemp()
    for words, sentence in ((["--set", "control.group=no-such-group", "--socket", f"{state}/../s/s"],
                             "this system has no group `no-such-group`"),
                            (["--set", "control.group=daemon"], "nobody else can reach the socket in the state directory")):
        done = subprocess.run([MLDECK, "serve", "--listen", "127.0.0.1:0", "--state", state, *words],
                              capture_output=True, text=True, timeout=DEADLINE_S)
        refused(done, 2, sentence)


def test_only_promoters_promote_and_everybody_goes_back():
    runtime = Shared()
    set_policy(runtime, "promoters=root")
    for words in (("promote", MODEL, "2"), ("split", MODEL, "1=90", "2=10"), ("shadow", MODEL, "2=10")):
        done = runtime.as_user("daemon", *words, "--reason", "x")
        refused(done, 6, "daemon may not promote; root may")
        refused(runtime.as_user("daemon", *words, "--force", "--reason", "x"), 6, "daemon may not promote")
        refused(runtime.as_user("daemon", *words, "--dry-run"), 6, "daemon may not promote")
    denied = [r for r in runtime.json("audit", MODEL)["records"] if r["outcome"] == "denied"]
    assert len(denied) == 6 and all(r["who"] == "daemon" for r in denied)
    refused(runtime.as_user("daemon", "policy", MODEL, "--unset", "promoters", "--reason", "x"), 6,
            f"daemon may not change the policy of {MODEL}; root may")
    refused(runtime.as_user("daemon", "approve", MODEL, "2", "--reason", "x"), 6, "may not approve")
    runtime.run("split", MODEL, "1=90", "2=10", "--reason", "try it")
    runtime.run("shadow", MODEL, "3=10", "--reason", "look at it")
    for words in (("shadow", MODEL, "3=0"), ("split", MODEL, "1=100", "2=0")):
        done = runtime.as_user("daemon", *words, "--reason", "end it")
        assert done.returncode == 0, done
    runtime.run("promote", MODEL, "2", "--reason", "better")
    assert runtime.as_user("daemon", "rollback", MODEL, "--reason", "worse").returncode == 0
    assert live(runtime) == 1
    # A rollout, too: others hold and end it, and never bring it on.
    runtime.run("rollout", MODEL, "2", "--steps", "1,50,100", "--hold", "1h", "--reason", "slowly")
    refused(runtime.as_user("daemon", "rollout", MODEL, "--skip", "--reason", "x"), 6, "daemon may not bring", "root may")
    assert runtime.as_user("daemon", "rollout", MODEL, "--pause", "--reason", "wait").returncode == 0
    refused(runtime.as_user("daemon", "rollout", MODEL, "--resume", "--reason", "x"), 6, "daemon may not bring")
    assert runtime.json("audit", MODEL)["records"][0]["outcome"] == "denied"
    assert runtime.as_user("daemon", "rollout", MODEL, "--abort", "--reason", "no").returncode == 0
    set_policy(runtime, "promoters=@daemon")
    assert runtime.as_user("daemon", "promote", MODEL, "2", "--reason", "in the group").returncode == 0
    refused(runtime.command("promote", MODEL, "3", "--reason", "x"), 6, "root may not promote; @daemon may")
    runtime.end()


def test_a_second_person_approves():
    runtime = Shared()
    set_policy(runtime, "second_person=yes")
    refused(runtime.command("promote", MODEL, "2", "--reason", "x"), 1, "somebody else must approve v2",
            f"mldeck approve {MODEL} 2")
    runtime.run("approve", MODEL, "2", "--reason", "I like it")
    refused(runtime.command("promote", MODEL, "2", "--reason", "x"), 1, "the approval by root is by the same person")
    refused(runtime.as_user("daemon", "approve", MODEL, "2"), 2, "needs --reason")
    refused(runtime.as_user("daemon", "approve", MODEL, "1", "--reason", "x"), 3, "v1 of flight-delay is live")
    refused(runtime.as_user("daemon", "approve", MODEL, "9", "--reason", "x"), 4, "no version 9")
    done = runtime.as_user("daemon", "approve", MODEL, "2", "--reason", "read the report")
    assert done.returncode == 0 and "v2 is approved by daemon to replace v1" in done.stdout, done
    # Of v2 against v1, and of no other pair.
    refused(runtime.command("promote", MODEL, "3", "--reason", "x"), 1, "somebody else must approve v3")
    runtime.run("promote", MODEL, "2", "--reason", "two of us")
    approvals = runtime.json("policy", MODEL)["approvals"]
    assert [(a["who"], a["version"], a["against"]) for a in approvals] == [("daemon", 2, 1), ("root", 2, 1)]
    runtime.run("promote", MODEL, "3", "--force", "--reason", "nobody is awake")
    refused(runtime.command("promote", MODEL, "2", "--reason", "x"), 1, "is against another live version")
    assert runtime.json("history", MODEL)["revisions"][0]["forced"]
    runtime.end()


run_tests(globals())
