-- Moves the next job of a model, of the classes given, from its waiting line to a lease. Returns its id and its record,
-- nothing where nobody waits, or that it comes too late. `nonce` is the call's own: sent again, it gets the same job.
-- A job whose own deadline has passed is canceled instead.
even_when_full()
local not_after_ms, nonce, model, worker, lease_ms, max_attempts = unpack(ARGV, 1, 6)
if is_late(not_after_ms) then return {'late', now_ms()} end

local function claimed(id) return {'claimed', id, redis.call('HGETALL', job_key(id))} end

local earlier = redis.call('HMGET', key('claim', nonce), 'job', 'attempt')
if earlier[1] then
  return owns(earlier[1], earlier[2]) and claimed(earlier[1])
end

lease_ms, max_attempts = tonumber(lease_ms), tonumber(max_attempts)
for _, class in ipairs({unpack(ARGV, 7)}) do
  local id, start = next_of(model, class, worker, max_attempts)
  while id do
    line_remove(id)
    local fair = key('fair', model, class)
    -- Virtual time is the start tag of the job in service; an empty line has none.
    if redis.call('EXISTS', fair) == 1 and tonumber(start) > tonumber(redis.call('HGET', fair, ':virtual') or '0') then
      redis.call('HSET', fair, ':virtual', start)
    end
    local now = now_ms()
    if not cancel_if_late(id, now) and may(state_of(id), 'running') then
      local attempt = redis.call('HINCRBY', job_key(id), 'attempt', 1)
      redis.call('HSET', job_key(id), 'state', 'running', 'started_ms', now, 'worker', worker, 'step', 0)
      join_worker(id, model, class, worker, now)
      redis.call('ZADD', key('leases'), now + lease_ms, id)
      redis.call('HSET', key('claim', nonce), 'job', id, 'attempt', attempt)
      redis.call('EXPIRE', key('claim', nonce), MAY_BE_SENT_AGAIN_S)
      if may_be_poison(id, max_attempts) then redis.call('SADD', key('poison'), id) end
      publish(id, 'started', {attempt = attempt})
      return claimed(id)
    end
    -- A line may hold a job that is gone only after a Redis restored from an older file.
    redis.call('ZREM', line_key(model, class), id)
    id, start = next_of(model, class, worker, max_attempts)
  end
end
return false
