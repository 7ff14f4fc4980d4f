"""What each of two worker processes of the tests does.

    TF_CONFIG=... python -m tests.workers FILE

Trains models of three experiments for two epochs; writes weights and history to FILE.
Then one of them again, by hand: as if the private names that Keras's `fit` needs
overridden were gone.
"""

import dataclasses
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from experiments import forecast, sketch, video
from rnn_tf.devices import strategy
from rnn_tf.recipe import checkpoint, fit
from rnn_tf.recipe.experiment import Context, no_callbacks

QUICK = {"batch_size": 16, "epochs": 2, "patience": 9}
FITS = {
    "forecast": (forecast, forecast.Config(lookback=28, **QUICK), "gru"),
    "sketch": (sketch, sketch.Config(doodles=200, longest=16, **QUICK), "lstm"),
    "video": (video, video.Config(digits=160, frames=4, side=16, **QUICK), "cnn_lstm"),
}
BY_HAND = "video"
BYTES = [None, b"", b"abc", np.random.default_rng(1).bytes(100_001)]


def trained(name: str, devices) -> tuple[list[np.ndarray], list[dict]]:
    """The weights of a model after two epochs without dropout, and its history."""
    import keras
    import keras_tuner

    module, config, model = FITS[name]
    experiment = SimpleNamespace(
        models=module.MODELS,
        compile_arguments=module.compile_arguments,
        callbacks=no_callbacks,
        xla_from=lambda name: float("inf"),
    )
    context = Context(experiment, config, devices, _data(module, config))
    hp = keras_tuner.HyperParameters()
    hp.Fixed("dropout", 0.0)
    keras.utils.set_random_seed(1)
    network = fit.build(context, model, hp, config.epochs)
    fitted = fit.fit(context, network, 1, config.epochs, lambda *_: False)
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in fitted.history]
    return network.model.get_weights(), rows


def _data(module, config):
    """As the experiment has it; but the forecast's validation in two batches, one of an
    odd number of windows and one of a single window, less than there are replicas."""
    data = module.load_data(config)
    if module is not forecast:
        return data
    odd = len(data.source.origins["validation"]) - 1
    assert odd % 2

    def dataset(split, network, order=None):
        size = 16 if order else odd
        return data.source.dataset(split, network.model, size, order)

    return dataclasses.replace(data, dataset=dataset)


def forget_private_names() -> None:
    """Take away what Keras's `fit` needs overridden."""
    from keras.src.backend.tensorflow import trainer

    from rnn_tf.devices import mirrored

    del trainer._collective_all_reduce_multi_worker
    del trainer.TensorFlowTrainer._maybe_symbolic_build
    mirrored.override_keras.cache_clear()


def main(file: Path) -> None:
    """Train, and ask for what the chief has."""
    config = forecast.Config(strategy="multiworker", wait=120)
    devices = strategy.start(config, f"run-of-{file.stem}")
    weights, history = {}, {}
    for name in FITS:
        weights[name], history[name] = trained(name, devices)
    forget_private_names()
    weights["by hand"], history["by hand"] = trained(BY_HAND, devices)
    own = [b"not the chief's"] * len(BYTES)
    given = [devices.from_chief(one) for one in (BYTES if devices.chief else own)]
    facts = {"history": history, "run_id": devices.run_id, "given": given == BYTES}
    file.write_bytes(checkpoint.pack(weights, facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
