--- @include "publish"
--- @include "held"
--- @include "pace"

-- A follower is a job with the same content as its leader, which is being computed. It is in no stream, and changes
-- together with its leader.
local function followers_of(id)
  return redis.call('SMEMBERS', keys.followers .. id)
end

local function list_followers_as(id, status)
  for _, follower in ipairs(followers_of(id)) do
    list_as(follower, status)
  end
end

-- Sets these fields, names and values in turn, on all followers of a job.
local function update_followers(id, ...)
  for _, follower in ipairs(followers_of(id)) do
    if redis.call('TYPE', keys.job .. follower).ok == 'hash' then
      redis.call('HSET', keys.job .. follower, ...)
      publish(follower)
    end
  end
end

local function return_followers_to_queue(id)
  list_followers_as(id, QUEUED)
  for _, follower in ipairs(followers_of(id)) do
    redis.call('HDEL', keys.job .. follower, 'started_ms')
    redis.call('HSET', keys.job .. follower, 'status', QUEUED, 'done', 0)
    publish(follower)
  end
end

-- What a follower holds changes when it is to compute the result itself: its rows, and the room for the result.
local function hold_as_leader(id)
  local held = read_held(id)
  if held then
    local total = redis.call('HGET', keys.job .. id, 'total')
    set_queued(held, held.bytes, work_ms_of(held.model, total))
    set_rows(id, held, tonumber(total) or 0)
    set_store(held, held.store + held.result)
    write_held(id, held)
  end
end

-- After the cancellation of a leader, one of its followers takes its place in the queue; the others follow that one.
local function promote_follower(followers, leaders_stream, content)
  if #followers == 0 then
    return
  end
  local chosen = 1
  for i, follower in ipairs(followers) do -- an interactive job must not follow one of batch priority
    if redis.call('HGET', keys.job .. follower, 'waits_in') == leaders_stream then
      chosen = i
    end
  end
  local leader = table.remove(followers, chosen)
  local job = keys.job .. leader
  local stream = redis.call('HGET', job, 'waits_in')
  local entry = redis.call('XADD', stream, '*', 'job', leader, 'owner', redis.call('HGET', job, 'owner') or '')
  redis.call('HDEL', job, 'leader', 'cache', 'started_ms')
  redis.call('HSET', job, 'status', QUEUED, 'done', 0, 'stream', stream, 'entry', entry, 'content', content)
  redis.call('SET', keys.content .. content, leader, 'EX', REUSE_TTL_S)
  for _, follower in ipairs(followers) do
    redis.call('SADD', keys.followers .. leader, follower)
    redis.call('HSET', keys.job .. follower, 'leader', leader)
  end
  hold_as_leader(leader)
  list_as(leader, QUEUED)
  publish(leader)
  return_followers_to_queue(leader)
end
