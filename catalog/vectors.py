"""What the index of the search holds of a tool and of a server, as SQL.

A tool's vector has the words of its `words`, and as marks its facets and where it
stands: one index answers every question, and each term of a question is one exact
entry of it. No word of a text begins with `=`, and no mark is ever searched for by
what somebody typed.

    =c:Read   =s:low   =p:awslabs     category, severity, publisher
    =c:Read:get   =c:Read:=s:low      a mark together with a word, and with another
    =t00 .. =tff                      256 equal parts, by the definition's digest
    =g0  =g1  =g2                     1/64, 7/64 and 56/64 of all
    =g0:get  =g0:=c:Read:get          any of the above but parts, in the first groups

Parts let a page of 300,000 matches be found without looking at them all. Groups let
1,001 be counted that way, and pairs let what is rare or missing among them be counted:
whatever is asked for, no long list of the index is read. A tool that is not listed has
no vector.
"""

from __future__ import annotations

from django.contrib.postgres.search import SearchVectorField
from django.db.models import Func

TOOL = """catalog_tool_vector(
"listed", "words", "category", "severity", "publisher", "fingerprint")"""
SERVER = """to_tsvector('simple'::regconfig, translate(
"slug" || ' ' || "name" || ' ' || "publisher_name", '-_./@', '     '))"""


def vector(sql: str) -> Func:
    return Func(template=sql, output_field=SearchVectorField())
