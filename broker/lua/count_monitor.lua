--- @include "clock"
--- @include "monitors"
-- Counts explanations in the part of a window that is being filled: {1, the number of full parts}; {0, the room} where
-- the part has no room for all of them, and nothing is counted; or {-1, 0} where the monitor is gone.
local monitor_key = KEYS[1]
local generation = ARGV[1]
local count, part_size = tonumber(ARGV[2]), tonumber(ARGV[3]) -- explanations
local skipped = tonumber(ARGV[4])
local counters = tonumber(ARGV[5]) -- so many places and amounts in turn; then words and weights in turn
local FIRST = 6
local AT_ONCE = 1000 -- places in one command: Lua passes no more than some thousand arguments

if redis.call('EXISTS', monitor_key) == 0 then
  return {-1, 0}
end
local full, held = unpack(redis.call('HMGET', monitor_key, 'full_parts', 'part_held'))
full, held = tonumber(full or 0) or 0, tonumber(held or 0) or 0 -- a damaged number is none
local room = part_size - held
if count > room then
  return {0, room}
end
if count == 0 then
  touch_monitor(generation, skipped)
  return {1, full}
end
local part_key = keys.monitor_part .. generation .. ':' .. full
local last = FIRST + 2 * counters - 1
for start = FIRST, last, 2 * AT_ONCE do
  local command = {'BITFIELD', part_key, 'OVERFLOW', 'SAT'}
  for i = start, math.min(last, start + 2 * AT_ONCE - 1), 2 do
    for _, word in ipairs({'INCRBY', 'i64', '#' .. ARGV[i], ARGV[i + 1]}) do
      command[#command + 1] = word
    end
  end
  redis.call(unpack(command))
end
redis.call('EXPIRE', part_key, MONITOR_TTL_S)

-- The space-saving algorithm (Metwally et al., 2005): a word that finds no room takes the place, and the weight, of the
-- lightest. A weight is therefore an upper bound.
local words_key = keys.monitor_words .. generation .. ':' .. full
for i = last + 1, #ARGV, 2 do
  local weight = tonumber(ARGV[i + 1])
  if not redis.call('ZSCORE', words_key, ARGV[i]) and redis.call('ZCARD', words_key) >= MAX_PART_WORDS then
    local lightest = redis.call('ZPOPMIN', words_key)
    weight = weight + tonumber(lightest[2])
  end
  redis.call('ZINCRBY', words_key, weight, ARGV[i])
end
redis.call('EXPIRE', words_key, MONITOR_TTL_S)

touch_monitor(generation, skipped)
local observed = tonumber(redis.call('HGET', monitor_key, 'observed') or 0) or 0
redis.call('HSET', monitor_key, 'observed', observed + count, 'observed_ms', now_ms(), 'part_held', held + count)
if count == room then
  local gone = generation .. ':' .. (full - MONITOR_PARTS)
  redis.call('DEL', keys.monitor_part .. gone, keys.monitor_words .. gone)
  full = full + 1
  redis.call('HSET', monitor_key, 'full_parts', full, 'part_held', 0)
end
return {1, full}
