"""Catalogue databases and tables."""

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource


def _delete_database(aws: Clients, made: Made, _: Properties) -> None:
    aws("glue").delete_database(Name=made.ref)


@resource("AWS::Glue::Database", delete=_delete_database)
def glue_database(aws: Clients, name: str, p: Properties) -> Made:
    """Create a catalogue database."""
    given = {"Name": name.lower(), **p["DatabaseInput"]}
    aws("glue").create_database(DatabaseInput=given)
    return Made(given["Name"])


def _update_table(aws: Clients, _: Made, __: Properties, p: Properties) -> None:
    aws("glue").update_table(DatabaseName=p["DatabaseName"], TableInput=p["TableInput"])


def _delete_table(aws: Clients, made: Made, p: Properties) -> None:
    aws("glue").delete_table(DatabaseName=p["DatabaseName"], Name=made.ref)


@resource("AWS::Glue::Table", update=_update_table, delete=_delete_table)
def glue_table(aws: Clients, name: str, p: Properties) -> Made:
    """Create a catalogue table."""
    given = {"Name": name.lower(), **p["TableInput"]}
    aws("glue").create_table(DatabaseName=p["DatabaseName"], TableInput=given)
    return Made(given["Name"])
