"""State machines."""

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource


def definition(p: Properties) -> str:
    """Give a machine's definition with its substitutions made."""
    text: str = p["DefinitionString"]
    for key, value in p.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{key}}}", str(value))
    return text


@resource(
    "AWS::StepFunctions::StateMachine", name="StateMachineName",
    update=lambda aws, made, _, p: aws("stepfunctions").update_state_machine(
        stateMachineArn=made.ref, definition=definition(p), roleArn=p["RoleArn"]
    ) and None,
    delete=lambda aws, made, _: aws("stepfunctions").delete_state_machine(
        stateMachineArn=made.ref
    ) and None,
)  # fmt: skip
def state_machine(aws: Clients, name: str, p: Properties) -> Made:
    """Create a state machine in the backend that executes it."""
    name = p.get("StateMachineName", name)[:80]
    made = aws("stepfunctions").create_state_machine(
        name=name, definition=definition(p), roleArn=p["RoleArn"],
        type=p.get("StateMachineType", "STANDARD"),
    )  # fmt: skip
    arn = made["stateMachineArn"]
    return Made(arn, {"Arn": arn, "Name": name, "StateMachineRevisionId": "INITIAL"})
