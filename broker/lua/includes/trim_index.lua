--- @include "held"
-- Removes some expired jobs from the indexes, and what they hold. Each script that adds one calls it, so the indexes do
-- not grow; heartbeats call it too, so that they empty.
local function trim_index(now)
  local expired = redis.call('ZRANGEBYSCORE', keys.expiry, '-inf', now, 'LIMIT', 0, MAX_TRIMMED)
  if #expired > 0 then
    redis.call('ZREM', keys.expiry, unpack(expired))
    redis.call('ZREM', keys.index, unpack(expired))
    for _, id in ipairs(expired) do
      forget_held(id)
    end
  end
  forget_stored(now)
end
