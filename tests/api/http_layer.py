"""The HTTP layer from raw sockets: malformed requests, drips, compressed bodies, CORS, methods, configuration.

Every refusal is a JSON sentence, closes the connection where framing is in doubt, and leaves the server as it was.
"""
import gzip
import json
import os
import select
import socket
import subprocess
import tempfile
import time
import zlib

from runtime import DEADLINE_S, FLIGHTS, MLDECK, Runtime, poll, rows_body, run_tests

INFER = "/v2/models/flight-delay/infer"
LIVE = b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /v2/models/none/infer HTTP/1.1\r\nHost: a\r\n"
BOMB_SIZE = 512 << 20
# Under the address checks freed memory stays resident for a while.
GROWTH_MAX = (700 if "asan" in MLDECK else 48) << 20


def connect(runtime):
    connection = socket.create_connection((runtime.host, runtime.port), timeout=DEADLINE_S)
    return connection


def answer(connection):
    """One answer: status, headers in lower case, body. The body ends with its length, or with the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        assert piece, ("no whole answer", data)
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
    headers = [(name.lower(), value) for name, value in headers]
    length = int(dict(headers).get("content-length", 0))
    while len(body) < length:
        piece = connection.recv(65536)
        assert piece, "the body is cut"
        body += piece
    return int(lines[0].split()[1]), dict(headers), body, headers


def ended(connection):
    """Whether the server closed it: nothing more comes."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def ask(runtime, data):
    with connect(runtime) as connection:
        connection.sendall(data)
        return answer(connection)


def call(runtime, method, path, body=b"", **headers):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return ask(runtime, f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode()
               + body)


def sentence(body):
    fields = json.loads(body)
    assert list(fields) == ["error"], body
    return fields["error"]


