-- Cancels a job that waits or runs; told `late`, only where its own deadline has passed. Returns the state it was in, or
-- nothing if there is no such job, or none that is late.
even_when_full()
local id, only = ARGV[1], ARGV[2]
local state, now = state_of(id), now_ms()
if only == 'late' then return cancel_if_late(id, now) and state end
if not state then return false end
if may(state, 'canceled') then cancel(id, state, now) end
return state
