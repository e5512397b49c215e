-- ARGV: names, then job id and token in turn. Returns the ids that are no longer the caller's.
local lost = {}
for i = 2, #ARGV, 2 do
  local id = ARGV[i]
  if owns(id, ARGV[i + 1]) then
    local place = redis.call('HMGET', K.job .. id, 'stream', 'entry')
    -- Claiming it again resets its idle time; JUSTID reads nothing and counts no delivery.
    redis.call('XCLAIM', place[1], GROUP, CONSUMER, 0, place[2], 'JUSTID')
  else
    lost[#lost + 1] = id
  end
end
return lost
