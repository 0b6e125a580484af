"""The PyTorch candidates of `candidates.py`: a plain loop, or one tuned with channels_last."""

from __future__ import annotations

import os

import torch
from torch import nn


def build_network() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)),
    )


def train(arrays, batch_size: int, epochs: int, clock, channels_last: bool):
    """Train and return the function that predicts the test images.

    With `channels_last`, images and kernels have oneDNN's preferred layout and Adam is fused.
    """
    torch.set_num_threads(os.cpu_count())
    scaled = (arrays[x][:, None].astype("float32") / 255 for x in ("x_train", "x_test"))
    x_train, x_test = map(torch.from_numpy, scaled)
    y_train, y_test = (torch.from_numpy(arrays[y].astype("int64")) for y in ("y_train", "y_test"))
    model = build_network()
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), fused=channels_last)
    loss = nn.CrossEntropyLoss()

    def train_epoch() -> None:
        model.train()
        order = torch.randperm(len(x_train))
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            images = x_train[batch]
            if channels_last:
                images = images.contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad(set_to_none=True)
            loss(model(images), y_train[batch]).backward()
            optimizer.step()

    def predict() -> torch.Tensor:
        model.eval()
        with torch.inference_mode():
            return torch.cat([model(x_test[i : i + 1000]) for i in range(0, len(x_test), 1000)])

    def evaluate() -> float:
        return (predict().argmax(1) == y_test).float().mean().item()

    clock.run_epochs(epochs, train_epoch, evaluate)
    return predict
