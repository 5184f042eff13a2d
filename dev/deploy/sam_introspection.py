"""Runs on the SAM CLI's own Python: prints as JSON what SAM makes of the template.

Reads `{"template", "parameters", "environment"}`: a path, parameter overrides, and the environment file of
`sam local`.
"""

import json
import sys
from itertools import chain
from typing import Any

from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import parse_yaml_file, yaml_parse

ROLES = "arn:aws:iam::aws:policy/service-role/"
MANAGED = ("AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole")


class ManagedPolicies:
    """The two policies of AWS that SAM adds by itself, where `sam validate` asks IAM for all of them."""

    def load(self) -> dict[str, str]:
        """Return the ARN of each name."""
        return {name: f"{ROLES}{name}" for name in MANAGED}


def introspect(template: str, parameters: dict[str, str], environment: dict[str, Any]) -> dict[str, Any]:
    """Return the translated template, the variables under `sam local`, and the routes of `start-api`."""
    stacks, _ = SamLocalStackProvider.get_stacks(template, parameter_overrides=parameters)
    functions = SamFunctionProvider(stacks)
    runner = LocalLambdaRunner(None, functions, ".", ".", env_vars_values=environment)
    translator = SamTemplateValidator(
        parse_yaml_file(template), ManagedPolicies(), region="eu-north-1", parameter_overrides=parameters
    )
    return {
        "translated": yaml_parse(translator.get_translated_template_if_valid()),
        "variables": {
            each.name: runner._make_env_vars(each).resolve()  # noqa: SLF001 - SAM tells it nowhere else
            for each in functions.get_all()
        },
        "routes": [
            f"{method} {route.path} -> {route.function_name}"
            for route in chain.from_iterable(api.routes for api in ApiProvider(stacks).get_all())
            for method in route.methods
        ],
    }


print(json.dumps(introspect(**json.load(sys.stdin))))
