"""Connect to a Dask scheduler, with one line for each way in which this fails."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import ssl
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lenet_tf.errors import RunError
from lenet_tf.runtime.optional_packages import import_optional
from lenet_tf.scheduling.software import describe_software

_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.%\w]+\]|[^\s:/\[\]]+):(\d{1,5})")
_SECONDS, _MAX_PORT = 10.0, 1 << 16
# What OpenSSL's codes mean for the files of `TlsFiles`.
_TLS_REASONS = {
    "KEY_VALUES_MISMATCH": "the key (--tls-key) belongs to another certificate than --tls-cert",
    "PEM lib": "a key is missing or unreadable: pass its file with --tls-key",
    "NO_CERTIFICATE_OR_CRL_FOUND": "the authority's file (--tls-ca) has no certificate",
}
# Dask greets each connection with the length of a message and a message of about 100 bytes.
_MAX_GREETING = 1 << 16


@dataclass(frozen=True)
class TlsFiles:
    """The files of a `tls://` address, in PEM format. None are those of Dask's configuration.

    Attributes:
        ca: Certificate of the authority that signed those of the scheduler and the workers.
        certificate: This client's own certificate.
        key: Its key.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def connect(address: str, tls: TlsFiles | None = None) -> Any:
    """Connect to a Dask scheduler.

    Args:
        address: Its address, `tcp://HOST:PORT` or `tls://HOST:PORT`.
        tls: The files of `tls://`.

    Returns:
        A `distributed.Client`, which listens nowhere.

    Raises:
        RunError: If there is no Dask scheduler of the same version, or TLS refuses one side.
        LenetError: If Dask is not installed.
    """
    distributed = import_optional("distributed", "--scheduler", "cluster")
    security = _read_security(distributed, address, tls or TlsFiles())
    _greet(address, security)
    with warnings.catch_warnings():
        # `_check_scheduler` says what matters of different versions.
        warnings.simplefilter("ignore")
        try:
            client = distributed.Client(
                address, security=security, timeout=_SECONDS, set_as_default=False
            )
        except Exception as error:
            raise RunError(
                f"{address} is no scheduler of Dask {_version('distributed')}, as here"
                f" ({_describe(error)}): is it a worker's address, or of another version?"
            ) from error
    try:
        _check_scheduler(client, address)
    except BaseException:
        client.close(timeout=1)
        raise
    return client


def _read_security(distributed: Any, address: str, tls: TlsFiles) -> Any:
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[3]) < _MAX_PORT:
        raise RunError(
            f"{address!r} is no address of a Dask scheduler: write tcp://HOST:PORT, such as"
            " tcp://127.0.0.1:8786, or tls://HOST:PORT"
        )
    files = {"tls_ca_file": tls.ca, "tls_client_cert": tls.certificate, "tls_client_key": tls.key}
    chosen = {name: str(path) for name, path in files.items() if path is not None}
    if not address.startswith("tls:"):
        if chosen:
            raise RunError(f"{address} is not encrypted: write tls:// to use these certificates")
        return None
    try:
        security = distributed.Security(**chosen, require_encryption=True)
        context = security.get_connection_args("client")["ssl_context"]
    except (OSError, ValueError) as error:
        text = _describe(error)
        reason = next((each for code, each in _TLS_REASONS.items() if code in text), text)
        raise RunError(f"the certificates for {address} can't be used: {reason}") from error
    if context is None:
        raise RunError(
            f"{address} needs certificates: pass --tls-ca and --tls-cert, or set"
            " distributed.comm.tls in Dask's configuration"
        )
    return security


def _greet(address: str, security: Any) -> None:
    """Check what answers, since Dask waits long for others and may read gigabytes from them."""
    match = _ADDRESS.fullmatch(address)
    assert match is not None
    host, port = match[2].strip("[]"), int(match[3])
    advice = "is the scheduler running there, and does a firewall let this machine in?"
    try:
        with socket.create_connection((host, port), timeout=_SECONDS / 2) as plain:
            if security is None:
                _read_greeting(plain)
                return
            context = security.get_connection_args("client")["ssl_context"]
            with context.wrap_socket(plain) as encrypted:
                _read_greeting(encrypted)
    except ssl.SSLError as error:
        reason = (error.reason or _describe(error)).lower().replace("_", " ")
        raise RunError(
            f"no TLS with {address}: {reason}. Both sides need certificates of one authority, and"
            " the scheduler an address that starts with tls://"
        ) from error
    except (EOFError, ValueError, TimeoutError) as error:
        if isinstance(error, TimeoutError) and not error.args[:1] == ("greeting",):
            raise RunError(f"{address} does not answer: {advice}") from error
        other = "tls://, or" if security is None else "tcp://, or"
        raise RunError(
            f"{address} answers, but not as a Dask scheduler: does its address start with {other}"
            " is this the port of another program, such as the dashboard?"
        ) from error
    except (OSError, OverflowError) as error:
        raise RunError(f"cannot reach {address} ({_describe(error)}): {advice}") from error


def _read_greeting(connection: socket.socket) -> None:
    header = b""
    while len(header) < 8:
        try:
            part = connection.recv(8 - len(header))
        except TimeoutError as error:
            raise TimeoutError("greeting") from error
        if not part:
            raise EOFError
        header += part
    (length,) = struct.unpack("<Q", header)
    if not 8 <= length <= _MAX_GREETING:
        raise ValueError


def _check_scheduler(client: Any, address: str) -> None:
    found = client.get_versions()["scheduler"]
    there = {name: str(found["packages"].get(name)) for name in ("distributed", "msgpack")}
    there["python"] = ".".join(str(found["host"]["python"]).split(".")[:2])
    here = {
        "distributed": _version("distributed"),
        "msgpack": _version("msgpack"),
        "python": describe_software()["python"],
    }
    different = [name for name in here if there[name] != here[name]]
    if different:
        facts = ", ".join(f"{name} {there[name]} (here {here[name]})" for name in different)
        raise RunError(
            f"the scheduler {address} has {facts}: install the same versions there and here"
        )


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def _describe(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.strip().splitlines()[0]


@contextlib.contextmanager
def hide_dask_log() -> Iterator[None]:
    """Keep Dask's log away from stderr: what matters of it arrives as exceptions.

    Raises:
        LenetError: If Dask is not installed.
    """
    # Which sets up its log.
    import_optional("distributed", "--scheduler", "cluster")
    loggers = [
        logging.getLogger(name)
        for name in {"asyncio", *logging.root.manager.loggerDict}
        if name.split(".")[0] in ("distributed", "tornado", "asyncio")
    ]
    # A logger's filter doesn't see what the loggers below it send to its handlers.
    filtered = [*loggers, *(handler for logger in loggers for handler in logger.handlers)]
    for each in filtered:
        each.addFilter(_reject)
    try:
        yield
    finally:
        for each in filtered:
            each.removeFilter(_reject)


def _reject(record: logging.LogRecord) -> bool:
    return False
