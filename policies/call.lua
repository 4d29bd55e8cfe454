-- One governed call in one atomic step: generation, limits, record.
--
-- KEYS  1 generation, 2 bytes of waiting records by organization (hash, '' = all),
--       3 stream of records, 4 the organization's counters (sorted set),
--       then the counters, then their sets of `by` values.
-- ARGV  1 generation believed ('' = not checked), 2 16 random bytes, 3 plan,
--       4 record ('' = none), 5 organization
-- Plan  B 1 = reserve, d bytes for the shard's records, d for the organization's,
--       B length of the key's common beginning,
--       B counters: each d bucket (us), d life (ms), d amount, B number of its set or 0,
--       B uses: each B counter, d max, B kind: full 0 denies, 1 asks, 2 does not matter;
--       3 watched, 4 watched and only looked at
-- Reply {status, generation, states, seconds, buckets}; status 0 done, 1 stale, 2 full,
--       3 log full, 4 too many values, 5 too many counters; states are 0 fits, 1 full,
--       4 and 5 as above; seconds -1 = never; buckets 0 = nothing added
--
-- A counter is doubles: last bucket, total, amount in the last bucket, a ring of 61.
-- All that can fail comes before XADD, the first write; from there on nothing does.
-- Numbers become text by %.0f only: Lua and Valkey both write large ones otherwise.

local BY_BOUND, COUNTERS_BOUND, SWEEP = 10000, 200000, 50
local OVERHEAD = 224 -- bytes of a record besides itself, and of the outcome to follow
local EXACT = 9007199254740991
local LONGEST_LIFE = '2678400000'
local HEAD, RING = 24, 61
local EMPTY = string.rep('\0', 8 * RING)
local pack, unpack_, sub = struct.pack, struct.unpack, string.sub
local plan, record, organization = ARGV[3], ARGV[4], ARGV[5]

local function text(number) return string.format('%.0f', number) end

-- 1. Generation

local reserve, shard_bound, bound, prefix, n, at = unpack_('<BddBB', plan)
local found = redis.call('MGET', KEYS[1], unpack(KEYS, 5, 4 + n))
if ARGV[1] ~= '' and found[1] ~= ARGV[1] then
  if found[1] then return {1, found[1]} end
  redis.call('SET', KEYS[1], ARGV[2])
  return {1, ARGV[2]}
end

-- 2. Room in the log

local all, own
if record ~= '' then
  local held = redis.call('HMGET', KEYS[2], '', organization)
  local size = #record + OVERHEAD
  all, own = tonumber(held[1] or 0) + size, tonumber(held[2] or 0) + size
  if all > shard_bound or own > bound then return {3, ''} end
end

-- 3. Counters as they stand now

local now = 0
if n > 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function slot(ring, bucket)
  return (unpack_('<d', ring, 8 * (bucket % RING) + 1))
end

local function zeros(ring, first, last)
  return sub(ring, 1, 8 * first) .. sub(EMPTY, 1, 8 * (last - first + 1))
    .. sub(ring, 8 * (last + 1) + 1)
end

local function turn(c, bucket)
  c.moved = true
  if bucket - c.last >= RING then
    c.last, c.total, c.current, c.ring = bucket, 0, 0, EMPTY
    return
  end
  local place = 8 * (c.last % RING)
  local ring = sub(c.ring, 1, place) .. pack('<d', c.current) .. sub(c.ring, place + 9)
  for old = c.last + 1, bucket do c.total = c.total - slot(ring, old) end
  local first, last = (c.last + 1) % RING, bucket % RING
  if first <= last then
    ring = zeros(ring, first, last)
  else
    ring = zeros(zeros(ring, first, RING - 1), 0, last)
  end
  c.last, c.current, c.ring = bucket, 0, ring
end

local counters = {}
for i = 1, n do
  local c, raw = {key = KEYS[4 + i]}, found[1 + i]
  c.width, c.life, c.amount, c.set, at = unpack_('<dddB', plan, at)
  local bucket = math.floor(now / c.width)
  if not raw then
    c.new, c.moved = true, true
    c.last, c.total, c.current, c.ring = bucket, 0, 0, EMPTY
  elseif #raw ~= HEAD + 8 * RING then
    return redis.error_reply('CORRUPT a counter is no counter')
  else
    c.last, c.total, c.current = unpack_('<ddd', raw)
    c.ring = sub(raw, HEAD + 1)
    if bucket > c.last then turn(c, bucket) end
  end
  counters[i] = c
