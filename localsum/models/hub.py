"""Where models are downloaded from: HF_ENDPOINT, else huggingface.co. Known before anything loads that goes there."""

from __future__ import annotations

import os
from urllib.parse import urlsplit
from urllib.request import getproxies

from localsum.errors import UsageError

_DEFAULT = "https://huggingface.co"
_ITS_HOSTS = ("huggingface.co", "hf.co")  # files are served by hosts below the second


def endpoint() -> str:
    """The address of the hub, without a slash at its end."""
    return (os.environ.get("HF_ENDPOINT") or _DEFAULT).rstrip("/")


def hosts() -> set[str]:
    """Hosts that a download may speak to: the hub's, and those of the proxies that the environment names."""
    address = urlsplit(endpoint())
    if address.scheme not in ("http", "https") or not address.hostname:
        raise UsageError(f"HF_ENDPOINT is no address of a hub: {endpoint()[:100]}", "unset HF_ENDPOINT")
    proxies = (urlsplit(proxy if "//" in proxy else f"//{proxy}").hostname for proxy in getproxies().values())
    return {address.hostname, *_ITS_HOSTS, *(host for host in proxies if host)}
