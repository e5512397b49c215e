--- @include "job_state"
--- @include "end_job"
-- Returns a running job that makes no progress to the front of its queue. The attempt counts; the last one fails it.
-- Returns 1, or 0 when the caller no longer owns the job.
local job_key = KEYS[1]
local id, token = ARGV[1], ARGV[2]
local failure = ARGV[3] -- JSON
local ttl_s, max_attempts = ARGV[4], tonumber(ARGV[5])

if not owns(job_key, token) then
  return 0
end
local fields = redis.call('HMGET', job_key, 'stream', 'entry', 'attempts')
if tonumber(fields[3]) >= max_attempts then
  end_job(id, FAILED, ttl_s, failure)
  return 1
end
redis.call('XCLAIM', fields[1], GROUP, CONSUMER, 0, fields[2], 'IDLE', RELEASED_IDLE_MS, 'JUSTID')
redis.call('HDEL', job_key, 'token', 'started_ms')
redis.call('HSET', job_key, 'status', QUEUED, 'done', 0)
list_as(id, QUEUED)
count_repeated(id, 'stalled')
publish(id)
return_followers_to_queue(id)
return 1
