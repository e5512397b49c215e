--- @include "monitors"
-- Removes a monitor: 1, or 0 where there is none.
local monitors_key = KEYS[1]
local id = ARGV[1]

local generation = redis.call('HGET', monitors_key, id)
if not generation then
  return 0
end
local existed = redis.call('EXISTS', keys.monitor .. generation)
redis.call('HDEL', monitors_key, id)
drop_monitor(generation)
return existed
