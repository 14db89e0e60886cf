"""NVIDIA's tritonclient over HTTP, its blocking form."""
# judge: triton
# timeout: 180
import itertools
import json
import math

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

import runtime as r

COMPRESSIONS = [None, "gzip", "deflate"]
TYPES = {"FP64": np.float64, "FP32": np.float32, "FP16": np.float16, "INT64": np.int64, "INT32": np.int32,
         "INT16": np.int16, "INT8": np.int8}
CONTROL = "[server]\nmodel_control = yes\n"


def client_of(runtime):
    return triton.InferenceServerClient(runtime.address, network_timeout=r.DEADLINE_S,
                                        connection_timeout=r.DEADLINE_S, concurrency=4)


def rows_input(rows, binary=True):
    values = np.array(r.feature_rows(rows))
    tensor = triton.InferInput("rows", values.shape, "FP64")
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def outputs_of(*names, binary=True):
    return [triton.InferRequestedOutput(name, binary_data=binary) for name in names]


def test_values_in_binary_and_json_with_both_compressions(runtime):
    """Every way to write the same request gives the same bits, and they are the library's."""
    rows = r.whole_rows()
    want = r.predictions("flight-delay", 1, rows)
    seen = set()
    with client_of(runtime) as client:
        for binary_in, binary_out, squeeze, unsqueeze in itertools.product(
                [True, False], [True, False], COMPRESSIONS, COMPRESSIONS):
            result = client.infer("flight-delay", [rows_input(rows, binary=binary_in)],
                                  outputs=outputs_of("predict", "raw_score", binary=binary_out),
                                  request_compression_algorithm=squeeze, response_compression_algorithm=unsqueeze)
            got = result.as_numpy("predict")
            assert got.shape == (len(rows), 1) and got.dtype == np.float64, (got.shape, got.dtype)
            r.check_close(got[:, 0], want, f"binary {binary_in} {binary_out}, {squeeze} {unsqueeze}")
            seen.add((got.tobytes(), result.as_numpy("raw_score").tobytes()))
    assert len(seen) == 1, f"{len(seen)} different answers to one request"


def test_a_large_answer_is_compressed(runtime):
    rows = r.EXPECTED * 20
    body, size = triton.InferenceServerClient.generate_request_body([rows_input(rows)])
    for encoding in ["gzip", "deflate"]:
        status, headers, answer = runtime.get(
            "/v2/models/flight-delay/infer", body,
            {"Accept-Encoding": encoding, "Inference-Header-Content-Length": str(size)})
        assert status == 200 and headers["Content-Encoding"] == encoding, (status, headers.items())
        result = triton.InferenceServerClient.parse_response_body(
            answer, header_length=int(headers["Inference-Header-Content-Length"]), content_encoding=encoding)
        got = result.as_numpy("predict")
        r.check_close(got[:, 0], r.predictions("flight-delay", 1) * 20, encoding)
        assert len(answer) < got.nbytes, f"{len(answer)} bytes for {got.nbytes} of data"


def test_missing_values_in_binary(runtime):
    with client_of(runtime) as client:
        for model, version in [("flight-delay", "1"), ("flight-delay", "2"), ("arrival-delay", "2")]:
            result = client.infer(model, [rows_input(r.EXPECTED)], model_version=version)
            assert result.get_response()["model_version"] == version
            r.check_close(result.as_numpy("predict")[:, 0], r.predictions(model, version), model)


def test_datatypes(runtime):
    """The same numbers in every datatype that holds them."""
    whole = np.rint(np.clip(np.array(r.feature_rows(r.whole_rows())), -100, 100))
    answers = set()
    with client_of(runtime) as client:
        for datatype, kind in TYPES.items():
            for binary in [True, False] if datatype != "FP16" else [True]:  # the client itself refuses the other
                tensor = triton.InferInput("rows", whole.shape, datatype)
                tensor.set_data_from_numpy(whole.astype(kind), binary_data=binary)
                answers.add(client.infer("flight-delay", [tensor]).as_numpy("predict").tobytes())
    assert len(answers) == 1, f"{len(answers)} different answers to the same numbers"


def test_a_tensor_a_feature(runtime):
    rows = r.EXPECTED
    values = np.array(r.feature_rows(rows))
    inputs = []
    for i, name in reversed(list(enumerate(r.FEATURES))):
        tensor = triton.InferInput(name, [len(rows), 1], "FP64")
        tensor.set_data_from_numpy(np.ascontiguousarray(values[:, i:i + 1]))
        inputs.append(tensor)
    with client_of(runtime) as client:
        r.check_close(client.infer("flight-delay", inputs).as_numpy("predict")[:, 0],
                      r.predictions("flight-delay", 1), "a tensor a feature")


def test_asynchronous_requests(runtime):
    rows = r.EXPECTED[:4]
    with client_of(runtime) as client:
        waiting = [client.async_infer("flight-delay", [rows_input(rows)], request_id=str(i)) for i in range(20)]
        for i, request in enumerate(waiting):
            result = request.get_result()
            assert result.get_response()["id"] == str(i), result.get_response()
            r.check_close(result.as_numpy("predict")[:, 0], r.predictions("flight-delay", 1, rows))


