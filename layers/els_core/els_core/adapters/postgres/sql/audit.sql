-- name: find_stuck
-- Finds what has been waiting for too long, at most :limit of each kind, the oldest first.
--
-- :overdue number  seconds past the deadline
-- :parked  number  seconds since an arrival was parked
-- :unsent  number  seconds since an event was put into the outbox
-- :limit   number  findings of each kind
--
-- Returns kind, batch_id, correlation_id, since, detail.
(SELECT 'overdue_open' AS kind, batch_id, correlation_id, deadline AS since,
     'open past its deadline' AS detail
 FROM batches WHERE status = 'open'
     AND deadline < clock_timestamp() - make_interval(secs => CAST(:overdue AS double precision))
 ORDER BY deadline LIMIT :limit)
UNION ALL
(SELECT 'parked_too_long', batch_id, min(correlation_id), min(parked_at),
     count(*) || ' arrivals or more wait for a registration'
 FROM (SELECT batch_id, arrival ->> 'correlation_id' AS correlation_id, parked_at FROM parked_arrivals
       WHERE parked_at < clock_timestamp() - make_interval(secs => CAST(:parked AS double precision))
       ORDER BY parked_at LIMIT 10000) AS oldest
 GROUP BY batch_id ORDER BY min(parked_at) LIMIT :limit)
UNION ALL
(SELECT 'outbox_too_old', batch_id, NULL, created_at, detail_type || ' ' || event_id || ' is not sent'
 FROM outbox WHERE created_at < clock_timestamp() - make_interval(secs => CAST(:unsent AS double precision))
 ORDER BY position LIMIT :limit)

-- name: recount
-- Computes counts and digests of a page of batches again from the rows, without the code that made them. Covers
-- open batches, and closed ones that changed within :window.
--
-- :after  text    batch id after which the page begins
-- :window number  seconds
-- :limit  number  batches
--
-- Returns kind, batch_id, correlation_id, since, detail; the last row has no kind and says where the page ended.
WITH page AS MATERIALIZED (
    SELECT * FROM batches WHERE batch_id > :after AND (status = 'open' OR (status <> 'awaited'
        AND changed_at > clock_timestamp() - make_interval(secs => CAST(:window AS double precision))))
    ORDER BY batch_id LIMIT :limit
), checked AS MATERIALIZED (
    SELECT p.*, s.assigned, s.failed, s.slots, s.digest, coalesce(e.digest, p.announced_digest) AS kept_digest
    FROM page AS p LEFT JOIN batch_epochs AS e ON e.batch_id = p.batch_id AND e.epoch = p.epoch
    CROSS JOIN LATERAL (
        SELECT count(*) AS slots, count(*) FILTER (WHERE status = 'assigned') AS assigned,
            count(*) FILTER (WHERE status = 'failed') AS failed,
            encode(sha256(convert_to(coalesce(string_agg(essay_id || ' ' || text_storage_id || chr(10), ''
                ORDER BY essay_id || ' ' || text_storage_id COLLATE "C")
                FILTER (WHERE status = 'assigned'), ''), 'UTF8')), 'hex') AS digest
        FROM essays WHERE batch_id = p.batch_id AND status <> 'withdrawn') AS s
)
SELECT 'counts_differ' AS kind, batch_id, correlation_id, changed_at AS since,
    format('counts are %s + %s of %s, rows are %s + %s of %s', assigned_count, failed_count, expected_count,
        assigned, failed, slots) AS detail
FROM checked WHERE (assigned, failed, slots) <> (assigned_count, failed_count, expected_count)
UNION ALL
SELECT 'digest_differs', batch_id, correlation_id, changed_at,
    format('announced %s, the rows give %s', kept_digest, digest)
FROM checked WHERE status IN ('ready', 'timed_out', 'cancelled') AND digest IS DISTINCT FROM kept_digest
UNION ALL
(SELECT NULL, batch_id, NULL, NULL, NULL FROM page ORDER BY batch_id DESC LIMIT 1)

-- name: find_idle_open
-- Finds open batches that were not changed for :idle, by id: as many as have :max_slots slots together, but at
-- least one.
--
-- :after     text    batch id after which the page begins
-- :idle      number  seconds
-- :max_slots number
--
-- Returns batch_id.
SELECT batch_id FROM (
    SELECT batch_id, expected_count, sum(expected_count) OVER (ORDER BY batch_id) AS slots
    FROM (
        SELECT batch_id, expected_count FROM batches
        WHERE status = 'open' AND batch_id > :after
            AND changed_at < clock_timestamp() - make_interval(secs => CAST(:idle AS double precision))
        ORDER BY batch_id LIMIT 500) AS idle
) AS page
WHERE slots <= :max_slots OR slots = expected_count
ORDER BY batch_id
