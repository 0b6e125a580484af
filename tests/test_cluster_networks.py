"""Workers in network namespaces of their own, which stand for machines: killed, and cut off."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from clusters import Processes, dask_processes, wait_until
from reproduction import make_row, run_row

from lenet_tf.reproduce import verdicts
from lenet_tf.reproduce.records import RecordStore

EPOCHS = 20
CLIENT = """
import json
import sys
from pathlib import Path
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.runner import Runner
from lenet_tf.reproduce.table_row import TableRow
from lenet_tf.scheduling.open_pool import open_pool
address, home, row = sys.argv[1:]
store = RecordStore.for_folder(Path(home, "results"))
with open_pool(address, report=lambda line: print(line, flush=True)) as pool:
    runner = Runner(
        [TableRow.from_dict(json.loads(row))],
        None,
        pool,
        Path(home, "logs"),
        store,
        on_finished=lambda outcome: print(outcome.task.name, outcome.message, flush=True),
        on_failed=lambda task: print(task.name, task.error, flush=True),
    )
    runner.run()
"""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


class Network:
    """A bridge in a namespace of its own, and machines on it."""

    def __init__(self) -> None:
        self._prefix = f"lt{os.getpid()}"
        self._machines: list[str] = []
        self.hub = self._add("hub")
        self.inside(self.hub, "link", "add", "bridge", "type", "bridge")
        self.inside(self.hub, "addr", "add", "10.9.0.1/24", "dev", "bridge")
        self.inside(self.hub, "link", "set", "bridge", "up")

    def _add(self, name: str) -> str:
        machine = f"{self._prefix}-{name}"
        ip("netns", "add", machine)
        self._machines.append(machine)
        self.inside(machine, "link", "set", "lo", "up")
        return machine

    @staticmethod
    def inside(machine: str, *arguments: str) -> None:
        ip("-n", machine, *arguments)

    @staticmethod
    def prefix(machine: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", machine)

    def add_machine(self, number: int) -> tuple[str, str]:
        """The name and the address of a new machine."""
        machine, address = self._add(str(number)), f"10.9.0.{10 + number}"
        self.inside(
            self.hub, "link", "add", f"to{number}", "type", "veth", "peer", "eth", "netns", machine
        )
        self.inside(self.hub, "link", "set", f"to{number}", "master", "bridge", "up")
        self.inside(machine, "addr", "add", f"{address}/24", "dev", "eth")
        self.inside(machine, "link", "set", "eth", "up")
        return machine, address

    def set_link(self, number: int, state: str) -> None:
        """Cut a machine off, or connect it again. Neither side is told."""
        self.inside(self.hub, "link", "set", f"to{number}", "nomaster" if state == "down" else "up")
        if state == "up":
            self.inside(self.hub, "link", "set", f"to{number}", "master", "bridge")

    def close(self) -> None:
        for machine in reversed(self._machines):
            ip("netns", "delete", machine)


@pytest.fixture
def network() -> Iterator[Network]:
    if shutil.which("ip") is None or os.name == "nt" or os.geteuid() != 0:
        pytest.skip("needs root and the program ip, to make network namespaces")
    try:
        network = Network()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
    yield network
    network.close()


@pytest.fixture
def processes(tmp_path) -> Iterator[Processes]:
    with dask_processes(tmp_path) as started:
        yield started


class Cluster:
    """A scheduler on the bridge, workers on machines, and a client beside the scheduler."""

    def __init__(self, network: Network, processes: Processes, home: Path) -> None:
        self.network, self._processes, self._home = network, processes, home
        # The shortest that Dask takes.
        self._variables = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "11s"}
        self._start("scheduler", network.hub, "--host", "10.9.0.1", "--port", 8786)

    def _start(self, name: str, machine: str, *arguments: object) -> subprocess.Popen:
        return self._processes.start(
            name,
            *arguments,
            "--dashboard-address",
            "127.0.0.1:0",
            prefix=self.network.prefix(machine),
            **self._variables,
        )

    def start_worker(self, number: int, threads: int = 1) -> subprocess.Popen:
        machine, address = self.network.add_machine(number)
        options = ("--host", address, "--nthreads", threads)
        return self._start("worker", machine, "tcp://10.9.0.1:8786", *options)

    def start_client(self, row) -> subprocess.Popen:
        script = (CLIENT, "tcp://10.9.0.1:8786", str(self._home), json.dumps(row.to_dict()))
        return subprocess.Popen(
            [*self.network.prefix(self.network.hub), sys.executable, "-c", *script],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | self._variables,
        )

    def count_epochs(self) -> dict[str, int]:
        """The number of finished epochs by seed."""
        histories = self._home.glob("logs/reproduce/tiny/seed-*/fit/*/history.csv")
        return {path.parts[-4]: len(path.read_text().splitlines()) - 1 for path in histories}

    def find_jobs(self) -> dict[str, psutil.Process]:
        """The processes of jobs by seed. The last argument is a name such as `tiny, seed 0`."""
        jobs = {}
        for process in psutil.process_iter():
            try:
                command = process.cmdline()
                if "job_main" in " ".join(command) and process.cwd() == str(self._home):
                    jobs[f"seed-{command[-1].split()[-1]}"] = process
            except psutil.Error:
                continue
        return jobs

    def freeze_jobs(self, count: int) -> list[psutil.Process]:
        """Stop the clock of `count` jobs in the middle, so that none ends before it is lost."""
        frozen: dict[str, psutil.Process] = {}

        def freeze() -> bool:
            epochs = self.count_epochs()
            for seed, process in self.find_jobs().items():
                if seed not in frozen and 3 < epochs.get(seed, 0) < EPOCHS - 1:
                    process.suspend()
                    frozen[seed] = process
            return len(frozen) >= count

        wait_until(freeze, 300, "no job came to its fourth epoch")
        return list(frozen.values())


@pytest.mark.slow
def test_lost_workers_lose_no_run(network, processes, tmp_path):
    """One worker is killed and one cut off: each seed is recorded once, as this machine has it."""
    row = make_row(EPOCHS, seeds=5, test_shifted=False)
    cluster = Cluster(network, processes, tmp_path)
    killed, _ = cluster.start_worker(1), cluster.start_worker(2)
    client = cluster.start_client(row)
    try:
        jobs = cluster.freeze_jobs(2)
        orphan, cut_off = sorted(
            jobs, key=lambda job: killed.pid not in [parent.pid for parent in job.parents()]
        )
        os.killpg(killed.pid, signal.SIGKILL)
        network.set_link(2, "down")
        cluster.start_worker(3, threads=2)
        # It sees that its worker has ended. The other one is killed by its worker.
        orphan.resume()
        wait_until(lambda: not cut_off.is_running(), 120, "the job of a worker without network")
        network.set_link(2, "up")
        output = client.communicate(timeout=900)[0]
    finally:
        client.kill()
    assert client.returncode == 0, output
    assert output.count("a new record") == 5, output
    store = RecordStore.for_folder(tmp_path / "results")
    records = store.read(row)
    assert [record["seed"] for record in records] == [0, 1, 2, 3, 4]
    assert sum(bool(record["resumed"]) for record in records) >= 2, "resumed, not repeated"
    assert len(list((tmp_path / "logs").glob("reproduce/tiny/seed-*/fit/*/"))) == 5
    wait_until(lambda: not cluster.find_jobs(), what="a job outlives its client")
    local = run_row(row, tmp_path / "local")
    for record in records:
        verdict = verdicts.compare_run(local[record["seed"]].record, record)
        assert verdict == verdicts.Verdict(True, "equal to its record, to the last digit")
