"""Whether the layers are right on a GPU, and how fast: agreement with the CPU, what torch offers, speed, memory.

    python benchmarks/gpu.py --output FOLDER

writes `gpu.csv` into the folder and prints it as a table; it takes a few minutes and needs torch and what this package
depends on. What is not installed (PennyLane, skorch) is left out, and a line says so. A case that fails is a line that
says how, and the command exits with 1. `--device cpu` tries the script where there is no GPU.

Times are medians of repeated calls between CUDA events; `nn.Conv2d` of the same shape (cuDNN) runs beside each workload
and the bandwidth of a copy tells how far from its limit a forward pass is. Ratios are of one run on one machine.
"""

from __future__ import annotations

import argparse
import copy
import csv
import importlib.util
import io
import itertools
import signal
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import quanvolve
from quanvolve import QuantumLinear, Quanv1d, Quanv2d, Quanv3d
from quanvolve.bench._workloads import WORKLOADS, Workload
from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS
from quanvolve.compile import use_kernels

HERE = Path(__file__).resolve().parent
COLUMNS = ("what", "case", "dtype", "value", "unit", "beside", "ratio", "result")
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
Row = dict[str, str]


class Bench:
    """A device, and the lines of its table."""

    def __init__(self, device: str, seconds: float, patience: int, output: Path) -> None:
        self.device, self.seconds, self.patience, self.output = torch.device(device), seconds, patience, output
        self.rows: list[Row] = []
        self.begun = time.perf_counter()

    @property
    def gpu(self) -> bool:
        return self.device.type == "cuda"

    def line(self, what: str, case: str, result: str = "good", **more: Any) -> None:
        row = dict.fromkeys(COLUMNS, "") | {"what": what, "case": case, "result": result}
        row |= {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in more.items()}
        self.rows.append(row)
        with open(self.output, "w", newline="") as file:  # after each line: nothing is lost
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)
        if result != "good" or not what.startswith("agreement"):
            passed = f"{time.perf_counter() - self.begun:6.1f} s"
            print(passed, *(row[name] for name in COLUMNS if row[name]), sep=" | ", flush=True)

    def attempt(self, what: str, case: str, call: Callable[[], dict[str, Any]]) -> None:
        """A line of what a call tells, or of how it fails."""
        signal.signal(signal.SIGALRM, self._give_up)
        signal.alarm(self.patience)
        try:
            told = call()
        except Exception as error:
            signal.alarm(0)
            words = " ".join(str(error).replace(f"{HERE.parent}/", "").split())
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            self.line(what, case, f"failed: {type(error).__name__} at {place}: {words[:240]}")
        else:
            signal.alarm(0)
            self.line(what, case, **told)

    def _give_up(self, *_: object) -> None:
        raise TimeoutError(f"not done in {self.patience} s")

    def wait(self) -> None:
        if self.gpu:
            torch.cuda.synchronize(self.device)

    def median(self, call: Callable[[], object]) -> float:
        """Seconds of a call."""
        for _ in range(3):
            call()
        self.wait()
        start = time.perf_counter()
        call()
        self.wait()
        runs = max(5, min(200, int(self.seconds / (time.perf_counter() - start + 1e-9))))
        if not self.gpu:
            return statistics.median(self._by_clock(call) for _ in range(runs))
        marks = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(runs)]
        for first, last in marks:
            first.record()
            call()
            last.record()
        self.wait()
        return statistics.median(first.elapsed_time(last) for first, last in marks) / 1e3

    def _by_clock(self, call: Callable[[], object]) -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start


# -- agreement ---------------------------------------------------------------------------------------------------------


