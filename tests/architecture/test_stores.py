"""The network and the stores that a deployment makes: no way to the internet, TLS and IAM to each store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.architecture.project import read_template

STORES = read_template(Path("infra/stores.yaml"))
RESOURCES: dict[str, dict[str, Any]] = STORES["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


def test_the_network_has_two_private_subnets_and_no_way_to_the_internet() -> None:
    subnets = of_type("AWS::EC2::Subnet")
    assert len(subnets) == 2
    assert not any(subnet.get("MapPublicIpOnLaunch") for subnet in subnets.values())
    zones = {str(subnet["AvailabilityZone"]) for subnet in subnets.values()}
    assert len(zones) == 2
    ways_out = {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"}
    assert not ways_out & {each["Type"] for each in RESOURCES.values()}


def test_every_aws_service_that_the_functions_call_has_an_endpoint() -> None:
    endpoints = of_type("AWS::EC2::VPCEndpoint").values()
    kinds = {
        str(each["ServiceName"]).rpartition(".")[2]: each.get("VpcEndpointType", "Gateway")
        for each in endpoints
    }
    assert kinds == {"s3": "Gateway", "events": "Interface", "sqs": "Interface"}
    assert all(each["PrivateDnsEnabled"] for each in endpoints if each.get("VpcEndpointType") == "Interface")


def test_the_database_is_postgres_17_from_half_a_unit_and_takes_encrypted_connections_only() -> None:
    [database] = of_type("AWS::RDS::DBCluster").values()
    assert (database["Engine"], str(database["EngineVersion"]).split(".")[0]) == ("aurora-postgresql", "17")
    assert database["ServerlessV2ScalingConfiguration"]["MinCapacity"] == 0.5
    assert database["EnableIAMDatabaseAuthentication"] is True
    [settings] = of_type("AWS::RDS::DBClusterParameterGroup").values()
    assert settings["Parameters"]["rds.force_ssl"] == "1"
    assert not any(one.get("PubliclyAccessible", False) for one in of_type("AWS::RDS::DBInstance").values())


def test_the_cache_is_reached_with_tls_and_the_proxy_with_tls() -> None:
    assert str(STORES["Outputs"]["RedisUrl"]["Value"]).startswith("rediss://")
    [cache] = of_type("AWS::ElastiCache::ServerlessCache").values()
    assert cache["Engine"] == "valkey"
    [proxy] = of_type("AWS::RDS::DBProxy").values()
    assert proxy["RequireTLS"] is True


def test_the_migration_goes_past_the_proxy_and_the_functions_through_it() -> None:
    owner, functions = (str(STORES["Outputs"][name]["Value"]) for name in ("DatabaseOwnerUrl", "DatabaseUrl"))
    assert "els_owner@${Database.Endpoint.Address}" in owner
    assert "els@${Host}" in functions


def test_a_standby_and_a_proxy_are_made_when_they_are_asked_for() -> None:
    conditions = {name: each["Condition"] for name, each in RESOURCES.items() if "Condition" in each}
    assert set(conditions.values()) == {"MakesStandby", "MakesProxy"}


def test_only_the_functions_and_the_proxy_reach_the_stores() -> None:
    sources = {
        str(rule.get("SourceSecurityGroupId"))
        for group in of_type("AWS::EC2::SecurityGroup").values()
        for rule in group.get("SecurityGroupIngress", [])
    } | {str(rule["SourceSecurityGroupId"]) for rule in of_type("AWS::EC2::SecurityGroupIngress").values()}
    assert sources == {"FunctionsGroup", "ProxyGroup"}
