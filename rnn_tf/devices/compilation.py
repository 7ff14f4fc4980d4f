"""How a model is compiled: the fastest for its devices and number of gradient steps.

Measured on 2 cores of an EPYC, the forecast's models, windows of (56, 1), batch 32, by
`make bench` (see results/bench.md): with XLA, compiled epochs and gradients by hand,
training is 5 to 6 times as fast as with Keras's defaults for LSTM(32) and GRU(32). XLA
takes half a second more to compile, so it pays from some 120 steps on.

An experiment can do without XLA, or say from how many steps on it pays: the sketch's
batches have five lengths, and XLA compiles each, for conv_lstm 7 s for training and 2 s
for validation. On a GPU, XLA would keep LSTM and GRU from cuDNN.
`steps_per_execution` crashes with two or more replicas (keras#19246, keras#20582).
"""

from rnn_tf.devices import dropout, rnn_kernels

# A guess, with a wide margin above the 120 steps that were measured.
STEPS_THAT_REPAY_XLA = 300
# With XLA for the recurrent layers alone. A guess too: batches have several lengths,
# and XLA compiles for each.
STEPS_THAT_REPAY_LENGTHS = 3_000


def compile_options(engine: str, device: str, parallel: bool, steps: int) -> dict:
    """Choose the fastest arguments of `model.compile`.

    Args:
        engine: tensorflow or jax.
        device: cpu, gpu, tpu, mirrored or multiworker.
        parallel: whether several replicas or workers share each batch.
        steps: gradient steps that are planned; 0 to do without XLA on a CPU.
    """
    if engine == "jax":
        return {"jit_compile": True, "steps_per_execution": 32}
    if device == "tpu":
        return {"steps_per_execution": 1 if parallel else 32}
    if parallel:
        return {"jit_compile": False, "steps_per_execution": 1}
    if device == "gpu":
        return {"jit_compile": "auto", "steps_per_execution": 32}
    return {"jit_compile": steps >= STEPS_THAT_REPAY_XLA, "steps_per_execution": 32}


def use_fast_kernels(model, steps: int, xla: bool) -> None:
    """Give the recurrent layers of a model on one CPU their fast kernels.

    Where XLA compiles all of it, the dropout layers get masks that XLA draws quickly.

    Args:
        model: built, not compiled.
        steps: gradient steps that are planned.
        xla: whether XLA may compile the whole model; else it compiles these layers
            alone, where that pays.
    """
    alone = not xla and steps >= STEPS_THAT_REPAY_LENGTHS
    rnn_kernels.use_fast_kernels(model, compiled=alone)
    if xla and steps >= STEPS_THAT_REPAY_XLA:
        dropout.use_fast_masks(model)
