--- @include "clock"
-- What the registry knows of models. Returns the members of the registries of cards and of groups, each followed by the
-- time at which it expires, the models that are unloaded, and the names of cards by which a live worker takes jobs.
local cards_key, groups_key, unloaded_key = KEYS[1], KEYS[2], KEYS[3]
local now = now_ms()
local cards = redis.call('ZRANGEBYSCORE', cards_key, now, '+inf', 'WITHSCORES')
local groups = redis.call('ZRANGEBYSCORE', groups_key, now, '+inf', 'WITHSCORES')
local served = {}
for i = 1, #cards, 2 do
  if redis.call('EXISTS', keys.servers .. cards[i]) == 1 then
    served[#served + 1] = cards[i]
  end
end
return {cards, groups, redis.call('SMEMBERS', unloaded_key), served}
