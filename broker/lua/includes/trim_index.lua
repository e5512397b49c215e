-- Removes some expired jobs from the index. Each script that adds one calls it, so the index does not grow.
local function trim_index(now)
  local expired = redis.call('ZRANGEBYSCORE', keys.expiry, '-inf', now, 'LIMIT', 0, MAX_TRIMMED)
  if #expired > 0 then
    redis.call('ZREM', keys.expiry, unpack(expired))
    redis.call('ZREM', keys.index, unpack(expired))
  end
end
