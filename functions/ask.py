"""ReevaluateProblem and AwaitApproval: ask a person, and let other runs pass meanwhile."""

import json
from dataclasses import dataclass
from typing import Any

from noria.lifecycle.conclude import write_report
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged

CHANGES = {"objective": {"threshold": 0.7}}  # an example, to be replaced


@dataclass(frozen=True)
class Question:
    """What is asked, whose verdict asks it, where the answer goes, and which answers there are."""

    text: str
    asked_by: str
    result: str
    answers: dict[str, dict[str, Any]]
    command: str


QUESTIONS = {
    "ReevaluateProblem": Question(
        "The run does not go on with this problem as it is stated. Revise the contract, or "
        "halt. A revision holds the fields that change, merged over the run's contract; {} runs "
        "it again, on the data as they are then.",
        asked_by="analyse",
        result="answer",
        answers={
            "halt": {"decision": "halt"},
            "revise": {"decision": "revise", "problem": CHANGES},
        },
        command="noria problem revise {stack} --input FILE   (or --halt)",
    ),
    "AwaitApproval": Question(
        "A challenger beat the champion. Approve or refuse its deployment.",
        asked_by="evaluate",
        result="approval",
        answers={"approve": {"decision": "approve"}, "refuse": {"decision": "refuse"}},
        command="noria approve {stack}   (or --refuse)",
    ),
}


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Store the task token with the question and tell people; the answer comes by the token."""
    stage = Stage.open(event)
    question = QUESTIONS[stage.event.state]
    reasons = [
        *_refused(stage, question),
        *stage.event.result(_asked_by(stage, question)).get("reasons", []),
    ]
    waiting = {
        "state": stage.event.state,
        "token": stage.event.token,
        "question": question.text,
        "reasons": reasons,
        "answers": {
            name: _sending(stage, _with_example(said, _example(stage)))
            for name, said in question.answers.items()
        },
    }
    stage.store.put_json(stage.run.key("waiting.json"), waiting)
    write_report(stage, {"name": stage.event.state, "reasons": reasons})
    stage.leases.release(stage.event.execution)
    stage.topic.publish(
        f"Noria {stage.environment.stack}: {stage.event.state}", _message(stage, question, waiting)
    )
    return waiting


def _example(stage: Stage) -> dict[str, Any]:
    """Changes that a revision could make: columns that give the target away left out."""
    suspects = stage.event.result("analyse").get("suspects")
    if not suspects:
        return CHANGES
    return {"features": {"exclude": [*stage.problem.features.exclude, *suspects]}}


def _with_example(answer: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "problem": changes} if "problem" in answer else answer


def _asked_by(stage: Stage, question: Question) -> str:
    """Whose verdict asks: the evaluation's too, where the holdout's rows do not tell."""
    undecided = stage.event.result("evaluate").get("objective") == "too_few_rows"
    earlier = stage.event.result("analyse").get("decision") == "reevaluate"  # asks this time
    return "evaluate" if undecided and not earlier else question.asked_by


def _refused(stage: Stage, question: Question) -> list[str]:
    """Why the last answer was none, where the machine asks again; it asks until it has one."""
    given = stage.event.input.get(question.result)
    if given is None:
        return []
    answer = given if isinstance(given, dict) else {}
    if "Error" in answer:
        return [f"The answer was not taken: {_cause(answer)}"]
    decision = answer.get("decision")
    if decision in question.answers:
        return []  # taken, in an earlier turn
    said = f"its decision is {decision!r}" if answer else f"it is {given!r}"
    return [f"The answer was not taken: {said}; decide {' or '.join(question.answers)}."]


def _cause(failure: dict[str, Any]) -> str:
    """The sentence in a failed function's cause, which Lambda gives as a JSON document."""
    cause = str(failure.get("Cause", ""))
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    return str(document.get("errorMessage", cause)) if isinstance(document, dict) else cause


def _sending(stage: Stage, answer: dict[str, Any]) -> str:
    """The AWS CLI's command that sends an answer."""
    return (
        f"aws stepfunctions send-task-success --task-token '{stage.event.token}' "
        f"--task-output '{json.dumps(answer)}'"
    )


def _shown(name: str, command: str, changes: dict[str, Any]) -> str:
    example = json.dumps(changes)
    hint = f", with what shall change in place of {example}" if example in command else ""
    return f"To {name}{hint}:\n{command}"


def _message(stage: Stage, question: Question, waiting: dict[str, Any]) -> str:
    changes = _example(stage)
    answers = [_shown(name, command, changes) for name, command in waiting["answers"].items()]
    return "\n\n".join(
        [
            f"Run {stage.event.execution} waits at {stage.event.state}, for up to 30 days.",
            question.text,
            "\n".join(waiting["reasons"]),
            f"Answer with\n{question.command.format(stack=stage.environment.stack)}",
            "or in the AWS console: open CloudShell (>_ in the bar at the top) and paste",
            *answers,
            f"The report: {stage.store.uri(stage.run.key('report.html'))}",
        ]
    )
