-- Writes a new job's record and puts it in its model's waiting line. Returns the record, or why not.
local not_after_ms, id, owner, model, class, cost, weight, request = unpack(ARGV, 1, 8)
local most_for_model, most_for_owner = tonumber(ARGV[9]), tonumber(ARGV[10])
local repeat_key, fingerprint, repeat_ttl_s = ARGV[11], ARGV[12], ARGV[13]
local deadline_ms, inputs = tonumber(ARGV[14]), ARGV[15]
-- Of the owner, 0 where there is no bound: jobs that wait or run, and megapixel-steps of a day. An API process of the
-- version before, which goes on during an upgrade, sends neither.
local most_unfinished, most_daily = tonumber(ARGV[16] or '0'), tonumber(ARGV[17] or '0')

local webhook, webhook_events = ARGV[18] or '', ARGV[19] or ''

local function answer(word, of) return {word, of, redis.call('HGETALL', job_key(of))} end

-- Sent again because the answer was lost: it is there already, or was there and is gone.
if redis.call('EXISTS', job_key(id)) == 1 then return answer('queued', id) end
if is_late(not_after_ms) or redis.call('EXISTS', key('gone', id)) == 1 then return {'late', now_ms()} end

if repeat_key ~= '' then
  repeat_key = key('idempotency', owner, repeat_key)
  local earlier = redis.call('HMGET', repeat_key, 'job', 'fingerprint')
  -- A job that was deleted since is made again.
  if earlier[1] and redis.call('EXISTS', job_key(earlier[1])) == 1 then
    if earlier[2] ~= fingerprint then return {'conflict', earlier[1]} end
    -- From now on another client knows of it: it is not withdrawn any more.
    if state_of(earlier[1]) == 'queued' then redis.call('HSET', job_key(earlier[1]), 'repeated', 1) end
    return answer('repeated', earlier[1])
  end
end

-- A job that waits grows by its events and images until it has ended, so those in line have their room already; the
-- reserve is for what runs, and for messages. To ask takes Redis 50 microseconds: what it says holds for a moment.
local GROWS_BY_BYTES, RESERVE, HOLDS_MS = 6000, 0.1, 250

local function has_room()
  local now = now_ms()
  if now < tonumber(redis.call('GET', key('room')) or '0') then return true end
  local told = redis.pcall('INFO', 'memory')
  -- A user of Redis that may not ask is not bounded by us.
  if type(told) ~= 'string' then return true end
  local used, most = tonumber(told:match('used_memory:(%d+)')), tonumber(told:match('maxmemory:(%d+)') or '0')
  if most > 0 then
    local waiting = 0
    for _, name in ipairs(redis.call('SMEMBERS', key('models'))) do waiting = waiting + line_length(name) end
    if used + waiting * GROWS_BY_BYTES > most * (1 - RESERVE) then return false end
  end
  redis.call('SET', key('room'), now + HOLDS_MS)
  return true
end

if not has_room() then return {'store_full'} end
if line_length(model) >= most_for_model then return {'line_full'} end
local own = tonumber(redis.call('HGET', key('line_owners', model), owner) or '0')
if own >= most_for_owner then return {'owner_full'} end
if most_unfinished > 0 and tonumber(redis.call('HGET', key('unfinished'), owner) or '0') >= most_unfinished then
  return {'unfinished_full'}
end
if most_daily > 0 then
  local now = now_ms()
  local used = redis.call('HGET', usage_key(owner, now), 'work') or '0'
  -- Sums of fractions are never exact; a millionth of the bound hurts nobody.
  if tonumber(used) + tonumber(cost) > most_daily * 1.000001 then
    return {'daily_full', used, math.ceil((DAY_MS - now % DAY_MS) / 1000)}
  end
end

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
if webhook ~= '' then redis.call('HSET', job_key(id), 'webhook', webhook, 'webhook_events', webhook_events) end
if inputs ~= '' then redis.call('HSET', job_key(id), 'inputs', inputs) end
for input in inputs:gmatch('%S+') do
  redis.call('SADD', key('input_jobs', input), id)
  redis.call('ZREM', key('inputs_unused'), input)
end
-- What its owner's finish tag was raised by; a withdrawal needs it.
if tonumber(weight) ~= 1 then redis.call('HSET', job_key(id), 'weight', weight) end
line_add(id, model, class, string.format('%.9f', start), cost, owner)
redis.call('ZADD', key('jobs', owner), 0, id)
redis.call('SADD', key('models'), model)
redis.call('HINCRBY', key('unfinished'), owner, 1)
count_usage(owner, model, cost, now)
if repeat_key ~= '' then
  redis.call('HSET', repeat_key, 'job', id, 'fingerprint', fingerprint)
  redis.call('EXPIRE', repeat_key, repeat_ttl_s)
end
return answer('queued', id)
