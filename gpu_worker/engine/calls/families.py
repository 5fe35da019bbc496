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

# Networks with a batch dimension that is not the first: HiDream's states of its language model are by layer, then row.
# As many layers as rows, and they would be cut the wrong way.
RUNS_ALONE = frozenset({"HiDreamImageTransformer2DModel"})

# Parts of the names of pipelines that change their networks in their own runs: attention processors that they set,
# layer by layer, on what they find inside; or keys and values that stay in there from step to step.
CHANGES_NETWORKS = {
    "PAG": "perturbed attention guidance sets attention processors in each run",
    "LEditsPP": "LEDITS++ sets attention processors in each run",
    "KleinKV": "keys and values of the reference images stay in its attention processors",
}

# Methods by which networks are changed for all who use them.
MUTATORS = frozenset(
    {
        *("add_module", "register_module", "register_buffer", "register_parameter", "register_forward_hook"),
        *("register_forward_pre_hook", "apply", "requires_grad_", "load_state_dict", "half", "float", "bfloat16"),
        *("double", "cpu", "cuda", "to_empty", "train", "compile", "compile_repeated_blocks"),
        *("set_attn_processor", "set_default_attn_processor", "set_attention_backend", "reset_attention_backend"),
        *("fuse_qkv_projections", "unfuse_qkv_projections", "enable_freeu", "disable_freeu", "set_attention_slice"),
        *("load_lora_adapter", "add_adapter", "set_adapter", "set_adapters", "enable_adapters", "disable_adapters"),
        *("fuse_lora", "unfuse_lora", "unload_lora", "delete_adapters", "enable_lora", "disable_lora"),
        *("load_attn_procs", "enable_cache", "disable_cache", "enable_group_offload", "enable_layerwise_casting"),
        *("enable_forward_chunking", "disable_forward_chunking", "enable_tiling", "disable_tiling"),
        *("enable_slicing", "disable_slicing", "enable_xformers_memory_efficient_attention"),
    }
)
