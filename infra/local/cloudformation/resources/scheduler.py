"""Schedules of EventBridge Scheduler."""

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource


def _delete_schedule(aws: Clients, made: Made, p: Properties) -> None:
    aws("scheduler").delete_schedule(Name=made.ref, GroupName=p.get("GroupName", "default"))


@resource("AWS::Scheduler::Schedule", name="Name", delete=_delete_schedule)
def schedule(aws: Clients, name: str, p: Properties) -> Made:
    """Create a schedule; `tick` fires it."""
    name = p.get("Name", name)[:64]
    arn = aws("scheduler").create_schedule(**{**p, "Name": name})["ScheduleArn"]
    return Made(name, {"Arn": arn})
