-- Deliveries of webhooks that are due, at most so many, as 'job event'. For a while nobody else gets them; then they are
-- due again, should whoever took them be killed.
even_when_full()
local most, again_ms = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = now_ms()
local due = redis.call('ZRANGEBYSCORE', key('webhooks_due'), '-inf', now, 'LIMIT', 0, most)
for _, delivery in ipairs(due) do redis.call('ZADD', key('webhooks_due'), now + again_ms, delivery) end
return due