def layers() -> Iterator[tuple[str, Callable[[], nn.Module], tuple[int, ...]]]:
    """Layers of every kind: names, makers, and shapes of an input."""
    yield "1d", lambda: Quanv1d(2, 3, 2, groups=1, n_layers=1, seed=0), (3, 2, 9)
    yield "2d, stride 2", lambda: Quanv2d(1, 4, 2, stride=2, bias=True, seed=0), (5, 1, 8, 8)
    yield "2d, padding, dilation", lambda: Quanv2d(2, 8, (1, 3), padding=1, dilation=2, groups=2, seed=0), (3, 2, 7, 9)
    yield "2d, joint channels", lambda: Quanv2d(2, 4, (1, 2), channel_mixing="joint", seed=0), (3, 2, 5, 6)
    yield "2d, reflected", lambda: Quanv2d(1, 4, 2, padding=1, padding_mode="reflect", seed=0), (3, 1, 5, 6)
    yield "3d", lambda: Quanv3d(1, 2, (2, 1, 1), stride=2, n_layers=1, seed=0), (2, 1, 4, 3, 5)
    yield "linear", lambda: QuantumLinear(4, 3, n_layers=1, seed=0), (7, 4)
    yield "trained scale", lambda: Quanv2d(1, 4, 2, scale=nn.Parameter(torch.tensor(2.0)), seed=0), (3, 1, 5, 6)
    yield "many filters", lambda: Quanv2d(1, 64, 2, circuit="random", seed=0), (2, 1, 6, 6)
    for circuit, encoding in itertools.product(ANSATZE, ENCODINGS):
        if ANSATZE[circuit].layered or not ENCODINGS[encoding].repeats:  # the catalogue has no others
            levels = 1 if circuit.startswith("qcnn") else 2
            options = {"circuit": circuit, "encoding": encoding, "seed": 0, "n_layers": levels}
            yield f"{circuit}, {encoding}", lambda o=options: Quanv2d(1, 4, 2, **o), (3, 1, 5, 6)
    for readout in READOUTS:
        count = Quanv2d(1, 1, 2, readout=readout, trainable=False).circuits[0].n_outputs
        if readout != "popcount_sampled":
            options = {"readout": readout, "seed": 0, "trainable": "popcount" not in readout}
            yield f"read {readout}", lambda n=count, o=options: Quanv2d(1, n, 2, **o), (3, 1, 5, 6)
    for engine in ("polynomial", "tensor_train", "statevector"):
        yield f"engine {engine}", lambda e=engine: Quanv2d(1, 4, 2, engine=e, seed=0), (3, 1, 5, 6)
    for noise in ({"depolarizing": 0.01}, {"amplitude_damping": 0.05}, {"readout": 0.02}):
        for engine in ("auto",) if "readout" in noise else ("auto", "density"):
            options = {"noise": noise, "engine": engine, "seed": 0}
            yield f"noise {next(iter(noise))}, {engine}", lambda o=options: Quanv2d(1, 4, 2, **o), (3, 1, 5, 6)
    yield "9 qubits", lambda: Quanv2d(1, 9, 3, seed=0), (2, 1, 6, 6)
    yield "9 qubits, grid", lambda: Quanv2d(1, 9, 3, circuit="grid", seed=0), (2, 1, 6, 6)
    yield "25 qubits", lambda: Quanv2d(1, 25, 5, circuit="brickwork", seed=0), (1, 1, 6, 6)


def values_and_gradients(layer: nn.Module, x: Tensor) -> list[Tensor]:
    x = x.detach().clone().requires_grad_(layer_reads_numbers(layer))
    out = layer(x)
    shape = torch.arange(out.numel(), dtype=out.dtype, device=out.device).cos().reshape(out.shape)
    leaves = [tensor for tensor in (x, *layer.parameters()) if tensor.requires_grad]
    if not leaves or not out.requires_grad:
        return [out.detach().cpu()]
    found = torch.autograd.grad((out * shape).sum(), leaves, allow_unused=True)
    return [out.detach().cpu(), *(grad.cpu() for grad in found if grad is not None)]


def layer_reads_numbers(layer: nn.Module) -> bool:
    return getattr(layer, "encoding", None) != "threshold"


def agreement(bench: Bench) -> None:
    """Values and all gradients beside those of plain torch on the CPU in double precision."""
    for name, make, shape in layers():
        for dtype in TOLERANCE:
            bench.attempt("agreement with the CPU", name, lambda m=make, s=shape, d=dtype: _compared(bench, m, s, d))


