"""A V2 server for tests that behaves, well or badly, as the test says.

One thread a connection, over plain sockets, so that it can break HTTP in every way. Its model `m` takes `x` [-1, 2]
of FP32 and answers `y` [-1, 1] of FP64, the sum of each row, and `s` [-1] of BYTES, its text.
"""
import json
import socket
import ssl
import struct
import threading

METADATA = {
    "name": "m", "versions": ["1"], "platform": "test",
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
    "outputs": [{"name": "y", "datatype": "FP64", "shape": [-1, 1]}, {"name": "s", "datatype": "BYTES", "shape": [-1]}],
}
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error",
           503: "Service Unavailable"}


def answer(status, body=b"", headers=()):
    """The bytes of a whole answer."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Request:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = lines[0].split(" ")
        self.headers = dict(line.lower().split(": ", 1) if ": " in line else (line, "") for line in lines[1:])
        self.authorization = next((line.split(": ", 1)[1] for line in lines if line.startswith("Authorization: ")), None)
        self.body = body

    def json_size(self):
        return int(self.headers.get("inference-header-content-length", len(self.body)))

    def json(self):
        return json.loads(self.body[:self.json_size()])


def predict(request):
    """What an honest server answers: in bytes where it was asked for."""
    asked, binary = request.json(), request.body[request.json_size():]
    x = asked["inputs"][0]
    if "data" in x:
        values = [float("nan") if value is None else float(value) for value in x["data"]]
    else:
        size = x["parameters"]["binary_data_size"]
        values = struct.unpack(f"<{size // 4}f", binary[:size])
    sums = [values[i] + values[i + 1] for i in range(0, len(values), 2)]
    outputs, tail = [], b""
    for wanted in asked["outputs"]:
        texts = [repr(value).encode() for value in sums]
        output = {"name": "y", "datatype": "FP64", "shape": [len(sums), 1], "data": sums}
        data = struct.pack(f"<{len(sums)}d", *sums)
        if wanted["name"] == "s":
            output = {"name": "s", "datatype": "BYTES", "shape": [len(sums)], "data": [text.decode() for text in texts]}
            data = b"".join(struct.pack("<I", len(text)) + text for text in texts)
        if wanted.get("parameters", {}).get("binary_data"):
            del output["data"]
            output["parameters"] = {"binary_data_size": len(data)}
            tail += data
        outputs.append(output)
    return outputs, tail


def honest(request):
    outputs, tail = predict(request)
    text = json.dumps({"model_name": "m", "outputs": outputs}).encode()
    headers = [f"Inference-Header-Content-Length: {len(text)}"] if tail else []
    return answer(200, text + tail, headers)


class Server:
    """infer(request) gives the bytes to send, or sends them itself on request.socket and gives None, which ends the
    connection."""

    def __init__(self, infer=honest, metadata=METADATA, extensions=(), tls=None):
        self.infer, self.metadata, self.extensions, self.tls = infer, metadata, list(extensions), tls
        self.ready = True
        self.requests, self.connections, self.log = 0, 0, []
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self.port = 0
        self.start()

    def start(self):
        self.open = []
        self.ending.clear()
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def url(self, model="m", host="127.0.0.1"):
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}/v2/models/{model}"

    def stop(self):
        if self.ending.is_set():
            return
        self.ending.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                connection.close()

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with self.lock:
                self.connections += 1
                self.open.append(connection)
            while True:
                request = self.receive(connection)
                if request is None:
                    break
                data = self.respond(request)
                if data is None:
                    break
                connection.sendall(data)
        except (OSError, ssl.SSLError):
            pass
        finally:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def receive(self, connection):
        text = b""
        while b"\r\n\r\n" not in text:
            more = connection.recv(65536)
            if not more:
                return None
            text += more
        head, body = text.split(b"\r\n\r\n", 1)
        request = Request(head, body)
        size = int(request.headers.get("content-length", 0))
        while len(request.body) < size:
            more = connection.recv(65536)
            if not more:
                return None
            request.body += more
        request.socket = connection
        return request

    def respond(self, request):
        path = request.path
        if path == "/v2":
            return answer(200, {"name": "test server", "version": "7", "extensions": self.extensions})
        if path.endswith("/ready"):
            return answer(200 if self.ready else 503)
        if not path.endswith("/infer"):
            return answer(200, self.metadata) if path.startswith("/v2/models/m") else \
                answer(404, {"error": "unknown model"})
        with self.lock:
            self.requests += 1
            self.log.append(request)
        return self.infer(request)
