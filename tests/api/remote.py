"""Versions that are models on another V2 server: predictions, bad servers, TLS, tokens, retries, many at once.

The other server is v2_server.py's, which misbehaves as a test says, or another mldeck.
"""
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading

from runtime import DEADLINE_S, FLIGHTS, Runtime, Skip, poll, rows_body, run_tests
from v2_server import METADATA, Server, answer, honest

INFER = "/v2/models/m/infer"


def x(*rows, **more):
    return {"inputs": [{"name": "x", "shape": [len(rows), 2], "datatype": "FP32",
                        "data": [value for row in rows for value in row]}], **more}


class Deployed:
    """A runtime and a server whose model it has as `m`, both ended at the end of the block."""

    def __init__(self, *options, config="", **server):
        self.options, self.server = options, Server(**server)
        state = tempfile.mkdtemp()
        if config:
            with open(f"{state}/mldeck.ini", "w") as file:
                file.write(config)
        self.runtime = Runtime(state)

    def __enter__(self):
        self.runtime.run("deploy", "m", self.server.url(), *self.options)
        return self.runtime, self.server

    def __exit__(self, kind, error, trace):
        code = self.runtime.stop()
        self.server.stop()
        if kind is None:
            assert code == 0, (code, self.runtime.read_log())


def kept(runtime):
    """The artifacts on the disk."""
    for folder, _, names in os.walk(f"{runtime.state}/artifacts"):
        yield from (os.path.join(folder, name) for name in names)


def test_predictions_in_json_and_in_bytes():
    for extensions in ([], ["binary_tensor_data"]):
        with Deployed(extensions=extensions) as (runtime, server):
            status, body = runtime.infer(x([1, 2.5], [-3, 1e-3]), INFER)
            assert status == 200, body
            y, s = body["outputs"]
            assert y == {"name": "y", "shape": [2, 1], "datatype": "FP64", "data": y["data"]}, y
            assert abs(y["data"][0] - 3.5) < 1e-9 and abs(y["data"][1] + 2.999) < 1e-6, y
            assert s["data"][0] == "3.5", s
            assert runtime.infer(x([1, 2], outputs=[{"name": "s"}]), INFER)[1]["outputs"][0]["data"] == ["3.0"]
            last = server.log[-1]
            assert ("inference-header-content-length" in last.headers) == bool(extensions), last.headers
            # What is counted is asked for too.
            assert sorted(o["name"] for o in last.json()["outputs"]) == ["s", "y"], last.json()
            # NaN comes as null, and goes as it can.
            runtime.infer(x([1, None]), INFER)
            sent = server.log[-1]
            if extensions:
                assert sent.body[sent.json_size() + 4:] == struct.pack("<f", float("nan")), sent.body
            else:
                assert sent.json()["inputs"][0]["data"][1] is None, sent.body


def test_the_signature_is_the_servers():
    with Deployed(extensions=["binary_tensor_data", "logging"]) as (runtime, server):
        version = runtime.json("versions", "m")["versions"][0]
        manifest = version["manifest"]
        assert manifest["engine"] == "remote" and manifest["inputs"] == METADATA["inputs"], manifest
        facts = {fact["name"]: fact["value"] for fact in manifest["facts"]}
        assert facts == {"remote_url": server.url(), "remote_platform": "test", "remote_versions": "1",
                         "remote_server": "test server 7", "remote_extensions": "binary_tensor_data, logging"}, facts
        assert manifest["file_name"] == server.url(), manifest
        assert version["state"] == "ready", version
        # The same URL again is the same version; another is the next.
        assert json.loads(runtime.run("deploy", "m", server.url(), "--json"))["version"] == 1
        assert json.loads(runtime.run("deploy", "m", server.url() + "/versions/1", "--json"))["version"] == 2


