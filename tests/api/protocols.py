"""V1, /predict and /openapi.json over HTTP: values against the models' libraries, forms, versions, units, bad input."""
import csv
import io
import json
import math
import re
import urllib.parse

from runtime import FLIGHTS, Runtime, run_tests

with open(f"{FLIGHTS}/expected.csv") as file:
    EXPECTED = list(csv.DictReader(file))
FEATURES = [name for name in EXPECTED[0] if name != "row" and "-v" not in name]
TABLE, V1 = "/predict/flight-delay", "/v1/models/flight-delay"
runtime = Runtime()
runtime.deploy_flights(3)


def values(row):
    """The features as JSON takes them."""
    return [None if row[name] == "" else float(row[name]) for name in FEATURES]


def want(rows, version=1, raw=""):
    return [float(row[f"flight-delay-v{version}{raw}"]) for row in rows]


def check_close(got, expected):
    assert len(got) == len(expected), (got, expected)
    for one, other in zip(got, expected):
        assert math.isclose(float(one), other, rel_tol=1e-6, abs_tol=1e-6), (got, expected)


def ask(method, path, body=None, headers={}, status=200):
    """The answer's body as JSON where it says so, and its headers."""
    response, data = runtime.request(method, path, body, headers)
    assert response.status == status, (path, body, response.status, data)
    kind = response.headers["Content-Type"]
    if status != 200:
        assert kind == "application/json" and list(json.loads(data)) == ["error"], (kind, data)
        return json.loads(data)["error"], response.headers
    return (json.loads(data) if kind == "application/json" else data.decode()), response.headers


def query(row, **more):
    return TABLE + "?" + urllib.parse.urlencode({**{name: row[name] for name in FEATURES}, **more})


def as_csv(rows, names=FEATURES):
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


# --- V1 ---

def predict(body, path=V1 + ":predict", **more):
    return ask("POST", path, json.dumps(body), **more)


def test_v1_rows_and_columns():
    rows = EXPECTED[:20]
    lists = [values(row) for row in rows]
    objects = [dict(zip(FEATURES, row)) for row in lists]
    columns = {name: [row[name] for row in objects] for name in reversed(FEATURES)}
    for body, key in [({"instances": lists}, "predictions"), ({"instances": objects}, "predictions"),
                      ({"instances": [{"rows": row} for row in lists], "signature_name": "serving_default"},
                       "predictions"),
                      ({"inputs": lists}, "outputs"), ({"inputs": {"rows": lists}}, "outputs"),
                      ({"inputs": objects}, "outputs"), ({"inputs": columns}, "outputs")]:
        answer, headers = predict(body)
        assert list(answer) == [key] and headers["Mldeck-Version"] == "1", (answer, headers)
        check_close(answer[key], want(rows))


def test_v1_takes_nan():
    rows = [row for row in EXPECTED if row["gust_mph"] == ""][:5]
    text = json.dumps({"instances": [[math.nan if value is None else value for value in values(row)] for row in rows]})
    assert "NaN" in text
    check_close(ask("POST", V1 + ":predict", text)[0]["predictions"], want(rows))


def test_v1_versions_and_labels():
    rows = EXPECTED[:3]
    body = {"instances": [values(row) for row in rows]}
    runtime.run("split", "flight-delay", "1=99", "2=1", "--reason", "test")
    try:
        for place, version in [("versions/3", 3), ("versions/2", 2), ("labels/live", 1), ("labels/canary", 2)]:
            answer, headers = predict(body, f"{V1}/{place}:predict")
            assert headers["Mldeck-Version"] == str(version)
            check_close(answer["predictions"], want(rows, version))
            status = ask("GET", f"{V1}/{place}")[0]["model_version_status"]
            assert status == [{"version": str(version), "state": "AVAILABLE",
                               "status": {"error_code": "OK", "error_message": ""}}], status
            assert ask("GET", f"{V1}/{place}/metadata")[0]["model_spec"]["version"] == str(version)
        for label in ["shadow", "beta"]:
            for method, path in [("POST", ":predict"), ("GET", ""), ("GET", "/metadata")]:
                error, _ = ask(method, f"{V1}/labels/{label}{path}", json.dumps(body), status=404)
                assert error == f"flight-delay has no label `{label}`; of live, canary and shadow it has `live`, " \
                                "`canary`", error
    finally:
        runtime.run("promote", "flight-delay", "1", "--reason", "test")


def test_a_split_model_is_described_by_its_live_version():
    runtime.run("split", "flight-delay", "1=50", "2=50", "--reason", "test")
    try:
        for _ in range(30):
            assert ask("GET", "/v2/models/flight-delay")[0]["platform"] == "forest_lightgbm-text"
            assert ask("GET", "/v2/models/flight-delay/config")[0]["platform"] == "forest_lightgbm-text"
            assert ask("GET", V1 + "/metadata")[0]["model_spec"]["version"] == "1"
    finally:
        runtime.run("promote", "flight-delay", "1", "--reason", "test")


