--- @include "clock"
-- Begins a comparison, unless its idempotency key is known: {CREATED or KNOWN, id, 1 if its cells are written}, or
-- {CONFLICT, id, 0}. A repeat of one whose cells are not written, because its gateway was lost, goes on with it.
local comparison_key, idempotency_key = KEYS[1], KEYS[2] -- the second of the owner, or ''
local id, owner, fingerprint = ARGV[1], ARGV[2], ARGV[3] -- the last of the request, or ''

if idempotency_key ~= '' then
  local known, written_with = unpack(redis.call('HMGET', idempotency_key, 'comparison', 'fingerprint'))
  if known and redis.call('EXISTS', keys.comparison .. known) == 1 then
    if written_with ~= fingerprint then
      return {CONFLICT, known, 0}
    end
    return {KNOWN, known, redis.call('HEXISTS', keys.comparison .. known, 'cells')}
  end
end
redis.call('HSET', comparison_key, 'owner', owner, 'created_ms', now_ms(), 'open', 0)
redis.call('EXPIRE', comparison_key, REUSE_TTL_S)
if idempotency_key ~= '' then
  redis.call('HSET', idempotency_key, 'comparison', id, 'fingerprint', fingerprint)
  redis.call('EXPIRE', idempotency_key, REUSE_TTL_S)
end
return {CREATED, id, 0}
