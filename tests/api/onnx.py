"""ONNX models, deployed and asked over HTTP: every fixture's request and answer, refusals, restart, no library.

The fixtures are made by tests/fixtures/make_onnx.py. What these tests share with others is in runtime.py.
"""
import glob
import json
import math
import os
import shutil
import tempfile

from runtime import MLDECK, Runtime, Skip, run_tests

FIXTURES = "tests/fixtures/onnx"
NO_LIBRARY = "needs the ONNX Runtime library"


def name_of(path):
    return os.path.basename(path)[:-len(".onnx")].replace("_", "-")


def models():
    return sorted(p for p in glob.glob(f"{FIXTURES}/*.onnx") if "refused_" not in p)


def case_of(path):
    with open(path[:-len("onnx")] + "json") as file:
        return json.load(file)


def deploy(runtime, path):
    done = runtime.command("deploy", name_of(path), path)
    if NO_LIBRARY in done.stderr:
        runtime.stop()
        raise Skip("no ONNX Runtime library: run scripts/setup")
    return done


def close(got, wanted, tolerance):
    if isinstance(wanted, str) or isinstance(wanted, bool):
        return got == wanted
    return got is not None and math.isclose(got, wanted, rel_tol=tolerance, abs_tol=tolerance)


def compare(model, answer, case):
    got = {output["name"]: output for output in answer["outputs"]}
    for wanted in case["outputs"]:
        output = got[wanted["name"]]
        assert (output["datatype"], output["shape"]) == (wanted["datatype"], wanted["shape"]), (model, output)
        for a, b in zip(output["data"], wanted["data"], strict=True):
            assert close(a, b, case["tolerance"]), (model, wanted["name"], a, b)


def ask(runtime, path):
    case = case_of(path)
    status, answer = runtime.infer({"inputs": case["inputs"]}, f"/v2/models/{name_of(path)}/infer")
    assert status == 200, (path, answer)
    compare(path, answer, case)


def test_every_model_answers_as_its_framework():
    runtime = Runtime()
    for path in models():
        done = deploy(runtime, path)
        assert done.returncode == 0, (path, done.stderr)
        ask(runtime, path)
    assert len(models()) >= 20
    # Versions are loaded anew by the next runtime, and are what they were.
    assert runtime.stop() == 0
    runtime.start()
    for path in models():
        ask(runtime, path)
    runtime.stop()


def test_metadata():
    runtime = Runtime()
    deploy(runtime, f"{FIXTURES}/sk_zipmap_names.onnx")
    deploy(runtime, f"{FIXTURES}/net.onnx")
    response, data = runtime.request("GET", "/v2/models/sk-zipmap-names")
    metadata = json.loads(data)
    assert metadata["inputs"] == [{"name": "X", "datatype": "FP32", "shape": [-1, 4]}], metadata
    assert metadata["outputs"][1] == {"name": "output_probability", "datatype": "FP32", "shape": [-1, 3]}, metadata
    manifest = runtime.json("versions", "net")["versions"][0]["manifest"]
    assert manifest["feature_names"] == ["age", "income", "debt", "years"], manifest
    assert {"name": "author", "value": "make_onnx"} in manifest["facts"], manifest
    runtime.stop()


def test_names_given_at_the_deploy_are_columns_at_once():
    runtime = Runtime()
    path = f"{FIXTURES}/sk_zipmap_names.onnx"
    deploy(runtime, path)
    done = runtime.command("deploy", "named", path, "--features", "a,b,c,d")
    assert done.returncode == 0, done.stderr
    data = case_of(path)["inputs"][0]["data"][:4]
    row = dict(zip("abcd", data))
    asked = [("/predict/named", row), ("/v1/models/named:predict", {"instances": [row]})]
    plain = [("/predict/sk-zipmap-names", [data]), ("/v1/models/sk-zipmap-names:predict", {"instances": [data]})]
    for (path, body), (other, same) in zip(asked, plain):
        got = json.loads(runtime.request("POST", path, json.dumps(body))[1])
        want = json.loads(runtime.request("POST", other, json.dumps(same))[1])
        outputs = got.get("outputs") or got["predictions"][0]
        assert outputs == (want["rows"] if "rows" in want else want["predictions"])[0], (got, want)
    # A refused name leaves nothing behind that could not be unloaded.
    done = runtime.command("deploy", "few", f"{FIXTURES}/sk_zipmap_names.onnx", "--features", "a,b")
    assert done.returncode == 2 and "takes 4 features, got 2 names" in done.stderr, done
    runtime.stop()


