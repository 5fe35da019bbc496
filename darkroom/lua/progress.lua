-- Records a step, tells watchers, and renews the lease. Returns 1, or 0 if this attempt lost the job.
local id, attempt, step, steps, lease_ms = unpack(ARGV)
if not owns(id, attempt) then return 0 end
redis.call('HSET', job_key(id), 'step', step, 'steps', steps)
redis.call('ZADD', key('leases'), now_ms() + tonumber(lease_ms), id)
tell(id, 'step', {step = tonumber(step), steps = tonumber(steps)})
return 1
