-- Writes the marks of partitions that have become hot, all or, where a position
-- has not reached its mark, none: one that loads snapshots has reached nothing. A
-- mark is only ever raised. Returns how many partitions are hot then, and every
-- mark that stands there: topic/partition, mark, ...
--
-- KEYS  1 m:def  2 m:hot  3 m:pos
-- ARGV  1 digest, then topic/partition, mark, ...

-- below compares two numbers that have no leading zeros.
local function below(a, b) return #a < #b or #a == #b and a < b end

local digest = redis.call('HGET', KEYS[1], 'digest')
if not digest then return {'WIPED'} end
if digest ~= ARGV[1] then return {'DIGEST', digest} end

local function reached(partition, mark)
  local position = redis.call('HGET', KEYS[3], partition)
  --<loading>
  if position and string.find(position, '^load:') then return false end
  --</loading>
  return position and not below(position, mark)
end

local last = #ARGV
for i = 2, #ARGV, 2 do
  --<reached>
  if not reached(ARGV[i], ARGV[i + 1]) then last = 0 break end
  --</reached>
end
for i = 2, last, 2 do
  local mark = redis.call('HGET', KEYS[2], ARGV[i])
  if not mark or below(mark, ARGV[i + 1]) then redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end

local hot = 0
local reply = {'OK', ''}
local marks = redis.call('HGETALL', KEYS[2])
for i = 1, #marks, 2 do
  if reached(marks[i], marks[i + 1]) then hot = hot + 1 end
  reply[i + 2], reply[i + 3] = marks[i], marks[i + 1]
end
reply[2] = tostring(hot)
return reply
