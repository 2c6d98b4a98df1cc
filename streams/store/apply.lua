-- apply: add one slice of a partition at most once, or change nothing at all.
-- KEYS  1 fences  2 expiries  3 seconds  4.. one hash per part of the blob: adds, then sets      (one hash tag)
-- ARGV  1 topic:partition  2 epoch  3 first  4 next  5 gap allowed 0|1  6 head ms or ''  7 now ms  8 at end 0|1  9 blob
-- reply {1 applied | 0 repeat | -1 fenced | -2 overlap | -3 gap | -4 conflict, next or nil}   atomic: sums and offset never part
local call, EXACT, LIMB = redis.call, 2 ^ 53, 2 ^ 62
local LIMB_TEXT = '4611686018427387904'

local function whole(value, bound)
  local number = tonumber(value)
  return number and number % 1 == 0 and number <= bound and number >= -bound
end

-- An amount is a number while Lua holds it exactly, else decimal text.
local function addable(amount)
  if type(amount) == 'string' then return #amount < 21 and amount:find('^%-?%d+$') and whole(amount, LIMB / 2) end
  return type(amount) == 'number' and whole(amount, EXACT)
end

-- Blob: {{{index key 0|2|3, score, {field..}, {amount..}}..}, {{index key, score, {field..}, {text..}, {old or false..} or false}..}}
local function complaint(adds, sets)
  if #KEYS ~= 3 + #adds + #sets then return 'SWARG keys do not match the blob' end
  for i = 2, 8 do
    if not whole(ARGV[i], EXACT) and not (i == 6 and ARGV[i] == '') then return 'SWARG argument ' .. i end
  end
  for i, key in ipairs(KEYS) do
    local kind, want = call('TYPE', key).ok, (i == 2 or i == 3) and 'zset' or 'hash'
    if kind ~= 'none' and kind ~= want then return 'SWTYPE ' .. key .. ' is a ' .. kind end
  end
  for p = 1, #adds + #sets do
    local part = adds[p] or sets[p - #adds]
    local index, score, fields, values, olds = part[1], part[2], part[3], part[4], part[5]
    if (index ~= 0 and index ~= 2 and index ~= 3) or type(score) ~= 'number' or #fields ~= #values
      or (olds and #olds ~= #fields) then return 'SWARG part ' .. p end
    for i = 1, #fields do
      local good = adds[p] and addable(values[i]) or not adds[p] and type(values[i]) == 'string'
      if type(fields[i]) ~= 'string' or not good then return 'SWARG part ' .. p .. ' field ' .. i end
    end
  end
end

local at = ARGV[1]
local known = call('HMGET', KEYS[1], at .. ':epoch', at .. ':next', at .. ':head')
local stored, first, after = tonumber(known[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if tonumber(known[1]) ~= tonumber(ARGV[2]) then return {-1, stored or false} end
if stored and after <= stored then return {0, stored} end
if stored and first < stored then return {-2, stored} end
if stored and first > stored and ARGV[5] ~= '1' then return {-3, stored} end

local blob = cmsgpack.unpack(ARGV[9])
local adds, sets = blob[1], blob[2]
local wrong = complaint(adds, sets)
if wrong then return redis.error_reply(wrong) end
for s, part in ipairs(sets) do
  for i = 1, part[5] and #part[5] or 0 do
    if call('HGET', KEYS[3 + #adds + s], part[3][i]) ~= part[5][i] then return {-4, stored or false} end
  end
end

for p, part in ipairs(adds) do
  local key, fields, amounts = KEYS[3 + p], part[3], part[4]
  for i = 1, #fields do
    local sum = call('HINCRBY', key, fields[i], amounts[i])
    if sum >= LIMB or sum <= -LIMB then -- 64 bits are not enough: carry, so that no later sum can overflow
      call('HINCRBY', key, fields[i], (sum > 0 and '-' or '') .. LIMB_TEXT)
      call('HINCRBY', key, '^' .. fields[i], sum > 0 and 1 or -1)
    end
  end
  if part[1] > 0 then call('ZADD', KEYS[part[1]], part[2], key) end
end
for s, part in ipairs(sets) do
  local key = KEYS[3 + #adds + s]
  for i = 1, #part[3] do call('HSET', key, part[3][i], part[4][i]) end
  if part[1] > 0 then call('ZADD', KEYS[part[1]], part[2], key) end
end
local head = tonumber(ARGV[6])
if head and head > (tonumber(known[3]) or -EXACT) then call('HSET', KEYS[1], at .. ':head', ARGV[6]) end
call('HSET', KEYS[1], at .. ':next', ARGV[4], at .. ':seen', ARGV[7], at .. ':end', ARGV[8])
return {1, after}
