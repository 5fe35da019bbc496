-- Removes every trace of a job that is final. Returns 1, or 0 if it waits or runs.
local id = ARGV[1]
local job = redis.call('HMGET', job_key(id), 'state', 'owner')
if not job[1] then return 1 end
if next(NEXT[job[1]]) ~= nil then return 0 end
redis.call('DEL', job_key(id), key('events', id))
redis.call('ZREM', key('jobs', job[2]), id)
redis.call('ZREM', key('final'), id)
redis.call('ZREM', key('followups'), id)
redis.call('ZREM', key('dead'), id)
return 1
