-- name: lock_overdue
-- Locks open batches past their deadline, skipping locked rows, in order of deadline and id, after a position: as
-- many as have :max_slots slots together, but at least one.
--
-- :after_deadline timestamp  or NULL to begin at the start
-- :after_id       text
-- :max_slots      number
--
-- Returns batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch.
WITH held AS MATERIALIZED (
    SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch
    FROM batches
    WHERE status = 'open' AND deadline <= clock_timestamp()
        AND (deadline, batch_id) > (coalesce(CAST(:after_deadline AS timestamptz), '-infinity'), :after_id)
    ORDER BY deadline, batch_id LIMIT 500 FOR UPDATE SKIP LOCKED
)
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint, epoch
FROM (
    SELECT *, sum(expected_count) OVER (ORDER BY deadline, batch_id) AS slots FROM held
) AS page
WHERE slots <= :max_slots OR slots = expected_count
ORDER BY deadline, batch_id

-- name: delete_old_batches
-- Deletes batches that were not changed for :age and are not open, with everything stored about them: as many as
-- have :max_slots slots together, but at least one. A batch of which an event waits in the outbox stays.
--
-- :age       number  seconds
-- :max_slots number
--
-- Returns nothing; the count of rows is that of the deleted batches.
DELETE FROM batches WHERE batch_id IN (
    SELECT batch_id FROM (
        SELECT batch_id, slots, sum(slots) OVER (ORDER BY changed_at, batch_id) AS slots_before
        FROM (
            SELECT batch_id, changed_at, greatest(expected_count, 20) AS slots FROM batches AS b
            WHERE status <> 'open'
                AND changed_at < clock_timestamp() - make_interval(secs => CAST(:age AS double precision))
                AND NOT EXISTS (SELECT FROM outbox AS o WHERE o.batch_id = b.batch_id)
            ORDER BY changed_at LIMIT 500 FOR UPDATE SKIP LOCKED) AS held
    ) AS page
    WHERE slots_before <= :max_slots OR slots_before = slots)

-- name: note_run
-- Notes that a scheduled function ran to its end, or that Redis answered, for whoever asks when that last was.
--
-- :job text  the name of the function, or reach_redis
--
-- Returns nothing.
INSERT INTO job_runs (job, ran_at) VALUES (:job, clock_timestamp())
ON CONFLICT ON CONSTRAINT one_row_per_job DO UPDATE SET ran_at = excluded.ran_at
