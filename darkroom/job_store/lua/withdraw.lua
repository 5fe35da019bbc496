-- Undoes an enqueue whose wake-up could not be published. Returns 1, or 0 where the job must stay: a worker has had it,
-- or the same Idempotency-Key was answered with it meanwhile.
local id = ARGV[1]
local job = redis.call('HMGET', job_key(id), 'state', 'owner', 'attempt', 'repeated')
if not job[1] then return 1 end
if job[1] ~= 'queued' or job[3] ~= '0' or job[4] then return 0 end
line_remove(id)
release_inputs(id)
redis.call('DEL', job_key(id), key('events', id))
redis.call('ZREM', key('jobs', job[2]), id)
redis.call('ZREM', key('deadlines'), id)
return 1
