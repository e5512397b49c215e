-- Writes one field of a comparison, 1, unless it has expired, 0: a key made here would never expire.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
