-- ARGV: names, job id, spec, queue, own stream, other stream, rows, queue depth, payload,
--       idempotency key or '', fingerprint, its TTL in seconds,
--       digest of the content or '', whether earlier answers to it will do (1 or 0), whether it may follow a job of
--       `other` (1 or 0), the inbox that is told of its end or '', whether with its result (1 or 0)
-- Returns {'created' or 'known' or 'hit' or 'shared', id, hash of the job}, {'conflict', id}, {'unloaded', ''}
-- or {'full', seconds to wait}.
local _, id, spec, queue, own, other, rows, depth, payload, idempotency, fingerprint, ttl_s = unpack(ARGV, 1, 12)
local content, reuse, follows_other, inbox = ARGV[13], ARGV[14] == '1', ARGV[15] == '1', ARGV[16]
depth = tonumber(depth)

if idempotency ~= '' then
  local known = redis.call('HMGET', idempotency, 'job', 'fingerprint')
  if known[1] and redis.call('EXISTS', K.job .. known[1]) == 1 then
    if known[2] ~= fingerprint then
      return {'conflict', known[1]}
    end
    return {'known', known[1], redis.call('HGETALL', K.job .. known[1])}
  end
end

if redis.call('SISMEMBER', K.unloaded, queue) == 1 then
  return {'unloaded', ''}
end

local function full()
  local interval_ms = redis.call('HGET', K.pace .. queue, 'interval_ms')
  -- Time for a tenth of the queue to drain; without experience, a guess.
  local wait_s = interval_ms and math.ceil(interval_ms * depth / 10 / 1000) or 5
  return {'full', math.max(1, math.min(60, wait_s))}
end

-- An earlier job with the same content: how its answer can be had, that job, and its hash.
local function earlier()
  local known = content ~= '' and reuse and redis.call('GET', K.content .. content)
  if not known then
    return nil
  end
  local names = {'status', 'stream', 'started_ms', 'done', 'total', 'target', 'leader', 'ttl_s'}
  local values = redis.call('HMGET', K.job .. known, unpack(names))
  local job = {}
  for i, name in ipairs(names) do
    job[name] = values[i]
  end
  local holder = job.leader or known
  if job.status == 'succeeded' and redis.call('EXISTS', K.result .. holder, K.tensors .. holder) == 2 then
    return 'hit', holder, job
  end
  if is_live(job.status) and (job.stream == own or (job.stream == other and follows_other)) then
    return 'shared', known, job
  end
end

local how, holder, job = earlier()
if how == 'shared' and redis.call('SCARD', K.followers .. holder) >= depth then
  return full()
end
-- Entries are deleted when a job ends, so a stream's length counts the waiting and the running.
if not how and redis.call('XLEN', own) + redis.call('XLEN', other) >= depth then
  return full()
end

redis.call('SET', K.payload .. id, payload) -- first: refused when out of memory
local created_us = now_us()
local now = math.floor(created_us / 1000)
redis.call('HSET', K.job .. id, 'spec', spec, 'status', 'queued', 'done', 0, 'total', rows,
  'created_ms', now, 'attempts', 0, 'starts', 0, 'revision', 0, 'queue', queue)
if how then
  redis.call('HSET', K.job .. id, 'leader', holder, 'cache', how)
  if job.target then
    redis.call('HSET', K.job .. id, 'target', job.target)
  end
else
  redis.call('HSET', K.job .. id, 'stream', own, 'entry', redis.call('XADD', own, '*', 'job', id))
end
if inbox ~= '' then
  redis.call('HSET', K.job .. id, 'inbox', inbox)
  if ARGV[17] == '1' then
    redis.call('HSET', K.job .. id, 'takes_result', 1)
  end
end
if content ~= '' and how ~= 'shared' then
  redis.call('HSET', K.job .. id, 'content', content)
  redis.call('SET', K.content .. content, id, 'EX', ttl_s)
end
if how == 'shared' then
  redis.call('SADD', K.followers .. holder, id)
  redis.call('HSET', K.job .. id, 'waits_in', own, 'status', job.status, 'done', job.done, 'total', job.total)
  if job.started_ms then
    redis.call('HSET', K.job .. id, 'started_ms', job.started_ms)
  end
elseif how == 'hit' then
  redis.call('HSET', K.job .. id, 'started_ms', now, 'done', job.total, 'total', job.total)
  redis.call('EXPIRE', K.result .. holder, job.ttl_s)
  redis.call('EXPIRE', K.tensors .. holder, job.ttl_s)
  end_job(id, 'succeeded', job.ttl_s)
end

-- Unique scores, so that a page can begin exactly after another one.
local newest = redis.call('ZREVRANGE', K.index, 0, 0, 'WITHSCORES')
redis.call('ZADD', K.index, math.max(created_us, tonumber(newest[2] or 0) + 1), id)
redis.call('SADD', K.queues, queue)
if idempotency ~= '' then
  redis.call('HSET', idempotency, 'job', id, 'fingerprint', fingerprint)
  redis.call('EXPIRE', idempotency, ttl_s)
end
trim_index(now)
return {how or 'created', id, redis.call('HGETALL', K.job .. id)}
