--- @include "job_state"
--- @include "end_job"
-- Ends a running job with its result. Returns 1; or 0 when the caller no longer owns the job; or TENSORS_MISSING when
-- the tensors should have been stored before the call and are not: the job then still runs.
local job_key, result_key, tensors_key = KEYS[1], KEYS[2], KEYS[3]
local handed_key = KEYS[4] -- of large tensors, stored before the call
local id, token = ARGV[1], ARGV[2]
local meta = ARGV[3] -- JSON
local tensors = ARGV[4] -- small ones, or ''
local is_handed = ARGV[5] == '1' -- whether the tensors are in `handed_key`
local ttl_s = ARGV[6]
local target = ARGV[7] -- JSON or ''
local is_reusable = ARGV[8] == '1' -- whether later requests with the same content get this result

if not owns(job_key, token) then
  redis.call('DEL', handed_key)
  return has_ended_as(job_key, token, SUCCEEDED)
end
if not is_handed then
  redis.call('SET', tensors_key, tensors) -- first: refused when out of memory
elseif redis.call('EXISTS', handed_key) == 1 then
  redis.call('RENAME', handed_key, tensors_key)
else
  return TENSORS_MISSING
end
redis.call('SET', result_key, meta)
if target ~= '' then
  redis.call('HSET', job_key, 'target', target)
end
redis.call('HSET', job_key, 'done', redis.call('HGET', job_key, 'total'))
if not is_reusable then
  forget_content(id, redis.call('HGET', job_key, 'content'))
end
local is_sent_along = not is_handed and #tensors <= MAX_MESSAGE_TENSORS_BYTES
end_job(id, SUCCEEDED, ttl_s, nil, is_sent_along and {meta, tensors})
return 1
