-- The workers that look for jobs of a model, so that a job goes where its rows are computed soonest. A hash for each
-- model: by worker, "seen free free_all row idle":
--   seen      when it looked last, milliseconds of the server's clock; one that has not for IDLE_TTL_MS does not count
--   free      when it will have computed the interactive rows that it holds, and `free_all` when all of its rows; `never`
--             where it takes no such job
--   row       milliseconds that it needs for a row; 0 before it knows
--   idle      1 if it holds no job, else 0
local CLAIMER = '^(%S+) (%S+) (%S+) (%S+) (%d)$'

local function read_claimer(text)
  local seen, free, free_all, row, idle = string.match(text, CLAIMER)
  return seen and {seen = tonumber(seen), free = tonumber(free) or math.huge,
    free_all = tonumber(free_all) or math.huge, row = tonumber(row), idle = idle == '1'}
end

-- The workers other than `own` that have looked for jobs of a model lately. Older entries are removed.
local function other_claimers(model, own, now)
  local others, hash = {}, redis.call('HGETALL', keys.claimers .. model)
  for i = 1, #hash, 2 do
    local claimer = hash[i] ~= own and read_claimer(hash[i + 1])
    if claimer and claimer.seen >= now - IDLE_TTL_MS then
      others[#others + 1] = claimer
    elseif hash[i] ~= own then
      redis.call('HDEL', keys.claimers .. model, hash[i])
    end
  end
  return others
end

local function time_text(ms)
  return ms < math.huge and string.format('%.0f', ms) or 'never'
end

local function write_claimer(model, worker, claimer)
  redis.call('HSET', keys.claimers .. model, worker, string.format('%d %s %s %.4f %d', claimer.seen,
    time_text(claimer.free), time_text(claimer.free_all), claimer.row, claimer.idle and 1 or 0))
  redis.call('PEXPIRE', keys.claimers .. model, IDLE_TTL_MS)
end

-- What a worker needs for a row, or `unknown` milliseconds before it knows.
local function row_ms(claimer, unknown)
  return claimer.row > 0 and claimer.row or unknown
end

-- When a worker would end a job that it is given now.
local function end_ms(claimer, is_batch, now, unknown)
  return math.max(now, is_batch and claimer.free_all or claimer.free) + NOMINAL_ROWS * row_ms(claimer, unknown)
end

-- Milliseconds of a row at a worker that does not know its own: those of another, as devices are often alike.
local function unknown_row_ms(others)
  for _, other in ipairs(others) do
    if other.row > 0 then
      return other.row
    end
  end
  return 1000 / UNKNOWN_ROWS_PER_S
end

-- Whether no other worker would end a job sooner by more than CLAIM_SLACK_MS.
local function is_soonest(own, others, is_batch, now)
  local unknown = unknown_row_ms(others)
  local latest = end_ms(own, is_batch, now, unknown) - CLAIM_SLACK_MS
  for _, other in ipairs(others) do
    if end_ms(other, is_batch, now, unknown) < latest then
      return false
    end
  end
  return true
end

-- Adds the rows of a job that a worker was given.
local function add_rows(own, others, is_batch, now, rows)
  local more = rows * row_ms(own, unknown_row_ms(others))
  own.free_all = math.max(now, own.free_all) + more
  if not is_batch then
    own.free = math.max(now, own.free) + more
  end
end
