-- Batch rows: placeholders, locks, registration, and snapshots of all that belongs to a batch.

-- name: insert_placeholder_batches
-- Inserts an awaited row for each batch that has no row yet. Inserts in the order of the ids, so that two
-- transactions that insert the same ids wait for each other instead of deadlocking.
--
-- :ids  JSON array of batch ids
--
-- Returns nothing.
INSERT INTO batches (batch_id)
SELECT id FROM jsonb_array_elements_text(CAST(:ids AS jsonb)) AS id ORDER BY id
ON CONFLICT ON CONSTRAINT one_row_per_batch DO NOTHING;

-- name: lock_batches
-- Locks the rows of batches until the transaction ends, in the order of their ids. Must stay a statement of its
-- own: under READ COMMITTED the snapshot of a statement is older than the lock that the statement waits for, so
-- only a later statement sees what the previous holder of the lock committed.
--
-- :ids  JSON array of batch ids
--
-- Returns one row per batch that exists, by id:
--   batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint
FROM batches
WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))
ORDER BY batch_id FOR UPDATE;

-- name: read_time
-- Reads the clock of Postgres, the only clock that decides a deadline.
--
-- Returns one row:
--   now  the time when this statement runs, not when its transaction began
SELECT clock_timestamp() AS now;

-- name: open_batches
-- Turns awaited batches into open ones with all their slots available. A batch that is not awaited stays as it is.
--
-- :registrations  JSON array of {batch_id, essay_ids, fingerprint, course_code, user_id, org_id, class_id,
--     essay_instructions, student_prompt_ref, timeout_seconds, correlation_id}; essay_ids is an array of texts
--
-- Returns one row per batch that was opened:
--   batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint
WITH new AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST(:registrations AS jsonb)) AS r (
        batch_id text, essay_ids jsonb, fingerprint text, course_code text, user_id text, org_id text,
        class_id text, essay_instructions text, student_prompt_ref text, timeout_seconds integer,
        correlation_id text)
), opened AS (
    UPDATE batches AS b SET status = 'open', version = b.version + 1,
        expected_count = jsonb_array_length(n.essay_ids), fingerprint = n.fingerprint,
        deadline = clock_timestamp() + make_interval(secs => n.timeout_seconds),
        course_code = n.course_code, user_id = n.user_id, org_id = n.org_id, class_id = n.class_id,
        essay_instructions = n.essay_instructions, student_prompt_ref = n.student_prompt_ref,
        timeout_seconds = n.timeout_seconds, correlation_id = n.correlation_id, changed_at = clock_timestamp()
    FROM new AS n WHERE b.batch_id = n.batch_id AND b.status = 'awaited'
    RETURNING b.*
), slots AS (
    INSERT INTO essays (batch_id, essay_id)
    SELECT n.batch_id, id FROM new AS n JOIN opened USING (batch_id)
    CROSS JOIN LATERAL jsonb_array_elements_text(n.essay_ids) AS id
)
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint
FROM opened;

-- name: read_snapshots
-- Reads batches with all that belongs to them, each as it stands at one moment. Takes no lock.
--
-- :ids  JSON array of batch ids
--
-- Returns one row per batch that exists:
--   batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint
--   course_code, user_id, org_id, class_id, essay_instructions, student_prompt_ref, timeout_seconds
--   correlation_id
--   slots     JSON array of [essay_id, status, text_storage_id, original_file_name, file_upload_id] by essay id
--   failures  JSON array of [identity, essay_id, original_file_name, error_code, file_upload_id] by identity
--   now       the time of Postgres
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint,
    course_code, user_id, org_id, class_id, essay_instructions, student_prompt_ref, timeout_seconds,
    correlation_id, slots, failures, clock_timestamp() AS now
FROM batch_snapshots
WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)));
