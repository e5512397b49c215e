-- ARGV: names, worker id, lease in ms, attempts allowed, TTL in seconds, failure (JSON) of a job that used them up,
--       how many jobs on their last attempt may be started,
--       then for each queue: its name, the stream to serve first, the stream to serve next, room
-- Returns {{id, spec, attempt, token, created_ms, started_ms, payload or false}, ...} and, when that is empty, the last
-- entry id of each stream in the order given, from which to wait. A large payload is left for a plain read: through here
-- it would be copied once more, while everybody else waits.
local worker, lease_ms, max_attempts, ttl_s, failure = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local last_attempts = tonumber(ARGV[7])
local LAST_ATTEMPTS_SEEN = 64 -- lapsed entries looked at beyond the room, since some may have to wait
local SMALL_BYTES = 65536
local started = {}

local function start(id, stream, entry)
  local job = K.job .. id
  local fields = redis.call('HMGET', job, 'status', 'entry', 'attempts', 'spec', 'created_ms')
  if not is_live(fields[1]) or fields[2] ~= entry then -- vanished or ended: nothing to do
    redis.call('XACK', stream, GROUP, entry)
    redis.call('XDEL', stream, entry)
    return false
  end
  if tonumber(fields[3]) >= max_attempts then
    end_job(id, 'failed', ttl_s, failure)
    return false
  end
  local token = worker .. ':' .. redis.call('HINCRBY', job, 'starts', 1)
  local attempt = redis.call('HINCRBY', job, 'attempts', 1)
  local now = now_ms()
  redis.call('HSET', job, 'status', 'running', 'token', token, 'started_ms', now, 'done', 0)
  publish(id)
  tell_followers(id, 'status', 'running', 'started_ms', now, 'done', 0)
  local size = redis.call('STRLEN', K.payload .. id)
  local payload = size > 0 and size <= SMALL_BYTES and redis.call('GET', K.payload .. id)
  started[#started + 1] = {id, fields[4], attempt, token, tonumber(fields[5]), now, payload}
  return true
end

-- True when a lapsed job may be started now. A job that kills its worker takes its neighbours' attempts along; so that
-- they do not all end with it, jobs on their last attempt are started one by one.
local function is_welcome(id)
  if tonumber(redis.call('HGET', K.job .. id, 'attempts') or 0) ~= max_attempts - 1 then
    return true
  end
  last_attempts = last_attempts - 1
  return last_attempts >= 0
end

-- Jobs whose worker stopped renewing, oldest first. XPENDING with IDLE finds them among any number of renewed ones;
-- XAUTOCLAIM looks at ten entries per job asked for and may end before it meets one.
local function take_lapsed(stream, room)
  local lapsed = redis.pcall('XPENDING', stream, GROUP, 'IDLE', lease_ms, '-', '+', room + LAST_ATTEMPTS_SEEN)
  if lapsed.err then -- no group, so nothing pending: a new stream, or the server has forgotten it
    redis.call('PERSIST', stream) -- has no TTL: a write that cannot grow, before one that could
    redis.call('XGROUP', 'CREATE', stream, GROUP, '0', 'MKSTREAM')
    return 0
  end
  local taken = 0
  for _, pending in ipairs(lapsed) do
    local entry = pending[1]
    local message = redis.call('XRANGE', stream, entry, entry)[1]
    if not message then -- deleted, but never acknowledged
      redis.call('XACK', stream, GROUP, entry)
    elseif taken < room and is_welcome(message[2][2]) then
      redis.call('XCLAIM', stream, GROUP, CONSUMER, lease_ms, entry, 'JUSTID')
      if start(message[2][2], stream, entry) then
        taken = taken + 1
      end
    end
  end
  return taken
end

local function take_waiting(stream, room)
  local taken = 0
  while taken < room do
    local reply = redis.call('XREADGROUP', 'GROUP', GROUP, CONSUMER, 'COUNT', room - taken, 'STREAMS', stream, '>')
    if not reply then
      break
    end
    for _, message in ipairs(reply[1][2]) do
      if start(message[2][2], stream, message[1]) then
        taken = taken + 1
      end
    end
  end
  return taken
end

local streams = {}
for i = 8, #ARGV, 4 do
  local pair, room = {ARGV[i + 1], ARGV[i + 2]}, tonumber(ARGV[i + 3])
  if redis.call('SISMEMBER', K.unloaded, ARGV[i]) == 1 then
    room = 0
  end
  for _, take in ipairs({take_lapsed, take_waiting}) do
    for _, stream in ipairs(pair) do
      if room > 0 then
        room = room - take(stream, room)
      end
    end
  end
  streams[#streams + 1] = pair[1]
  streams[#streams + 1] = pair[2]
end

local positions = {}
if #started == 0 then
  for _, stream in ipairs(streams) do
    local info, last = redis.pcall('XINFO', 'STREAM', stream), '0-0' -- an error where nothing was ever submitted
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then
        last = info[i + 1]
      end
    end
    positions[#positions + 1] = last
  end
end
return {started, positions}
