--- @include "clock"
--- @include "monitors"
-- Creates a monitor, or replaces one whose definition differs. Returns {CREATED or KNOWN, generation} or {FULL, bound}.
local monitors_key = KEYS[1]
local id, owner = ARGV[1], ARGV[2] -- the first is the second, a slash and the name
local generation = ARGV[3] -- of a new one
local definition = ARGV[4] -- JSON

local known = redis.call('HGET', monitors_key, id)
if known and redis.pcall('HGET', keys.monitor .. known, 'definition') == definition then -- an error if it is damaged
  return {KNOWN, known}
end
local all, own = 0, 0
local entries = redis.call('HGETALL', monitors_key)
for i = 1, #entries, 2 do
  if redis.call('EXISTS', keys.monitor .. entries[i + 1]) == 0 then
    redis.call('HDEL', monitors_key, entries[i]) -- it has expired
  elseif entries[i] ~= id then
    all = all + 1
    if string.sub(entries[i], 1, #owner + 1) == owner .. '/' then
      own = own + 1
    end
  end
end
if owner ~= '' and own >= MAX_KEY_MONITORS then
  return {FULL, MAX_KEY_MONITORS}
end
if all >= MAX_MONITORS then
  return {FULL, MAX_MONITORS}
end
local monitor = keys.monitor .. generation
redis.call('HSET', monitor, 'definition', definition, 'id', id, 'created_ms', now_ms())
redis.call('EXPIRE', monitor, MONITOR_TTL_S)
redis.call('HSET', monitors_key, id, generation)
if known then
  drop_monitor(known)
end
return {CREATED, generation}
