-- Tells what is known of one batch, all at one moment. Writes nothing.
--
-- KEYS[1] SET    available slots: essay ids that nobody has
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
