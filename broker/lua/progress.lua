--- @include "job_state"
--- @include "followers"
-- Records how far a running job is. Returns 1, or 0 when the caller no longer owns the job.
local job_key = KEYS[1]
local id, token = ARGV[1], ARGV[2]
local done, total = ARGV[3], ARGV[4] -- rows
local target = ARGV[5] -- JSON or ''

if not owns(job_key, token) then
  return 0
end
redis.call('PERSIST', job_key) -- changes nothing, as a running job has no TTL, but is a write that cannot grow
local changes = {'done', done, 'total', total}
if target ~= '' then
  changes[5], changes[6] = 'target', target
end
redis.call('HSET', job_key, unpack(changes))
update_followers(id, unpack(changes))
publish(id)
return 1
