-- ARGV: names, job id, token, done, total, target (JSON) or ''. Returns 1, or 0 when the job is no longer the caller's.
local _, id, token, done, total, target = unpack(ARGV)
if not owns(id, token) then
  return 0
end
redis.call('PERSIST', K.job .. id) -- a running job has no TTL: this only begins with a write that cannot grow
local news = {'done', done, 'total', total}
if target ~= '' then
  news[5], news[6] = 'target', target
end
redis.call('HSET', K.job .. id, unpack(news))
tell_followers(id, unpack(news))
publish(id)
return 1
