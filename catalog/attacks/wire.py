"""Attacks through the protocol itself. Pure."""

from __future__ import annotations

from catalog.attacks.pattern import (
    BEST_PRACTICES,
    EXPERIMENTS,
    SPECIFICATION,
    Pattern,
    Source,
    arxiv,
    cve,
)

WIRE = (
    Pattern(
        slug="sampling-abuse",
        name="Sampling abuse",
        line="A server uses the client's model for itself.",
        happens=(
            "The protocol lets a server ask the client's model for text. A hostile one"
            " runs its own work at the user's expense, plants lasting orders in the"
            " conversation, or has the model call tools on the side.",
        ),
        needs=("a server that is connected, and a client that grants sampling",),
        categories=(),
        signals=(),
        reach="built in",
        does="",
        also=(
            "Sampling is not relayed: the server is told so, the call ends, and the"
            " client's model is never asked.",
        ),
        left="Nothing of it passes the gateway. Servers that a client reaches without"
        " it are out of its sight.",
        sources=(
            Source("Palo Alto Networks Unit 42, attacks through sampling", "2025-12"),
            EXPERIMENTS,
            arxiv("2601.17549", "Breaking the Protocol"),
        ),
    ),
    Pattern(
        slug="elicitation-phishing",
        name="Phishing through elicitation",
        line="A server asks the person for secrets, or sends them to a false page.",
        happens=(
            "Through the client's own window a server asks for a password or a code, or"
            " opens a page that looks like a well-known sign-in. People trust it,"
            " because their client shows it.",
        ),
        needs=("a server that is connected, and a client that shows such questions",),
        categories=(),
        signals=(),
        reach="built in",
        does="",
        also=(
            "Questions of a server to the person are declined by the gateway.",
            "The only page that an agent is ever pointed to is that of an approval, on"
            " your own installation, behind its sign-in.",
        ),
        left="An answer of a tool can hold a link in its text.",
        sources=(
            Source(
                "Model Context Protocol, elicitation",
                "2026-07-28",
                url=f"{SPECIFICATION}/client/elicitation",
            ),
        ),
    ),
    Pattern(
        slug="header-body-mismatch",
        name="Header and body disagree",
        line="A proxy judges the header, the server runs the body.",
        happens=(
            "Requests name their method and tool in headers as well, so that proxies"
            " need not read bodies. A client that names a harmless tool above and"
            " another one below, names one twice, or has a key twice in its JSON, gets"
            " past whoever reads only one of the two.",
        ),
        needs=("a client that is told what to send", "a proxy that trusts headers"),
        categories=(),
        signals=(),
        reach="built in",
        does="",
        also=(
            "Mirrored headers must say what the body says, each of them once.",
            "Bodies are read once, strictly: a duplicate key, a number that two parsers"
            " would read differently or a broken text is refused; what was judged is"
            " written anew and sent.",
        ),
        left="Clients that reach the server without the gateway.",
        sources=(
            Source("Model Context Protocol, mirrored headers", "", "SEP-2243"),
            Source(
                "Model Context Protocol, streamable HTTP",
                "2026-07-28",
                url=f"{SPECIFICATION}/basic/transports/streamable-http",
            ),
        ),
    ),
    Pattern(
        slug="cross-user-leak",
        name="Answers for somebody else",
        line="A cache or a shared connection gives one user's answer to another.",
        happens=(
            "A list or a document that was made for one user is marked as public and"
            " kept by something in between, or a server uses one connection for many"
            " clients and mixes up their answers. The next one to ask is given it.",
        ),
        needs=("two users of one proxy or server", "data that differs between them"),
        categories=("Read",),
        signals=(),
        reach="built in",
        does="",
        also=(
            "Every list and document leaves the gateway marked as private, whatever the"
            " server said, and is kept for seconds at most.",
            "Sessions at a server belong to one grant.",
        ),
        left="A server that mixes up its callers by itself.",
        sources=(
            Source("Model Context Protocol, hints for caches", "", "SEP-2549"),
            cve("2026-25536", "Answers crossing clients in the TypeScript SDK"),
        ),
    ),
    Pattern(
        slug="dns-rebinding",
        name="DNS rebinding",
        line="A web page reaches a server that listens on the same machine.",
        happens=(
            "A page that somebody opens has its name pointed at the local machine after"
            " it was loaded. The browser then sends its requests to a server or a tool"
            " for developers that listens there and asks nobody who they are.",
        ),
        needs=(
            "an open tab",
            "a local server that looks neither at Host nor at Origin",
        ),
        categories=("Execute", "Read"),
        signals=(),
        reach="built in",
        does="",
        also=(
            "The gateway answers to its own host names, to allowed origins, and to"
            " nobody without a token.",
            "Everything that it starts listens on loopback or on private sockets.",
        ),
        left="Other local servers, which listen for themselves.",
        sources=(
            BEST_PRACTICES,
            cve("2025-49596", "MCP Inspector, commands from a web page"),
        ),
    ),
)