def _compared(bench: Bench, make: Callable[[], nn.Module], shape: tuple[int, ...], dtype: torch.dtype) -> Row:
    torch.manual_seed(0)
    layer = make()
    x = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    with use_kernels(False):
        expected = values_and_gradients(copy.deepcopy(layer).double(), x.double())
    found = values_and_gradients(layer.to(bench.device, dtype), x.to(bench.device, dtype))
    assert len(found) == len(expected), f"{len(found)} tensors, not {len(expected)}"
    pairs = zip(found, expected, strict=True)
    apart = max(float((one.double() - other).abs().max() / other.abs().max().clamp(min=1)) for one, other in pairs)
    far = "good" if apart <= TOLERANCE[dtype] else "apart"
    return {"value": apart, "unit": "of the largest", "dtype": str(dtype)[6:], "result": far}  # type: ignore[dict-item]


# -- what torch offers -------------------------------------------------------------------------------------------------


def equal(found: Tensor, expected: Tensor, tolerance: float = 1e-5) -> dict[str, Any]:
    apart = float((found.detach().cpu().double() - expected.detach().cpu().double()).abs().max())
    return {"value": apart, "unit": "apart", "result": "good" if apart <= tolerance else "apart"}


def offers(bench: Bench) -> None:
    """The ways in which torch uses a module on a GPU."""
    device = bench.device
    x = torch.rand(8, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    made = {
        "trained": lambda: Quanv2d(1, 4, 2, stride=2, seed=0),
        "fixed": lambda: Quanv2d(1, 4, 2, stride=2, circuit="random", trainable=False, seed=0),
        "state vector": lambda: Quanv2d(1, 4, 2, stride=2, engine="statevector", seed=0),
        "noisy": lambda: Quanv2d(1, 4, 2, stride=2, circuit="random", noise={"depolarizing": 0.01}, seed=0),
    }
    for name, make in made.items():
        _offers_of(bench, name, make, x)
    bench.attempt("shots", "seeded twice, and beside exact values", lambda: _shots(device))
    bench.attempt("conformance kit", "2d", lambda: _kit(device))
    bench.attempt("default device", "2d", lambda: _default(device))


def _offers_of(bench: Bench, name: str, make: Callable[[], nn.Module], x: Tensor) -> None:
    device, there, expected = bench.device, x.to(bench.device), make()(x).detach()

    def on() -> nn.Module:
        return make().to(device)

    def tried(what: str, call: Callable[[], Tensor], tolerance: float = 1e-5) -> None:
        bench.attempt(what, name, lambda: equal(call(), expected, tolerance))

    tried("used on the CPU, then moved", lambda: _moved(make(), x, device))
    tried("moved there and back", lambda: _back(on(), x, device))
    tried("made there", lambda: _made_there(make, there, device))
    tried("a state from the CPU", lambda: _stated(make(), on(), there))
    tried("saved there, loaded here", lambda: _saved(on(), x))
    tried("channels last", lambda: on()(there.to(memory_format=torch.channels_last)))
    tried("half a batch each in two streams", lambda: _streams(on(), there, bench))
    tried("vmap", lambda: torch.func.vmap(on())(there))
    tried("torch.compile", lambda: torch.compile(on())(there))
    torch._dynamo.reset()
    if bench.gpu:
        tried("torch.compile, reduce-overhead", lambda: _reduced(on(), there))
        torch._dynamo.reset()
        tried("a CUDA graph of the forward pass", lambda: _graph(on(), there))
        tried("autocast to half precision", lambda: _cast(on(), there), tolerance=2e-2)
        tried("an input of another device is refused", lambda: _refused(on(), x, expected))


def _moved(layer: nn.Module, x: Tensor, device: torch.device) -> Tensor:
    layer(x.clone().requires_grad_()).sum().backward()
    out: Tensor = layer.to(device)(x.to(device))
    return out


def _back(layer: nn.Module, x: Tensor, device: torch.device) -> Tensor:
    layer(x.to(device))
    out: Tensor = layer.cpu()(x)
    return out


def _made_there(make: Callable[[], nn.Module], x: Tensor, device: torch.device) -> Tensor:
    with torch.device(device):
        out: Tensor = make()(x)
    return out


def _stated(one: nn.Module, other: nn.Module, x: Tensor) -> Tensor:
    other.load_state_dict(one.state_dict())
    out: Tensor = other(x)
    return out


def _saved(layer: nn.Module, x: Tensor) -> Tensor:
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    out: Tensor = torch.load(file, map_location="cpu", weights_only=False)(x)
    return out


def _streams(layer: nn.Module, x: Tensor, bench: Bench) -> Tensor:
    if not bench.gpu:
        return torch.cat([layer(half) for half in x.chunk(2)])
    streams = [torch.cuda.Stream(), torch.cuda.Stream()]
    bench.wait()
    out = []
    for stream, half in zip(streams, x.chunk(2), strict=True):
        with torch.cuda.stream(stream):
            out.append(layer(half))
    bench.wait()
    return torch.cat(out)


def _reduced(layer: nn.Module, x: Tensor) -> Tensor:
    compiled = torch.compile(layer, mode="reduce-overhead")
    for _ in range(3):
        torch.compiler.cudagraph_mark_step_begin()
        out: Tensor = compiled(x)
        if out.requires_grad:
            layer.zero_grad()
            out.sum().backward()
    return out.detach().clone()


def _graph(layer: nn.Module, x: Tensor) -> Tensor:
    fixed = torch.zeros_like(x)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side), torch.no_grad():
        layer(fixed)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.no_grad(), torch.cuda.graph(graph):
        out = layer(fixed)
    fixed.copy_(x)
    graph.replay()
    found: Tensor = out
    return found


