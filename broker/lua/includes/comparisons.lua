-- A comparison is kept as long as the last of its jobs. `open` counts those that have not ended.

-- A job that belongs to a comparison, before it can end.
local function join_comparison(id, comparison)
  redis.call('HSET', keys.job .. id, 'comparison', comparison)
  redis.call('HINCRBY', comparison, 'open', 1)
  redis.call('EXPIRE', comparison, REUSE_TTL_S) -- until the last job ends; then as long as that one is kept
end

-- One job of its comparison has ended. A damaged comparison keeps no job from ending.
local function leave_comparison(id, ttl_s)
  local comparison = redis.call('HGET', keys.job .. id, 'comparison')
  if comparison and redis.call('EXISTS', comparison) == 1 then
    local open = redis.pcall('HINCRBY', comparison, 'open', -1)
    if type(open) == 'number' and open <= 0 then
      redis.call('EXPIRE', comparison, ttl_s)
    end
  end
end
