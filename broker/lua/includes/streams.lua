-- Removes an entry from its stream.
local function remove_entry(stream, entry)
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

-- Calls `take(entry, id)` for up to `count` entries that no worker has read, and returns how many there were.
local function each_waiting(stream, count, take)
  local reply = redis.call('XREADGROUP', 'GROUP', GROUP, CONSUMER, 'COUNT', count, 'STREAMS', stream, '>')
  local messages = reply and reply[1][2] or {}
  for _, message in ipairs(messages) do
    take(message[1], message[2][2])
  end
  return #messages
end
