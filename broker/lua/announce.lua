--- @include "clock"
--- @include "trim_index"
-- Registers a worker and its model cards.
local workers_key = KEYS[1] -- registry
local worker_key = KEYS[2]
local cards_key = KEYS[3] -- registry
local worker = ARGV[1] -- id
local info = ARGV[2] -- JSON
local withdrawn = ARGV[3] -- JSON: names of cards that this worker no longer publishes
local FIRST_CARD = 4 -- from here on: the name and the JSON of each card in turn
local now = now_ms()
redis.call('ZREMRANGEBYSCORE', workers_key, '-inf', now)
redis.call('ZREMRANGEBYSCORE', cards_key, '-inf', now)
trim_index(now)

local function register(registry_key, member, key, text, ttl_ms)
  redis.call('SET', key, text, 'PX', ttl_ms)
  redis.call('ZADD', registry_key, now + ttl_ms, member)
  redis.call('PEXPIRE', registry_key, ttl_ms)
end

register(workers_key, worker, worker_key, info, WORKER_TTL_MS)
for _, name in ipairs(cjson.decode(withdrawn)) do -- another worker that publishes it restores it at its next heartbeat
  redis.call('ZREM', cards_key, name)
  redis.call('DEL', keys.card .. name)
end
for i = FIRST_CARD, #ARGV, 2 do
  register(cards_key, ARGV[i], keys.card .. ARGV[i], ARGV[i + 1], CARD_TTL_MS)
end
