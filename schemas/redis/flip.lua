-- Moves the pointer to a generation and announces it, if the caller still holds the lease, nobody else has moved the
-- pointer, and the generation is whole: Redis may have evicted keys, and a flip that was delayed on its way may arrive
-- after the generation was withdrawn. Invariant 3 of docs/architecture.md, "Publication".
--
-- KEYS[1]  the lease
-- KEYS[2]  the pointer
-- KEYS[3]  the generation's set of keys
-- KEYS[4]  the set of generations
-- ARGV[1]  token of the holding in which the refresh began
-- ARGV[2]  the pointer as it was when the publication began; empty: there was none
-- ARGV[3]  the generation's number
-- ARGV[4]  TTL of the pointer in seconds
-- ARGV[5]  the channel of events
-- ARGV[6]  how many keys the generation has
-- Returns  'flipped', or which condition was not met, and then nothing was changed: 'lease', 'pointer', 'incomplete'
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lease' end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then return 'pointer' end
local present = 0
for _, key in ipairs(redis.call('SMEMBERS', KEYS[3])) do present = present + redis.call('EXISTS', key) end
if present ~= tonumber(ARGV[6]) then return 'incomplete' end
redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[4])
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[3])
redis.call('PUBLISH', ARGV[5], 'published ' .. ARGV[3])
return 'flipped'
