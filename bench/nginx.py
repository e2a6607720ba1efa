"""nginx as the reverse proxy to compare with, and as an upstream that costs almost nothing."""

import getpass
import grp
import os
from collections.abc import Mapping
from pathlib import Path

from bench.machine import children, find_tool
from bench.processes import Running, free_port

_FRAME = """\
worker_processes 1;
daemon off;
%(user)s
pid %(folder)s/nginx.pid;
error_log %(folder)s/error.log warn;
events { worker_connections 10000; }
http {
    access_log off;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
%(servers)s
}
"""

_PROXY = """\
    upstream to_%(upstream)d {
        server 127.0.0.1:%(upstream)d;
        keepalive 4096;
        keepalive_requests 1000000000;
    }
    server {
        listen 127.0.0.1:%(port)d backlog=4096;
        location / {
            proxy_pass http://to_%(upstream)d;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering %(buffering)s;
        }
    }
"""

_STATIC = """\
    server {
        listen 127.0.0.1:%(port)d backlog=4096;
        default_type application/json;
        location / {
%(headers)s
            return 200 '%(body)s';
        }
    }
"""

_NGINX_WRITES_ITSELF = frozenset({"content-type", "content-length", "date", "server", "connection"})


class Nginx:
    """One nginx with one worker."""

    def __init__(self, folder: Path, core: int, servers: str) -> None:
        folder.mkdir()
        config = folder / "nginx.conf"
        config.write_text(_FRAME % {"folder": folder, "servers": servers, "user": _user()}, encoding="utf-8")
        command = [find_tool("nginx") or "nginx", "-p", str(folder), "-c", str(config), "-e", f"{folder}/error.log"]
        self._running = Running(command, core, os.environ, folder / "out.log")

    def ready(self, port: int) -> None:
        """Wait until it listens. Raises BenchFailed."""
        self._running.wait_for_port(port)

    @property
    def pids(self) -> tuple[int, ...]:
        return (self._running.pid, *children(self._running.pid))

    def check(self) -> None:
        """Raise BenchFailed when it has ended."""
        self._running.check()

    def stop(self) -> None:
        self._running.stop()


class Proxy(Nginx):
    """Forwards to each upstream port from a port of its own, with connections kept alive on both sides."""

    def __init__(self, folder: Path, core: int, upstreams: Mapping[int, bool]) -> None:
        """`upstreams`: port → whether answers are buffered (streams must not be)."""
        self._ports = {upstream: free_port() for upstream in upstreams}
        blocks = (
            _PROXY % {"upstream": upstream, "port": port, "buffering": "on" if upstreams[upstream] else "off"}
            for upstream, port in self._ports.items()
        )
        super().__init__(folder, core, "".join(blocks))
        for port in self._ports.values():
            self.ready(port)

    def url(self, upstream: int) -> str:
        """Where this upstream is reached through the proxy."""
        return f"http://127.0.0.1:{self._ports[upstream]}"


class StaticUpstream(Nginx):
    """Answers every request with the same recorded answer."""

    def __init__(self, folder: Path, core: int, headers: Mapping[str, str], body: str) -> None:
        self.port = free_port()
        lines = (
            f"            add_header {name} '{_quoted(value)}';"
            for name, value in headers.items()
            if name.lower() not in _NGINX_WRITES_ITSELF
        )
        block = _STATIC % {"port": self.port, "headers": "\n".join(lines), "body": _quoted(body)}
        super().__init__(folder, core, block)
        self.ready(self.port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _quoted(text: str) -> str:
    if "$" in text:
        raise ValueError("nginx would take a dollar sign for a variable")
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _user() -> str:
    """Started by root, nginx would become a user who may not enter the folder."""
    return f"user {getpass.getuser()} {grp.getgrgid(os.getgid()).gr_name};" if os.geteuid() == 0 else ""
