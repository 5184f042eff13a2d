-- name: read_locked_view
-- Reads under the row locks what decisions rest on: the time, first answers, what is parked already, and free
-- slots: those proposed that are still available and, where they do not suffice, as many others as there are
-- arrivals without an answer. First answers also of what the arrivals supersede, and of what that names in turn.
-- Found by index: the cost does not grow with the batch.
--
-- :asked JSON  [{batch_id, identity, text_storage_id (null for a failure), proposed (essay id or null),
--               supersedes (identity or null)}]
--
-- Returns batch_id, identity, word, what, now. The word says what the row is: 'assigned' or 'failed' (what: essay
-- id), 'excess' or 'late' (what: reason), 'superseded', 'barred' (superseded and not come yet), 'names' (what: the
-- identity that it supersedes), 'parked', 'parked_count' (what: number), 'free' (what: essay id), or 'now'.
WITH RECURSIVE given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST(:asked AS jsonb))
        AS a (batch_id text, identity text, text_storage_id text, proposed text, supersedes text)
), names AS (
    SELECT batch_id, identity, supersedes FROM given WHERE supersedes IS NOT NULL
    UNION
    SELECT n.batch_id, n.supersedes, s.supersedes FROM names AS n CROSS JOIN LATERAL (
        SELECT x.supersedes FROM excess_contents AS x
        WHERE x.batch_id = n.batch_id AND 'content:' || x.text_storage_id = n.supersedes
            AND x.text_storage_id = substr(n.supersedes, 9)
        UNION ALL
        SELECT v.supersedes FROM validation_failures AS v
        WHERE v.batch_id = n.batch_id AND v.identity = n.supersedes) AS s
    WHERE s.supersedes IS NOT NULL
), asked AS MATERIALIZED (
    SELECT batch_id, identity, text_storage_id, proposed FROM given
    UNION ALL
    SELECT DISTINCT batch_id, supersedes,
        CASE WHEN supersedes LIKE 'content:%' THEN substr(supersedes, 9) END, NULL
    FROM names AS n
    WHERE NOT EXISTS (SELECT FROM given AS g WHERE g.batch_id = n.batch_id AND g.identity = n.supersedes)
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
    UNION ALL
    SELECT a.batch_id, a.identity, CASE WHEN s.arrival IS NULL THEN 'barred' ELSE 'superseded' END, NULL
    FROM asked a JOIN superseded_arrivals s ON s.batch_id = a.batch_id AND s.identity = a.identity
), awaited AS MATERIALIZED (
    SELECT b.batch_id FROM batches b
    WHERE b.batch_id IN (SELECT DISTINCT batch_id FROM asked) AND b.status = 'awaited'
), proposed AS MATERIALIZED (
    SELECT DISTINCT a.batch_id, e.essay_id
    FROM asked a JOIN essays e ON e.batch_id = a.batch_id AND e.essay_id = a.proposed
    WHERE e.status = 'available'
), needs AS (
    SELECT batch_id, wanted
    FROM (SELECT batch_id, count(*) AS wanted FROM given
          WHERE (batch_id, identity) NOT IN (SELECT batch_id, identity FROM answers)
          GROUP BY batch_id) AS w
    WHERE wanted > (SELECT count(*) FROM proposed p WHERE p.batch_id = w.batch_id)
)
SELECT batch_id, identity, word, what, NULL::timestamptz AS now FROM answers
UNION ALL
SELECT batch_id, identity, 'names', supersedes, NULL FROM names
UNION ALL
SELECT p.batch_id, p.identity, 'parked', NULL, NULL
FROM awaited w JOIN asked a USING (batch_id)
    JOIN parked_arrivals p ON p.batch_id = a.batch_id AND p.identity = a.identity
UNION ALL
SELECT w.batch_id, NULL, 'parked_count', CAST(count(p.batch_id) AS text), NULL
FROM awaited w LEFT JOIN parked_arrivals p USING (batch_id) GROUP BY w.batch_id
UNION ALL
SELECT batch_id, NULL, 'free', essay_id, NULL FROM proposed
UNION ALL
SELECT n.batch_id, NULL, 'free', e.essay_id, NULL
FROM needs n CROSS JOIN LATERAL (
    SELECT essay_id FROM essays
    WHERE batch_id = n.batch_id AND status = 'available' ORDER BY essay_id LIMIT n.wanted) AS e
