-- Counters of a model for operators, see `schemas.telemetry`: a hash of series, which outlives workers.

-- Adds one to a series: the name of its metric, then the values of its labels.
local function count_measured(model, ...)
  if model then
    redis.call('HINCRBY', keys.measured .. model, table.concat({...}, ' '), 1)
    redis.call('EXPIRE', keys.measured .. model, MEASURED_TTL_S)
  end
end

-- Counts the end of a job. `failure` is its error as JSON, or nil.
local function count_end(model, held, status, failure)
  local code = failure and string.match(failure, '"code":"([a-z_]+)"') or '-'
  local priority = held and held.batch == 1 and 'batch' or 'interactive'
  count_measured(model, 'attribution_jobs_ended_total', priority, status, code)
end

-- Counts that a started job goes to the queue again.
local function count_repeated(id, reason)
  count_measured(redis.call('HGET', keys.job .. id, 'queue'), 'attribution_jobs_repeated_total', reason)
end
