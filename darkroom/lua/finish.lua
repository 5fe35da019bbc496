-- Ends an attempt as succeeded or failed. Returns 1, or the state that stands against it.
local id, attempt, state, field, value, event = unpack(ARGV)
local job = redis.call('HMGET', job_key(id), 'state', 'attempt', 'started_ms', 'cost', 'model')
-- Sent again because the answer was lost: it holds already.
if job[1] == state and job[2] == attempt then return 1 end
if not owns(id, attempt) or not may(job[1], state) then return job[1] or 'gone' end

local now = now_ms()
redis.call('HSET', job_key(id), field, value)
finish(id, state, now)
tell(id, state, cjson.decode(event))
if state == 'succeeded' then
  -- Megapixel-steps a second of one lane, as a moving average over about ten jobs.
  local speed = tonumber(job[4]) / (math.max(1, now - tonumber(job[3])) / 1000)
  local before = tonumber(redis.call('HGET', key('speed'), job[5]) or speed)
  redis.call('HSET', key('speed'), job[5], string.format('%.9g', before + 0.2 * (speed - before)))
  -- Its follow-up work stays here until it is done, in case its message is lost.
  redis.call('ZADD', key('followups'), now, id)
end
return 1
