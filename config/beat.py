"""What beat runs: it sends tasks by name, and loads none of them.

Without tasks it needs none of Django's apps either, which are most of what a process
takes to start and holds in memory.
"""

from config.celery import configured

app = configured(fixups=[], set_as_current=False)
