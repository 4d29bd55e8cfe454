"""Verbs of tools' names, and how they are said of a tool: `delete` -> Deletes."""

from __future__ import annotations

# Where "adds s" is wrong, or another word says it plainer.
SAID = {
    "analyze": "Analyzes",
    "apply": "Applies",
    "archive": "Archives",
    "classify": "Classifies",
    "copy": "Copies",
    "debug": "Debugs",
    "deploy": "Deploys",
    "destroy": "Destroys",
    "crawl": "Crawls",
    "echo": "Echoes",
    "edit": "Edits",
    "exec": "Executes",
    "fetch": "Fetches",
    "get": "Reads",
    "has": "Tells whether there is",
    "identify": "Identifies",
    "init": "Initializes",
    "is": "Tells whether it is",
    "ls": "Lists",
    "modify": "Changes",
    "mutate": "Changes",
    "notify": "Notifies",
    "patch": "Changes",
    "post": "Posts",
    "publish": "Publishes",
    "purge": "Purges",
    "push": "Pushes",
    "put": "Puts",
    "query": "Queries",
    "read": "Reads",
    "refresh": "Refreshes",
    "retry": "Retries",
    "rm": "Removes",
    "search": "Searches for",
    "set": "Sets",
    "switch": "Switches",
    "touch": "Touches",
    "update": "Changes",
    "upsert": "Creates or changes",
    "verify": "Verifies",
    "watch": "Watches",
    "write": "Writes",
}
PLAIN = """
accept acknowledge activate add aggregate allocate answer append approve ask assign
associate attach attempt audit authorize award ban begin block book browse build buy
calculate call cancel capture change charge check checkout claim clean clear click
clone close collect comment commit compare compile complete compute configure confirm
connect convert correlate count create deactivate decline decode define delete deny
deregister describe detach detect diagnose diff disable disassociate disconnect
discover dismiss download draft drag drop dump duplicate emit emulate enable encode
encrypt end enrich enter enumerate estimate evaluate evict execute expire explain
explore export extend extract fill filter find finish fix flush follow force fork
format forward generate geocode grant group handle hide highlight hover ignore import
improve increment index ingest insert inspect install interact introspect invalidate
invite invoke issue join kill label launch leave link lint list listen load locate
lock log lookup make manage map mark match measure merge monitor mount move mute
navigate open optimize order package parse pause pay perform pin ping place plan poll
predict prepare press preview process profile promote prompt provision pull quarantine
rank reboot rebuild receive recommend reconnect record recover redeploy redirect
refund register reindex reject release reload remove rename render renew reopen
replace reply report request rerun reserve reset resize resolve respond restart
restore resume retrieve return revert review revoke rollback rotate run sample save
scale scan schedule scrape screenshot scroll secure select sell send share show sign
simulate sleep snapshot sort split star start stat stop store stream submit subscribe
suggest summarize suspend swap sync tag tail take terminate test think toggle trace
track train transfer transform translate trigger troubleshoot truncate type unarchive
unassign undelete undo unfollow uninstall unlock unpin unsubscribe untag unwatch
upgrade upload use validate view visit void wait withdraw wrap zip
"""

VERBS = {word: f"{word.capitalize()}s" for word in PLAIN.split()} | SAID
# A name that ends with one of these says there what it does: `monitor_update`.
PLAINEST = {"add", "create", "delete", "get", "list", "remove", "set", "update"}
