"""MLServer's command for batches, `mlserver infer`: a file of V2 requests, one a line, in micro-batches."""
# judge: mlserver
# timeout: 120
import json
import os
import sys
import tempfile

import runtime as r

COMMAND = os.path.join(sys.prefix, "bin", "mlserver")


def infer(runtime, requests, *options, model="flight-delay"):
    """The answers to requests, in their order, and what the command said."""
    folder = tempfile.mkdtemp()
    with open(f"{folder}/in.jsonl", "w") as file:
        for request in requests:
            file.write(json.dumps(request) + "\n")
    done = r.call([sys.executable, COMMAND, "infer", "-u", runtime.address, "-m", model,
                   "-i", f"{folder}/in.jsonl", "-o", f"{folder}/out.jsonl", *options])
    assert done.returncode == 0, done
    with open(f"{folder}/out.jsonl") as file:
        answers = [json.loads(line) for line in file]
    answers.sort(key=lambda answer: answer["parameters"]["batch_index"])
    assert len(answers) == len(requests), (answers, done.stderr)
    return answers, done.stdout + done.stderr


def request_of(rows, **more):
    return {"inputs": [{"name": "rows", "shape": [len(rows), 15], "datatype": "FP64",
                        "data": [value for row in r.feature_rows(rows) for value in row]}], **more}


def check(answers, rows, size=1):
    for i, answer in enumerate(answers):
        assert "error" not in answer, answer
        output = answer["outputs"][0]
        assert output["name"] == "predict" and output["shape"] == [size, 1], output
        r.check_close(output["data"], r.predictions("flight-delay", 1, rows[i * size:(i + 1) * size]), f"line {i}")


def test_a_request_a_line(runtime):
    rows = r.whole_rows()
    requests = [request_of([row], id=f"line {i}") for i, row in enumerate(rows)]
    answers, _ = infer(runtime, requests, "-vv", "-H", "Mldeck-Unit: N481UA")
    check(answers, rows)
    assert [answer["id"] for answer in answers] == [f"line {i}" for i in range(len(rows))], answers[0]


def test_micro_batches_by_three_workers(runtime):
    rows = r.whole_rows()
    answers, _ = infer(runtime, [request_of([row]) for row in rows], "-s", "8", "-w", "3")
    check(answers, rows)


def test_binary(runtime):
    rows = r.whole_rows()
    requests = [request_of(rows[i:i + 2], outputs=[{"name": "predict"}]) for i in range(0, len(rows), 2)]
    answers, _ = infer(runtime, requests, "--binary-data", "-s", "2")
    check(answers, rows, 2)


def test_errors_show_our_sentence(runtime):
    answers, said = infer(runtime, [request_of(r.whole_rows()[:1])], "-r", "1", model="nothing")
    r.check_sentence(answers[0]["error"]["msg"], "there is no model `nothing`")
    narrow = {"inputs": [{"name": "rows", "shape": [1, 14], "datatype": "FP64", "data": [0.0] * 14}]}
    answers, said = infer(runtime, [narrow, request_of(r.whole_rows()[:1])], "-r", "1")
    r.check_sentence(answers[0]["error"]["msg"], "expected 15 features a row, got 14")
    r.check_close(answers[1]["outputs"][0]["data"], r.predictions("flight-delay", 1, r.whole_rows()[:1]))


r.judge(globals())
