-- Whether `claim` would find a job of these classes for this worker: 1 or 0.
local model, worker, max_attempts = ARGV[1], ARGV[2], tonumber(ARGV[3])
for _, class in ipairs({unpack(ARGV, 4)}) do
  if next_of(model, class, worker, max_attempts) then return 1 end
end
return 0
