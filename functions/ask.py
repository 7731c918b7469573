"""ReevaluateProblem and AwaitApproval: ask a person, and let other runs pass meanwhile."""

from typing import Any

from noria.context import Stage
from noria.endings import write_report

QUESTIONS = {
    "ReevaluateProblem": "There is no use in going on with this problem as it is stated. Revise "
    "the contract or halt: noria problem revise STACK --input FILE | --halt",
    "AwaitApproval": "A challenger beat the champion. Approve or refuse its deployment: "
    "noria approve STACK [--refuse]",
}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Store the task token with the question and tell people; the answer comes by the token."""
    stage = Stage.open(event)
    state = stage.event.state
    reasons = stage.event.result("analyse" if state == "ReevaluateProblem" else "evaluate").get(
        "reasons", []
    )
    waiting = {
        "state": state,
        "token": stage.event.token,
        "question": QUESTIONS[state],
        "reasons": reasons,
    }
    stage.store.put_json(stage.run.key("waiting.json"), waiting)
    write_report(stage, {"name": state, "reasons": reasons})
    stage.leases.release(stage.event.execution)
    stage.topic.publish(
        f"Noria {stage.environment.stack}: {state}",
        "\n".join([f"Run {stage.event.execution} waits.", QUESTIONS[state], *reasons]),
    )
    return waiting
