-- name: read_overview
-- Reads where a batch stands, without its lists: they may be long.
--
-- :batch_id text
-- :named    number  missing slots to name
--
-- Returns batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch, now,
-- missing [essay id], late_count, parked_count, parked_since, digest, event_id, detail_type, first_sent_at,
-- unsent_since, last_sweep, last_relay, redis_answered, correlation_id.
SELECT b.batch_id, b.status, b.version, b.expected_count, b.assigned_count, b.failed_count, b.deadline,
    b.fingerprint, b.epoch, b.correlation_id, clock_timestamp() AS now,
    (SELECT coalesce(json_agg(essay_id ORDER BY essay_id COLLATE "C"), '[]') FROM (
        SELECT essay_id FROM essays WHERE batch_id = b.batch_id AND status = 'available'
        ORDER BY essay_id COLLATE "C" LIMIT :named) AS first) AS missing,
    (SELECT count(*) FROM validation_failures WHERE batch_id = b.batch_id AND essay_id IS NULL) AS late_count,
    (SELECT count(*) FROM parked_arrivals WHERE batch_id = b.batch_id) AS parked_count,
    (SELECT min(parked_at) FROM parked_arrivals WHERE batch_id = b.batch_id) AS parked_since,
    (SELECT encode(sha256(convert_to(coalesce(string_agg(essay_id || ' ' || text_storage_id || chr(10), ''
        ORDER BY essay_id || ' ' || text_storage_id COLLATE "C"), ''), 'UTF8')), 'hex')
     FROM essays WHERE batch_id = b.batch_id AND status = 'assigned') AS digest,
    e.event_id, e.detail_type, e.first_sent_at, o.created_at AS unsent_since,
    (SELECT ran_at FROM job_runs WHERE job = 'expire_batches') AS last_sweep,
    (SELECT ran_at FROM job_runs WHERE job = 'publish_outbox') AS last_relay,
    (SELECT ran_at FROM job_runs WHERE job = 'reach_redis') AS redis_answered
FROM batches AS b
LEFT JOIN batch_epochs AS e ON e.batch_id = b.batch_id AND e.epoch = b.epoch
LEFT JOIN outbox AS o ON o.event_id = e.event_id
WHERE b.batch_id = :batch_id

-- name: read_status_page
-- Reads a page of a batch's slots, then of its late failures, in byte order of their ids: as many as fit into
-- :max_bytes, but at least one.
--
-- :batch_id  text
-- :section   number  1 for slots, 2 for late failures: where the page begins
-- :after     text    essay id or identity after which it begins
-- :max_bytes number
--
-- Returns section, key, status, text_storage_id, original_file_name, file_upload_id, error_code, is_last.
WITH items AS (
    (SELECT 1 AS section, s.essay_id AS key, s.status, s.text_storage_id,
        coalesce(s.original_file_name, v.original_file_name) AS original_file_name,
        coalesce(s.file_upload_id, v.file_upload_id) AS file_upload_id, v.error_code
     FROM essays AS s
     LEFT JOIN validation_failures AS v ON v.batch_id = s.batch_id AND v.essay_id = s.essay_id
     WHERE s.batch_id = :batch_id AND s.status <> 'withdrawn' AND CAST(:section AS integer) = 1
        AND s.essay_id > :after COLLATE "C"
     ORDER BY s.essay_id COLLATE "C" LIMIT 2001)
    UNION ALL
    (SELECT 2, identity, 'late', NULL, original_file_name, file_upload_id, error_code
     FROM validation_failures
     WHERE batch_id = :batch_id AND essay_id IS NULL
        AND identity > CASE WHEN CAST(:section AS integer) = 2 THEN :after ELSE '' END COLLATE "C"
     ORDER BY identity COLLATE "C" LIMIT 4001)
), sized AS (
    SELECT *, 300 + octet_length(key) + coalesce(octet_length(original_file_name), 0) AS bytes,
        row_number() OVER (ORDER BY section DESC, key COLLATE "C" DESC) AS from_the_end
    FROM items
), placed AS (
    SELECT *, sum(bytes) OVER (ORDER BY section, key COLLATE "C") - bytes AS bytes_before FROM sized
)
SELECT section, key, status, text_storage_id, original_file_name, file_upload_id, error_code,
    from_the_end = 1 AS is_last
FROM placed WHERE bytes_before < :max_bytes
ORDER BY section, key COLLATE "C"
