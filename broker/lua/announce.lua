-- ARGV: names, worker id, worker (JSON), its TTL in ms, TTL of cards in ms, names of cards that this worker no longer
--       gives (JSON), then card name and card (JSON) in turn.
local _, worker, info, worker_ttl_ms, card_ttl_ms, gone = unpack(ARGV, 1, 6)
local now = now_ms()
redis.call('ZREMRANGEBYSCORE', K.workers, '-inf', now)
redis.call('ZREMRANGEBYSCORE', K.cards, '-inf', now)

local function put(registry, prefix, name, text, ttl_ms)
  redis.call('SET', prefix .. name, text, 'PX', ttl_ms)
  redis.call('ZADD', registry, now + ttl_ms, name)
  redis.call('PEXPIRE', registry, ttl_ms)
end

put(K.workers, K.worker, worker, info, worker_ttl_ms)
for _, name in ipairs(cjson.decode(gone)) do -- another worker that gives it will say so within its heartbeat
  redis.call('ZREM', K.cards, name)
  redis.call('DEL', K.card .. name)
end
for i = 7, #ARGV, 2 do
  put(K.cards, K.card, ARGV[i], ARGV[i + 1], card_ttl_ms)
end
