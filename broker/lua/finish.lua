-- ARGV: names, job id, token, meta, whether the tensors wait in the key `handed` (1 or 0), else the tensors, TTL in
--       seconds, target (JSON) or '', whether it may answer later requests (1 or 0). Returns 1, or 0 when the job is no
--       longer the caller's, or -1 when no tensors wait; the job then still runs.
local TOLD_BYTES = 16384 -- of tensors that go with the message of their job's end: many may be under way to a slow reader
local _, id, token, meta, is_handed, tensors, ttl_s, target, reusable = unpack(ARGV)
local handed = K.handed .. id .. ':' .. token
if not owns(id, token) then
  redis.call('DEL', handed)
  -- A caller whose answer was lost asks again, and did succeed.
  local fields = redis.call('HMGET', K.job .. id, 'status', 'token')
  return (fields[1] == 'succeeded' and fields[2] == token) and 1 or 0
end
if is_handed == '0' then
  redis.call('SET', K.tensors .. id, tensors) -- first: refused when out of memory
elseif redis.call('EXISTS', handed) == 1 then
  redis.call('RENAME', handed, K.tensors .. id)
else
  return -1
end
redis.call('SET', K.result .. id, meta)
if target ~= '' then
  redis.call('HSET', K.job .. id, 'target', target)
end
redis.call('HSET', K.job .. id, 'done', redis.call('HGET', K.job .. id, 'total'))
local content = redis.call('HGET', K.job .. id, 'content')
if reusable == '0' and content and redis.call('GET', K.content .. content) == id then
  redis.call('DEL', K.content .. content)
end
end_job(id, 'succeeded', ttl_s, nil, #tensors <= TOLD_BYTES and is_handed == '0' and {meta, tensors})
return 1
