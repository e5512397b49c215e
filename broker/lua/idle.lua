--- @include "clock"
-- KEYS: the idle workers of each model. Counts those that had no job at all when they last looked for one.
local own = ARGV[1] -- the caller, which does not count
local since = now_ms() - IDLE_TTL_MS
local counts = {}
for i, idle in ipairs(KEYS) do
  local own_score = redis.call('ZSCORE', idle, own)
  local is_counted = own_score and tonumber(own_score) >= since
  counts[i] = redis.call('ZCOUNT', idle, since, '+inf') - (is_counted and 1 or 0)
end
return counts
