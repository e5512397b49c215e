--- @include "held"
-- The jobs of an owner, by submission.
local function index_of(owner)
  return owner == '' and keys.index or keys.index .. ':' .. owner
end

-- A job among those that expire: its id, and its owner where it has one.
local function expiring(id, owner)
  return owner and owner ~= '' and id .. ' ' .. owner or id
end

-- Removes some expired jobs from the indexes, and what they hold. Each script that adds one calls it, so the indexes do
-- not grow; heartbeats call it too, so that they empty.
local function trim_index(now)
  local expired = redis.call('ZRANGEBYSCORE', keys.expiry, '-inf', now, 'LIMIT', 0, MAX_TRIMMED)
  if #expired > 0 then
    redis.call('ZREM', keys.expiry, unpack(expired))
    for _, member in ipairs(expired) do
      local id, owner = string.match(member, '^(%S+) ?(.*)$')
      redis.call('ZREM', index_of(owner), id)
      forget_held(id)
    end
  end
  forget_stored(now)
end
