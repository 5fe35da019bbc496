-- Cancels a job that waits or runs. Returns the state it was in, or nothing if there is no such job.
local id = ARGV[1]
local state = state_of(id)
if not state then return false end
if may(state, 'canceled') then
  if state == 'queued' then line_remove(id) end
  finish(id, 'canceled', now_ms())
  -- A worker may be writing an image of it just now, and be killed before it can take that back.
  if redis.call('HGET', job_key(id), 'attempt') ~= '0' then redis.call('ZADD', key('leftovers'), now_ms(), id) end
  publish(id, 'canceled', cjson.decode('{}'))
end
return state
