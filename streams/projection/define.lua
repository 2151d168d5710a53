-- Writes the definition of a view version where there is none, and returns the
-- one that is there. Positions without a definition are a loss that nobody may
-- paper over: they belong to rows of unknown rules.
--
-- KEYS  1 m:def  2 m:pos
-- ARGV  field, value, ...

if redis.call('EXISTS', KEYS[1]) == 0 then
  if redis.call('EXISTS', KEYS[2]) == 1 then return {} end
  for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return redis.call('HGETALL', KEYS[1])
