-- Takes back what one call added to its counters, because it was never sent.
--
-- KEYS  the counters
-- ARGV  1 for each: d bucket that it was added to, d amount
--
-- Only from the bucket it came from, never below zero; what has left the window, or
-- the counter that is gone, is left alone. Not to be repeated.

local HEAD, RING = 24, 61
local pack, unpack_ = struct.pack, struct.unpack
local found = redis.call('MGET', unpack(KEYS))
local at = 1
for i = 1, #KEYS do
  local bucket, amount
  bucket, amount, at = unpack_('<dd', ARGV[1], at)
  local raw = found[i]
  if raw and #raw == HEAD + 8 * RING then
    local last, total, current = unpack_('<ddd', raw)
    if bucket == last then
      amount = math.min(amount, current)
      redis.call('SETRANGE', KEYS[i], 0, pack('<ddd', last, total - amount, current - amount))
    elseif bucket < last and last - bucket < RING then
      local place = HEAD + 8 * (bucket % RING)
      local held = unpack_('<d', raw, place + 1)
      amount = math.min(amount, held)
      redis.call('SETRANGE', KEYS[i], place, pack('<d', held - amount))
      redis.call('SETRANGE', KEYS[i], 0, pack('<ddd', last, total - amount, current))
    end
  end
end
return 1
