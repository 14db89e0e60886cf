"""Checks of a good and a bad version, as a pipeline runs them, against one runtime."""
import json
import os
import signal
import subprocess
import tempfile
import xml.etree.ElementTree

from runtime import FLIGHTS, MLDECK, Runtime, poll, run_tests

MODEL = "flight-delay"
DATA = os.path.abspath(f"{FLIGHTS}/replay.csv")
SAMPLE = os.path.abspath(f"{FLIGHTS}/sample.csv")
GOOD, BAD, SAME = 2, 3, 1  # v2 is v1 trained again, v3 is stale
RETRAINED = ("diff_rows_max=100%", "diff_flips_max=5%", "diff_mean_max=0.1", "diff_quantile_max=0.5")

runtime = Runtime()
for name in ("v1.txt", "v2.ubj", "v4.txt"):
    runtime.run("deploy", MODEL, f"{FLIGHTS}/flight-delay/{name}")


def policy(*settings):
    """Sets these, and all others to their default."""
    rows = runtime.json("policy", MODEL)["rows"]
    words = [word for row in rows if row["value"] != row["default"] for word in ("--unset", row["name"])]
    if words:
        runtime.run("policy", MODEL, *words, "--reason", "anew")
    if settings:
        runtime.run("policy", MODEL, *settings, "--reason", "test")


def check(version, *words, code=0, model=MODEL):
    done = runtime.command("check", model, str(version), *words)
    assert done.returncode == code, f"exit {done.returncode}, not {code}: {done.stdout} {done.stderr}"
    return done


def verdicts(version, *words, code=0):
    answer = json.loads(check(version, "--json", *words, code=code).stdout)
    assert answer["passed"] == (code == 0) and answer["version"] == version, answer
    return answer["verdict"], {test["kind"]: (test["verdict"], test["ran"]) for test in answer["tests"]}


def results():
    return runtime.json("tests", MODEL)["tests"]


def tested(version, kind, passed="--passed"):
    runtime.run("tested", MODEL, str(version), kind, passed, "--reason", "elsewhere")


def test_a_policy_without_tests_is_no_pass():
    policy()
    assert "names no tests, so there is nothing to check" in check(GOOD, code=2).stderr
    assert results() == []


def test_what_is_missing_runs_and_then_counts():
    policy("tests=stress differential:1h", f"diff_data={DATA}", "diff_labels=late", *RETRAINED, f"stress_data={SAMPLE}",
           "stress_rate=50", "stress_duration=1s", "stress_slo_p99=20s")  # a busy machine is no matter here
    done = check(GOOD)
    assert "pass; 2 of 2 tests passed, 2 ran now" in done.stdout, done.stdout
    kinds = [test["kind"] for test in reversed(results())]
    assert kinds == ["differential", "stress"], kinds
    jobs = runtime.json("jobs")["jobs"]
    assert {job["kind"]: job["state"] for job in jobs} == {"diff": "done", "stress": "done"}, jobs
    assert all(test["job"] > 0 for test in results())
    assert verdicts(GOOD) == ("pass", {"differential": ("pass", False), "stress": ("pass", False)})
    # The gate takes just these.
    runtime.run("promote", MODEL, str(GOOD), "--dry-run")
    assert verdicts(GOOD, "--gates", "--rerun", "--only", "differential") == ("pass", {"differential": ("pass", True)})
    assert len(results()) == 3
    policy("tests=differential", "min_age=1d", *RETRAINED)
    done = check(GOOD, "--gates", code=1)
    assert "the tests pass, the gates do not" in done.stdout and "min_age" in done.stdout, done.stdout
    answer = json.loads(check(GOOD, "--gates", "--json", code=1).stdout)
    assert answer["verdict"] == "gates" and not answer["passed"] and answer["gates"], answer


def test_a_bad_version_fails_with_its_numbers():
    policy("tests=differential benchmark", *RETRAINED)
    tested(BAD, "benchmark")
    path = os.path.join(runtime.state, "check.xml")
    done = check(BAD, "--data", f"{FLIGHTS}/replay.csv", "--junit", path, code=1)
    assert "flips" in done.stdout and "5%" in done.stdout and "fail; 1 of 2 tests passed, 1 ran now" in done.stdout
    root = xml.etree.ElementTree.parse(path).getroot()
    assert root.tag == "testsuites" and int(root.get("failures")) >= 1 and root.get("errors") == "0"
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["differential", "benchmark"]
    for suite in root:
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
    failed = {case.get("name"): case.find("failure").get("message") for case in suites["differential"]
              if case.find("failure") is not None}
    assert "the limit is 5%" in failed["flips"], failed
    assert suites["benchmark"].find("testcase").get("name") == "verdict"
    assert os.listdir(runtime.state).count("check.xml") == 1
    # A promotion is refused with the same numbers, in the command and in the API's findings.
    done = runtime.command("promote", MODEL, str(BAD), "--reason", "x")
    assert done.returncode == 1 and "flips 1" in done.stderr and "(limit 5%)" in done.stderr, done.stderr
    body = {"action": "promote", "version": BAD, "dry_run": True}
    status, answer = runtime.control("POST", f"/control/v1/models/{MODEL}/route", json.dumps(body))
    text = next(gate["text"] for gate in answer["gates"] if gate["name"] == "tests")
    assert status == 412 and "(limit 5%)" in text, answer


