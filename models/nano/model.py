"""The SmallCoder network, re-stated: RMSNorm, half-style RoPE, grouped queries, SwiGLU, no biases, tied head."""
import torch
import torch.nn.functional as F
from torch import nn

CONFIG = {
    "vocab_size": 6144, "hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 6,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512,
    "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "attention_dropout": 0.0, "hidden_dropout": 0.0, "use_cache": True,
    "pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0, "tie_word_embeddings": True, "rope_scaling": None,
}


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight.to(x.dtype) * wide.to(x.dtype)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.nh, self.nkv = c["num_attention_heads"], c["num_key_value_heads"]
        self.d = c["hidden_size"] // self.nh
        self.q_proj = nn.Linear(c["hidden_size"], self.nh * self.d, bias=False)
        self.k_proj = nn.Linear(c["hidden_size"], self.nkv * self.d, bias=False)
        self.v_proj = nn.Linear(c["hidden_size"], self.nkv * self.d, bias=False)
        self.o_proj = nn.Linear(self.nh * self.d, c["hidden_size"], bias=False)

    def forward(self, x, cos, sin, mask):
        b, t, _ = x.shape
        q = rotate(self.q_proj(x).view(b, t, self.nh, self.d).transpose(1, 2), cos, sin)
        k = rotate(self.k_proj(x).view(b, t, self.nkv, self.d).transpose(1, 2), cos, sin)
        v = self.v_proj(x).view(b, t, self.nkv, self.d).transpose(1, 2)
        k = k.repeat_interleave(self.nh // self.nkv, 1)
        v = v.repeat_interleave(self.nh // self.nkv, 1)
        scores = torch.matmul(q, k.transpose(-1, -2)).float() / self.d ** 0.5 + mask
        y = torch.matmul(torch.softmax(scores, -1).to(v.dtype), v)
        return self.o_proj(y.transpose(1, 2).reshape(b, t, -1))


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        h, i = c["hidden_size"], c["intermediate_size"]
        self.gate_proj = nn.Linear(h, i, bias=False)
        self.up_proj = nn.Linear(h, i, bias=False)
        self.down_proj = nn.Linear(i, h, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.input_layernorm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])
        self.self_attn = Attention(c)
        self.post_attention_layernorm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])
        self.mlp = MLP(c)

    def forward(self, x, cos, sin, mask):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed_tokens = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.layers = nn.ModuleList(Layer(c) for _ in range(c["num_hidden_layers"]))
        self.norm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])


class SmallCoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.config = c
        self.model = Body(c)
        d = c["hidden_size"] // c["num_attention_heads"]
        angle = torch.outer(torch.arange(c["max_position_embeddings"]).float(),
                            1.0 / c["rope_theta"] ** (torch.arange(0, d, 2).float() / d))
        angle = torch.cat((angle, angle), -1)
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        n = c["max_position_embeddings"]
        self.register_buffer("mask", torch.full((n, n), float("-inf")).triu(1), persistent=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02 if "embed" in name else c["hidden_size"] ** -0.5)
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.zeros_(p)

    def forward(self, ids):
        t = ids.shape[1]
        x = self.model.embed_tokens(ids)
        kind = torch.bfloat16 if torch.is_autocast_enabled("cpu") else x.dtype
        x = x.to(kind)
        cos, sin, mask = self.cos[:t].to(kind), self.sin[:t].to(kind), self.mask[:t, :t]
        for layer in self.model.layers:
            x = layer(x, cos, sin, mask)
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight)

    def loss(self, ids, targets):
        return F.cross_entropy(self(ids).float().flatten(0, 1), targets.flatten())