def test_parameters_are_taken(runtime):
    rows = r.EXPECTED[:2]
    with client_of(runtime) as client:
        result = client.infer("flight-delay", [rows_input(rows)], request_id="a b/\"ü", priority=3, timeout=1000000,
                              parameters={"unit": "N481UA", "note": 1.5, "flag": True})
        assert result.get_response()["id"] == "a b/\"ü", result.get_response()
        result = client.infer("flight-delay", [rows_input(rows)], sequence_id=7, sequence_start=True)
        r.check_close(result.as_numpy("predict")[:, 0], r.predictions("flight-delay", 1, rows))


def test_health(runtime):
    with client_of(runtime) as client:
        assert client.is_server_live() and client.is_server_ready()
        assert client.is_model_ready("flight-delay") and client.is_model_ready("flight-delay", "2")
        assert not client.is_model_ready("flight-delay", "9") and not client.is_model_ready("nothing")


def test_metadata(runtime):
    with client_of(runtime) as client:
        server = client.get_server_metadata()
        assert server["name"] == "mldeck", server
        assert {"binary_tensor_data", "model_repository", "statistics"} <= set(server["extensions"]), server
        model = client.get_model_metadata("flight-delay")
        assert model["name"] == "flight-delay" and model["versions"] == ["1", "2"], model
        assert [(t["datatype"], t["shape"]) for t in model["inputs"]] == [("FP64", [-1, 15])], model
        assert [t["name"] for t in model["outputs"]] == ["predict", "raw_score"], model
        assert client.get_model_metadata("flight-delay", "2")["platform"], "version 2"


def test_config_is_the_metadata_in_tritons_words(runtime):
    with client_of(runtime) as client:
        metadata = client.get_model_metadata("flight-delay")
        config = client.get_model_config("flight-delay")
        assert config["name"] == "flight-delay" and config["platform"] == metadata["platform"], config
        assert isinstance(config["max_batch_size"], int), config
        for side, tensors in [("input", metadata["inputs"]), ("output", metadata["outputs"])]:
            assert [t["name"] for t in config[side]] == [t["name"] for t in tensors], config
            for tensor, described in zip(config[side], tensors):
                assert tensor["data_type"] == "TYPE_" + described["datatype"], tensor
                dims = [int(size) for size in tensor["dims"]]
                if config["max_batch_size"] > 0:
                    dims = [-1] + dims
                assert dims == described["shape"], (tensor, described)
        assert client.get_model_config("flight-delay", "2")["name"] == "flight-delay"


def success_count(client, model, version):
    answer = client.get_inference_statistics(model, version)["model_stats"]
    assert [(one["name"], one["version"]) for one in answer] == [(model, version)], answer
    return answer[0]


def test_statistics_count_requests_and_rows(runtime):
    with client_of(runtime) as client:
        before = success_count(client, "arrival-delay", "1")
        for _ in range(5):
            client.infer("arrival-delay", [rows_input(r.EXPECTED[:3])])
        with r.refused(InferenceServerException, "there is no output `nothing`"):
            client.infer("arrival-delay", [rows_input(r.EXPECTED[:1])], outputs=outputs_of("nothing"))
        after = success_count(client, "arrival-delay", "1")
        assert after["inference_count"] - before["inference_count"] == 15, (before, after)
        assert after["execution_count"] - before["execution_count"] == 5, (before, after)
        stats, old = after["inference_stats"], before["inference_stats"]
        assert stats["success"]["count"] - old["success"]["count"] == 5, stats
        assert stats["fail"] == old["fail"], "a wrong request is no failure of the model"
        assert stats["success"]["ns"] > old["success"]["ns"], stats
        for part in ["queue", "compute_input", "compute_infer", "compute_output"]:
            assert stats[part]["count"] >= 0 and stats[part]["ns"] >= 0, stats
        everything = client.get_inference_statistics()["model_stats"]
        assert {one["name"] for one in everything} == {"flight-delay", "arrival-delay"}, everything


def test_repository_index(runtime):
    with client_of(runtime) as client:
        index = {(entry["name"], entry.get("version")): entry["state"]
                 for entry in client.get_model_repository_index()}
        assert index == {(model, version): "READY" for model in r.VERSIONS for version in ["1", "2"]}, index


def test_load_and_unload_are_refused_without_model_control(runtime):
    with client_of(runtime) as client:
        with r.refused(InferenceServerException, "model_control"):
            client.unload_model("flight-delay")
        with r.refused(InferenceServerException, "model_control"):
            client.load_model("flight-delay")
        assert client.is_model_ready("flight-delay")


