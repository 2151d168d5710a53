-- Raises the mark of a partition whose position went back, unless a newer owner
-- has taken the partition over.
--
-- KEYS  1 m:def  2 m:epoch  3 m:hot
-- ARGV  1 digest  2 topic/partition  3 epoch  4 mark

local function below(a, b) return #a < #b or #a == #b and a < b end

local digest = redis.call('HGET', KEYS[1], 'digest')
if not digest then return {'WIPED'} end
if digest ~= ARGV[1] then return {'DIGEST', digest} end
local epoch = redis.call('HGET', KEYS[2], ARGV[2]) or '0'
if below(ARGV[3], epoch) then return {'FENCED', epoch} end
local mark = redis.call('HGET', KEYS[3], ARGV[2])
if not mark or below(mark, ARGV[4]) then redis.call('HSET', KEYS[3], ARGV[2], ARGV[4]) end
return {'OK'}