def _cast(layer: nn.Module, x: Tensor) -> Tensor:
    with torch.autocast("cuda", dtype=torch.float16):
        out: Tensor = layer(x)
    if any(p.requires_grad for p in layer.parameters()):
        out.sum().backward()
    return out.float()


def _refused(layer: nn.Module, x: Tensor, expected: Tensor) -> Tensor:
    try:
        layer(x)
    except Exception as error:
        if "cuda" in str(error) and "cpu" in str(error):
            return expected
        raise AssertionError(f"the error does not name both devices: {error}") from error
    raise AssertionError("an input on the CPU was taken by a layer on a GPU")


def _shots(device: torch.device) -> dict[str, Any]:
    x = torch.rand(4, 1, 16, 16, device=device)
    layer = Quanv2d(1, 4, 2, stride=2, circuit="random", shots=10_000, trainable=False, seed=0).to(device)
    exact = Quanv2d(1, 4, 2, stride=2, circuit="random", trainable=False, seed=0).to(device)(x)
    torch.manual_seed(3)
    one = layer(x)
    torch.manual_seed(3)
    assert torch.equal(one, layer(x)), "the same seed gave other counts"
    return equal(one, exact, 6e-2)


def _kit(device: torch.device) -> dict[str, Any]:
    from quanvolve.testing import check_quanv

    check_quanv(Quanv2d(1, 4, 2, stride=2, seed=0).to(device))
    return {}


def _default(device: torch.device) -> dict[str, Any]:
    try:
        torch.set_default_device(device)
        layer = Quanv2d(1, 4, 2, stride=2, seed=0)
        out = layer(torch.rand(2, 1, 6, 6))
        out.sum().backward()
        assert out.device.type == device.type, out.device
    finally:
        torch.set_default_device(None)
    return {}


# -- speed -------------------------------------------------------------------------------------------------------------


def ours(workload: Workload, count: int = 1) -> Quanv2d:
    """The layer of a workload; with `count` times as many filters."""
    return Quanv2d(
        1, workload.kernel**2 * count, workload.kernel, stride=workload.stride, circuit=workload.circuit,
        n_layers=workload.layers, trainable=workload.training, shots=workload.shots or None, seed=0,
        noise={"depolarizing": workload.noise} if workload.noise else None,
    )  # fmt: skip


def training_step(layer: nn.Module, images: Tensor, graphed: bool = False) -> Callable[[], object]:
    model = nn.Sequential(layer, nn.Flatten(), nn.Linear(layer(images).flatten(1).shape[1], 10)).to(images.device)
    labels = torch.arange(len(images), device=images.device) % 10
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    compiled = torch.compile(model, mode="reduce-overhead") if graphed else model

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(compiled(images), labels).backward()
        optimizer.step()

    return step


def forward_pass(layer: nn.Module, images: Tensor) -> Callable[[], object]:
    def run() -> object:
        with torch.no_grad():
            return layer(images)

    return run


def copy_bandwidth(bench: Bench) -> float:
    """Bytes that are read and written each second by a copy of half a gigabyte."""
    source = torch.ones(2**27 if bench.gpu else 2**24, device=bench.device)
    target = torch.empty_like(source)
    return 2 * source.numel() * 4 / bench.median(lambda: target.copy_(source))


