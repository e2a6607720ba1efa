"""The TLS side of outgoing connections."""

import ssl
from os import PathLike


def client_context(ca_file: str | PathLike[str] | None = None) -> ssl.SSLContext:
    """System authorities, plus those of a PEM file; TLS 1.2 or newer; names are verified.

    Built by hand rather than by `ssl.create_default_context`, which writes session keys to the
    file that the environment variable SSLKEYLOGFILE names. Raises OSError or ssl.SSLError when the
    file cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


def ended_cleanly(tls: ssl.SSLObject | None) -> bool:
    """Whether the end of a connection is one an attacker in the network could not have forged, as far as we can know.

    Under TLS a bare TCP end is not enough: after a close_notify a read answers empty, without
    one it would still want data.
    """
    if tls is None:
        return True
    try:
        return not tls.read(1)
    except OSError:
        return False
