-- Writes one field of a comparison, 1, unless it has expired, 0: a key made here would never expire.
local comparison_key = KEYS[1]
local name, value = ARGV[1], ARGV[2]

if redis.call('EXISTS', comparison_key) == 0 then
  return 0
end
redis.call('HSET', comparison_key, name, value)
return 1
