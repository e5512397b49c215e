-- Records an admin command and its effect on the set of unloaded models. Returns the id of the command.
local unloaded_key, commands_key = KEYS[1], KEYS[2]
local action = ARGV[1] -- LOAD or UNLOAD
local name = ARGV[2] -- of a model
local version = ARGV[3] -- to load, or '' for all; '' to unload
local FIRST_MODEL = 4 -- from here on: the models to unload, each as name@version
local prefix = name .. '@'

if action == UNLOAD then
  redis.call('SADD', unloaded_key, unpack(ARGV, FIRST_MODEL))
else
  for _, model in ipairs(redis.call('SMEMBERS', unloaded_key)) do
    if model == prefix .. version or (version == '' and string.sub(model, 1, #prefix) == prefix) then
      redis.call('SREM', unloaded_key, model)
    end
  end
end
local id = redis.call('XADD', commands_key, 'MAXLEN', '~', MAX_COMMANDS, '*',
  'action', action, 'model', name, 'version', version)
redis.call('EXPIRE', commands_key, COMMANDS_TTL_S)
return id
