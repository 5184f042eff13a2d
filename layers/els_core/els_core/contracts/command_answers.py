"""From the answer of a command to what the HTTP API says of it."""

from els_core.application.steer_batch import Answered
from els_core.contracts.outbound import Released
from els_core.contracts.system_answers import CommandResult


def command_result(answered: Answered, *, is_dry_run: bool) -> CommandResult:
    """Return what became of a command."""
    answer = answered.answer
    return CommandResult(
        command_id=answer.command_id,
        command=answer.command,
        refusal=answer.refusal,
        status=answer.status,
        epoch=answer.epoch,
        version=answer.version,
        withdrawn_essay_ids=list(answer.withdrawn),
        released=[
            Released(essay_id=slot.essay_id, text_storage_id=slot.text_storage_id) for slot in answer.released
        ],
        taken_in_count=answer.taken_in,
        is_repeated=answered.is_repeated,
        is_dry_run=is_dry_run,
    )
