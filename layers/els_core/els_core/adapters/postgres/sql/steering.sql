-- name: supersede_arrivals
-- Supersedes arrivals for good: frees their slots, removes them from where they were recorded, and keeps them. One
-- that has not come yet is barred: it is kept without its data, until it comes.
--
-- :superseded JSON  [{batch_id, identity, by_identity, by_command, arrival (null unless it comes now)}]
--
-- Returns batch_id, freed_assigned, freed_failed; of each batch.
WITH gone AS MATERIALIZED (
    SELECT *, CASE WHEN identity LIKE 'content:%' THEN substr(identity, 9) END AS text_storage_id
    FROM jsonb_to_recordset(CAST(:superseded AS jsonb)) AS g (
        batch_id text, identity text, by_identity text, by_command text, arrival jsonb)
), held AS MATERIALIZED (
    SELECT e.batch_id, g.identity, e.essay_id, e.settled_at, jsonb_build_object('kind', 'content',
        'text_storage_id', e.text_storage_id, 'raw_file_storage_id', e.raw_file_storage_id,
        'original_file_name', e.original_file_name, 'file_size_bytes', e.file_size_bytes,
        'content_md5_hash', e.content_md5_hash, 'file_upload_id', e.file_upload_id,
        'supersedes', e.supersedes) AS arrival
    FROM gone AS g JOIN essays AS e ON e.batch_id = g.batch_id AND e.text_storage_id = g.text_storage_id
), freed AS (
    UPDATE essays AS e SET status = 'available', text_storage_id = NULL, raw_file_storage_id = NULL,
        original_file_name = NULL, file_size_bytes = NULL, content_md5_hash = NULL, file_upload_id = NULL,
        failure_identity = NULL, supersedes = NULL, settled_at = NULL
    FROM gone AS g
    WHERE e.batch_id = g.batch_id
        AND (e.text_storage_id = g.text_storage_id OR e.failure_identity = g.identity)
    RETURNING e.batch_id, g.text_storage_id IS NOT NULL AS is_content
), failures AS (
    DELETE FROM validation_failures AS v USING gone AS g
    WHERE v.batch_id = g.batch_id AND v.identity = g.identity
    RETURNING v.batch_id, v.identity, v.essay_id, v.recorded_at, to_jsonb(v) || '{"kind": "failure"}' AS arrival
), excess AS (
    DELETE FROM excess_contents AS x USING gone AS g
    WHERE x.batch_id = g.batch_id AND x.text_storage_id = g.text_storage_id
    RETURNING x.batch_id, g.identity, x.recorded_at, to_jsonb(x) || '{"kind": "content"}' AS arrival
), parked AS (
    DELETE FROM parked_arrivals AS p USING gone AS g
    WHERE p.batch_id = g.batch_id AND p.identity = g.identity
    RETURNING p.batch_id, p.identity, p.parked_at, p.arrival
), found AS (
    SELECT batch_id, identity, essay_id, settled_at AS arrived_at, arrival FROM held
    UNION ALL SELECT batch_id, identity, essay_id, recorded_at, arrival FROM failures
    UNION ALL SELECT batch_id, identity, NULL, recorded_at, arrival FROM excess
    UNION ALL SELECT batch_id, identity, NULL, parked_at, arrival FROM parked
    UNION ALL SELECT batch_id, identity, NULL, clock_timestamp(), arrival FROM gone WHERE arrival IS NOT NULL
), kept AS (
    INSERT INTO superseded_arrivals (batch_id, identity, by_identity, by_command, essay_id, arrival, arrived_at)
    SELECT g.batch_id, g.identity, g.by_identity, g.by_command, f.essay_id, f.arrival, f.arrived_at
    FROM gone AS g LEFT JOIN found AS f USING (batch_id, identity)
    ON CONFLICT ON CONSTRAINT one_row_per_superseded_arrival
        DO UPDATE SET arrival = excluded.arrival, arrived_at = excluded.arrived_at
        WHERE superseded_arrivals.arrival IS NULL AND excluded.arrival IS NOT NULL
)
SELECT batch_id, count(*) FILTER (WHERE is_content) AS freed_assigned,
    count(*) FILTER (WHERE NOT is_content) AS freed_failed
FROM freed GROUP BY batch_id

