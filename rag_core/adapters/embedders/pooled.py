"""The torch module that is traced for export: encoder, mean pooling, unit length."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModel


class PooledModel(torch.nn.Module):
    """From word pieces to unit vectors, as sentence-transformers' three modules do it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        # Fused attention kernels have no counterpart in opset 17.
        self.encoder = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

    def forward(self, pieces: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """int64[n, length] pieces and mask -> float32[n, 384]."""
        states = self.encoder(
            input_ids=pieces, attention_mask=mask, token_type_ids=torch.zeros_like(pieces)
        ).last_hidden_state
        weights = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, p=2.0, dim=1)
