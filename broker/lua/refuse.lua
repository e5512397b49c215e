-- ARGV: names, model@version, its streams (two), failure (JSON), TTL in seconds, lease in ms, how many jobs at most
-- Fails the jobs that wait for a model that is out of service, and those whose worker stopped renewing.
-- Returns how many it failed; where that is fewer than `most`, none is left.
local _, queue, one, other, failure, ttl_s, lease_ms, most = unpack(ARGV)
most = tonumber(most)
local ended = 0

local function refuse(stream, entry, id)
  local fields = redis.call('HMGET', K.job .. id, 'status', 'entry')
  if is_live(fields[1]) and fields[2] == entry then
    end_job(id, 'failed', ttl_s, failure)
    ended = ended + 1
  else
    redis.call('XACK', stream, GROUP, entry)
    redis.call('XDEL', stream, entry)
  end
end

if redis.call('SISMEMBER', K.unloaded, queue) == 0 then
  return 0
end
for _, stream in ipairs({one, other}) do
  local lapsed = redis.pcall('XPENDING', stream, GROUP, 'IDLE', lease_ms, '-', '+', most)
  if lapsed.err then -- no group: nobody has ever claimed from it
    redis.call('PERSIST', stream)
    redis.call('XGROUP', 'CREATE', stream, GROUP, '0', 'MKSTREAM')
    lapsed = {}
  end
  for _, pending in ipairs(lapsed) do
    local message = redis.call('XRANGE', stream, pending[1], pending[1])[1]
    if message then
      refuse(stream, pending[1], message[2][2])
    else
      redis.call('XACK', stream, GROUP, pending[1])
    end
  end
  local room = most - ended
  local reply = room > 0
    and redis.call('XREADGROUP', 'GROUP', GROUP, CONSUMER, 'COUNT', room, 'STREAMS', stream, '>')
  if reply then
    for _, message in ipairs(reply[1][2]) do
      refuse(stream, message[1], message[2][2])
    end
  end
end
return ended