def speed(bench: Bench) -> None:
    """The workloads W1 to W6 beside nn.Conv2d."""
    copies = copy_bandwidth(bench)
    bench.line("copy", "512 MiB", value=copies / 1e9, unit="GB/s")
    pairs = [(name, w, 1) for name, w in WORKLOADS.items()] + [("W1d, 16 filters", WORKLOADS["W1d"], 16)]
    for name, workload, filters in pairs:
        for images in (32,) if workload.training else (512, 16384):
            if workload.kernel == 3 and images > 4096:
                images = 4096

            def measure(workload: Workload = workload, images: int = images, filters: int = filters) -> dict[str, Any]:
                x = torch.rand(images, 1, workload.side, workload.side, device=bench.device)
                layer = ours(workload, filters).to(bench.device)
                shape = {"stride": workload.stride, "device": bench.device}
                conv = nn.Conv2d(1, layer.out_channels, workload.kernel, **shape)
                kind = training_step if workload.training else forward_pass
                if bench.gpu:
                    torch.cuda.reset_peak_memory_stats()
                mine = bench.median(kind(layer, x))
                peak = torch.cuda.max_memory_allocated() / 2**20 if bench.gpu else 0.0
                other = bench.median(kind(conv, x))
                limit = 4 * (x.numel() + layer(x).numel()) / copies
                share = "" if workload.training else f", {limit / mine:.0%} of the copy limit"
                plan = layer.plan.rpartition("expectation values by ")[2].split()[0].strip(":,")
                return {
                    "value": mine * 1e3, "unit": "ms", "beside": f"nn.Conv2d {other * 1e3:.4g} ms{share}",
                    "ratio": mine / other, "dtype": f"float32, {plan}, peak {peak:.0f} MiB",
                }  # fmt: skip

            bench.attempt("speed", f"{name}, {images} images", measure)


def compiled(bench: Bench) -> None:
    """Workloads by torch.compile."""
    if bench.gpu:
        for name in ("W1", "W1d"):
            bench.attempt("speed, torch.compile", name, lambda name=name: _compiled(bench, WORKLOADS[name]))
        bench.attempt("speed, reduce-overhead", "W3", lambda: _graphed(bench, WORKLOADS["W3"]))


def _compiled(bench: Bench, workload: Workload) -> dict[str, Any]:
    x = torch.rand(4096, 1, workload.side, workload.side, device=bench.device)
    layer = ours(workload).to(bench.device)
    conv = nn.Conv2d(1, layer.out_channels, workload.kernel, stride=workload.stride, device=bench.device)
    run = forward_pass(torch.compile(layer), x)
    start = time.perf_counter()
    run()
    bench.wait()
    first = time.perf_counter() - start
    mine, other = bench.median(run), bench.median(forward_pass(conv, x))
    torch._dynamo.reset()
    beside = f"nn.Conv2d {other * 1e3:.4g} ms, 4096 images; first call {first:.1f} s"
    return {"value": mine * 1e3, "unit": "ms", "beside": beside, "ratio": mine / other}


def _graphed(bench: Bench, workload: Workload) -> dict[str, Any]:
    x = torch.rand(32, 1, workload.side, workload.side, device=bench.device)
    layer = ours(workload).to(bench.device)
    start = time.perf_counter()
    step = training_step(layer, x, graphed=True)
    step()
    bench.wait()
    first = time.perf_counter() - start
    mine = bench.median(step)
    torch._dynamo.reset()
    conv = nn.Conv2d(1, layer.out_channels, workload.kernel, stride=workload.stride, device=bench.device)
    other = bench.median(training_step(conv, x, graphed=True))
    torch._dynamo.reset()
    beside = f"nn.Conv2d {other * 1e3:.4g} ms; first step {first:.1f} s"
    return {"value": mine * 1e3, "unit": "ms", "beside": beside, "ratio": mine / other}


def peers(bench: Bench) -> None:
    """PennyLane's TorchLayer with default.qubit on the device, all windows of a batch broadcast."""
    if importlib.util.find_spec("pennylane") is None:
        bench.line("peer", "PennyLane", "good", beside="not installed")
        return
    for name in ("W1d", "W3"):
        bench.attempt("peer, PennyLane's TorchLayer", name, lambda name=name: _pennylane(bench, WORKLOADS[name]))


