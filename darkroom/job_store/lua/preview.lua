-- Keeps the newest preview of a running job, in place of the one before, and wakes its watchers. It is no event of the
-- job's own stream, where it would take the place of what must be kept. Returns 1, or 0 if this attempt lost the job.
local id, attempt, kept_s, step, preview = unpack(ARGV)
if not owns(id, attempt) then return 0 end
local newest = redis.call('XREVRANGE', key('preview', id), '+', '-', 'COUNT', 1)[1]
-- Sent again, or late, it takes the place of none. An entry's last value is its step.
if newest and tonumber(newest[2][#newest[2]]) >= tonumber(step) then return 1 end
redis.call('XADD', key('preview', id), 'MAXLEN', 1, '*', 'type', 'preview', 'data', preview, 'step', step)
redis.call('EXPIRE', key('preview', id), kept_s)
redis.call('PUBLISH', key('changed', id), 'preview')
return 1
