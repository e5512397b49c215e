-- ARGV: names, job id, token. Returns 1, or 0 when the job is no longer the caller's.
local id, token = ARGV[2], ARGV[3]
if not owns(id, token) then
  return 0
end
local job = K.job .. id
local place = redis.call('HMGET', job, 'stream', 'entry')
-- Its lease lapses now, a day early: lapsed jobs are taken before waiting ones, so it keeps its place in front.
redis.call('XCLAIM', place[1], GROUP, CONSUMER, 0, place[2], 'IDLE', 86400000, 'JUSTID')
redis.call('HDEL', job, 'token', 'started_ms')
redis.call('HSET', job, 'status', 'queued', 'done', 0)
redis.call('HINCRBY', job, 'attempts', -1)
publish(id)
tell_followers(id)
return 1
