local function is_live(status)
  return status == QUEUED or status == RUNNING
end

-- Whether the job runs under this token, so that its holder may write about it. False for a key that holds no job.
local function owns(job_key, token)
  local fields = redis.pcall('HMGET', job_key, 'status', 'token')
  return fields[1] == RUNNING and fields[2] == token
end

-- 1 if the holder of this token has given the job this status, else 0. A caller that lost the reply repeats its call.
local function has_ended_as(job_key, token, status)
  local fields = redis.pcall('HMGET', job_key, 'status', 'token')
  return (fields[1] == status and fields[2] == token) and 1 or 0
end
