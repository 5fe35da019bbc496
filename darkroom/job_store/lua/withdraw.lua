-- Undoes an enqueue whose wake-up could not be published, or whose answer never came. Returns 1, or 0 where the job must
-- stay: a worker has had it, or the same Idempotency-Key was answered with it meanwhile. `refused`: its client was told
-- already that there is none; so one that a worker has had is canceled.
even_when_full()
local id, refused = ARGV[1], ARGV[2]
local job = redis.call('HMGET', job_key(id), 'state', 'owner', 'attempt', 'repeated', 'model', 'class', 'cost', 'weight')
if job[1] and (job[1] ~= 'queued' or job[3] ~= '0' or job[4]) then
  if refused and not job[4] and may(job[1], 'canceled') then cancel(id, job[1], now_ms()) end
  return 0
end
-- Its enqueue may still be on the way.
mark_as_gone(id)
if not job[1] then return 1 end
line_remove(id)
release_inputs(id)
-- Its owner's next job does not stand behind it.
local fair, owner = key('fair', job[5], job[6]), job[2]
local finish_tag = redis.call('HGET', fair, owner)
if finish_tag then
  redis.call('HSET', fair, owner, string.format('%.9f', finish_tag - tonumber(job[7]) / tonumber(job[8] or '1')))
end
redis.call('DEL', job_key(id), key('events', id))
redis.call('ZREM', key('jobs', owner), id)
redis.call('ZREM', key('deadlines'), id)
return 1
