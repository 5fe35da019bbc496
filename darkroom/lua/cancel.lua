-- Cancels a job that waits or runs. Returns the state it was in, or nothing if there is no such job.
local id = ARGV[1]
local state = state_of(id)
if not state then return false end
if may(state, 'canceled') then
  if state == 'queued' then line_remove(id) end
  finish(id, 'canceled', now_ms())
  tell(id, 'canceled', cjson.decode('{}'))
end
return state