def test_v1_sticks_to_a_unit():
    runtime.run("split", "flight-delay", "1=50", "2=50", "--reason", "test")
    try:
        body = {"instances": [values(EXPECTED[0])]}
        versions = {}
        for unit in range(40):
            by_header = predict(body, headers={"Mldeck-Unit": f"u{unit}"})[1]["Mldeck-Version"]
            by_body = predict({**body, "parameters": {"unit": f"u{unit}"}})[1]["Mldeck-Version"]
            by_query = ask("GET", query(EXPECTED[0], unit=f"u{unit}"))[1]["Mldeck-Version"]
            assert by_header == by_body == by_query, (unit, by_header, by_body, by_query)
            versions.setdefault(by_header, 0)
        assert len(versions) == 2, versions
    finally:
        runtime.run("promote", "flight-delay", "1", "--reason", "test")


def test_a_wrong_unit_is_refused_everywhere():
    row, long = EXPECTED[0], "u" * 256
    for unit, sentence in [(long, "the parameter `unit` is longer than 255 bytes"),
                           (1.5, "the parameter `unit` is neither a string nor an integer")]:
        assert predict({"instances": [values(row)], "parameters": {"unit": unit}}, status=400)[0] == sentence
    predict({"instances": [values(row)], "parameters": {"unit": "u" * 255, "other": [1]}})
    for more, sentence in [("&unit=" + long, "the unit is longer than 255 bytes"),
                           ("&unit=a&mldeck-unit=b", "the unit is given twice")]:
        assert ask("GET", query(row) + more, status=400)[0] == sentence
    ask("GET", query(row) + "&unit=" + "u" * 255)


