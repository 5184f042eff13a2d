"""The SQL that fills the stores: every id and every text as long as the contract allows.

`batches_of` and the other functions of `dev.limits.events` make the same ids.
"""

EMPTY = "TRUNCATE batches, outbox, job_runs CASCADE"

# An id of 128 characters; a name of 255 emoji, four bytes each.
_ID = "rpad({}, 128, 'x')"
_BATCH = _ID.format("'batch-' || b || '-'")
_NAME = "repeat(U&'\\+01F600', 255)"
_CORRELATION = "'6f1f0f5e-0000-4000-8000-000000000001'"

OPEN_BATCHES = f"""
WITH new AS (
    INSERT INTO batches (batch_id, status, version, expected_count, assigned_count, deadline, fingerprint,
        course_code, user_id, org_id, class_id, essay_instructions, student_prompt_ref, timeout_seconds,
        correlation_id)
    SELECT {_BATCH}, 'open', 3, CAST(:slots AS int), CAST(:slots AS int) - CAST(:free AS int),
        clock_timestamp() + make_interval(secs => CAST(:seconds AS int)), 'f', {_ID.format("'ENG'")},
        {_ID.format("'user'")}, {_ID.format("'org'")}, {_ID.format("'class'")},
        repeat(U&'\\+01F600', 10000), repeat(U&'\\+01F600', 500), 3600, {_CORRELATION}
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS b RETURNING batch_id
)
INSERT INTO batch_epochs (batch_id, epoch, opened_at) SELECT batch_id, 1, clock_timestamp() FROM new
"""  # noqa: S608 - made of constants

SLOTS = f"""
INSERT INTO essays (batch_id, essay_id, status, text_storage_id, raw_file_storage_id, original_file_name,
    file_size_bytes, content_md5_hash, file_upload_id, settled_at)
SELECT {_BATCH}, {_ID.format("'essay-' || s || '-'")}, 'assigned', {_ID.format("'text-' || s || '-'")},
    {_ID.format("'raw-' || s || '-'")}, {_NAME}, 400, md5(''), {_ID.format("'upload-' || s || '-'")},
    clock_timestamp()
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS b,
    generate_series(CAST(:free AS int), CAST(:slots AS int) - 1) AS s
UNION ALL
SELECT {_BATCH}, {_ID.format("'essay-' || s || '-'")}, 'available', NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS b,
    generate_series(0, CAST(:free AS int) - 1) AS s
"""  # noqa: S608

AWAITED = f"""
INSERT INTO batches (batch_id, version)
SELECT {_BATCH}, 1 FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS b
"""  # noqa: S608

PARKED = f"""
INSERT INTO parked_arrivals (batch_id, identity, arrival, parked_at)
SELECT {_BATCH}, 'content:' || {_ID.format("'text-' || s || '-'")}, jsonb_build_object('kind', 'content',
        'batch_id', {_BATCH}, 'text_storage_id', {_ID.format("'text-' || s || '-'")},
        'raw_file_storage_id', {_ID.format("'raw-' || s || '-'")}, 'original_file_name', {_NAME},
        'file_size_bytes', 400, 'correlation_id', {_CORRELATION}, 'content_md5_hash', md5(''),
        'file_upload_id', {_ID.format("'upload-' || s || '-'")}, 'traceparent', NULL),
    clock_timestamp() - interval '2 hours'
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS b,
    generate_series(0, CAST(:arrivals AS int) - 1) AS s
"""  # noqa: S608

LATE = f"""
INSERT INTO validation_failures (batch_id, identity, late_reason, event_id, error_code, error_message,
    original_file_name, raw_file_storage_id, file_size_bytes, file_upload_id)
SELECT {_ID.format("'batch-0-'")}, 'upload:' || {_ID.format("'late-' || f || '-'")}, 'NO_AVAILABLE_SLOT',
    {_CORRELATION}, 'UNKNOWN_VALIDATION_ERROR', repeat(U&'\\+01F600', 500), {_NAME}, 'STORAGE_FAILED', 0,
    {_ID.format("'late-' || f || '-'")}
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS f
"""  # noqa: S608

OUTBOX = f"""
INSERT INTO outbox (event_id, batch_id, detail_type, detail, created_at)
SELECT gen_random_uuid(), {_ID.format("'batch'")}, 'ExcessContentProvisioned',
    json_build_object('metadata', json_build_object('event_id', e), 'data', json_build_object(
        'batch_id', {_ID.format("'batch'")}, 'text_storage_id', {_ID.format("'text-' || e || '-'")},
        'original_file_name', {_NAME}, 'reason', 'NO_AVAILABLE_SLOT')),
    clock_timestamp() - interval '1 hour'
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS e
"""  # noqa: S608

FINAL = """
INSERT INTO outbox (event_id, batch_id, detail_type, detail, is_final, created_at)
SELECT id, 'batch-' || CAST(:at AS int), 'BatchEssaysReady', json_build_object(
        'metadata', json_build_object('event_id', id), 'data', json_build_object(
        'batch_id', 'batch-' || CAST(:at AS int), 'ready_essays', repeat('x', CAST(:bytes AS int)))),
    true, clock_timestamp() - interval '1 hour'
FROM gen_random_uuid() AS id
"""

OPEN = "SELECT count(*) FROM batches WHERE status IN ('awaited', 'open')"
UNSENT = "SELECT count(*) FROM outbox"
UNSENT_FINALS = "SELECT count(*) FROM outbox WHERE is_final"
FINALS_TO_SEND = "SELECT batch_id, event_id FROM outbox WHERE is_final"
UNANNOUNCED = "SELECT count(*) FROM parked_arrivals WHERE announced_at IS NULL"
STILL_PARKED = "SELECT count(*) FROM parked_arrivals"
FREE_SLOTS = "SELECT count(*) FROM essays WHERE status = 'available'"
CONTENTS_OF_SLOTS = "SELECT count(DISTINCT text_storage_id) FROM essays"
EXCESS = "SELECT count(*) FROM excess_contents"
