-- Writes the marks of partitions that have become hot, all or, where a position
-- has not reached its mark, none. A mark is only ever raised. Returns how many
-- partitions have one.
--
-- KEYS  1 m:def  2 m:hot  3 m:pos
-- ARGV  1 digest, then topic/partition, mark, ...

-- below compares two numbers that have no leading zeros.
local function below(a, b) return #a < #b or #a == #b and a < b end

local digest = redis.call('HGET', KEYS[1], 'digest')
if not digest then return {'WIPED'} end
if digest ~= ARGV[1] then return {'DIGEST', digest} end
for i = 2, #ARGV, 2 do
  local position = redis.call('HGET', KEYS[3], ARGV[i])
  --<reached>
  if not position or below(position, ARGV[i + 1]) then return {'OK', tostring(redis.call('HLEN', KEYS[2]))} end
  --</reached>
end
for i = 2, #ARGV, 2 do
  local mark = redis.call('HGET', KEYS[2], ARGV[i])
  if not mark or below(mark, ARGV[i + 1]) then redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
return {'OK', tostring(redis.call('HLEN', KEYS[2]))}