def test_v1_what_there_is():
    assert ask("GET", "/")[0] == {"status": "alive"}
    assert ask("GET", "/v1/models")[0] == {"models": ["flight-delay"]}
    model = ask("GET", V1)[0]
    assert model["name"] == "flight-delay" and model["ready"] is True, model
    assert [v["version"] for v in model["model_version_status"]] == ["3", "2", "1"], model
    signature = ask("GET", V1 + "/metadata")[0]["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["rows"]["dtype"] == "DT_DOUBLE", signature
    assert [dim["size"] for dim in signature["inputs"]["rows"]["tensor_shape"]["dim"]] == ["-1", "15"], signature


def test_v1_bad_input():
    good = values(EXPECTED[0])
    for body, sentence in [
            ({"instances": [good], "inputs": [good]},
             "the body has both `instances` and `inputs`; it may have one of them"),
            ({}, "the body has neither `instances` nor `inputs`"), ({"instances": []}, "`instances` is empty"),
            ({"instances": [good[:14]]}, "expected 15 features a row, got 14"),
            ({"instances": [["x"] * 15]}, "element 0 of input `rows` is not of datatype FP64: \"x\""),
            ({"instances": [{"weekday": 1}]},
             "element 0 of `instances`: there is no `sched_dep_min`, which the model needs"),
            ({"signature_name": "other", "instances": [good]},
             "there is no signature `other`; there is only `serving_default`")]:
        assert predict(body, status=400)[0] == sentence
    for text in ["", "{", "[]", '{"instances":[[1,]]}', '{"instances":[["\\ud800"]]}', "[" * 100000,
                 '{"instances":' + "[" * 100000, '{"instances":[[1e999]]}', '{"a":"\x01"}']:
        ask("POST", V1 + ":predict", text, status=400)
    assert predict({"instances": [good]}, "/v1/models/nothing:predict", status=404)[0] == "there is no model `nothing`"
    assert predict({"instances": [good]}, V1 + "/versions/9:predict", status=404)[0] == \
        "flight-delay has no version `9`; it has 1 to 3"
    ask("GET", V1 + "/versions/x", status=404)
    ask("GET", "/v1/models/nothing", status=404)
    error, headers = ask("GET", V1 + ":predict", status=405)
    assert headers["Allow"] == "POST, OPTIONS", headers
    ask("POST", V1 + ":explain", "{}", status=404)
    check_close(predict({"instances": [good]})[0]["predictions"], want(EXPECTED[:1]))


# --- tables ---

def test_a_bare_number():
    for row in EXPECTED[:30]:
        text, headers = ask("GET", query(row))
        assert headers["Content-Type"] == "text/plain; charset=utf-8" and headers["Mldeck-Version"] == "1", headers
        assert re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", text), text
        check_close([text], want([row]))


def test_forms_of_a_row():
    row = EXPECTED[0]
    answer, _ = ask("GET", query(row, format="json"))
    assert list(answer) == ["model", "version", "outputs"] and answer["model"] == "flight-delay", answer
    assert answer["version"] == 1
    check_close([answer["outputs"]["predict"]], want([row]))
    assert ask("GET", query(row), headers={"Accept": "application/json, text/plain, */*"})[0] == answer
    text, headers = ask("GET", query(row, format="csv"))
    assert headers["Content-Type"] == "text/csv; charset=utf-8" and text.startswith("predict\n"), text
    check_close(text.split("\n")[1:2], want([row]))
    check_close([ask("GET", query(row, output="raw_score"))[0]], want([row], raw="-raw"))
    both, _ = ask("GET", query(row, format="json") + "&output=raw_score&output=predict")
    assert list(both["outputs"]) == ["raw_score", "predict"], both


def test_versions_of_a_table():
    row = EXPECTED[0]
    for path in [query(row, version=2), query(row, **{"mldeck-version": 2}),
                 query(row).replace(TABLE, TABLE + "/versions/2")]:
        text, headers = ask("GET", path)
        assert headers["Mldeck-Version"] == "2", headers
        check_close([text], want([row], 2))
    answer, _ = ask("POST", TABLE + "/versions/3", as_csv([row]))
    check_close(answer.split()[1:], want([row], 3))
    answer, _ = ask("POST", TABLE + "?version=3", as_csv([row]))
    check_close(answer.split()[1:], want([row], 3))


def test_rows_of_a_csv():
    for names, kind in [(FEATURES, "text/csv"), (list(reversed(FEATURES)) + ["row"], "text/csv; charset=utf-8"),
                        (FEATURES, "application/x-www-form-urlencoded"), (FEATURES, "text/plain"), (FEATURES, None)]:
        headers = {} if kind is None else {"Content-Type": kind}
        answer, got = ask("POST", TABLE, as_csv(EXPECTED, names).encode(), headers)
        assert got["Content-Type"] == "text/csv; charset=utf-8" and got["Mldeck-Version"] == "1", got
        lines = answer.splitlines()
        assert lines[0] == "predict", lines[0]
        check_close(lines[1:], want(EXPECTED))
    answer, _ = ask("POST", TABLE, b"\xef\xbb\xbf" + as_csv(EXPECTED[:2]).replace("\n", "\r\n").encode())
    check_close(answer.split()[1:], want(EXPECTED[:2]))
    answer, _ = ask("POST", TABLE + "?output=raw_score&output=predict", as_csv(EXPECTED))
    answered = list(csv.DictReader(io.StringIO(answer)))
    check_close([row["raw_score"] for row in answered], want(EXPECTED, raw="-raw"))
    check_close([row["predict"] for row in answered], want(EXPECTED))


def test_rows_in_json():
    rows = EXPECTED[:5]
    objects = [dict(zip(FEATURES, values(row)), note="passed over") for row in rows]
    for body in [objects, [values(row) for row in rows]]:
        answer, _ = ask("POST", TABLE, json.dumps(body), {"Content-Type": "application/json"})
        assert list(answer) == ["model", "version", "rows"], answer
        check_close([row["predict"] for row in answer["rows"]], want(rows))
    answer, _ = ask("POST", TABLE, json.dumps(objects[0]))
    assert list(answer) == ["model", "version", "outputs"], answer
    check_close([answer["outputs"]["predict"]], want(rows[:1]))
    answer, _ = ask("POST", TABLE, as_csv(rows), {"Content-Type": "text/csv", "Accept": "application/json"})
    check_close([row["predict"] for row in answer["rows"]], want(rows))
    answer, headers = ask("POST", TABLE, json.dumps(objects), {"Accept": "text/csv"})
    assert headers["Content-Type"].startswith("text/csv"), headers
    check_close(answer.split()[1:], want(rows))


def test_the_same_columns_as_batch_prediction():
    mine, _ = ask("POST", TABLE, open(f"{FLIGHTS}/sample.csv", "rb").read(), {"Content-Type": "text/csv"})
    output = runtime.state + "-batch.csv"
    runtime.run("predict", "flight-delay", "--input", f"{FLIGHTS}/sample.csv", "--output", output)
    with open(output, newline="") as file:
        assert file.read() == mine


def test_bad_tables():
    row = EXPECTED[0]
    short = TABLE + "?" + urllib.parse.urlencode({name: row[name] for name in FEATURES[:-1]})
    for path, status, sentence in [
            (TABLE + "?weekday=Monday", 400, "feature `weekday`: `Monday` is not a number"),
            (TABLE + "?weekday=1,5", 400,
             "feature `weekday`: `1,5` is not a number (decimals are written with a point)"),
            (short, 400, "feature `visib_mi` is missing; where its value is not known, give it none: `visib_mi=`"),
            (query(row) + "&weekday=1", 400, "feature `weekday`: `weekday` is given twice"),
            (query(row, format="xml"), 400, "there is no format `xml`; there are text, csv and json"),
            (query(row, output="x"), 400, "there is no output `x`; the model has `predict` and `raw_score`"),
            (query(row, version=9), 404, "flight-delay has no version `9`; it has 1 to 3"),
            (query(row, version=1) + "&version=2", 400, "the version is given twice"),
            (query(row, version=1).replace(TABLE, TABLE + "/versions/2"), 400,
             "the version is given in the path and in the query"),
            (query(row).replace("flight-delay", "nothing"), 404, "there is no model `nothing`")]:
        assert ask("GET", path, status=status)[0] == sentence
    assert ask("GET", query(row, foo=1), status=400)[0].startswith("the model has no feature `foo`; it takes `weekday`")
    lines = as_csv(EXPECTED[:3]).splitlines()
    for body, headers, status, sentence in [
            ("\n".join(lines[:3] + ["1,2,3"]), {}, 400, "line 4: it has 3 fields, the header 15"),
            (lines[0] + "\nx" + lines[1][lines[1].index(","):], {}, 400,
             "line 2, column `weekday`: `x` is not a number"),
            (lines[0], {}, 400, "there are no rows after the header"), ("", {}, 400, "there are no rows"),
            (as_csv(EXPECTED[:1], FEATURES[1:]), {}, 400,
             "the rows have no column `weekday`, which the model needs (the first line names the columns)"),
            ("[1]", {}, 400, "row 1: it is neither an object {\"feature\": value} nor an array of values"),
            ('{"weekday":1}', {}, 400, "row 1: there is no `sched_dep_min`, which the model needs"),
            ("\x89PNG", {"Content-Type": "image/png"}, 415,
             "`image/png` is not taken here; send text/csv or application/json"),
            ("{", {"Content-Type": "application/json"}, 400, None)]:
        error, _ = ask("POST", TABLE, body.encode("latin-1"), headers, status)
        assert sentence is None or error == sentence, error
    error, _ = ask("POST", TABLE + "?weekday=1", as_csv([row]), status=400)
    assert error.startswith("`weekday` in the query is no option"), error
    _, headers = ask("PUT", TABLE, status=405)
    assert headers["Allow"] == "GET, HEAD, POST, OPTIONS", headers
    check_close([ask("GET", query(row))[0]], want([row]))


def test_traffic_is_counted():
    def counts():
        stats = ask("GET", "/v2/models/flight-delay/versions/1/stats")[0]["model_stats"][0]
        return stats["execution_count"], stats["inference_count"]
    before = counts()
    ask("GET", query(EXPECTED[0]))
    predict({"instances": [values(EXPECTED[0])]})
    ask("POST", TABLE, as_csv(EXPECTED[:4]))
    ask("GET", TABLE + "?weekday=x", status=400)
    after = counts()
    assert (after[0] - before[0], after[1] - before[1]) == (3, 6), (before, after)


# --- the description ---

def test_it_describes_all_that_is_served():
    document, headers = ask("GET", "/openapi.json")
    assert headers["Content-Type"] == "application/json" and document["openapi"] == "3.0.3", headers
    served = 0
    for path, operations in document["paths"].items():
        concrete = path.replace("{model}", "flight-delay").replace("{version}", "1").replace("{label}", "live")
        for method, operation in operations.items():
            served += 1
            response, data = runtime.request(method.upper(), concrete)
            assert response.status != 405 and str(response.status) in operation["responses"], (method, path, data)
            assert b"there is nothing at" not in data, path
    assert served > 30, served


def test_its_examples_work():
    document, _ = ask("GET", "/openapi.json")
    tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parameters = [p for p in operation["parameters"] if "example" in p]
            concrete = path
            for parameter in parameters:
                if parameter["in"] == "path":
                    concrete = concrete.replace("{%s}" % parameter["name"], str(parameter["example"]))
                else:
                    concrete += "?" + urllib.parse.urlencode(parameter["example"])
                    tried += 1
            if "{" in concrete or "requestBody" not in operation:
                if "?" in concrete:
                    ask(method.upper(), concrete)
                continue
            for kind, content in operation["requestBody"]["content"].items():
                if "example" in content:
                    body = content["example"] if kind == "text/csv" else json.dumps(content["example"])
                    ask(method.upper(), concrete, body, {"Content-Type": kind})
                    tried += 1
    assert tried >= 10, tried


def test_end():
    assert runtime.stop() == 0


run_tests(globals())
