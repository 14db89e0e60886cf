"""The model-repository extension of V2: the index, and load and unload by clients that are let.

What is loaded changes under traffic: every answer is a prediction or a clear refusal, never something else.
"""
import base64
import json
import threading

from runtime import FLIGHTS, Runtime, run_tests

CONTROL = ("--set", "server.model_control=yes")


def good_request():
    with open(f"{FLIGHTS}/infer.json") as file:
        return json.load(file)


def post(runtime, path, body=None):
    response, data = runtime.request("POST", path, None if body is None else json.dumps(body))
    return response.status, json.loads(data) if data else None


def file_parameters(name, path):
    with open(path, "rb") as file:
        return {"parameters": {"config": "{}", f"file:1/{name}": base64.b64encode(file.read()).decode()}}


def test_the_index_names_every_version():
    runtime = Runtime()
    runtime.deploy_flights(2)
    status, index = post(runtime, "/v2/repository/index")
    assert status == 200
    assert index == [{"name": "flight-delay", "version": v, "state": "READY", "reason": ""} for v in "12"]
    assert post(runtime, "/v2/repository/index", {"ready": True}) == (200, index)
    status, answer = post(runtime, "/v2/repository/index", {"ready": 1})
    assert status == 400 and "must be" in answer["error"], answer
    runtime.stop()


def test_clients_change_nothing_unless_they_are_let():
    runtime = Runtime()
    runtime.deploy_flights(1)
    for action in ["load", "unload"]:
        status, answer = post(runtime, f"/v2/repository/models/flight-delay/{action}")
        assert status == 400 and "model_control" in answer["error"], answer
    assert runtime.infer(good_request())[0] == 200
    runtime.stop()


def test_unload_and_load():
    runtime = Runtime(options=CONTROL)
    runtime.deploy_flights(2)
    assert post(runtime, "/v2/repository/models/flight-delay/unload") == (200, None)
    assert post(runtime, "/v2/repository/index", {"ready": True}) == (200, [])
    status, answer = runtime.infer(good_request())
    assert status == 503 and "unloaded" in answer["error"], answer
    assert runtime.request("GET", "/v2/models/flight-delay/ready")[0].status == 503
    assert {v["state"] for v in runtime.json("versions", "flight-delay")["versions"]} == {"unloaded"}
    assert post(runtime, "/v2/repository/models/flight-delay/unload") == (200, None)
    assert post(runtime, "/v2/repository/models/flight-delay/load") == (200, None)
    assert runtime.infer(good_request())[0] == 200
    assert post(runtime, "/v2/repository/models/nothing/load")[0] == 404
    assert post(runtime, "/v2/repository/models/nothing/unload")[0] == 404
    done = [r["action"] for r in runtime.json("audit")["records"] if r["outcome"] == "done"]
    assert done[:3] == ["load", "unload", "unload"], done
    # It was never more than a matter of memory.
    post(runtime, "/v2/repository/models/flight-delay/unload")
    runtime.stop()
    runtime.start()
    assert runtime.infer(good_request())[0] == 200
    runtime.stop()


def test_a_file_becomes_a_version():
    runtime = Runtime(options=CONTROL)
    status, answer = post(runtime, "/v2/repository/models/new/load",
                          file_parameters("model.txt", f"{FLIGHTS}/flight-delay/v1.txt"))
    assert (status, answer) == (200, None), answer
    assert runtime.infer(good_request(), "/v2/models/new/infer")[1]["model_version"] == "1"
    # A further one waits for its promotion: what serves is the operator's to change.
    post(runtime, "/v2/repository/models/new/load",
         file_parameters("model.ubj", f"{FLIGHTS}/flight-delay/v2.ubj"))
    assert runtime.infer(good_request(), "/v2/models/new/infer")[1]["model_version"] == "1"
    assert runtime.infer(good_request(), "/v2/models/new/versions/2/infer")[0] == 200
    for body in [{"parameters": {"file:1/a": "!"}}, {"parameters": {"file:1/a": "QUJD"}},
                 {"parameters": {"file:1/a": 1}}, {"parameters": {"file:a": "", "file:b": ""}},
                 {"parameters": [1]}, {"parameters": "file:a"}, [1]]:
        status, answer = post(runtime, "/v2/repository/models/bad/load", body)
        assert status in (400, 415) and answer["error"], (status, answer)
    status, answer = post(runtime, "/v2/repository/models/Bad%20Name/load", {"parameters": {"file:a": "QUJD"}})
    assert status == 404, answer
    assert [m["name"] for m in runtime.json("status")["models"]] == ["new"]
    runtime.stop()


def traffic_goes_on(*options):
    runtime = Runtime(options=[*CONTROL, *options])
    runtime.deploy_flights(1)
    seen, ended = set(), threading.Event()

    def ask():
        while not ended.is_set():
            status, answer = runtime.infer(good_request())
            seen.add((status, "outputs" in answer or "loaded" in answer.get("error", "")))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        assert post(runtime, "/v2/repository/models/flight-delay/unload")[0] == 200
        assert post(runtime, "/v2/repository/models/flight-delay/load")[0] == 200
    ended.set()
    for thread in threads:
        thread.join()
    assert seen <= {(200, True), (503, True)} and (200, True) in seen, seen
    assert runtime.stop() == 0


def test_traffic_goes_on_while_models_come_and_go():
    traffic_goes_on()


def test_an_unload_does_not_stand_in_the_way_of_the_predictions_it_waits_for():
    traffic_goes_on("--set", "workers.threads=1", "--set", "workers.inline=0us")


run_tests(globals())
