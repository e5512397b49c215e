-- ARGV: names, job id, token, meta, tensors, TTL in seconds, target (JSON) or '', whether it may answer later requests
--       (1 or 0). Returns 1, or 0 when the job is no longer the caller's.
local _, id, token, meta, tensors, ttl_s, target, reusable = unpack(ARGV)
if not owns(id, token) then
  -- A caller whose answer was lost asks again, and did succeed.
  local fields = redis.call('HMGET', K.job .. id, 'status', 'token')
  return (fields[1] == 'succeeded' and fields[2] == token) and 1 or 0
end
redis.call('HSET', K.result .. id, 'meta', meta, 'tensors', tensors) -- first: refused when out of memory
if target ~= '' then
  redis.call('HSET', K.job .. id, 'target', target)
end
redis.call('HSET', K.job .. id, 'done', redis.call('HGET', K.job .. id, 'total'))
local content = redis.call('HGET', K.job .. id, 'content')
if reusable == '0' and content and redis.call('GET', K.content .. content) == id then
  redis.call('DEL', K.content .. content)
end
end_job(id, 'succeeded', ttl_s)
return 1
