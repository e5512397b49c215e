--- @include "job_state"
--- @include "end_job"
--- @include "admission"
-- Queues a job, unless its idempotency key is known, its model is unloaded, or the queue or the store is full. A job with
-- the content of an earlier one shares that one's result.
-- Returns {CREATED or KNOWN or HIT or SHARED, id, hash of the job}, {CONFLICT, id}, {UNLOADED, ''} or
-- {FULL, seconds to wait, `jobs`, `rows`, `bytes` or `store`, the model whose queue it is or '' for all}, or
-- {ROWS_PER_MINUTE or QUEUED_ROWS, seconds to wait} for a limit of the owner.
local job_key, payload_key = KEYS[1], KEYS[2]
local own_stream, other_stream = KEYS[3], KEYS[4] -- of the model; the first is that of the job's priority
local unloaded_key, models_key, index_key = KEYS[5], KEYS[6], KEYS[7]
local idempotency_key = KEYS[8] -- of the owner, or ''
local comparison_key = KEYS[9] -- of the comparison that the job belongs to, or ''
local id = ARGV[1]
local spec = ARGV[2] -- JSON
local model = ARGV[3] -- name@version
local rows = ARGV[4] -- to expect
local depth = tonumber(ARGV[5]) -- jobs of the model, waiting and running
local payload = ARGV[6]
local fingerprint = ARGV[7] -- of the request, or '' without an idempotency key
local content = ARGV[8] -- digest, or ''
local may_reuse = ARGV[9] == '1' -- whether the result of an earlier job will do
local is_batch = ARGV[10] == '1' -- such a job may follow one of `other_stream`
local inbox = ARGV[11] -- of the gateway that waits for the job's end, or ''
local takes_result = ARGV[12] == '1' -- whether a small result is sent to the inbox too
local result_bytes = tonumber(ARGV[13]) -- of the result to expect
local model_bounds = {work_ms = tonumber(ARGV[14]), bytes = tonumber(ARGV[15])} -- of what waits or runs, see `admission`
local all_bounds = {work_ms = tonumber(ARGV[16]), bytes = tonumber(ARGV[17])}
local store_bytes = tonumber(ARGV[18]) -- budget of the store
local owner = ARGV[19] -- or '' without keys; the index is the owner's
local rows_per_minute, queued_rows = tonumber(ARGV[20]), tonumber(ARGV[21]) -- limits of the owner, 0 for none

if idempotency_key ~= '' then
  local known = redis.call('HMGET', idempotency_key, 'job', 'fingerprint')
  if known[1] and redis.call('EXISTS', keys.job .. known[1]) == 1 then
    if known[2] ~= fingerprint then
      return {CONFLICT, known[1]}
    end
    return {KNOWN, known[1], redis.call('HGETALL', keys.job .. known[1])}
  end
end

if redis.call('SISMEMBER', unloaded_key, model) == 1 then
  return {UNLOADED, ''}
end

local function full(what, scope, wait_ms)
  local wait_s = wait_ms and math.ceil(wait_ms / 1000) or UNKNOWN_WAIT_S
  return {FULL, math.max(MIN_WAIT_S, math.min(MAX_WAIT_S, wait_s)), what, scope}
end

local function full_of_jobs()
  local interval_ms = redis.call('HGET', keys.pace .. model, 'interval_ms')
  return full('jobs', model, interval_ms and interval_ms * depth / DRAIN_SHARE)
end

-- An earlier job with the same content: HIT or SHARED, the id of the job whose result is used, and fields of its hash.
local function find_earlier()
  local known = content ~= '' and may_reuse and redis.call('GET', keys.content .. content)
  if not known then
    return nil
  end
  local names = {'status', 'stream', 'started_ms', 'done', 'total', 'target', 'leader', 'ttl_s'}
  local values = redis.pcall('HMGET', keys.job .. known, unpack(names))
  local fields = {}
  for i, name in ipairs(names) do
    fields[name] = values[i]
  end
  if not (tonumber(fields.done or '') and tonumber(fields.total or '')) then -- expired, or damaged
    return nil
  end
  local holder = fields.leader or known
  if fields.status == SUCCEEDED and redis.call('EXISTS', keys.result .. holder, keys.tensors .. holder) == 2 then
    return HIT, holder, fields
  end
  local is_served_in_time = fields.stream == own_stream or (fields.stream == other_stream and is_batch)
  if is_live(fields.status) and is_served_in_time then
    return SHARED, known, fields
  end
end

local reuse, leader, earlier = find_earlier()
if reuse == SHARED and redis.call('SCARD', keys.followers .. leader) >= depth then
  return full_of_jobs()
