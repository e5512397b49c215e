--- @include "job_state"
--- @include "end_job"
-- Ends a running job without a result. Returns 1, or 0 when the caller no longer owns the job.
local job_key = KEYS[1]
local id, token = ARGV[1], ARGV[2]
local failure = ARGV[3] -- JSON
local ttl_s = ARGV[4]
local is_alone = ARGV[5] == '1' -- whether the jobs that wait for its result go on without it

if not owns(job_key, token) then
  return has_ended_as(job_key, token, FAILED)
end
end_job(id, FAILED, ttl_s, failure, nil, is_alone)
return 1
