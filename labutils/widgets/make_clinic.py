"""Train the patients of the curve clinic and write their curves to data/clinic.json.

Run it as `python -m labutils.widgets.make_clinic`; a minute is plenty. Every network learns the book's handwritten
digits with the book's own loop. What each one suffers from is written here, setting by setting.
"""

import json
from dataclasses import asdict, dataclass, fields
from importlib.resources import files

import torch
from torch import nn
from torch.optim.lr_scheduler import MultiStepLR

from labutils.data import Examples, Split, digits
from labutils.training import History, train

CLINIC = files("labutils.widgets") / "data" / "clinic.json"


@dataclass(frozen=True)
class Patient:
    """One run: a dense ReLU network, 64 pixels to 10 digits, trained by mini-batch gradient descent."""

    diagnosis: str
    hidden: tuple[int, ...] = (32,)
    learning_rate: float = 0.1
    epochs: int = 30
    batch_size: int = 32
    momentum: float = 0.0
    weight_decay: float = 0.0
    decay_at: tuple[int, ...] = ()
    """After these epochs the rate is multiplied by `decay_factor`."""
    decay_factor: float = 0.1
    initial_std: float | None = None
    """Standard deviation of the first weights; torch's own choice where it is None."""
    examples: int | None = None
    """How many training examples the network sees; all 1077 where it is None."""
    wrong_labels: float = 0.0
    """Share of training examples whose label is drawn at random."""
    seed: int = 0


PATIENTS = {
    "bounces": Patient("rate too high", learning_rate=0.5, momentum=0.9),
    "blows up late": Patient("rate too high", learning_rate=1.2),
    "small weights": Patient("bad initialization", hidden=(64, 64, 64), initial_std=0.05, epochs=24),
    "tiny weights": Patient("bad initialization", hidden=(32, 32), initial_std=0.01, momentum=0.5, epochs=36),
    "few examples": Patient("overfitting", hidden=(128,), examples=60, batch_size=10, epochs=40),
    "wrong labels": Patient("overfitting", hidden=(512,), momentum=0.9, examples=150, wrong_labels=0.3, epochs=40),
    "tiny steps": Patient("rate too low", learning_rate=0.002),
    "small steps": Patient("rate too low", hidden=(64,), learning_rate=0.006, epochs=28),
    "stopped in full swing": Patient("train longer", learning_rate=0.04, epochs=14),
    "short of breath": Patient("train longer", hidden=(64,), learning_rate=0.05, epochs=12),
    "decayed in the steep": Patient("decayed too early", decay_at=(4, 5, 6), epochs=24),
    "one great cut": Patient("decayed too early", hidden=(64,), decay_at=(3,), decay_factor=0.001, epochs=20),
    "two units": Patient("underfitting", hidden=(2,), seed=1, epochs=40),
    "heavy decay": Patient("underfitting", learning_rate=0.2, weight_decay=0.1),
    "momentum": Patient("healthy", learning_rate=0.03, momentum=0.9, epochs=24),
    "decayed in time": Patient("healthy", hidden=(64,), learning_rate=0.3, decay_at=(15, 22)),
}


def treat(patient: Patient, data: Split) -> History:
    """Train one patient on its share of `data`, on the CPU, with every random draw from its seed."""
    generator = torch.Generator().manual_seed(patient.seed)
    model = network(patient, generator)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=patient.learning_rate, momentum=patient.momentum, weight_decay=patient.weight_decay
    )
    scheduler = MultiStepLR(optimizer, patient.decay_at, patient.decay_factor)
    return train(
        model,
        data._replace(train=ration(data.train, patient, generator)),
        optimizer,
        epochs=patient.epochs,
        batch_size=patient.batch_size,
        scheduler=scheduler,
        generator=generator,
        device="cpu",
    )


def network(patient: Patient, generator: torch.Generator) -> nn.Sequential:
    """The network, its weights drawn from `generator`."""
    layers: list[nn.Module] = []
    sizes = (64, *patient.hidden, 10)
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        layer = nn.Linear(fan_in, fan_out)
        bound = fan_in**-0.5  # what torch's nn.Linear draws by itself, for weights and biases
        nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
        if patient.initial_std is not None:
            nn.init.normal_(layer.weight, std=patient.initial_std, generator=generator)
            nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def ration(examples: Examples, patient: Patient, generator: torch.Generator) -> Examples:
    """The first of `examples`, as many as the patient gets, some with a label drawn at random."""
    x, y = examples.x[: patient.examples], examples.y[: patient.examples].clone()
    wrong = torch.rand(len(y), generator=generator) < patient.wrong_labels
    y[wrong] = torch.randint(10, (int(wrong.sum()),), generator=generator)
    return Examples(x, y)


def changed(patient: Patient) -> dict:
    """The settings in which a patient differs from the defaults, and the four that are always told."""
    told = {"hidden", "learning_rate", "epochs", "batch_size"}
    settings = {f.name: f.default for f in fields(patient) if f.name != "diagnosis"}
    return {k: v for k, v in asdict(patient).items() if k in settings and (k in told or v != settings[k])}


def main() -> None:
    data = digits()
    runs = []
    for name, patient in PATIENTS.items():
        history = treat(patient, data)
        runs.append(
            {
                "name": name,
                "diagnosis": patient.diagnosis,
                "settings": changed(patient),
                "train_loss": [round(loss, 2) for loss in history.train_loss],
                "validation_loss": [round(loss, 2) for loss in history.validation_loss],
            }
        )
        print(f"{name:24}{patient.diagnosis:20}{history.train_loss[-1]:6.2f}{history.validation_loss[-1]:6.2f}")
    lines = ",\n".join(json.dumps(run) for run in runs)
    CLINIC.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
