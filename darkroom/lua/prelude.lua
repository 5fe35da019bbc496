-- Put before every script. NEXT, the table of transitions, is put before this one.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function key(...) return 'darkroom:' .. table.concat({...}, ':') end

local function job_key(id) return key('job', id) end

local function state_of(id) return redis.call('HGET', job_key(id), 'state') end

local function may(from, to) return from and NEXT[from] ~= nil and NEXT[from][to] == true end

-- Whether this attempt still owns the job. Everything a worker writes asks this first.
local function owns(id, attempt)
  local job = redis.call('HMGET', job_key(id), 'state', 'attempt')
  return job[1] == 'running' and job[2] == attempt
end

-- An event is kept for late watchers, and its channel wakes those who wait.
local function tell(id, kind, fields)
  fields.at_ms = now_ms()
  redis.call('XADD', key('events', id), 'MAXLEN', '~', 2000, '*', 'type', kind, 'data', cjson.encode(fields))
  redis.call('PUBLISH', key('told', id), kind)
  -- Who waits for the end alone is not woken at each step.
  if NEXT[kind] and next(NEXT[kind]) == nil then redis.call('PUBLISH', key('ended', id), kind) end
end

-- A waiting line is two sorted sets, interactive before bulk. `cost` is the work that waits in each.
local function line_key(model, class) return key('line', model, class) end

local function line_add(id, model, class, score, cost, owner)
  redis.call('ZADD', line_key(model, class), score, id)
  redis.call('HINCRBYFLOAT', key('line_cost', model), class, cost)
  redis.call('HINCRBY', key('line_owners', model), owner, 1)
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

local function line_position(id, model, class)
  local rank = redis.call('ZRANK', line_key(model, class), id)
  if not rank then return nil end
  if class == 'bulk' then rank = rank + redis.call('ZCARD', line_key(model, 'interactive')) end
  return rank
end

-- A job that one more spoilt attempt would end may be what its workers die of. A worker has one such job at a time,
-- so that none is lost with it for good: its company can try again.
local function is_last_chance(id, most_spoilt)
  local spoilt = tonumber(redis.call('HGET', job_key(id), 'spoilt') or '0')
  return spoilt > 0 and spoilt >= most_spoilt - 1
end

local function has_last_chance(worker)
  for _, id in ipairs(redis.call('SMEMBERS', key('last_chances'))) do
    local job = redis.call('HMGET', job_key(id), 'state', 'worker')
    if job[1] ~= 'running' then
      redis.call('SREM', key('last_chances'), id)
    elseif job[2] == worker then
      return true
    end
  end
  return false
end

-- Such jobs stand at the head of a line. Behind so many, nobody would look for others.
local MOST_PASSED_OVER = 200

-- What this worker may claim next: id and start tag, or nothing.
local function next_of(model, class, worker, most_spoilt)
  local must_pass = nil
  for rank = 0, MOST_PASSED_OVER do
    local entry = redis.call('ZRANGE', line_key(model, class), rank, rank, 'WITHSCORES')
    if not entry[1] or not is_last_chance(entry[1], most_spoilt) then return entry[1], entry[2] end
    if must_pass == nil then must_pass = has_last_chance(worker) end
    if not must_pass then return entry[1], entry[2] end
  end
end

-- How attempts ended that made nothing: what an operator sees of a dead job. Rolling restarts must not let it grow.
local MOST_REMEMBERED = 20

local function remember(id, attempt, reason, now)
  local job = redis.call('HMGET', job_key(id), 'history', 'worker')
  local history = cjson.decode(job[1] or '[]')
  history[#history + 1] = {attempt = attempt, worker = job[2] or '', reason = reason, at_ms = now}
  if #history > MOST_REMEMBERED then table.remove(history, 1) end
  redis.call('HSET', job_key(id), 'history', cjson.encode(history))
end

-- A final job stays for the retention time, then the housekeeper removes it with its images.
local function finish(id, state, now)
  redis.call('HSET', job_key(id), 'state', state, 'finished_ms', now)
  redis.call('ZREM', key('leases'), id)
  redis.call('DEL', key('preview', id))
  redis.call('ZADD', key('final'), now, id)
end