end
-- Entries are deleted when a job ends, so the length of a stream is the number of jobs that wait or run.
local own_jobs, other_jobs = redis.call('XLEN', own_stream), redis.call('XLEN', other_stream)
local batch_depth = math.max(1, math.floor(depth * BATCH_SHARE))
if not reuse and (own_jobs + other_jobs >= depth or (is_batch and own_jobs >= batch_depth)) then
  return full_of_jobs()
end

-- What the job will hold of the queue and of the store.
local asked = {work_ms = reuse and 0 or work_ms_of(model, rows), bytes = reuse == HIT and 0 or #payload}
local asked_store = RECORD_BYTES + #payload + (reuse and 0 or result_bytes)
local what, scope, over_ms = passed_bound(model, is_batch, asked, {model = model_bounds, all = all_bounds})
if what then
  return full(what, scope, over_ms)
end
if is_store_full(asked_store, store_bytes, is_batch) then
  local now = now_ms()
  local wait_ms = store_wait_ms(now)
  trim_index(now)
  return full('store', '', wait_ms)
end
if owner ~= '' and reuse ~= HIT then
  local limit, wait_s = limit_of_key(owner, model, tonumber(rows), rows_per_minute, queued_rows, now_ms())
  if limit then
    return {limit, wait_s}
  end
end

redis.call('SET', payload_key, payload) -- first: refused when out of memory
local created_us = now_us()
local now = math.floor(created_us / 1000)
-- Unique scores, so that a page can begin exactly after another one.
local newest = redis.call('ZREVRANGE', index_key, 0, 0, 'WITHSCORES')
local order = math.max(created_us, tonumber(newest[2] or 0) + 1)
redis.call('ZADD', index_key, order, id)
local held = new_held(order, model, is_batch and 1 or 0, owner)
held.result = result_bytes
set_queued(held, asked.bytes, asked.work_ms)
set_rows(id, held, reuse and 0 or tonumber(rows))
set_store(held, asked_store)
set_listed(id, held, QUEUED)
write_held(id, held)
redis.call('HSET', job_key, 'spec', spec, 'status', QUEUED, 'done', 0, 'total', rows,
  'created_ms', now, 'attempts', 0, 'starts', 0, 'revision', 0, 'queue', model)
if owner ~= '' then
  redis.call('HSET', job_key, 'owner', owner)
end
if owner ~= '' and reuse ~= HIT then
  charge_key(id, owner, rows, rows_per_minute, now)
end
if reuse then
  redis.call('HSET', job_key, 'leader', leader, 'cache', reuse)
  if earlier.target then
    redis.call('HSET', job_key, 'target', earlier.target)
  end
else
  redis.call('HSET', job_key, 'stream', own_stream, 'entry', redis.call('XADD', own_stream, '*', 'job', id, 'owner', owner))
end
if comparison_key ~= '' then
  join_comparison(id, comparison_key)
end
if inbox ~= '' then
  redis.call('HSET', job_key, 'inbox', inbox)
  if takes_result then
    redis.call('HSET', job_key, 'takes_result', 1)
  end
end
if idempotency_key ~= '' then
  redis.call('HSET', idempotency_key, 'job', id, 'fingerprint', fingerprint)
  redis.call('EXPIRE', idempotency_key, REUSE_TTL_S) -- until the job ends; then as long as the job is kept
  redis.call('HSET', job_key, 'idempotency', idempotency_key)
end
if content ~= '' and reuse ~= SHARED then
  redis.call('HSET', job_key, 'content', content)
  redis.call('SET', keys.content .. content, id, 'EX', REUSE_TTL_S)
end
if reuse == SHARED then
  redis.call('SADD', keys.followers .. leader, id)
  redis.call('HSET', job_key, 'waits_in', own_stream, 'status', earlier.status, 'done', earlier.done,
    'total', earlier.total)
  list_as(id, earlier.status)
  if earlier.started_ms then
    redis.call('HSET', job_key, 'started_ms', earlier.started_ms)
  end
elseif reuse == HIT then
  redis.call('HSET', job_key, 'started_ms', now, 'done', earlier.total, 'total', earlier.total)
  redis.call('EXPIRE', keys.result .. leader, earlier.ttl_s)
  redis.call('EXPIRE', keys.tensors .. leader, earlier.ttl_s)
  keep_stored(leader, now + earlier.ttl_s * 1000)
  end_job(id, SUCCEEDED, earlier.ttl_s)
end

redis.call('SADD', models_key, model)
trim_index(now)
return {reuse or CREATED, id, redis.call('HGETALL', job_key)}
