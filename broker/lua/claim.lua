--- @include "job_state"
--- @include "end_job"
--- @include "store_pause"
--- @include "claimers"
-- Starts jobs of several models, up to the capacity given for each: first those whose worker stopped renewing its lease.
-- Jobs that another worker would end sooner are left to it. Returns {{id, spec, attempt, token, created_ms, started_ms,
-- payload or false}, ...}; when that is empty, the last entry id of each stream in the order of KEYS, behind which to
-- wait for new entries; and 1 if jobs wait that were left, else 0. A large payload is left for a plain read: in a
-- script it would be copied once more while all other clients wait.
local unloaded_key = KEYS[1]
local FIRST_STREAM = 2 -- from here on two streams per model, the one to serve first before the other
local worker = ARGV[1] -- id
local lease_ms, max_attempts, ttl_s = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local failure = ARGV[5] -- JSON, of a job that has used up its attempts
local last_attempts = tonumber(ARGV[6]) -- how many jobs on their last attempt may be started
local unreadable = ARGV[7] -- JSON, the failure of a job whose record is damaged
-- Whether this worker has no job at all, and its microseconds for the interactive rows that it holds, and for all rows.
local idle_flag, ahead_us, ahead_all_us = string.match(ARGV[8], '^(%d) (%d+) (%d+)$')
local is_idle = idle_flag == '1'
local FIRST_MODEL = 9 -- from here on, of each model in turn: name@version, capacity, how much of it batch jobs may take,
local MODEL_FIELDS = 5 -- microseconds until it is in memory, and those of a row, 0 if unknown
local started = {}
local left_some = false -- whether jobs wait that were left to other workers
local now = now_ms()
local has_others = redis.call('ZCARD', keys.workers) > 1
note_answer(now, lease_ms)
local lapse_ms = lapsed_after_ms(now, lease_ms)

-- Whether the worker that wrote this token lives: it has sent a heartbeat within half a lease. One that died has sent
-- none for longer when its leases lapse, since it sends heartbeats as often as it renews.
local function is_alive(token)
  local owner = token and string.match(token, '^(.*):%d+$')
  local expires = owner and redis.call('ZSCORE', keys.workers, owner)
  return expires and tonumber(expires) - WORKER_TTL_MS > now - lease_ms / 2
end

-- The attempts of a job that count: those whose worker died, or gave the job up. A worker that lives but does not renew
-- has never heard of its claim: the store paused, or the connection broke, between the script and its reply.
local function counted_attempts(status, attempts, token)
  attempts = tonumber(attempts)
  return status == RUNNING and is_alive(token) and attempts - 1 or attempts
end

