-- name: insert_into_outbox
-- Inserts events into the outbox, idempotent by event id, and keeps each final result with its batch's epoch.
--
-- :messages JSON  [{event_id, batch_id, detail_type, detail, digest, ended_by, is_final}]
--
-- Returns event_id, position; of the inserted rows only.
WITH messages AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST(:messages AS jsonb)) AS m (
        event_id uuid, batch_id text, detail_type text, detail text, digest text, ended_by text,
        is_final boolean)
), kept AS (
    INSERT INTO batch_epochs (batch_id, epoch, ended_at, status, ended_by, deadline, event_id, detail_type,
        detail, digest)
    SELECT m.batch_id, b.epoch, clock_timestamp(), b.status, m.ended_by, b.deadline, m.event_id,
        m.detail_type, m.detail, m.digest
    FROM messages AS m JOIN batches AS b USING (batch_id) WHERE m.is_final
    ON CONFLICT ON CONSTRAINT one_row_per_epoch DO UPDATE SET ended_at = excluded.ended_at,
        status = excluded.status, ended_by = excluded.ended_by, deadline = excluded.deadline,
        event_id = excluded.event_id, detail_type = excluded.detail_type, detail = excluded.detail,
        digest = excluded.digest
    WHERE batch_epochs.event_id IS NULL
)
INSERT INTO outbox (event_id, batch_id, detail_type, detail, is_final)
SELECT event_id, batch_id, detail_type, detail, is_final FROM messages
ON CONFLICT ON CONSTRAINT one_row_per_event DO NOTHING
RETURNING event_id, position

-- name: insert_kept_result
-- Puts the kept final result of an epoch into the outbox again, the same event with the same bytes. If it is there
-- already it gets a new position, so that a deletion by the old one misses it.
--
-- :batch_id text
-- :epoch    number
--
-- Returns event_id, batch_id, detail_type, detail, is_final, position.
INSERT INTO outbox (event_id, batch_id, detail_type, detail, is_final)
SELECT event_id, batch_id, detail_type, detail, true FROM batch_epochs
WHERE batch_id = :batch_id AND epoch = CAST(:epoch AS integer) AND event_id IS NOT NULL
ON CONFLICT ON CONSTRAINT one_row_per_event DO UPDATE SET position = DEFAULT
RETURNING event_id, batch_id, detail_type, detail, is_final, position

-- name: delete_sent
-- Deletes outbox rows that were sent, and notes when a final result was first sent. Losing this in a crash of the
-- server costs a repetition, so it need not wait for the disk.
--
-- :positions JSON  [position]
--
-- Returns waited: seconds from the end of a batch to the first sending of its final result, for each such result.
WITH sent AS (
    DELETE FROM outbox
    WHERE set_config('synchronous_commit', 'off', true) IS NOT NULL AND position IN (
        SELECT CAST(p AS bigint) FROM jsonb_array_elements_text(CAST(:positions AS jsonb)) AS p)
    RETURNING event_id, batch_id, is_final
)
UPDATE batch_epochs AS e SET first_sent_at = clock_timestamp()
FROM sent
WHERE sent.is_final AND e.batch_id = sent.batch_id AND e.event_id = sent.event_id AND e.first_sent_at IS NULL
RETURNING extract(epoch FROM clock_timestamp() - e.ended_at) AS waited

-- name: read_unsent
-- Reads a page of the outbox in order of position: as many rows as fit into :max_bytes, but at least one.
--
-- :after     number   position after which the page begins
-- :grace     number   seconds that a row must be old
-- :is_final  boolean  final results, or the other events
-- :max_bytes number   of the details together
--
-- Returns event_id, batch_id, detail_type, detail, is_final, position.
SELECT event_id, batch_id, detail_type, detail, is_final, position
FROM (
    SELECT *, sum(octet_length(detail)) OVER (ORDER BY position) - octet_length(detail) AS bytes_before
    FROM (
        SELECT * FROM outbox
        WHERE position > :after AND is_final = CAST(:is_final AS boolean)
            AND created_at <= clock_timestamp() - make_interval(secs => CAST(:grace AS double precision))
        ORDER BY position LIMIT 1000) AS oldest
) AS page
WHERE bytes_before < :max_bytes
ORDER BY position
