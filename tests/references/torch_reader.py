"""A reader of digits in PyTorch: trained once, its weights and gradients stored for lesson 16.

Needs torch. The lesson writes the same model down, and the tests ask from_torch about it.
"""

import torch
from torch import nn
from torch.nn import functional

import cnnbp

SEED = 3  # of the mask that a training pass draws


def untrained():
    """Convolution, batch normalization, ReLU, max pool, flatten, dropout, linear: in float64."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    ).double()


def trained(epochs=15):
    """The reader after some epochs of Adam on the training digits."""
    (images, labels), _ = cnnbp.digits(float)
    model, images, labels = untrained(), torch.tensor(images), torch.tensor(labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        for some in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            functional.cross_entropy(model(images[some]), labels[some]).backward()
            optimizer.step()
    return model


def gradients(model, x, labels, *, training):
    """Loss, scores, dx, every parameter's gradient and dropout's mask (N, D), as arrays.

    The mask is the one that PyTorch draws: nothing else draws here, so a seed brings it back.
    """
    model.train(training).zero_grad()
    x = torch.tensor(x, requires_grad=True)
    torch.manual_seed(SEED)
    scores = model(x)
    loss = functional.cross_entropy(scores, torch.tensor(labels))
    loss.backward()
    found = {"loss": loss, "scores": scores, "dx": x.grad}
    found |= {name: parameter.grad for name, parameter in model.named_parameters()}
    if training:
        torch.manual_seed(SEED)
        found["mask"] = functional.dropout(torch.ones(len(x), 128, dtype=torch.float64), 0.5)
    return {name: tensor.detach().numpy().copy() for name, tensor in found.items()}


def reference():
    """What is stored: weights/name, evaluation/name and training/name, on the first new digits."""
    model, (_, (images, labels)) = trained(), cnnbp.digits(float)
    stored = {f"weights/{name}": array.numpy().copy() for name, array in model.state_dict().items()}
    for part, training in (("evaluation", False), ("training", True)):
        found = gradients(model, images[:8], labels[:8], training=training)
        stored |= {f"{part}/{name}": array for name, array in found.items()}
    return stored
