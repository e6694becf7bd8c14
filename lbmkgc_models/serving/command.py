"""``openke serve``: a trained model behind HTTP, with a page to ask it by hand."""

from __future__ import annotations

import os
import socket
from ipaddress import ip_address
from pathlib import Path

from lbmkgc_models.features.optional_packages import extra
from openke.runtime.interruption import Interruption
from openke.runtime.values import Port

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def command(
    run: Path,
    /,
    *,
    host: str = "127.0.0.1",
    port: Port = 8000,
    keep: Path | None = None,
    without_probability: bool = False,
    data: Path | None = None,
    features: Path | None = None,
    device: str = "auto",
) -> None:
    """Serve a trained model: a page to ask it by hand, and an API of JSON.

    It answers on this machine alone, unless --host says otherwise; it then asks nobody for a
    password. /docs of the server describes the API. Ctrl-C ends it. For example::

        openke serve runs/countries --port 8080

    Parameters
    ----------
    run
        Output folder of a training; it is only read.
    host
        Address to answer on; 0.0.0.0 is all of this machine's.
    port
        Port to answer on; 0 takes a free one.
    keep
        Folder to save the run to after each entity that is added; by default they are gone when
        the server ends.
    without_probability
        Give no probabilities. Where the run's report has none, they are fitted at the start, which
        may take a while.
    data
        Folder of the data set; by default what the run's folder has of it.
    features
        Folder of features, for models that use them; by default those in the run's folder.
    device
        auto, cpu, cuda, cuda:1, mps.
    """
    uvicorn = extra("uvicorn", "serve")
    extra("fastapi", "serve")
    extra("python_multipart", "serve")
    extra("PIL", "serve")
    from lbmkgc_models.serving.api import make_app
    from lbmkgc_models.serving.served import Served
    from openke.runs.load import load_run

    with listening(host, port) as opened:
        loaded = load_run(run, data, features=features, device=device)
        served = Served(loaded, probability=not without_probability, keep=keep)
        app = make_app(served, hosts=LOOPBACK | {host} if is_loopback(host) else None)
        if served.no_probability and not without_probability:
            print(f"no probabilities: {served.no_probability}")
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            limit_concurrency=served.limits.connections,
            server_header=False,
        )

        class Server(uvicorn.Server):  # type: ignore[misc, name-defined]
            """Says where it is once it answers there, and ends by Ctrl-C from then on."""

            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets=sockets)
                print(f"{run}: {address(host, opened)} (Ctrl-C ends it)", flush=True)
                if noted.signal is not None:  # before the server noted it itself
                    self.should_exit = True

        with Interruption() as noted:
            Server(config).run(sockets=[opened])
        if noted.signal is not None:
            noted.leave()


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    OSError
        The port is taken, or the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once, which saves 40 ms an answer, on sockets that say they are TCP's.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would share the port with another program
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen()
        return opened
    except (OSError, OverflowError, TypeError, ValueError) as error:  # the last two: no host name
        opened.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise OSError(f"cannot answer on {host}, port {port}: {reason}; name another") from error


def is_loopback(host: str) -> bool:
    """Return whether nobody outside this machine reaches a host."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def address(host: str, opened: socket.socket) -> str:
    """Return the address of the page."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{opened.getsockname()[1]}/"
