-- name: list_batches
-- Lists batches, the newest first. Looks at :scan batches at most, so that a rare status costs as little as a frequent
-- one: what it did not look at is on a later page. To be planned with its values, because which index serves depends
-- on which filters there are.
--
-- :status        text       or NULL
-- :user_id       text       or NULL
-- :org_id        text       or NULL
-- :caller_org_id text       the only organisation that the caller may see, or NULL
-- :course_code   text       or NULL
-- :created_after timestamp  or NULL
-- :before        timestamp  creation of the batch after which the page begins, or NULL
-- :before_id     text       its id
-- :scan          number
-- :limit         number
--
-- Returns batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch,
-- course_code, user_id, org_id, class_id, correlation_id, created_at, changed_at, last_arrival_at, is_stuck, is_end;
-- the last row is the last batch that was looked at, if there may be more.
WITH scanned AS MATERIALIZED (
    SELECT * FROM batches
    WHERE (CAST(:user_id AS text) IS NULL OR user_id = CAST(:user_id AS text))
        AND (CAST(:org_id AS text) IS NULL OR org_id = CAST(:org_id AS text))
        AND (CAST(:caller_org_id AS text) IS NULL OR org_id = CAST(:caller_org_id AS text))
        AND (CAST(:created_after AS timestamptz) IS NULL OR created_at > CAST(:created_after AS timestamptz))
        AND (CAST(:before AS timestamptz) IS NULL
            OR (created_at, batch_id) < (CAST(:before AS timestamptz), CAST(:before_id AS text)))
    ORDER BY created_at DESC, batch_id DESC LIMIT :scan
), shown AS (
    (SELECT *, false AS is_end FROM scanned
     WHERE (CAST(:status AS text) IS NULL OR status = CAST(:status AS text))
        AND (CAST(:course_code AS text) IS NULL OR course_code = CAST(:course_code AS text))
     ORDER BY created_at DESC, batch_id DESC LIMIT :limit)
    UNION ALL
    (SELECT *, true FROM scanned WHERE (SELECT count(*) FROM scanned) = :scan
     ORDER BY created_at, batch_id LIMIT 1)
)
SELECT b.batch_id, b.status, b.version, b.expected_count, b.assigned_count, b.failed_count, b.deadline,
    b.fingerprint, b.epoch, b.course_code, b.user_id, b.org_id, b.class_id, b.correlation_id, b.created_at,
    b.changed_at, b.last_arrival_at, b.is_end,
    coalesce(b.status = 'open' AND b.deadline < clock_timestamp() - interval '3 minutes', false)
    OR EXISTS (SELECT FROM outbox WHERE batch_id = b.batch_id
        AND created_at < clock_timestamp() - interval '3 minutes')
    OR (b.status <> 'awaited' AND b.changed_at < clock_timestamp() - interval '3 minutes'
        AND EXISTS (SELECT FROM parked_arrivals WHERE batch_id = b.batch_id)) AS is_stuck
FROM shown AS b
ORDER BY b.is_end, b.created_at DESC, b.batch_id DESC

-- name: list_waiting_batches
-- Lists batches that are stuck, that something is parked for, or both, and that pass every other filter, the newest
-- first. Looks at those that wait, of which there are few, and never at all batches.
--
-- :is_stuck      boolean
-- :has_parked    boolean
-- :status        text       or NULL
-- :user_id       text       or NULL
-- :org_id        text       or NULL
-- :caller_org_id text       the only organisation that the caller may see, or NULL
-- :course_code   text       or NULL
-- :created_after timestamp  or NULL
-- :before        timestamp  creation of the batch after which the page begins, or NULL
-- :before_id     text       its id
-- :limit         number
--
-- Returns batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch,
-- course_code, user_id, org_id, class_id, correlation_id, created_at, changed_at, last_arrival_at, is_stuck, is_end.
WITH RECURSIVE parked (batch_id) AS (
    (SELECT batch_id FROM parked_arrivals ORDER BY batch_id LIMIT 1)
    UNION ALL
    SELECT (SELECT n.batch_id FROM parked_arrivals AS n WHERE n.batch_id > p.batch_id ORDER BY n.batch_id LIMIT 1)
    FROM parked AS p WHERE p.batch_id IS NOT NULL
), stuck AS MATERIALIZED (
    SELECT batch_id FROM batches
    WHERE status = 'open' AND deadline < clock_timestamp() - interval '3 minutes'
    UNION
    SELECT batch_id FROM outbox WHERE created_at < clock_timestamp() - interval '3 minutes'
    UNION
    SELECT batch_id FROM batches JOIN parked USING (batch_id)
    WHERE status <> 'awaited' AND changed_at < clock_timestamp() - interval '3 minutes'
), waiting AS MATERIALIZED (
    SELECT batch_id FROM stuck WHERE CAST(:is_stuck AS boolean)
        AND (NOT CAST(:has_parked AS boolean) OR batch_id IN (SELECT batch_id FROM parked))
    UNION
    SELECT batch_id FROM parked
    WHERE CAST(:has_parked AS boolean) AND NOT CAST(:is_stuck AS boolean) AND batch_id IS NOT NULL
)
SELECT b.batch_id, b.status, b.version, b.expected_count, b.assigned_count, b.failed_count, b.deadline,
    b.fingerprint, b.epoch, b.course_code, b.user_id, b.org_id, b.class_id, b.correlation_id, b.created_at,
    b.changed_at, b.last_arrival_at, b.batch_id IN (SELECT batch_id FROM stuck) AS is_stuck, false AS is_end
