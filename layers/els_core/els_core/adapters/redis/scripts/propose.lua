-- Proposes a slot for each arrival of one batch. Atomic and idempotent: a redelivered arrival gets the same slot.
-- Decides by no deadline and no status; a batch is known exactly when its metadata key exists. Keys of another type,
-- and metadata that make no sense, are an unknown batch.
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
-- Returns the version of the batch as it is stored ("" if there is none), then one answer per arrival, in order:
-- "assigned <essay id>", "duplicate <essay id>", "failed <essay id>", "full" or "unknown".

local arrivals = cjson.decode(ARGV[1])
local answers = {''}
local proposed = false

local expected = {'set', 'hash', 'hash', 'hash', 'hash'}
local sensible = redis.call('TYPE', KEYS[5]).ok == 'hash'
for k = 1, 4 do
  local kind = redis.call('TYPE', KEYS[k]).ok
  if kind ~= expected[k] and kind ~= 'none' then sensible = false end
end

local deadline
if sensible then
  answers[1] = redis.call('HGET', KEYS[5], 'version') or ''
  deadline = tonumber(redis.call('HGET', KEYS[5], 'deadline') or '')
end

-- No deadline lies beyond these numbers, and EXPIREAT would reject one that does.
if not deadline or not (deadline >= 0 and deadline < 1e11) then
  for i = 1, #arrivals do answers[i + 1] = 'unknown' end
  return answers
end

for i, arrival in ipairs(arrivals) do
  local kind, name, content = arrival[1], arrival[2], arrival[3]
  local owners = kind == 'content' and KEYS[3] or KEYS[4]
  local essay_id = redis.call('HGET', owners, name)
  if essay_id then
    answers[i + 1] = 'duplicate ' .. essay_id
  else
    essay_id = redis.call('SPOP', KEYS[1])
    if not essay_id then
      answers[i + 1] = 'full'
    else
      redis.call('HSET', owners, name, essay_id)
      if kind == 'content' then redis.call('HSET', KEYS[2], essay_id, content) end
      answers[i + 1] = (kind == 'content' and 'assigned ' or 'failed ') .. essay_id
      proposed = true
    end
  end
end

-- For the audit: a proposal that is older than the longest invocation was never committed.
if proposed then redis.call('HSET', KEYS[5], 'proposed_at', ARGV[2]) end
local expires = math.floor(math.max(tonumber(ARGV[2]), deadline) + tonumber(ARGV[3]))
for k = 1, 5 do redis.call('EXPIREAT', KEYS[k], string.format('%d', expires)) end
return answers
