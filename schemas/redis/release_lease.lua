-- Gives the lease back, so that another worker need not wait for it to expire.
--
-- KEYS[1]  the lease
-- ARGV[1]  token of the caller's holding
-- Returns  1 if it was given back, 0 if it was no longer the caller's
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0
