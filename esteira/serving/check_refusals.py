"""Requests that a model's server has to refuse: each with its status, and a message that says what is wrong."""

from typing import List, NamedTuple

from esteira.serving.checks import Check, in_json
from esteira.serving.probe import Probe, Said, ServerProbe, encoded

MALFORMED = b'{"instances": [{"text": 1}'
UNKNOWN_SIGNATURE, UNKNOWN_MODEL = "no_such_signature", "no-such-model"


class Bad(NamedTuple):
    """A request that is wrong, the status that it must get, and what the message must name."""

    name: str
    body: bytes
    status: int
    named: str = ""


def bad_requests(max_rows: int) -> List[Bad]:
    good, rows = {"text": "good"}, [{"text": ""}] * (max_rows + 1)
    unknown = encoded(signature_name=UNKNOWN_SIGNATURE, instances=[good])
    return [
        Bad("malformed JSON", MALFORMED, 400),
        Bad("a number for a text", encoded(instances=[good, {"text": 1}]), 400, "instances[1]"),
        Bad("a row without its text", encoded(instances=[good, {}]), 400, "instances[1]"),
        Bad("no rows", encoded(instances=[]), 400, "instances"),
        Bad("an unknown signature", unknown, 400, UNKNOWN_SIGNATURE),
        Bad(f"{max_rows + 1:,} rows", encoded(instances=rows), 413),
    ]


def check_refusals(probe: Probe, max_rows: int, *, is_ours: bool = True, is_direct: bool = True) -> List[Check]:
    """Send each bad request.

    Of a server that is not ours the message is its own, and it need not have our limits; where others answer in
    between (not `is_direct`), as Vertex AI does, any 4xx will do.
    """
    asked = [one for one in bad_requests(max_rows) if is_ours or one.status != 413]
    return [check_refusal(one, probe.send(one.body), is_ours=is_ours, is_direct=is_direct) for one in asked]


def check_server_refusals(probe: ServerProbe, max_body_bytes: int) -> List[Check]:
    """Send what only a server of our own is asked: a model that it does not have, and a body that is too large."""
    unknown = Bad("an unknown model", encoded(instances=[{"text": "good"}]), 404, UNKNOWN_MODEL)
    large = Bad(f"a body of {max_body_bytes / (1 << 20):g} MB and a byte", b" " * (max_body_bytes + 1), 413)
    return [
        check_refusal(unknown, probe.post(f"/v1/models/{UNKNOWN_MODEL}:predict", unknown.body)),
        check_refusal(large, probe.send(large.body)),
    ]


def check_refusal(bad: Bad, said: Said, *, is_ours: bool = True, is_direct: bool = True) -> Check:
    named = bad.named if is_ours else ""
    status = str(bad.status) if is_ours and is_direct else "4xx"
    fits = said.status == bad.status if is_ours and is_direct else 400 <= said.status < 500
    told = bool(said.message) and named in said.message and "Traceback" not in said.message
    expected = f"{status}, which names {named}" if named else f"{status} with a message"
    observed = f"{said.status}: {said.message or in_json(said.body)}"[:200]
    return Check(f"refuses {bad.name}", fits and told, expected, observed)
