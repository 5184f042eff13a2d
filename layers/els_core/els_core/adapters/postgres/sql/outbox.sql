-- Events that are committed and not yet published.

-- name: insert_into_outbox
-- Inserts events, and stores the digests of final results beside their batches. An event whose id is in the outbox
-- already stays as it is.
--
-- :messages  JSON array of {event_id, batch_id, detail_type, detail, digest}; detail is JSON as text, digest is
--     null unless the event is a final result with a digest
--
-- Returns nothing.
WITH messages AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST(:messages AS jsonb)) AS m (
        event_id uuid, batch_id text, detail_type text, detail text, digest text)
), announced AS (
    UPDATE batches AS b SET announced_digest = m.digest
    FROM messages AS m WHERE b.batch_id = m.batch_id AND m.digest IS NOT NULL
)
INSERT INTO outbox (event_id, batch_id, detail_type, detail)
SELECT event_id, batch_id, detail_type, detail FROM messages
ON CONFLICT ON CONSTRAINT one_row_per_event DO NOTHING;

-- name: delete_from_outbox
-- Deletes events that were published. Does not wait for the disk: if a crash of the server loses the deletion, the
-- events are published again under the same ids.
--
-- :ids  JSON array of event ids
--
-- Returns nothing.
DELETE FROM outbox
WHERE set_config('synchronous_commit', 'off', true) IS NOT NULL
    AND event_id IN (SELECT CAST(id AS uuid) FROM jsonb_array_elements_text(CAST(:ids AS jsonb)) AS id);

-- name: read_outbox
-- Reads a page of the events that an invocation has left in the outbox, in the order of their insertion.
--
-- :after  position of the last event of the previous page, 0 for the first page
-- :grace  seconds that the invocation that committed an event has to publish it
-- :limit  number of events
--
-- Returns one row per event:
--   position, event_id, batch_id, detail_type
--   detail  JSON as text
SELECT position, event_id, batch_id, detail_type, detail FROM outbox
WHERE position > :after
    AND created_at <= clock_timestamp() - make_interval(secs => CAST(:grace AS double precision))
ORDER BY position LIMIT :limit;
