-- Puts a running job back at the head of its line: its worker gave it back, or was lost.
-- Returns the state that it ends in, or 'kept' where there is nothing to put back.
local id, attempt, reason, most_lost = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if not owns(id, attempt) or not may('running', 'queued') then return 'kept' end
local now = now_ms()
if reason == 'worker_lost' then
  local lease = redis.call('ZSCORE', key('leases'), id)
  if lease and tonumber(lease) > now then return 'kept' end
  if redis.call('HINCRBY', job_key(id), 'lost', 1) >= most_lost then
    local failure = {code = 'worker_lost', message = ARGV[5]}
    redis.call('HSET', job_key(id), 'failure', cjson.encode(failure))
    finish(id, 'failed', now)
    tell(id, 'failed', {error = failure})
    return 'failed'
  end
end
local job = redis.call('HMGET', job_key(id), 'model', 'class', 'cost', 'owner', 'created_ms')
redis.call('HSET', job_key(id), 'state', 'queued', 'step', 0)
redis.call('HDEL', job_key(id), 'started_ms', 'worker')
redis.call('ZREM', key('leases'), id)
-- Start tags are never negative, so these come first, and among themselves the oldest.
line_add(id, job[1], job[2], tonumber(job[5]) - 1e13, job[3], job[4])
tell(id, 'queued', {attempt = tonumber(attempt), reason = reason})
return 'queued'
