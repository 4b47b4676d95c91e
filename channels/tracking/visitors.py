"""Who comes by a tracked address: a person, or a machine that looks at what people are sent.

Proxies of mailboxes stand for a person or not, by when they fetch. Gmail's and Yahoo's fetch a picture as the letter is
opened, so somebody opened it. Apple's (Mail Privacy Protection) fetches everything as it arrives, opened or not; it
names itself by nothing but `Mozilla/5.0`, and says nothing of anybody. Scanners follow links as the letter comes in,
most of them in the guise of a browser: those are told by how soon they come, and by following many links at once
(channels.tracking.bursts).
"""

import re
from collections.abc import Mapping
from typing import Final

# No person reads and decides as quickly, counted from when the provider had taken it.
SOON_BY_MAIL: Final = 5.0
SOON_ELSEWHERE: Final = 1.0

PREFETCHED: Final = "prefetched"
NAMELESS: Final = "no_browser"
PROGRAM: Final = "program"
APPLE: Final = "apple_mail_privacy"
TOO_SOON: Final = "too_soon"
BURST: Final = "many_at_once"

# What previews links in chats, looks for what is malicious, or is no browser at all.
_PROGRAMS: Final = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|scan|preview|facebookexternalhit|whatsapp/|telegram|slack-?img|embedly|"
    r"barracuda|mimecast|proofpoint|symantec|trendmicro|fortinet|sophos|checkpoint|forcepoint|cloudmark|"
    r"headless|phantomjs|curl/|wget/|python-|aiohttp|httpx|go-http-client|java/|okhttp|apache-httpclient|libwww|"
    r"axios/|node-fetch|undici|ruby|perl|php/|winhttp|powershell",
    re.IGNORECASE,
)
_APPLE: Final = "Mozilla/5.0"
# Proxies of Gmail and Yahoo, whose names would count as programs otherwise.
_PROXIES: Final = re.compile(r"GoogleImageProxy|YahooMailProxy", re.IGNORECASE)
_EARLY: Final = re.compile(r"prefetch|preview|prerender", re.IGNORECASE)
_AHEAD: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def machine(headers: Mapping[str, str]) -> str:
    """By what a machine is known that says so itself; empty for what may be a person."""
    if any(_EARLY.search(headers.get(name, "")) for name in _AHEAD):
        return PREFETCHED
    agent = headers.get("User-Agent", "").strip()
    if not agent:
        return NAMELESS
    if agent == _APPLE:
        return APPLE
    if _PROXIES.search(agent):
        return ""
    return PROGRAM if _PROGRAMS.search(agent[:1_000]) else ""
