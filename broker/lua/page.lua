-- ARGV: names, cursor (score of the last job seen) or '', limit, status or '', model or '', its version or ''
-- Returns {{id, hash}, ...} newest first, and the cursor of the next page or ''.
-- A page scans a bounded number of jobs, so one with a rare filter may be short and still have a next.
local MAX_SCANNED = 5000
local CHUNK = 200
local _, cursor, limit, status, model, version = unpack(ARGV)
limit = tonumber(limit)

local function wanted(fields)
  local job = {}
  for i = 1, #fields, 2 do
    job[fields[i]] = fields[i + 1]
  end
  local prefix = model .. '@'
  local is_model = model == '' or job.queue == prefix .. version
    or (version == '' and string.sub(job.queue, 1, #prefix) == prefix)
  return is_model and (status == '' or job.status == status)
end

local found, gone, scanned = {}, {}, 0
local below = cursor == '' and '+inf' or '(' .. cursor
local following = ''
repeat
  local chunk = redis.call('ZREVRANGEBYSCORE', K.index, below, '-inf', 'WITHSCORES', 'LIMIT', 0, CHUNK)
  for i = 1, #chunk, 2 do
    if #found == limit or scanned == MAX_SCANNED then
      following = string.sub(below, 2)
      break
    end
    local id = chunk[i]
    below = '(' .. chunk[i + 1]
    scanned = scanned + 1
    local fields = redis.call('HGETALL', K.job .. id)
    if #fields == 0 then
      gone[#gone + 1] = id
    elseif wanted(fields) then
      found[#found + 1] = {id, fields}
    end
  end
until #chunk == 0 or following ~= ''

for _, id in ipairs(gone) do
  redis.call('ZREM', K.index, id)
end
return {found, following}
