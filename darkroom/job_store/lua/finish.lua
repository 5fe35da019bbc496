-- Ends an attempt as succeeded or failed. Returns 1, or the state that stands against it.
even_when_full()
local id, attempt, state, field, value, event = unpack(ARGV)
local job = redis.call('HMGET', job_key(id), 'state', 'attempt', 'cost', 'model', 'class')
-- Sent again because the answer was lost: it holds already.
if job[1] == state and job[2] == attempt then return 1 end
if not owns(id, attempt) or not may(job[1], state) then return job[1] or 'gone' end
local now = now_ms()
-- Whoever gave a deadline has stopped waiting, and was perhaps told so already.
if cancel_if_late(id, now) then return 'canceled' end

-- Sums of jobs, megapixel-steps, seconds and concurrency times seconds, of which each new job makes the older ones fade.
local function measure(cell, keep, work, seconds, concurrency)
  local before, sums = redis.call('HGET', key('speeds', job[4]), cell) or '0 0 0 0', {}
  for sum in before:gmatch('%S+') do sums[#sums + 1] = tonumber(sum) * keep end
  redis.call('HSET', key('speeds', job[4]), cell, string.format('%.6g %.6g %.6g %.6g',
    sums[1] + 1, sums[2] + work, sums[3] + seconds, sums[4] + concurrency * seconds))
end

-- Jobs of a size among so many others, and of all sizes: in powers of two, so that a few dozen cells hold all there is.
local function measure_speed(work, seconds, concurrency)
  local size, among = math.floor(math.log(work) / math.log(2)), math.floor(math.log(concurrency) / math.log(2) + 0.5)
  measure(table.concat({job[5], size, among}, ' '), 0.9, work, seconds, concurrency)
  measure(table.concat({job[5], 'all', among}, ' '), 0.95, work, seconds, concurrency)
end

redis.call('HSET', job_key(id), field, value)
local seconds, concurrency = finish(id, state, now)
publish(id, state, cjson.decode(event))
if state == 'succeeded' then
  if seconds then measure_speed(tonumber(job[3]), seconds, concurrency) end
  -- Its follow-up work stays here until it is done, in case its message is lost.
  redis.call('ZADD', key('followups'), now, id)
end
return 1