def test_what_cannot_be_deployed():
    runtime, server = Runtime(), Server()
    refused = [
        ([server.url("nothing")], 4, "does not exist (HTTP 404): unknown model"),
        ([f"http://127.0.0.1:{server.port}/v2"], 2, "/v2/models/NAME"),
        ([f"http://me:pw@127.0.0.1:{server.port}/v2/models/m"], 2, "--token-file"),
        ([server.url(), "--token-file", "/nowhere/token"], 4, "/nowhere/token"),
        ([server.url(), "--timeout", "soon"], 2, "timeout"),
        ([f"{FLIGHTS}/flight-delay/v1.txt", "--timeout", "2s"], 2, "--timeout is for a model on another server"),
    ]
    for words, code, part in refused:
        done = runtime.command("deploy", "m", *words)
        assert done.returncode == code and part in done.stderr, (words, done)
        assert "pw" not in done.stderr.replace("--", ""), done
    server.metadata = {"name": "m", "inputs": [], "outputs": []}
    done = runtime.command("deploy", "m", server.url())
    assert done.returncode == 5 and "--signature FILE" in done.stderr, done
    server.stop()
    done = runtime.command("deploy", "m", server.url())
    assert done.returncode == 5 and "nothing answers" in done.stderr, done
    assert runtime.json("status")["models"] == []
    assert list(kept(runtime)) == [], "a refused descriptor was kept"
    assert runtime.stop() == 0


def test_a_signature_in_place_of_the_servers():
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"inputs": METADATA["inputs"], "outputs": METADATA["outputs"][:1]}, file)
        file.flush()
        with Deployed("--signature", file.name, metadata={"name": "m", "inputs": [], "outputs": []}) as (runtime, _):
            status, body = runtime.infer(x([1, 2]), INFER)
            assert status == 200 and body["outputs"][0]["data"] == [3], body


def outputs(**changes):
    y = {"name": "y", "datatype": "FP64", "shape": [1, 1], "data": [3.0], **changes}
    return answer(200, {"outputs": [{k: v for k, v in y.items() if v is not None}]})


def test_what_bad_servers_answer():
    """Every one is a sentence that names the server, and none harms the next request."""
    cases = [
        ("HTML", 502, "HTML or XML instead of JSON", lambda r: answer(200, b"<html>welcome</html>")),
        ("nothing", 502, "nothing instead of JSON", lambda r: answer(200)),
        ("no outputs", 502, "it has no `outputs`", lambda r: answer(200, {"model_name": "m"})),
        ("other output", 502, "output `y` is missing", lambda r: outputs(name="z")),
        ("datatype", 502, "datatype FP32, its signature says FP64", lambda r: outputs(datatype="FP32")),
        ("rank", 502, "shape [1], its signature says [-1, 1]", lambda r: outputs(shape=[1])),
        ("rows", 502, "has 2 rows, 1 were asked for", lambda r: outputs(shape=[2, 1], data=[1, 2])),
        ("count", 502, "needs 1 values, got 3", lambda r: outputs(data=[1, 2, 3])),
        ("strings", 502, "not of datatype FP64", lambda r: outputs(data=["3"])),
        ("binary size", 502, "bytes are left", lambda r: outputs(data=None, parameters={"binary_data_size": 8})),
        ("header length", 502, "Inference-Header-Content-Length", lambda r: answer(
            200, b"{}", ["Inference-Header-Content-Length: 3"])),
        ("cut JSON", 502, "the answer of", lambda r: answer(200, b'{"outputs":[{"name":"y"')),
        ("500", 502, "HTTP 500: on fire\\x0a!", lambda r: answer(500, {"error": "on fire\n!"})),
        ("500 of HTML", 502, "HTTP 500, with HTML", lambda r: answer(500, b"<h1>oops</h1>")),
        ("redirect", 502, "redirect", lambda r: answer(307, b"", ["Location: http://127.0.0.1:1/"])),
        ("404", 502, "does not exist", lambda r: answer(404, {"error": "gone"})),
        ("401", 502, "check the token's file", lambda r: answer(401)),
        ("503", 502, "HTTP 503: loading", lambda r: answer(503, {"error": "loading"})),
        ("400", 400, "HTTP 400: no such row", lambda r: answer(400, {"error": "no such row"})),
        ("422", 400, "HTTP 422: not valid", lambda r: answer(422, {"detail": "not valid"})),
        ("429", 429, "HTTP 429", lambda r: answer(429)),
        ("no HTTP", 502, "broke off", lambda r: b"SSH-2.0-OpenSSH\r\n"),
        ("closed", 502, "broke off", lambda r: None),
        ("reset", 502, "broke off", reset),
        ("cut", 502, "broke off", lambda r: r.socket.sendall(honest(r)[:-5])),
        ("too short", 502, "broke off", lambda r: r.socket.sendall(honest(r).replace(b"Length: ", b"Length: 9"))),
        ("long header", 502, "header of the answer of", lambda r: b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50000),
        ("long header line", 502, "header of the answer of", lambda r: b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000000),
        ("chunks that end early", 502, "broke off", lambda r: r.socket.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":")),
    ]
    with Deployed("--retries", "2") as (runtime, server):
        counts = {}
        for name, status, part, infer in cases:
            server.infer, server.requests = infer, 0
            got, body = runtime.infer(x([1, 2]), INFER)
            assert got == status and part in body["error"], (name, got, body)
            assert str(server.port) not in body["error"] and "the model's server" in body["error"], (name, body)
            # A kept connection that ends before a byte of the answer may have ended before the request came.
            asked = 2 if name in ("closed", "reset") else 1
            assert server.requests == asked, (name, "was asked again", server.requests)
            server.infer = honest
            assert runtime.infer(x([1, 2]), INFER)[0] == 200, name
            kind = {400: "input", 429: "busy", 502: "upstream"}[status]
            counts[kind] = counts.get(kind, 0) + 1
            counts["ok"] = counts.get("ok", 0) + 1
        text = runtime.request("GET", "/metrics")[1].decode()
        for kind, count in counts.items():
            assert f'mldeck_remote_answers_total{{model="m",version="1",kind="{kind}"}} {count}\n' in text, text
        assert 'mldeck_remote_in_flight{model="m",version="1"} 0\n' in text, text


