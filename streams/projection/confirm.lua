-- Says that the owner of a partition lives, and returns the stored position and
-- the mark.
--
-- KEYS  1 m:def  2 m:pos  3 m:seen  4 m:hot
-- ARGV  1 topic/partition  2 now

if redis.call('EXISTS', KEYS[1]) == 0 then return {'', ''} end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
return {redis.call('HGET', KEYS[2], ARGV[1]) or '', redis.call('HGET', KEYS[4], ARGV[1]) or ''}
