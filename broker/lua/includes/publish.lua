-- Publishes a job to those who watch it, and returns its hash. The revision lets a watcher drop a message that is older
-- than what it has read.
-- `inbox` names the gateway whose client waits for the job's end; a small `result`, {meta, tensors}, may be sent along.
-- The lengths of the parts precede them, since tensors may hold any byte.
local function publish(id, inbox, result)
  if type(redis.pcall('HINCRBY', keys.job .. id, 'revision', 1)) == 'table' then -- damaged: no number
    redis.call('HSET', keys.job .. id, 'revision', 1)
  end
  local fields = redis.call('HGETALL', keys.job .. id)
  local text = cjson.encode(fields)
  redis.call('PUBLISH', keys.events .. id, text)
  if inbox then
    local meta, tensors = result and result[1] or '', result and result[2] or ''
    redis.call('PUBLISH', keys.inbox .. inbox, id .. ' ' .. #text .. ' ' .. #meta .. ' ' .. text .. meta .. tensors)
  end
  return fields
end
