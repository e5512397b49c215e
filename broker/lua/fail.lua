-- ARGV: names, job id, token, failure (JSON), TTL in seconds. Returns 1, or 0 when the job is no longer the caller's.
local _, id, token, failure, ttl_s = unpack(ARGV)
if not owns(id, token) then
  local fields = redis.call('HMGET', K.job .. id, 'status', 'token')
  return (fields[1] == 'failed' and fields[2] == token) and 1 or 0
end
end_job(id, 'failed', ttl_s, failure)
return 1
