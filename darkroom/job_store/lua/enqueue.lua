-- Writes a new job's record and puts it in its model's waiting line, or says why not.
local id, owner, model, class, cost, weight, request = unpack(ARGV, 1, 7)
local most_for_model, most_for_owner = tonumber(ARGV[8]), tonumber(ARGV[9])
local repeat_key, fingerprint, repeat_ttl_s = ARGV[10], ARGV[11], ARGV[12]
local deadline_ms, inputs = tonumber(ARGV[13]), ARGV[14]

-- The client library sends a script again when an answer was lost on the way.
if redis.call('EXISTS', job_key(id)) == 1 then return {'queued', id} end

if repeat_key ~= '' then
  repeat_key = key('idempotency', owner, repeat_key)
  local earlier = redis.call('HMGET', repeat_key, 'job', 'fingerprint')
  -- A job that was deleted since is made again.
  if earlier[1] and redis.call('EXISTS', job_key(earlier[1])) == 1 then
    if earlier[2] ~= fingerprint then return {'conflict', earlier[1]} end
    -- From now on another client knows of it: it is not withdrawn any more.
    if state_of(earlier[1]) == 'queued' then redis.call('HSET', job_key(earlier[1]), 'repeated', 1) end
    return {'repeated', earlier[1]}
  end
end

if line_length(model) >= most_for_model then return {'line_full'} end
local own = tonumber(redis.call('HGET', key('line_owners', model), owner) or '0')
if own >= most_for_owner then return {'owner_full'} end

for input in inputs:gmatch('%S+') do
  if redis.call('HGET', key('input', input), 'owner') ~= owner then return {'input_gone', input} end
end

-- Start-time fair queueing (Goyal, Vin, Cheng 1996): a job's start tag is the line's virtual time or the
-- finish tag of its owner's last job, whichever is later; its finish tag is start + cost / weight.
local fair = key('fair', model, class)
local virtual = tonumber(redis.call('HGET', fair, ':virtual') or '0')
local start = math.max(virtual, tonumber(redis.call('HGET', fair, owner) or '0'))
redis.call('HSET', fair, owner, string.format('%.9f', start + tonumber(cost) / tonumber(weight)))

local now = now_ms()
redis.call('HSET', job_key(id), 'owner', owner, 'model', model, 'class', class, 'cost', cost,
  'request', request, 'state', 'queued', 'attempt', 0, 'created_ms', now)
if deadline_ms > 0 then redis.call('ZADD', key('deadlines'), now + deadline_ms, id) end
if inputs ~= '' then redis.call('HSET', job_key(id), 'inputs', inputs) end
for input in inputs:gmatch('%S+') do
  redis.call('SADD', key('input_jobs', input), id)
  redis.call('ZREM', key('inputs_unused'), input)
end
line_add(id, model, class, string.format('%.9f', start), cost, owner)
redis.call('ZADD', key('jobs', owner), 0, id)
redis.call('SADD', key('models'), model)
if repeat_key ~= '' then
  redis.call('HSET', repeat_key, 'job', id, 'fingerprint', fingerprint)
  redis.call('EXPIRE', repeat_key, repeat_ttl_s)
end
return {'queued', id}
