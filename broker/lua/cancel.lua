-- ARGV: names, job id, TTL in seconds
-- Returns the job's hash, empty when there is no such job. A terminal job stays as it is.
local id, ttl_s = ARGV[2], ARGV[3]
local status = redis.call('HGET', K.job .. id, 'status')
if not is_live(status) then
  return redis.call('HGETALL', K.job .. id)
end
local fields = end_job(id, 'cancelled', ttl_s)
if status == 'running' then
  redis.call('PUBLISH', K.cancelled, id)
end
return fields
