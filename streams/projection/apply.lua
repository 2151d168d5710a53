-- Applies one batch of one partition to the rows of a view, whole or not at all.
--
-- KEYS  1 m:def  2 m:pos  3 m:epoch  4 m:rows  5 m:load
-- ARGV  1 digest  2 topic/partition  3 epoch  4 first  5 next  6 batch, and while
--       snapshots are loaded  7 their topic  8 digest of their fold, empty where
--       it is not known yet  9 how long before this reading the load may last have
--       been whole, in ms  10 how long ago this reading began, in ms  11 whether it
--       was whole: 1 or 0
--
-- Redis runs a script alone but takes nothing back when a command in it fails.
-- So the first pass reads and checks everything that the second one needs, and
-- computes what it will write; the second one cannot fail. The answer is an
-- array, never an error: clients act on some errors by themselves.
--
-- The batch is a flat JSON array of strings: see packer in pack.go.

local call, try = redis.call, redis.pcall
local find, sub, rep, match, byte, format = string.find, string.sub, string.rep, string.match, string.byte, string.format
local floor, max, min = math.floor, math.max, math.min
local unpack, tonumber, type = unpack, tonumber, type

local refused -- the answer, where something is wrong

local function refuse(kind, key, field)
  refused = refused or {kind, key, field or ''}
end

-- get reads a value of the bookkeeping; false where there is none.
local function get(command, key, field)
  local reply
  if field then reply = try(command, key, field) else reply = try(command, key) end
  --<book>
  if type(reply) == 'table' then return refuse('BAD', key) end
  --</book>
  return reply
end

local digest = get('HGET', KEYS[1], 'digest')
local epoch = get('HGET', KEYS[3], ARGV[2]) or '0'
local position = get('HGET', KEYS[2], ARGV[2])
local rows = get('GET', KEYS[4]) or '0'
local loaded = ARGV[7] and get('HGET', KEYS[5], ARGV[2])
if refused then return refused end

--<wiped>
if not digest then return {'WIPED'} end
--</wiped>
--<digest>
if digest ~= ARGV[1] then return {'DIGEST', digest} end
--</digest>
--<fenced>
if not find(epoch, '^%d+$') or #epoch > 15 then return {'BAD', KEYS[3], ARGV[2]} end
if tonumber(epoch) > tonumber(ARGV[3]) then return {'FENCED', epoch} end
--</fenced>
--<stale>
if position ~= ARGV[4] then return {'STALE', position or ''} end
--</stale>
--<rows>
if not find(rows, '^%d+$') or #rows > 15 then return {'BAD', KEYS[4], ''} end
--</rows>

-- A load of snapshots ---------------------------------------------------------
--
-- The first batch of a view's load records which topic it is from, and the first
-- that knows the digest of the fold records that: rows of another topic or fold
-- are not mixed with them. Who goes on too long after he began, or after he had
-- last read all that there was, may miss that a stream was forgotten.

local since -- when this reading began, in ms, where snapshots are loaded

