"""What is refused when a scheduler is named, each in one line; and TLS."""

from __future__ import annotations

import http.server
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from cluster_jobs import count, make_job
from clusters import find_free_port, local_cluster

from lenet_tf.errors import LenetError, RunError
from lenet_tf.runtime import optional_packages
from lenet_tf.scheduling import dask_connection
from lenet_tf.scheduling.dask_connection import TlsFiles
from lenet_tf.scheduling.dask_pool import DaskPool


def refuse(address: str, tls: TlsFiles | None = None) -> str:
    """The message of a refusal, which takes some seconds at most."""
    start = time.monotonic()
    with pytest.raises(RunError) as caught:
        DaskPool(address, tls=tls).__enter__()
    assert time.monotonic() - start < 15
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def listen():
    """Starts a program that answers each connection with some bytes, and then waits."""
    servers = []

    def start(greeting: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                servers.append(connection)
                connection.sendall(greeting)

        threading.Thread(target=serve, daemon=True).start()
        return f"tcp://127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in servers:
        server.close()


def test_an_address_must_be_one():
    for address in (
        "127.0.0.1:8786",
        "http://127.0.0.1:8786",
        "tcp://127.0.0.1",
        "tcp://a:b:1",
        "tcp://a:0",
        "tcp://a:65536",
    ):
        assert "write tcp://HOST:PORT" in refuse(address)


def test_nothing_listens():
    message = refuse(f"tcp://127.0.0.1:{find_free_port()}")
    assert "Connection refused" in message
    assert "is the scheduler running there" in message
    assert "cannot reach tcp://no-such-host.invalid:8786" in refuse(
        "tcp://no-such-host.invalid:8786"
    )


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.6\r\n", b"", b"\xff" * 8])
def test_another_program_listens(greeting, listen, monkeypatch):
    monkeypatch.setattr(dask_connection, "_SECONDS", 1.0)
    message = refuse(listen(greeting))
    assert "answers, but not as a Dask scheduler" in message


def test_a_web_server_listens(monkeypatch):
    monkeypatch.setattr(dask_connection, "_SECONDS", 1.0)
    handler = http.server.BaseHTTPRequestHandler
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert "not as a Dask scheduler" in refuse(f"tcp://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_a_worker_is_no_scheduler():
    distributed = pytest.importorskip("distributed")
    with local_cluster() as address:
        with dask_connection.hide_dask_log(), distributed.Client(address) as client:
            (worker,) = client.nthreads()
        message = refuse(worker)
    assert message.startswith(f"{worker} is no scheduler of Dask {distributed.__version__}")
    assert message.endswith("is it a worker's address, or of another version?")


def test_a_scheduler_of_another_version(monkeypatch):
    monkeypatch.setattr(dask_connection, "_version", lambda package: "1.0")
    with local_cluster() as address:
        message = refuse(address)
    assert f"the scheduler {address} has distributed 20" in message
    assert "(here 1.0)" in message


def test_dask_is_not_installed(monkeypatch):
    monkeypatch.setattr(optional_packages, "find_spec", lambda name: None)
    message = "--scheduler needs the package distributed, which is not installed: run pip install"
    with pytest.raises(LenetError, match=message):
        DaskPool("tcp://127.0.0.1:1").__enter__()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A function that makes certificates of an authority: the authority, its own, its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments: object) -> None:
        subprocess.run(
            ["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder
        )

    def make(name: str) -> TlsFiles:
        request = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        ca, key = folder / f"{name}-ca.pem", folder / f"{name}.key"
        openssl(*request, "-x509", "-keyout", "ca.key", "-out", ca, "-subj", f"/CN={name}")
        openssl(*request, "-keyout", key, "-out", "a.csr", "-subj", "/CN=member")
        certificate = folder / f"{name}.pem"
        signing = ("x509", "-req", "-in", "a.csr", "-CA", ca, "-CAkey", "ca.key", "-CAcreateserial")
        openssl(*signing, "-out", certificate)
        return TlsFiles(ca, certificate, key)

    return make


def test_tls_between_all_of_one_authority(authority, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(dask_connection, "_SECONDS", 5.0)
    ours, others = authority("ours"), authority("others")
    names = ("client", "scheduler", "worker")
    files = {f"tls_{name}_cert": str(ours.certificate) for name in names}
    files |= {f"tls_{name}_key": str(ours.key) for name in names}
    security = distributed.Security(tls_ca_file=str(ours.ca), require_encryption=True, **files)
    with local_cluster(protocol="tls", security=security) as address:
        assert address.startswith("tls://")
        with DaskPool(address, tls=ours) as pool:
            assert pool.run(make_job(count, tmp_path, epochs=2))["sum"] == 3
        message = refuse(address, TlsFiles(ours.ca, others.certificate, others.key))
        assert f"no TLS with {address}" in message
        assert "certificates of one authority" in message
        assert "certificate verify failed" in refuse(address, others)
        assert "needs certificates: pass --tls-ca and --tls-cert" in refuse(address)
        for files, reason in (
            (TlsFiles(ours.ca, ours.certificate, others.key), "belongs to another certificate"),
            (TlsFiles(ours.ca, ours.certificate), "pass its file with --tls-key"),
            (TlsFiles(ours.key, ours.certificate, ours.key), "(--tls-ca) has no certificate"),
        ):
            message = refuse(address, files)
            assert f"the certificates for {address} can't be used" in message
            assert reason in message
        plain = address.replace("tls:", "tcp:")
        assert "does its address start with tls://" in refuse(plain)
        assert "write tls:// to use these certificates" in refuse(plain, ours)
    with local_cluster() as address:
        assert "no TLS with" in refuse(address.replace("tcp:", "tls:"), ours)


def test_the_command_ends_with_one_line(cli):
    address = f"tcp://127.0.0.1:{find_free_port()}"
    result = cli("reproduce", "lenet1", "--scheduler", address)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"Error: cannot reach {address} (Connection refused):")
    Path("ca.pem").touch()
    result = cli("reproduce", "lenet1", "--tls-ca", "ca.pem")
    assert result.exit_code == 2
    assert "--tls-cert and --tls-key need --scheduler" in result.stderr
