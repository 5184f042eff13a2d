-- What is due by the clock of Postgres: open batches, parked arrivals, and batches past their retention.

-- name: lock_overdue_batches
-- Locks open batches whose deadline has passed, the earliest first, and skips those that another transaction holds.
--
-- :limit  number of batches
--
-- Returns one row per locked batch:
--   batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint
FROM batches WHERE status = 'open' AND deadline <= clock_timestamp()
ORDER BY deadline, batch_id LIMIT :limit FOR UPDATE SKIP LOCKED;

-- name: mark_overdue_parked_arrivals
-- Marks arrivals that have been parked for too long, so that each is announced once, and raises the version of their
-- batches. Locks these batches and skips those that another transaction holds.
--
-- :waited  seconds after which a parked arrival is overdue
-- :limit   number of batches
--
-- Returns one row per marked arrival, by batch and oldest first, beside the new row of its batch:
--   batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint
--   identity
--   arrival  JSON object, the stored form of rows.py
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
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint,
    identity, arrival
FROM bumped JOIN marked USING (batch_id) ORDER BY batch_id, position;

-- name: delete_old_batches
-- Deletes batches that have not changed for a long time, the oldest first, with all that belongs to them. Never
-- deletes an open batch, and skips those that another transaction holds.
--
-- :age    seconds since the last change
-- :limit  number of batches
--
-- Returns nothing.
DELETE FROM batches WHERE batch_id IN (
    SELECT batch_id FROM batches
    WHERE status <> 'open'
        AND changed_at < clock_timestamp() - make_interval(secs => CAST(:age AS double precision))
    ORDER BY changed_at LIMIT :limit FOR UPDATE SKIP LOCKED);
