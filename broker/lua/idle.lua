--- @include "clock"
--- @include "claimers"
-- KEYS: none. Counts, for each model, the workers that had no job at all when they last looked for one of the model.
local own = ARGV[1] -- the caller, which does not count
local FIRST_MODEL = 2 -- from here on name@version
local counts = {}
for i = FIRST_MODEL, #ARGV do
  local count = 0
  for _, other in ipairs(other_claimers(ARGV[i], own, now_ms())) do
    count = other.idle and count + 1 or count
  end
  counts[#counts + 1] = count
end
return counts
