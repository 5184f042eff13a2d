"""docs/permissions.md is true: every role and policy has the rows of its table, and no others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.architecture.project import resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = Path("docs/permissions.md").read_text("utf-8")
STORES = Path("infra/stores.yaml")
ACCOUNT = "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:"
EVENTS = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}"
NO_VALUE = {"Ref": "AWS::NoValue"}


def table(heading: str) -> Iterator[list[list[str]]]:
    """Yield the rows of the table under a heading, as the names in code style of each cell."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return ([re.findall(r"`([^`]+)`", cell) for cell in row.split("|")[1:-1]] for row in rows)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def attached(policy: Any) -> str:
    """Return the name of a managed policy, which may depend on conditions."""
    match policy:
        case str():
            return policy.rpartition("/")[2]
        case {"Ref": str(parameter)}:
            return parameter
        case {"Fn::GetAtt": ["Stores", str(output)]}:
            return output.removeprefix("Outputs.")
        case {"Fn::If": [_, one, other]}:
            return attached(one if other == NO_VALUE else other)
    raise TypeError(f"unknown form of a managed policy: {policy}")


def target(resource: Any) -> str:
    """Return the resource that a statement is about."""
    match resource:
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            return name
        case {"Fn::If": ["KnowsItsEvents", one, {"Ref": "AWS::NoValue"}]}:
            return target(one)
        case {
            "Fn::Sub": [str(arn), {"eventBusName": {"Fn::If": ["MakesOutboundBus", {"Ref": str(name)}, _]}}]
        }:
            assert arn.endswith(":event-bus/${eventBusName}")
            return name
        case {
            "Fn::If": [
                "MakesOutboundBus",
                {"Fn::GetAtt": ["OutboundBus", "Arn"]},
                {"Fn::Sub": str(arn)},
            ]
        }:
            assert arn == f"{EVENTS}:event-bus/${{OutboundBusName}}"
            return "OutboundBus"
    raise TypeError(f"unknown form of a resource: {resource}")


def granted(role: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a role may do and on what."""
    for policy in role["Properties"]["ManagedPolicyArns"]:
        yield attached(policy), ""
    for policy in role["Properties"].get("Policies", []):
        for statement in as_list(policy["PolicyDocument"]["Statement"]):
            assert statement["Effect"] == "Allow"
            for action in as_list(statement["Action"]):
                for resource in as_list(statement["Resource"]):
                    yield action, target(resource)


def test_every_role_has_the_permissions_of_the_table_and_no_others(made: Mapping[str, Any]) -> None:
    documented = {
        (function, permission, "".join(resource))
        for [function], [permission], resource in table("Roles of the functions")
    }
    found = {
        (name.removesuffix("Role"), permission, resource)
        for name, each in made.items()
        if each["Type"] == "AWS::IAM::Role"
        for permission, resource in granted(each)
    }
    assert found == documented


def test_only_the_service_of_lambda_takes_on_a_role_of_a_function(made: Mapping[str, Any]) -> None:
    for role in (each for each in made.values() if each["Type"] == "AWS::IAM::Role"):
        [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": ["lambda.amazonaws.com"]}


def test_the_policies_of_the_stores_are_those_of_the_table() -> None:
    documented = {
        (policy, permission, "".join(resource))
        for [policy], [permission], resource in table("Policies of the stores that are made here")
    }
    found = set()
    for name, each in resources(STORES).items():
        if each["Type"] == "AWS::IAM::ManagedPolicy":
            documents = [each["Properties"]["PolicyDocument"]]
        elif each["Type"] == "AWS::IAM::Role":
            documents = [policy["PolicyDocument"] for policy in each["Properties"]["Policies"]]
        else:
            continue
        for statement in (one for document in documents for one in document["Statement"]):
            for resource in resources_of(statement["Resource"]):
                found.add((name, statement["Action"], resource))
    assert found == documented


def resources_of(resource: Any) -> Iterator[str]:
    """Yield the database user, or the resource, that a statement of the stores is about."""
    match resource:
        case str(arn):
            assert arn.startswith(ACCOUNT)
            assert arn.removeprefix(ACCOUNT).partition("/")[0] == "${Database.DBClusterResourceId}"
            yield arn.rpartition("/")[2]
        case [str(arn), {"Id": ["MakesProxy", proxy, "Database.DBClusterResourceId"]}]:
            assert arn == f"{ACCOUNT}${{Id}}/els"
            assert proxy == [6, [":", "Proxy.DBProxyArn"]]
            yield "els"
        case [*arns]:
            yield from (str(arn).removesuffix(".ARN").removesuffix(".Arn") for arn in arns)


def test_a_queue_admits_its_own_rules_alone(made: Mapping[str, Any]) -> None:
    documented = {
        policy: (queues, sender, rules)
        for [policy], queues, [sender], rules in table("Policies of the queues")
    }
    found = {name: each for name, each in made.items() if each["Type"] == "AWS::SQS::QueuePolicy"}
    assert set(found) == set(documented)
    for name, (queues, sender, rules) in documented.items():
        policy = found[name]["Properties"]
        [statement] = policy["PolicyDocument"]["Statement"]
        assert policy["PolicyDocument"]["Version"] == "2012-10-17"
        assert (statement["Effect"], statement["Action"]) == ("Allow", "sqs:SendMessage")
        assert statement["Principal"] == {"Service": sender}
        assert [target(arn) for arn in as_list(statement["Resource"])] == queues
        assert [queue["Ref"] for queue in policy["Queues"]] == queues
        assert set(statement["Condition"]) == {"ArnEquals"}
        senders = as_list(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
        own_names = [made[rule]["Properties"]["Name"]["Fn::Sub"] for rule in rules]
        assert [one["Fn::Sub"] for one in senders] == [
            [f"{EVENTS}:rule/${{Bus}}{own_name}", {"Bus": BUS_OF_RULE}] for own_name in own_names
        ]


# A rule's ARN names its bus, unless that is the default one.
BUS_OF_RULE = {
    "Fn::If": [
        "ReadsDefaultBus",
        "",
        {
            "Fn::If": [
                "MakesInboundBus",
                {"Fn::Sub": "${AWS::StackName}-in/"},
                {"Fn::Sub": "${InboundBusName}/"},
            ]
        },
    ]
}
