--- @include "monitors"
-- Completes the reference of a monitor, or says why it cannot be made: 1; or 0 where the monitor is gone, or has one.
local monitor_key = KEYS[1]
local generation = ARGV[1]
local reference = ARGV[2] -- JSON, or ''
local count = ARGV[3] -- explanations that it is made of
local skipped = tonumber(ARGV[4])
local problem = ARGV[5] -- or ''

if redis.call('EXISTS', monitor_key) == 0 or redis.call('HEXISTS', monitor_key, 'reference') == 1 then
  return 0
end
if reference == '' then
  redis.call('HSET', monitor_key, 'problem', problem)
else
  redis.call('HSET', monitor_key, 'reference', reference, 'reference_count', count)
end
touch_monitor(generation, skipped)
redis.call('DEL', keys.monitor_raw .. generation)
return 1
