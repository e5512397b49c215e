--- @include "clock"
--- @include "publish"
--- @include "trim_index"
--- @include "pace"
--- @include "streams"
--- @include "followers"
--- @include "repair"
--- @include "key_limits"
--- @include "comparisons"
--- @include "measured"

-- Makes later requests with the same content compute it anew.
local function forget_content(id, content)
  if content and redis.call('GET', keys.content .. content) == id then
    redis.call('DEL', keys.content .. content)
  end
end

-- The digest and the idempotency key by which a job is found are kept as long as the job.
local function keep_names(id, content, idempotency, ttl_s)
  if content and redis.call('GET', keys.content .. content) == id then
    redis.call('EXPIRE', keys.content .. content, ttl_s)
  end
  if idempotency and redis.call('HGET', idempotency, 'job') == id then
    redis.call('EXPIRE', idempotency, ttl_s)
  end
end

-- Makes a job terminal, and its followers with it: removes it from its stream, sets the TTL of its keys, and publishes
-- it, with its result where one is given and requested. With `is_alone`, and when it is cancelled, its followers wait on
-- without it. Returns its hash.
local function end_job(id, status, ttl_s, failure, result, is_alone)
  local job = keys.job .. id
  local fields = redis.call('HMGET', job, 'stream', 'entry', 'queue', 'started_ms', 'leader', 'content', 'target',
    'inbox', 'takes_result')
  local stream, entry, model, started_ms, leader, content, target, inbox, takes_result = unpack(fields, 1, 9)
  local rows, idempotency = unpack(redis.call('HMGET', job, 'done', 'idempotency'), 1, 2)
  if stream then
    remove_entry(stream, entry)
  elseif leader then
    redis.call('SREM', keys.followers .. leader, id)
  end
  local now = now_ms()
  redis.call('HSET', job, 'status', status, 'finished_ms', now, 'ttl_s', ttl_s)
  if failure then
    redis.call('HSET', job, 'error', failure)
  end
  for _, key in ipairs({job, keys.payload .. id, keys.result .. id, keys.tensors .. id}) do
    redis.call('EXPIRE', key, ttl_s)
  end
  discharge_key(id)
  count_end(model, read_held(id), status, failure)
  redis.call('ZADD', keys.expiry, now + ttl_s * 1000, expiring(id, redis.call('HGET', job, 'owner')))
  hold_after_end(id, status, now + ttl_s * 1000)
  keep_names(id, content, idempotency, ttl_s)
  leave_comparison(id, ttl_s)
  trim_index(now)
  local followers = followers_of(id)
  redis.call('DEL', keys.followers .. id)
  if status ~= SUCCEEDED then
    forget_content(id, content)
  end
  if (status == CANCELLED or is_alone) and content then
    promote_follower(followers, stream, content)
    return publish(id, inbox)
  end
  local function end_follower(follower)
    if status == SUCCEEDED then
      redis.call('HSET', keys.job .. follower, 'done', redis.call('HGET', keys.job .. follower, 'total'))
      if target then
        redis.call('HSET', keys.job .. follower, 'target', target)
      end
    end
    end_job(follower, status, ttl_s, failure)
  end
  for _, follower in ipairs(followers) do
    unless_damaged(follower, function() end_follower(follower) end, function() end_follower(follower) end)
  end
  if stream and model then
    update_pace(model, started_ms, now, rows)
  end
  return publish(id, inbox, takes_result and result)
end