def reset(request):
    request.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.socket.close()


def test_an_answer_longer_than_the_body_limit():
    def endless(request):
        request.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            request.socket.sendall(b" " * 1000000)

    with Deployed(config="[server]\nbody_max = 1M\n") as (runtime, server):
        server.infer = endless
        status, body = runtime.infer(x([1, 2]), INFER)
        assert status == 502 and "longer than 1048576 bytes" in body["error"], body


def test_slow_servers_are_a_time_out():
    def stall(request):
        request.socket.recv(1)

    def drip(request):
        data = honest(request)
        for i in range(len(data)):
            request.socket.sendall(data[i:i + 1])
            if server.ending.wait(0.05):
                return

    with Deployed("--timeout", "300ms") as (runtime, server):
        for infer in (stall, drip):
            server.infer, server.requests = infer, 0
            status, body = runtime.infer(x([1, 2]), INFER)
            assert status == 504 and "did not answer within" in body["error"], body
            assert server.url() not in body["error"] and "the model's server" in body["error"], body
            assert server.requests == 1
        server.infer = honest
        # On a busy machine even that may take longer, once.
        poll(lambda: runtime.infer(x([1, 2]), INFER)[0] == 200)


def retries(runtime):
    line = next(line for line in runtime.request("GET", "/metrics")[1].decode().splitlines()
                if line.startswith("mldeck_remote_retries_total{"))
    return int(line.split()[-1])


def test_asked_again_only_where_nothing_was_done():
    answers = []

    def infer(request):
        return answers.pop(0) or honest(request)

    busy = answer(503, {"error": "busy"}, ["Retry-After: 0"])
    with Deployed("--retries", "2", infer=infer) as (runtime, server):
        for given, status, asked in [([busy, None], 200, 2), ([answer(429, b"", ["Retry-After: 0"]), busy, None], 200, 3),
                                     ([busy, busy, busy, None], 502, 3), ([answer(503), None], 502, 1),
                                     ([answer(500, b"", ["Retry-After: 0"]), None], 502, 1),
                                     ([answer(503, b"", ["Retry-After: 3600"]), None], 502, 1)]:
            answers[:] = given
            server.requests = 0
            got, body = runtime.infer(x([1, 2]), INFER)
            assert got == status and server.requests == asked, (given, got, body, server.requests)

        # Where nobody is, too.
        before = retries(runtime)
        server.stop()
        status, body = runtime.infer(x([1, 2]), INFER)
        assert status == 502 and "nothing answers" in body["error"], body
        assert retries(runtime) == before + 2


def test_a_connection_that_was_closed_meanwhile_is_no_error():
    def once(request):
        request.socket.sendall(honest(request))  # kept alive, as far as it says

    with Deployed("--retries", "0", infer=once) as (runtime, server):
        for _ in range(20):
            status, body = runtime.infer(x([1, 2]), INFER)
            assert status == 200, body


def test_connections_are_used_again():
    with Deployed() as (runtime, server):
        runtime.infer(x([1, 2]), INFER)
        before = server.connections
        for _ in range(50):
            assert runtime.infer(x([1, 2]), INFER)[0] == 200
        assert server.connections == before, (before, server.connections)
        assert server.requests == 51


