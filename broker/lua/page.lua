--- @include "held"
-- Lists jobs, newest first. Returns {{id, hash, score}, ...} and the cursor of the next page or ''.
-- A page looks at up to MAX_SCANNED_JOBS records, all of which match: each filter has an index of its own.
local index_key = KEYS[1]
local models_key = KEYS[2] -- every model that had a job
local cursor = ARGV[1] -- score of the last job of the page before, or ''
local limit = tonumber(ARGV[2]) -- jobs
local status = ARGV[3] -- or '' for any
local name = ARGV[4] -- of a model, or '' for any
local version = ARGV[5] -- of that model, or '' for any
local owner = ARGV[6] -- of the jobs, or ''; the index is the owner's
local prefix = name .. '@'

-- The indexes that together hold the jobs that match.
local function indexes()
  if name == '' then
    return {status == '' and index_key or list_name(status, '', owner)}
  end
  local found = {}
  for _, model in ipairs(version == '' and redis.call('SMEMBERS', models_key) or {prefix .. version}) do
    if string.sub(model, 1, #prefix) == prefix then
      found[#found + 1] = list_name(status, model, owner)
    end
  end
  return found
end

local below = cursor == '' and '+inf' or '(' .. cursor
local listed = {} -- {id, score, index}, of each index one more than is looked at
for _, index in ipairs(indexes()) do
  local entries = redis.call('ZREVRANGEBYSCORE', index, below, '-inf', 'WITHSCORES', 'LIMIT', 0, MAX_SCANNED_JOBS + 1)
  for i = 1, #entries, 2 do
    listed[#listed + 1] = {entries[i], entries[i + 1], index}
  end
end
table.sort(listed, function(a, b) return tonumber(a[2]) > tonumber(b[2]) end)

local found, next_cursor, expired = {}, '', {}
for i, one in ipairs(listed) do
  if #found == limit or i > MAX_SCANNED_JOBS then
    next_cursor = listed[i - 1][2]
    break
  end
  local fields = redis.pcall('HGETALL', keys.job .. one[1])
  if fields.err then -- not a hash: the worker that claims the job makes it one that can be shown
  elseif #fields == 0 then
    expired[#expired + 1] = one
  else
    found[#found + 1] = {one[1], fields, one[2]}
  end
end

for _, one in ipairs(expired) do
  redis.call('ZREM', one[3], one[1])
  redis.call('ZREM', index_key, one[1])
  forget_held(one[1])
end
return {found, next_cursor}