def test_a_looser_run_does_not_count():
    policy("tests=differential", f"diff_data={DATA}")
    runtime.run("diff", MODEL, str(GOOD), "--data", DATA, "--atol", "5", "--set", "diff_flips_max=100%",
                "--set", "diff_mean_max=10", "--set", "diff_quantile_max=10")
    done = runtime.command("promote", MODEL, str(GOOD), "--reason", "x")
    assert done.returncode == 1 and "ran with diff_atol 5, the policy has none: by noise" in done.stderr, done.stderr
    policy("tests=differential", f"diff_data={DATA}", "diff_atol=0.01")
    answer = runtime.control("GET", f"/control/v1/models/{MODEL}/check?version={GOOD}")[1]
    assert answer["tests"][0]["state"] == "looser" and "the policy has 0.01" in answer["tests"][0]["text"], answer
    # It runs again, as strictly as the policy has it, and fails.
    assert verdicts(GOOD, code=1) == ("fail", {"differential": ("fail", True)})


def test_age_and_what_cannot_be_run():
    policy("tests=differential:1s training", f"diff_data={DATA}", *RETRAINED)
    runtime.run("diff", MODEL, str(GOOD), "--data", DATA)
    poll(lambda: runtime.control("GET", f"/control/v1/models/{MODEL}/check?version={GOOD}")[1]["tests"][0]["state"] == "old")
    count = len(results())
    policy("tests=differential:1s training", f"diff_data={DATA}", *RETRAINED)
    verdict, tests = verdicts(GOOD, code=1)
    assert verdict == "wait" and tests["differential"][1] and tests["training"] == ("missing", False), tests
    assert len(results()) == count + 1
    assert f"mldeck bench {MODEL} {GOOD} --training" in check(GOOD, "--only", "training", code=1).stdout
    tested(GOOD, "training")
    assert verdicts(GOOD, "--only", "training")[0] == "pass"


def test_bad_input_runs_nothing():
    policy("tests=differential stress")
    count = len(results())
    assert "give --data FILE or --captured N, or set mldeck policy" in check(SAME, "--against", str(GOOD), code=2).stderr
    assert "stress_rate=N" in check(BAD, "--data", DATA, code=2).stderr
    runtime.run("policy", MODEL, "stress_rate=10", "diff_data=/no/rows.csv", "--reason", "test")
    assert "/no/rows.csv, the rows of the differential test (diff_data), cannot be read" in check(
        BAD, "--rerun", code=4).stderr
    refused = runtime.command("policy", MODEL, "diff_data=rows.csv", "--reason", "x")
    assert refused.returncode == 2 and "an absolute path" in refused.stderr, refused.stderr
    for path, code in (("/no/check.xml", 4), (runtime.state, 2), ("", 2)):
        check(BAD, "--data", DATA, "--junit", path, code=code)
    assert "names no test `benchmark`" in check(BAD, "--only", "stress,benchmark", code=2).stderr
    check(BAD, "--only", "", code=2)
    check(1, code=3)
    check(9, code=4)
    check(1, code=4, model="nobody")
    check("x", code=2)
    assert "leave one out" in check(BAD, "--data", DATA, "--captured", "9", code=2).stderr
    assert len(results()) == count
    # A test whose run gives no result is an error, and not a no; others run all the same.
    bad = os.path.join(runtime.state, "bad.csv")
    with open(bad, "w") as file:
        file.write("a,b\n1,2\n")
    runtime.run("policy", MODEL, f"diff_data={bad}", f"stress_data={SAMPLE}", "stress_duration=1s", "stress_slo_p99=20s",
                "--reason", "test")
    verdict, tests = verdicts(BAD, "--rerun", code=2)
    assert verdict == "error" and tests == {"differential": ("error", True), "stress": ("pass", True)}, tests


def test_a_stopped_check_stops_its_test():
    policy("tests=stress:1d", f"stress_data={SAMPLE}", "stress_rate=20", "stress_duration=10m")
    count = len(results())
    junit = os.path.join(runtime.state, "stopped.xml")
    for number in (signal.SIGINT, None):
        process = subprocess.Popen(
            [MLDECK, "check", MODEL, str(GOOD), "--rerun", "--junit", junit, "--state", runtime.state],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        def running():
            assert process.poll() is None, process.communicate()
            return [job for job in runtime.json("jobs")["jobs"] if job["state"] == "running"]

        poll(lambda: any(job["progress"]["done"] > 0 for job in running()))
        if number is None:
            runtime.run("cancel", str(running()[0]["id"]), "--reason", "enough")
        else:
            process.send_signal(number)
        output, errors = process.communicate(timeout=60)
        expected = 128 + (number or signal.SIGTERM)
        assert process.returncode == expected and "there is no verdict" in errors, (process.returncode, errors)
        assert runtime.json("jobs")["jobs"][0]["state"] == "cancelled"
    assert len(results()) == count
    assert not [name for name in os.listdir(runtime.state) if name.startswith("stopped.xml")]


def test_without_a_runtime():
    with tempfile.TemporaryDirectory() as state:
        done = subprocess.run([MLDECK, "check", MODEL, "2", "--state", state], capture_output=True, text=True, timeout=60)
        assert done.returncode == 5, (done.returncode, done.stderr)
    runtime.stop()


run_tests(globals())
