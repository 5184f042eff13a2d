"""The template has what AWS needs and lint does not ask for: order, limits, encryption, pausing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.architecture.project import read_template, resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TEMPLATE = read_template(Path("template.yaml"))
STORES = read_template(Path("infra/stores.yaml"))
OBSERVABILITY = read_template(Path("infra/observability.yaml"))
STAGES: dict[str, dict[str, int]] = TEMPLATE["Mappings"]["Stages"]
FUNCTION_SECONDS: int = TEMPLATE["Globals"]["Function"]["Timeout"]
CONSUMERS = ("RegisterBatch", "SteerBatch", "ProvisionContent")
PAUSED = {"Fn::If": ["IsPaused", False, True]}
PAUSED_RULE = {"Fn::If": ["IsPaused", "DISABLED", "ENABLED"]}


def of_type(made: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, each) for name, each in made.items() if each["Type"] == kind)


def detail_types(name: str) -> Any:
    return resources()[name]["Properties"]["EventPattern"]["detail-type"]


def test_a_rule_comes_after_the_policy_that_lets_it_send(made: Mapping[str, Any]) -> None:
    rules = dict(of_type(made, "AWS::Events::Rule"))
    to_queues = [name for name, rule in rules.items() if "EventPattern" in rule["Properties"]]
    others = ["UnknownEventsRule", "UnknownCommandersRule"]
    assert to_queues == [*(f"{name}Rule" for name in CONSUMERS), *others]
    policies = [f"{name.removesuffix('Rule')}QueuePolicy" for name in to_queues if name != others[1]]
    assert [rules[name]["DependsOn"] for name in to_queues] == [*policies, "UnknownEventsQueuePolicy"]


def test_every_function_but_the_migration_waits_for_the_schema(made: Mapping[str, Any]) -> None:
    waiting = {name: each.get("DependsOn") for name, each in of_type(made, "AWS::Lambda::Function")}
    assert waiting.pop("MigrateDatabaseFunction") is None
    assert set(waiting.values()) == {"DatabaseSchema"}


def test_another_database_or_another_layer_migrates_and_the_request_has_no_secret(
    made: Mapping[str, Any],
) -> None:
    asked = dict(made["DatabaseSchema"]["Properties"])
    assert set(asked) == {
        *("ServiceToken", "ServiceTimeout", "Core", "Migrations"),
        *("Database", "User"),
    }
    [part, split] = asked["Database"]["Fn::Select"]
    [separator, url] = split["Fn::Split"]
    assert (part, separator, url["Fn::If"][0]) == (1, "@", "MakesStores")
    user: Any = {"Ref": "DatabaseUrl"}
    for position, mark in ((1, "://"), (0, "@"), (0, ":")):
        user = {"Fn::Select": [position, {"Fn::Split": [mark, user]}]}
    assert asked["User"] == {"Fn::If": ["MakesStores", "els", user]}


def test_the_migration_is_not_invoked_twice(made: Mapping[str, Any]) -> None:
    assert made["MigrateDatabaseFunctionEventInvokeConfig"]["Properties"]["MaximumRetryAttempts"] == 0
    assert made["MigrateDatabaseFunction"]["Properties"]["Timeout"] < int(
        made["DatabaseSchema"]["Properties"]["ServiceTimeout"]
    )


@pytest.mark.parametrize("stage", STAGES)
def test_a_message_stays_invisible_for_long_enough(stage: str) -> None:
    window = TEMPLATE["Parameters"]["BatchWindowSeconds"]["MaxValue"]
    least = FUNCTION_SECONDS if stage == "local" else 6 * FUNCTION_SECONDS + window
    assert STAGES[stage]["VisibilityTimeout"] >= least


@pytest.mark.parametrize("name", CONSUMERS)
def test_a_queue_keeps_messages_for_days_and_passes_them_to_its_own_dead_letter_queue(
    made: Mapping[str, Any], name: str
) -> None:
    queue, dead = (made[f"{name}{kind}"]["Properties"] for kind in ("Queue", "DeadLetters"))
    assert queue["VisibilityTimeout"] == {"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "VisibilityTimeout"]}
    assert queue["RedrivePolicy"]["maxReceiveCount"] * STAGES["prod"]["VisibilityTimeout"] > 24 * 3_600
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [f"{name}DeadLetters", "Arn"]}
    [source] = dead["RedriveAllowPolicy"]["sourceQueueArns"]
    assert dead["RedriveAllowPolicy"]["redrivePermission"] == "byQueue"
    prefix = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:"
    assert source["Fn::Sub"] == prefix + queue["QueueName"]["Fn::Sub"]


def test_every_queue_is_encrypted_and_keeps_messages_for_14_days(made: Mapping[str, Any]) -> None:
    for _, queue in of_type(made, "AWS::SQS::Queue"):
        assert queue["Properties"]["SqsManagedSseEnabled"] is True
        assert queue["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3_600


@pytest.mark.parametrize("name", CONSUMERS)
def test_a_queue_starts_a_limited_number_of_instances(made: Mapping[str, Any], name: str) -> None:
    source = made[f"{name}Source"]["Properties"]
    assert source["ScalingConfig"]["MaximumConcurrency"] == {
        "Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "MaximumConcurrency"]
    }
    assert all(2 <= stage["MaximumConcurrency"] <= 1_000 for stage in STAGES.values())
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_pausing_stops_every_queue_and_every_schedule(made: Mapping[str, Any]) -> None:
    sources = [each["Properties"]["Enabled"] for _, each in of_type(made, "AWS::Lambda::EventSourceMapping")]
    schedules = [
        rule["Properties"]["State"]
        for _, rule in of_type(made, "AWS::Events::Rule")
        if "ScheduleExpression" in rule["Properties"]
    ]
    assert (sources, schedules) == ([PAUSED] * len(CONSUMERS), [PAUSED_RULE] * 4)


def test_every_detail_type_has_one_rule_and_all_others_are_kept_apart() -> None:
    taken = [kind for name in CONSUMERS for kind in detail_types(f"{name}Rule")]
    assert len(set(taken)) == len(taken)
    without_commands = [kind for kind in taken if kind != "BatchCommand"]
    [others] = detail_types("UnknownEventsRule")
    assert others == {"anything-but": ["HasCommandSources", taken, without_commands]}


def test_a_command_is_taken_only_from_a_source_that_the_deployment_names() -> None:
    rule = resources()["SteerBatchRule"]
    assert rule["Condition"] == "HasCommandSources"
    assert rule["Properties"]["EventPattern"]["source"] == "CommandSources"
    assert TEMPLATE["Parameters"]["CommandSources"]["Default"] == ""


def test_a_command_from_another_source_is_kept_with_the_unknown_events() -> None:
    rule = resources()["UnknownCommandersRule"]
    assert TEMPLATE["Conditions"]["KnowsItsCommanders"] == ["KnowsItsEvents", "HasCommandSources"]
    assert rule["Condition"] == "KnowsItsCommanders"
    pattern = {"source": [{"anything-but": "CommandSources"}], "detail-type": ["BatchCommand"]}
    assert rule["Properties"]["EventPattern"] == pattern
    unknown = resources()["UnknownEventsRule"]["Properties"]["Targets"]
    assert rule["Properties"]["Targets"] == unknown == [{"Id": "queue", "Arn": "UnknownEventsQueue.Arn"}]


def test_every_function_logs_json_into_its_own_group_with_a_retention(made: Mapping[str, Any]) -> None:
    for name, function in of_type(made, "AWS::Lambda::Function"):
        logging = function["Properties"]["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        assert logging["LogGroup"] == {"Ref": f"{name.removesuffix('Function')}Logs"}
    for template in (made, STORES["Resources"]):
        groups = dict(of_type(template, "AWS::Logs::LogGroup"))
        assert groups
        assert all("RetentionInDays" in group["Properties"] for group in groups.values())


def test_the_api_needs_a_signature_is_throttled_and_logs_who_asked(made: Mapping[str, Any]) -> None:
    routes = [route["Properties"] for _, route in of_type(made, "AWS::ApiGatewayV2::Route")]
    assert {route["AuthorizationType"] for route in routes} == {"AWS_IAM"}
    stage = made["ApiStage"]["Properties"]
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert "$context.identity.userArn" in stage["AccessLogSettings"]["Format"]


def test_the_bus_of_the_results_is_always_named(made: Mapping[str, Any]) -> None:
    named = {"Fn::If": ["MakesOutboundBus", {"Ref": "OutboundBus"}, {"Ref": "OutboundBusName"}]}
    for _, function in of_type(made, "AWS::Lambda::Function"):
        assert function["Properties"]["Environment"]["Variables"]["ELS_EVENT_BUS"] == named
    assert TEMPLATE["Conditions"]["MakesOutboundBus"] == ["OutboundBusName", ""]


def test_only_the_migration_logs_in_as_the_owner_of_the_schema(made: Mapping[str, Any]) -> None:
    owners = [
        name
        for name, function in of_type(made, "AWS::Lambda::Function")
        if "ELS_DATABASE_OWNER_URL" in function["Properties"]["Environment"]["Variables"]
    ]
    assert owners == ["MigrateDatabaseFunction"]


def test_an_emulator_never_sees_the_stores() -> None:
    stores = resources()["Stores"]
    assert (stores["Condition"], stores["Properties"]["TemplateURL"]) == ("MakesStores", "infra/stores.yaml")
    nested = {each["Type"] for each in STORES["Resources"].values()}
    assert not nested & {each["Type"] for each in resources().values()} - {"AWS::Logs::LogGroup"}


def test_alarms_and_dashboard_are_made_wherever_the_service_runs_in_aws() -> None:
    nested = resources()["Observability"]
    assert (nested["Condition"], nested["Properties"]["TemplateURL"]) == ("IsAws", "infra/observability.yaml")
    assert TEMPLATE["Conditions"]["IsAws"] == [["Stage", "local"]]
    assert set(nested["Properties"]["Parameters"]) == set(OBSERVABILITY["Parameters"])


def test_data_at_rest_is_encrypted_backed_up_and_in_prod_protected_from_deletion() -> None:
    database, cache = (STORES["Resources"][name]["Properties"] for name in ("Database", "Cache"))
    assert database["StorageEncrypted"] is True
    assert database["KmsKeyId"] == cache["KmsKeyId"] == "Key.Arn"
    assert database["DeletionProtection"] == ["IsProtected", True, False]
    assert STORES["Conditions"]["IsProtected"] == ["Stage", "prod"]
    assert STORES["Mappings"]["Stages"]["prod"]["BackupDays"] >= 14
    kept = {name: STORES["Resources"][name]["DeletionPolicy"] for name in ("Database", "Key")}
    assert kept == {"Database": "Snapshot", "Key": "RetainExceptOnCreate"}
    assert resources()["Stores"]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_no_password_is_in_the_stores() -> None:
    database = STORES["Resources"]["Database"]["Properties"]
    assert database["MasterUserAuthenticationType"] == "iam-db-auth"
    assert STORES["Resources"]["CacheUser"]["Properties"]["AuthenticationMode"] == {"Type": "iam"}
    assert STORES["Resources"]["Proxy"]["Properties"]["DefaultAuthScheme"] == "IAM_AUTH"
    assert "assword" not in Path("infra/stores.yaml").read_text("utf-8")


def test_the_api_of_opentelemetry_and_a_tracing_layer_never_meet(made: Mapping[str, Any]) -> None:
    layers = TEMPLATE["Globals"]["Function"]["Layers"]
    assert layers == ["CoreLayer", ["HasTracingLayer", "TracingLayerArn", "OpenTelemetryLayer"]]
    assert resources()["OpenTelemetryLayer"]["Condition"] == "HasNoTracingLayer"
    core = Path("layers/els_core/requirements.txt").read_text("utf-8")
    assert "opentelemetry" not in core
    for _, function in of_type(made, "AWS::Lambda::Function"):
        variables = function["Properties"]["Environment"]["Variables"]
        assert variables["AWS_LAMBDA_EXEC_WRAPPER"]["Fn::If"][0] == "HasTracingLayer"
