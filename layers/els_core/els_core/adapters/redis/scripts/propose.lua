-- Proposes a slot for each arrival of one batch. Atomic and idempotent: a redelivered arrival gets the same slot.
-- Knows no deadline and no status; a batch is known exactly when its metadata key exists.
--
-- KEYS[1] SET    available slots: free essay ids
-- KEYS[2] HASH   assignments: essay id -> content (JSON)
-- KEYS[3] HASH   contents: text storage id -> essay id
-- KEYS[4] HASH   failures: failure identity -> essay id
-- KEYS[5] HASH   metadata: expected_count, deadline, version, proposed_at
-- ARGV[1] JSON   arrivals: [[kind, name, content], ...]; kind is "content" or "failure"
-- ARGV[2] number now, seconds since 1970
-- ARGV[3] number retention, seconds
--
-- Returns one answer per arrival, in order: "assigned <essay id>", "duplicate <essay id>",
-- "failed <essay id>", "full" or "unknown".

local arrivals = cjson.decode(ARGV[1])
local answers = {}
local proposed = false
local deadline = redis.call('HGET', KEYS[5], 'deadline')

if not deadline then
  for i = 1, #arrivals do answers[i] = 'unknown' end
  return answers
end

for i, arrival in ipairs(arrivals) do
  local kind, name, content = arrival[1], arrival[2], arrival[3]
  local owners = kind == 'content' and KEYS[3] or KEYS[4]
  local essay_id = redis.call('HGET', owners, name)
  if essay_id then
    answers[i] = 'duplicate ' .. essay_id
  else
    essay_id = redis.call('SPOP', KEYS[1])
    if not essay_id then
      answers[i] = 'full'
    else
      redis.call('HSET', owners, name, essay_id)
      if kind == 'content' then redis.call('HSET', KEYS[2], essay_id, content) end
      answers[i] = (kind == 'content' and 'assigned ' or 'failed ') .. essay_id
      proposed = true
    end
  end
end

-- For the audit: a proposal that is older than the longest invocation was never committed.
if proposed then redis.call('HSET', KEYS[5], 'proposed_at', ARGV[2]) end
local expires = math.floor(math.max(tonumber(ARGV[2]), tonumber(deadline) or 0) + tonumber(ARGV[3]))
for k = 1, 5 do redis.call('EXPIREAT', KEYS[k], expires) end
return answers