def test_wrong_requests_are_refused_with_a_sentence():
    runtime = Runtime()
    deploy(runtime, f"{FIXTURES}/sk_pipeline.onnx")
    deploy(runtime, f"{FIXTURES}/net.onnx")
    good = case_of(f"{FIXTURES}/sk_pipeline.onnx")["inputs"]
    strings = {"name": "city", "datatype": "BYTES", "shape": [12, 1], "data": ["x"] * 12}
    cases = [
        ("sk-pipeline", good[:3]), ("sk-pipeline", []),
        ("sk-pipeline", [strings if i["name"] == "age" else i for i in good]),
        ("sk-pipeline", [dict(i, shape=[1, 12]) for i in good]),
        ("sk-pipeline", good[:3] + [dict(good[3], shape=[11, 1], data=good[3]["data"][:11])]),
        ("net", [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]),
        ("net", [{"name": "x", "datatype": "BYTES", "shape": [1, 4], "data": ["1", "2", "3", "4"]}]),
        ("net", [{"name": "x", "datatype": "FP32", "shape": [1, 2, 4], "data": [0] * 8}]),
    ]
    for model, inputs in cases:
        status, answer = runtime.infer({"inputs": inputs}, f"/v2/models/{model}/infer")
        assert status == 400 and len(answer["error"]) > 20, (status, answer, model, inputs)
    ask(runtime, f"{FIXTURES}/sk_pipeline.onnx")
    runtime.stop()


def test_models_that_cannot_be_served_are_refused():
    runtime = Runtime()
    deploy(runtime, f"{FIXTURES}/net.onnx")
    for path in sorted(glob.glob(f"{FIXTURES}/refused_*.onnx")):
        done = runtime.command("deploy", "refused", path)
        assert done.returncode == 2 and len(done.stderr) > 40, (path, done.returncode, done.stderr)
    with open(f"{FIXTURES}/net.onnx", "rb") as file:
        whole = file.read()
    cut = os.path.join(tempfile.mkdtemp(), "cut.onnx")
    with open(cut, "wb") as file:
        file.write(whole[:300])
    done = runtime.command("deploy", "refused", cut)
    assert done.returncode == 2 and "cut short" in done.stderr, done.stderr
    assert [model["name"] for model in runtime.json("status")["models"]] == ["net"]
    runtime.stop()


def test_a_wrong_library_is_named_and_spoils_nothing_else():
    state = tempfile.mkdtemp()
    with open(os.path.join(state, "mldeck.ini"), "w") as file:
        file.write("[onnx]\nlibrary = /nowhere/libonnxruntime.so\n")
    runtime = Runtime(state)
    done = runtime.command("deploy", "net", f"{FIXTURES}/net.onnx")
    assert done.returncode == 7 and "/nowhere/libonnxruntime.so" in done.stderr, (done.returncode, done.stderr)
    runtime.deploy_flights(1)
    assert [model["name"] for model in runtime.json("status")["models"]] == ["flight-delay"]
    runtime.stop()


def test_no_library_spoils_nothing_else():
    # An executable with nothing beside it, on a system without the library.
    folder = tempfile.mkdtemp()
    alone = shutil.copy(MLDECK, os.path.join(folder, "mldeck"))
    import runtime as shared
    kept, shared.MLDECK = shared.MLDECK, alone
    try:
        runtime = Runtime()
        done = runtime.command("deploy", "net", f"{FIXTURES}/net.onnx")
        if done.returncode == 0:
            runtime.stop()
            raise Skip("this system has a library of its own")
        assert done.returncode == 7 and NO_LIBRARY in done.stderr and "--onnxruntime" in done.stderr, done.stderr
        runtime.deploy_flights(1)
        runtime.stop()
    finally:
        shared.MLDECK = kept


run_tests(globals())
