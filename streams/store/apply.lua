-- apply: add one slice of a partition at most once, or change nothing at all.
-- KEYS  1 fences  2 expiries  3 seconds  4.. one hash per part of the blob: adds, then sets      (one hash tag)
-- ARGV  1 topic:partition  2 epoch  3 first  4 next  5 gap allowed 0|1, +2 offset must be there  6 head ms or ''  7 now ms  8 at end 0|1  9 join field  10 join read or ''  11 blob
-- reply {1 applied | 0 repeat | -1 fenced | -2 overlap | -3 gap | -4 conflict, next or nil}   atomic: sums and offset never part
local call, unpack, pack_array, unpack_array = redis.call, unpack, cmsgpack.pack, cmsgpack.unpack
local EXACT, LIMB, PART, STEP = 2 ^ 53, 2 ^ 62, 2 ^ 52, 500
local at, stored, tables, vectors, adds, sets = ARGV[1], nil, nil, nil, nil, nil

-- Below, text is told by comparing it and a number by reckoning with it: either raises an error for anything else, before
-- the first write, and costs no call. An integer is a number while Lua holds it exactly, else decimal text.
local function whole(value)
  if type(value) == 'number' then return value % 1 == 0 and value <= EXACT and value >= -EXACT end
  local number = type(value) == 'string' and value:find('^%-?%d+$') and tonumber(value)
  return number and number <= LIMB / 2 and number >= -LIMB / 2
end

-- Whether all of these are whole numbers within a limit.
local function within(amounts, limit)
  for i = 1, #amounts do
    local amount = amounts[i]
    if amount % 1 ~= 0 or amount > limit or amount < -limit then return false end
  end
  return true
end

-- The first of these fields that is no text, or whose value is not good; 0 if there are more of one than of the other.
local function misfit(fields, values, good)
  if #fields ~= #values then return 0 end
  for i = 1, #fields do
    if fields[i] < '' or not good(values[i]) then return i end
  end
end

-- What is wrong with a table of integers: numbers, or text where one of them needs it.
local function misfit_table(fields, amounts, is_text)
  if is_text then return misfit(fields, amounts, whole) end
  if #fields ~= #amounts or not within(amounts, EXACT) then return 0 end
  for i = 1, #fields do
    if fields[i] < '' then return i end
  end
end

-- The same of a table of vectors, whose amounts stand in one row.
local function misfit_row(fields, sizes, row)
  local total = 0
  if #fields ~= #sizes then return 0 end
  for i = 1, #fields do
    local size = sizes[i]
    if fields[i] < '' or size % 1 ~= 0 or size < 0 then return i end
    total = total + size
  end
  return total ~= #row and 0 or nil
end

local function text(value) return type(value) == 'string' end

