-- Whether `claim` would find a job of these classes for this worker: 1 or 0.
local model, worker, most_spoilt = ARGV[1], ARGV[2], tonumber(ARGV[3])
for _, class in ipairs({unpack(ARGV, 4)}) do
  if next_of(model, class, worker, most_spoilt) then return 1 end
end
return 0
