-- Makes a damaged record of a job one that can be ended: a hash whose counters are numbers.
local function repair(id)
  local job = keys.job .. id
  if redis.call('TYPE', job).ok ~= 'hash' then
    redis.call('DEL', job)
  end
  for _, name in ipairs({'created_ms', 'done', 'total', 'attempts', 'starts', 'revision'}) do
    local value = redis.call('HGET', job, name)
    if not (value and #value <= MAX_COUNTER_DIGITS and string.match(value, '^%d+$')) then
      redis.call('HSET', job, name, 0)
    end
  end
  if not tonumber(redis.call('HGET', job, 'started_ms') or '') then
    redis.call('HDEL', job, 'started_ms')
  end
end

-- Calls `act()`. Where that fails because the record of the job is damaged, repairs the record and calls `instead()`.
-- Lack of memory is no damage: it is raised, as without this function.
local function unless_damaged(id, act, instead)
  local ok, reply = pcall(act)
  if ok then
    return reply
  end
  local text = type(reply) == 'table' and reply.err or tostring(reply)
  if string.find(text, 'OOM', 1, true) then
    error(text)
  end
  repair(id)
  return instead()
end
