-- The role with which the worker reads the CRM (Kommo): SELECT on the tables it reads, and nothing else. May be run
-- again at any time; it revokes what the role was granted on other tables of this schema. Run it in the CRM's database,
-- as the owner of its tables, with the right to create roles; then give the role a password, without which nobody can
-- log in as it:
--
--   psql -d DB_NAME -f roles.sql
--   psql -d DB_NAME -c '\password ecosys_worker'
--
-- Then set DB_USER to ecosys_worker.
BEGIN;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ecosys_worker') THEN
        CREATE ROLE ecosys_worker;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ecosys_worker', current_database());
END
$$;

ALTER ROLE ecosys_worker
    LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;

-- A second safeguard: a read-only transaction also rejects the changes that the role has no privilege for.
ALTER ROLE ecosys_worker SET default_transaction_read_only = on;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ecosys_worker;
GRANT USAGE ON SCHEMA public TO ecosys_worker;
GRANT SELECT ON
    clientes_kommo,
    companies_kommo,
    users,
    pipelines,
    statuses
TO ecosys_worker;

COMMIT;
