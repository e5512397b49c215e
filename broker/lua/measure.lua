-- Adds to the counters of one model, and keeps the latest exemplars.
local measured_key = KEYS[1]
local counts = tonumber(ARGV[1]) -- so many series and amounts in turn; then series and exemplars in turn
local FIRST = 2
local FIRST_EXEMPLAR = FIRST + 2 * counts
for i = FIRST, FIRST_EXEMPLAR - 1, 2 do
  redis.call('HINCRBYFLOAT', measured_key, ARGV[i], ARGV[i + 1])
end
for i = FIRST_EXEMPLAR, #ARGV, 2 do
  redis.call('HSET', measured_key, ARGV[i], ARGV[i + 1])
end
redis.call('EXPIRE', measured_key, MEASURED_TTL_S)
