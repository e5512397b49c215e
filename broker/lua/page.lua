-- Lists jobs, newest first. Returns {{id, hash}, ...} and the cursor of the next page or ''.
-- A page scans a bounded number of jobs, so one with a rare filter may be short and still have a next page.
local index_key = KEYS[1]
local cursor = ARGV[1] -- score of the last job of the page before, or ''
local limit = tonumber(ARGV[2]) -- jobs
local status = ARGV[3] -- or '' for any
local name = ARGV[4] -- of a model, or '' for any
local version = ARGV[5] -- of that model, or '' for any
local prefix = name .. '@'

local function is_of_model(model) -- nil where the record is damaged
  model = model or ''
  if version == '' then
    return name == '' or string.sub(model, 1, #prefix) == prefix
  end
  return model == prefix .. version
end

local function matches(fields)
  local job = {}
  for i = 1, #fields, 2 do
    job[fields[i]] = fields[i + 1]
  end
  return is_of_model(job.queue) and (status == '' or job.status == status)
end

local found, expired, scanned = {}, {}, 0
local below = cursor == '' and '+inf' or '(' .. cursor
local next_cursor = ''
repeat
  local chunk = redis.call('ZREVRANGEBYSCORE', index_key, below, '-inf', 'WITHSCORES', 'LIMIT', 0, SCAN_CHUNK_JOBS)
  for i = 1, #chunk, 2 do
    if #found == limit or scanned == MAX_SCANNED_JOBS then
      next_cursor = string.sub(below, 2)
      break
    end
    local id = chunk[i]
    below = '(' .. chunk[i + 1]
    scanned = scanned + 1
    local fields = redis.pcall('HGETALL', keys.job .. id)
    if fields.err then -- not a hash: the worker that claims the job makes it one that can be shown
    elseif #fields == 0 then
      expired[#expired + 1] = id
    elseif matches(fields) then
      found[#found + 1] = {id, fields}
    end
  end
until #chunk == 0 or next_cursor ~= ''

for _, id in ipairs(expired) do
  redis.call('ZREM', index_key, id)
end
return {found, next_cursor}
