"""Schemathesis: requests made from /openapi.json, good and bad, of which each answer must be a documented one."""
# judge: schemathesis
# timeout: 240
import json
import os
import re
import sys
import tempfile

import runtime as r

PROGRAM = os.path.join(sys.prefix, "bin", "schemathesis")
# A schema cannot say that a tensor has as many numbers as its shape, so these two cannot be asked for.
UNASKED = "positive_data_acceptance,negative_data_rejection"
# 503 is the answer of a model that was unloaded.
UNLOADED = '[checks]\nnot_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503]\n'
EXAMPLES = 40
SEED = 3
# An answer is expected to at least one good request of each.
ANSWERED = ["POST /v2/models/{model}/infer", "GET /predict/{model}", "POST /v1/models/{model}:predict"]


def attack(runtime, *options, settings=""):
    """Its report, and what it says of each failure."""
    folder = tempfile.mkdtemp()
    with open(f"{folder}/schemathesis.toml", "w") as file:
        file.write(settings)
    report = tempfile.mktemp(".json")
    done = r.call(
        [sys.executable, PROGRAM, "run", runtime.url + "/openapi.json", "--no-color", "--seed", str(SEED),
         "--max-examples", str(EXAMPLES), "--generation-database", "none", "--suppress-health-check", "all",
         "--checks", "all", "--exclude-checks", UNASKED, "--request-timeout", str(r.DEADLINE_S),
         "--continue-on-failure", "--report", "json", "--report-json-path", report, *options],
        deadline_s=220, cwd=folder)
    assert os.path.exists(report), (done.stdout + done.stderr)[-500:]
    with open(report) as file:
        return json.load(file), re.sub(r"\s+", " ", done.stdout.partition("= FAILURES =")[2])


def test_every_answer_is_a_documented_one(runtime):
    report, said = attack(runtime)
    assert not report["errors"], report["errors"]
    assert not report["failures"] and report["exit_code"] == 0, (report["failures"], said[:3000])
    operations = report["operations"]
    assert operations["tested"] == operations["total"] > 10, operations
    assert report["test_cases"]["generated"] > 20 * operations["total"], report["test_cases"]
    for operation in ANSWERED:
        accepted = sum(phase["accepted"] for phase in report["valid_rates"][operation].values())
        assert accepted > 0, f"{operation}: no good request was answered: {report['valid_rates'][operation]}"


def test_the_runtime_is_as_before(runtime):
    rows = r.whole_rows()
    body = {"inputs": [{"name": "rows", "shape": [len(rows), 15], "datatype": "FP64", "data": r.feature_rows(rows)}]}
    status, _, answer = runtime.get("/v2/models/flight-delay/infer", json.dumps(body).encode())
    assert status == 200, answer
    r.check_close(json.loads(answer)["outputs"][0]["data"], r.predictions("flight-delay", 1, rows))


def test_models_come_and_go_meanwhile(_):
    """Where clients may load and unload models, each of which it then finds there or not."""
    with r.Runtime(config="[server]\nmodel_control = yes\n") as runtime:
        report, said = attack(runtime, "--max-examples", "10", settings=UNLOADED)
        assert not report["errors"] and not report["failures"], (report["errors"], report["failures"], said[:3000])
        rates = report["valid_rates"]["POST /v2/repository/models/{model}/unload"]
        assert sum(phase["accepted"] for phase in rates.values()) > 0, rates


def test_it_describes_what_is_served(runtime):
    status, headers, body = runtime.get("/openapi.json")
    assert status == 200 and headers["Content-Type"] == "application/json", headers
    paths = json.loads(body)["paths"]
    missing = [path for path in [
        "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models", "/v2/models/{model}",
        "/v2/models/{model}/versions/{version}/infer", "/v2/models/{model}/config", "/v2/models/{model}/stats",
        "/v2/repository/index", "/v1/models", "/v1/models/{model}", "/v1/models/{model}:predict",
        "/predict/{model}", "/metrics", "/openapi.json"] if path not in paths]
    assert not missing, f"not in it: {missing}"


r.judge(globals())
