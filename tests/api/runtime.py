"""What the scripts of tests/api share: a runtime of its own for a test, requests to it, and how tests are run.

A script defines functions test_NAME() and ends with run_tests(globals()), which prints `ok NAME` or
`not ok NAME: why` a test; a test that cannot run here raises Skip. Nothing sleeps to wait: poll() has a deadline.
"""
import concurrent.futures
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import traceback

MLDECK = os.environ["MLDECK"]
FLIGHTS = "examples/flights"
DEADLINE_S = 60


class Skip(Exception):
    """What a test cannot run without."""


class ControlConnection(http.client.HTTPConnection):
    """HTTP over the control socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Runtime:
    """One `mldeck serve` on a state directory of its own."""

    def __init__(self, state=None, before=None, options=()):
        self.state = state or tempfile.mkdtemp()
        self.options = options
        self.start(before)

    def start(self, before=None):
        self.log = open(os.path.join(self.state, "..", os.path.basename(self.state) + ".log"), "w+")
        self.process = subprocess.Popen(
            [MLDECK, "serve", "--listen", "127.0.0.1:0", "--state", self.state, *self.options],
            stderr=self.log, stdin=subprocess.DEVNULL, preexec_fn=before)
        poll(lambda: self.process.poll() is not None or self.command("status").returncode == 0)
        assert self.process.poll() is None, "serve ended: " + self.read_log()
        listen = self.json("status")["server"]["listen"]
        self.host, port = listen.rsplit(":", 1)
        self.port = int(port)

    def read_log(self):
        self.log.seek(0)
        return self.log.read()

    def command(self, *words):
        return subprocess.run([MLDECK, *words, "--state", self.state], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE_S)

    def run(self, *words):
        done = self.command(*words)
        assert done.returncode == 0, f"{words}: exit {done.returncode}: {done.stderr}"
        return done.stdout

    def json(self, *words):
        return json.loads(self.run(*words, "--json"))

    def deploy_flights(self, count=3):
        for i in range(count):
            self.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/" + ["v1.txt", "v2.ubj", "v3.txt", "v4.txt"][i])

    def request(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=DEADLINE_S)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response, data

    def control(self, method, path, body=None):
        """A request of the control API: status and answer."""
        connection = ControlConnection(f"{self.state}/control/mldeck.sock")
        connection.request(method, path, body)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return response.status, answer

    def infer(self, body, path="/v2/models/flight-delay/infer", headers={}):
        response, data = self.request("POST", path, json.dumps(body), headers)
        return response.status, json.loads(data)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(DEADLINE_S)
        return self.process.returncode


def poll(condition):
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "the deadline passed"
        time.sleep(0.01)


def rows_body(rows, datatype="FP64", **more):
    return {"inputs": [{"name": "rows", "shape": [len(rows), len(rows[0])], "datatype": datatype,
                        "data": [value for row in rows for value in row]}], **more}


def outcome(name, test):
    try:
        test()
        return f"ok {name[5:]}"
    except Skip as reason:
        return f"skip {name[5:]}: {reason}"
    except Exception as error:
        line = traceback.extract_tb(error.__traceback__)[1].lineno
        return f"not ok {name[5:]}: line {line}: {type(error).__name__} {str(error)[:400]!r}"


def run_tests(names, at_once=1):
    """Ends the process. Tests that mostly wait, and share nothing, may run several at once."""
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        tests = [pool.submit(outcome, name, test) for name, test in names.items() if name.startswith("test_")]
        for test in concurrent.futures.as_completed(tests) if at_once > 1 else tests:
            print(test.result(), flush=True)
            failures += test.result().startswith("not ok")
    subprocess.run(["pkill", "-P", str(os.getpid())], check=False)
    # Not by way of threads that a failed test left behind.
    os._exit(1 if failures else 0)
