"""Whether an image depends on the jobs beside it, for each family: `python -m benchmarks.gpu.parity`.

Tiny random pipelines; the largest difference of a pixel, on [0, 1], between a job in a mixed batch and the same alone.
The last line printed is JSON. Ends with 1 where an image differs by more than its kernels do.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import torch

from models.device import choose_device
from models.loading import load_pipeline
from tests.gpu_worker.engine.batch_mates import alone, difference, together
from tests.gpu_worker.engine.orders import mixed_orders
from tests.models.tiny.pipelines import FAMILIES, Family, save

# Kernels for one row and for many differ more on a GPU than on a CPU; a wrong seed or prompt moves pixels by 0.3.
MOST = {"cuda": 2e-3, "cpu": 1e-5}


def main() -> None:
    options = _options()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    device = choose_device(options.device).name
    differences = {family: worst(family, device) for family in options.families}
    print(json.dumps({"differences": differences, "allowed": MOST[device.partition(":")[0]]}))
    sys.exit(max(differences.values()) > MOST[device.partition(":")[0]])


def worst(family: Family, device: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        card = save(family, Path(folder))
        base = load_pipeline(card, device=device, dtype=torch.float32)
        orders = mixed_orders(card, family)
        batch_mates = together(base, orders, device=device)
        kept = [number for number, order in enumerate(orders) if order.canceled_at_call is None]
        expected = [alone(base, orders[number]) for number in kept]
        return difference([batch_mates.images[number] for number in kept], expected)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--device", default="cuda")
    return parser.parse_args()


if __name__ == "__main__":
    main()
