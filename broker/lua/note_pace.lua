-- Adds what one worker has done to the pace of one worker of its group: the rows of a model that jobs were expected to
-- take, and the busy milliseconds that it spent on them. The past fades over PACE_WINDOW_MS.
local pace_key = KEYS[1]
local group = ARGV[1]
local rows, busy_ms = tonumber(ARGV[2]), tonumber(ARGV[3])
local rows_field, busy_field = 'rows ' .. group, 'busy_ms ' .. group
local past = redis.call('HMGET', pace_key, rows_field, busy_field)
local fade = math.exp(-busy_ms / PACE_WINDOW_MS)
redis.call('HSET', pace_key, rows_field, fade * (tonumber(past[1] or '') or 0) + rows,
  busy_field, fade * (tonumber(past[2] or '') or 0) + busy_ms)
redis.call('EXPIRE', pace_key, PACE_TTL_S)
