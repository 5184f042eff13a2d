-- Arrivals that are parked until their batch is registered.

-- name: read_parked_arrivals
-- Reads what is parked beside locked batches, oldest first.
--
-- :ids  JSON array of batch ids
--
-- Returns one row per parked arrival:
--   batch_id, identity
--   arrival  JSON object, the stored form of rows.py
SELECT batch_id, identity, arrival FROM parked_arrivals
WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb))) ORDER BY position;

-- name: delete_parked_arrivals
-- Deletes parked arrivals that have been decided. One that is not parked is ignored.
--
-- :keys  JSON array of {batch_id, identity}
--
-- Returns nothing.
DELETE FROM parked_arrivals AS p
USING jsonb_to_recordset(CAST(:keys AS jsonb)) AS k (batch_id text, identity text)
WHERE p.batch_id = k.batch_id AND p.identity = k.identity;
