--- @include "job_state"
--- @include "store_pause"
-- Extends the leases of jobs. Returns the ids of those that the caller no longer owns.
-- KEYS: the hash of each job. ARGV: the lease in milliseconds, then the id and the token of each job in turn.
local lease_ms = tonumber(ARGV[1])
local lost = {}
note_answer(now_ms(), lease_ms)
for i, job_key in ipairs(KEYS) do
  local id, token = ARGV[2 * i], ARGV[2 * i + 1]
  if owns(job_key, token) then
    local place = redis.call('HMGET', job_key, 'stream', 'entry')
    -- Claiming the entry again resets its idle time; JUSTID reads nothing and counts no delivery.
    if redis.pcall('XCLAIM', place[1], GROUP, CONSUMER, 0, place[2], 'JUSTID').err then -- the record is damaged
      lost[#lost + 1] = id
    end
  else
    lost[#lost + 1] = id
  end
end
return lost
