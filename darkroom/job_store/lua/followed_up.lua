-- Records the thumbnails of a job, and that its follow-up work is done. Returns 0 if the job is gone.
even_when_full()
local id, images = ARGV[1], ARGV[2]
redis.call('ZREM', key('followups'), id)
if state_of(id) ~= 'succeeded' then return 0 end
redis.call('HSET', job_key(id), 'images', images)
return 1
