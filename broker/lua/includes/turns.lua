-- The waiting jobs of a stream, by turns among their owners: start-time fair queueing (Goyal, Vin, Cheng 1996) over the
-- rows of jobs. The owner whose next job has the smallest start tag is next; the tag of the job after it lies as many
-- rows further. An owner that had no job starts at the smallest tag of the others, so that idle time earns no credit.
-- Without keys all jobs have the owner '', and this is the order of the stream.
--
-- For each stream: `waiting`, the waiting entries of one owner by age; `turns`, the owners of such by start tag; `tags`,
-- by owner the tag after its latest job, and as `@clock` the latest start tag.

-- Whose job an entry is. `message` is {entry, {'job', id, 'owner', owner}}; versions without owners leave out the last.
local function owner_of(message)
  return message[2][4] or ''
end

-- An entry is "milliseconds-number": as a score, in that order.
local function age_of(entry)
  local ms, number = string.match(entry, '^(%d+)-(%d+)$')
  return ms * MAX_ENTRIES_A_MS + math.min(tonumber(number), MAX_ENTRIES_A_MS - 1)
end

-- Gives the entries that no worker has read to their owners.
local function sort_waiting(stream)
  local reply = redis.call('XREADGROUP', 'GROUP', GROUP, CONSUMER, 'COUNT', SORTED_AT_ONCE, 'NOACK', 'STREAMS',
    stream, '>')
  for _, message in ipairs(reply and reply[1][2] or {}) do
    local owner = owner_of(message)
    redis.call('ZADD', keys.waiting .. stream .. ':' .. owner, age_of(message[1]), message[1])
    if not redis.call('ZSCORE', keys.turns .. stream, owner) then
      local tags = redis.call('HMGET', keys.tags .. stream, owner, '@clock')
      local first = redis.call('ZRANGE', keys.turns .. stream, 0, 0, 'WITHSCORES')[2] or tags[2] or 0
      redis.call('ZADD', keys.turns .. stream, math.max(tonumber(tags[1] or 0), tonumber(first)), owner)
    end
  end
end

-- Takes out the entry whose turn it is, and moves its owner back by the rows of its job. Nil when none waits.
local function take_by_turns(stream)
  local owner, start = unpack(redis.call('ZRANGE', keys.turns .. stream, 0, 0, 'WITHSCORES'))
  if not owner then
    return nil
  end
  local waiting = keys.waiting .. stream .. ':' .. owner
  local entry = redis.call('ZPOPMIN', waiting)[1]
  local message = entry and redis.call('XRANGE', stream, entry, entry)[1]
  local total = message and redis.pcall('HGET', keys.job .. message[2][2], 'total')
  local rows = type(total) == 'string' and tonumber(total) or 1
  local finish = tonumber(start) + math.max(1, math.min(rows, MAX_TURN_ROWS))
  redis.call('HSET', keys.tags .. stream, owner, finish, '@clock', start)
  redis.call('EXPIRE', keys.tags .. stream, TURNS_TTL_S)
  if redis.call('EXISTS', waiting) == 1 then
    redis.call('ZADD', keys.turns .. stream, finish, owner)
  else
    redis.call('ZREM', keys.turns .. stream, owner)
  end
  return message or take_by_turns(stream)
end

-- Removes an entry that no longer waits.
local function leave_turns(stream, entry)
  local message = redis.call('XRANGE', stream, entry, entry)[1]
  local owner = message and owner_of(message)
  if owner and redis.call('ZREM', keys.waiting .. stream .. ':' .. owner, entry) == 1
    and redis.call('EXISTS', keys.waiting .. stream .. ':' .. owner) == 0 then
    redis.call('ZREM', keys.turns .. stream, owner)
  end
end
