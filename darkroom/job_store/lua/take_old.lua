-- The oldest jobs that ended before a moment, at most so many. For a while no other round gets them, for rounds overlap;
-- then they are due again, should this one be interrupted.
even_when_full()
local before_ms, again_ms, most = ARGV[1], ARGV[2], ARGV[3]
local ids = redis.call('ZRANGEBYSCORE', key('final'), '-inf', before_ms, 'LIMIT', 0, most)
for _, id in ipairs(ids) do redis.call('ZADD', key('final'), before_ms + again_ms, id) end
return ids
