"""The database itself keeps versions as they were published.

A deferred check lets a version go only together with its policy. `published_by` may
become empty, when that person's account is deleted.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION policies_version_unchanged() RETURNS trigger AS $$
BEGIN
    IF (to_jsonb(NEW) - 'published_by_id') IS DISTINCT FROM
       (to_jsonb(OLD) - 'published_by_id') OR NEW.published_by_id IS NOT NULL THEN
        RAISE EXCEPTION 'a published version is never changed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$ LANGUAGE plpgsql;

CREATE TRIGGER policies_version_unchanged BEFORE UPDATE ON policies_policyversion
    FOR EACH ROW EXECUTE FUNCTION policies_version_unchanged();

CREATE FUNCTION policies_version_kept() RETURNS trigger AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM policies_policy WHERE id = OLD.policy_id) THEN
        RAISE EXCEPTION 'a published version is deleted only with its policy'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$ LANGUAGE plpgsql;

CREATE CONSTRAINT TRIGGER policies_version_kept AFTER DELETE ON policies_policyversion
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION policies_version_kept();
"""

DROP = """
DROP TRIGGER policies_version_kept ON policies_policyversion;
DROP FUNCTION policies_version_kept();
DROP TRIGGER policies_version_unchanged ON policies_policyversion;
DROP FUNCTION policies_version_unchanged();
"""


class Migration(migrations.Migration):
    dependencies = [("policies", "0002_same_tenant")]

    operations = [migrations.RunSQL(CREATE, DROP)]
