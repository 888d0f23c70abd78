-- Takes the lease if it is free, renews it if it is the caller's; says who holds it.
--
-- KEYS[1]  the lease
-- ARGV[1]  token of the caller's current or last holding
-- ARGV[2]  token of its next holding; it may be in the key already, if the reply that said so was lost
-- ARGV[3]  LEASE_TIME in milliseconds
-- Returns  {the holder's token, milliseconds until the lease expires}
local holder = redis.call('GET', KEYS[1]) or ARGV[2]
if holder == ARGV[1] or holder == ARGV[2] then redis.call('SET', KEYS[1], holder, 'PX', ARGV[3]) end
return {holder, redis.call('PTTL', KEYS[1])}
