-- Returns what Redis knows of one batch, read atomically. Read-only.
--
-- KEYS[1] SET    available slots: free essay ids
-- KEYS[2] HASH   contents: text storage id -> essay id
-- KEYS[3] HASH   failures: failure identity -> essay id
-- KEYS[4] HASH   metadata: version, proposed_at
--
-- Returns [version, proposed_at or "", [essay id], [text storage id, essay id, ...],
-- [failure identity, essay id, ...]], "unknown", or "unreadable" where a key has another type.

local expected = {'set', 'hash', 'hash', 'hash'}
for k = 1, 4 do
  local kind = redis.call('TYPE', KEYS[k]).ok
  if kind ~= expected[k] and kind ~= 'none' then return 'unreadable' end
end

local version = redis.call('HGET', KEYS[4], 'version')
if not version then return 'unknown' end

return {
  version,
  redis.call('HGET', KEYS[4], 'proposed_at') or '',
  redis.call('SMEMBERS', KEYS[1]),
  redis.call('HGETALL', KEYS[2]),
  redis.call('HGETALL', KEYS[3]),
}
