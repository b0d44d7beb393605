"""Denoising score matching, resumable bit for bit. Start with `train` and `config`."""
