-- What the audit reads. Each statement sees one moment and takes no lock.

-- name: find_stuck
-- Finds what has waited for too long: open batches past their deadline, parked arrivals, events in the outbox.
--
-- :overdue  seconds after its deadline when an open batch is reported
-- :parked   seconds after which a parked arrival is reported
-- :unsent   seconds after which an event in the outbox is reported
-- :page     number of findings of each kind
--
-- Returns one row per finding:
--   kind      overdue_open, parked_too_long or outbox_too_old
--   batch_id, correlation_id
--   since     when the waiting began
--   detail    one sentence for the operator
(SELECT 'overdue_open' AS kind, batch_id, correlation_id, deadline AS since,
     'open past its deadline' AS detail
 FROM batches WHERE status = 'open'
     AND deadline < clock_timestamp() - make_interval(secs => CAST(:overdue AS double precision))
 ORDER BY deadline LIMIT :page)
UNION ALL
(SELECT 'parked_too_long', batch_id, min(arrival ->> 'correlation_id'), min(parked_at),
     count(*) || ' arrivals wait for a registration'
 FROM parked_arrivals
 WHERE parked_at < clock_timestamp() - make_interval(secs => CAST(:parked AS double precision))
 GROUP BY batch_id ORDER BY min(parked_at) LIMIT :page)
UNION ALL
(SELECT 'outbox_too_old', batch_id, NULL, created_at, detail_type || ' ' || event_id || ' is not sent'
 FROM outbox WHERE created_at < clock_timestamp() - make_interval(secs => CAST(:unsent AS double precision))
 ORDER BY position LIMIT :page);

-- name: recount_batches
-- Computes the counts and digests of a page of batches from their rows, without the code that wrote them, and
-- finds those that differ. Checks open batches, and terminal ones that changed recently.
--
-- :after   last batch id of the previous page, '' for the first page
-- :window  seconds since the last change within which a terminal batch is checked
-- :page    number of batches
--
-- Returns one row per finding, and one with the last batch id of the page unless the page is empty:
--   kind      counts_differ or digest_differs; null in the row with the last batch id
--   batch_id, correlation_id
--   since     when the batch changed last
--   detail    one sentence for the operator
WITH page AS MATERIALIZED (
    SELECT * FROM batches WHERE batch_id > :after AND (status = 'open' OR (status <> 'awaited'
        AND changed_at > clock_timestamp() - make_interval(secs => CAST(:window AS double precision))))
    ORDER BY batch_id LIMIT :page
), checked AS MATERIALIZED (
    SELECT p.*, s.assigned, s.failed, s.slots, s.digest
    FROM page AS p CROSS JOIN LATERAL (
        SELECT count(*) AS slots, count(*) FILTER (WHERE status = 'assigned') AS assigned,
            count(*) FILTER (WHERE status = 'failed') AS failed,
            encode(sha256(convert_to(coalesce(string_agg(essay_id || ' ' || text_storage_id || E'\n', ''
                ORDER BY essay_id || ' ' || text_storage_id COLLATE "C")
                FILTER (WHERE status = 'assigned'), ''), 'UTF8')), 'hex') AS digest
        FROM essays WHERE batch_id = p.batch_id) AS s
)
SELECT 'counts_differ' AS kind, batch_id, correlation_id, changed_at AS since,
    format('counts are %s + %s of %s, rows are %s + %s of %s', assigned_count, failed_count, expected_count,
        assigned, failed, slots) AS detail
FROM checked WHERE (assigned, failed, slots) <> (assigned_count, failed_count, expected_count)
UNION ALL
SELECT 'digest_differs', batch_id, correlation_id, changed_at,
    format('announced %s, the rows give %s', announced_digest, digest)
FROM checked WHERE status IN ('ready', 'timed_out') AND digest IS DISTINCT FROM announced_digest
UNION ALL
(SELECT NULL, batch_id, NULL, NULL, NULL FROM page ORDER BY batch_id DESC LIMIT 1);

-- name: read_idle_open_batches
-- Reads a page of open batches that have not changed for a while, with all that belongs to them.
--
-- :idle   seconds since the last change
-- :after  last batch id of the previous page, '' for the first page
-- :limit  number of batches
--
-- Returns one row per batch, by id:
--   batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint
--   course_code, user_id, org_id, class_id, essay_instructions, student_prompt_ref, timeout_seconds
--   correlation_id
--   slots     JSON array of [essay_id, status, text_storage_id, original_file_name, file_upload_id] by essay id
--   failures  JSON array of [identity, essay_id, original_file_name, error_code, file_upload_id] by identity
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint,
    course_code, user_id, org_id, class_id, essay_instructions, student_prompt_ref, timeout_seconds,
    correlation_id, slots, failures
FROM batch_snapshots
WHERE status = 'open' AND batch_id > :after
    AND changed_at < clock_timestamp() - make_interval(secs => CAST(:idle AS double precision))
ORDER BY batch_id LIMIT :limit;