def _pennylane(bench: Bench, workload: Workload) -> dict[str, Any]:
    import pennylane as qml

    wires = workload.kernel**2

    @qml.qnode(qml.device("default.qubit", wires=wires), interface="torch", diff_method="backprop")
    def circuit(inputs: Tensor, weights: Tensor) -> Any:
        qml.AngleEmbedding(torch.pi * inputs, wires=range(wires), rotation="Y")
        qml.StronglyEntanglingLayers(weights, wires=range(wires))
        return [qml.expval(qml.Z(wire)) for wire in range(wires)]

    class Windows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = qml.qnn.TorchLayer(circuit, {"weights": (workload.layers, wires, 3)})

        def forward(self, x: Tensor) -> Tensor:
            cut = nn.functional.unfold(x, workload.kernel, stride=workload.stride)
            out: Tensor = self.inner(cut.transpose(1, 2).reshape(-1, wires)).reshape(len(x), -1, wires)
            return out.transpose(1, 2)

    x = torch.rand(32, 1, workload.side, workload.side, device=bench.device)
    kind = training_step if workload.training else forward_pass
    theirs = bench.median(kind(Windows().to(bench.device), x))
    mine = bench.median(kind(ours(workload).to(bench.device), x))
    beside = f"TorchLayer {theirs * 1e3:.4g} ms, 32 images"
    return {"value": mine * 1e3, "unit": "ms", "beside": beside, "ratio": mine / theirs}


# -- a network ---------------------------------------------------------------------------------------------------------


def training(bench: Bench) -> None:
    """A preset on the bundled digits: accuracy on the device and on the CPU."""
    for name in ("skorch", "sklearn", "platformdirs"):
        if importlib.util.find_spec(name) is None:
            bench.line("training", "digits", "good", beside=f"{name} is not installed")
            return
    for trainable in (True, False):
        case = "trained filters" if trainable else "fixed filters"
        bench.attempt("training", f"digits, {case}", lambda trainable=trainable: _digits(bench, trainable))


def _digits(bench: Bench, trainable: bool) -> dict[str, Any]:
    from quanvolve import QuanvClassifier, load_dataset

    data = load_dataset("digits")
    options = {"trainable": trainable, "max_epochs": 5, "random_state": 0}
    told = {}
    for device in dict.fromkeys(("cpu", str(bench.device))):
        start = time.perf_counter()
        model = QuanvClassifier(device=device, **options).fit(data.train_images, data.train_labels)
        told[device] = model.score(data.test_images, data.test_labels), time.perf_counter() - start
    (mine, seconds), (other, its) = told[str(bench.device)], told["cpu"]
    good = "good" if abs(mine - other) <= 0.03 else "apart"
    beside = f"CPU {other:.4f}; {seconds:.1f} s, CPU {its:.1f} s"
    return {"value": mine, "unit": "accuracy", "beside": beside, "ratio": seconds / its, "result": good}


SECTIONS: dict[str, Callable[[Bench], None]] = {
    "speed": speed, "peers": peers, "training": training, "agreement": agreement, "offers": offers,
    "compiled": compiled,
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="folder that the table is written to")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=0.3, help="that a median is taken over, at most")
    parser.add_argument("--patience", type=int, default=30, help="seconds after which a case has failed")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, with commas between")
    arguments = parser.parse_args()
    if arguments.device.startswith("cuda") and not torch.cuda.is_available():
        print("no GPU that torch can use here; --device cpu tries the script without one", file=sys.stderr)
        return 2
    arguments.output.mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments.device, arguments.seconds, arguments.patience, arguments.output / "gpu.csv")
    name = torch.cuda.get_device_name(bench.device) if bench.gpu else "cpu"
    bench.line("machine", name, beside=f"torch {torch.__version__}, quanvolve {quanvolve.__version__}")
    for section in arguments.only.split(","):
        start = time.perf_counter()
        SECTIONS[section](bench)
        bench.wait()
        print(f"{section}: {time.perf_counter() - start:.1f} s", flush=True)
    good = sum(row["result"] == "good" for row in bench.rows)
    print(f"{good} of {len(bench.rows)} lines are good; {arguments.output / 'gpu.csv'}")
    return 0 if good == len(bench.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
