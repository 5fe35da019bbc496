-- Put before every script. Before this one stand NEXT, the table of transitions, and PREFIX, the keys' names (keys.py).
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- What a process has given up on must not happen any more: its own caller was told so. Asked with its `not_after_ms`.
local function is_late(not_after_ms) return now_ms() > tonumber(not_after_ms) end

local function key(name, ...) return table.concat({assert(PREFIX[name], name), ...}, ':') end

-- What ends, moves or frees a job goes on in a Redis that is full, which refuses a script whose first write takes memory,
-- and none that has written before. (Redis 7 has `allow-oom` for it, Redis 6 does not know it.)
local function even_when_full() redis.call('DEL', '') end

local function job_key(id) return key('job', id) end

local function state_of(id) return redis.call('HGET', job_key(id), 'state') end

local function may(from, to) return from and NEXT[from] ~= nil and NEXT[from][to] == true end

-- Whether this attempt still owns the job. Everything a worker writes asks this first.
local function owns(id, attempt)
  local job = redis.call('HMGET', job_key(id), 'state', 'attempt')
  return job[1] == 'running' and job[2] == attempt
end

-- A webhook is owed from the same moment as its event is there, once for each of a job's kinds of event.
local WEBHOOK_EVENTS = {'started', 'succeeded', 'failed', 'canceled'}

local function owe_webhook(id, kind, now)
  if kind == 'step' or kind == 'queued' then return end
  local wanted = redis.call('HGET', job_key(id), 'webhook_events')
  if not wanted or not (' ' .. wanted .. ' '):find(' ' .. kind .. ' ', 1, true) then return end
  if redis.call('HSETNX', key('webhook', id, kind), 'at_ms', now) == 1 then
    redis.call('ZADD', key('webhooks_due'), now, id .. ' ' .. kind)
  end
end

-- An event is kept for late watchers, and its channel wakes those who wait.
local function publish(id, kind, fields)
  fields.at_ms = now_ms()
  redis.call('XADD', key('events', id), 'MAXLEN', '~', 2000, '*', 'type', kind, 'data', cjson.encode(fields))
  redis.call('PUBLISH', key('changed', id), kind)
  owe_webhook(id, kind, fields.at_ms)
  -- Who waits for the end alone is not woken at each step.
  if NEXT[kind] and next(NEXT[kind]) == nil then redis.call('PUBLISH', key('ended', id), kind) end
end

-- A waiting line is two sorted sets, interactive before bulk. `cost` is the work that waits in each.
local function line_key(model, class) return key('line', model, class) end

local function line_add(id, model, class, score, cost, owner)
  redis.call('ZADD', line_key(model, class), score, id)
  redis.call('HINCRBYFLOAT', key('line_cost', model), class, cost)
  redis.call('HINCRBY', key('line_owners', model), owner, 1)
  -- Workers keep a lane for these, and a thread may wait there.
  if class == 'interactive' then redis.call('PUBLISH', key('line_bell', model), id) end
end

local function line_remove(id)
  local job = redis.call('HMGET', job_key(id), 'model', 'class', 'cost', 'owner')
  local model, class, cost, owner = job[1], job[2], job[3], job[4]
  if not model or redis.call('ZREM', line_key(model, class), id) == 0 then return end
  if redis.call('EXISTS', line_key(model, class)) == 0 then
    -- Nobody waits: the busy period ends, everyone starts level, and rounding never adds up.
    redis.call('HDEL', key('line_cost', model), class)
    redis.call('DEL', key('fair', model, class))
  else
    redis.call('HINCRBYFLOAT', key('line_cost', model), class, -tonumber(cost))
  end
  if redis.call('HINCRBY', key('line_owners', model), owner, -1) <= 0 then
    redis.call('HDEL', key('line_owners', model), owner)
  end
end

local function line_length(model)
  return redis.call('ZCARD', line_key(model, 'interactive')) + redis.call('ZCARD', line_key(model, 'bulk'))
end

-- A job with two failed attempts, or with but one left, may be a poison job: what its workers die of. A worker has one
-- such job at a time, so that none is lost for good with another. One loss does not count: an ordinary crash shall not
-- cost a whole batch its speed.
local function may_be_poison(id, max_attempts)
  local failed = tonumber(redis.call('HGET', job_key(id), 'failed_attempts') or '0')
  return failed > 0 and failed >= math.min(2, max_attempts - 1)
end

