--- @include "job_state"
-- Gives back the jobs of a worker whose process is gone: other workers claim them at once, and the attempt counts.
-- Returns how many it gave back. KEYS: the streams to look at.
local prefix = ARGV[1] .. ':' -- of the tokens of that worker
local count = 0
for _, stream in ipairs(KEYS) do
  local pending = redis.pcall('XPENDING', stream, GROUP, '-', '+', MAX_INHERITED)
  if not pending.err then -- the group may not exist
    for _, one in ipairs(pending) do
      local message = redis.call('XRANGE', stream, one[1], one[1])[1]
      local job = message and keys.job .. message[2][2]
      local token = job and redis.call('HGET', job, 'token')
      if token and string.sub(token, 1, #prefix) == prefix then
        redis.call('XCLAIM', stream, GROUP, CONSUMER, 0, one[1], 'IDLE', RELEASED_IDLE_MS, 'JUSTID')
        redis.call('HDEL', job, 'token') -- without a token the attempt counts, whatever the registry of workers says
        count = count + 1
      end
    end
  end
end
return count
