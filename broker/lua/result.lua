-- ARGV: names, job id. Returns {status, leader, cache, meta, tensors} as far as they exist; the result may be its leader's.
local id = ARGV[2]
local job = redis.call('HMGET', K.job .. id, 'status', 'leader', 'cache')
if job[1] ~= 'succeeded' then
  return {job[1], job[2], job[3], false, false}
end
local result = redis.call('HMGET', K.result .. (job[2] or id), 'meta', 'tensors')
return {job[1], job[2], job[3], result[1], result[2]}
