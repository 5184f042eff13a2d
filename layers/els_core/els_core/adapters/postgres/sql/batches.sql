-- name: insert_placeholders
-- Inserts a row with status 'awaited' for each unknown batch, in the order of the ids, so that two transactions
-- never wait for each other in a circle. Idempotent.
--
-- :ids JSON  [batch id]
--
-- Returns nothing.
INSERT INTO batches (batch_id)
SELECT id FROM jsonb_array_elements_text(CAST(:ids AS jsonb)) AS id ORDER BY id COLLATE "C"
ON CONFLICT ON CONSTRAINT one_row_per_batch DO NOTHING

-- name: lock_batches
-- Locks the rows of batches in the order of their ids. A statement of its own: under READ COMMITTED its snapshot
-- is older than the lock that it waits for, so what must be true under the lock is read by a later statement.
--
-- :ids JSON  [batch id]
--
-- Returns batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch.
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch
FROM batches
WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))
ORDER BY batch_id COLLATE "C" FOR UPDATE

-- name: read_time
-- Reads the clock that decides deadlines.
--
-- Returns now.
SELECT clock_timestamp() AS now

-- name: open_batches
-- Opens locked awaited batches with all their slots available, and begins their first epoch. A batch that is not
-- awaited stays as it is.
--
-- :registrations JSON  [{batch_id, essay_ids: [essay id], fingerprint, course_code, user_id, org_id, class_id,
--                       essay_instructions, student_prompt_ref, timeout_seconds, correlation_id}]
--
-- Returns batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch.
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
), epochs AS (
    INSERT INTO batch_epochs (batch_id, epoch, opened_at) SELECT batch_id, 1, changed_at FROM opened
    ON CONFLICT ON CONSTRAINT one_row_per_epoch DO NOTHING
)
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch
FROM opened

-- name: read_snapshots
-- Reads batches with their slots and the failures that use one, each sorted by id in byte order. With :idle, only
-- those that are open and were not changed for so long.
--
-- :ids  JSON    [batch id]
-- :idle number  seconds, or NULL
--
-- Returns batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch,
-- course_code, user_id, org_id, class_id, essay_instructions, student_prompt_ref, timeout_seconds, correlation_id,
-- previous_event_id (of the epoch before),
-- slots [[essay id, status, text storage id, file name, upload id]],
-- failures [[identity, essay id, file name, error code, upload id]].
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint,
    epoch, course_code, user_id, org_id, class_id, essay_instructions, student_prompt_ref, timeout_seconds,
    correlation_id,
    (SELECT e.event_id FROM batch_epochs AS e WHERE e.batch_id = b.batch_id AND e.epoch = b.epoch - 1)
        AS previous_event_id,
    (SELECT coalesce(json_agg(json_build_array(e.essay_id, e.status, e.text_storage_id,
            e.original_file_name, e.file_upload_id) ORDER BY e.essay_id COLLATE "C"), '[]')
     FROM essays AS e WHERE e.batch_id = b.batch_id) AS slots,
    (SELECT coalesce(json_agg(json_build_array(v.identity, v.essay_id, v.original_file_name,
            v.error_code, v.file_upload_id) ORDER BY v.identity COLLATE "C"), '[]')
     FROM validation_failures AS v WHERE v.batch_id = b.batch_id AND v.essay_id IS NOT NULL) AS failures
FROM batches AS b
WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))
    AND (CAST(:idle AS double precision) IS NULL OR (status = 'open'
        AND changed_at < clock_timestamp() - make_interval(secs => CAST(:idle AS double precision))))
ORDER BY batch_id COLLATE "C"

-- name: insert_rejected_registrations
-- Keeps registrations that are rejected, with the names of the fields in which they differ from what is registered.
-- A slot that a command added does not count as a difference.
--
-- :registrations JSON  as of open_batches
--
-- Returns nothing.
INSERT INTO rejected_registrations (batch_id, fingerprint, differs)
SELECT n.batch_id, n.fingerprint, CASE WHEN b.fingerprint IS NULL THEN CAST('{}' AS text[]) ELSE array_remove(ARRAY[
    CASE WHEN EXISTS (
            SELECT jsonb_array_elements_text(n.essay_ids)
            EXCEPT SELECT e.essay_id FROM essays AS e WHERE e.batch_id = n.batch_id)
        OR EXISTS (
            SELECT e.essay_id FROM essays AS e WHERE e.batch_id = n.batch_id
            EXCEPT SELECT jsonb_array_elements_text(n.essay_ids)
            EXCEPT SELECT jsonb_array_elements_text(coalesce(
                nullif(c.body -> 'add_slots', 'null'), nullif(c.body -> 'essay_ids', 'null'), '[]'))
            FROM batch_commands AS c WHERE c.batch_id = n.batch_id AND c.command IN ('add_slots', 'reopen') AND c.refusal IS NULL)
        THEN 'essay_ids' END,
    CASE WHEN b.course_code IS DISTINCT FROM n.course_code THEN 'course_code' END,
    CASE WHEN b.user_id IS DISTINCT FROM n.user_id THEN 'user_id' END,
    CASE WHEN b.org_id IS DISTINCT FROM n.org_id THEN 'org_id' END,
    CASE WHEN b.class_id IS DISTINCT FROM n.class_id THEN 'class_id' END,
    CASE WHEN b.essay_instructions IS DISTINCT FROM n.essay_instructions THEN 'essay_instructions' END,
    CASE WHEN b.student_prompt_ref IS DISTINCT FROM n.student_prompt_ref THEN 'student_prompt_ref' END,
    CASE WHEN b.timeout_seconds IS DISTINCT FROM n.timeout_seconds THEN 'timeout_seconds' END
    ], NULL) END
FROM jsonb_to_recordset(CAST(:registrations AS jsonb)) AS n (
    batch_id text, essay_ids jsonb, fingerprint text, course_code text, user_id text, org_id text,
    class_id text, essay_instructions text, student_prompt_ref text, timeout_seconds integer)
JOIN batches AS b ON b.batch_id = n.batch_id
ON CONFLICT ON CONSTRAINT one_row_per_rejected_registration DO NOTHING
