-- Records an input whose file is stored, or keeps for longer the one that the same bytes of its owner made before.
-- Returns its id, and until when it is kept (ms).
local id, owner, digest, width, height, has_alpha, kept_for_ms = unpack(ARGV)
local known = redis.call('HGET', key('inputs_of', owner), digest)
if not known or redis.call('EXISTS', key('input', known)) == 0 then
  known = id
  redis.call('HSET', key('input', id), 'owner', owner, 'sha256', digest, 'width', width, 'height', height,
    'has_alpha', has_alpha, 'kept_until_ms', 0)
  redis.call('HSET', key('inputs_of', owner), digest, id)
  redis.call('ZREM', key('input_files'), id)
end
local kept_until_ms = math.max(now_ms() + kept_for_ms, tonumber(redis.call('HGET', key('input', known), 'kept_until_ms')))
redis.call('HSET', key('input', known), 'kept_until_ms', string.format('%.0f', kept_until_ms))
if redis.call('EXISTS', key('input_jobs', known)) == 0 then
  redis.call('ZADD', key('inputs_unused'), kept_until_ms, known)
end
return {known, string.format('%.0f', kept_until_ms)}
