-- Updates the pace of a model at the end of a job: the moving average of the milliseconds between two ends, and the sums
-- of rows and of busy milliseconds, in which the past fades over PACE_WINDOW_MS. Neither counts the time that it idled.
local function update_pace(model, started_ms, now, rows)
  local key = keys.pace .. model
  local pace = redis.call('HMGET', key, 'finished_ms', 'interval_ms', 'rows', 'busy_ms')
  local interval = now - math.max(tonumber(pace[1] or 0), tonumber(started_ms or now))
  local fade = math.exp(-math.max(0, interval) / PACE_WINDOW_MS)
  redis.call('HSET', key, 'rows', fade * (tonumber(pace[3] or 0) or 0) + (tonumber(rows or 0) or 0),
    'busy_ms', fade * (tonumber(pace[4] or 0) or 0) + math.max(0, interval))
  if pace[2] then
    interval = PACE_MEMORY * tonumber(pace[2]) + (1 - PACE_MEMORY) * interval
  end
  redis.call('HSET', key, 'finished_ms', now, 'interval_ms', interval)
  redis.call('EXPIRE', key, PACE_TTL_S)
end

-- The milliseconds that rows of a model take at its pace, a whole number; at a fixed pace while too little was measured.
local function work_ms_of(model, rows)
  local pace = redis.call('HMGET', keys.pace .. model, 'rows', 'busy_ms')
  local done, busy_ms = tonumber(pace[1] or ''), tonumber(pace[2] or '')
  if not (done and busy_ms) or busy_ms < MIN_PACE_MS or done < 1 then
    done, busy_ms = UNKNOWN_ROWS_PER_S, 1000
  end
  return math.ceil((tonumber(rows) or 0) * busy_ms / done)
end
