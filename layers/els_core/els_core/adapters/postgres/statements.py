"""The SQL, for PostgreSQL 15 and later; bulk data come as one JSON parameter each."""

from sqlalchemy import text

_BATCH = "batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint"

NAME = text("""
INSERT INTO batches (batch_id)
SELECT id FROM jsonb_array_elements_text(CAST(:ids AS jsonb)) AS id ORDER BY id
ON CONFLICT ON CONSTRAINT one_row_per_batch DO NOTHING
""")

# A statement of its own: what is read under the lock is read by a later one, whose snapshot is younger.
LOCK = text(f"""
SELECT {_BATCH} FROM batches
WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))
ORDER BY batch_id FOR UPDATE
""")  # noqa: S608

NOW = text("SELECT clock_timestamp()")

# First answers, and free slots: those proposed that are still available and, where they do not suffice, as
# many others as there are arrivals without an answer. Found by index: the cost does not grow with the batch.
STANDING = text("""
WITH asked AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST(:asked AS jsonb))
        AS a (batch_id text, identity text, text_storage_id text, proposed text)
), answers AS MATERIALIZED (
    SELECT a.batch_id, a.identity, 'assigned' AS word, e.essay_id AS what
    FROM asked a JOIN essays e ON e.batch_id = a.batch_id AND e.text_storage_id = a.text_storage_id
    UNION ALL
    SELECT a.batch_id, a.identity, 'excess', x.reason
    FROM asked a JOIN excess_contents x ON x.batch_id = a.batch_id AND x.text_storage_id = a.text_storage_id
    UNION ALL
    SELECT a.batch_id, a.identity, CASE WHEN v.essay_id IS NULL THEN 'late' ELSE 'failed' END,
        coalesce(v.essay_id, v.late_reason)
    FROM asked a JOIN validation_failures v ON v.batch_id = a.batch_id AND v.identity = a.identity
), proposed AS MATERIALIZED (
    SELECT DISTINCT a.batch_id, e.essay_id
    FROM asked a JOIN essays e ON e.batch_id = a.batch_id AND e.essay_id = a.proposed
    WHERE e.status = 'available'
), needs AS (
    SELECT batch_id, wanted
    FROM (SELECT batch_id, count(*) AS wanted FROM asked
          WHERE (batch_id, identity) NOT IN (SELECT batch_id, identity FROM answers)
          GROUP BY batch_id) AS w
    WHERE wanted > (SELECT count(*) FROM proposed p WHERE p.batch_id = w.batch_id)
)
SELECT batch_id, identity, word, what, NULL::timestamptz AS now FROM answers
UNION ALL
SELECT batch_id, NULL, 'free', essay_id, NULL FROM proposed
UNION ALL
SELECT n.batch_id, NULL, 'free', e.essay_id, NULL
FROM needs n CROSS JOIN LATERAL (
    SELECT essay_id FROM essays
    WHERE batch_id = n.batch_id AND status = 'available' ORDER BY essay_id LIMIT n.wanted) AS e
UNION ALL
SELECT NULL, NULL, 'now', NULL, clock_timestamp()
""")

OPEN = text(f"""
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
SELECT {_BATCH} FROM opened
""")  # noqa: S608

PARKED = text("""
SELECT batch_id, identity, arrival FROM parked_arrivals
WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb))) ORDER BY position
""")

UNPARK = text("""
DELETE FROM parked_arrivals AS p
USING jsonb_to_recordset(CAST(:keys AS jsonb)) AS k (batch_id text, identity text)
WHERE p.batch_id = k.batch_id AND p.identity = k.identity
""")

# One statement writes everything. A slot is taken only where it is still available, and the counts grow by
# the rows that were really written; the answer says how many batch rows are as they were meant to be.
RECORD = text("""
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
), excess AS (
    INSERT INTO excess_contents (batch_id, text_storage_id, reason, original_file_name,
        raw_file_storage_id, file_upload_id)
    SELECT * FROM jsonb_to_recordset(CAST(:excess AS jsonb)) AS n (
        batch_id text, text_storage_id text, reason text, original_file_name text,
        raw_file_storage_id text, file_upload_id text)
), parked AS (
    INSERT INTO parked_arrivals (batch_id, identity, arrival)
    SELECT * FROM jsonb_to_recordset(CAST(:parked AS jsonb)) AS n (
        batch_id text, identity text, arrival jsonb)
    ON CONFLICT ON CONSTRAINT one_row_per_parked_arrival DO NOTHING
), counts AS (
    SELECT batch_id, count(*) FILTER (WHERE status = 'assigned') AS assigned,
        count(*) FILTER (WHERE status = 'failed') AS failed
    FROM slots GROUP BY batch_id
), changed AS (
    UPDATE batches AS b SET status = n.status, version = n.version, changed_at = clock_timestamp(),
        assigned_count = b.assigned_count + coalesce(c.assigned, 0),
        failed_count = b.failed_count + coalesce(c.failed, 0)
    FROM jsonb_to_recordset(CAST(:batches AS jsonb)) AS n (
        batch_id text, status text, version bigint, assigned_count integer, failed_count integer)
    LEFT JOIN counts AS c ON c.batch_id = n.batch_id
    WHERE b.batch_id = n.batch_id AND b.version = n.version - 1
    RETURNING b.assigned_count = n.assigned_count AND b.failed_count = n.failed_count AS as_intended
)
SELECT count(*) FROM changed WHERE as_intended
""")

