"""One index for words and facets of tools, and the words themselves."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

TOOL = """catalog_tool_vector(
"listed", "words", "category", "severity", "publisher", "fingerprint")"""
SERVER = """to_tsvector('simple'::regconfig, translate(
"slug" || ' ' || "name" || ' ' || "publisher_name", '-_./@', '     '))"""

# Words are as long as those that are known at most (catalog_word).
FUNCTION = """
CREATE FUNCTION catalog_tool_vector(
    listed boolean, words text, category text, severity text, publisher text,
    fingerprint text
) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE WHEN listed THEN to_tsvector('simple'::regconfig, words) || (
    WITH marks AS (
        SELECT unnest(ARRAY[
            '=c:' || category, '=s:' || severity, '=p:' || publisher]) AS term
    ), plain AS (
        SELECT word AS term FROM unnest(
            tsvector_to_array(to_tsvector('simple'::regconfig, words))) AS word
        WHERE length(word) <= 64
        UNION ALL SELECT term FROM marks
    ), every AS (
        SELECT term FROM plain
        UNION ALL SELECT marks.term || ':' || plain.term FROM marks, plain
        WHERE marks.term <> plain.term
    ), placed AS (
        SELECT CASE WHEN fingerprint < '04' THEN '=g0' WHEN fingerprint < '20'
            THEN '=g1' ELSE '=g2' END AS place
    )
    SELECT array_to_tsvector(array_agg(term)) FROM (
        SELECT term FROM every WHERE term LIKE '=%'
        UNION ALL SELECT place || ':' || term FROM every, placed WHERE place <> '=g2'
        UNION ALL SELECT place FROM placed
        UNION ALL SELECT '=t' || left(fingerprint, 2)
    ) AS terms
) END
$$;
"""
# The lock ends with the transaction: two that add the same words in different orders
# would wait for each other.
TRIGGERS = """
CREATE FUNCTION catalog_add_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('catalog_word'));
    INSERT INTO catalog_word (word)
    SELECT DISTINCT found.word
    FROM added, unnest(tsvector_to_array(added.search)) AS found (word)
    WHERE left(found.word, 1) <> '=' AND length(found.word) <= 64
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER catalog_tool_words_added AFTER INSERT ON catalog_catalogtool
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_add_words();
CREATE TRIGGER catalog_tool_words_changed AFTER UPDATE ON catalog_catalogtool
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_add_words();
CREATE TRIGGER catalog_server_words_added AFTER INSERT ON catalog_catalogserver
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_add_words();
CREATE TRIGGER catalog_server_words_changed AFTER UPDATE ON catalog_catalogserver
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_add_words();
INSERT INTO catalog_word (word)
SELECT DISTINCT found.word
FROM (
    SELECT search FROM catalog_catalogtool UNION ALL
    SELECT search FROM catalog_catalogserver
) AS rows, unnest(tsvector_to_array(rows.search)) AS found (word)
WHERE left(found.word, 1) <> '=' AND length(found.word) <= 64
ON CONFLICT DO NOTHING;
"""
NO_TRIGGERS = """
DROP TRIGGER catalog_tool_words_added ON catalog_catalogtool;
DROP TRIGGER catalog_tool_words_changed ON catalog_catalogtool;
DROP TRIGGER catalog_server_words_added ON catalog_catalogserver;
DROP TRIGGER catalog_server_words_changed ON catalog_catalogserver;
DROP FUNCTION catalog_add_words;
"""


def vector(sql, **options):
    field = django.contrib.postgres.search.SearchVectorField
    return models.GeneratedField(
        db_persist=True,
        expression=models.Func(template=sql, output_field=field()),
        output_field=field(**options),
    )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION catalog_tool_vector"),
        migrations.RemoveIndex(model_name="catalogtool", name="catalog_tool_search"),
        migrations.RemoveIndex(model_name="catalogtool", name="catalog_tool_trigram"),
        migrations.RemoveField(model_name="catalogtool", name="search"),
        migrations.AddField(
            model_name="catalogtool", name="search", field=vector(TOOL, null=True)
        ),
        migrations.AddField(
            model_name="catalogserver", name="search", field=vector(SERVER)
        ),
        migrations.AddIndex(
            model_name="catalogserver",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["search"], name="catalog_server_search"
            ),
        ),
        migrations.AddIndex(
            model_name="catalogtool",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False, fields=["search"], name="catalog_tool_search"
            ),
        ),
        migrations.CreateModel(
            name="Word",
            fields=[
                (
                    "word",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="word",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("word", "gin_trgm_ops"),
                name="catalog_word_trigram",
            ),
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
