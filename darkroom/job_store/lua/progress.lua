-- Records steps, (id, attempt, step, steps) each, publishes them, and renews the leases. Returns the ids of jobs that this
-- worker lost.
local lost = {}
local now = now_ms()
local until_ms = now + tonumber(ARGV[1])
for i = 2, #ARGV, 4 do
  local id, attempt, step, steps = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if owns(id, attempt) and not cancel_if_late(id, now) then
    redis.call('HSET', job_key(id), 'step', step, 'steps', steps)
    redis.call('ZADD', key('leases'), until_ms, id)
    publish(id, 'step', {step = tonumber(step), steps = tonumber(steps)})
  else
    lost[#lost + 1] = id
  end
end
return lost
