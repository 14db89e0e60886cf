"""What the judges share: a runtime with the sample models, what these predict, and the lines that tests/run reads.

A judge is a client that somebody else wrote. It runs unmodified, on loopback only, and its answers are compared
with what the models' own libraries predict (examples/flights/expected.csv).
"""
import contextlib
import csv
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

MLDECK = os.environ["MLDECK"]
RELEASE = os.environ["MLDECK_RELEASE"]
FLIGHTS = "examples/flights"
DEADLINE_S = 60
TOLERANCE = 1e-6
VERSIONS = {"flight-delay": ["v1.txt", "v2.ubj"], "arrival-delay": ["v1.txt", "v2.json"]}


# tests/run ends a suite that takes too long so: what it started is ended first.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("it was told to stop"))


class Skip(Exception):
    """What a test cannot run without."""


class Runtime:
    """One `mldeck serve` on a port that the system chose and a state directory of its own, as a context."""

    def __init__(self, config="", executable=MLDECK, models=VERSIONS):
        self.executable, self.models = executable, models
        self.state = tempfile.mkdtemp()
        self.options = []
        if config:
            path = os.path.join(self.state, "judges.ini")
            with open(path, "w") as file:
                file.write(config)
            self.options = ["--config", path]

    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [self.executable, "serve", "--listen", "127.0.0.1:0", "--state", self.state, *self.options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            poll(lambda: self.process.poll() is not None or self.command("status").returncode == 0)
            assert self.process.poll() is None, "serve ended: " + self.read_log()
            self.address = json.loads(self.mldeck("status", "--json"))["server"]["listen"]
            self.url = "http://" + self.address
            for model, files in self.models.items():
                for file in files:
                    self.mldeck("deploy", model, f"{FLIGHTS}/{model}/{file}")
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if code != 0:
            raise AssertionError(f"serve ended with {code}: {self.read_log()}")

    def read_log(self):
        self.log.seek(0)
        return self.log.read()[-2000:]

    def command(self, *words):
        return call([self.executable, *words, "--state", self.state])

    def mldeck(self, *words):
        done = self.command(*words)
        assert done.returncode == 0, f"mldeck {' '.join(words)}: {done.stderr}"
        return done.stdout

    def get(self, path, body=None, headers={}):
        """Status, headers and body of a plain request; POST when there is a body."""
        request = urllib.request.Request(self.url + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()


def call(words, deadline_s=DEADLINE_S, **options):
    """Runs a program to its end: exit code and output. Nothing that it started is left behind, whatever happens."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, start_new_session=True, **options)
    try:
        said = process.communicate(timeout=deadline_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(words, process.returncode, *said)


def poll(condition, deadline_s=DEADLINE_S):
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "the deadline passed"
        time.sleep(0.01)


def expected_rows():
    with open(f"{FLIGHTS}/expected.csv") as file:
        return list(csv.DictReader(file))


EXPECTED = expected_rows()
# The columns between the row's number and the first model's predictions.
FEATURES = [name for name in EXPECTED[0] if name != "row" and "-v" not in name]


def number(text):
    return math.nan if text == "" else float(text)


def feature_rows(rows=EXPECTED):
    """The features of rows as lists of floats; a missing value is NaN."""
    return [[number(row[name]) for name in FEATURES] for row in rows]


def whole_rows():
    """Those rows that miss no value: JSON has no NaN."""
    return [row for row in EXPECTED if all(row[name] != "" for name in FEATURES)]


def predictions(model, version, rows=EXPECTED, raw=False):
    """What the model's own library predicts for rows."""
    return [float(row[f"{model}-v{version}" + ("-raw" if raw else "")]) for row in rows]


def check_close(got, want, what=""):
    got, want = list(got), list(want)
    assert len(got) == len(want), f"{what}: {len(got)} values, expected {len(want)}"
    for i, (one, other) in enumerate(zip(got, want)):
        assert math.isclose(float(one), other, rel_tol=TOLERANCE, abs_tol=TOLERANCE), \
            f"{what}: value {i} is {one!r}, the library says {other!r}"


def check_sentence(error, *parts):
    """A client shows our own sentence: its words are all there."""
    text = str(error)
    for part in parts:
        assert part in text, f"{part!r} is not in what the client says: {text!r}"


@contextlib.contextmanager
def refused(kind, *parts):
    """The block raises the client's own error, which shows our sentence."""
    try:
        yield
    except kind as error:
        check_sentence(error, *parts)
    else:
        raise AssertionError(f"nothing was refused, expected an error with {parts}")


def run(tests, *arguments):
    """Runs every test_ function of a module, in order, and ends the process."""
    failures = 0
    for name, test in tests.items():
        if not name.startswith("test_"):
            continue
        name = name[len("test_"):]
        try:
            test(*arguments)
            print(f"ok {name}", flush=True)
        except Skip as why:
            print(f"skip {name}: {why}", flush=True)
        except Exception as error:
            failures += 1
            print(f"not ok {name}: {type(error).__name__} {str(error)[:600]!r}", flush=True)
    return failures


def judge(tests, **options):
    """Runs a module's tests on one runtime."""
    try:
        with Runtime(**options) as runtime:
            failures = run(tests, runtime)
    except Exception as error:
        print(f"not ok runtime: {type(error).__name__} {str(error)[:600]!r}", flush=True)
        failures = 1
    sys.exit(1 if failures else 0)