FROM waiting JOIN batches AS b USING (batch_id)
WHERE (CAST(:status AS text) IS NULL OR b.status = CAST(:status AS text))
    AND (CAST(:user_id AS text) IS NULL OR b.user_id = CAST(:user_id AS text))
    AND (CAST(:org_id AS text) IS NULL OR b.org_id = CAST(:org_id AS text))
    AND (CAST(:caller_org_id AS text) IS NULL OR b.org_id = CAST(:caller_org_id AS text))
    AND (CAST(:course_code AS text) IS NULL OR b.course_code = CAST(:course_code AS text))
    AND (CAST(:created_after AS timestamptz) IS NULL OR b.created_at > CAST(:created_after AS timestamptz))
    AND (CAST(:before AS timestamptz) IS NULL
        OR (b.created_at, b.batch_id) < (CAST(:before AS timestamptz), CAST(:before_id AS text)))
ORDER BY b.created_at DESC, b.batch_id DESC
LIMIT :limit

-- name: read_overview
-- Reads where a batch stands, without its lists: they may be long.
--
-- :batch_id      text
-- :named         number  missing slots to name
-- :caller_org_id text    the only organisation that the caller may see, or NULL
--
-- Returns batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch,
-- course_code, user_id, org_id, class_id, correlation_id, created_at, changed_at, last_arrival_at, now, missing
-- [essay id], withdrawn, late, excess, taken_in, parked, parked_since, unsent_since, digest, event_id, detail_type,
-- first_sent_at, result_unsent_since, commands [{command_id, command, door, actor, reason, refusal, epoch, version,
-- at}], rejected [{differs, rejected_at}], last_sweep, last_relay, redis_answered.
SELECT b.batch_id, b.status, b.version, b.expected_count, b.assigned_count, b.failed_count, b.deadline,
    b.fingerprint, b.epoch, b.course_code, b.user_id, b.org_id, b.class_id, b.correlation_id, b.created_at,
    b.changed_at, b.last_arrival_at, clock_timestamp() AS now,
    (SELECT coalesce(json_agg(essay_id ORDER BY essay_id COLLATE "C"), '[]') FROM (
        SELECT essay_id FROM essays WHERE batch_id = b.batch_id AND status = 'available'
        ORDER BY essay_id COLLATE "C" LIMIT :named) AS first) AS missing,
    (SELECT count(*) FROM essays WHERE batch_id = b.batch_id AND status = 'withdrawn') AS withdrawn,
    (SELECT count(*) FROM validation_failures WHERE batch_id = b.batch_id AND essay_id IS NULL) AS late,
    x.excess, x.taken_in, p.parked, p.parked_since,
    (SELECT min(created_at) FROM outbox WHERE batch_id = b.batch_id) AS unsent_since,
    (SELECT encode(sha256(convert_to(coalesce(string_agg(essay_id || ' ' || text_storage_id || chr(10), ''
        ORDER BY essay_id || ' ' || text_storage_id COLLATE "C"), ''), 'UTF8')), 'hex')
     FROM essays WHERE batch_id = b.batch_id AND status = 'assigned') AS digest,
    e.event_id, e.detail_type, e.first_sent_at, o.created_at AS result_unsent_since,
    (SELECT coalesce(json_agg(last ORDER BY at DESC, command_id COLLATE "C"), '[]') FROM (
        SELECT command_id, command, door, actor, reason, refusal, epoch, version, at FROM batch_commands
        WHERE batch_id = b.batch_id ORDER BY at DESC, command_id COLLATE "C" LIMIT 20) AS last) AS commands,
    (SELECT coalesce(json_agg(last ORDER BY rejected_at DESC), '[]') FROM (
        SELECT differs, rejected_at FROM rejected_registrations
        WHERE batch_id = b.batch_id ORDER BY rejected_at DESC LIMIT 20) AS last) AS rejected,
    (SELECT ran_at FROM job_runs WHERE job = 'expire_batches') AS last_sweep,
    (SELECT ran_at FROM job_runs WHERE job = 'publish_outbox') AS last_relay,
    (SELECT ran_at FROM job_runs WHERE job = 'reach_redis') AS redis_answered
