"""The two crosscoder sizes of `grokscope bench`, in PyTorch on the CPU: L1 of norms, Adam, batches of 1,024 from 12,769 inputs.

Prints `crosscoder-X:torch<TAB>milliseconds per update`. Eager mode, as the published trainers run; one thread and all threads.
`cargo xtask bench` runs it where `python3` has torch and says so where it has not.
"""

import resource
import time

import torch

ROWS, WIDTH, BATCH, WARM, TIMED = 113 * 113, 128, 1024, 3, 10


def fit(sources: int, latents: int) -> float:
    """Milliseconds per update of S sources and m latents: the objective of Lindsey et al. 2024, squared errors summed per input."""
    torch.manual_seed(0)
    inputs = torch.randn(ROWS, sources * WIDTH)
    direction = torch.randn(latents, 1, WIDTH)
    decoder = (0.1 * direction / direction.norm(dim=2, keepdim=True)).repeat(1, sources, 1).reshape(latents, sources * WIDTH)
    encoder = (decoder.T / sources).clone().requires_grad_()
    decoder = decoder.clone().requires_grad_()
    encoder_bias = torch.zeros(latents, requires_grad=True)
    decoder_bias = torch.zeros(sources * WIDTH, requires_grad=True)
    adam = torch.optim.Adam([encoder, encoder_bias, decoder, decoder_bias], lr=1e-3)

    def update() -> None:
        x = inputs[torch.randint(ROWS, (BATCH,))]
        f = torch.relu(x @ encoder + encoder_bias)
        error = f @ decoder + decoder_bias - x
        norms = decoder.reshape(latents, sources, WIDTH).norm(dim=2).sum(1)
        loss = error.square().sum() / BATCH + (f.mean(0) * norms).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()

    for _ in range(WARM):
        update()
    begun = time.perf_counter()
    for _ in range(TIMED):
        update()
    return 1e3 * (time.perf_counter() - begun) / TIMED


all_threads = torch.get_num_threads()
for name, sources, latents in (("crosscoder-a", 3, 512), ("crosscoder-b", 8, 1024)):
    for label, threads in (("torch-1", 1), ("torch", all_threads)):
        torch.set_num_threads(threads)
        print(f"{label}:{name}\t{fit(sources, latents):.1f}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{name}: at most {peak} kB of memory so far (torch {torch.__version__})")
