"""Verbs of tools' names, and how they are said of a tool: `delete` -> Deletes."""

from __future__ import annotations


def third_person(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "x", "z")):
        return f"{verb.capitalize()}es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1].capitalize()}ies"
    return f"{verb.capitalize()}s"


# Where that is wrong, or another word says it plainer.
SAID = {
    "echo": "Echoes",
    "exec": "Executes",
    "get": "Reads",
    "has": "Tells whether there is",
    "init": "Initializes",
    "is": "Tells whether it is",
    "ls": "Lists",
    "modify": "Changes",
    "mutate": "Changes",
    "patch": "Changes",
    "query": "Queries",
    "read": "Reads",
    "rm": "Removes",
    "search": "Searches for",
    "update": "Changes",
    "upsert": "Creates or changes",
}
PLAIN = """
accept acknowledge activate add aggregate allocate analyze answer append apply approve
archive ask assign associate attach attempt audit authorize award ban begin block book
browse build buy calculate call cancel capture change charge check checkout claim
classify clean clear click clone close collect comment commit compare compile complete
compute configure confirm connect convert copy correlate count crawl create deactivate
debug decline decode define delete deny deploy deregister describe destroy detach
detect diagnose diff disable disassociate disconnect discover dismiss download draft
drag drop dump duplicate edit emit emulate enable encode encrypt end enrich enter
enumerate estimate evaluate evict execute expire explain explore export extend extract
fetch fill filter find finish fix flush follow force fork format forward generate
geocode grant group handle hide highlight hover identify ignore import improve
increment index ingest insert inspect install interact introspect invalidate invite
invoke issue join kill label launch leave link lint list listen load locate lock log
lookup make manage map mark match measure merge monitor mount move mute navigate
notify open optimize order package parse pause pay perform pin ping place plan poll
post predict prepare press preview process profile promote prompt provision publish
pull purge push put quarantine rank reboot rebuild receive recommend reconnect record
recover redeploy redirect refresh refund register reindex reject release reload remove
rename render renew reopen replace reply report request rerun reserve reset resize
resolve respond restart restore resume retrieve retry return revert review revoke
rollback rotate run sample save scale scan schedule scrape screenshot scroll secure
select sell send set share show sign simulate sleep snapshot sort split star start
stat stop store stream submit subscribe suggest summarize suspend swap switch sync tag
tail take terminate test think toggle touch trace track train transfer transform
translate trigger troubleshoot truncate type unarchive unassign undelete undo unfollow
uninstall unlock unpin unsubscribe untag unwatch upgrade upload use validate verify
view visit void wait watch withdraw wrap write zip
"""

VERBS = {word: third_person(word) for word in PLAIN.split()} | SAID
# A name that ends with one of these says there what it does: `monitor_update`.
PLAINEST = {"add", "create", "delete", "get", "list", "remove", "set", "update"}
