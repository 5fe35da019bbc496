-- Moves the next job of a model, of the classes given, from its waiting line to a lease. Returns its id, or nothing.
-- One whose own deadline has passed is canceled instead.
local model, worker, lease_ms, max_attempts = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
for _, class in ipairs({unpack(ARGV, 5)}) do
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
      if may_be_poison(id, max_attempts) then redis.call('SADD', key('poison'), id) end
      publish(id, 'started', {attempt = attempt})
      return id
    end
    -- A line may hold a job that is gone only after a Redis restored from an older file.
    redis.call('ZREM', line_key(model, class), id)
    id, start = next_of(model, class, worker, max_attempts)
  end
end
return false
