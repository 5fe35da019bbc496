-- The oldest jobs that ended before a moment, at most so many, each with how many images it was to make. For a while no
-- other round gets them, for rounds overlap; then they are due again, should this one be interrupted.
even_when_full()
local before_ms, again_ms, most = ARGV[1], ARGV[2], ARGV[3]
local old = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('final'), '-inf', before_ms, 'LIMIT', 0, most)) do
  redis.call('ZADD', key('final'), before_ms + again_ms, id)
  old[#old + 1] = {id, cjson.decode(redis.call('HGET', job_key(id), 'request')).n}
end
return old
