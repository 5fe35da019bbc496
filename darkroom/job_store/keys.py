"""Every key and channel of the job store's Redis: the one place where a key is spelled. `docs/data.md` is made from it.

Python calls a key with its parts: `JOB(job_id)`. Scripts are given the same names: `key('job', id)`.
"""

from darkroom.job_store.key import Key

JOB = Key(
    "darkroom:job:{job}",
    "hash",
    "A job's record: owner, request, state, attempt, times, step, worker, images or failure, history of its attempts.",
    ("enqueue.lua", "claim.lua", "progress.lua", "renew.lua", "finish.lua", "requeue.lua", "followed_up.lua"),
    "When the job is deleted, by its owner or after the retention time; when its enqueue is withdrawn.",
)
JOBS = Key(
    "darkroom:jobs:{owner}",
    "sorted set",
    "Ids of an owner's jobs, all of score 0: ids sort by age.",
    ("enqueue.lua",),
    "Each id with its job.",
)
EVENTS = Key(
    "darkroom:events:{job}",
    "stream",
    "What happened to a job, about 2,000 events at most, each with `type` and `data` (JSON).",
    ("prelude.lua",),
    "With its job.",
)
PREVIEW = Key(
    "darkroom:preview:{job}",
    "stream",
    "The newest preview of a running job, one entry.",
    ("preview.lua",),
    "When the job ends or goes back in line; ten minutes after its last preview at the latest.",
)
CHANGED = Key(
    "darkroom:changed:{job}", "channel", "A word at each event and preview.", ("prelude.lua", "preview.lua"), "–"
)
ENDED = Key("darkroom:ended:{job}", "channel", "The last event.", ("prelude.lua",), "–")
GONE = Key(
    "darkroom:gone:{job}",
    "string",
    "A job that was withdrawn, or deleted as it was young: its enqueue, sent again, does not make it anew.",
    ("prelude.lua",),
    "After a minute.",
)
IDEMPOTENCY = Key(
    "darkroom:idempotency:{owner}:{digest}",
    "hash",
    "The job that an Idempotency-Key made, and the fingerprint of its body. The digest is SHA-256 of the client's key.",
    ("enqueue.lua",),
    "After a day.",
)

DEADLINES = Key(
    "darkroom:deadlines",
    "sorted set",
    "Jobs that are canceled unless they have ended by then (ms), as their requests said.",
    ("enqueue.lua",),
    "Each id when its job ends or is withdrawn.",
)

LINE = Key(
    "darkroom:line:{model}:{class}",
    "sorted set",
    "A waiting line: ids of jobs by start tag. Jobs put back have negative tags, so they come first.",
    ("enqueue.lua", "claim.lua", "requeue.lua", "cancel.lua", "withdraw.lua"),
    "Each id when its job is claimed, canceled or withdrawn.",
)
LINE_COST = Key(
    "darkroom:line_cost:{model}",
    "hash",
    "Megapixel-steps that wait, by class.",
    ("prelude.lua",),
    "A class when nobody of it waits.",
)
LINE_OWNERS = Key(
    "darkroom:line_owners:{model}",
    "hash",
    "Waiting jobs by owner.",
    ("prelude.lua",),
    "An owner when none of his jobs waits.",
)
FAIR = Key(
    "darkroom:fair:{model}:{class}",
    "hash",
    "Finish tag of each owner's last job; `:virtual` is the line's virtual time.",
    ("enqueue.lua", "claim.lua", "withdraw.lua"),
    "When nobody waits in the line.",
)
LINE_BELL = Key(
    "darkroom:line_bell:{model}", "channel", "A word when an interactive job comes in line.", ("prelude.lua",), "–"
)
SURPLUS = Key(
    "darkroom:surplus:{model}",
    "string",
    "How many wake-ups of a model are in its queue for no job: as many find none.",
    ("upkeep.py", "claims.py"),
    "After two rounds of housekeeping.",
)
MODELS = Key("darkroom:models", "set", "Models that have had a job.", ("enqueue.lua",), "Never.")

ROOM = Key(
    "darkroom:room",
    "string",
    "Until when (ms) what was found of Redis's memory holds: that there is room for more jobs.",
    ("enqueue.lua",),
    "Never.",
)

LEASES = Key(
    "darkroom:leases",
    "sorted set",
    "Running jobs, by the time at which their lease ends (ms).",
    ("claim.lua", "renew.lua", "progress.lua"),
    "Each id when its job ends or goes back in line.",
)
CLAIM = Key(
    "darkroom:claim:{nonce}",
    "hash",
    "The job and attempt that a call to claim got, for that call sent again.",
    ("claim.lua",),
    "After a minute.",
)
RUNNING = Key(
    "darkroom:running:{model}", "hash", "Running jobs by class.", ("prelude.lua",), "A class when none of it runs."
)
CONCURRENCY = Key(
    "darkroom:concurrency:{worker}",
    "hash",
    "Running jobs of a worker by class, and their numbers and the pauses of bulk jobs summed over time.",
    ("prelude.lua",),
    "When the worker runs no job.",
)
SPEEDS = Key(
    "darkroom:speeds:{model}",
    "hash",
    "What finished jobs took, by class, size and how many shared their worker: four sums, in which old jobs fade.",
    ("finish.lua",),
    "Never; it has a few dozen fields.",
)
POISON = Key(
    "darkroom:poison",
    "set",
    "Running jobs that may be poison: several attempts at them failed.",
    ("claim.lua",),
    "Each id when a claim finds it running no more.",
)

