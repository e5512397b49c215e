-- Shared by all scripts. ARGV[1] is the JSON of `keys.Keys.for_scripts`: names and prefixes of keys.
--
-- Out of memory, Redis refuses a script's first write if that could grow its memory, and allows whatever follows a
-- write it has let through. So scripts that must go on (to end jobs, which frees memory) begin with a write that cannot
-- grow, and scripts that must be refused (a new job, a result) begin with the large one.
local K = cjson.decode(ARGV[1])
local GROUP = 'workers'
local CONSUMER = 'any' -- one for all workers: the token says who owns a job, and dead consumers need no removal

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function now_ms()
  return math.floor(now_us() / 1000)
end

local function is_live(status)
  return status == 'queued' or status == 'running'
end

local function owns(id, token)
  local fields = redis.call('HMGET', K.job .. id, 'status', 'token')
  return fields[1] == 'running' and fields[2] == token
end

-- Tell whoever watches the job. The revision lets a watcher drop a message older than what it has read.
local function publish(id)
  redis.call('HINCRBY', K.job .. id, 'revision', 1)
  local fields = redis.call('HGETALL', K.job .. id)
  redis.call('PUBLISH', K.events .. id, cjson.encode(fields))
  return fields
end

-- Take expired jobs out of the index, a few at a time: each script that adds one removes up to 32.
local function trim_index(now)
  local gone = redis.call('ZRANGEBYSCORE', K.expiry, '-inf', now, 'LIMIT', 0, 32)
  if #gone > 0 then
    redis.call('ZREM', K.expiry, unpack(gone))
    redis.call('ZREM', K.index, unpack(gone))
  end
end

-- A moving average of the milliseconds between two ends of jobs of a queue, leaving out the time nothing ran.
local function note_pace(queue, started_ms, now)
  local key = K.pace .. queue
  local pace = redis.call('HMGET', key, 'finished_ms', 'interval_ms')
  local interval = now - math.max(tonumber(pace[1] or 0), tonumber(started_ms or now))
  if pace[2] then
    interval = 0.9 * tonumber(pace[2]) + 0.1 * interval
  end
  redis.call('HSET', key, 'finished_ms', now, 'interval_ms', interval)
  redis.call('EXPIRE', key, 86400)
end

-- Make a job terminal: out of its stream, TTL on all its keys, published. Returns its hash.
local function end_job(id, status, ttl_s, failure)
  local job = K.job .. id
  local fields = redis.call('HMGET', job, 'stream', 'entry', 'queue', 'started_ms')
  redis.call('XACK', fields[1], GROUP, fields[2])
  redis.call('XDEL', fields[1], fields[2])
  local now = now_ms()
  redis.call('HSET', job, 'status', status, 'finished_ms', now)
  if failure then
    redis.call('HSET', job, 'error', failure)
  end
  for _, key in ipairs({job, K.payload .. id, K.result .. id}) do
    redis.call('EXPIRE', key, ttl_s)
  end
  redis.call('ZADD', K.expiry, now + ttl_s * 1000, id)
  trim_index(now)
  if status ~= 'cancelled' then
    note_pace(fields[3], fields[4], now)
  end
  return publish(id)
end
