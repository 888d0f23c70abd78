-- Writes a key of a generation, enters it in the generation's set of keys and, for a new key, the generation in the set
-- of generations: that may be missing if another worker removed the generation while this one was paused. Keeps
-- invariants 1 and 2 of docs/architecture.md, "Publication".
--
-- KEYS[1]  the key
-- KEYS[2]  the generation's set of keys, which is a member of itself
-- KEYS[3]  the set of generations
-- ARGV[1]  TTL of all three in seconds
-- ARGV[2]  the generation's number
-- ARGV[3]  the command that writes, SET or HSET
-- ARGV[4]  and so on: its arguments after the key
-- Returns  1
if redis.call('SADD', KEYS[2], KEYS[2], KEYS[1]) > 0 then
  redis.call('ZADD', KEYS[3], 'NX', 0, ARGV[2])
  redis.call('EXPIRE', KEYS[2], ARGV[1])
  redis.call('EXPIRE', KEYS[3], ARGV[1])
end
redis.call(ARGV[3], KEYS[1], unpack(ARGV, 4))
return redis.call('EXPIRE', KEYS[1], ARGV[1])
