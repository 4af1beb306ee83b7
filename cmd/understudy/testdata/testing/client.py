"""A client as a user of understudy may have one: it reads its environment, signs with
TC3-HMAC-SHA256, and tries a second time where no concurrency is idle."""
import hashlib
import hmac
import json
import os
import time
import urllib.request


class Error(Exception):
    """An error of the API; its text begins with the code."""


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def call(action, parameters):
    host, secret_id, key = (os.environ[name] for name in ("TENCENTCAR_ENDPOINT", "TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"))
    body, now = json.dumps(parameters), int(time.time())
    date = time.strftime("%Y-%m-%d", time.gmtime(now))
    scope = f"{date}/car/tc3_request"
    canonical = f"POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{sha256(body)}"
    signing = mac(mac(mac(("TC3" + key).encode(), date), "car"), "tc3_request")
    signature = mac(signing, f"TC3-HMAC-SHA256\n{now}\n{scope}\n{sha256(canonical)}").hex()
    request = urllib.request.Request(f"http://{host}/", body.encode(), {
        "Content-Type": "application/json",
        "X-TC-Action": action,
        "X-TC-Version": "2022-01-10",
        "X-TC-Timestamp": str(now),
        "Authorization": f"TC3-HMAC-SHA256 Credential={secret_id}/{scope}, SignedHeaders=content-type;host, Signature={signature}",
    })
    with urllib.request.urlopen(request) as answer:
        response = json.load(answer)["Response"]
    if "Error" in response:
        raise Error(response["Error"]["Code"] + ": " + response["Error"]["Message"])
    return response


def create_session(user):
    parameters = {"UserId": user, "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}
    try:
        return call("CreateSession", parameters)
    except Error as error:
        if not str(error).startswith("ResourceNotFound.NoIdle"):
            raise
        return call("CreateSession", parameters)
