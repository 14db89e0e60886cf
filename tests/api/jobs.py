"""Jobs: batch predictions that the runtime runs, and those of a shell, from their start to whatever ends them."""
import http.client
import json
import os
import pty
import select
import signal
import socket
import subprocess
import tempfile
import threading

from runtime import DEADLINE_S, FLIGHTS, MLDECK, Runtime, poll, run_tests

FOLDER = tempfile.mkdtemp()
SMALL = os.path.join(FOLDER, "small.csv")
LARGE = os.path.join(FOLDER, "large.csv")
SMALL_ROWS = 2000
# Long enough to be met on its way, on a fast machine too; a build with address checks is several times slower.
LARGE_FACTOR = 500 if "asan" in MLDECK else 1500
# The same for those that are stopped at once and then go on to their end.
WHOLE = os.path.join(FOLDER, "whole.csv")
WHOLE_FACTOR = LARGE_FACTOR // 3


def write_inputs():
    with open(f"{FLIGHTS}/baseline.csv") as file:
        header, *rows = file.readlines()
    rows = rows[:SMALL_ROWS]
    assert len(rows) == SMALL_ROWS
    for path, factor in [(SMALL, 1), (WHOLE, WHOLE_FACTOR), (LARGE, LARGE_FACTOR)]:
        with open(path, "w") as file:
            file.write(header)
            for _ in range(factor):
                file.writelines(rows)