-- Table: {{field..}, {integer..}, all as text}   vectors: {{field..}, {number of amounts..}, {amount of the first, ..}}
-- Add: {index key 0|2|3, score, table or 0, vectors or 0}   (tables and vectors count from 1)
-- Set: {index key 0|2|3, score, {field..}, {text..}, {old text or false..} or false}
local function complaint()
  if #KEYS ~= 3 + #adds + #sets then return 'SWARG keys do not match the blob' end
  for i = 2, 8 do
    if not whole(ARGV[i]) and not (i == 6 and ARGV[i] == '') then return 'SWARG argument ' .. i end
  end
  if ARGV[9] == '' or not whole(ARGV[10]) and ARGV[10] ~= '' then return 'SWARG join' end
  for i, key in ipairs(KEYS) do
    local kind, want = call('TYPE', key).ok, (i == 2 or i == 3) and 'zset' or 'hash'
    if kind ~= 'none' and kind ~= want then return 'SWTYPE ' .. key .. ' is a ' .. kind end
  end
  for t, table in ipairs(tables) do
    local field = misfit_table(unpack(table, 1, 3))
    if field then return 'SWARG table ' .. t .. ' field ' .. field end
  end
  for t, table in ipairs(vectors) do
    local field = misfit_row(unpack(table, 1, 3))
    if field then return 'SWARG vectors ' .. t .. ' field ' .. field end
    if not within(table[3], PART) then return 'SWWIDE vectors ' .. t end
  end
  for p = 1, #adds + #sets do
    local index, score, what, values, olds = unpack(adds[p] or sets[p - #adds], 1, 5)
    local fits = (index == 0 or index == 2 or index == 3) and whole(score)
    if p <= #adds then fits = fits and (what == 0 or tables[what]) and (values == 0 or vectors[values]) else
      local field = misfit(what, values, text)
      if field then return 'SWARG part ' .. p .. ' field ' .. field end
      fits = fits and not (olds and #olds ~= #what)
    end
    if not fits then return 'SWARG part ' .. p end
  end
end

-- Sums that Lua holds exactly are read and written many at a time, the others one by one by the server.
local function add(key, fields, amounts, is_text)
  for from = 1, #fields, STEP do
    local to, sums, n = math.min(from + STEP - 1, #fields), {}, 0
    local known = call('HMGET', key, unpack(fields, from, to))
    for i = from, to do
      local field, amount, before = fields[i], amounts[i], (known[i - from + 1] or 0) + 0
      local sum = not is_text and before < EXACT and before > -EXACT and before + amount
      if sum and sum < EXACT and sum > -EXACT then
        sums[n + 1], sums[n + 2], n = field, sum, n + 2
      else
        sum = call('HINCRBY', key, field, amount)
        if sum >= LIMB or sum <= -LIMB then -- carry, so that no later sum can pass 64 bits
          call('HINCRBY', key, field, sum > 0 and '-4611686018427387904' or '4611686018427387904')
          call('HINCRBY', key, '^' .. field, sum > 0 and 1 or -1)
        end
      end
    end
    if n > 0 then call('HSET', key, unpack(sums)) end
  end
end

-- Add one to a position of a carry, or take one away; seldom.
local function carry(key, field, position, one)
  local known = call('HGET', key, '^' .. field)
  local row = known and unpack_array(known) or {}
  for p = #row + 1, position do row[p] = 0 end
  row[position] = row[position] + one
  call('HSET', key, '^' .. field, pack_array(row))
end

-- Vectors are packed arrays; a position that leaves its part hands it to its carry, so that every sum is exact.
local function add_vectors(key, fields, sizes, row)
  local done, carries = 0, {}
  for from = 1, #fields, STEP do
    local to, sums, n = math.min(from + STEP - 1, #fields), {}, 0
    local known = call('HMGET', key, unpack(fields, from, to))
    for i = from, to do
      local field, size, new = fields[i], sizes[i], known[i - from + 1]
      if new then
        new = unpack_array(new)
        for p = #new + 1, size do new[p] = 0 end
        for p = 1, size do
          local sum = new[p] + row[done + p]
          if sum > PART or sum < -PART then
            local one = sum > 0 and 1 or -1
            carries[#carries + 1] = {field, p, one}
            sum = sum - one * PART
          end
          new[p] = sum
        end
      else
        new = {unpack(row, done + 1, done + size)}
      end
      sums[n + 1], sums[n + 2], n, done = field, pack_array(new), n + 2, done + size
    end
    call('HSET', key, unpack(sums))
  end
  for _, one in ipairs(carries) do carry(key, unpack(one)) end
end

-- Whether every text is still what was read; a text that was not there is false.
local function unchanged(key, fields, olds)
  for from = 1, #fields, STEP do
    local to = math.min(from + STEP - 1, #fields)
    local known = call('HMGET', key, unpack(fields, from, to))
    for i = from, to do
      if known[i - from + 1] ~= olds[i] then return false end
    end
  end
  return true
end

local function set(key, fields, values)
  for from = 1, #fields, STEP do
    local pairs, n = {}, 0
    for i = from, math.min(from + STEP - 1, #fields) do
      pairs[n + 1], pairs[n + 2], n = fields[i], values[i], n + 2
    end
    call('HSET', key, unpack(pairs))
  end
end

local known = call('HMGET', KEYS[1], at .. ':epoch', at .. ':next', at .. ':head', ARGV[9])
local first, after, head = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
stored = tonumber(known[2])
if tonumber(known[1]) ~= tonumber(ARGV[2]) then return {-1, stored or false} end
if stored and after <= stored then return {0, stored} end
if stored and first < stored then return {-2, stored} end
if stored and first > stored and tonumber(ARGV[5]) % 2 == 0 or not stored and tonumber(ARGV[5]) > 1 then return {-3, stored or false} end
if ARGV[10] ~= '' and tonumber(ARGV[10]) ~= tonumber(known[4] or 0) then return {-4, stored or false} end
tables, vectors, adds, sets = unpack(unpack_array(ARGV[11]))
local wrong = complaint()
if wrong then return redis.error_reply(wrong) end
for s, part in ipairs(sets) do
  if part[5] and not unchanged(KEYS[3 + #adds + s], part[3], part[5]) then return {-4, stored or false} end
end

for p = 1, #adds + #sets do
  local key, index, score, what, values = KEYS[3 + p], unpack(adds[p] or sets[p - #adds], 1, 4)
  if p > #adds then set(key, what, values) else
    if what > 0 then add(key, unpack(tables[what])) end
    if values > 0 then add_vectors(key, unpack(vectors[values])) end
  end
  if index > 0 then call('ZADD', KEYS[index], score, key) end
end
if head and head > (tonumber(known[3]) or -EXACT) then call('HSET', KEYS[1], at .. ':head', ARGV[6]) end
if ARGV[10] ~= '' then call('HINCRBY', KEYS[1], ARGV[9], 1) end
call('HSET', KEYS[1], at .. ':next', ARGV[4], at .. ':seen', ARGV[7], at .. ':end', ARGV[8])
return {1, after}