# One row per batch with everything that it holds.
ROLL = f"""
SELECT {_BATCH}, course_code, user_id, org_id, class_id, essay_instructions, student_prompt_ref,
    timeout_seconds, correlation_id, clock_timestamp() AS now,
    (SELECT coalesce(json_agg(json_build_array(e.essay_id, e.status, e.text_storage_id,
            e.original_file_name, e.file_upload_id) ORDER BY e.essay_id COLLATE "C"), '[]')
     FROM essays AS e WHERE e.batch_id = b.batch_id) AS slots,
    (SELECT coalesce(json_agg(json_build_array(v.identity, v.essay_id, v.original_file_name,
            v.error_code, v.file_upload_id) ORDER BY v.identity COLLATE "C"), '[]')
     FROM validation_failures AS v WHERE v.batch_id = b.batch_id) AS failures
FROM batches AS b
"""  # noqa: S608

ROLLS = text(f"{ROLL} WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))")

ENQUEUE = text("""
WITH messages AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST(:messages AS jsonb)) AS m (
        event_id uuid, batch_id text, detail_type text, detail text, digest text)
), announced AS (
    UPDATE batches AS b SET announced_digest = m.digest
    FROM messages AS m WHERE b.batch_id = m.batch_id AND m.digest IS NOT NULL
)
INSERT INTO outbox (event_id, batch_id, detail_type, detail)
SELECT event_id, batch_id, detail_type, detail FROM messages
ON CONFLICT ON CONSTRAINT one_row_per_event DO NOTHING
""")

OVERDUE = text(f"""
SELECT {_BATCH} FROM batches WHERE status = 'open' AND deadline <= clock_timestamp()
ORDER BY deadline, batch_id LIMIT :limit FOR UPDATE SKIP LOCKED
""")  # noqa: S608

OVERDUE_PARKED = text(f"""
WITH due AS (
    SELECT DISTINCT p.batch_id FROM parked_arrivals AS p JOIN batches AS b USING (batch_id)
    WHERE p.announced_at IS NULL AND b.status = 'awaited'
        AND p.parked_at <= clock_timestamp() - make_interval(secs => CAST(:waited AS double precision))
    LIMIT :limit
), held AS MATERIALIZED (
    SELECT b.batch_id FROM batches AS b WHERE b.batch_id IN (SELECT batch_id FROM due)
        AND b.status = 'awaited'
    ORDER BY b.batch_id FOR UPDATE SKIP LOCKED
), marked AS (
    UPDATE parked_arrivals AS p SET announced_at = clock_timestamp() FROM held
    WHERE p.batch_id = held.batch_id AND p.announced_at IS NULL
        AND p.parked_at <= clock_timestamp() - make_interval(secs => CAST(:waited AS double precision))
    RETURNING p.batch_id, p.identity, p.arrival, p.position
), bumped AS (
    UPDATE batches AS b SET version = b.version + 1 FROM held WHERE b.batch_id = held.batch_id
    RETURNING b.*
)
SELECT {_BATCH}, identity, arrival FROM bumped JOIN marked USING (batch_id) ORDER BY batch_id, position
""")  # noqa: S608

# Losing this deletion in a crash of the server costs a repetition, so it need not wait for the disk.
FORGET = text("""
DELETE FROM outbox
WHERE set_config('synchronous_commit', 'off', true) IS NOT NULL
    AND event_id IN (SELECT CAST(id AS uuid) FROM jsonb_array_elements_text(CAST(:ids AS jsonb)) AS id)
""")

UNSENT = text("""
SELECT position, event_id, batch_id, detail_type, detail FROM outbox
WHERE position > :after
    AND created_at <= clock_timestamp() - make_interval(secs => CAST(:grace AS double precision))
ORDER BY position LIMIT :limit
""")

PURGE = text("""
DELETE FROM batches WHERE batch_id IN (
    SELECT batch_id FROM batches
    WHERE status <> 'open'
        AND changed_at < clock_timestamp() - make_interval(secs => CAST(:age AS double precision))
    ORDER BY changed_at LIMIT :limit FOR UPDATE SKIP LOCKED)
""")
