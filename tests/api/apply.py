"""The state of models in a file: apply and export."""
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from runtime import FLIGHTS, MLDECK, Runtime, Skip, run_tests

V1, V2, V3, V4 = (os.path.abspath(f"{FLIGHTS}/flight-delay/{name}") for name in ("v1.txt", "v2.ubj", "v3.txt", "v4.txt"))
A1, A2 = (os.path.abspath(f"{FLIGHTS}/arrival-delay/{name}") for name in ("v1.txt", "v2.json"))
REASON = ("--reason", "the file says so")


class Control(http.client.HTTPConnection):
    def __init__(self, state):
        super().__init__("localhost", timeout=60)
        self.path = os.path.join(state, "control", "mldeck.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def control(runtime, method, path, body=None):
    connection = Control(runtime.state)
    connection.request(method, path, None if body is None else json.dumps(body))
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, data


class World:
    """A runtime, and a folder with two model files and a models file."""

    def __init__(self, text=""):
        self.runtime = Runtime()
        self.folder = tempfile.mkdtemp()
        self.file = os.path.join(self.folder, "models.ini")
        for name, path in (("v1.txt", V1), ("v2.ubj", V2), ("v3.txt", V3), ("a1.txt", A1), ("a2.json", A2)):
            shutil.copy(path, os.path.join(self.folder, name))
        self.write(text)

    def write(self, text):
        with open(self.file, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)

    def command(self, *words):
        return self.runtime.command("apply", "-f", self.file, *words)

    def apply(self, *words):
        return self.runtime.run("apply", "-f", self.file, *REASON, *words)

    def refused(self, code, *words):
        before = self.picture()
        done = self.command(*REASON, *words)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert self.picture() == before, "it changed something"
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr.strip()

    def picture(self):
        """All that a change would leave behind."""
        records = json.loads(control(self.runtime, "GET", "/control/v1/audit?limit=100000")[1])["records"]
        models = self.runtime.json("status")["models"]
        return [record for record in records if record["outcome"] == "done"], \
            [(m["name"], m["revision"], m["route"], [v["sha256"] for v in m["versions"]]) for m in models]

    def model(self, name="flight-delay"):
        return next(m for m in self.runtime.json("status")["models"] if m["name"] == name)

    def close(self):
        assert self.runtime.stop() == 0, self.runtime.read_log()
        shutil.rmtree(self.folder)


FIRST = """; what serves
[model flight-delay]
version.1 = v1.txt
version.2 = v2.ubj
route = 1=90 2=10
shadow = 3=25
version.3 = v3.txt
"""


def test_first_and_again():
    world = World(FIRST)
    done = world.command("--dry-run", "--exit-code")
    assert done.returncode == 1 and "Nothing was changed." in done.stdout, done.stdout
    assert world.runtime.json("status")["models"] == []
    assert world.command("--dry-run").returncode == 0
    text = world.apply()
    assert "  + version 2 = v2.ubj (sha256 7d4347cdbc52, " in text, text
    assert "the route is v1 90% v2 10% v3 shadow 25% (revision 1)" in text, text
    model = world.model()
    assert [(e["version"], e["role"], e["percent"]) for e in model["route"]] == \
        [(1, "live", 90), (2, "canary", 10), (3, "shadow", 25)], model["route"]
    before = world.picture()
    for words in ((), ("--json",), ("--verbose",)):
        text = world.apply(*words)
        assert "othing to do" in text or json.loads(text)["changes"] == [], text
    assert world.picture() == before, "a second apply wrote something"
    assert world.command("--dry-run", "--exit-code").returncode == 0
    world.close()


def test_usage():
    world = World(FIRST)
    for words, code, sentence in (
            (("apply", "-f", world.file), 2, "--reason"),
            (("apply", *REASON), 2, "-f FILE is missing"),
            (("apply", "-f", world.file, "--exit-code", *REASON), 2, "--exit-code is for --dry-run"),
            (("apply", "-f", world.file + ".not", *REASON), 4, "cannot be opened"),
            (("apply", "-f", world.folder, *REASON), 7, "cannot be read")):
        done = world.runtime.command(*words)
        assert done.returncode == code and sentence in done.stderr, done
    done = subprocess.run([MLDECK, "apply", "-f", "-", *REASON, "--state", world.runtime.state], cwd=world.folder,
                          input="[model m]\nversion.1 = v1.txt\n", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert world.model("m")["live"] == 1
    world.close()


def test_changed_route():
    world = World(FIRST)
    world.apply()
    world.write("[model flight-delay]\nroute = 1=40 2=60\n")
    text = world.apply()
    assert "~ route = v1 40% v2 60% (was v1 90% v2 10% v3 shadow 25%)" in text, text
    assert world.model()["live"] == 1
    world.write("[model flight-delay]\nroute = 2=60 1=40\nlive = 2\n")
    world.apply()
    assert world.model()["live"] == 2 and world.model()["revision"] == 3
    history = json.loads(control(world.runtime, "GET", "/control/v1/models/flight-delay/history")[1])["revisions"]
    assert history[0]["action"] == "apply" and history[0]["reason"] == REASON[1], history[0]
    world.close()


def test_versions_are_never_changed():
    world = World(FIRST)
    world.apply()
    shutil.copy(V4, os.path.join(world.folder, "v2.ubj"))
    said = world.refused(2)
    assert "models.ini, line 4: version 2 of flight-delay is 7d4347cdbc52 in the runtime, and v2.ubj is" in said, said
    assert "a version is never changed: give the file the next number, 4" in said, said
    world.write("[model flight-delay]\nversion.5 = v2.ubj\n")
    assert "would leave a gap" in world.refused(2)
    world.write("[model flight-delay]\nversion.4 = v1.txt\n")
    assert "is version 1 of flight-delay, so it cannot be version 4 too" in world.refused(2)
    world.close()


def test_bad_files():
    world = World()
    world.runtime.deploy_flights(1)
    for text, code, sentence in (
            ("[model m]\nversion.1 = not-there.txt\n", 4, "line 2: "),
            ("[model m]\nversion.1 = .\n", 2, "is not a regular file"),
            ("[model m]\nversion.1 = v1.txt\nroute = 1=90\n", 2, "line 3: the shares of the route add up to 90%"),
            ("[model m]\nversion.1 = v1.txt\nroute = 2=100\n", 2, "line 3: the route names version 2 of m"),
            ("[model m]\nversion.1 = v1.txt\nweights = 1\n", 2, "line 3: there is no key `weights`"),
            ("[model M]\nversion.1 = v1.txt\n", 2, "line 1: `M` is no name"),
            ("[model m]\nversion.1 = v1.txt\nversion.1 = v1.txt\n", 2, "line 3: `version.1` is there twice"),
            ("[model m]\nversion.1 = sha256:" + "0" * 64 + "\n", 4, "the runtime has no artifact 000"),
            ("[model m]\nversion.1 = v1.txt\nbaseline.1 = none.csv\n", 4, "line 3: "),
            ("[model m]\n", 4, "line 1: the runtime has no model m"),
            ("[model flight-delay]\nroute = none\n", 2, "a route cannot be taken away"),
            ("[model flight-delay]\npolicy.mood = good\n", 2, "no setting `mood`"),
            ("[model flight-delay]\npolicy.promoters = root\npolicy.second_person = yes\n", 2, "line 2: "),
            # The good model before the bad one is not touched either.
            ("[model a]\nversion.1 = a1.txt\n[model m]\nversion.1 = nowhere\n", 4, "line 4: "),
            ("[model m]\nversion.1 = \x1b[31m\n", 4, "\\x1b[31m"),
            ("[model m]\nversion.1 = \udcff\udcfe\n", 4, "\\xff\\xfe"),
            ("[model m]\nversion.1 = " + "x" * 185 + "\n", 2, "line 2: the line has"),
            ("[model m]\nversion.1 = " + "../" * 50 + "etc/shadow-of-nothing\n", 4, "cannot be opened"),
            ("\0", 2, "is not a text file")):
        world.write(text)
        said = world.refused(code)
        assert sentence in said, (text, said)
        assert "\x1b" not in said
    world.close()


def test_a_model_that_no_engine_reads():
    world = World("[model a]\nversion.1 = a1.txt\n[model b]\nversion.1 = models.ini\n[model c]\nversion.1 = v1.txt\n")
    done = world.command(*REASON)
    assert done.returncode == 2, done
    assert "b, version 1: models.ini is no model that mldeck knows" in done.stderr, done.stderr
    assert "1 of 3 changes were made, and the same command goes on" in done.stderr, done.stderr
    assert "a: v1 is registered and live." in done.stdout, done.stdout
    assert "b: version 1 was not changed.\nc: version 1 was not changed.\n" in done.stdout, done.stdout
    assert [m["name"] for m in world.runtime.json("status")["models"]] == ["a"]
    done = world.command(*REASON, "--json")
    result = json.loads(done.stdout)
    assert [c["done"] for c in result["changes"]] == [False, False] and result["fault"]["code"] == "unsupported", result
    world.write("[model a]\nversion.1 = a1.txt\n[model b]\nversion.1 = a2.json\n[model c]\nversion.1 = v1.txt\n")
    result = json.loads(world.apply("--json"))
    assert [(c["model"], c["kind"], c["done"]) for c in result["changes"]] == [("b", "deploy", True), ("c", "deploy", True)]
    world.close()


def relay_to(world, before_request):
    """A socket in front of the runtime's that runs before_request(request line) before each request is passed on."""
    path = os.path.join(tempfile.mkdtemp(), "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)

    def relay(client):
        server = socket.socket(socket.AF_UNIX)
        server.connect(os.path.join(world.runtime.state, "control", "mldeck.sock"))

        def back():
            with contextlib.suppress(OSError):
                while data := server.recv(65536):
                    client.sendall(data)
            client.close()
        threading.Thread(target=back, daemon=True).start()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                line = data.split(b"\r\n", 1)[0].decode(errors="replace")
                if " /control/" in line:
                    before_request(line)
                server.sendall(data)
        server.shutdown(socket.SHUT_RDWR)

    def accept():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=relay, args=(client,), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return path, listener


def test_another_operator_was_faster():
    world = World(FIRST)
    world.apply()
    world.write("[model flight-delay]\nroute = 2=100\n")

    asked = []

    def interfere(line):
        if line.startswith("POST") and "/route" in line:
            asked.append(line)
            # The first is asked of a dry run.
            if len(asked) == 2:
                world.runtime.run("promote", "flight-delay", "3", *REASON)
    path, listener = relay_to(world, interfere)
    done = subprocess.run([MLDECK, "apply", "-f", world.file, *REASON, "--socket", path], capture_output=True, text=True,
                          timeout=60)
    listener.close()
    assert done.returncode == 3, done
    assert "the route of flight-delay is at revision 2 (promote v3 by" in done.stderr, done.stderr
    assert world.model()["live"] == 3
    world.close()


def test_another_deploy_was_faster():
    world = World("[model flight-delay]\nversion.2 = v2.ubj\n")
    world.runtime.deploy_flights(1)

    def interfere(line):
        if line.startswith("POST") and "/deploy" in line:
            world.runtime.run("deploy", "flight-delay", V3)
    path, listener = relay_to(world, interfere)
    done = subprocess.run([MLDECK, "apply", "-f", world.file, *REASON, "--socket", path], capture_output=True, text=True,
                          timeout=60)
    listener.close()
    assert done.returncode == 3, done
    assert "the next version of flight-delay is 3, not 2 as expected" in done.stderr, done.stderr
    assert len(world.model()["versions"]) == 2
    world.close()


def test_killed_between_two_models():
    world = World("[model a]\nversion.1 = a1.txt\nversion.2 = a2.json\nroute = 1=50 2=50\n"
                  "[model b]\nversion.1 = v1.txt\nroute = 1=100\n")
    requests = ["POST /control/v1/artifacts", "POST /control/v1/models/a/deploy", "POST /control/v1/models/a/route",
                "POST /control/v1/models/b/deploy", "POST /control/v1/models/b/route"]
    for request in requests:
        client = []

        def kill(line):
            if line.startswith(request) and client:
                client[0].kill()
                client[0].wait()
        path, listener = relay_to(world, kill)
        client.append(subprocess.Popen([MLDECK, "apply", "-f", world.file, *REASON, "--socket", path],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        client[0].wait(60)
        listener.close()
        assert client[0].returncode in (0, -signal.SIGKILL), client[0].returncode
    world.apply()
    assert world.model("a")["revision"] == 1 and len(world.model("a")["versions"]) == 2
    assert world.model("b")["live"] == 1
    before = world.picture()
    assert "Nothing to do" in world.apply()
    assert world.picture() == before
    world.close()


def test_left_alone():
    world = World("[model a]\nversion.1 = a1.txt\n")
    world.runtime.deploy_flights(2)
    before = world.model()
    text = world.apply("--verbose")
    assert "flight-delay is left alone: the file does not name it" in text, text
    assert world.model()["revision"] == before["revision"]
    # A section without route or policy leaves those alone.
    world.write("[model flight-delay]\nversion.1 = v1.txt\n")
    assert "Nothing to do: 1 is as" in world.apply()
    world.close()


def test_artifact():
    world = World()
    world.runtime.deploy_flights(1)
    sha256 = world.model()["versions"][0]["sha256"]
    status, data = control(world.runtime, "GET", "/control/v1/artifacts/" + sha256)
    with open(V1, "rb") as file:
        assert status == 200 and data == file.read()
    assert control(world.runtime, "HEAD", "/control/v1/artifacts/" + sha256) == (200, b"")
    for name, status in (("0" * 64, 404), ("x", 400), ("..", 400), (sha256.upper(), 400)):
        assert control(world.runtime, "GET", "/control/v1/artifacts/" + name)[0] == status, name
    # A version of one model becomes one of another by its digest alone.
    world.write(f"[model copy]\nversion.1 = sha256:{sha256}\nname.1 = the copy.txt\n")
    world.apply()
    versions = json.loads(control(world.runtime, "GET", "/control/v1/models/copy/versions")[1])["versions"]
    assert versions[0]["manifest"]["file_name"] == "the copy.txt", versions
    # A file that was altered on the disk is not exported.
    path = os.path.join(world.runtime.state, "artifacts", "sha256", sha256[:2], sha256)
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.write(b"X")
    done = world.runtime.command("export", "--artifacts", os.path.join(world.folder, "out"))
    assert done.returncode == 7 and "was altered on disk" in done.stderr, done
    assert os.listdir(os.path.join(world.folder, "out")) == []
    world.close()


def export(runtime, folder):
    os.makedirs(folder)
    runtime.run("export", "--output", f"{folder}/models.ini", "--artifacts", f"{folder}/artifacts")
    with open(f"{folder}/models.ini", "rb") as file:
        return file.read()


def names_of(folder):
    return sorted(os.listdir(f"{folder}/artifacts"))


def test_export_and_back():
    world = World(FIRST + "[model empty]\nversion.1 = v1.txt\nroute = none\n"
                  "[model arrival-delay]\nversion.1 = a1.txt\nversion.2 = a2.json\nbaseline.2 = rows.csv\nsamples.2 = few.csv\n"
                  "name.2 = second; of two\nroute = 2=33.33 1=66.67\nlive = 2\n")
    shutil.copy(f"{FLIGHTS}/baseline.csv", os.path.join(world.folder, "rows.csv"))
    shutil.copy(f"{FLIGHTS}/sample.csv", os.path.join(world.folder, "few.csv"))
    world.apply()
    # On the same runtime it changes nothing, with artifacts and without.
    text = world.runtime.run("export")
    world.write(text)
    before = world.picture()
    assert "Nothing to do: 3 are as" in world.apply(), text
    assert world.picture() == before
    one = export(world.runtime, world.folder + "/one")
    done = world.runtime.command("apply", "-f", world.folder + "/one/models.ini", *REASON)
    assert done.returncode == 0 and "Nothing to do" in done.stdout, done
    # On an empty one it gives the same, to the byte.
    other = Runtime()
    other.run("apply", "-f", world.folder + "/one/models.ini", *REASON)
    two = export(other, world.folder + "/two")
    assert one == two, (one, two)
    assert names_of(world.folder + "/one") == names_of(world.folder + "/two")
    assert other.run("export") == text
    assert b"baseline.2 = artifacts/" in one and b"name.2 = second; of two" in one, one
    path = "/control/v1/models/arrival-delay/versions"
    mine, others = (json.loads(control(r, "GET", path)[1])["versions"] for r in (world.runtime, other))
    assert mine[1]["baseline"] == others[1]["baseline"] and mine[1]["baseline"]["source"] == "rows"
    path += "/2/samples"
    mine, others = (json.loads(control(r, "GET", path)[1])["csv"] for r in (world.runtime, other))
    assert mine == others and mine.startswith("weekday,"), (mine, others)
    # A second export finds its files, and one model can be had alone.
    assert "0 files written" in world.runtime.run("export", "-o", world.folder + "/one/models.ini", "--artifacts",
                                                  world.folder + "/one/artifacts")
    alone = world.runtime.run("export", "empty")
    assert alone.count("[model ") == 1 and "route = none" in alone, alone
    assert world.runtime.command("export", "nobody").returncode == 4
    assert world.runtime.command("export", "No!").returncode == 2
    done = world.runtime.command("export", "-o", world.folder + "/no/where/m.ini")
    assert done.returncode == 4 and "cannot be written" in done.stderr, done
    assert other.stop() == 0
    world.close()


def test_given_names_of_features():
    columns = ["a", "b,c", 'd"e', " f;g"]
    folder = tempfile.mkdtemp()
    model = os.path.abspath("tests/fixtures/forest/edge_lgb_custom.txt")
    world = World()
    probe = world.runtime.command("deploy", "probe", model)
    assert probe.returncode == 0, probe.stderr
    versions = json.loads(control(world.runtime, "GET", "/control/v1/models/probe/versions")[1])["versions"]
    count = versions[0]["manifest"]["feature_count"]
    columns = (columns + [f"x{i}" for i in range(count)])[:count]
    header = os.path.join(folder, "names.csv")
    with open(header, "w", encoding="utf-8") as file:
        file.write(",".join('"' + name.replace('"', '""') + '"' for name in columns) + "\n")
    shutil.copy(model, os.path.join(world.folder, "m.txt"))
    shutil.copy(header, os.path.join(world.folder, "names.csv"))
    world.write("[model named]\nversion.1 = m.txt\nfeatures.1 = names.csv\n")
    world.apply()
    one = export(world.runtime, world.folder + "/one")
    other = Runtime()
    other.run("apply", "-f", world.folder + "/one/models.ini", *REASON)
    assert export(other, world.folder + "/two") == one
    versions = json.loads(control(other, "GET", "/control/v1/models/named/versions")[1])["versions"]
    assert versions[0]["manifest"]["feature_names"] == columns, versions[0]["manifest"]["feature_names"]
    assert other.stop() == 0
    world.close()


def test_the_sample():
    runtime = Runtime()
    runtime.run("apply", "-f", f"{FLIGHTS}/models.ini", *REASON)
    models = {m["name"]: m for m in runtime.json("status")["models"]}
    assert models["flight-delay"]["live"] == 2 and len(models["arrival-delay"]["versions"]) == 2
    assert "Nothing to do" in runtime.run("apply", "-f", f"{FLIGHTS}/models.ini", *REASON)
    assert runtime.stop() == 0


def test_policies():
    world = World("[model a]\nversion.1 = a1.txt\npolicy.p99_ratio_max = 2\npolicy.min_age = 1h\n")
    if control(world.runtime, "GET", "/control/v1/models/a/policy")[1].startswith(b'{"error":"there is nothing at'):
        world.close()
        raise Skip("this runtime takes no policies yet")
    world.apply()
    assert "policy.min_age = 1h" in world.runtime.run("export")
    before = world.picture()
    assert "Nothing to do" in world.apply()
    assert world.picture() == before
    world.write("[model a]\npolicy.p99_ratio_max = 3\n")
    text = world.apply()
    assert "  - policy.min_age = 0 (was 1h)\n" in text and "  ~ policy.p99_ratio_max = 3 (was 2)\n" in text, text
    world.close()


def test_a_gate_says_no():
    world = World("[model a]\nversion.1 = a1.txt\nversion.2 = a2.json\n[model b]\nversion.1 = v1.txt\nversion.2 = v3.txt\n")
    world.apply()
    status, data = control(world.runtime, "POST", "/control/v1/models/b/policy",
                           {"set": {"min_age": "1d"}, "reason": "let it ripen"})
    assert status == 200, data
    world.write("[model a]\nroute = 1=50 2=50\n[model b]\nroute = 1=50 2=50\n")
    # The route of a is not changed either: what can be known is asked for before.
    said = world.refused(1)
    assert "b, route: " in said and said.endswith("; nothing was changed"), said
    done = world.command("--dry-run")
    assert done.returncode == 1 and "~ route = v1 50% v2 50% (was v1 100%)" in done.stdout, done
    fault = json.loads(world.command("--dry-run", "--json").stdout)["fault"]
    assert fault["code"] == "gate" and "--force" not in world.apply("--force")
    assert world.model("b")["revision"] == 2
    records = json.loads(control(world.runtime, "GET", "/control/v1/audit?model=b&limit=1")[1])["records"]
    assert records[0]["forced"] is True, records[0]
    world.close()


def test_a_rollout_owns_its_route():
    world = World("[model flight-delay]\nroute = 1=100\n")
    world.runtime.deploy_flights(3)
    world.runtime.run("rollout", "flight-delay", "3", "--steps", "10,100", "--hold", "1h", *REASON)
    said = world.refused(3)
    assert "line 2: a rollout of v3 of flight-delay is under way" in said, said
    # What says the same, or nothing of the route, is no change.
    world.write("[model flight-delay]\nroute = 1=90 3=10\n")
    assert "Nothing to do" in world.apply()
    world.write("[model flight-delay]\nversion.3 = v3.txt\n")
    assert "Nothing to do" in world.apply()
    world.runtime.run("rollout", "flight-delay", "--abort", *REASON)
    world.write("[model flight-delay]\nroute = 2=100\n")
    world.apply()
    world.close()


def test_a_thousand_models():
    world = World("".join(f"[model m{i:04}]\nversion.1 = a1.txt\nroute = 1=100\n" for i in range(1000)))
    done = world.command("--dry-run", "--json")
    assert done.returncode == 0 and len(json.loads(done.stdout)["changes"]) == 2000, done.stderr
    done = subprocess.run([MLDECK, "apply", "-f", world.file, *REASON, "--state", world.runtime.state],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "m0999: the route is v1 100% (revision 1)." in done.stdout, done.stderr
    assert "Nothing to do: 1000 are as" in world.apply()
    text = world.runtime.run("export")
    assert text.count("[model ") == 1000
    world.write(text)
    assert "Nothing to do: 1000 are as" in world.apply()
    world.close()


run_tests(globals())
