-- Where a waiting job stands: how many are before it, and the work before it in megapixel-steps; then the same of those
-- of its own class alone.
local id = ARGV[1]
local job = redis.call('HMGET', job_key(id), 'model', 'class')
if not job[1] then return false end
local model, class = job[1], job[2]
local rank = redis.call('ZRANK', line_key(model, class), id)
if not rank then return false end
local cost = redis.call('HMGET', key('line_cost', model), 'interactive', 'bulk')
local jobs, work, own = 0, 0, tonumber(cost[1] or '0')
if class == 'bulk' then
  jobs, work, own = redis.call('ZCARD', line_key(model, 'interactive')), own, tonumber(cost[2] or '0')
end
-- The work before it in its own class is taken in proportion; a sum over the line would take as long as it is.
local ahead = own * rank / redis.call('ZCARD', line_key(model, class))
return {jobs + rank, string.format('%.9g', work + ahead), rank, string.format('%.9g', ahead)}
