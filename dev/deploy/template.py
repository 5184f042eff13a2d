"""Reads template.yaml, so that no tool keeps a copy of what it says about queues, rules and functions."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import yaml

from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_REFERENCE = re.compile(r"\$\{([\w:]+)\}")  # in the text of an `Fn::Sub`
TEMPLATE = ROOT / "template.yaml"
NO_VALUE = object()  # AWS::NoValue: the property that has it is left out


class TemplateError(Exception):
    """The template lacks something that a tool reads from it; the message names the resource."""


@dataclass(frozen=True)
class QueueDefinition:
    """A queue that feeds a function, and what the template says about both."""

    name: str
    function: str
    dead_letter_queue: str
    event_pattern: Mapping[str, Any]
    max_receive_count: int
    batch_size: int


@dataclass(frozen=True)
class Template:
    """The template with the values of its parameters; `values` may also hold the `Ref` of a resource."""

    document: Mapping[str, Any]
    values: Mapping[str, str]

    @classmethod
    def read(cls, values: Mapping[str, str] | None = None, path: Path = TEMPLATE) -> Self:
        """Read the template; a parameter that is not in `values` has its default."""
        return cls(yaml.load(path.read_text("utf-8"), Loader=_Loader), values or {})  # noqa: S506 - it is safe

    def given(self, values: Mapping[str, str]) -> Self:
        """Return the template with more values."""
        return replace(self, values={**self.values, **values})

    def source_queues(self) -> list[QueueDefinition]:
        """Return every queue that feeds a function, in the order of the template."""
        return [self._source_queue(name) for name in self._named("AWS::Lambda::EventSourceMapping")]

    def queue_attributes(self, queue: str) -> dict[str, str]:
        """Return the attributes with which SQS creates a queue, but for its redrive policy."""
        names = ("VisibilityTimeout", "MessageRetentionPeriod")
        properties = self._properties(queue)
        return {name: str(self.resolve(properties[name])) for name in names if name in properties}

    def scheduled(self, rate: str) -> list[str]:
        """Return the functions that a schedule of this rate invokes."""
        return [
            function
            for function in self._named("AWS::Serverless::Function")
            for event in self._properties(function).get("Events", {}).values()
            if event["Type"] == "Schedule" and event["Properties"]["Schedule"] == rate
        ]

    def timeout_seconds(self, function: str) -> int:
        """Return how long a function may run."""
        return int(self._function_property(function, "Timeout"))

    def memory_mb(self, function: str) -> int:
        """Return the memory that a function is given."""
        return int(self._function_property(function, "MemorySize"))

    def environment(self, function: str) -> dict[str, str]:
        """Return the environment variables of a function; every `Ref` in them needs a value."""
        everywhere = self.document["Globals"]["Function"]["Environment"]["Variables"]
        own = self._properties(function).get("Environment", {"Variables": {}})["Variables"]
        resolved = {name: self.resolve(value) for name, value in {**everywhere, **own}.items()}
        return {name: str(value) for name, value in resolved.items() if value is not NO_VALUE}

    def resolve(self, value: Any) -> Any:
        """Return a value with its intrinsic functions evaluated; raise for one that is not known here."""
        match value:
            case {"Ref": str(name)}:
                return self._value(name)
            case dict() if any(name.startswith("Fn::") for name in value):
                return self._intrinsic(value)
            case dict():
                resolved = {name: self.resolve(one) for name, one in value.items()}
                return {name: one for name, one in resolved.items() if one is not NO_VALUE}
            case list():
                return [one for one in map(self.resolve, value) if one is not NO_VALUE]
            case _:
                return value

    def _intrinsic(self, value: Any) -> Any:
        match value:
            case {"Fn::If": [str(condition), then, otherwise]}:
                holds = self._holds(self.document["Conditions"][condition])
                return self.resolve(then if holds else otherwise)
            case {"Fn::FindInMap": [str(mapping), row, str(column)]}:
                return self.document["Mappings"][mapping][self.resolve(row)][column]
            case {"Fn::Select": [int(position), {"Ref": str(parameter)}]}:
                return self._value(parameter).split(",")[position]
            case {"Fn::Sub": str(text)}:
                return _REFERENCE.sub(lambda found: str(self._value(found[1])), text)
        raise TemplateError(f"template.yaml uses {next(iter(value))}: add its evaluation to {__name__}")

    def _holds(self, condition: Any) -> bool:
        match condition:
            case {"Fn::Equals": [left, right]}:
                return str(self.resolve(left)) == str(self.resolve(right))
            case {"Fn::Not": [negated]}:
                return not self._holds(negated)
        raise TemplateError(f"template.yaml has the condition {condition}: add its evaluation to {__name__}")

    def _value(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.values:
            return self.values[name]
        parameter = self.document["Parameters"].get(name, {})
        if "Default" not in parameter:
            raise TemplateError(f"{name} has neither a value nor a default: pass one to Template.read")
        return parameter["Default"]

    def _source_queue(self, mapping: str) -> QueueDefinition:
        properties = self._properties(mapping)
        queue = _resource_of(properties["EventSourceArn"])
        policy = self._properties(queue).get("RedrivePolicy")
        if policy is None:
            raise TemplateError(
                f"{queue} has no RedrivePolicy: a message that always fails would never leave it"
            )
        rules = [rule for rule in self._named("AWS::Events::Rule") if queue in self._targets(rule)]
        if len(rules) != 1:
            raise TemplateError(f"{queue} is the target of the rules {rules}: exactly one is expected")
        return QueueDefinition(
            queue,
            _resource_of(properties["FunctionName"]),
            _resource_of(policy["deadLetterTargetArn"]),
            self.resolve(self._properties(rules[0])["EventPattern"]),
            int(self.resolve(policy["maxReceiveCount"])),
            int(self.resolve(properties["BatchSize"])),
        )

    def _targets(self, rule: str) -> list[str]:
        return [_resource_of(target["Arn"]) for target in self._properties(rule)["Targets"]]

    def _function_property(self, function: str, name: str) -> Any:
        everywhere = self.document["Globals"]["Function"]
        return self.resolve(self._properties(function).get(name, everywhere.get(name)))

    def _named(self, kind: str) -> list[str]:
        return [name for name, resource in self.document["Resources"].items() if resource["Type"] == kind]

    def _properties(self, resource: str) -> dict[str, Any]:
        if resource not in self.document["Resources"]:
            raise TemplateError(f"template.yaml has no resource {resource}")
        properties: dict[str, Any] = self.document["Resources"][resource].get("Properties", {})
        return properties


def _resource_of(value: Any) -> str:
    """Return the logical id of the resource that a `Ref` or a `GetAtt` names."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return name
    raise TemplateError(f"{value} names no resource: expected !Ref or !GetAtt")


class _Loader(yaml.SafeLoader):
    """Reads the short form of an intrinsic function, as `!Ref`, in its long form."""


def _long_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            raise TemplateError(f"!{tag} has no value that YAML knows")
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", maxsplit=1)
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _long_form)
