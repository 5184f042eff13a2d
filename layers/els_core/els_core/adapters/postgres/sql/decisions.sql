-- What one decision reads under the lock of its batches, and what it writes.

-- name: read_locked_view
-- Reads the first outcome of each arrival that has one, free slots, and the time. Free slots are the proposed ones
-- that are still available and, where these do not suffice, as many others as there are arrivals without an
-- outcome. Reads by index only: the cost does not grow with the batch.
--
-- :arrivals  JSON array of {batch_id, identity, text_storage_id, proposed_essay_id}; text_storage_id is null for a
--     failure, proposed_essay_id where nothing was proposed
--
-- Returns one row per first outcome, one per free slot, and one with the time:
--   batch_id, identity
--   kind   assigned, failed, excess, late (a first outcome), available (a free slot) or now (the time)
--   value  the essay id; the reason where kind is excess or late
--   now    the time of Postgres where kind is now
WITH arrivals AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST(:arrivals AS jsonb)) AS a (
        batch_id text, identity text, text_storage_id text, proposed_essay_id text)
), outcomes AS MATERIALIZED (
    SELECT a.batch_id, a.identity, 'assigned' AS kind, e.essay_id AS value
    FROM arrivals AS a JOIN essays AS e ON e.batch_id = a.batch_id AND e.text_storage_id = a.text_storage_id
    UNION ALL
    SELECT a.batch_id, a.identity, 'excess', x.reason
    FROM arrivals AS a
    JOIN excess_contents AS x ON x.batch_id = a.batch_id AND x.text_storage_id = a.text_storage_id
    UNION ALL
    SELECT a.batch_id, a.identity, CASE WHEN v.essay_id IS NULL THEN 'late' ELSE 'failed' END,
        coalesce(v.essay_id, v.late_reason)
    FROM arrivals AS a
    JOIN validation_failures AS v ON v.batch_id = a.batch_id AND v.identity = a.identity
), proposed AS MATERIALIZED (
    SELECT DISTINCT a.batch_id, e.essay_id
    FROM arrivals AS a JOIN essays AS e ON e.batch_id = a.batch_id AND e.essay_id = a.proposed_essay_id
    WHERE e.status = 'available'
), needs AS (
    SELECT batch_id, wanted
    FROM (SELECT batch_id, count(*) AS wanted FROM arrivals
          WHERE (batch_id, identity) NOT IN (SELECT batch_id, identity FROM outcomes)
          GROUP BY batch_id) AS w
    WHERE wanted > (SELECT count(*) FROM proposed AS p WHERE p.batch_id = w.batch_id)
)
SELECT batch_id, identity, kind, value, NULL::timestamptz AS now FROM outcomes
UNION ALL
SELECT batch_id, NULL, 'available', essay_id, NULL FROM proposed
UNION ALL
SELECT n.batch_id, NULL, 'available', e.essay_id, NULL
FROM needs AS n CROSS JOIN LATERAL (
    SELECT essay_id FROM essays
    WHERE batch_id = n.batch_id AND status = 'available' ORDER BY essay_id LIMIT n.wanted) AS e
UNION ALL
SELECT NULL, NULL, 'now', NULL, clock_timestamp();

-- name: record_decisions
-- Writes all that one transaction decided. Takes a slot only where it is still available, updates a batch only
-- where its version is the one that was locked, and raises the counts by the rows that were really written. The
-- caller rolls back unless all batches are as intended.
--
-- :slots     JSON array of {batch_id, essay_id, status, text_storage_id, raw_file_storage_id, original_file_name,
--     file_size_bytes, content_md5_hash, file_upload_id, failure_identity}; status is assigned or failed
-- :failures  JSON array of {batch_id, identity, essay_id, late_reason, event_id, error_code, error_message,
--     original_file_name, raw_file_storage_id, file_size_bytes, file_upload_id}; either essay_id or late_reason
-- :excess    JSON array of {batch_id, text_storage_id, reason, original_file_name, raw_file_storage_id,
--     file_upload_id}
-- :parked    JSON array of {batch_id, identity, arrival}; arrival is the stored form of rows.py
-- :batches   JSON array of {batch_id, status, version, assigned_count, failed_count}, each as it is to become
--
-- Returns one row:
--   recorded  how many of :batches are now as intended
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
SELECT count(*) AS recorded FROM changed WHERE as_intended;
