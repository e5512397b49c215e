-- Limits of the API key that owns a job, checked and charged in the script that queues the job: a request that is
-- refused for any reason costs nothing, and two at once cannot pass together.

-- The limit that a job of so many rows would exceed, and the seconds to wait; nil when there is none. 0 is no limit.
-- Rows a minute are a generic cell rate (as in ATM, and in GCRA of other limiters): `rate` holds the time at which the
-- whole allowance of a minute is available again. A job beyond a limit by itself is let through when nothing else
-- counts against it, since it could never run otherwise.
local function limit_of_key(owner, model, rows, rows_per_minute, queued_rows, now)
  local full_at = tonumber(redis.call('GET', keys.rate .. owner) or now)
  local spent_ms = math.max(0, full_at - now)
  if rows_per_minute > 0 and spent_ms > 0 and spent_ms + rows * MINUTE_MS / rows_per_minute > MINUTE_MS then
    local needed_ms = math.min(MINUTE_MS, rows * MINUTE_MS / rows_per_minute)
    return ROWS_PER_MINUTE, math.max(MIN_WAIT_S, math.ceil((spent_ms + needed_ms - MINUTE_MS) / 1000))
  end
  local queued = tonumber(redis.call('HGET', keys.queued_rows, owner) or 0)
  if queued_rows > 0 and queued > 0 and queued + rows > queued_rows then
    local interval_ms = redis.call('HGET', keys.pace .. model, 'interval_ms')
    local wait_s = interval_ms and math.ceil(interval_ms / 1000) or UNKNOWN_WAIT_S
    return QUEUED_ROWS, math.max(MIN_WAIT_S, math.min(MAX_WAIT_S, wait_s))
  end
  return nil
end

-- Counts a queued job against its key. `charged` makes the end of the job give back what its start took.
local function charge_key(id, owner, rows, rows_per_minute, now)
  redis.call('HSET', keys.job .. id, 'charged', rows)
  redis.call('HINCRBY', keys.queued_rows, owner, rows)
  if rows_per_minute > 0 then
    local full_at = math.max(now, tonumber(redis.call('GET', keys.rate .. owner) or now))
    full_at = math.ceil(full_at + rows * MINUTE_MS / rows_per_minute)
    redis.call('SET', keys.rate .. owner, full_at, 'PX', full_at - now)
  end
end

-- The rows of a job that ends are queued no more.
local function discharge_key(id)
  local owner, charged = unpack(redis.call('HMGET', keys.job .. id, 'owner', 'charged'))
  if owner and charged then
    redis.call('HDEL', keys.job .. id, 'charged')
    if string.match(charged, '^%d+$') and redis.call('HINCRBY', keys.queued_rows, owner, '-' .. charged) <= 0 then
      redis.call('HDEL', keys.queued_rows, owner)
    end
  end
end