def test_load_and_unload_under_model_control(_):
    rows = r.EXPECTED[:2]
    with r.Runtime(config=CONTROL) as runtime, client_of(runtime) as client:
        client.unload_model("flight-delay")
        assert not client.is_model_ready("flight-delay")
        with r.refused(InferenceServerException, "flight-delay"):
            client.infer("flight-delay", [rows_input(rows)])
        states = {entry["state"] for entry in client.get_model_repository_index() if entry["name"] == "flight-delay"}
        assert states == {"UNAVAILABLE"}, states
        assert client.is_model_ready("arrival-delay"), "another model is left alone"
        client.load_model("flight-delay")
        assert client.is_model_ready("flight-delay")
        r.check_close(client.infer("flight-delay", [rows_input(rows)]).as_numpy("predict")[:, 0],
                      r.predictions("flight-delay", 1, rows))
        with r.refused(InferenceServerException, "nothing"):
            client.load_model("nothing")
        with r.refused(InferenceServerException, "nothing"):
            client.unload_model("nothing")


def refusal_of(call):
    try:
        call()
    except InferenceServerException as error:
        return error
    raise AssertionError("it was not refused")


def test_errors_show_our_sentence(runtime):
    rows = r.whole_rows()[:1]
    narrow = triton.InferInput("rows", [1, 14], "FP64")
    narrow.set_data_from_numpy(np.zeros((1, 14)))
    words = triton.InferInput("rows", [1, 15], "BYTES")
    words.set_data_from_numpy(np.array([["x"] * 15], dtype=object))
    good = rows_input(rows)
    cases = [
        ("404", "there is no model `nothing`", "nothing", "", good, None),
        ("404", "has no version `9`", "flight-delay", "9", good, None),
        ("400", "expected 15 features a row, got 14", "flight-delay", "", narrow, None),
        ("400", "BYTES", "flight-delay", "", words, None),
        ("400", "there is no output `no_output`", "flight-delay", "", good, outputs_of("no_output")),
    ]
    with client_of(runtime) as client:
        # Whatever the client asked for, an error is not compressed: it reads it as it is.
        for status, sentence, model, version, tensor, outputs in cases:
            for encoding in COMPRESSIONS:
                error = refusal_of(lambda: client.infer(
                    model, [tensor], version, outputs, request_compression_algorithm=encoding,
                    response_compression_algorithm=encoding))
                r.check_sentence(error, sentence)
                assert error.status() == status, (sentence, error)
        r.check_close(client.infer("flight-delay", [good]).as_numpy("predict")[:, 0],
                      r.predictions("flight-delay", 1, rows), "after all that")


def test_classification(runtime):
    rows = r.whole_rows()[:3]
    with client_of(runtime) as client:
        result = client.infer("flight-delay", [rows_input(rows)],
                              outputs=[triton.InferRequestedOutput("predict", class_count=3)])
    got = result.as_numpy("predict")
    assert got.shape == (3, 1), got.shape
    values = [row[0].decode().split(":") for row in got]
    assert {place for _, place in values} == {"0"}, values
    r.check_close([float(value) for value, _ in values], r.predictions("flight-delay", 1, rows))


def test_strings_and_several_inputs(_):
    """A scikit-learn pipeline in ONNX: four columns, two of them strings, against what scikit-learn said."""
    with open("tests/fixtures/onnx/sk_pipeline.json") as file:
        case = json.load(file)
    numpy_types = {"FP32": np.float32, "BYTES": np.object_}
    with r.Runtime(models={}) as runtime, client_of(runtime) as client:
        done = runtime.command("deploy", "pipeline", "tests/fixtures/onnx/sk_pipeline.onnx")
        if done.returncode != 0 and "ONNX Runtime" in done.stderr:
            raise r.Skip("there is no ONNX Runtime")
        assert done.returncode == 0, done.stderr
        for binary in [True, False]:
            inputs = []
            for spec in case["inputs"]:
                tensor = triton.InferInput(spec["name"], spec["shape"], spec["datatype"])
                data = [x.encode() if isinstance(x, str) else math.nan if x is None else x for x in spec["data"]]
                tensor.set_data_from_numpy(np.array(data, dtype=numpy_types[spec["datatype"]]).reshape(spec["shape"]),
                                           binary_data=binary)
                inputs.append(tensor)
            result = client.infer("pipeline", inputs)
            for output in case["outputs"]:
                r.check_close(result.as_numpy(output["name"]).ravel(), output["data"], output["name"])


def test_what_is_not_served_is_refused_in_json(runtime):
    with client_of(runtime) as client:
        for call in [client.get_trace_settings, client.get_log_settings, client.get_system_shared_memory_status]:
            assert refusal_of(call).status() == "404"


def test_not_a_number_comes_back(runtime):
    """A whole row of missing values is a prediction like any other."""
    tensor = triton.InferInput("rows", [1, 15], "FP64")
    tensor.set_data_from_numpy(np.full((1, 15), math.nan))
    with client_of(runtime) as client:
        assert math.isfinite(client.infer("flight-delay", [tensor]).as_numpy("predict")[0, 0])


r.judge(globals())
