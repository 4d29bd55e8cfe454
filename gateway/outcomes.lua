-- Appends outcomes to a stream of records: all, or none where the first cannot be.
--
-- KEYS  1 the stream
-- ARGV  for each outcome: the organization's id, the outcome

for i = 1, #ARGV, 2 do
  redis.call('XADD', KEYS[1], '*', 'o', ARGV[i], 'r', ARGV[i + 1])
end
return #ARGV / 2