class Connection(http.client.HTTPConnection):
    """To the control socket."""

    def __init__(self, runtime):
        super().__init__("localhost", timeout=DEADLINE_S)
        self.path = os.path.join(runtime.state, "control/mldeck.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE_S)
        self.sock.connect(self.path)


def control(runtime, method, path, body=None):
    connection = Connection(runtime)
    connection.request(method, "/control/v1/" + path, None if body is None else json.dumps(body))
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def request(rows, output, **more):
    return {"kind": "predict", "model": "flight-delay", "start": {"input": rows, "output": output}, **more}


def start(runtime, rows, output):
    status, answer = control(runtime, "POST", "jobs", request(rows, output))
    assert status == 200, answer
    return answer["id"]


def job(runtime, number):
    status, answer = control(runtime, "GET", f"jobs/{number}")
    assert status == 200, answer
    return answer


def wait(runtime, number, *states):
    """Until it is in one of the states. The deadline is for a job that does not move: how fast it is depends."""
    done = -1
    while True:
        poll(lambda: job(runtime, number)["state"] in states or job(runtime, number)["progress"]["done"] > done)
        now = job(runtime, number)
        if now["state"] in states:
            return now
        done = now["progress"]["done"]


def wait_rows(runtime, number):
    """Until some rows are done and some are not."""
    poll(lambda: job(runtime, number)["progress"]["done"] > 0)
    return job(runtime, number)


def open_runtime():
    runtime = Runtime()
    runtime.deploy_flights(2)
    return runtime


def output_path(name):
    return os.path.join(FOLDER, name)


def line_count(path):
    with open(path) as file:
        return sum(1 for _ in file)


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_file_is_predicted():
    runtime = open_runtime()
    output = output_path("a.csv")
    status, plan = control(runtime, "POST", "jobs", request(SMALL, output, dry_run=True))
    assert status == 200 and plan["id"] is None and plan["version"] == 1, plan
    assert f"{SMALL_ROWS + 1} lines" in plan["facts"][0]["text"], plan
    assert control(runtime, "GET", "jobs")[1]["jobs"] == []
    number = start(runtime, SMALL, output)
    done = wait(runtime, number, "done", "failed")
    assert done["state"] == "done" and done["progress"]["done"] == SMALL_ROWS, done
    assert done["command"] == f"mldeck predict flight-delay --input {SMALL} --output {output} --version 1"
    assert done["who"] and done["summary"] and not done["in_shell"]
    assert line_count(output) == SMALL_ROWS + 1
    plots = done["progress"]["plots"]
    assert [(plot["kind"], plot["y_unit"]) for plot in plots] == [("series", "rate")], plots
    snapshot = runtime.json("status")
    assert snapshot["jobs"][0]["progress"]["plots"] == plots
    assert snapshot["server"]["jobs_running"] == 0 and snapshot["jobs"][0]["id"] == number
    assert runtime.json("jobs")["jobs"][0]["state"] == "done"
    assert done["summary"] in runtime.run("jobs", str(number))
    records = control(runtime, "GET", "audit")[1]["records"]
    assert [r["action"] for r in records[:2]] == ["job-end", "job-start"], records
    assert records[0]["outcome"] == "done" and f"job {number}" in records[0]["detail"]
    runtime.stop()


def test_serving_goes_on_beside_it():
    runtime = open_runtime()
    number = start(runtime, LARGE, output_path("beside.csv"))
    wait_rows(runtime, number)
    with open(f"{FLIGHTS}/infer.json") as file:
        body = json.load(file)
    for _ in range(50):
        assert runtime.infer(body)[0] == 200
    assert job(runtime, number)["state"] == "running", job(runtime, number)
    # What a job predicts is no traffic: the rates of the console are of clients.
    poll(lambda: runtime.json("status")["models"][0]["requests"] == 50)
    runtime.run("cancel", str(number))
    wait(runtime, number, "cancelled")
    runtime.stop()


def test_one_output_has_one_job():
    runtime = open_runtime()
    output = output_path("twice.csv")
    number = start(runtime, LARGE, output)
    for dry_run in (True, False):
        status, answer = control(runtime, "POST", "jobs", request(SMALL, output, dry_run=dry_run))
        assert status == 409 and f"job {number} " in answer["error"], answer
    other = start(runtime, LARGE, output_path("twice-2.csv"))
    third = start(runtime, SMALL, output_path("twice-3.csv"))
    assert job(runtime, third)["state"] == "queued"
    assert runtime.command("cancel", str(third), "--reason", "not now").returncode == 0
    assert job(runtime, third)["state"] == "cancelled"
    for running in (number, other):
        control(runtime, "POST", f"jobs/{running}/cancel", {"reason": "test"})
    for running in (number, other):
        wait(runtime, running, "cancelled")
    assert runtime.command("cancel", str(third)).returncode == 3
    assert runtime.command("cancel", "999").returncode == 4
    runtime.stop()


def test_a_cancelled_job_goes_on_when_started_again():
    runtime = open_runtime()
    output = output_path("again.csv")
    number = start(runtime, WHOLE, output)
    wait_rows(runtime, number)
    assert "asked to stop" in runtime.run("cancel", str(number), "--reason", "for a test")
    cancelled = wait(runtime, number, "cancelled")
    assert not os.path.exists(output) and os.path.exists(output + ".progress"), cancelled
    assert gone(cancelled["pid"] or 0)
    audit = control(runtime, "GET", "audit")[1]["records"]
    assert [r["reason"] for r in audit if r["action"] == "job-cancel"] == ["for a test"]
    status, plan = control(runtime, "POST", f"jobs/{number}/again", {"dry_run": True})
    assert status == 200 and any("goes on there" in f["text"] for f in plan["facts"]), plan
    # The version stays the one it began with.
    runtime.run("promote", "flight-delay", "2", "--reason", "test")
    status, answer = control(runtime, "POST", f"jobs/{number}/again", {})
    assert status == 200 and answer["version"] == 1, answer
    done = wait(runtime, answer["id"], "done", "failed")
    assert done["state"] == "done", done
    assert line_count(output) == SMALL_ROWS * WHOLE_FACTOR + 1
    runtime.stop()


def test_kill_9_of_the_runtime_interrupts():
    runtime = open_runtime()
    output = output_path("killed.csv")
    number = start(runtime, WHOLE, output)
    pid = wait_rows(runtime, number)["pid"]
    runtime.process.kill()
    runtime.process.wait()
    poll(lambda: gone(pid))
    runtime.start()
    assert job(runtime, number)["state"] == "interrupted", job(runtime, number)
    assert runtime.json("status")["jobs"][0]["state"] == "interrupted"
    status, answer = control(runtime, "POST", f"jobs/{number}/again", {})
    assert status == 200, answer
    assert wait(runtime, answer["id"], "done", "failed")["state"] == "done"
    assert line_count(output) == SMALL_ROWS * WHOLE_FACTOR + 1
    runtime.stop()


def test_a_drain_stops_jobs_in_good_order():
    runtime = open_runtime()
    output = output_path("drained.csv")
    number = start(runtime, LARGE, output)
    pid = wait_rows(runtime, number)["pid"]
    assert runtime.stop() == 0
    assert gone(pid) and os.path.exists(output + ".progress")
    runtime.start()
    interrupted = job(runtime, number)
    assert interrupted["state"] == "interrupted" and "start it again" in interrupted["summary"], interrupted
    assert interrupted["progress"]["done"] > 0
    runtime.stop()


def shell(runtime, output):
    return subprocess.Popen([MLDECK, "predict", "flight-delay", "--input", LARGE, "--output", output, "--state",
                             runtime.state], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def registered(runtime):
    jobs = control(runtime, "GET", "jobs")[1]["jobs"]
    return jobs[0]["id"] if jobs and jobs[0]["state"] == "running" else 0


def plot(kind, **more):
    return {"kind": kind, "title": "t", "x_unit": "ns", "y_unit": "count", "x_low": 0, "x_high": 1, **more}


def refuse_hostile_plots(runtime, number):
    """One sentence that says what is wrong, and the job as it was."""
    bad = [
        ({}, "list of at most 4"), ([plot("series", y=[1])] * 5, "list of at most 4"), ([1], "must be an object"),
        ([plot("pie", y=[1])], "no meaning"), ([plot("series", y=[0] * 81)], "at most 80"),
        ([plot("series", y=[float("nan")])], "JSON"), ([plot("series", y=["NaN"])], "finite numbers"),
        ([plot("histogram", y=[None])], "finite numbers"), ([plot("histogram", y=[-1])], "negative"),
        ([plot("series", y=[1e300])], "finite numbers"), ([plot("series", y=[1], x_low=1)], "below `x_high`"),
        ([plot("points", y=[1, 2], x=[1])], "2 numbers"), ([plot("points", y=[1], x=[1], bad=[7])], "places of `y`"),
        ([plot("intervals", y=[1], low=[2], high=[1], labels=["a"])], "`low` up to `high`"),
        ([plot("points", y=[], x=[], marks=[{"axis": "x", "value": 1, "label": "l"}] * 5)], "at most 4"),
    ]
    path = f"jobs/{number}/progress"
    for plots, sentence in bad:
        status, answer = control(runtime, "POST", path, {"done": 999999999, "plots": plots})
        assert status == 400 and sentence in answer["error"], (plots, answer)
    assert job(runtime, number)["progress"]["done"] != 999999999
    # What would be obeyed by a terminal is shown, not obeyed.
    shown = plot("intervals", y=[1], low=[None], high=[None], labels=["\a"], marks=[])
    shown["title"] = "\x1b[2J"
    status, answer = control(runtime, "POST", path, {"plots": [shown] * 4})
    assert status == 200, answer


def test_a_shells_job_is_listed_cancelled_and_missed():
    runtime = open_runtime()
    output = output_path("shell.csv")
    process = shell(runtime, output)
    poll(lambda: registered(runtime))
    number = registered(runtime)
    listed = wait_rows(runtime, number)
    refuse_hostile_plots(runtime, number)
    assert listed["in_shell"] and listed["pid"] == process.pid and listed["target"] == output, listed
    status, answer = control(runtime, "POST", "jobs", request(SMALL, output))
    assert status == 409, answer
    runtime.run("cancel", str(number))
    assert process.wait(DEADLINE_S) > 128
    assert "cancelled" in wait(runtime, number, "cancelled")["summary"]
    status, answer = control(runtime, "POST", f"jobs/{number}/again", {})
    assert status == 409 and "shell" in answer["error"], answer
    process = shell(runtime, output)
    poll(lambda: registered(runtime))
    number = registered(runtime)
    process.kill()
    process.wait()
    assert "without a word" in wait(runtime, number, "interrupted")["summary"]
    runtime.stop()


def stress(version, **more):
    return {"kind": "stress", "model": "flight-delay", "version": version,
            "start": {"rate": 20, "duration": "5m", "data": SMALL, **more}}


def facts(plan):
    return {f["name"]: f["text"] for f in plan["facts"]}


def check_consent(runtime):
    """A load on live traffic is started by who says so, each time."""
    status, plan = control(runtime, "POST", "jobs", {**stress(1), "dry_run": True})
    assert status == 200 and plan["asks_consent"], plan
    assert "100% of the requests" in facts(plan)["live traffic"] and facts(plan)["takes"].startswith("5 min"), plan
    status, answer = control(runtime, "POST", "jobs", stress(1))
    assert status == 403 and "`yes`" in answer["error"], answer
    assert control(runtime, "GET", "jobs")[1]["jobs"] == []
    # It sends nothing in its first seconds: the next one is no part of what it sent.
    status, answer = control(runtime, "POST", "jobs", stress(1, yes=True, rate="", ramp="0:20"))
    assert status == 200 and answer["command"].endswith("--yes --version 1"), answer
    wait(runtime, answer["id"], "running")
    runtime.run("cancel", str(answer["id"]))
    wait(runtime, answer["id"], "cancelled")
    path = f"jobs/{answer['id']}/again"
    status, plan = control(runtime, "POST", path, {"dry_run": True})
    assert status == 200 and plan["asks_consent"], plan
    status, refused = control(runtime, "POST", path, {})
    assert status == 403, refused
    status, answer = control(runtime, "POST", path, {"consent": True})
    assert status == 200, answer
    return answer["id"]


def check_once(runtime):
    """The same test runs once; another version's, or another kind, runs beside it."""
    first = check_consent(runtime)
    status, answer = control(runtime, "POST", "jobs", stress(2))
    assert status == 200 and "asks_consent" not in answer, answer
    second = answer["id"]
    for dry_run in (True, False):
        status, answer = control(runtime, "POST", "jobs", {**stress(2, rate=7), "dry_run": dry_run})
        assert status == 409 and f"job {second} (stress of flight-delay v2" in answer["error"], answer
    done = runtime.command("stress", "flight-delay", "--version", "2", "--rate", "7", "--data", SMALL)
    assert done.returncode == 3 and f"job {second} (stress" in done.stderr, done
    status, waiting = control(runtime, "POST", "jobs", {
        "kind": "diff", "model": "flight-delay", "version": 2, "start": {"data": SMALL}})
    assert status == 200 and waiting["waits"] == 1 and facts(waiting)["compared"] == "v2 with v1, which is live"
    assert job(runtime, waiting["id"])["progress"]["note"] == "number 1 of 1 that wait"
    done = runtime.command("diff", "flight-delay", "2", "--data", SMALL)
    assert done.returncode == 3 and f"job {waiting['id']} (diff" in done.stderr and done.stdout == "", done
    for number in (first, second):
        runtime.run("cancel", str(number))
        wait(runtime, number, "cancelled")
    wait(runtime, waiting["id"], "done")
    # Nothing but the file's name is what a shell said: the next dialog needs all of its path.
    done = subprocess.run([MLDECK, "diff", "flight-delay", "2", "--data", "small.csv", "--segment=weekday",
                           "--state", runtime.state], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 1, done
    status, last = control(runtime, "GET", "jobs/last/diff/flight-delay")
    assert last["start"] == {"data": SMALL, "segment": "weekday"} and last["job"]["in_shell"], last
    assert control(runtime, "GET", "jobs/last/bench/flight-delay")[1] == {"job": None}
    assert control(runtime, "GET", "jobs/last/dream/flight-delay")[0] == 404
    status, plan = control(runtime, "POST", "jobs", {
        "kind": "diff", "model": "flight-delay", "version": 2, "dry_run": True, "start": {"data": SMALL}})
    assert "by 2 earlier runs" in facts(plan)["takes"], plan


def check_console_dies(runtime):
    """Keys in a terminal start a load with the values of the last one; then the terminal goes."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(MLDECK, [MLDECK, "--state", runtime.state])
    seen = b""

    def shows(text):
        nonlocal seen
        while select.select([terminal], [], [], 0.01)[0]:
            seen += os.read(terminal, 65536)
        return text in seen

    poll(lambda: shows(b"flight-delay"))
    os.write(terminal, b"t")
    poll(lambda: shows(b"has no live traffic"))
    os.write(terminal, b"\r")
    poll(lambda: registered(runtime))
    number = registered(runtime)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    done = wait_rows(runtime, number)["progress"]["done"]
    poll(lambda: job(runtime, number)["progress"]["done"] > done)
    assert job(runtime, number)["command"].startswith("mldeck stress flight-delay --rate 20 --duration 5m")
    runtime.run("cancel", str(number))
    wait(runtime, number, "cancelled")


def train(runtime):
    return subprocess.Popen([MLDECK, "train", "flight-delay", "--state", runtime.state, "--", "cat"],
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def check_shell_survives(runtime):
    """Of two at the same moment one is refused; the other outlives the runtime, and is in the next one's list."""
    racers = [train(runtime), train(runtime)]
    poll(lambda: any(r.poll() is not None for r in racers))
    loser, winner = sorted(racers, key=lambda r: r.poll() is None)
    assert winner.poll() is None and loser.returncode == 3, loser.communicate()
    number = registered(runtime)
    assert f"job {number} (train of flight-delay, running) is the same" in loser.stderr.read()
    runtime.process.kill()
    runtime.process.wait()
    runtime.start()
    interrupted = job(runtime, number)
    assert interrupted["state"] == "interrupted" and "comes back as a new job" in interrupted["summary"], interrupted
    poll(lambda: registered(runtime) > number)
    again = job(runtime, registered(runtime))
    assert again["in_shell"] and again["pid"] == winner.pid and again["command"] == interrupted["command"], again
    winner.stdin.close()
    assert winner.wait(DEADLINE_S) == 0
    assert wait(runtime, again["id"], "done")["summary"]
    assert runtime.json("tests", "flight-delay", "--kind", "training")["tests"][0]["job"] == again["id"]


def test_tests_are_started_once_and_outlive_who_started_them():
    runtime = open_runtime()
    check_once(runtime)
    check_console_dies(runtime)
    check_shell_survives(runtime)
    runtime.stop()


def slow_socket(runtime, path, delay_s):
    """A control socket whose end of a job takes its time; who does not wait for it has said nothing."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)

    def forward(near):
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(os.path.join(runtime.state, "control/mldeck.sock"))
            while True:
                ready = select.select([near, far], [], [], DEADLINE_S)[0]
                data = ready[0].recv(1 << 16) if ready else b""
                if b"/end HTTP" in data and select.select([near], [], [], delay_s)[0]:
                    return
                if not data:
                    return
                (far if ready[0] is near else near).sendall(data)

    def accept():
        while True:
            threading.Thread(target=forward, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def test_the_end_is_heard_by_a_busy_runtime():
    runtime = open_runtime()
    path = os.path.join(runtime.state, "slow.sock")
    slow_socket(runtime, path, 1.5)
    done = subprocess.run([MLDECK, "train", "slow", "--socket", path, "--", "true"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE_S)
    assert done.returncode == 0, done
    number = runtime.json("jobs")["jobs"][0]["id"]
    ended = wait(runtime, number, "done", "interrupted")
    assert ended["state"] == "done" and ended["in_shell"], ended
    runtime.stop()


def test_bad_requests_change_nothing():
    runtime = open_runtime()
    good = request(SMALL, output_path("bad.csv"))
    bad = [
        ({**good, "kind": "dream"}, 400), ({**good, "kind": 5}, 400), ({**good, "model": "none"}, 404),
        ({**good, "version": 9}, 404), ({**good, "version": 0}, 400), ({**good, "version": "1"}, 400),
        ({**good, "start": []}, 400), ({**good, "start": {}}, 400), ({**good, "dry_run": "yes"}, 400),
        (request("rows.csv", "/tmp/x.csv"), 400), (request(SMALL, "/nowhere/x.csv"), 404),
        (request("/nowhere.csv", "/tmp/x.csv"), 404), (request(SMALL, SMALL), 400),
        (request(SMALL + "\n", "/tmp/x.csv"), 400), (request("/" + "x" * 5000, "/tmp/x.csv"), 400),
        ({"kind": "predict"}, 400), ({"kind": "predict", "model": "flight-delay", "command": "mldeck"}, 400),
        ({"kind": "predict", "model": "flight-delay", "command": [1]}, 400), ([], 400),
    ]
    for body, expected in bad:
        status, answer = control(runtime, "POST", "jobs", body)
        assert status == expected and answer["error"], (body, status, answer)
    for path, body, expected in [("jobs/1/progress", {}, 404), ("jobs/x/end", {"outcome": "done"}, 400),
                                 ("jobs/1/end", {"outcome": "queued"}, 400), ("jobs/1/cancel", {}, 404),
                                 ("jobs/1/progress", {"done": -1}, 400), ("jobs/1/again", {}, 404)]:
        status, answer = control(runtime, "POST", path, body)
        assert status == expected, (path, body, status, answer)
    assert control(runtime, "GET", "jobs?limit=0")[0] == 400
    assert control(runtime, "GET", "jobs")[1]["jobs"] == []
    runtime.stop()


write_inputs()
try:
    run_tests(globals())
finally:
    subprocess.run(["rm", "-rf", FOLDER], check=False)