local function runs_poison(worker)
  for _, id in ipairs(redis.call('SMEMBERS', key('poison'))) do
    local job = redis.call('HMGET', job_key(id), 'state', 'worker')
    if job[1] ~= 'running' then
      redis.call('SREM', key('poison'), id)
    elseif job[2] == worker then
      return true
    end
  end
  return false
end

-- Such jobs stand at the head of a line. Behind so many, nobody would look for others.
local MOST_PASSED_OVER = 200

-- What this worker may claim next: id and start tag, or nothing.
local function next_of(model, class, worker, max_attempts)
  local must_pass = nil
  for rank = 0, MOST_PASSED_OVER do
    local entry = redis.call('ZRANGE', line_key(model, class), rank, rank, 'WITHSCORES')
    if not entry[1] or not may_be_poison(entry[1], max_attempts) then return entry[1], entry[2] end
    if must_pass == nil then must_pass = runs_poison(worker) end
    if not must_pass then return entry[1], entry[2] end
  end
end

-- Within this a script may still be sent again. What was made and removed meanwhile is not made a second time.
local MAY_BE_SENT_AGAIN_S = 60

local function mark_as_gone(id) redis.call('SET', key('gone', id), 1, 'EX', MAY_BE_SENT_AGAIN_S) end

-- How attempts ended that made nothing: what an operator sees of a dead job. Rolling restarts must not let it grow.
local MOST_REMEMBERED = 20

