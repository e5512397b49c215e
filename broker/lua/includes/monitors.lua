-- Monitors of attribution drift, see `broker.monitor_hash`.

-- Removes everything of one generation of a monitor.
local function drop_monitor(generation)
  local found = redis.pcall('HGET', keys.monitor .. generation, 'full_parts') -- an error where the key is damaged
  local current = type(found) == 'string' and tonumber(found) or 0
  redis.call('DEL', keys.monitor .. generation, keys.monitor_raw .. generation, keys.monitor_lock .. generation)
  for part = math.max(0, current - MONITOR_PARTS), current do
    local name = generation .. ':' .. part
    redis.call('DEL', keys.monitor_part .. name, keys.monitor_words .. name)
  end
end

-- Keeps a monitor for its time from now on, and remembers what a worker could not use.
local function touch_monitor(generation, skipped)
  local monitor = keys.monitor .. generation
  redis.call('EXPIRE', monitor, MONITOR_TTL_S)
  if skipped > 0 then
    local before = tonumber(redis.call('HGET', monitor, 'skipped') or 0) or 0 -- a damaged number is none
    redis.call('HSET', monitor, 'skipped', before + skipped)
  end
end
