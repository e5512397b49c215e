-- Writes what a worker has computed of the latest full window, unless a later one has been: 1 or 0.
local monitor_key = KEYS[1]
local full_parts = tonumber(ARGV[1]) -- at the end of the window
local figures, statistics = ARGV[2], ARGV[3] -- JSON: what /metrics shows, and all of it

if redis.call('EXISTS', monitor_key) == 0 then
  return 0
end
if (tonumber(redis.call('HGET', monitor_key, 'statistics_parts') or 0) or 0) >= full_parts then
  return 0
end
redis.call('HSET', monitor_key, 'statistics', statistics, 'figures', figures, 'statistics_parts', full_parts)
return 1
