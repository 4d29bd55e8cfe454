-- Removes what the recorder has committed, and gives its bytes back to the bounds.
--
-- KEYS  1 stream of records, 2 bytes of waiting records by organization (hash)
-- ARGV  1 first entry that was read, 2 id after the last, then organization and bytes
--       in turns ('' = all)
--
-- Another recorder that trimmed first took the bytes off already.

local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if not first or first[1] ~= ARGV[1] then return 0 end
local removed = redis.call('XTRIM', KEYS[1], 'MINID', ARGV[2])
if redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
  return removed
end
for i = 3, #ARGV, 2 do
  local held = redis.call('HGET', KEYS[2], ARGV[i])
  if held then
    local left = tonumber(held) - tonumber(ARGV[i + 1])
    if left > 0 then
      redis.call('HSET', KEYS[2], ARGV[i], string.format('%.0f', left))
    else
      redis.call('HDEL', KEYS[2], ARGV[i])
    end
  end
end
return removed
