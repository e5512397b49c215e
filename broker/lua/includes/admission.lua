--- @include "held"
-- What all jobs hold of one measure, of a model or of all ('').
local function load_of(measure, model)
  local values = redis.call('HMGET', keys.load, measure .. ' ' .. model, 'batch_' .. measure .. ' ' .. model)
  return tonumber(values[1] or 0), tonumber(values[2] or 0)
end

-- By how much a job would pass a bound of the queue; 0 where it fits. Batch jobs fill a part of each bound, so that
-- interactive ones find room. One job of each priority always fits, however large.
local function excess(asked, total, batch, bound, is_batch)
  local own = is_batch and batch or total - batch
  if asked == 0 or own == 0 then
    return 0
  end
  local over_all = total + asked - bound
  return math.max(0, over_all, is_batch and batch + asked - bound * BATCH_SHARE or over_all)
end

-- The first bound of the queue that a job would pass: `rows` or `bytes`, the model ('' for all), and the milliseconds
-- until there is room at the measured pace. nil where it fits. `bounds` has work_ms and bytes, of a model and of all.
local function passed_bound(model, is_batch, asked, bounds)
  for _, scope in ipairs({model, ''}) do
    local bound = bounds[scope == '' and 'all' or 'model']
    local total_ms, batch_ms = load_of('work_ms', scope)
    local over_ms = excess(asked.work_ms, total_ms, batch_ms, bound.work_ms, is_batch)
    if over_ms > 0 then
      return 'rows', scope, over_ms
    end
    local total, batch = load_of('bytes', scope)
    local over = excess(asked.bytes, total, batch, bound.bytes, is_batch)
    if over > 0 then
      return 'bytes', scope, total_ms * math.min(1, over / total)
    end
  end
end

-- Whether the store's budget has no room for so many bytes more. Batch jobs fill a part of it.
local function is_store_full(asked, budget, is_batch)
  local store = tonumber(redis.call('HGET', keys.load, 'store') or 0)
  return store + asked > budget * (is_batch and BATCH_SHARE or 1)
end

-- The milliseconds until the next record or result expires; nil where none does.
local function store_wait_ms(now)
  local first
  for _, key in ipairs({keys.expiry, keys.stored}) do
    local next = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    first = next[2] and math.min(first or tonumber(next[2]), tonumber(next[2])) or first
  end
  return first and first - now
end
