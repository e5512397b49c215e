-- ARGV: names, job id, spec, queue, own stream, other stream, rows, queue depth, payload,
--       idempotency key or '', fingerprint, its TTL in seconds
-- Returns {'created', id}, {'known', id}, {'conflict', id} or {'full', seconds to wait}.
local _, id, spec, queue, own, other, rows, depth, payload, idempotency, fingerprint, ttl_s = unpack(ARGV)

if idempotency ~= '' then
  local known = redis.call('HMGET', idempotency, 'job', 'fingerprint')
  if known[1] and redis.call('EXISTS', K.job .. known[1]) == 1 then
    return {known[2] == fingerprint and 'known' or 'conflict', known[1]}
  end
end

-- Entries are deleted when a job ends, so a stream's length counts the waiting and the running.
if redis.call('XLEN', own) + redis.call('XLEN', other) >= tonumber(depth) then
  local interval_ms = redis.call('HGET', K.pace .. queue, 'interval_ms')
  -- Time for a tenth of the queue to drain; without experience, a guess.
  local wait_s = interval_ms and math.ceil(interval_ms * depth / 10 / 1000) or 5
  return {'full', math.max(1, math.min(60, wait_s))}
end

redis.call('SET', K.payload .. id, payload) -- first: refused when out of memory
local entry = redis.call('XADD', own, '*', 'job', id)
local created_us = now_us()
redis.call('HSET', K.job .. id, 'spec', spec, 'status', 'queued', 'done', 0, 'total', rows,
  'created_ms', math.floor(created_us / 1000), 'attempts', 0, 'starts', 0, 'revision', 0,
  'queue', queue, 'stream', own, 'entry', entry)

-- Unique scores, so that a page can begin exactly after another one.
local newest = redis.call('ZREVRANGE', K.index, 0, 0, 'WITHSCORES')
redis.call('ZADD', K.index, math.max(created_us, tonumber(newest[2] or 0) + 1), id)
redis.call('SADD', K.queues, queue)
if idempotency ~= '' then
  redis.call('HSET', idempotency, 'job', id, 'fingerprint', fingerprint)
  redis.call('EXPIRE', idempotency, ttl_s)
end
trim_index(math.floor(created_us / 1000))
return {'created', id}