if ARGV[7] then
  local time = call('TIME')
  since = format('%d', time[1] * 1000 + floor(time[2] / 1000) - ARGV[10])
  local topic, fold = get('HGET', KEYS[1], 'snapshots'), get('HGET', KEYS[1], 'fold')
  --<load-topic>
  if topic and topic ~= ARGV[7] then return {'LOAD', 'snapshots', topic} end
  --</load-topic>
  --<load-fold>
  if fold and ARGV[8] ~= '' and fold ~= ARGV[8] then return {'LOAD', 'fold', fold} end
  --</load-fold>
  --<load-age>
  if loaded and (not find(loaded, '^%d+$') or #loaded > 15) then return {'BAD', KEYS[5], ARGV[2]} end
  if loaded and since - loaded > tonumber(ARGV[9]) then return {'LOAD', 'm:load', loaded} end
  --</load-age>
  if loaded and ARGV[11] == '0' then since = loaded end
end

-- Exact decimals ------------------------------------------------------------

-- A double is exact for whole numbers of up to 15 digits, and the nearest one
-- to a decimal has its order. Longer numbers are handled digit by digit.
local EXACT = 14
-- No number of ours has more digits: the longest are floats.
local LONGEST = 400

-- scale_of returns how many digits a decimal number as we write it has behind
-- the point, and nothing where s is no such number. tonumber would take 0x10,
-- 1e3, inf and nan, too.
local function scale_of(s)
  local fraction = match(s, '^%-?%d+%.?(%d*)$')
  return fraction and #s <= LONGEST and #fraction
end

local POWERS = {[0] = 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14}
local shapes = {} -- of numbers with so many digits behind the point

-- parts returns whether s is negative, its digits before the point without
-- leading zeros, and those behind it without trailing zeros.
local function parts(s)
  local sign, whole, fraction = match(s, '^(%-?)0*(%d*)%.?(%d-)0*$')
  return sign == '-' and #whole + #fraction > 0, whole, fraction
end

-- combine adds (sign 1) or subtracts (sign -1, a not less than b) two numbers
-- of digits of equal width.
local function combine(a, b, sign)
  local digits, carry = {}, 0
  for i = #a, 1, -1 do
    local d = byte(a, i) - 48 + sign * (byte(b, i) - 48) + carry
    carry = floor(d / 10)
    digits[i] = d - carry * 10
  end
  return (carry > 0 and '1' or '') .. table.concat(digits)
end

-- join is the canonical text of a number of digits, of which so many stand
-- behind the point.
local function join(negative, digits, behind)
  local whole = match(sub(digits, 1, #digits - behind), '^0*(%d*)$')
  local fraction = match(sub(digits, #digits - behind + 1), '^(%d-)0*$')
  if #whole + #fraction == 0 then negative = false end
  return (negative and '-' or '') .. (whole == '' and '0' or whole) .. (fraction == '' and '' or '.' .. fraction)
end

-- aligned returns two numbers as digits of one width, and how many of those
-- stand behind the point.
local function aligned(xw, xf, yw, yf)
  local w, f = max(#xw, #yw), max(#xf, #yf)
  return rep('0', w - #xw) .. xw .. xf .. rep('0', f - #xf), rep('0', w - #yw) .. yw .. yf .. rep('0', f - #yf), f
end

-- long_sum adds digit by digit.
local function long_sum(x, y)
  local xn, xw, xf = parts(x)
  local yn, yw, yf = parts(y)
  local a, b, behind = aligned(xw, xf, yw, yf)
  if xn == yn then return join(xn, combine(a, b, 1), behind) end
  if a < b then return join(yn, combine(b, a, -1), behind) end
  return join(xn, combine(a, b, -1), behind)
end

-- sum adds two numbers of those scales.
local function sum(x, y, xs, ys)
  local s = xs > ys and xs or ys
  if #x - xs + s > EXACT or #y - ys + s > EXACT then return long_sum(x, y) end
  local p = POWERS[s]
  local n = (x + y) * p + 0.5
  n = n - n % 1
  while s > 0 and n % 10 == 0 do n, s, p = n / 10, s - 1, p / 10 end
  if s == 0 then return format('%d', n) end
  local shape = shapes[s]
  if not shape then
    shape = '%d.%0' .. s .. 'd'
    shapes[s] = shape
  end
  local sign = ''
  if n < 0 then sign, n = '-', -n end
  local fraction = n % p
  return sign .. format(shape, (n - fraction) / p, fraction)
end

-- less compares two numbers.
local function less(x, y)
  if #x <= EXACT and #y <= EXACT then return tonumber(x) < tonumber(y) end
  local xn, xw, xf = parts(x)
  local yn, yw, yf = parts(y)
  if xn ~= yn then return xn end
  local a, b = aligned(xw, xf, yw, yf)
  if xn then return b < a end
  return a < b
end

-- in_int64 says whether a canonical whole number fits 64 bits.
local function in_int64(s)
  local negative, digits = parts(s)
  return #digits < 19 or #digits == 19 and digits <= (negative and '9223372036854775808' or '9223372036854775807')
end

-- in_decimal says whether a number has at most 38 digits.
local function in_decimal(s)
  local _, whole, fraction = parts(s)
  return #fraction <= 38 and #match(whole .. fraction, '^0*(%d*)$') <= 38
end

-- Ops that read ---------------------------------------------------------------
--
-- Each takes the old value of a field (false where there is none), where in the
-- batch the new one stands, and the old sort key of the field. It puts in the
-- place of the new value the one to write, or returns why it cannot.

local batch = ARGV[6] == '' and {} or cjson.decode(ARGV[6])

local function add_decimal(old, at)
  if old then
    local scale = scale_of(old)
    --<decimal>
    if not scale then return 'BAD' end
    --</decimal>
    batch[at] = sum(old, batch[at], scale, scale_of(batch[at]))
  end
  --<range-decimal>
  if #batch[at] > 38 and not in_decimal(batch[at]) then return 'RANGE' end
  --</range-decimal>
end

local function add_int(old, at)
  if old then
    --<int>
    if not find(old, '^%-?%d+$') or #old > LONGEST then return 'BAD' end
    --</int>
    if #old <= EXACT and #batch[at] <= EXACT then
      batch[at] = format('%d', old + batch[at])
    else
      batch[at] = long_sum(old, batch[at])
    end
  end
  --<range-int>
  if #batch[at] > 18 and not in_int64(batch[at]) then return 'RANGE' end
  --</range-int>
end

local function keep_least(old, at)
  if not old then return end
  --<least>
  if not scale_of(old) then return 'BAD' end
  --</least>
  if less(old, batch[at]) then batch[at] = old end
end

local function keep_greatest(old, at)
  if not old then return end
  --<greatest>
  if not scale_of(old) then return 'BAD' end
  --</greatest>
  if less(batch[at], old) then batch[at] = old end
end

-- ordering keeps the old value where wins says so of the old and the new sort
-- key, which are digits of one width.
local function ordering(wins)
  return function(old, at, key)
    if not old and not key then return end
    --<order>
    if not old or not key or #key ~= #batch[at + 1] or find(key, '%D') then return 'BAD' end
    --</order>
    if wins(key, batch[at + 1]) then batch[at], batch[at + 1] = old, key end
  end
end

local function lower(a, b) return a < b end
local function higher(a, b) return a > b end

local READS = {
  i = add_int,
  a = add_decimal,
  n = keep_least,
  x = keep_greatest,
  N = ordering(lower),
  X = ordering(higher),
  l = ordering(higher),
}
local ORDERED = {N = true, X = true, l = true}

-- Shapes ----------------------------------------------------------------------

local WIDEST = 2000 -- unpack takes not many more values at once

-- header reads the header of a group of rows that stands at that place.
local function header(at)
  local g = {rows = tonumber(batch[at]), delete = batch[at + 1] == '1', steps = {}, reads = {}, args = {}, drops = {}}
  local ops, values = tonumber(batch[at + 2]), 0
  at = at + 3
  local function field(name)
    values = values + 1
    g.args[2 * values - 1], g.args[2 * values] = name, ''
  end
  for i = 1, ops do
    local code, name = batch[at], batch[at + 1]
    at = at + 2
    if code == 'u' then
      g.drops[#g.drops + 1] = name
    else
      field(name)
      local read = READS[code]
      if read then
        g.reads[#g.reads + 1] = name
        g.steps[#g.steps + 1] = {read = read, name = name, at = values, old = #g.reads}
      end
      if ORDERED[code] then
        field(name .. '@')
        g.reads[#g.reads + 1] = name .. '@'
      end
    end
  end
  g.first, g.values = at, values
  g.next = at + g.rows * (values + 1)
  return g
end

local groups = {}
do
  local at, n = 1, #batch
  while at <= n do
    local g = header(at)
    groups[#groups + 1] = g
    at = g.next
  end
end

-- First pass: read, check, compute ----------------------------------------------

local change = 0 -- of the number of rows
local NOTHING = {}

-- fields reads the fields of a row that its ops need: none of what is no row.
local function fields(key, names)
  if #names <= WIDEST then return try('HMGET', key, unpack(names)) end
  local all = {}
  for i = 1, #names, WIDEST do
    local some = try('HMGET', key, unpack(names, i, min(i + WIDEST - 1, #names)))
    for j = 1, #some do all[i + j - 1] = some[j] end
  end
  return all
end

-- known reads what the ops of a row need of it, and whether it exists; nothing
-- where it is no row.
local function known(g, key)
  local old = NOTHING
  if #g.reads > 0 and not g.delete then
    old = fields(key, g.reads)
    for i = 1, #g.reads do
      if old[i] then return old, true end
    end
  end
  local n = try('HLEN', key)
  --<type>
  if type(n) ~= 'number' then return refuse('BAD', key) end
  --</type>
  return old, n > 0
end

local function check(g, at)
  local old, exists = known(g, batch[at])
  if refused then return end
  for i = 1, #g.steps do
    local s = g.steps[i]
    local why = s.read(old[s.old], at + s.at, old[s.old + 1])
    if why then return refuse(why, batch[at], s.name) end
  end
  if g.values > 0 and not exists then change = change + 1 end
end

for i = 1, #groups do
  local g = groups[i]
  for at = g.first, g.next - 1, g.values + 1 do
    check(g, at)
    if refused then return refused end
  end
end

-- Second pass: write --------------------------------------------------------------

local function drop(g, key)
  local n = 0
  for i = 1, #g.drops, WIDEST do
    n = n + call('HDEL', key, unpack(g.drops, i, min(i + WIDEST - 1, #g.drops)))
  end
  if n > 0 and g.values == 0 and call('EXISTS', key) == 0 then change = change - 1 end
end

local function write(g, at)
  local key, args, n = batch[at], g.args, 2 * g.values
  if g.delete then
    local was = call('DEL', key)
    if n == 0 then change = change - was end
  elseif #g.drops > 0 then
    drop(g, key)
  end
  for i = 1, g.values do args[2 * i] = batch[at + i] end
  for i = 1, n, WIDEST do
    call('HSET', key, unpack(args, i, min(i + WIDEST - 1, n)))
  end
end

for i = 1, #groups do
  local g = groups[i]
  for at = g.first, g.next - 1, g.values + 1 do write(g, at) end
end
if change ~= 0 then
  call('SET', KEYS[4], format('%d', max(0, tonumber(rows) + change)))
end
if ARGV[7] then
  call('HSETNX', KEYS[1], 'snapshots', ARGV[7])
  if ARGV[8] ~= '' then call('HSETNX', KEYS[1], 'fold', ARGV[8]) end
  if find(ARGV[5], '^load:') then call('HSET', KEYS[5], ARGV[2], since) else call('HDEL', KEYS[5], ARGV[2]) end
end
call('HSET', KEYS[2], ARGV[2], ARGV[5])
return {'OK'}
