-- apply: add one slice of a partition at most once, or change nothing at all.
-- KEYS  1 fences  2 expiries  3 seconds  4.. one hash per part of the blob: adds, then sets      (one hash tag)
-- ARGV  1 topic:partition  2 epoch  3 first  4 next  5 gap allowed 0|1  6 head ms or ''  7 now ms  8 at end 0|1  9 blob
-- reply {1 applied | 0 repeat | -1 fenced | -2 overlap | -3 gap | -4 conflict, next or nil}   atomic: sums and offset never part
local call, EXACT, LIMB = redis.call, 2 ^ 53, 2 ^ 62
local at, stored, tables, adds, sets = ARGV[1], nil, nil, nil, nil

-- An integer is a number while Lua holds it exactly, else decimal text.
local function whole(value)
  if type(value) == 'number' then return value % 1 == 0 and value <= EXACT and value >= -EXACT end
  local number = type(value) == 'string' and value:find('^%-?%d+$') and tonumber(value)
  return number and number <= LIMB / 2 and number >= -LIMB / 2
end

-- The first of these fields and values that is not of its kind, or nil.
local function misfit(fields, values, good)
  if #fields ~= #values then return 0 end
  for i = 1, #fields do
    if type(fields[i]) ~= 'string' or not good(values[i]) then return i end
  end
end

-- Table: {{field..}, {integer or text..}}   add: {index key 0|2|3, score, table from 0}
-- Set: {index key 0|2|3, score, {field..}, {text..}, {old text or false..} or false}
local function complaint()
  if #KEYS ~= 3 + #adds + #sets then return 'SWARG keys do not match the blob' end
  for i = 2, 8 do
    if not whole(ARGV[i]) and not (i == 6 and ARGV[i] == '') then return 'SWARG argument ' .. i end
  end
  for i, key in ipairs(KEYS) do
    local kind, want = call('TYPE', key).ok, (i == 2 or i == 3) and 'zset' or 'hash'
    if kind ~= 'none' and kind ~= want then return 'SWTYPE ' .. key .. ' is a ' .. kind end
  end
  for t, table in ipairs(tables) do
    local field = misfit(table[1], table[2], whole)
    if field then return 'SWARG table ' .. t .. ' field ' .. field end
  end
  for p = 1, #adds + #sets do
    local index, score, what, values, olds = unpack(adds[p] or sets[p - #adds], 1, 5)
    local fits = (index == 0 or index == 2 or index == 3) and whole(score)
    if p <= #adds then fits = fits and tables[what + 1] else
      local field = misfit(what, values, function(value) return type(value) == 'string' end)
      if field then return 'SWARG part ' .. p .. ' field ' .. field end
      fits = fits and not (olds and #olds ~= #what)
    end
    if not fits then return 'SWARG part ' .. p end
  end
end

-- Sums that Lua holds exactly are read and written many at a time, the others one by one by the server.
local function add(key, fields, amounts)
  for from = 1, #fields, 500 do
    local to, sums = math.min(from + 499, #fields), {}
    local known = call('HMGET', key, unpack(fields, from, to))
    for i = from, to do
      local before, amount = tonumber(known[i - from + 1] or 0), amounts[i]
      local sum = type(amount) == 'number' and before < EXACT and before > -EXACT and before + amount
      if sum and sum < EXACT and sum > -EXACT then
        sums[#sums + 1] = fields[i]
        sums[#sums + 1] = sum
      else
        sum = call('HINCRBY', key, fields[i], amount)
        if sum >= LIMB or sum <= -LIMB then -- carry, so that no later sum can pass 64 bits
          call('HINCRBY', key, fields[i], sum > 0 and '-4611686018427387904' or '4611686018427387904')
          call('HINCRBY', key, '^' .. fields[i], sum > 0 and 1 or -1)
        end
      end
    end
    if #sums > 0 then call('HSET', key, unpack(sums)) end
  end
end

local known = call('HMGET', KEYS[1], at .. ':epoch', at .. ':next', at .. ':head')
local first, after, head = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
stored = tonumber(known[2])
if tonumber(known[1]) ~= tonumber(ARGV[2]) then return {-1, stored or false} end
if stored and after <= stored then return {0, stored} end
if stored and first < stored then return {-2, stored} end
if stored and first > stored and ARGV[5] ~= '1' then return {-3, stored} end
tables, adds, sets = unpack(cmsgpack.unpack(ARGV[9]))
local wrong = complaint()
if wrong then return redis.error_reply(wrong) end
for s, part in ipairs(sets) do
  for i = 1, part[5] and #part[3] or 0 do
    if call('HGET', KEYS[3 + #adds + s], part[3][i]) ~= part[5][i] then return {-4, stored or false} end
  end
end

for p = 1, #adds + #sets do
  local key, index, score, what, values = KEYS[3 + p], unpack(adds[p] or sets[p - #adds], 1, 4)
  if p <= #adds then add(key, unpack(tables[what + 1])) else
    for i = 1, #what do call('HSET', key, what[i], values[i]) end
  end
  if index > 0 then call('ZADD', KEYS[index], score, key) end
end
if head and head > (tonumber(known[3]) or -EXACT) then call('HSET', KEYS[1], at .. ':head', ARGV[6]) end
call('HSET', KEYS[1], at .. ':next', ARGV[4], at .. ':seen', ARGV[7], at .. ':end', ARGV[8])
return {1, after}
