--- @include "clock"
--- @include "trim_index"
-- Registers a worker, its model cards, and what its group holds.
local workers_key = KEYS[1] -- registry
local worker_key = KEYS[2]
local cards_key = KEYS[3] -- registry
local groups_key = KEYS[4] -- registry
local worker = ARGV[1] -- id
local info = ARGV[2] -- JSON
local withdrawn = ARGV[3] -- JSON: names of cards that this worker no longer publishes
local group = ARGV[4] -- of the worker
local held = ARGV[5] -- JSON: name@version of each model that this worker serves, or loads
local left = ARGV[6] -- JSON: those that it served or loaded until now
local served = ARGV[7] -- JSON: names of its cards of models whose jobs it takes
local ended = ARGV[8] -- JSON: names of such cards until now
local FIRST_CARD = 9 -- from here on: the name, the milliseconds to keep it, and the JSON of each card in turn
local CARD_FIELDS = 3
local now = now_ms()
redis.call('ZREMRANGEBYSCORE', workers_key, '-inf', now)
redis.call('ZREMRANGEBYSCORE', cards_key, '-inf', now)
redis.call('ZREMRANGEBYSCORE', groups_key, '-inf', now)
trim_index(now)

local function list(registry_key, member, ttl_ms)
  redis.call('ZADD', registry_key, now + ttl_ms, member)
  redis.call('PEXPIRE', registry_key, ttl_ms)
end

redis.call('SET', worker_key, info, 'PX', WORKER_TTL_MS)
list(workers_key, worker, WORKER_TTL_MS)
for _, name in ipairs(cjson.decode(withdrawn)) do -- another worker that publishes it restores it at its next heartbeat
  redis.call('ZREM', cards_key, name)
  redis.call('DEL', keys.card .. name)
end
for _, name in ipairs(cjson.decode(ended)) do
  redis.call('ZREM', keys.servers .. name, worker)
end
for _, name in ipairs(cjson.decode(served)) do
  redis.call('ZREMRANGEBYSCORE', keys.servers .. name, '-inf', now)
  list(keys.servers .. name, worker, WORKER_TTL_MS)
end
list(groups_key, group, CARD_TTL_MS)
for _, model in ipairs(cjson.decode(left)) do
  -- As if the group had not announced it for long. Another worker of the group restores it at its next heartbeat.
  redis.call('ZADD', groups_key, 'XX', now + CARD_TTL_MS - LEFT_GROUP_MS, group .. ' ' .. model)
end
for _, model in ipairs(cjson.decode(held)) do
  list(groups_key, group .. ' ' .. model, CARD_TTL_MS)
end
for i = FIRST_CARD, #ARGV, CARD_FIELDS do
  local name, ttl_ms, text = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  redis.call('SET', keys.card .. name, text, 'PX', ttl_ms)
  redis.call('ZADD', cards_key, now + ttl_ms, name)
end
redis.call('PEXPIRE', cards_key, CARD_TTL_MS)