-- name: change_slots
-- Withdraws free slots, adds slots or takes withdrawn ones back, and removes excess contents that are taken in.
--
-- :withdrawn JSON  [{batch_id, essay_id}]
-- :added     JSON  [{batch_id, essay_id}]
-- :taken_in  JSON  [{batch_id, text_storage_id}]
--
-- Returns batch_id, more_slots; of each batch. Fewer than were meant if one was not as it had been read.
WITH withdrawn AS (
    UPDATE essays AS e SET status = 'withdrawn'
    FROM jsonb_to_recordset(CAST(:withdrawn AS jsonb)) AS n (batch_id text, essay_id text)
    WHERE e.batch_id = n.batch_id AND e.essay_id = n.essay_id AND e.status = 'available'
    RETURNING e.batch_id
), added AS (
    INSERT INTO essays AS e (batch_id, essay_id)
    SELECT * FROM jsonb_to_recordset(CAST(:added AS jsonb)) AS n (batch_id text, essay_id text)
    ON CONFLICT ON CONSTRAINT one_row_per_slot DO UPDATE SET status = 'available' WHERE e.status = 'withdrawn'
    RETURNING e.batch_id
), excess AS (
    DELETE FROM excess_contents AS x
    USING jsonb_to_recordset(CAST(:taken_in AS jsonb)) AS n (batch_id text, text_storage_id text)
    WHERE x.batch_id = n.batch_id AND x.text_storage_id = n.text_storage_id
)
SELECT batch_id, sum(slots) AS more_slots FROM (
    SELECT batch_id, -1 AS slots FROM withdrawn UNION ALL SELECT batch_id, 1 FROM added) AS changed
GROUP BY batch_id

-- name: begin_epochs
-- Notes when epochs begin.
--
-- :epochs JSON  [{batch_id, epoch}]
--
-- Returns nothing.
INSERT INTO batch_epochs (batch_id, epoch, opened_at)
SELECT n.batch_id, n.epoch, clock_timestamp()
FROM jsonb_to_recordset(CAST(:epochs AS jsonb)) AS n (batch_id text, epoch integer)
ON CONFLICT ON CONSTRAINT one_row_per_epoch DO NOTHING

-- name: keep_result
-- Keeps the final result of a batch's current epoch, unless one is kept already.
--
-- :batch_id    text
-- :event_id    uuid
-- :detail_type text
-- :detail      text
-- :digest      text
-- :ended_by    text
--
-- Returns nothing.
INSERT INTO batch_epochs (batch_id, epoch, ended_at, status, ended_by, deadline, event_id, detail_type, detail,
    digest)
SELECT batch_id, epoch, changed_at, status, :ended_by, deadline, CAST(:event_id AS uuid),
    :detail_type, :detail, :digest
FROM batches WHERE batch_id = :batch_id
ON CONFLICT ON CONSTRAINT one_row_per_epoch DO UPDATE SET ended_at = excluded.ended_at,
    status = excluded.status, ended_by = excluded.ended_by, deadline = excluded.deadline,
    event_id = excluded.event_id, detail_type = excluded.detail_type, detail = excluded.detail,
    digest = excluded.digest
WHERE batch_epochs.event_id IS NULL

-- name: read_standby
-- Reads what an ended batch keeps beside its slots: its oldest excess contents, as far as they can be taken in, and
-- what superseded and late arrivals name that is not superseded yet.
--
-- :batch_id text
-- :limit    number  excess contents
--
-- Returns kind ('excess', 'superseded' or 'late'), identity, supersedes, arrival; excess contents oldest first.
WITH excess AS MATERIALIZED (
    SELECT * FROM excess_contents
    WHERE batch_id = :batch_id AND file_size_bytes IS NOT NULL AND correlation_id IS NOT NULL
    ORDER BY position NULLS FIRST, recorded_at LIMIT :limit
)
SELECT kind, identity, supersedes, arrival FROM (
    SELECT 1 AS section, position, 'excess' AS kind, 'content:' || text_storage_id AS identity, supersedes,
        to_jsonb(excess) AS arrival
    FROM excess
    UNION ALL
    SELECT 2, NULL, 'superseded', s.identity, s.arrival ->> 'supersedes', NULL
    FROM superseded_arrivals AS s
    WHERE s.batch_id = :batch_id AND s.arrival ->> 'supersedes' IS NOT NULL
        AND NOT EXISTS (SELECT FROM superseded_arrivals AS t
            WHERE t.batch_id = s.batch_id AND t.identity = s.arrival ->> 'supersedes')
    UNION ALL
    SELECT 2, NULL, 'late', identity, supersedes, NULL
    FROM validation_failures WHERE batch_id = :batch_id AND supersedes IS NOT NULL
) AS rows
ORDER BY section, position NULLS FIRST

-- name: read_command
-- Reads a command that was answered before.
--
-- :batch_id   text
-- :command_id text
--
-- Returns fingerprint, answer.
SELECT fingerprint, answer FROM batch_commands WHERE batch_id = :batch_id AND command_id = :command_id

-- name: insert_command
-- Keeps a command with its answer.
--
-- :kept JSON  {batch_id, command_id, door, source, command, body, fingerprint, actor, reason, answer, refusal,
--             version, epoch}
--
-- Returns nothing.
INSERT INTO batch_commands (batch_id, command_id, door, source, command, body, fingerprint, actor, reason, answer,
    refusal, version, epoch)
SELECT * FROM jsonb_to_recordset(CAST(:kept AS jsonb)) AS n (
    batch_id text, command_id text, door text, source text, command text, body jsonb, fingerprint text,
    actor text, reason text, answer jsonb, refusal text, version bigint, epoch integer)
