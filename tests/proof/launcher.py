"""A process that has imported the server and forks ready ones: then a start costs a tenth of a second.

Orders come as JSON over a socket of packets: `{"start": {variables}, "user": null}` with two descriptors, the output
and the listening socket, is answered with `{"pid": …}`; `{"wait": pid}` with `{"status": …}` when that has ended.
"""

import json
import os
import socket
import sys
import traceback

from ownkey.config import ConfigurationError, load_settings
from ownkey.main.server import serve


def main() -> None:
    """Serve orders until the other end is gone."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, 1 << 16, 2)
        if not data:
            return
        order = json.loads(data)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            answer = {"status": os.waitstatus_to_exitcode(status)}
        else:
            pid = os.fork()
            if not pid:
                channel.close()
                if order["user"] is not None:
                    os.setuid(order["user"])
                _become_server(order["start"], *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            answer = {"pid": pid}
        channel.send(json.dumps(answer).encode())


def _become_server(variables: dict[str, str], output: int, listener: int) -> None:
    """As the command line does it; never returns."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    status = 0
    try:
        serve(load_settings(variables), socket.socket(fileno=listener))
    except ConfigurationError as error:
        sys.stderr.write(f"ownkey: {error}\n")
        status = 2
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else 1
    except BaseException:  # noqa: BLE001 (a child that came back from here would go on as the launcher)
        traceback.print_exc()
        status = 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
