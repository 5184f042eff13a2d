-- Returns what Redis knows of one batch, read atomically. Read-only.
--
-- KEYS[1] SET    available slots: free essay ids
-- KEYS[2] HASH   contents: text storage id -> essay id
-- KEYS[3] HASH   failures: failure identity -> essay id
-- KEYS[4] HASH   metadata: version, proposed_at
--
-- Returns [version, proposed_at or "", [essay id], [text storage id, essay id, ...],
-- [failure identity, essay id, ...]], or "unknown".

local version = redis.call('HGET', KEYS[4], 'version')
if not version then return 'unknown' end

return {
  version,
  redis.call('HGET', KEYS[4], 'proposed_at') or '',
  redis.call('SMEMBERS', KEYS[1]),
  redis.call('HGETALL', KEYS[2]),
  redis.call('HGETALL', KEYS[3]),
}
