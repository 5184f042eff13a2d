"""What AWS would refuse halfway, or what would lose events, is refused before anything is made."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dev.deploy.introspection import ask_rules
from tests.architecture.project import read_template, resources

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_nested(resource: Mapping[str, Any]) -> bool:
    return bool(resource["Type"] == "AWS::CloudFormation::Stack")


NESTED = [resource["Properties"]["TemplateURL"] for resource in resources().values() if is_nested(resource)]
TEMPLATES = {name: read_template(Path(name)) for name in ("template.yaml", *NESTED)}
OWN = {"DatabaseUrl": "postgresql+pg8000://els@db:5432/els", "RedisUrl": "redis://cache:6379"}
OWNER = {"DatabaseOwnerUrl": "postgresql+pg8000://owner@db:5432/els"}
NETWORK = {"SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1"}
POLICY = "arn:aws:iam::123456789012:policy/stores"
CONFIG = tomllib.loads(Path("samconfig.toml").read_text("utf-8"))

ACCEPTED: dict[str, dict[str, str]] = {
    "nothing given": {},
    "stores made here, with all": {"Stage": "prod", "DatabaseStandby": "true", "DatabaseProxy": "true"},
    "own stores": OWN,
    "own stores in a network": OWN | NETWORK,
    "own stores with an owner": OWN
    | OWNER
    | {"StoreAccessPolicyArn": POLICY, "OwnerAccessPolicyArn": POLICY},
    "an emulator": OWN | {"Stage": "local", "AwsEndpointUrl": "http://localstack:4566"},
    "large batches with a window": {"BatchSize": "100", "BatchWindowSeconds": "1"},
    "buses and sources given": {"InboundBusName": "in", "OutboundBusName": "out", "InboundSources": "a,b"},
    "commands let in": {"CommandSources": "operations,staff"},
}
REFUSED = {
    "a database without a cache": ({"DatabaseUrl": OWN["DatabaseUrl"]}, "DatabaseUrl is alone"),
    "a cache without a database": ({"RedisUrl": OWN["RedisUrl"]}, "RedisUrl is alone"),
    "an owner of nothing": (OWNER, "DatabaseOwnerUrl needs DatabaseUrl"),
    "a cluster of nothing": ({"RedisCluster": "true"}, "RedisCluster needs RedisUrl"),
    "a policy for made stores": ({"StoreAccessPolicyArn": POLICY}, "need DatabaseUrl and RedisUrl"),
    "a network for made stores": (NETWORK, "stores that are made here bring a network"),
    "a standby of own stores": (OWN | {"DatabaseStandby": "true"}, "for stores that are made here"),
    "a proxy of own stores": (OWN | {"DatabaseProxy": "true"}, "for stores that are made here"),
    "an owner's policy without an owner": (OWN | {"OwnerAccessPolicyArn": POLICY}, "needs DatabaseOwnerUrl"),
    "subnets without groups": (OWN | {"SubnetIds": "subnet-1"}, "SubnetIds and SecurityGroupIds"),
    "groups without subnets": (OWN | {"SecurityGroupIds": "sg-1"}, "SubnetIds and SecurityGroupIds"),
    "large batches without a window": ({"BatchSize": "11"}, "above 10 needs BatchWindowSeconds"),
    "an endpoint in AWS": ({"AwsEndpointUrl": "http://elsewhere"}, "for Stage local"),
    "stores made by an emulator": ({"Stage": "local"}, "an emulator of AWS cannot make the stores"),
    "a window beyond the visibility timeout": ({"BatchWindowSeconds": "61"}, "BatchWindowSeconds"),
    "a batch kept shorter than a message": ({"RetentionDays": "28"}, "RetentionDays"),
    "a database of another kind": (OWN | {"DatabaseUrl": "mysql://u@h/d"}, "DatabaseUrl"),
    "a database without a user": (OWN | {"DatabaseUrl": "postgresql+pg8000://h/d"}, "DatabaseUrl"),
    "a stage that does not exist": ({"Stage": "test"}, "Stage"),
}


@pytest.fixture(scope="module")
def answers(translated: dict[str, Any]) -> Mapping[str, str | None]:
    cases = ACCEPTED | {name: parameters for name, (parameters, _) in REFUSED.items()}
    return dict(zip(cases, ask_rules(translated, list(cases.values())), strict=True))


@pytest.mark.parametrize("case", ACCEPTED)
def test_valid_deployment_parameters_are_accepted(answers: Mapping[str, str | None], case: str) -> None:
    assert answers[case] is None


@pytest.mark.parametrize("case", REFUSED)
def test_invalid_deployment_parameters_are_rejected_with_the_reason(
    answers: Mapping[str, str | None], case: str
) -> None:
    assert REFUSED[case][1] in str(answers[case])


def test_every_assertion_of_the_rules_is_the_reason_of_a_refusal(answers: Mapping[str, str | None]) -> None:
    said = " ".join(str(answers[case]) for case in REFUSED)
    for rule in TEMPLATES["template.yaml"]["Rules"].values():
        for assertion in rule["Assertions"]:
            assert assertion["AssertDescription"] in said


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_has_a_description_and_is_in_one_group(name: str) -> None:
    template = TEMPLATES[name]
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = Counter(parameter for group in groups for parameter in group["Parameters"])
    assert grouped == Counter(template["Parameters"].keys())
    assert all(parameter.get("Description") for parameter in template["Parameters"].values())


def test_a_url_that_may_hold_a_password_is_never_shown() -> None:
    parameters = TEMPLATES["template.yaml"]["Parameters"]
    hidden = {name for name, parameter in parameters.items() if parameter.get("NoEcho")}
    assert hidden == {name for name in parameters if name.endswith("Url")} - {"AwsEndpointUrl"}


def test_a_deployment_needs_no_parameter() -> None:
    assert all("Default" in each for each in TEMPLATES["template.yaml"]["Parameters"].values())


@pytest.mark.parametrize("stage", ["default", "local", "dev", "prod", "existing"])
def test_every_stage_can_be_deployed_by_its_name(stage: str, translated: dict[str, Any]) -> None:
    chosen = CONFIG[stage]["deploy"]["parameters"]
    assert chosen["capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    given = dict(one.split("=", 1) for one in chosen.get("parameter_overrides", []))
    assert given.get("Stage", "dev") == {"default": "dev", "existing": "prod"}.get(stage, stage)
    assert ask_rules(translated, [given]) == [None]
    assert chosen.get("guided", False) == (stage == "existing")
