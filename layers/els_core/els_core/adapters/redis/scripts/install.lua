-- Replaces everything known of one batch with its state at a version of its row. Keeps a newer version, so that
-- a slow installer cannot bring an older state back. A version that makes no sense is replaced, and so is the one
-- in ARGV[4], which cannot be true. Existing keys are deleted first, whatever their type.
--
-- KEYS[1] SET    available slots
-- KEYS[2] HASH   assignments: essay id -> content (JSON)
-- KEYS[3] HASH   contents: text storage id -> essay id
-- KEYS[4] HASH   failures: failure identity -> essay id
-- KEYS[5] HASH   metadata: expected_count, deadline, version, status
-- KEYS[6] STRING timeout: lives until the deadline, for people and dashboards
-- ARGV[1] JSON   batch: version, status, and for one that is registered expected_count, deadline (seconds since
--                1970), available [essay id], assigned [[essay id, text storage id, content]],
--                failed [[failure identity, essay id]]; a terminal one has no lists
-- ARGV[2] number now, seconds since 1970
-- ARGV[3] number retention, seconds
-- ARGV[4] string the version that is replaced although it is greater, or ""
--
-- Returns "installed" or "newer".

local batch = cjson.decode(ARGV[1])

if redis.call('TYPE', KEYS[5]).ok == 'hash' then
  local known = redis.call('HGET', KEYS[5], 'version') or ''
  local is_version = #known <= 15 and string.match(known, '^[1-9]%d*$')
  if is_version and known ~= ARGV[4] and tonumber(known) > batch.version then return 'newer' end
end

for k = 1, 6 do redis.call('DEL', KEYS[k]) end
if not batch.deadline then return 'installed' end

redis.call('HSET', KEYS[5], 'version', string.format('%d', batch.version), 'status', batch.status,
  'expected_count', string.format('%d', batch.expected_count),
  'deadline', string.format('%.3f', batch.deadline))
for _, essay_id in ipairs(batch.available or {}) do redis.call('SADD', KEYS[1], essay_id) end
for _, slot in ipairs(batch.assigned or {}) do
  redis.call('HSET', KEYS[2], slot[1], slot[3])
  redis.call('HSET', KEYS[3], slot[2], slot[1])
end
for _, failure in ipairs(batch.failed or {}) do redis.call('HSET', KEYS[4], failure[1], failure[2]) end

local now = tonumber(ARGV[2])
local expires = math.floor(math.max(now, batch.deadline) + tonumber(ARGV[3]))
for k = 1, 5 do redis.call('EXPIREAT', KEYS[k], expires) end
if batch.status == 'open' and batch.deadline > now then
  redis.call('SET', KEYS[6], batch.status, 'EXAT', math.ceil(batch.deadline))
end
return 'installed'
