# python github_receiver.py PORT FILE: a receiver of GitHub's webhooks in Flask, its check as GitHub's documentation shows it. Each event that it
# accepted is a line of FILE, {id, event, headers, sha256}. The secret is in the environment variable RECEIVER_SECRET.
import hashlib
import hmac
import json
import os
import sys

from flask import Flask, abort, request

app = Flask(__name__)


def verify_signature(payload_body, secret_token, signature_header):
    """Verify that the payload was sent from GitHub by validating SHA256."""
    if not signature_header:
        abort(403, "x-hub-signature-256 header is missing!")
    hash_object = hmac.new(secret_token.encode("utf-8"), msg=payload_body, digestmod=hashlib.sha256)
    expected_signature = "sha256=" + hash_object.hexdigest()
    if not hmac.compare_digest(expected_signature, signature_header):
        abort(403, "Request signatures didn't match!")


@app.post("/github")
def github():
    verify_signature(request.data, os.environ["RECEIVER_SECRET"], request.headers.get("X-Hub-Signature-256"))
    with open(sys.argv[2], "a") as file:
        line = {
            "id": request.headers["X-GitHub-Delivery"],
            "event": request.headers["X-GitHub-Event"],
            "headers": list(request.headers),
            "sha256": hashlib.sha256(request.data).hexdigest(),
        }
        print(json.dumps(line), file=file)
    return "", 204


app.run(port=int(sys.argv[1]))
