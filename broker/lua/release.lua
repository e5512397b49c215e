--- @include "job_state"
--- @include "followers"
--- @include "measured"
-- Returns a running job to the front of its queue, without counting the attempt.
-- Returns 1, or 0 when the caller no longer owns the job.
local job_key = KEYS[1]
local id, token = ARGV[1], ARGV[2]

if not owns(job_key, token) then
  return 0
end
local place = redis.call('HMGET', job_key, 'stream', 'entry')
-- The lease lapses at once. Lapsed jobs are claimed before waiting ones, so the job keeps its place at the front.
redis.call('XCLAIM', place[1], GROUP, CONSUMER, 0, place[2], 'IDLE', RELEASED_IDLE_MS, 'JUSTID')
redis.call('HDEL', job_key, 'token', 'started_ms')
redis.call('HSET', job_key, 'status', QUEUED, 'done', 0)
redis.call('HINCRBY', job_key, 'attempts', -1)
list_as(id, QUEUED)
count_repeated(id, 'released')
publish(id)
return_followers_to_queue(id)
return 1
