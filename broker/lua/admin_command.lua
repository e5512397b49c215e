-- ARGV: names, action ('load' or 'unload'), model, version or '' for all, then each model@version to unload.
-- Notes what is out of service, and tells the workers. Returns the order's id.
local _, action, model, version = unpack(ARGV, 1, 4)
local MOST_ORDERS = 1000
local prefix = model .. '@'

if action == 'unload' then
  redis.call('SADD', K.unloaded, unpack(ARGV, 5))
else
  for _, queue in ipairs(redis.call('SMEMBERS', K.unloaded)) do
    if queue == prefix .. version or (version == '' and string.sub(queue, 1, #prefix) == prefix) then
      redis.call('SREM', K.unloaded, queue)
    end
  end
end
local id = redis.call('XADD', K.orders, 'MAXLEN', '~', MOST_ORDERS, '*',
  'action', action, 'model', model, 'version', version)
redis.call('EXPIRE', K.orders, 86400) -- a worker that starts later reads the folders anyway
return id
