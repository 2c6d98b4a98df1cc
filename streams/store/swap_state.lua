-- swap_state: write state, outbox and logs of the decide line, if nobody wrote since they were read.
-- KEYS  1 state  2 outbox order  3 outbox bodies  4.. order and bodies of each log                  (one hash tag)
-- ARGV  1 version read  2 state  3 log cap  4 blob {{{id, body}..} of the outbox, the same of each log..}
-- reply 1 swapped | 0 somebody else wrote      atomic: no decision without its record, and none told twice
local call = redis.call
local version, cap = tonumber(ARGV[1]), tonumber(ARGV[3])
local groups = cmsgpack.unpack(ARGV[4])

local function complaint()
  if not version or not cap or #KEYS ~= 1 + 2 * #groups then return 'SWARG keys do not match the blob' end
  for i, key in ipairs(KEYS) do
    local kind, want = call('TYPE', key).ok, (i > 1 and i % 2 == 0) and 'zset' or 'hash'
    if kind ~= 'none' and kind ~= want then return 'SWTYPE ' .. key .. ' is a ' .. kind end
  end
  for _, entries in ipairs(groups) do
    for _, entry in ipairs(entries) do
      if type(entry[1]) ~= 'string' or type(entry[2]) ~= 'string' then return 'SWARG entry' end
    end
  end
end

local wrong = complaint()
if wrong then return redis.error_reply(wrong) end
if tonumber(call('HGET', KEYS[1], 'version') or 0) ~= version then return 0 end

call('HSET', KEYS[1], 'version', version + 1, 'body', ARGV[2])
for g, entries in ipairs(groups) do
  local order, bodies = KEYS[2 * g], KEYS[2 * g + 1]
  for _, entry in ipairs(entries) do
    if call('HSETNX', bodies, entry[1], entry[2]) == 1 then
      call('ZADD', order, call('HINCRBY', KEYS[1], 'seq', 1), entry[1])
    end
  end
  local over = g > 1 and call('ZCARD', order) - cap or 0
  if over > 0 then -- a log keeps its newest; the outbox keeps everything unsent
    for _, id in ipairs(call('ZRANGE', order, 0, over - 1)) do call('HDEL', bodies, id) end
    call('ZREMRANGEBYRANK', order, 0, over - 1)
  end
end
return 1
