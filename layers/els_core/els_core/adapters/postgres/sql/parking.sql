-- name: read_parked
-- Reads parked arrivals of locked batches, sorted by batch id in byte order, oldest first.
--
-- :ids   JSON    [batch id]
-- :limit number  rows
--
-- Returns batch_id, identity, arrival.
SELECT batch_id, identity, arrival FROM parked_arrivals
WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))
ORDER BY batch_id COLLATE "C", position LIMIT :limit

-- name: delete_parked
-- Deletes parked arrivals that have been decided.
--
-- :keys JSON  [{batch_id, identity}]
--
-- Returns nothing.
DELETE FROM parked_arrivals AS p
USING jsonb_to_recordset(CAST(:keys AS jsonb)) AS k (batch_id text, identity text)
WHERE p.batch_id = k.batch_id AND p.identity = k.identity

-- name: mark_overdue_parked
-- Locks awaited batches of the oldest overdue arrivals (skipping locked rows), marks these arrivals as announced
-- and raises the version of the batches. Looks at no more than :limit arrivals, whatever the backlog is.
--
-- :waited number  seconds after which a parked arrival is overdue
-- :limit  number  arrivals
--
-- Returns batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch,
-- identity, arrival; sorted by batch id, oldest first.
WITH old AS MATERIALIZED (
    SELECT p.batch_id, p.identity FROM parked_arrivals AS p JOIN batches AS b USING (batch_id)
    WHERE p.announced_at IS NULL AND b.status = 'awaited'
        AND p.parked_at <= clock_timestamp() - make_interval(secs => CAST(:waited AS double precision))
    ORDER BY p.parked_at LIMIT :limit
), held AS MATERIALIZED (
    SELECT b.batch_id FROM batches AS b
    WHERE b.batch_id IN (SELECT batch_id FROM old) AND b.status = 'awaited'
    ORDER BY b.batch_id COLLATE "C" FOR UPDATE SKIP LOCKED
), marked AS (
    UPDATE parked_arrivals AS p SET announced_at = clock_timestamp()
    FROM old JOIN held USING (batch_id)
    WHERE p.batch_id = old.batch_id AND p.identity = old.identity AND p.announced_at IS NULL
    RETURNING p.batch_id, p.identity, p.arrival, p.position
), bumped AS (
    UPDATE batches AS b SET version = b.version + 1
    FROM held WHERE b.batch_id = held.batch_id
    RETURNING b.*
)
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint,
    epoch, identity, arrival
FROM bumped JOIN marked USING (batch_id) ORDER BY batch_id, position
