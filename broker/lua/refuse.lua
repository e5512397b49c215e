--- @include "job_state"
--- @include "end_job"
--- @include "store_pause"
-- Fails jobs of an unloaded model: those that wait, and those whose worker stopped renewing its lease.
-- Returns how many it failed; fewer than MAX_FAILED_AT_ONCE when none is left.
local unloaded_key = KEYS[1]
local FIRST_STREAM = 2 -- from here on: the streams of the model
local model = ARGV[1] -- name@version
local failure = ARGV[2] -- JSON
local ttl_s, lease_ms = ARGV[3], tonumber(ARGV[4])
local ended = 0

if redis.call('SISMEMBER', unloaded_key, model) == 0 then
  return 0
end
for i = FIRST_STREAM, #KEYS do
  local stream = KEYS[i]
  local function end_refused(id)
    end_job(id, FAILED, ttl_s, failure)
    ended = ended + 1
  end
  local function refuse(entry, id)
    unless_damaged(id, function()
      local fields = redis.call('HMGET', keys.job .. id, 'status', 'entry')
      if is_live(fields[1]) and fields[2] == entry then
        end_refused(id)
      else
        remove_entry(stream, entry)
      end
    end, function()
      redis.call('HSET', keys.job .. id, 'stream', stream, 'entry', entry)
      end_refused(id)
    end)
  end
  each_lapsed(stream, lapsed_after_ms(now_ms(), lease_ms), MAX_FAILED_AT_ONCE, refuse)
  if ended < MAX_FAILED_AT_ONCE then
    each_waiting(stream, MAX_FAILED_AT_ONCE - ended, refuse)
  end
end
return ended
