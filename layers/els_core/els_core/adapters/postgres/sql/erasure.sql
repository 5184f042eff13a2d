-- name: read_batches_of_user
-- Finds the batches that a user registered.
--
-- :user_id text
--
-- Returns batch_id.
SELECT batch_id FROM batches WHERE user_id = :user_id ORDER BY batch_id COLLATE "C"

-- name: erase_personal_data
-- Replaces the personal data of locked batches by 'erased' or nothing, and notes it. Ids, statuses, counts, times
-- and digests stay, so that a message that is delivered again finds its answer. Batches that are not terminal, and
-- those of which an event waits in the outbox, are left as they are.
--
-- :ids    JSON [batch id]
-- :actor  text who erases
-- :reason text why
--
-- Returns batch_id; of the erased batches only.
WITH chosen AS MATERIALIZED (
    SELECT batch_id FROM batches AS b
    WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))
        AND status NOT IN ('awaited', 'open')
        AND NOT EXISTS (SELECT FROM outbox AS o WHERE o.batch_id = b.batch_id)
), of_batches AS (
    UPDATE batches AS b SET user_id = 'erased', org_id = NULL, class_id = NULL, essay_instructions = NULL,
        student_prompt_ref = NULL
    FROM chosen AS c WHERE b.batch_id = c.batch_id
), of_essays AS (
    UPDATE essays AS e SET original_file_name = 'erased', raw_file_storage_id = 'erased', content_md5_hash = NULL
    FROM chosen AS c WHERE e.batch_id = c.batch_id AND e.status = 'assigned'
), of_failures AS (
    UPDATE validation_failures AS v SET original_file_name = 'erased', raw_file_storage_id = 'erased',
        error_message = 'erased'
    FROM chosen AS c WHERE v.batch_id = c.batch_id
), of_excess AS (
    UPDATE excess_contents AS x SET original_file_name = 'erased', raw_file_storage_id = 'erased',
        content_md5_hash = NULL
    FROM chosen AS c WHERE x.batch_id = c.batch_id
), of_parked AS (
    DELETE FROM parked_arrivals AS p USING chosen AS c WHERE p.batch_id = c.batch_id
), of_superseded AS (
    UPDATE superseded_arrivals AS s SET arrival = jsonb_build_object('supersedes', s.arrival -> 'supersedes')
    FROM chosen AS c WHERE s.batch_id = c.batch_id AND s.arrival IS NOT NULL
), of_commands AS (
    UPDATE batch_commands AS k SET actor = 'erased', reason = NULL
    FROM chosen AS c WHERE k.batch_id = c.batch_id
), of_epochs AS (
    UPDATE batch_epochs AS e SET detail = regexp_replace(e.detail,
        '"(user_id|org_id|class_id|essay_instructions|student_prompt_ref|original_file_name)": *"([^"\\]|\\.)*"',
        '"\1": "erased"', 'g')
    FROM chosen AS c WHERE e.batch_id = c.batch_id
)
INSERT INTO erasures (batch_id, actor, reason) SELECT batch_id, :actor, :reason FROM chosen
RETURNING batch_id
