-- name: read_backlog
-- Counts in one snapshot what waits and for how long.
--
-- :stuck number  seconds after which what waits for the service itself is stuck
--
-- Returns open_batches, late_batches, stuck_batches, oldest_open, parked_arrivals, oldest_parked, outbox_events,
-- oldest_outbox, unsent_results, oldest_unsent_result, sweep_age, relay_age; ages in seconds, of a job that never
-- ran NULL.
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() AS now,
        clock_timestamp() - make_interval(secs => CAST(:stuck AS double precision)) AS stuck_before
), open AS (
    SELECT count(*) AS batches, count(*) FILTER (WHERE deadline < now) AS late,
        min(deadline - make_interval(secs => timeout_seconds)) AS oldest
    FROM batches CROSS JOIN moment WHERE status = 'open'
), parked AS (
    SELECT count(*) AS arrivals, min(parked_at) AS oldest FROM parked_arrivals
), unsent AS (
    SELECT count(*) AS events, min(created_at) AS oldest, count(*) FILTER (WHERE is_final) AS results,
        min(created_at) FILTER (WHERE is_final) AS oldest_result
    FROM outbox
), stuck AS (
    SELECT batch_id FROM batches CROSS JOIN moment WHERE status = 'open' AND deadline < stuck_before
    UNION
    SELECT batch_id FROM outbox CROSS JOIN moment WHERE is_final AND created_at < stuck_before
    UNION
    SELECT batch_id FROM parked_arrivals JOIN batches USING (batch_id) CROSS JOIN moment
    WHERE status <> 'awaited' AND changed_at < stuck_before
), ages AS (
    SELECT extract(epoch FROM now - open.oldest) AS open, extract(epoch FROM now - parked.oldest) AS parked,
        extract(epoch FROM now - unsent.oldest) AS outbox,
        extract(epoch FROM now - unsent.oldest_result) AS result,
        (SELECT extract(epoch FROM now - ran_at) FROM job_runs WHERE job = 'expire_batches') AS sweep,
        (SELECT extract(epoch FROM now - ran_at) FROM job_runs WHERE job = 'publish_outbox') AS relay
    FROM moment, open, parked, unsent
)
SELECT open.batches AS open_batches, open.late AS late_batches, (SELECT count(*) FROM stuck) AS stuck_batches,
    coalesce(ages.open, 0) AS oldest_open, parked.arrivals AS parked_arrivals,
    coalesce(ages.parked, 0) AS oldest_parked, unsent.events AS outbox_events,
    coalesce(ages.outbox, 0) AS oldest_outbox, unsent.results AS unsent_results,
    coalesce(ages.result, 0) AS oldest_unsent_result, ages.sweep AS sweep_age, ages.relay AS relay_age
FROM open, parked, unsent, ages
