"""The few facts about networks that neither their signatures nor the tensors of a call give away.

All are about diffusers 0.42. A network that is not named here batches by what its calls show.
"""

# Where a token stands. FLUX's have no batch dimension; FLUX.2's have one, and its network reads the first row alone.
# So two calls share a forward only if theirs are equal: 32x64 has as many tokens as 64x32, at other places.
POSITIONS = frozenset({"img_ids", "txt_ids"})

# Networks turn it into float32 first thing, whether the scheduler gave a whole number (DDIM) or not (Euler).
TIMESTEPS = frozenset({"timestep"})

# Arguments that are a list with an entry a sample: Z-Image's images and prompts, Qwen-Image's sizes.
LISTS_OF_SAMPLES = frozenset({"x", "cap_feats", "img_shapes", "txt_seq_lens"})

# Entries of such lists that may differ in length within a forward: the network pads and masks them itself.
ANY_LENGTH = frozenset({"cap_feats"})

# Prompts that come as (states, mask), and whose places after the last valid token change nothing, so that
# prompts of different lengths share a forward once padded. Without a mask, every token is valid.
MASKED_PROMPTS = {("QwenImageTransformer2DModel", "forward"): ("encoder_hidden_states", "encoder_hidden_states_mask")}

# Arguments that a network takes for other networks' sake and does not look at. A generator would otherwise
# keep every call apart, as no two lanes share one.
IGNORED = {
    (autoencoder, "decode"): frozenset({"generator"})
    for autoencoder in ("AutoencoderKL", "AutoencoderKLFlux2", "AutoencoderKLKVAE", "AutoencoderTiny")
}

# Language models keep what they read, to go on writing; one that only encodes a prompt never goes on.
UNWANTED = {"use_cache": False}
