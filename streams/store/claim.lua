-- claim: make the caller the owner of a partition, and tell it where to go on.
-- KEYS  1 fences
-- ARGV  1 topic:partition
-- reply {epoch, next offset or nil, head ms or nil}     atomic: no two owners share an epoch
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'hash' then return redis.error_reply('SWTYPE ' .. KEYS[1] .. ' is a ' .. kind) end
if #KEYS ~= 1 or #ARGV ~= 1 or ARGV[1] == '' then return redis.error_reply('SWARG claim takes one partition') end

local at = ARGV[1]
local epoch = redis.call('HINCRBY', KEYS[1], at .. ':epoch', 1)
local known = redis.call('HMGET', KEYS[1], at .. ':next', at .. ':head')
return {epoch, tonumber(known[1]) or false, tonumber(known[2]) or false}