end

-- 4. Room for new counters and new values

local sets = {}

local function room(key, limit)
  local set = sets[key]
  if not set then
    set = {size = redis.call('ZCARD', key), expired = {}}
    if set.size >= limit then
      set.expired = redis.call(
        'ZRANGEBYSCORE', key, '-inf', text(now / 1000), 'LIMIT', 0, SWEEP)
      set.size = set.size - #set.expired
    end
    sets[key] = set
  end
  return set
end

for i = 1, n do
  local c = counters[i]
  if c.moved and c.amount > 0 then
    local own_set = room(KEYS[4], COUNTERS_BOUND)
    local values = c.set > 0 and room(KEYS[4 + n + c.set], BY_BOUND)
    if c.new then
      if values and values.size >= BY_BOUND then
        c.refused = 4
      elseif own_set.size >= COUNTERS_BOUND then
        c.refused = 5
      else
        own_set.size = own_set.size + 1
        if values then values.size = values.size + 1 end
      end
    end
  end
end

-- 5. Limits, in their order

local function seconds(c, max)
  if c.amount > max or max == 0 then return -1 end
  local missing = c.total + c.amount - max
  for bucket = c.last - RING + 1, c.last - 1 do
    missing = missing - slot(c.ring, bucket)
    if missing <= 0 then
      return math.ceil(((bucket + RING) * c.width - now) / 1000000)
    end
  end
  return math.ceil(((c.last + RING) * c.width - now) / 1000000)
end

local function judge(c, kind, max)
  if c.refused then return c.refused, 0 end
  local sum = c.total + c.amount
  local full = sum > EXACT
  if kind ~= 2 then full = max == 0 or (c.amount > 0 and sum > max) end
  if full then return 1, seconds(c, max) end
  return 0, 0
end

local uses, states, waits, watched_full = {}, {}, {}, false
local status, decided = 0, false
local m
m, at = unpack_('<B', plan, at)
for i = 1, m do
  local index, kind, max
  index, max, kind, at = unpack_('<BdB', plan, at)
  local c = counters[index]
  local state, wait = judge(c, kind, max)
  uses[i], states[i], waits[i] = c, state, wait
  if kind >= 3 then
    c.watched = true
    watched_full = watched_full or state ~= 0 or kind == 4
  elseif state ~= 0 and not decided then
    status = state == 1 and 2 or state
    decided = state > 1 or kind == 0
  end
end

local adding = reserve == 1 and status == 0
local buckets, verdict = {}, {pack('<BB', status, m)}
for i = 1, n do
  local c = counters[i]
  c.adds = adding and c.amount > 0 and not (c.watched and watched_full)
  buckets[i] = c.adds and c.last or 0
end
for i = 1, m do
  verdict[i + 1] = pack('<Bd', states[i], uses[i].adds and uses[i].last or 0)
end

-- 6. Record, then counters

if record ~= '' then
  redis.call('XADD', KEYS[3], '*',
    'o', organization, 'c', record, 'v', table.concat(verdict))
  redis.call('HSET', KEYS[2], '', text(all), organization, text(own))
end

local function remember(key, member, c, life)
  local expired = sets[key].expired
  if #expired > 0 then
    redis.call('ZREM', key, unpack(expired))
    sets[key].expired = {}
  end
  redis.call('ZADD', key, text(now / 1000 + c.life), member)
  if life then redis.call('PEXPIRE', key, life) end
end

for i = 1, n do
  local c = counters[i]
  if c.adds then
    local head = pack('<ddd', c.last, c.total + c.amount, c.current + c.amount)
    if c.moved then
      redis.call('SET', c.key, head .. c.ring, 'PX', text(c.life))
      remember(KEYS[4], sub(c.key, prefix + 1), c, c.new and LONGEST_LIFE)
      if c.set > 0 then
        remember(KEYS[4 + n + c.set], sub(c.key, -32), c, text(c.life))
      end
    else
      redis.call('SETRANGE', c.key, 0, head)
    end
  end
end

return {status, '', states, waits, buckets}