local function start_readable(id, stream, entry)
  local job = keys.job .. id
  local fields = redis.call('HMGET', job, 'status', 'entry', 'attempts', 'spec', 'created_ms', 'token')
  local status, current_entry, attempts, spec, created_ms, owner = unpack(fields, 1, 6)
  if redis.call('EXISTS', job) == 1 then
    assert(is_live(status) or status == SUCCEEDED or status == FAILED or status == CANCELLED, 'no known status')
    assert(string.match(current_entry, '^%d+%-%d+$'), 'no id of an entry')
  end
  if not is_live(status) or current_entry ~= entry then -- expired or ended
    remove_entry(stream, entry)
    if not status then
      forget_held(id)
    end
    return false
  end
  local counted = counted_attempts(status, attempts, owner)
  if counted >= max_attempts then
    end_job(id, FAILED, ttl_s, failure)
    return false
  end
  if status == RUNNING then
    count_repeated(id, 'lost')
  end
  local token = worker .. ':' .. redis.call('HINCRBY', job, 'starts', 1)
  local attempt = counted + 1
  redis.call('HSET', job, 'status', RUNNING, 'token', token, 'started_ms', now, 'done', 0, 'attempts', attempt)
  list_as(id, RUNNING)
  list_followers_as(id, RUNNING)
  publish(id)
  update_followers(id, 'status', RUNNING, 'started_ms', now, 'done', 0)
  local size = redis.call('STRLEN', keys.payload .. id)
  local payload = size > 0 and size <= SCRIPT_VALUE_BYTES and redis.call('GET', keys.payload .. id)
  started[#started + 1] = {id, spec, attempt, token, tonumber(created_ms) or now, now, payload}
  return true
end

-- Whether the job was started. One whose record is damaged is failed instead; the other jobs do not notice.
local function start(id, stream, entry)
  return unless_damaged(id, function()
    return start_readable(id, stream, entry)
  end, function()
    redis.call('HSET', keys.job .. id, 'stream', stream, 'entry', entry)
    end_job(id, FAILED, ttl_s, unreadable, nil, true)
    return false
  end)
end

-- Whether a lapsed job may be started now. A job that kills its worker costs the other jobs there an attempt; so that
-- they do not all use up their attempts with it, jobs on their last attempt are started one by one.
local function may_start(id)
  local fields = redis.pcall('HMGET', keys.job .. id, 'status', 'attempts', 'token')
  local is_readable, counted = pcall(function()
    return counted_attempts(unpack(fields, 1, 3))
  end)
  if not is_readable or counted ~= max_attempts - 1 then -- `start` fails a damaged job
    return true
  end
  last_attempts = last_attempts - 1
  return last_attempts >= 0
end

-- Looks at the claim of one model: `is_next` tells whether a job of a stream is for this worker, and `given` counts one.
local function claim_of(model, load_ms, row)
  local claim = {own = {seen = now, free = now + ahead_us / 1000 + load_ms,
    free_all = now + ahead_all_us / 1000 + load_ms, row = row, idle = is_idle}}
  local function others()
    claim.others = claim.others or (has_others and other_claimers(model, worker, now) or {})
    return claim.others
  end
  function claim.is_next(is_batch)
    return is_soonest(claim.own, others(), is_batch, now)
  end
  function claim.given(is_batch, id)
    local total = redis.pcall('HGET', keys.job .. id, 'total')
    add_rows(claim.own, others(), is_batch, now, type(total) == 'string' and tonumber(total) or 1)
  end
  return claim
end

local function start_lapsed(stream, capacity, claim, is_batch)
  local count = 0
  each_lapsed(stream, lapse_ms, capacity + SPARE_LAPSED_ENTRIES, function(entry, id)
    if count >= capacity then
      return
    end
    if not claim.is_next(is_batch) then
      left_some = true
    elseif may_start(id) then
      redis.call('XCLAIM', stream, GROUP, CONSUMER, lapse_ms, entry, 'JUSTID')
      if start(id, stream, entry) then
        claim.given(is_batch, id)
        count = count + 1
      end
    end
  end)
  return count
end

local function start_waiting(stream, capacity, claim, is_batch)
  local count = 0
  local function take(entry, id)
    if start(id, stream, entry) then
      claim.given(is_batch, id)
      count = count + 1
    end
  end
  while count < capacity and has_waiting(stream) do
    if not claim.is_next(is_batch) then
      left_some = true
      break
    end
    each_waiting(stream, 1, take)
  end
  return count
end

-- Tells the other workers when this one would come to a job. One without capacity counts while it computes rows: it has
-- capacity again as soon as some are computed, and may still end the job sooner.
local function note_claimer(model, capacity, for_batch, claim)
  local own = claim.own
  own.idle = is_idle and #started == 0
  if capacity <= 0 and own.free - now <= CLAIM_SLACK_MS then
    own.free = math.huge
  end
  if math.min(capacity, for_batch) <= 0 and own.free_all - now <= CLAIM_SLACK_MS then
    own.free_all = math.huge
  end
  write_claimer(model, worker, own)
end

local claims = {} -- of the models of this call: name, capacity and that for batch jobs that are left, claim

for i = FIRST_MODEL, #ARGV, MODEL_FIELDS do
  local model, capacity, for_batch = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local claim = claim_of(model, tonumber(ARGV[i + 3]) / 1000, tonumber(ARGV[i + 4]) / 1000)
  local first = FIRST_STREAM + 2 * (i - FIRST_MODEL) / MODEL_FIELDS
  if redis.call('SISMEMBER', unloaded_key, model) == 1 then
    capacity = 0
  end
  for _, start_some in ipairs({start_lapsed, start_waiting}) do
    for _, stream in ipairs({KEYS[first], KEYS[first + 1]}) do
      local is_batch = string.match(stream, ':batch$')
      local room = is_batch and math.min(capacity, for_batch) or capacity
      if room > 0 then
        local count = start_some(stream, room, claim, is_batch)
        capacity = capacity - count
        for_batch = is_batch and for_batch - count or for_batch
      end
    end
  end
  claims[#claims + 1] = {model, capacity, for_batch, claim}
end

for _, one in ipairs(has_others and claims or {}) do
  note_claimer(unpack(one))
end
local positions = {}
if #started == 0 then
  for i = FIRST_STREAM, #KEYS do
    local info, last = redis.pcall('XINFO', 'STREAM', KEYS[i]), '0-0' -- an error where no job was ever submitted
    for j = 1, #info, 2 do
      if info[j] == 'last-generated-id' then
        last = info[j + 1]
      end
    end
    positions[#positions + 1] = last
  end
end
return {started, positions, left_some and 1 or 0}
