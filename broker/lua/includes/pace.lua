-- Updates the moving average of the milliseconds between two ends of jobs of a model, without the time that it idled.
local function update_pace(model, started_ms, now)
  local key = keys.pace .. model
  local pace = redis.call('HMGET', key, 'finished_ms', 'interval_ms')
  local interval = now - math.max(tonumber(pace[1] or 0), tonumber(started_ms or now))
  if pace[2] then
    interval = PACE_MEMORY * tonumber(pace[2]) + (1 - PACE_MEMORY) * interval
  end
  redis.call('HSET', key, 'finished_ms', now, 'interval_ms', interval)
  redis.call('EXPIRE', key, PACE_TTL_S)
end