local function remember(id, attempt, reason, now)
  local job = redis.call('HMGET', job_key(id), 'history', 'worker')
  local history = cjson.decode(job[1] or '[]')
  history[#history + 1] = {attempt = attempt, worker = job[2] or '', reason = reason, at_ms = now}
  if #history > MOST_REMEMBERED then table.remove(history, 1) end
  redis.call('HSET', job_key(id), 'history', cjson.encode(history))
end

-- Jobs under way at a worker, by class, and their numbers summed over time: speeds are measured by concurrency.
-- While interactive jobs are under way, bulk ones pause. Returns the sum for this class, and the time of pauses.
local function change_concurrency(worker, class, change, now)
  local concurrency = key('concurrency', worker)
  local kept = redis.call('HMGET', concurrency, 'at_ms', 'interactive', 'bulk', 'interactive_ms', 'bulk_ms', 'paused_ms')
  local jobs = {interactive = tonumber(kept[2] or '0'), bulk = tonumber(kept[3] or '0')}
  local ms = {interactive = tonumber(kept[4] or '0'), bulk = tonumber(kept[5] or '0')}
  local paused_ms, passed = tonumber(kept[6] or '0'), now - tonumber(kept[1] or now)
  if jobs.interactive > 0 then
    ms.interactive, paused_ms = ms.interactive + jobs.interactive * passed, paused_ms + passed
  else
    ms.bulk = ms.bulk + jobs.bulk * passed
  end
  jobs[class] = jobs[class] + change
  if jobs.interactive + jobs.bulk == 0 then
    redis.call('DEL', concurrency)
  else
    redis.call('HSET', concurrency, 'at_ms', now, 'interactive', jobs.interactive, 'bulk', jobs.bulk,
      'interactive_ms', string.format('%.0f', ms.interactive), 'bulk_ms', string.format('%.0f', ms.bulk),
      'paused_ms', string.format('%.0f', paused_ms))
  end
  return ms[class], paused_ms
end

local function join_worker(id, model, class, worker, now)
  redis.call('HINCRBY', key('running', model), class, 1)
  local concurrency_ms, paused_ms = change_concurrency(worker, class, 1, now)
  redis.call('HSET', job_key(id), 'concurrency_ms', string.format('%.0f', concurrency_ms),
    'paused_ms', string.format('%.0f', paused_ms))
end

-- Returns the seconds that a job was under way without pauses, and how many shared them on average, itself among them;
-- nothing if it never ran.
local function leave_worker(id, now)
  local job = redis.call('HMGET', job_key(id), 'concurrency_ms', 'paused_ms', 'model', 'class', 'worker', 'started_ms')
  if not job[1] then return nil end
  redis.call('HDEL', job_key(id), 'concurrency_ms', 'paused_ms', 'renewed')
  local running = key('running', job[3])
  if redis.call('HINCRBY', running, job[4], -1) == 0 then redis.call('HDEL', running, job[4]) end
  local concurrency_ms, paused_ms = change_concurrency(job[5], job[4], -1, now)
  local taken_ms = math.max(1, now - tonumber(job[6]))
  local active_ms = taken_ms
  -- A pause is no standstill: steps are made while images of others are stored.
  if job[4] == 'bulk' then active_ms = math.max(0.1 * taken_ms, taken_ms - (paused_ms - tonumber(job[2]))) end
  return active_ms / 1000, math.max(1, (concurrency_ms - tonumber(job[1])) / active_ms)
end

-- What an owner asked for on a day of UTC: jobs and megapixel-steps, in all and by model.
local DAY_MS, USAGE_KEPT_S = 86400000, 40 * 86400

local function usage_key(owner, at_ms)
  local day = string.format('%d', math.floor(at_ms / DAY_MS))
  return key('usage', owner, day)
end

local function count_usage(owner, model, cost, at_ms)
  local usage = usage_key(owner, at_ms)
  redis.call('HINCRBY', usage, 'jobs', 1)
  redis.call('HINCRBYFLOAT', usage, 'work', cost)
  redis.call('HINCRBY', usage, 'jobs ' .. model, 1)
  redis.call('HINCRBYFLOAT', usage, 'work ' .. model, cost)
  redis.call('EXPIRE', usage, USAGE_KEPT_S)
end

-- Of a job that no worker has had.
local function give_back_usage(id)
  local job = redis.call('HMGET', job_key(id), 'owner', 'model', 'cost', 'created_ms', 'attempt')
  if job[5] ~= '0' then return end
  local usage = usage_key(job[1], tonumber(job[4]))
  if redis.call('HINCRBY', usage, 'jobs', -1) <= 0 then
    redis.call('DEL', usage)
  else
    redis.call('HINCRBYFLOAT', usage, 'work', -tonumber(job[3]))
    redis.call('HINCRBY', usage, 'jobs ' .. job[2], -1)
    redis.call('HINCRBYFLOAT', usage, 'work ' .. job[2], -tonumber(job[3]))
  end
end

-- Jobs of an owner that wait or run are counted, for a bound on them.
local function leave_unfinished(id)
  local owner = redis.call('HGET', job_key(id), 'owner')
  if redis.call('HINCRBY', key('unfinished'), owner, -1) <= 0 then redis.call('HDEL', key('unfinished'), owner) end
end

-- A final job stays for the retention time, then the housekeeper removes it with its images. Returns as leave_worker.
local function finish(id, state, now)
  local seconds, concurrency = leave_worker(id, now)
  leave_unfinished(id)
  redis.call('HSET', job_key(id), 'state', state, 'finished_ms', now)
  redis.call('ZREM', key('leases'), id)
  redis.call('ZREM', key('deadlines'), id)
  redis.call('DEL', key('preview', id))
  redis.call('ZADD', key('final'), now, id)
  return seconds, concurrency
end

-- Ends a job that waits or runs. `reason` is why, where it was not its owner's word.
local function cancel(id, state, now, reason)
  if state == 'queued' then
    line_remove(id)
    give_back_usage(id)
  end
  if reason then redis.call('HSET', job_key(id), 'failure', cjson.encode(reason)) end
  finish(id, 'canceled', now)
  -- A worker may be writing an image of it just now, and be killed before it can take that back.
  if redis.call('HGET', job_key(id), 'attempt') ~= '0' then redis.call('ZADD', key('leftovers'), now, id) end
  publish(id, 'canceled', reason and {error = reason} or cjson.decode('{}'))
end

-- Cancels a job whose own deadline has passed. Returns whether it did.
local function cancel_if_late(id, now)
  local deadline = tonumber(redis.call('ZSCORE', key('deadlines'), id) or 'inf')
  if deadline > now then return false end
  local job = redis.call('HMGET', job_key(id), 'state', 'created_ms')
  if not may(job[1], 'canceled') then
    redis.call('ZREM', key('deadlines'), id)
    return false
  end
  local seconds = string.format('%.10g', (deadline - tonumber(job[2])) / 1000)
  cancel(id, job[1], now, {
    code = 'deadline_passed',
    message = 'The job had not ended within the ' .. seconds .. ' s that its request gave it. Give it more, or none.',
  })
  return true
end

-- Inputs that a job was given are kept for it as long as it is there; then for the rest of their own time.
local function release_inputs(id)
  for input in (redis.call('HGET', job_key(id), 'inputs') or ''):gmatch('%S+') do
    redis.call('SREM', key('input_jobs', input), id)
    if redis.call('EXISTS', key('input_jobs', input)) == 0 then
      local kept_until_ms = tonumber(redis.call('HGET', key('input', input), 'kept_until_ms') or '0')
      redis.call('ZADD', key('inputs_unused'), math.max(kept_until_ms, now_ms()), input)
    end
  end
end
