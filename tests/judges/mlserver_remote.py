"""A real MLServer behind mldeck: two versions of its model as remote versions, split, refused, and while it is away."""
# judge: mlserver
# timeout: 180
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

import runtime as r

COMMAND = os.path.join(sys.prefix, "bin", "mlserver")
INPUTS = [{"name": "x", "datatype": "FP64", "shape": [-1, 3]}, {"name": "label", "datatype": "BYTES", "shape": [-1]}]
OUTPUTS = [{"name": "y", "datatype": "FP64", "shape": [-1]}, {"name": "text", "datatype": "BYTES", "shape": [-1]}]
RUNTIME = '''
from mlserver import MLModel
from mlserver.errors import InferenceError
from mlserver.types import InferenceResponse, ResponseOutput

# A row's sum times the model's version, and its label with the version behind it.
class Scale(MLModel):
    async def predict(self, payload):
        x, label = (next(i for i in payload.inputs if i.name == name) for name in ("x", "label"))
        values = [float(value) for value in x.data]
        factor = int(self.version)
        if any(value < 0 for value in values):
            raise InferenceError("no value may be negative")
        if any(value > 1e6 for value in values):
            raise RuntimeError("overflow in the model")
        rows = [factor * sum(values[i:i + 3]) for i in range(0, len(values), 3)]
        texts = [(text.decode() if isinstance(text, bytes) else text) + f" v{factor}" for text in label.data]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=[
            ResponseOutput(name="y", shape=[len(rows)], datatype="FP64", data=rows),
            ResponseOutput(name="text", shape=[len(texts)], datatype="BYTES", data=texts)])
'''


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class MLServer:
    def __init__(self):
        self.folder = tempfile.mkdtemp()
        with open(f"{self.folder}/scale_runtime.py", "w") as file:
            file.write(RUNTIME)
        self.port = free_port()
        self.write("settings.json", {"host": "127.0.0.1", "http_port": self.port, "grpc_port": free_port(),
                                     "metrics_port": free_port(), "parallel_workers": 0, "debug": False})
        for version in ("1", "2"):
            self.write(f"scale-{version}/model-settings.json", self.settings("scale", version, INPUTS, OUTPUTS))
        self.write("bare/model-settings.json", self.settings("bare", "3", [], []))
        self.start()

    def settings(self, name, version, inputs, outputs):
        return {"name": name, "implementation": "scale_runtime.Scale", "parameters": {"version": version},
                "inputs": inputs, "outputs": outputs}

    def write(self, path, value):
        path = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            json.dump(value, file)

    def start(self):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([sys.executable, COMMAND, "start", "."], cwd=self.folder, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log,
                                        env={**os.environ, "PYTHONPATH": self.folder})
        r.poll(lambda: self.process.poll() is not None or self.ready())
        assert self.process.poll() is None, "mlserver ended: " + self.read_log()

    def ready(self):
        return r.Runtime.get(self, "/v2/health/ready")[0] == 200 if self.listens() else False

    def listens(self):
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def read_log(self):
        self.log.seek(0)
        return self.log.read()[-2000:]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(r.DEADLINE_S)


def request(rows, **more):
    return {"inputs": [
        {"name": "x", "datatype": "FP64", "shape": [len(rows), 3], "data": [value for row in rows for value in row]},
        {"name": "label", "datatype": "BYTES", "shape": [len(rows)], "data": [f"row {i}" for i in range(len(rows))]},
    ], **more}


def infer(runtime, body, path="/v2/models/scale/infer", headers={}):
    status, _, data = runtime.get(path, json.dumps(body).encode(), headers)
    return status, json.loads(data)


def test_two_versions(runtime, server):
    for version in ("1", "2"):
        runtime.mldeck("deploy", "scale", f"{server.url}/v2/models/scale/versions/{version}")
        manifest = json.loads(runtime.mldeck("versions", "scale", "--json"))["versions"][-1]["manifest"]
        assert manifest["inputs"] == INPUTS and manifest["outputs"] == OUTPUTS, manifest
    for version in (1, 2):
        status, body = infer(runtime, request([[1, 2, 3.25], [0.1, 0, 0]]), f"/v2/models/scale/versions/{version}/infer")
        assert status == 200, body
        y, text = body["outputs"]
        assert y["data"] == [version * 6.25, version * 0.1], y
        assert text["data"] == [f"row 0 v{version}", f"row 1 v{version}"], text


def test_a_split_between_them(runtime, server):
    runtime.mldeck("split", "scale", "1=50", "2=50", "--reason", "half and half")
    seen = set()
    for i in range(60):
        status, body = infer(runtime, request([[1, 1, 1]]), headers={"Mldeck-Unit": f"unit {i}"})
        version = int(body["model_version"])
        assert status == 200 and body["outputs"][0]["data"] == [3 * version], body
        seen.add(version)
    assert seen == {1, 2}, seen


def test_its_refusals(runtime, server):
    status, body = infer(runtime, request([[1, 2, -3]]))
    assert status == 400 and "no value may be negative" in body["error"], body
    status, body = infer(runtime, request([[1, 2, 3e7]]))
    assert status == 502 and "HTTP 500: Internal Server Error" in body["error"], body
    done = runtime.command("deploy", "other", f"{server.url}/v2/models/nothing")
    assert done.returncode == 4 and "nothing" in done.stderr, done


def test_a_model_without_a_signature(runtime, server):
    url = f"{server.url}/v2/models/bare"
    done = runtime.command("deploy", "bare", url)
    assert done.returncode == 5 and "--signature FILE" in done.stderr, done
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"inputs": INPUTS, "outputs": OUTPUTS}, file)
        file.flush()
        runtime.mldeck("deploy", "bare", url, "--signature", file.name)
    status, body = infer(runtime, request([[1, 2, 3]]), "/v2/models/bare/infer")
    assert status == 200 and body["outputs"][0]["data"] == [18], body


def test_while_it_is_away(runtime, server):
    one = "/v2/models/scale/versions/1"
    server.stop()
    status, body = infer(runtime, request([[1, 2, 3]]), f"{one}/infer")
    assert status == 502 and "nothing answers" in body["error"], body
    assert runtime.get(f"{one}/ready")[0] == 503
    server.start()
    r.poll(lambda: runtime.get(f"{one}/ready")[0] == 200)
    assert infer(runtime, request([[1, 2, 3]]), f"{one}/infer")[0] == 200


def main():
    server = MLServer()
    try:
        with r.Runtime(models={}) as runtime:
            failures = r.run(dict(globals()), runtime, server)
    finally:
        server.stop()
    sys.exit(1 if failures else 0)


main()
