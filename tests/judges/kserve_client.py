"""KServe's own REST client, over V1 and V2."""
# judge: kserve
# timeout: 120
import asyncio
import logging
import math

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

import runtime as r

logging.disable(logging.CRITICAL)


def with_client(protocol, body):
    async def whole():
        async with InferenceRESTClient(RESTConfig(protocol=protocol, timeout=r.DEADLINE_S, retries=0)) as client:
            await body(client)
    asyncio.run(asyncio.wait_for(whole(), r.DEADLINE_S))


def request_of(model, rows, binary, datatype="FP64"):
    values = np.array(r.feature_rows(rows))
    tensor = InferInput("rows", list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return InferRequest(model, [tensor], request_id="from kserve")


def test_v2_values_in_json_and_binary(runtime):
    async def body(client):
        for model in r.VERSIONS:
            for binary, rows in [(False, r.whole_rows()), (True, r.EXPECTED)]:
                answer = await client.infer(runtime.url, request_of(model, rows, binary), model)
                assert (answer.id, answer.model_name) == ("from kserve", model), answer
                output = answer.outputs[0]
                assert output.name == "predict" and output.shape == [len(rows), 1], output
                r.check_close(output.as_numpy()[:, 0], r.predictions(model, 1, rows), f"{model} binary {binary}")

    with_client("v2", body)


def test_v2_binary_outputs(runtime):
    async def body(client):
        request = request_of("flight-delay", r.EXPECTED, True)
        request.parameters = {"binary_data_output": True}
        answer = await client.infer(runtime.url, request, "flight-delay")
        r.check_close(answer.outputs[0].as_numpy()[:, 0], r.predictions("flight-delay", 1))

    with_client("v2", body)


def test_v2_health(runtime):
    async def body(client):
        assert await client.is_server_live(runtime.url) is True
        assert await client.is_server_ready(runtime.url) is True
        assert await client.is_model_ready(runtime.url, "flight-delay")
        assert not await client.is_model_ready(runtime.url, "nothing")

    with_client("v2", body)


def test_v1_values(runtime):
    rows = r.whole_rows()
    instances = r.feature_rows(rows)

    async def body(client):
        for key, answered in [("instances", "predictions"), ("inputs", "outputs")]:
            answer = await client.infer(runtime.url, {key: instances}, "flight-delay")
            r.check_close(np.array(answer[answered]).reshape(-1), r.predictions("flight-delay", 1, rows), key)

    with_client("v1", body)


def test_v1_missing_values_and_names(runtime):
    rows = r.EXPECTED
    lists = [[None if math.isnan(value) else value for value in row] for row in r.feature_rows(rows)]
    by_name = [dict(zip(r.FEATURES, row)) for row in lists]

    async def body(client):
        for instances in [lists, by_name]:
            answer = await client.infer(runtime.url, {"instances": instances}, "flight-delay")
            r.check_close(np.array(answer["predictions"]).reshape(-1), r.predictions("flight-delay", 1))

    with_client("v1", body)


def test_v1_health(runtime):
    async def body(client):
        assert await client.is_server_live(runtime.url) is True
        assert await client.is_model_ready(runtime.url, "flight-delay") is True
        with r.refused(httpx.HTTPStatusError, "404", "there is no model `nothing`"):
            await client.is_model_ready(runtime.url, "nothing")

    with_client("v1", body)


def test_errors_show_our_sentence(runtime):
    async def body(client):
        good, narrow = r.feature_rows(r.whole_rows()[:1]), [[0.0] * 14]
        with r.refused(httpx.HTTPStatusError, "404", "there is no model `nothing`"):
            await client.infer(runtime.url, {"instances": good}, "nothing")
        with r.refused(httpx.HTTPStatusError, "400", "expected 15 features a row, got 14"):
            await client.infer(runtime.url, {"instances": narrow}, "flight-delay")
        with r.refused(httpx.HTTPStatusError, "400"):
            await client.infer(runtime.url, {"instances": good, "inputs": good}, "flight-delay")
        with r.refused(httpx.HTTPStatusError, "flight-delay:explain"):
            await client.explain(runtime.url, "flight-delay", {"instances": good})

    async def body_v2(client):
        with r.refused(httpx.HTTPStatusError, "404", "there is no model `nothing`"):
            await client.infer(runtime.url, request_of("nothing", r.EXPECTED, True), "nothing")

    with_client("v1", body)
    with_client("v2", body_v2)


r.judge(globals())
