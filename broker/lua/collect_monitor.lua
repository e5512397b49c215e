--- @include "clock"
--- @include "monitors"
-- Adds explanations to a reference that is not complete: {how many it took, whether it has all}; or {-1, 0} where the
-- monitor is gone.
local monitor_key, raw_key = KEYS[1], KEYS[2]
local generation = ARGV[1]
local first = tonumber(ARGV[2]) -- explanations that make the reference
local skipped = tonumber(ARGV[3])
local FIRST_EXPLANATION = 4

if redis.call('EXISTS', monitor_key) == 0 then
  return {-1, 0}
end
if redis.call('HEXISTS', monitor_key, 'reference') == 1 then
  return {0, 1}
end
local held = redis.call('LLEN', raw_key)
local taken = math.min(first - held, #ARGV - FIRST_EXPLANATION + 1)
for i = FIRST_EXPLANATION, FIRST_EXPLANATION + taken - 1 do
  redis.call('RPUSH', raw_key, ARGV[i])
end
if taken > 0 then
  redis.call('HSET', monitor_key, 'observed_ms', now_ms())
  redis.call('EXPIRE', raw_key, MONITOR_TTL_S)
end
touch_monitor(generation, skipped)
return {taken, held + taken >= first and 1 or 0}
