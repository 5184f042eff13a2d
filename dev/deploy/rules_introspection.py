"""Runs on the local AWS's own Python: prints what its CloudFormation says of the parameters of deployments.

Reads `{"template", "cases"}`: a template as SAM translates it, and the parameters of each case. Prints for
each case the error, or null where the parameters are accepted.
"""

import json
import sys
from typing import Any

from ministack.services.cloudformation.engine import (
    _evaluate_conditions,
    _resolve_parameters,
    validate_template_support,
)


def judge(template: dict[str, Any], parameters: dict[str, str]) -> str | None:
    """Return why CloudFormation refuses these parameters; None when it takes them."""
    given = [{"Key": name, "Value": value} for name, value in parameters.items()]
    try:
        resolved = _resolve_parameters(template, given)
        conditions = _evaluate_conditions(template, resolved)
        # Only parameters and Rules are asked about; the emulator does not know every type of resource.
        asked = {**template, "Resources": {}, "Outputs": {}}
        validate_template_support(asked, conditions, resolved)
    except ValueError as error:
        return str(error)
    return None


request = json.load(sys.stdin)
print(json.dumps([judge(request["template"], case) for case in request["cases"]]))
