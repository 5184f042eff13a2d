"""The statements of the baselines that store durably."""

LOCK = """
SELECT count(*) FROM (SELECT FROM batches
    WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))
    ORDER BY batch_id FOR UPDATE) AS held
"""

# Assigns, counts and ends batches in one statement; returns the new excess contents and the changed batches.
WRITE = """
WITH slots AS (
    UPDATE essays AS e SET status = n.status, text_storage_id = n.text_storage_id,
        raw_file_storage_id = n.raw_file_storage_id, original_file_name = n.original_file_name,
        file_size_bytes = n.file_size_bytes, content_md5_hash = n.content_md5_hash,
        file_upload_id = n.file_upload_id, failure_identity = n.failure_identity,
        settled_at = clock_timestamp()
    FROM jsonb_to_recordset(CAST(:slots AS jsonb)) AS n (
        batch_id text, essay_id text, status text, text_storage_id text, raw_file_storage_id text,
        original_file_name text, file_size_bytes bigint, content_md5_hash text, file_upload_id text,
        failure_identity text)
    WHERE e.batch_id = n.batch_id AND e.essay_id = n.essay_id AND e.status = 'available'
    RETURNING e.batch_id, e.status
), failures AS (
    INSERT INTO validation_failures (batch_id, identity, essay_id, late_reason, event_id, error_code,
        error_message, original_file_name, raw_file_storage_id, file_size_bytes, file_upload_id)
    SELECT * FROM jsonb_to_recordset(CAST(:failures AS jsonb)) AS n (
        batch_id text, identity text, essay_id text, late_reason text, event_id text, error_code text,
        error_message text, original_file_name text, raw_file_storage_id text, file_size_bytes bigint,
        file_upload_id text)
    ON CONFLICT DO NOTHING
), excess AS (
    INSERT INTO excess_contents (batch_id, text_storage_id, reason, original_file_name, raw_file_storage_id,
        file_upload_id)
    SELECT batch_id, text_storage_id, 'NO_AVAILABLE_SLOT', original_file_name, raw_file_storage_id,
        file_upload_id
    FROM jsonb_to_recordset(CAST(:excess AS jsonb)) AS n (
        batch_id text, text_storage_id text, original_file_name text, raw_file_storage_id text,
        file_upload_id text)
    ON CONFLICT DO NOTHING RETURNING batch_id, text_storage_id
), counts AS (
    SELECT batch_id, count(*) FILTER (WHERE status = 'assigned') AS assigned,
        count(*) FILTER (WHERE status = 'failed') AS failed FROM slots GROUP BY batch_id
), changed AS (
    UPDATE batches AS b SET version = b.version + 1, changed_at = clock_timestamp(),
        assigned_count = b.assigned_count + c.assigned, failed_count = b.failed_count + c.failed,
        status = CASE
            WHEN b.assigned_count + b.failed_count + c.assigned + c.failed < b.expected_count THEN 'open'
            WHEN b.assigned_count + c.assigned > 0 THEN 'ready' ELSE 'failed' END
    FROM counts AS c WHERE b.batch_id = c.batch_id RETURNING b.batch_id, b.status
)
SELECT 'excess', batch_id, text_storage_id FROM excess UNION ALL
SELECT 'batch', batch_id, status FROM changed
"""

# The data of a terminal event, built by Postgres so that Python copies one string.
TERMINAL_DATA = """
SELECT batch_id, correlation_id, json_build_object('batch_id', batch_id, 'expected_count', expected_count,
    'assigned_count', assigned_count, 'failed_count', failed_count, 'lists_omitted', false,
    'ready_essays', (SELECT json_agg(json_build_object('essay_id', essay_id, 'text_storage_id',
            text_storage_id, 'original_file_name', original_file_name) ORDER BY essay_id COLLATE "C")
        FROM essays AS e WHERE e.batch_id = b.batch_id AND e.status = 'assigned'),
    'validation_failures', (SELECT json_agg(json_build_object('essay_id', essay_id, 'original_file_name',
            original_file_name, 'validation_error_code', error_code, 'file_upload_id', file_upload_id))
        FROM validation_failures AS v WHERE v.batch_id = b.batch_id AND v.essay_id IS NOT NULL),
    'course_code', course_code, 'course_language', 'en', 'user_id', user_id, 'org_id', org_id,
    'class_id', class_id, 'class_type', 'GUEST', 'essay_instructions', essay_instructions,
    'student_prompt_ref', student_prompt_ref,
    'digest', (SELECT encode(sha256(convert_to(string_agg(essay_id || ' ' || text_storage_id || E'\\n', ''
            ORDER BY essay_id COLLATE "C"), 'UTF8')), 'hex')
        FROM essays AS e WHERE e.batch_id = b.batch_id AND e.status = 'assigned'))::text
FROM batches AS b WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))
"""

ENQUEUE = """
INSERT INTO outbox (event_id, batch_id, detail_type, detail)
SELECT * FROM jsonb_to_recordset(CAST(:messages AS jsonb)) AS m (
    event_id uuid, batch_id text, detail_type text, detail text)
"""

# As in the service, it does not wait for the disk: if it is lost, the event is published again.
DELETE_SENT = """
DELETE FROM outbox
WHERE set_config('synchronous_commit', 'off', true) IS NOT NULL
    AND event_id IN (SELECT CAST(id AS uuid) FROM jsonb_array_elements_text(CAST(:ids AS jsonb)) AS id)
"""
