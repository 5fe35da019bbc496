-- Forgets an input that no job needs, if it was to be kept no longer than until then. Returns 1 if its file is to go.
local id, until_ms = ARGV[1], tonumber(ARGV[2])
if redis.call('EXISTS', key('input_jobs', id)) == 1 then
  redis.call('ZREM', key('inputs_unused'), id)
  return 0
end
local input = redis.call('HMGET', key('input', id), 'owner', 'sha256', 'kept_until_ms')
if input[1] then
  if tonumber(input[3]) > until_ms then return 0 end
  redis.call('DEL', key('input', id))
  if redis.call('HGET', key('inputs_of', input[1]), input[2]) == id then
    redis.call('HDEL', key('inputs_of', input[1]), input[2])
  end
end
redis.call('ZREM', key('inputs_unused'), id)
-- From here on nobody can ask for it, and should this process die, the file is still known.
redis.call('ZADD', key('input_files'), now_ms(), id)
return 1
