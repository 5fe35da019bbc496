-- Records steps, (id, attempt, step, steps) each, publishes them, and renews the leases. Returns (id, attempt) of each
-- attempt that no longer owns its job: a worker may hold two of one job.
even_when_full()
local lost = {}
local now = now_ms()
local until_ms = now + tonumber(ARGV[1])
for i = 2, #ARGV, 4 do
  local id, attempt, step, steps = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if owns(id, attempt) and not cancel_if_late(id, now) then
    redis.call('ZADD', key('leases'), until_ms, id)
    -- Sent again, or late, it tells of no step that was told before.
    if tonumber(step) > tonumber(redis.call('HGET', job_key(id), 'step') or '0') then
      redis.call('HSET', job_key(id), 'step', step, 'steps', steps, 'renewed', 1)
      publish(id, 'step', {step = tonumber(step), steps = tonumber(steps)})
    end
  else
    lost[#lost + 1], lost[#lost + 2] = id, attempt
  end
end
return lost
