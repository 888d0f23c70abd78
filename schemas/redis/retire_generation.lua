-- Gives the keys of a generation little time to live, or removes them. A generation that was never flipped to has no
-- readers and is removed at once, as is the entry of one whose keys are gone. TTLs are only shortened.
--
-- KEYS[1]  the generation's set of keys
-- KEYS[2]  the set of generations
-- KEYS[3]  the pointer
-- KEYS[4]  the lease
-- ARGV[1]  the generation's number
-- ARGV[2]  seconds to live, as worker/publish.c decides; 0: remove it
-- ARGV[3]  token of the caller's holding: then nothing happens unless the lease is still the caller's, as its new holder
--          may be writing that generation. Empty: the generation is the caller's own, and was not flipped to as far as
--          the caller knows
-- Returns  1 if nothing was done because the pointer is at the generation, or ever was and the generation is the
--          caller's own; else 0
local score = redis.call('ZSCORE', KEYS[2], ARGV[1])
if redis.call('GET', KEYS[3]) == ARGV[1] then return 1 end
if ARGV[3] == '' and score and score ~= '0' then return 1 end
if ARGV[3] ~= '' and redis.call('GET', KEYS[4]) ~= ARGV[3] then return 0 end
local left = tonumber(ARGV[2])
if score == '0' or redis.call('EXISTS', KEYS[1]) == 0 then left = 0 end
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if left == 0 then redis.call('UNLINK', key)
  elseif redis.call('TTL', key) < 0 or redis.call('TTL', key) > left then redis.call('EXPIRE', key, left) end
end
if left == 0 then redis.call('ZREM', KEYS[2], ARGV[1]) end
return 0