def test_a_hundred_at_once_hold_no_thread():
    count = 100
    together, release = threading.Barrier(count + 1), threading.Event()

    def held(request):
        together.wait(DEADLINE_S)
        release.wait(DEADLINE_S)
        return honest(request)

    with Deployed("--timeout", "1m") as (runtime, server):
        runtime.deploy_flights(1)
        server.infer = held
        results = []
        threads = [threading.Thread(target=lambda: results.append(runtime.infer(x([1, 2]), INFER)[0]))
                   for _ in range(count)]
        for thread in threads:
            thread.start()
        together.wait(DEADLINE_S)  # all of them are with the server now
        rows = json.load(open(f"{FLIGHTS}/infer.json"))
        for _ in range(200):
            assert runtime.infer(rows)[0] == 200
        assert not results
        release.set()
        for thread in threads:
            thread.join()
        assert results == [200] * count, results


def test_more_than_may_be_under_way_is_429():
    waiting, release = threading.Semaphore(0), threading.Event()

    def held(request):
        waiting.release()
        release.wait(DEADLINE_S)
        return honest(request)

    with Deployed(config="[remote]\nin_flight = 3\n") as (runtime, server):
        server.infer = held
        results = []
        threads = [threading.Thread(target=lambda: results.append(runtime.infer(x([1, 2]), INFER)[0]))
                   for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert waiting.acquire(timeout=DEADLINE_S)
        status, body = runtime.infer(x([1, 2]), INFER)
        assert status == 429 and "3 predictions" in body["error"], body
        release.set()
        for thread in threads:
            thread.join()
        assert results == [200] * 3
        assert runtime.infer(x([1, 2]), INFER)[0] == 200


def certificate(folder, name, host):
    """A certificate for a host of an authority of its own: context for a server, and the authority's file."""
    authority, key, cert = f"{folder}/{name}-ca.pem", f"{folder}/{name}.key", f"{folder}/{name}.pem"

    def openssl(*words):
        done = subprocess.run(["openssl", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name} authority",
            "-keyout", f"{folder}/{name}-ca.key", "-out", authority)
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host}", "-keyout", key, "-out", f"{cert}.csr")
    with open(f"{folder}/{name}.ext", "w") as file:
        file.write(f"subjectAltName = {'IP' if host[0].isdigit() else 'DNS'}:{host}\n")
    openssl("x509", "-req", "-in", f"{cert}.csr", "-CA", authority, "-CAkey", f"{folder}/{name}-ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", f"{folder}/{name}.ext", "-out", cert)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, authority


def test_tls_is_verified():
    if shutil.which("openssl") is None:
        raise Skip("openssl is not installed")
    folder = tempfile.mkdtemp()
    good, authority = certificate(folder, "good", "127.0.0.1")
    wrong, wrong_authority = certificate(folder, "wrong", "elsewhere.test")
    runtime = Runtime()
    server = Server(tls=good)
    # In the clear where TLS is meant; first, for a newer libcurl takes a TLS connection that it has for this, too.
    done = runtime.command("deploy", "m", server.url().replace("https", "http"))
    assert done.returncode == 5, done
    done = runtime.command("deploy", "m", server.url())
    assert done.returncode == 5 and "no secure connection" in done.stderr, done
    done = runtime.command("deploy", "m", server.url(), "--ca-file", wrong_authority)
    assert done.returncode == 5 and "no secure connection" in done.stderr, done
    runtime.run("deploy", "m", server.url(), "--ca-file", authority)
    assert runtime.infer(x([1, 2]), INFER)[0] == 200
    before = server.connections
    for _ in range(5):
        assert runtime.infer(x([1, 2]), INFER)[0] == 200
    assert server.connections == before
    server.stop()
    # Another server on the same port, whose certificate nobody vouches for.
    server.tls = wrong
    server.start()
    server.requests = 0
    status, body = runtime.infer(x([1, 2]), INFER)
    assert status == 502 and "no secure connection" in body["error"], body
    assert server.requests == 0
    done = runtime.command("deploy", "m", server.url(), "--ca-file", wrong_authority)
    assert done.returncode == 5 and "127.0.0.1" in done.stderr, done
    server.stop()
    assert runtime.stop() == 0


