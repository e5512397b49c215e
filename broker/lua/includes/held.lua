-- What a job holds of the queue and of the store, and under which status it is listed: one text for each job, apart from
-- its record, so that a damaged record gives back what it held. From submission until the record expires.
--   status    under which it is listed
--   order     its score in the indexes
--   store     bytes of the store's budget: its record, its input, and until it ends the room for its result
--   bytes     of its input, while it waits or runs
--   work_ms   that its rows will take, while it waits or runs and does not wait for another job's result
--   result    bytes of the result to expect
--   batch     1 for a job of batch priority, else 0
--   owner     or -
--   model     name@version
local HELD = '^(%S+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%S+) (.*)$'

-- nil for a job that holds nothing: it has expired, or an older gateway has queued it.
local function read_held(id)
  local text = redis.call('HGET', keys.held, id)
  local status, order, store, bytes, work_ms, result, batch, owner, model = string.match(text or '', HELD)
  return status and {
    status = status, order = order, store = tonumber(store), bytes = tonumber(bytes), work_ms = tonumber(work_ms),
    result = tonumber(result), batch = tonumber(batch), owner = owner, model = model,
  }
end

local function write_held(id, held)
  redis.call('HSET', keys.held, id, string.format('%s %s %d %d %d %d %d %s %s', held.status, held.order, held.store,
    held.bytes, held.work_ms, held.result, held.batch, held.owner, held.model))
end

-- Adds to a counter of what all jobs hold. One that is zero is removed.
local function count(name, amount)
  if amount ~= 0 and redis.call('HINCRBY', keys.load, name, amount) == 0 then
    redis.call('HDEL', keys.load, name)
  end
end

-- Changes `bytes` and `work_ms` of a job, and the counters: of its model and of all, and of batch jobs alone.
local function set_queued(held, bytes, work_ms)
  local changes = {bytes = bytes - held.bytes, work_ms = work_ms - held.work_ms}
  for name, change in pairs(changes) do
    for _, model in ipairs({held.model, ''}) do
      count(name .. ' ' .. model, change)
      count('batch_' .. name .. ' ' .. model, change * held.batch)
    end
  end
  held.bytes, held.work_ms = bytes, work_ms
end

local function set_store(held, bytes)
  count('store', bytes - held.store)
  held.store = bytes
end

-- The index of an owner's jobs of a status and of a model, either of which may be '' for any.
local function list_name(status, model, owner)
  return keys.listed .. status .. ' ' .. model .. ((owner == '' or owner == '-') and '' or ' ' .. owner)
end

-- The indexes other than that of all jobs of its owner in which a job stands.
local function lists_of(held)
  return {list_name(held.status, '', held.owner), list_name('', held.model, held.owner),
    list_name(held.status, held.model, held.owner)}
end

local function unlist(id, held)
  for _, list in ipairs(lists_of(held)) do
    redis.call('ZREM', list, id)
  end
end

local function set_listed(id, held, status)
  unlist(id, held)
  held.status = status
  for _, list in ipairs(lists_of(held)) do
    redis.call('ZADD', list, held.order, id)
  end
end

-- Lists a job under its new status.
local function list_as(id, status)
  local held = read_held(id)
  if held and held.status ~= status then
    set_listed(id, held, status)
    write_held(id, held)
  end
end

-- A new job: it holds nothing yet.
local function new_held(order, model, batch, owner)
  return {status = QUEUED, order = string.format('%d', order), store = 0, bytes = 0, work_ms = 0, result = 0,
    batch = batch, owner = owner == '' and '-' or owner, model = model}
end

-- The rows that a job is expected to take while it waits or runs, apart from what older versions read of `held`.
local function set_rows(id, held, rows)
  local before = tonumber(redis.call('HGET', keys.held_rows, id) or 0) or 0
  if rows > 0 then
    redis.call('HSET', keys.held_rows, id, rows)
  else
    redis.call('HDEL', keys.held_rows, id)
  end
  count('rows ' .. held.model, rows - before)
end

-- A job that has ended keeps its record and its input in the store. Its result is counted by itself, as other jobs may
-- keep it for longer.
local function hold_after_end(id, status, expires_ms)
  local held = read_held(id)
  if not held then
    return
  end
  set_queued(held, 0, 0)
  set_rows(id, held, 0)
  set_store(held, RECORD_BYTES + redis.call('STRLEN', keys.payload .. id))
  set_listed(id, held, status)
  write_held(id, held)
  local result_bytes = redis.call('STRLEN', keys.result .. id) + redis.call('STRLEN', keys.tensors .. id)
  if result_bytes > 0 and redis.call('ZADD', keys.stored, expires_ms, id .. ' ' .. result_bytes) == 1 then
    count('store', result_bytes)
  end
end

-- The result of a job is kept until then, at least.
local function keep_stored(id, expires_ms)
  local result_bytes = redis.call('STRLEN', keys.result .. id) + redis.call('STRLEN', keys.tensors .. id)
  redis.call('ZADD', keys.stored, 'XX', expires_ms, id .. ' ' .. result_bytes)
end

-- Gives back what expired jobs hold, and what their results hold.
local function forget_held(id)
  local held = read_held(id)
  if held then
    set_queued(held, 0, 0)
    set_rows(id, held, 0)
    set_store(held, 0)
    unlist(id, held)
    redis.call('HDEL', keys.held, id)
  end
end

local function forget_stored(now)
  local expired = redis.call('ZRANGEBYSCORE', keys.stored, '-inf', now, 'LIMIT', 0, MAX_TRIMMED)
  for _, member in ipairs(expired) do
    redis.call('ZREM', keys.stored, member)
    count('store', -tonumber(string.match(member, ' (%d+)$')))
  end
end
