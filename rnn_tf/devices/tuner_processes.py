"""The processes that share out the trials of a search: keras-tuner's chief and workers.

The chief proposes the trials and writes the results, the workers fit them.
Keras-tuner's own environment variables tell a process which it is. Messages are plain
gRPC, neither encrypted nor signed: use loopback or a private network. No TensorFlow
here.
"""

import os
import socket
from dataclasses import dataclass

from rnn_tf.errors import InputError

ID, ADDRESS, PORT = (
    f"KERASTUNER_{name}" for name in ("TUNER_ID", "ORACLE_IP", "ORACLE_PORT")
)


@dataclass(frozen=True)
class Tuners:
    """Which of these processes this one is, and the chief's address."""

    id: str  # "chief", or any other name
    address: str
    port: int  # of the first model's search; the second has the next, and so on

    @property
    def chief(self) -> bool:
        """Whether this process proposes the trials and writes the results."""
        return self.id == "chief"

    def meet_at(self, number: int) -> None:
        """Tell keras-tuner the port of the search of model `number`, from 0.

        Each search has its own: the chief of one goes on listening for up to 20 s, and
        would tell a worker that came for the next that there is nothing left to do.

        Raises:
            InputError: there is no such port, or another process has it.
        """
        port = self.port + number
        if self.chief:
            _check_free(self.address, port)
        os.environ[PORT] = str(port)


def from_environment() -> Tuners | None:
    """Read keras-tuner's environment variables; None where none is set.

    Raises:
        InputError: some are missing, or the port is not one.
    """
    variables = {name: os.environ.get(name) for name in (ID, ADDRESS, PORT)}
    if not any(variables.values()):
        return None
    missing = " and ".join(name for name, value in variables.items() if not value)
    if missing:
        raise InputError(
            f"{missing} not set; a search by several processes needs {ID} (chief, or a "
            f"name of its own for each worker), {ADDRESS} and {PORT}"
        )
    port = variables[PORT]
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError(f"{PORT} is {port!r}; it must be a number from 1 to 65535")
    return Tuners(variables[ID], variables[ADDRESS], int(port))


def _check_free(address: str, port: int) -> None:
    """Raise InputError unless this process can listen there."""
    try:
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((address, port))
    except (OSError, OverflowError) as error:
        raise InputError(
            f"the chief cannot listen on {address}:{port} ({error}); set {PORT} to the "
            "first of as many free ports as there are models"
        ) from None