FROM batches AS b
LEFT JOIN batch_epochs AS e ON e.batch_id = b.batch_id AND e.epoch = b.epoch
LEFT JOIN outbox AS o ON o.event_id = e.event_id
CROSS JOIN LATERAL (
    SELECT count(*) AS excess,
        count(*) FILTER (WHERE file_size_bytes IS NOT NULL AND correlation_id IS NOT NULL) AS taken_in
    FROM excess_contents WHERE batch_id = b.batch_id) AS x
CROSS JOIN LATERAL (
    SELECT count(*) AS parked, min(parked_at) AS parked_since
    FROM parked_arrivals WHERE batch_id = b.batch_id) AS p
WHERE b.batch_id = :batch_id
    AND (CAST(:caller_org_id AS text) IS NULL OR b.org_id = CAST(:caller_org_id AS text))

-- name: read_items
-- Reads a page of a batch's slots, then of its late failures, then of its excess contents, each in byte order of their
-- keys: as many as fit into :max_bytes of JSON, but at least one.
--
-- :batch_id  text
-- :section   number  1 for slots, 2 for late failures, 3 for excess contents: where the page begins
-- :after     text    key after which it begins
-- :max_bytes number
--
-- Returns section, kind, key, identity, original_file_name, file_upload_id, error_code, reason, at, is_whole, is_last.
WITH items AS (
    (SELECT 1 AS section, s.status AS kind, s.essay_id AS key,
        coalesce(s.failure_identity, 'content:' || s.text_storage_id) AS identity,
        coalesce(s.original_file_name, v.original_file_name) AS original_file_name,
        coalesce(s.file_upload_id, v.file_upload_id) AS file_upload_id, v.error_code, NULL AS reason,
        s.settled_at AS at, false AS is_whole
     FROM essays AS s
     LEFT JOIN validation_failures AS v ON v.batch_id = s.batch_id AND v.essay_id = s.essay_id
     WHERE s.batch_id = :batch_id AND CAST(:section AS integer) = 1 AND s.essay_id > :after COLLATE "C"
     ORDER BY s.essay_id COLLATE "C" LIMIT 2001)
    UNION ALL
    (SELECT 2, 'late', identity, identity, original_file_name, file_upload_id, error_code, late_reason,
        recorded_at, false
     FROM validation_failures
     WHERE batch_id = :batch_id AND essay_id IS NULL AND CAST(:section AS integer) <= 2
        AND identity > CASE WHEN CAST(:section AS integer) = 2 THEN :after ELSE '' END COLLATE "C"
     ORDER BY identity COLLATE "C" LIMIT 4001)
    UNION ALL
    (SELECT 3, 'excess', text_storage_id, 'content:' || text_storage_id, original_file_name, file_upload_id, NULL,
        reason, recorded_at, file_size_bytes IS NOT NULL AND correlation_id IS NOT NULL
     FROM excess_contents
     WHERE batch_id = :batch_id
        AND text_storage_id > CASE WHEN CAST(:section AS integer) = 3 THEN :after ELSE '' END COLLATE "C"
     ORDER BY text_storage_id COLLATE "C" LIMIT 4001)
), sized AS (
    SELECT *, 400 + 2 * octet_length(key) + coalesce(octet_length(to_json(original_file_name)::text), 0) AS bytes,
        row_number() OVER (ORDER BY section DESC, key COLLATE "C" DESC) AS from_the_end
    FROM items
), placed AS (
    SELECT *, sum(bytes) OVER (ORDER BY section, key COLLATE "C") - bytes AS bytes_before FROM sized
)
SELECT section, kind, key, identity, original_file_name, file_upload_id, error_code, reason, at, is_whole,
    from_the_end = 1 AS is_last
FROM placed WHERE bytes_before < :max_bytes
ORDER BY section, key COLLATE "C"
