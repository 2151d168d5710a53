-- Says that the owner of a partition lives, and returns the stored position and
-- the mark; nothing where a newer owner has taken the partition over.
--
-- KEYS  1 m:def  2 m:pos  3 m:seen  4 m:hot  5 m:epoch
-- ARGV  1 topic/partition  2 now  3 epoch

local function below(a, b) return #a < #b or #a == #b and a < b end

if redis.call('EXISTS', KEYS[1]) == 0 then return {'WIPED'} end
local epoch = redis.call('HGET', KEYS[5], ARGV[1]) or '0'
--<fenced>
if below(ARGV[3], epoch) then return {'FENCED', epoch} end
--</fenced>
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
return {'OK', redis.call('HGET', KEYS[2], ARGV[1]) or '', redis.call('HGET', KEYS[4], ARGV[1]) or ''}
