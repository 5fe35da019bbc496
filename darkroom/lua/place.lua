-- Where a waiting job stands: how many are before it, and the work before it in megapixel-steps.
local id = ARGV[1]
local job = redis.call('HMGET', job_key(id), 'model', 'class')
if not job[1] then return false end
local position = line_position(id, job[1], job[2])
if not position then return false end
local cost = redis.call('HMGET', key('line_cost', job[1]), 'interactive', 'bulk')
local before, own = 0, tonumber(cost[1] or '0')
if job[2] == 'bulk' then before, own = own, tonumber(cost[2] or '0') end
local rank = redis.call('ZRANK', line_key(job[1], job[2]), id)
-- The work before it in its own class is taken in proportion; a sum over the line would take as long as it is.
local ahead = before + own * rank / redis.call('ZCARD', line_key(job[1], job[2]))
return {position, string.format('%.9g', ahead)}