FINAL = Key(
    "darkroom:final",
    "sorted set",
    "Jobs that have ended, by when (ms).",
    ("prelude.lua", "take_old.lua"),
    "Each id with its job.",
)
FOLLOWUPS = Key(
    "darkroom:followups",
    "sorted set",
    "Succeeded jobs whose follow-up work is not done, by when it was last asked for (ms).",
    ("finish.lua", "upkeep.py"),
    "Each id when its work is done, or its job or images are gone.",
)
LEFTOVERS = Key(
    "darkroom:leftovers",
    "sorted set",
    "Jobs canceled or deleted while they may have had a worker, by when (ms).",
    ("cancel.lua", "delete.lua", "upkeep.py"),
    "Each id when its files are removed.",
)
DEAD = Key(
    "darkroom:dead",
    "sorted set",
    "The dead-letter list: jobs that failed with every attempt, or by what comes again with each, by when (ms).",
    ("requeue.lua",),
    "Each id when an operator retries or drops it, or with its job.",
)

INPUT = Key(
    "darkroom:input:{input}",
    "hash",
    "What is known of an input: owner, SHA-256 of the bytes that came, width, height, alpha, until when it is kept.",
    ("keep_input.lua",),
    "When it is dropped: after its time, once no job needs it.",
)
INPUT_JOBS = Key(
    "darkroom:input_jobs:{input}", "set", "Jobs that need an input.", ("enqueue.lua",), "Each id with its job."
)
INPUTS_OF = Key(
    "darkroom:inputs_of:{owner}",
    "hash",
    "An owner's inputs by SHA-256 of the bytes that came, so that the same are kept once.",
    ("keep_input.lua",),
    "Each with its input.",
)
INPUTS_UNUSED = Key(
    "darkroom:inputs_unused",
    "sorted set",
    "Inputs that no job needs, by until when they are kept all the same (ms).",
    ("keep_input.lua", "prelude.lua"),
    "Each id when a job needs it, or it is dropped.",
)
INPUT_FILES = Key(
    "darkroom:input_files",
    "sorted set",
    "Inputs whose file is to be removed, by when (ms): dropped ones, and those that were never kept.",
    ("inputs.py", "drop_input.lua"),
    "Each id when it is kept, or its file is removed.",
)

WEBHOOK = Key(
    "darkroom:webhook:{job}:{event}",
    "hash",
    "A webhook that a job's event owes: when that was, its state, its tries (JSON), and how many failed.",
    ("prelude.lua", "deliveries.py"),
    "With its job.",
)
WEBHOOKS_DUE = Key(
    "darkroom:webhooks_due",
    "sorted set",
    "Webhooks that are owed, as job and event, by when they are next tried (ms).",
    ("prelude.lua", "take_webhooks.lua", "deliveries.py"),
    "Each when it is delivered or given up, or with its job.",
)
WEBHOOKS_DISABLED = Key(
    "darkroom:webhooks_disabled:{owner}",
    "set",
    "URLs of an owner that answered 410 to a webhook.",
    ("deliveries.py",),
    "A week after the last.",
)
WEBHOOK_SECRET = Key(
    "darkroom:webhook_secret:{owner}",
    "hash",
    "The secret that an owner's webhooks are signed with, and the one before, for a day after a rotation.",
    ("signing_secrets.py",),
    "Never.",
)

TURN = Key(
    "darkroom:turn",
    "string",
    "There while a worker keeps house, or just has.",
    ("upkeep.py",),
    "After most of a period.",
)
WORKERS = Key(
    "darkroom:workers",
    "hash",
    "What each live worker says of itself, and when it last did (JSON).",
    ("presence.py",),
    "A worker when it signs off, or has been silent for 12 seconds.",
)
UNFINISHED = Key(
    "darkroom:unfinished",
    "hash",
    "Jobs that wait or run, by owner.",
    ("enqueue.lua", "prelude.lua"),
    "An owner when all his jobs have ended.",
)
USAGE = Key(
    "darkroom:usage:{owner}:{day}",
    "hash",
    "What an owner asked for on a day (days of UTC since 1970): `jobs`, `work` (megapixel-steps), and both by model.",
    ("prelude.lua",),
    "After forty days.",
)
REQUEST_RATE = Key(
    "darkroom:request_rate:{window}",
    "list",
    "When a key sent its last requests for images, as the library `limits` keeps it.",
    ("request_rate.py",),
    "After a minute without any.",
)
API_KEY = Key(
    "darkroom:api_key:{digest}",
    "string",
    "What is known of an API key (JSON), by the key's SHA-256: the key itself is nowhere.",
    ("stored_keys.py",),
    "A month after it was revoked, or another took its place.",
)
API_KEY_NAMES = Key(
    "darkroom:api_key_names", "hash", "The digest of each name's newest API key.", ("stored_keys.py",), "Never."
)
KEYS_USED = Key(
    "darkroom:keys_used", "hash", "When each API key was last used, by its name (s).", ("key_use.py",), "Never."
)

ALL = tuple(value for value in globals().copy().values() if isinstance(value, Key))
