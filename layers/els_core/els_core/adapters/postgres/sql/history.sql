-- name: read_history
-- Reads a page of what happened to a batch, the oldest first.
--
-- :batch_id      text
-- :caller_org_id text       the only organisation that the caller may see, or NULL
-- :after         timestamp  of the entry after which the page begins, or NULL
-- :section       number     of that entry
-- :key           text       of that entry
-- :limit         number
--
-- Returns at, section, key, kind, identity, essay_id, epoch, status, command, reason, by, comment, event_id.
WITH entries (section, kind, at, key, identity, essay_id, epoch, status, command, reason, by, comment, event_id) AS (
    SELECT 1, 'named', created_at, '', NULL, NULL, CAST(NULL AS integer), NULL, NULL, NULL, NULL, NULL,
        CAST(NULL AS uuid)
    FROM batches WHERE batch_id = :batch_id
    UNION ALL
    SELECT 2, 'opened', opened_at, lpad(epoch::text, 10, '0'), NULL, NULL, epoch, NULL, NULL, NULL, NULL, NULL, NULL
    FROM batch_epochs WHERE batch_id = :batch_id AND opened_at IS NOT NULL
    UNION ALL
    SELECT 3, 'commanded', at, command_id, NULL, NULL, epoch, NULL, command, refusal, actor, reason, NULL
    FROM batch_commands WHERE batch_id = :batch_id
    UNION ALL
    SELECT 4, 'assigned', settled_at, essay_id, 'content:' || text_storage_id, essay_id, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL
    FROM essays WHERE batch_id = :batch_id AND status = 'assigned' AND settled_at IS NOT NULL
    UNION ALL
    SELECT 5, CASE WHEN essay_id IS NULL THEN 'late' ELSE 'failed' END, recorded_at, identity, identity, essay_id,
        NULL, NULL, NULL, coalesce(late_reason, error_code), NULL, NULL, NULL
    FROM validation_failures WHERE batch_id = :batch_id
    UNION ALL
    SELECT 6, 'excess', recorded_at, text_storage_id, 'content:' || text_storage_id, NULL, NULL, NULL, NULL, reason,
        NULL, NULL, NULL
    FROM excess_contents WHERE batch_id = :batch_id
    UNION ALL
    SELECT 7, 'parked', parked_at, identity, identity, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM parked_arrivals WHERE batch_id = :batch_id
    UNION ALL
    SELECT 8, 'superseded', superseded_at, identity, identity, essay_id, NULL, NULL, NULL, NULL,
        coalesce(by_identity, by_command), NULL, NULL
    FROM superseded_arrivals WHERE batch_id = :batch_id
    UNION ALL
    SELECT 9, 'ended', ended_at, lpad(epoch::text, 10, '0'), NULL, NULL, epoch, status, NULL, ended_by, NULL, NULL,
        event_id
    FROM batch_epochs WHERE batch_id = :batch_id AND ended_at IS NOT NULL
    UNION ALL
    SELECT 10, 'announced', first_sent_at, lpad(epoch::text, 10, '0'), NULL, NULL, epoch, status, NULL, NULL, NULL,
        NULL, event_id
    FROM batch_epochs WHERE batch_id = :batch_id AND first_sent_at IS NOT NULL
    UNION ALL
    SELECT 11, 'registration_rejected', rejected_at, fingerprint, NULL, NULL, NULL, NULL, NULL,
        array_to_string(differs, ', '), NULL, NULL, NULL
    FROM rejected_registrations WHERE batch_id = :batch_id
)
SELECT at, section, key, kind, identity, essay_id, epoch, status, command, reason, by, comment, event_id
FROM entries
WHERE (CAST(:caller_org_id AS text) IS NULL
        OR EXISTS (SELECT FROM batches WHERE batch_id = :batch_id AND org_id = CAST(:caller_org_id AS text)))
    AND (CAST(:after AS timestamptz) IS NULL OR (at, section, key COLLATE "C")
        > (CAST(:after AS timestamptz), CAST(:section AS integer), CAST(:key AS text) COLLATE "C"))
ORDER BY at, section, key COLLATE "C"
LIMIT :limit

-- name: find_arrivals
-- Finds an id in all batches: of a batch, a registration, a content, an upload or a failure's event.
--
-- :searched       text
-- :caller_org_id  text   the only organisation that the caller may see, or NULL
-- :after_batch    text   batch after which the page begins; empty for the first page
-- :after_kind     text
-- :after_identity text
-- :limit          number
--
-- Returns batch_id, kind, identity, outcome, essay_id, reason, at.
WITH found (batch_id, kind, identity, outcome, essay_id, reason, at) AS (
    SELECT batch_id, 'batch', '', status, NULL, NULL, created_at FROM batches WHERE batch_id = :searched
    UNION ALL
    SELECT batch_id, 'registration', '', status, NULL, NULL, created_at FROM batches
    WHERE correlation_id = :searched
    UNION ALL
    SELECT batch_id, 'content', 'content:' || text_storage_id, status, essay_id, NULL, settled_at FROM essays
    WHERE text_storage_id = :searched
    UNION ALL
    SELECT batch_id, 'upload', 'content:' || text_storage_id, status, essay_id, NULL, settled_at FROM essays
    WHERE file_upload_id = :searched
    UNION ALL
    SELECT batch_id, split_part(identity, ':', 1), identity,
        CASE WHEN essay_id IS NULL THEN 'late' ELSE 'failed' END, essay_id, coalesce(late_reason, error_code),
        recorded_at
    FROM validation_failures WHERE identity IN ('upload:' || :searched, 'event:' || :searched)
    UNION ALL
    SELECT batch_id, 'content', 'content:' || text_storage_id, 'excess', NULL, reason, recorded_at
    FROM excess_contents WHERE text_storage_id = :searched
    UNION ALL
    SELECT batch_id, 'upload', 'content:' || text_storage_id, 'excess', NULL, reason, recorded_at
    FROM excess_contents WHERE file_upload_id = :searched
    UNION ALL
    SELECT batch_id, split_part(identity, ':', 1), identity, 'parked', NULL, NULL, parked_at FROM parked_arrivals
    WHERE identity IN ('content:' || :searched, 'upload:' || :searched, 'event:' || :searched)
    UNION ALL
    SELECT batch_id, split_part(identity, ':', 1), identity, 'superseded', essay_id,
        coalesce(by_identity, by_command), superseded_at
    FROM superseded_arrivals
    WHERE identity IN ('content:' || :searched, 'upload:' || :searched, 'event:' || :searched)
)
SELECT f.* FROM found AS f JOIN batches AS b USING (batch_id)
WHERE (CAST(:caller_org_id AS text) IS NULL OR b.org_id = CAST(:caller_org_id AS text))
    AND (f.batch_id COLLATE "C", f.kind COLLATE "C", f.identity COLLATE "C")
        > (CAST(:after_batch AS text), CAST(:after_kind AS text), CAST(:after_identity AS text))
ORDER BY f.batch_id COLLATE "C", f.kind COLLATE "C", f.identity COLLATE "C"
LIMIT :limit
