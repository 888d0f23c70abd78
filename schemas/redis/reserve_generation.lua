-- Enters a generation's number, which worker/publish.c chose, in the set of generations, unless it is taken. Its score is
-- 0 until the flip to it, which sets the score to the number.
--
-- KEYS[1]  the set of generations
-- ARGV[1]  TTL of that set in seconds
-- ARGV[2]  the number
-- Returns  1 if the number was free and is now the caller's, 0 if it was taken
local is_new = redis.call('ZADD', KEYS[1], 'NX', 0, ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[1])
return is_new
