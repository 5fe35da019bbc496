-- Puts a running job back at the head of its line, and notes in its history why. A job with too many failed attempts
-- fails instead, with the failure given, and goes on the dead-letter list. No failed attempt is that a worker stops in
-- order (`given_back`), or never heard that it has the job (`claim_lost`). Returns the state that it ends in, or 'kept'
-- where there is nothing to put back.
even_when_full()
local id, attempt, reason, max_attempts, failure = unpack(ARGV)

-- Sent again because the answer was lost: the same answer. Rounds of housekeeping overlap, and one is enough.
local function was_put_back()
  if reason == 'worker_lost' then return false end
  local history = cjson.decode(redis.call('HGET', job_key(id), 'history') or '[]')
  local last = history[#history]
  return last and last.attempt == tonumber(attempt) and last.reason == reason
end

if not owns(id, attempt) or not may('running', 'queued') then
  if not was_put_back() then return 'kept' end
  return state_of(id) == 'failed' and 'failed' or 'queued'
end
local now = now_ms()
if reason == 'worker_lost' then
  local lease = redis.call('ZSCORE', key('leases'), id)
  if lease and tonumber(lease) > now then return 'kept' end
  -- A worker renews a lease as soon as it has the job.
  if redis.call('HGET', job_key(id), 'renewed') ~= '1' then reason = 'claim_lost' end
end
remember(id, tonumber(attempt), reason, now)
local is_failed_attempt = reason ~= 'given_back' and reason ~= 'claim_lost'
if is_failed_attempt and redis.call('HINCRBY', job_key(id), 'failed_attempts', 1) >= tonumber(max_attempts) then
  redis.call('HSET', job_key(id), 'failure', failure)
  finish(id, 'failed', now)
  redis.call('ZADD', key('dead'), now, id)
  publish(id, 'failed', {error = cjson.decode(failure)})
  return 'failed'
end
local job = redis.call('HMGET', job_key(id), 'model', 'class', 'cost', 'owner', 'created_ms')
leave_worker(id, now)
redis.call('HSET', job_key(id), 'state', 'queued', 'step', 0)
redis.call('HDEL', job_key(id), 'started_ms', 'worker')
redis.call('ZREM', key('leases'), id)
redis.call('DEL', key('preview', id))
-- Start tags are never negative, so these come first, and among themselves the oldest.
line_add(id, job[1], job[2], tonumber(job[5]) - 1e13, job[3], job[4])
publish(id, 'queued', {attempt = tonumber(attempt), reason = reason})
return 'queued'
