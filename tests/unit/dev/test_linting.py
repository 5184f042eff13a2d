"""A finding of checkov is accepted with a reason or fails the check, and so does a useless acceptance."""

from __future__ import annotations

import yaml

from dev.deploy.linting import ACCEPTED, judge

FINDING = {
    "check_id": "CKV_AWS_1",
    "check_name": "Ensure something",
    "resource": "AWS::SQS::Queue.SomeQueue",
    "file_path": "/template.json",
}
ACCEPTANCE = {"CKV_AWS_1": {"types": ["AWS::SQS::Queue"], "reason": "it is like that"}}


def test_a_finding_that_is_accepted_is_no_problem() -> None:
    assert judge([FINDING], ACCEPTANCE) == []


def test_a_finding_that_is_not_accepted_is_a_problem() -> None:
    problem = "CKV_AWS_1 AWS::SQS::Queue.SomeQueue in /template.json: Ensure something"
    assert judge([FINDING], {}) == [problem]


def test_the_same_finding_on_another_type_of_resource_is_a_problem() -> None:
    other = FINDING | {"resource": "AWS::SNS::Topic.Topic"}
    assert len(judge([FINDING, other], ACCEPTANCE)) == 1


def test_an_acceptance_without_a_finding_is_a_problem() -> None:
    assert judge([], ACCEPTANCE) == ["CKV_AWS_1 finds no AWS::SQS::Queue any more"]


def test_every_acceptance_has_a_reason() -> None:
    accepted = yaml.safe_load(ACCEPTED.read_text("utf-8"))
    assert all(len(entry["reason"].split()) > 10 for entry in accepted.values())
