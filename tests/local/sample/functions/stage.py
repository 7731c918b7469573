"""A stage that does what its event says: the tests' stand-in for every kind of function."""

import json
import logging
import os
import sys
import time

import boto3
from layered import greeting

LOADED = time.time()
logger = logging.getLogger(__name__)


class Flaky(Exception):
    """Fails until it has been tried often enough."""


class Hopeless(Exception):
    """Fails always."""


def handler(event, context):
    """Dispatch on `do`."""
    wanted = (event.get("input") or {}) if "input" in event else event
    wanted = event.get("item") or wanted
    return ACTIONS[wanted.get("do", "echo")](event, wanted, context)


def echo(event, _, context):
    print("echo says", greeting())
    logger.info("an echo", extra={"greeting": greeting()})
    logger.debug("too quiet")
    logger.warning("a warning", extra={"run": "run-1", "rows": 3})
    return {
        "event": event,
        "greeting": greeting(),
        "path": sys.path,
        "environment": dict(os.environ),
        "arn": context.invoked_function_arn,
        "remaining": context.get_remaining_time_in_millis(),
        "pid": os.getpid(),
        "parent": os.getppid(),
        "loaded": LOADED,
        "modules": sorted(name for name in sys.modules if "." not in name),
    }


def brief(event, wanted, _):
    return {
        "decision": wanted.get("decision", "on"),
        "state": event.get("state"),
        "at": event.get("started_at"),
    }


def flaky(_, wanted, __):
    mark = os.path.join(os.environ["TMPDIR"], wanted["mark"])
    tries = os.path.getsize(mark) if os.path.exists(mark) else 0
    with open(mark, "a") as out:
        out.write(".")
    if tries < wanted["times"]:
        raise Flaky(f"try {tries + 1}")
    return {"tries": tries + 1}


def hopeless(*_):
    raise Hopeless("no use")


def sleep(_, wanted, context):
    time.sleep(wanted["seconds"])
    return {"pid": os.getpid(), "version": context.function_version}


def leave(_, wanted, __):
    os._exit(wanted["status"])


def eat(_, wanted, __):
    eaten = [bytearray(os.urandom(1) * (1 << 20)) for _ in range(wanted["mib"])]
    time.sleep(1)
    return len(eaten)


def big(_, wanted, __):
    return "x" * wanted["bytes"]


def odd(*_):
    return {"nan": float("nan"), "text": "ä"}


def unjson(*_):
    return {1, 2}


def store(_, wanted, __):
    s3 = boto3.client("s3")
    s3.put_object(Bucket=os.environ["BUCKET"], Key=wanted["key"], Body=b"stored")
    return {"key": wanted["key"]}


def ask(event, *_):
    body = json.dumps({"token": event["token"]}).encode()
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key="open/token.json", Body=body)


ACTIONS = {
    "echo": echo,
    "brief": brief,
    "flaky": flaky,
    "hopeless": hopeless,
    "sleep": sleep,
    "exit": leave,
    "eat": eat,
    "big": big,
    "odd": odd,
    "unjson": unjson,
    "store": store,
}
