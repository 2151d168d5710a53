-- Takes a partition over: raises its epoch, and returns it with the position
-- and the mark. A partition that had an owner has a position; where it is gone
-- and the rest is not, nobody knows which events are in the rows.
--
-- KEYS  1 m:def  2 m:epoch  3 m:pos  4 m:hot  5 m:seen
-- ARGV  1 digest  2 topic/partition  3 now  4 where a partition begins

local digest = redis.call('HGET', KEYS[1], 'digest')
if not digest then return {'WIPED'} end
if digest ~= ARGV[1] then return {'DIGEST', digest} end
--<lost>
if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 and redis.call('HEXISTS', KEYS[3], ARGV[2]) == 0 then return {'LOST'} end
--</lost>
local epoch = redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
redis.call('HSETNX', KEYS[3], ARGV[2], ARGV[4])
redis.call('HSET', KEYS[5], ARGV[2], ARGV[3])
return {'OK', tostring(epoch), redis.call('HGET', KEYS[3], ARGV[2]), redis.call('HGET', KEYS[4], ARGV[2]) or ''}
