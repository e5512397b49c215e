--- @include "job_state"
--- @include "end_job"
-- Ends a job that has not ended; a terminal job stays as it is. Returns the job's hash, empty when there is none.
local job_key, cancelled_channel = KEYS[1], KEYS[2]
local id, ttl_s = ARGV[1], ARGV[2]

if redis.call('TYPE', job_key).ok ~= 'hash' then -- gone, or damaged
  return {}
end
local status = redis.call('HGET', job_key, 'status')
if not is_live(status) then
  return redis.call('HGETALL', job_key)
end
local fields = end_job(id, CANCELLED, ttl_s)
if status == RUNNING then
  redis.call('PUBLISH', cancelled_channel, id)
end
return fields
