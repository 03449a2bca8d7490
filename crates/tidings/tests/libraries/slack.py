"""The same as providers.mjs, for the library that Slack writes in Python."""

import json
import sys

from slack_sdk.signature import SignatureVerifier


def answer(request):
    verifier = SignatureVerifier(request["secret"])
    if "headers" in request:
        return {"genuine": verifier.is_valid_request(request["body"], request["headers"])}
    timestamp = str(request["at_s"])
    signature = verifier.generate_signature(timestamp=timestamp, body=request["body"])
    return {"headers": {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}}


json.dump([answer(request) for request in json.load(sys.stdin)], sys.stdout)