def test_http2_carries_many_over_one_connection():
    """nghttpx in front of the test server offers HTTP/2 over TLS."""
    for program in ("openssl", "nghttpx"):
        if shutil.which(program) is None:
            raise Skip(f"{program} is not installed")
    folder = tempfile.mkdtemp()
    _, authority = certificate(folder, "proxy", "127.0.0.1")
    together = threading.Barrier(20)

    def held(request):
        together.wait(DEADLINE_S)
        return honest(request)

    server, runtime = Server(), Runtime()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    proxy = subprocess.Popen(
        ["nghttpx", "--conf=/dev/null", "--workers=1", "--no-ocsp", f"--frontend=127.0.0.1,{port}",
         f"--backend=127.0.0.1,{server.port}", f"--accesslog-file={folder}/log", "--errorlog-file=/dev/null",
         "--accesslog-format=$alpn $method $remote_port", f"{folder}/proxy.key", f"{folder}/proxy.pem"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        poll(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0 or proxy.poll() is not None)
        runtime.run("deploy", "m", f"https://127.0.0.1:{port}/v2/models/m", "--ca-file", authority)
        server.infer = held
        results = []
        threads = [threading.Thread(target=lambda: results.append(runtime.infer(x([1, 2]), INFER)[0])) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [200] * 20, results
    finally:
        code = runtime.stop()
        proxy.terminate()
        proxy.wait(DEADLINE_S)
        server.stop()
    assert code == 0
    with open(f"{folder}/log") as file:
        asked = [line.split() for line in file if " POST " in line]
    assert len(asked) == 20 and {line[0] for line in asked} == {"h2"}, asked
    assert len({line[2] for line in asked}) == 1, "more than one connection"


def test_a_token_is_sent_and_rotated_and_never_shown():
    folder = tempfile.mkdtemp()
    path = f"{folder}/token"

    def rotate(text):
        with open(f"{path}.new", "w") as file:
            file.write(text)
        os.rename(f"{path}.new", path)

    rotate("secret-one\n")
    with Deployed("--token-file", path) as (runtime, server):
        runtime.infer(x([1, 2]), INFER)
        assert server.log[-1].authorization == "Bearer secret-one"
        for i in range(3):
            rotate(f"secret-{i}")
            runtime.infer(x([1, 2]), INFER)
            assert server.log[-1].authorization == f"Bearer secret-{i}", server.log[-1].authorization
        # Written in place, of the same size, within the clock's grain.
        with open(path, "r+") as file:
            file.write("secret-9")
        runtime.infer(x([1, 2]), INFER)
        assert server.log[-1].authorization == "Bearer secret-9", server.log[-1].authorization
        for text in ("", "two words: secret", "secret\r\nX-Header: 1", "secret\x01", "secret" * 2000):
            rotate(text)
            server.requests = 0
            status, body = runtime.infer(x([1, 2]), INFER)
            assert status == 502 and path in body["error"] and "secret" not in body["error"], (text[:20], body)
            assert server.requests == 0
        os.remove(path)
        assert runtime.infer(x([1, 2]), INFER)[0] == 502
        server.infer = lambda request: answer(401, {"error": "who are you"})
        rotate("secret-last")
        status, body = runtime.infer(x([1, 2]), INFER)
        assert status == 502 and "secret" not in body["error"], body
        shown = [json.dumps(runtime.json("status")), json.dumps(runtime.json("versions", "m")),
                 json.dumps(runtime.json("audit")), runtime.run("snapshot", "models", "--format", "json"),
                 runtime.read_log()]
        for text in shown:
            assert "secret" not in text, text
        for path in kept(runtime):
            assert b"secret" not in open(path, "rb").read()


def ready(runtime):
    return runtime.request("GET", "/v2/models/m/ready")[0].status == 200


def test_a_restart_waits_for_no_server():
    with Deployed() as (runtime, server):
        assert ready(runtime)
        server.stop()
        assert runtime.infer(x([1, 2]), INFER)[0] == 502
        assert not ready(runtime)
        runtime.stop()
        runtime.start()
        assert not ready(runtime)
        version = runtime.json("versions", "m")["versions"][0]
        assert version["state"] != "ready", version
        server.start()
        poll(lambda: ready(runtime))
        assert runtime.infer(x([1, 2]), INFER)[1]["outputs"][0]["data"] == [3]
        # It is asked, not only remembered.
        server.ready = False
        poll(lambda: not ready(runtime))
        server.ready = True
        poll(lambda: ready(runtime))


def test_the_end_of_a_runtime_waits_for_what_is_under_way():
    arrived, release = threading.Event(), threading.Event()

    def held(request):
        arrived.set()
        release.wait(DEADLINE_S)
        return honest(request)

    with Deployed("--timeout", "1m") as (runtime, server):
        server.infer = held
        results = []
        thread = threading.Thread(target=lambda: results.append(runtime.infer(x([1, 2]), INFER)[0]))
        thread.start()
        assert arrived.wait(DEADLINE_S)
        runtime.process.terminate()
        poll(lambda: "draining" in runtime.read_log())
        release.set()
        thread.join()
        assert results == [200], results


def test_the_end_of_a_runtime_ends_a_deploy_that_waits():
    """For a server that takes connections and answers nothing."""
    runtime = Runtime()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v2/models/m"
        results = []
        thread = threading.Thread(target=lambda: results.append(
            runtime.command("deploy", "m", url, "--timeout", "10m")))
        thread.start()
        silent.settimeout(DEADLINE_S)
        connection, _ = silent.accept()
        assert runtime.stop() == 0
        thread.join()
        connection.close()
    assert results[0].returncode == 5 and "the runtime is ending" in results[0].stderr, results


def test_an_unload_that_waits_holds_nobody_up():
    arrived, release = threading.Event(), threading.Event()

    def held(request):
        arrived.set()
        release.wait(DEADLINE_S)
        return honest(request)

    with Deployed("--timeout", "1m", config="[server]\nmodel_control = yes\n") as (runtime, server):
        server.infer = held
        results = []

        def unload():
            results.append(runtime.request("POST", "/v2/repository/models/m/unload")[0].status)

        threads = [threading.Thread(target=lambda: results.append(runtime.infer(x([1, 2]), INFER)[0])),
                   threading.Thread(target=unload)]
        threads[0].start()
        assert arrived.wait(DEADLINE_S)
        threads[1].start()
        poll(lambda: not ready(runtime))
        runtime.deploy_flights(1)
        assert runtime.request("POST", "/v2/repository/models/flight-delay/unload")[0].status == 200
        assert results == [], results
        # The same file anew: what it replaces is in use until the prediction has ended.
        threads.append(threading.Thread(target=lambda: runtime.run("deploy", "m", server.url(), "--timeout", "1m")))
        threads[2].start()
        poll(lambda: ready(runtime))
        release.set()
        for thread in threads:
            thread.join()
        assert results == [200, 200], results


def test_a_local_and_a_remote_version_share_a_route():
    """mldeck in front of mldeck: the same model here and there, half of the requests each."""
    behind, front = Runtime(), Runtime()
    behind.deploy_flights(2)
    front.deploy_flights(1)
    url = f"http://{behind.host}:{behind.port}/v2/models/flight-delay/versions/"
    front.run("deploy", "flight-delay", url + "1")
    front.run("deploy", "flight-delay", url + "2")
    rows = json.load(open(f"{FLIGHTS}/infer.json"))
    by_version = {}
    for version in ("1", "2", "3"):
        status, body = front.infer(rows, f"/v2/models/flight-delay/versions/{version}/infer")
        assert status == 200, body
        by_version[version] = body["outputs"][0]["data"]
    # The very same numbers, through JSON, bytes and back.
    assert by_version["2"] == by_version["1"] != by_version["3"], by_version
    local = behind.infer(rows, "/v2/models/flight-delay/versions/2/infer")[1]["outputs"][0]["data"]
    assert by_version["3"] == local
    front.run("split", "flight-delay", "1=50", "2=50", "--reason", "half and half")
    seen = {}
    for i in range(100):
        status, body = front.infer(rows, headers={"Mldeck-Unit": f"unit {i}"})
        assert status == 200, body
        seen.setdefault(body["model_version"], []).append(body["outputs"][0]["data"])
    assert sorted(seen) == ["1", "2"], seen.keys()
    assert all(data == by_version["1"] for answers in seen.values() for data in answers)
    names = front.json("versions", "flight-delay")["versions"]
    assert names[1]["manifest"]["feature_names"] == names[0]["manifest"]["feature_names"]
    # It takes FP32 where v1 takes FP64, as callers would notice.
    done = front.command("promote", "flight-delay", "3", "--reason", "the remote one")
    assert done.returncode == 1 and "is FP32 [-1, 15], not FP64" in done.stderr, done
    front.run("promote", "flight-delay", "3", "--reason", "the remote one", "--force")
    assert front.infer(rows)[1]["model_version"] == "3"
    assert front.stop() == 0 and behind.stop() == 0


run_tests(globals())