def resident(runtime):
    with open(f"/proc/{runtime.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def good_body():
    with open(f"{FLIGHTS}/infer.json", "rb") as file:
        return file.read()


MALFORMED = [
    (LIVE + b"Host: b\r\n\r\n", "several Host"),
    (b"GET /v2 HTTP/1.1\r\nHost: a b\r\n\r\n", "no host"), (b"GET /v2 HTTP/1.1\r\nHost: a/b\r\n\r\n", "no host"),
    (b"GET /v2 HTTP/1.1\r\nHost: u@a\r\n\r\n", "no host"),
    (LIVE + b"X: a\x01b\r\n\r\n", "control character"),
    (LIVE + b"X: a\x7fb\r\n\r\n", "control character"),
    (LIVE + b"X: a\x00b\r\nY: c\r\n\r\n", "NUL"),
    (LIVE + b"X: a\x00b\r\n\r\n", "NUL"),
    (LIVE + b"X: a\rb\r\n\r\n", "control character"),
    (LIVE + b"X: a\nY: b\r\n\r\n", "bare CR or LF"),
    (b"GET /v2/health/live HTTP/1.1\nHost: a\n\n", "bare CR or LF"),
    (LIVE + b"X\x01y: a\r\n\r\n", "no name of a header"),
    (LIVE + b"X y: a\r\n\r\n", "no name of a header"),
    (LIVE + b"X : a\r\n\r\n", "no name of a header"),
    (LIVE + b"\xc3\xa9: a\r\n\r\n", "no name of a header"),
    (POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "several Content-Length"),
    (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "several Content-Length"),
    (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "both Content-Length"),
    (POST + b"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", "several Content-Encoding"),
    (POST + b"Inference-Header-Content-Length: 2\r\nInference-Header-Content-Length: 3\r\nContent-Length: 3\r\n\r\n{} ",
     "several Inference-Header"),
    (POST + b"Transfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding"),
    (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
    (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
    (POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
    (b"GET /v2/models/fd%00 HTTP/1.1\r\nHost: a\r\n\r\n", "%00"),
    (b"GET /v2?a=%00 HTTP/1.1\r\nHost: a\r\n\r\n", "%00"),
    (b"GET /v2/fd%zz HTTP/1.1\r\nHost: a\r\n\r\n", "escape"),
    (b"GET /v2/fd%4 HTTP/1.1\r\nHost: a\r\n\r\n", "escape"),
    (b"GET /v2/fd\x00x HTTP/1.1\r\nHost: a\r\n\r\n", "NUL"),
    (b"GET /v2/fd\x01x HTTP/1.1\r\nHost: a\r\n\r\n", "control character"),
    (LIVE + b"".join(b"X%d: a\r\n" % i for i in range(200)) + b"\r\n", "more than 100 header lines"),
    (b"GET /v2?" + b"&".join(b"a%d=1" % i for i in range(200)) + b" HTTP/1.1\r\nHost: a\r\n\r\n", "more than 64 arguments"),
    # So many that libmicrohttpd has no memory for their list; it would not answer.
    (b"GET /v2?" + b"&" * 8000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", "more than 64 arguments"),
    (b"GET /v2?\x01" + b"&a" * 4000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", "more than 64 arguments"),
]
TOO_LONG = [b"GET /v2?a=" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /v2?" + b"&" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"]
# libmicrohttpd refuses these by itself, in its own words, some by just closing.
REFUSED_BELOW = [
    b"GET /v2/health/live HTTP/1.1\r\n\r\n", LIVE + b"X\x00y: a\r\n\r\n", LIVE + b"Xy\r\n\r\n",
    POST + b"Content-Length: +1\r\n\r\na", POST + b"Content-Length: -1\r\n\r\na", POST + b"Content-Length: 1,1\r\n\r\na",
    POST + b"Content-Length: \r\n\r\n", POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\na\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\na\r\n0\r\n\r\n",
    LIVE + b"X: " + b"a" * 40000 + b"\r\n\r\n", b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    # The request's state is freed all the same; the address checks say so at the end.
    LIVE + b"Cookie: " + b"; ".join(b"a%d=1" % i for i in range(500)) + b"\r\n\r\n",
    b"GET /v2\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET /v2/a b HTTP/1.1\r\nHost: a\r\n\r\n",
]


# What libmicrohttpd refuses by itself from 1.0 on, before we are asked: with a page in HTML, or by closing.
NEWER_REFUSES = ("NUL", "control character", "bare CR or LF", "no name of a header", "both Content-Length",
                 "Transfer-Encoding")


def refusal(connection, data, part):
    """The answer to a malformed request; None where a newer libmicrohttpd refused it by itself."""
    connection.sendall(data)
    first = connection.recv(1, socket.MSG_PEEK)
    if first == b"" and part in NEWER_REFUSES:
        return None
    status, headers, body, _ = answer(connection)
    assert status == 400, (data[:80], status, body)
    assert headers["connection"].lower() == "close" and ended(connection), (data[:80], headers)
    return None if body.startswith(b"<html>") and part in NEWER_REFUSES else body


def test_malformed_requests_are_refused_and_closed():
    runtime = Runtime()
    for data, part in MALFORMED:
        with connect(runtime) as connection:
            body = refusal(connection, data, part)
            assert body is None or part in sentence(body), (data[:80], body)
    for data in TOO_LONG:
        status, _, body, _ = ask(runtime, data)
        assert status == 414 and "longer than 16384" in sentence(body), (data[:80], status, body)
    for data in REFUSED_BELOW:
        with connect(runtime) as connection:
            try:
                connection.sendall(data)
                first = connection.recv(65536)
            except ConnectionError:
                first = b""
            assert first == b"" or first[9:10] in b"45", (data[:80], first[:80])
    runtime.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/v1.txt")
    assert call(runtime, "POST", INFER, good_body())[0] == 200
    assert runtime.stop() == 0


def test_memory_stays_flat_under_bad_requests():
    runtime = Runtime()

    def round_of_all():
        for data, part in MALFORMED:
            with connect(runtime) as connection:
                refusal(connection, data, part)
    round_of_all()
    before = resident(runtime)
    for _ in range(20):
        round_of_all()
    assert resident(runtime) - before < GROWTH_MAX, (before, resident(runtime))
    runtime.stop()


def test_unusual_requests_that_are_right_are_answered():
    runtime = Runtime()
    for data, want in [
            (b"GET /v2/health/live HTTP/1.0\r\n\r\n", 200),
            (b"GET http://a/v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n", 200),
            (b"HEAD /v2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200),
            (LIVE + b"X:\r\nY:a\r\nZ: \tb c\t\r\n\r\n", 200),
            (LIVE + b"X: caf\xc3\xa9\r\n\r\n", 200),
            (b"GET /v2 HTTP/1.1\r\nHost:\r\n\r\n", 200), (b"GET /v2 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200),
            (b"GET /v2 HTTP/1.1\r\nHost: my_host-1.example:8080\r\n\r\n", 200),
            (b"GET /v2?" + b"&".join(b"a%d=1" % i for i in range(64)) + b"& HTTP/1.1\r\nHost: a\r\n\r\n", 200),
            (POST + b"\r\n", 404), (POST + b"Content-Length: 0\r\n\r\n", 404),
            (POST + b"Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 404),
            (LIVE + b"Expect: x\r\n\r\n", 417)]:
        with connect(runtime) as connection:
            connection.sendall(data)
            head = connection.recv(65536)
            assert int(head[9:12]) == want, (data, head)
    with connect(runtime) as connection:
        connection.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"a")
        assert answer(connection)[0] == 404
    runtime.stop()


def drip(runtime, head):
    """Sends a byte whenever there is nothing to read for a moment; the bytes that it took until the end."""
    end = time.monotonic() + DEADLINE_S
    with connect(runtime) as connection:
        connection.sendall(head)
        for count in range(1000000):
            assert time.monotonic() < end, "the connection stays open"
            if select.select([connection], [], [], 0.02)[0] and ended(connection):
                return count
            try:
                connection.sendall(b"a")
            except ConnectionError:
                return count


def test_drips_are_cut_off():
    runtime = Runtime(options=["--set", "server.header_timeout=500ms", "--set", "server.body_timeout=500ms"])
    drip(runtime, LIVE + b"X: ")
    drip(runtime, b"GET /")
    drip(runtime, POST + b"Content-Length: 1000000\r\n\r\n")
    assert call(runtime, "GET", "/v2")[0] == 200
    runtime.stop()


def test_compressed_requests():
    runtime = Runtime(options=["--set", "server.body_max=1M"])
    runtime.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/v1.txt")
    plain = good_body()
    want = call(runtime, "POST", INFER, plain)[2]
    raw = zlib.compressobj(6, zlib.DEFLATED, -15)
    half = len(plain) // 2
    for name, encoding, body in [
            ("gzip", "gzip", gzip.compress(plain)), ("zlib", "deflate", zlib.compress(plain)),
            ("raw", "deflate", raw.compress(plain) + raw.flush()), ("identity", "identity", plain),
            ("members", "gzip", gzip.compress(plain[:half]) + gzip.compress(plain[half:]))]:
        status, _, data, _ = call(runtime, "POST", INFER, body, Content_Encoding=encoding)
        assert status == 200 and data == want, (name, status, data)
    whole = gzip.compress(plain)
    for name, encoding, body, status, part in [
            ("truncated", "gzip", whole[:-9], 400, "ends too early"), ("not gzip", "gzip", plain, 400, "malformed"),
            ("trailing", "gzip", whole + b"xyz", 400, "malformed"),
            ("trailing zlib", "deflate", zlib.compress(plain) + b"xyz", 400, "behind the end"),
            ("damaged", "gzip", whole[:30] + bytes([whole[30] ^ 255]) + whole[31:], 400, "malformed"),
            ("unknown", "br", plain, 415, "only gzip"), ("twice", "gzip, gzip", plain, 415, "only gzip")]:
        got, _, data, _ = call(runtime, "POST", INFER, body, Content_Encoding=encoding)
        assert got == status and part in sentence(data), (name, got, data)
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(whole[i:i + 7]), whole[i:i + 7]) for i in range(0, len(whole), 7))
    data = ask(runtime, f"POST {INFER} HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
               .encode() + chunked + b"0\r\n\r\n")[2]
    assert data == want, data
    runtime.stop()


def test_a_binary_body_may_be_compressed():
    runtime = Runtime()
    runtime.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/v1.txt")
    head = json.dumps({"inputs": [{"name": "rows", "shape": [1, 15], "datatype": "FP64",
                                   "parameters": {"binary_data_size": 120}}]}).encode()
    body = head + bytes(120)
    status, _, data, _ = call(runtime, "POST", INFER, zlib.compress(body), Content_Encoding="deflate",
                              Inference_Header_Content_Length=len(head))
    assert status == 200, data
    assert call(runtime, "POST", INFER, body, Inference_Header_Content_Length=len(head))[2] == data
    runtime.stop()


def test_a_bomb_stays_flat():
    runtime = Runtime(options=["--set", "server.body_max=1M"])
    make = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    bomb = b"".join(make.compress(zeros) for _ in range(BOMB_SIZE >> 20)) + make.flush()
    assert len(bomb) < 1 << 20
    before = resident(runtime)
    for _ in range(5):
        status, _, data, _ = call(runtime, "POST", INFER, bomb, Content_Encoding="gzip")
        assert status == 413 and "1048576" in sentence(data), data
    assert resident(runtime) - before < min(GROWTH_MAX, BOMB_SIZE), (before, resident(runtime))
    assert call(runtime, "POST", INFER, bytes(2 << 20))[0] == 413
    runtime.stop()


def test_compressed_answers():
    runtime = Runtime()
    runtime.run("deploy", "flight-delay", f"{FLIGHTS}/flight-delay/v1.txt")
    rows = json.dumps(rows_body([[float(i + k) for k in range(15)] for i in range(50)])).encode()
    plain = call(runtime, "POST", INFER, rows)
    assert len(plain[2]) >= 256 and "content-encoding" not in plain[1] and plain[1]["vary"] == "Accept-Encoding"
    for accept, encoding in [("gzip", "gzip"), ("deflate, gzip", "gzip"), ("gzip;q=0.1, deflate", "deflate"),
                             ("br", None), ("gzip;q=0", None), ("*", "gzip"), ("identity, gzip;q=0.2", None)]:
        _, headers, body, _ = call(runtime, "POST", INFER, rows, Accept_Encoding=accept)
        assert headers.get("content-encoding") == encoding, (accept, headers)
        if encoding is not None:
            assert len(body) < len(plain[2]), accept
            body = gzip.decompress(body) if encoding == "gzip" else zlib.decompress(body)
        assert body == plain[2], accept
    # Clients of V2 say that they accept it, and read these as they come.
    for method, path in [("GET", "/v2/models/flight-delay"), ("GET", "/v2/models/stats"), ("GET", "/v2/nothing"),
                         ("POST", INFER)]:
        assert "content-encoding" not in call(runtime, method, path, Accept_Encoding="gzip")[1], path
    runtime.stop()


def test_methods_are_named():
    runtime = Runtime()
    status, headers, body, _ = call(runtime, "DELETE", "/v2")
    assert status == 405 and headers["allow"] == "GET, HEAD, OPTIONS" and "takes GET, HEAD, not DELETE" in sentence(body)
    status, headers, body, _ = call(runtime, "GET", INFER)
    assert status == 405 and headers["allow"] == "POST, OPTIONS" and "takes POST, not GET" in sentence(body)
    status, headers, body, _ = call(runtime, "OPTIONS", INFER)
    assert status == 204 and headers["allow"] == "POST, OPTIONS" and body == b"", headers
    assert "access-control-allow-origin" not in headers
    assert call(runtime, "OPTIONS", "/nowhere")[0] == 404
    runtime.stop()


def test_cors_for_listed_origins():
    runtime = Runtime(options=["--set", "cors.origins=https://a.example, http://b.example:81",
                                 "--set", "cors.max_age=1m", "--set", "cors.credentials=yes"])
    status, headers, _, _ = call(runtime, "OPTIONS", INFER, Origin="https://a.example",
                                 Access_Control_Request_Method="POST",
                                 Access_Control_Request_Headers="content-type, mldeck-unit,x y,\x80")
    assert status == 204 and headers["access-control-allow-origin"] == "https://a.example", headers
    assert "POST" in headers["access-control-allow-methods"] and headers["access-control-max-age"] == "60", headers
    assert headers["access-control-allow-headers"] == "content-type, mldeck-unit, x, y", headers
    assert headers["access-control-allow-credentials"] == "true" and headers["vary"] == "Origin", headers
    for path, status in [("/v2", 200), ("/nowhere", 404), (INFER, 405)]:
        got, headers, _, _ = call(runtime, "GET", path, Origin="http://b.example:81")
        assert got == status and headers["access-control-allow-origin"] == "http://b.example:81", headers
        assert "Inference-Header-Content-Length" in headers["access-control-expose-headers"], headers
    got, headers, _, _ = call(runtime, "GET", "/v2", Origin="http://b.example:81", Host="b")
    assert got == 400 and headers["access-control-allow-origin"] == "http://b.example:81", "a refusal has it too"
    for origin in ("https://evil.example", "null", "https://a.example.evil", "https://a.exampl"):
        _, headers, _, _ = call(runtime, "GET", "/v2", Origin=origin)
        assert "access-control-allow-origin" not in headers and headers["vary"] == "Origin", (origin, headers)
    runtime.stop()


def test_cors_for_all_origins():
    runtime = Runtime(options=["--set", "cors.origins=*"])
    _, headers, _, _ = call(runtime, "GET", "/v2", Origin="https://any.example")
    assert headers["access-control-allow-origin"] == "*" and "access-control-allow-credentials" not in headers, headers
    runtime.stop()


def serve_fails(text, *words):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "some.ini")
        with open(path, "w") as file:
            file.write(text)
        return subprocess.run([MLDECK, "serve", "--listen", "127.0.0.1:0", "--state", folder, "--config", path, *words],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S)


def test_the_configuration_file():
    done = serve_fails("[server]\n\nthreads = 999\n")
    assert done.returncode == 2 and "some.ini, line 3: threads is from 0 to 256, not `999`" in done.stderr, done
    done = serve_fails("", "--set", "server.port=1")
    assert done.returncode == 2 and "[server] has no key `port`" in done.stderr, done
    state = tempfile.mkdtemp()
    with open(os.path.join(state, "mldeck.ini"), "w") as file:
        file.write("[server]\nname = from-the-file\nbody_max = 2K\n")
    runtime = Runtime(state)
    assert runtime.json("status")["server"]["name"] == "from-the-file"
    assert call(runtime, "POST", INFER, bytes(3000))[0] == 413
    runtime.stop()
    runtime.options = ["--name", "from-the-option"]
    runtime.start()
    assert runtime.json("status")["server"]["name"] == "from-the-option"
    runtime.stop()


def test_a_draining_server_says_when_to_try_again():
    runtime = Runtime()
    with connect(runtime) as slow, connect(runtime) as kept:
        kept.sendall(LIVE + b"\r\n")
        assert answer(kept)[0] == 200
        slow.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert slow.recv(65536).startswith(b"HTTP/1.1 100"), "its header is read: it is in flight"
        runtime.process.terminate()
        poll(lambda: "draining" in runtime.read_log())
        kept.sendall(LIVE.replace(b"live", b"ready") + b"\r\n")
        status, headers, body, _ = answer(kept)
        assert status == 503 and headers["retry-after"] == "1" and "draining" in sentence(body), (status, headers)
        slow.sendall(b"{}")
        status, headers, _, _ = answer(slow)
        assert status == 404 and headers["connection"].lower() == "close", (status, headers)
    assert runtime.stop() == 0


run_tests(globals())
