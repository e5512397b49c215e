--- @include "clock"
-- While the store does not answer, no worker can renew a lease. So leases that lapsed in a pause of the store are
-- extended: every worker has one whole lease to renew them after it. A pause is seen as a gap between the calls of
-- workers, which come at least every quarter of a lease.

-- Notes that the store answers now.
local function note_answer(now, lease_ms)
  redis.call('PERSIST', keys.answers) -- a write that cannot grow, before those that can
  local seen = tonumber(redis.call('HGET', keys.answers, 'seen_ms') or now)
  if now - seen > math.max(lease_ms / 2, MIN_PAUSE_MS) then
    redis.call('HSET', keys.answers, 'resumed_ms', now)
  end
  redis.call('HSET', keys.answers, 'seen_ms', now)
  redis.call('EXPIRE', keys.answers, ANSWERS_TTL_S)
end

-- For how many milliseconds the lease of a job has not been renewed when another worker may take the job over.
-- Jobs that were given back are idle for longer than any lease.
local function lapsed_after_ms(now, lease_ms)
  local resumed = tonumber(redis.call('HGET', keys.answers, 'resumed_ms') or 0)
  return now - resumed < lease_ms and RELEASED_IDLE_MS or lease_ms
end
