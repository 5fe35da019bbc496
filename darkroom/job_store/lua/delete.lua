-- Removes every trace of these jobs, as far as they are final. Returns how many are gone now: not those that wait or run.
even_when_full()
local now, gone = now_ms(), 0

local function delete(id)
  local job = redis.call('HMGET', job_key(id), 'state', 'owner', 'attempt', 'finished_ms', 'created_ms')
  if not job[1] then return 1 end
  if next(NEXT[job[1]]) ~= nil then return 0 end
  release_inputs(id)
  redis.call('DEL', job_key(id), key('events', id))
  for _, event in ipairs(WEBHOOK_EVENTS) do
    redis.call('DEL', key('webhook', id, event))
    redis.call('ZREM', key('webhooks_due'), id .. ' ' .. event)
  end
  redis.call('ZREM', key('jobs', job[2]), id)
  redis.call('ZREM', key('final'), id)
  redis.call('ZREM', key('followups'), id)
  redis.call('ZREM', key('dead'), id)
  if now - tonumber(job[5]) < MAY_BE_SENT_AGAIN_S * 1000 then mark_as_gone(id) end
  -- A worker may be writing a file of it just now, and be killed before it can take that back.
  if job[3] ~= '0' and now - tonumber(job[4] or '0') < 3600000 then redis.call('ZADD', key('leftovers'), now, id) end
  return 1
end

for _, id in ipairs(ARGV) do gone = gone + delete(id) end
return gone
