-- Renews the leases of (id, attempt) pairs. Returns the pairs that lost their job.
even_when_full()
local lost = {}
local now = now_ms()
local until_ms = now + tonumber(ARGV[1])
for i = 2, #ARGV, 2 do
  local id, attempt = ARGV[i], ARGV[i + 1]
  if owns(id, attempt) and not cancel_if_late(id, now) then
    redis.call('ZADD', key('leases'), until_ms, id)
    redis.call('HSET', job_key(id), 'renewed', 1)
  else
    lost[#lost + 1], lost[#lost + 2] = id, attempt
  end
end
return lost
