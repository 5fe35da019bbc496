-- Renews the leases of (id, attempt) pairs. Returns the ids that this worker lost.
local lost = {}
local now = now_ms()
local until_ms = now + tonumber(ARGV[1])
for i = 2, #ARGV, 2 do
  if owns(ARGV[i], ARGV[i + 1]) and not cancel_if_late(ARGV[i], now) then
    redis.call('ZADD', key('leases'), until_ms, ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
