"""Google's own client asks our server: reads the endpoint, asks it in both ways, and prints what it was told.

Run: python -m tests.serving.real_endpoint URL ENDPOINT
"""

import json
import sys

from google.api_core.exceptions import BadRequest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform


def main() -> None:
    url, name = sys.argv[1:]
    aiplatform.init(
        project="local",
        location="europe-west1",
        credentials=AnonymousCredentials(),
        api_endpoint=url,
        api_transport="rest",
    )
    endpoint = aiplatform.Endpoint(name)
    answer = endpoint.predict([{"text": "good"}, {"text": "bad"}])
    told = {
        "labels": [row["label"] for row in answer.predictions],
        "deployed_model": answer.deployed_model_id,
        "version": answer.model_version_id,
        "model": answer.model_resource_name,
        "traffic": endpoint.traffic_split,
        "releases": [deployed.display_name for deployed in endpoint.list_models()],
    }
    # The client knows Google's own host alone for this one.
    endpoint.raw_predict_request_url = f"{url}/v1/{name}:rawPredict"
    raw = endpoint.raw_predict(b'{"inputs": ["good"]}', {"Content-Type": "application/json"})
    told["raw"] = [raw.json()["outputs"]["label"], raw.headers["X-Vertex-AI-Deployed-Model-Id"]]
    told["raw"].append(raw.headers["X-Vertex-AI-Endpoint-Id"])
    try:
        endpoint.predict([{"txt": "good"}])
    except BadRequest as error:
        # Before it stands what was asked.
        told["refused"] = error.message.partition("enum-encoding%3Dint: ")[2]
    print(json.dumps(told))


if __name__ == "__main__":
    main()
