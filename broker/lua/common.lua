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
-- An inbox is where the gateway hears of the job's end whose client waits for nothing else; a small result may come
-- along, {meta, tensors}. Lengths go before the parts, for tensors may hold any byte.
local function publish(id, inbox, result)
  redis.call('HINCRBY', K.job .. id, 'revision', 1)
  local fields = redis.call('HGETALL', K.job .. id)
  local text = cjson.encode(fields)
  redis.call('PUBLISH', K.events .. id, text)
  if inbox then
    local meta, tensors = result and result[1] or '', result and result[2] or ''
    redis.call('PUBLISH', K.inbox .. inbox, id .. ' ' .. #text .. ' ' .. #meta .. ' ' .. text .. meta .. tensors)
  end
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

-- Jobs that ask for what another one is computing follow it: they are in no stream, and do as it does.
local function followers_of(id)
  return redis.call('SMEMBERS', K.followers .. id)
end

-- What happens to a job happens to its followers: the fields given, or without them a return to the queue.
local function tell_followers(id, ...)
  for _, follower in ipairs(followers_of(id)) do
    if select('#', ...) > 0 then
      redis.call('HSET', K.job .. follower, ...)
    else
      redis.call('HDEL', K.job .. follower, 'started_ms')
      redis.call('HSET', K.job .. follower, 'status', 'queued', 'done', 0)
    end
    publish(follower)
  end
end

-- A cancelled job's followers go on without it: one takes its place in the queue, the others follow that one.
local function succeed_leader(followers, leaders_stream, content)
  if #followers == 0 then
    return
  end
  local chosen = 1
  for i, follower in ipairs(followers) do -- an interactive job must not come to follow one of batch priority
    if redis.call('HGET', K.job .. follower, 'waits_in') == leaders_stream then
      chosen = i
    end
  end
  local heir = table.remove(followers, chosen)
  local job = K.job .. heir
  local stream = redis.call('HGET', job, 'waits_in')
  local entry = redis.call('XADD', stream, '*', 'job', heir)
  redis.call('HDEL', job, 'leader', 'cache', 'started_ms')
  redis.call('HSET', job, 'status', 'queued', 'done', 0, 'stream', stream, 'entry', entry, 'content', content)
  redis.call('SET', K.content .. content, heir, 'EX', 86400)
  for _, follower in ipairs(followers) do
    redis.call('SADD', K.followers .. heir, follower)
    redis.call('HSET', K.job .. follower, 'leader', heir)
  end
  publish(heir)
  tell_followers(heir)
end

-- Make a job terminal: out of its stream, TTL on all its keys, published, with its result where that is given and asked
-- for, its followers with it. Returns its hash.
local function end_job(id, status, ttl_s, failure, result)
  local job = K.job .. id
  local fields = redis.call('HMGET', job, 'stream', 'entry', 'queue', 'started_ms', 'leader', 'content', 'target',
    'inbox', 'takes_result')
  if fields[1] then
    redis.call('XACK', fields[1], GROUP, fields[2])
    redis.call('XDEL', fields[1], fields[2])
  elseif fields[5] then
    redis.call('SREM', K.followers .. fields[5], id)
  end
  local now = now_ms()
  redis.call('HSET', job, 'status', status, 'finished_ms', now, 'ttl_s', ttl_s)
  if failure then
    redis.call('HSET', job, 'error', failure)
  end
  for _, key in ipairs({job, K.payload .. id, K.result .. id, K.tensors .. id}) do
    redis.call('EXPIRE', key, ttl_s)
  end
  redis.call('ZADD', K.expiry, now + ttl_s * 1000, id)
  trim_index(now)
  local followers = followers_of(id)
  redis.call('DEL', K.followers .. id)
  if fields[6] then -- only a success is an answer to later requests
    local key = K.content .. fields[6]
    if status ~= 'succeeded' and redis.call('GET', key) == id then
      redis.call('DEL', key)
    end
  end
  if status == 'cancelled' then
    succeed_leader(followers, fields[1], fields[6])
    return publish(id, fields[8])
  end
  for _, follower in ipairs(followers) do
    if status == 'succeeded' then
      redis.call('HSET', K.job .. follower, 'done', redis.call('HGET', K.job .. follower, 'total'))
      if fields[7] then
        redis.call('HSET', K.job .. follower, 'target', fields[7])
      end
    end
    end_job(follower, status, ttl_s, failure)
  end
  if fields[1] then
    note_pace(fields[3], fields[4], now)
  end
  return publish(id, fields[8], fields[9] and result)
end
