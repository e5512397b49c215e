--- @include "turns"

-- Removes an entry from its stream.
local function remove_entry(stream, entry)
  leave_turns(stream, entry)
  redis.call('XACK', stream, GROUP, entry)
  redis.call('XDEL', stream, entry)
end

-- Calls `take(entry, id)` for up to `count` entries whose worker stopped renewing its lease, oldest first.
-- XPENDING with IDLE finds them among any number of renewed ones; XAUTOCLAIM looks at ten entries per job requested,
-- and may end before it meets one.
local function each_lapsed(stream, lease_ms, count, take)
  local lapsed = redis.pcall('XPENDING', stream, GROUP, 'IDLE', lease_ms, '-', '+', count)
  if lapsed.err then -- the group does not exist: the stream is new, or the server has lost its data
    redis.call('PERSIST', stream) -- changes nothing, but is a write that cannot grow, before one that can
    redis.call('XGROUP', 'CREATE', stream, GROUP, '0', 'MKSTREAM')
    return
  end
  for _, pending in ipairs(lapsed) do
    local entry = pending[1]
    local message = redis.call('XRANGE', stream, entry, entry)[1]
    if message then
      take(entry, message[2][2])
    else -- deleted, but never acknowledged
      redis.call('XACK', stream, GROUP, entry)
    end
  end
end

local function has_waiting(stream)
  sort_waiting(stream)
  return redis.call('EXISTS', keys.turns .. stream) == 1
end

-- Calls `take(entry, id)` for up to `count` entries that wait, by turns among their owners, and returns how many there
-- were. From then on an entry has a lease.
local function each_waiting(stream, count, take)
  sort_waiting(stream)
  for taken = 0, count - 1 do
    local message = take_by_turns(stream)
    if not message then
      return taken
    end
    redis.call('XCLAIM', stream, GROUP, CONSUMER, 0, message[1], 'FORCE', 'JUSTID')
    take(message[1], message[2][2])
  end
  return count
end