UNION ALL
SELECT NULL, NULL, 'now', NULL, clock_timestamp()

-- name: record_decisions
-- Writes everything that a transaction decided. A slot is taken only where it is still available, and the counts
-- grow by the rows that were really written. If fewer than :count batch rows are then as they were meant to be, it
-- divides by zero: so the transaction fails before the COMMIT that may travel with it.
--
-- :slots    JSON  [{batch_id, essay_id, status, and the columns of a content or failure_identity}]
-- :failures JSON  [{batch_id, identity, essay_id or late_reason, event_id, error_code, error_message,
--                  original_file_name, raw_file_storage_id, file_size_bytes, file_upload_id}]
-- :excess   JSON  [{batch_id, text_storage_id, reason, original_file_name, raw_file_storage_id, file_upload_id}]
-- :parked   JSON  [{batch_id, identity, arrival}]
-- :batches  JSON  [{batch_id, status, version, expected_count, assigned_count, failed_count, epoch, deadline,
--                  has_arrivals, and what was written before: freed_assigned, freed_failed, more_slots}]
-- :count    number
--
-- Returns count: the number of batch rows that are now as they were meant to be.
WITH slots AS (
    UPDATE essays AS e SET status = n.status, text_storage_id = n.text_storage_id,
        raw_file_storage_id = n.raw_file_storage_id, original_file_name = n.original_file_name,
        file_size_bytes = n.file_size_bytes, content_md5_hash = n.content_md5_hash,
        file_upload_id = n.file_upload_id, failure_identity = n.failure_identity,
        supersedes = n.supersedes, settled_at = clock_timestamp()
    FROM jsonb_to_recordset(CAST(:slots AS jsonb)) AS n (
        batch_id text, essay_id text, status text, text_storage_id text, raw_file_storage_id text,
        original_file_name text, file_size_bytes bigint, content_md5_hash text, file_upload_id text,
        failure_identity text, supersedes text)
    WHERE e.batch_id = n.batch_id AND e.essay_id = n.essay_id AND e.status = 'available'
    RETURNING e.batch_id, e.status
), failures AS (
    INSERT INTO validation_failures (batch_id, identity, essay_id, late_reason, event_id, error_code,
        error_message, original_file_name, raw_file_storage_id, file_size_bytes, file_upload_id, supersedes)
    SELECT * FROM jsonb_to_recordset(CAST(:failures AS jsonb)) AS n (
        batch_id text, identity text, essay_id text, late_reason text, event_id text, error_code text,
        error_message text, original_file_name text, raw_file_storage_id text, file_size_bytes bigint,
        file_upload_id text, supersedes text)
), excess AS (
    INSERT INTO excess_contents (batch_id, text_storage_id, reason, original_file_name, raw_file_storage_id,
        file_upload_id, file_size_bytes, content_md5_hash, correlation_id, supersedes)
    SELECT * FROM jsonb_to_recordset(CAST(:excess AS jsonb)) AS n (
        batch_id text, text_storage_id text, reason text, original_file_name text, raw_file_storage_id text,
        file_upload_id text, file_size_bytes bigint, content_md5_hash text, correlation_id text,
        supersedes text)
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
        expected_count = b.expected_count + n.more_slots,
        assigned_count = b.assigned_count + coalesce(c.assigned, 0) - n.freed_assigned,
        failed_count = b.failed_count + coalesce(c.failed, 0) - n.freed_failed,
        epoch = n.epoch, deadline = n.deadline,
        last_arrival_at = CASE WHEN n.has_arrivals THEN clock_timestamp() ELSE b.last_arrival_at END
    FROM jsonb_to_recordset(CAST(:batches AS jsonb)) AS n (
        batch_id text, status text, version bigint, expected_count integer, assigned_count integer,
        failed_count integer, epoch integer, deadline timestamptz, has_arrivals boolean,
        freed_assigned integer, freed_failed integer, more_slots integer)
    LEFT JOIN counts AS c ON c.batch_id = n.batch_id
    WHERE b.batch_id = n.batch_id AND b.version = n.version - 1
    RETURNING b.expected_count = n.expected_count AND b.assigned_count = n.assigned_count
        AND b.failed_count = n.failed_count AS as_intended
)
SELECT count(*) / CAST(count(*) = CAST(:count AS bigint) AS integer) AS count FROM changed WHERE as_intended
