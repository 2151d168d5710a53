-- Writes the definition of a view version where there is nothing of it, and
-- returns the one that is there. Other bookkeeping without a definition is
-- a loss that nobody may paper over: it belongs to rows of unknown rules.
--
-- KEYS  1 m:def  2 m:pos  3 m:epoch  4 m:hot  5 m:rows
-- ARGV  field, value, ...

if redis.call('EXISTS', KEYS[1]) == 0 then
  for i = 2, #KEYS do
    if redis.call('EXISTS', KEYS[i]) == 1 then return {} end
  end
  for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return redis.call('HGETALL', KEYS[1])
