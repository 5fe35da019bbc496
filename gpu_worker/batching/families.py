"""The few facts about networks that neither their signatures nor the tensors of a call give away."""

# Position ids that all samples of a batch share: one row a token, none a sample. FLUX.2's have a batch
# dimension (three dimensions in all), and are then treated like any other tensor.
SHARED_MATRICES = frozenset({"img_ids", "txt_ids"})

# Arguments that are a list with an entry a sample, and outputs that are one: Z-Image, Qwen-Image.
LISTS_OF_SAMPLES = frozenset({"x", "cap_feats", "img_shapes", "txt_seq_lens"})

# Networks whose output is a list with an entry a sample.
GIVES_LISTS = frozenset({"ZImageTransformer2DModel"})

# Arguments that a network takes for other networks' sake and does not look at. A generator would otherwise
# keep every call apart, as no two lanes share one.
IGNORED = {("AutoencoderKL", "decode"): frozenset({"generator"})}

# Methods of a network that lanes call, beside calling it.
ENTRIES = {"AutoencoderKL": ("encode", "decode"), "AutoencoderKLFlux2": ("encode", "decode"),
           "AutoencoderKLQwenImage": ("encode", "decode"), "AutoencoderTiny": ("encode", "decode")}  # fmt: skip
