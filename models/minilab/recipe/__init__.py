"""How minilab is made: pictures and captions from a program, then its autoencoder, then its denoiser."""
