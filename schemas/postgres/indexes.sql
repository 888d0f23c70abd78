-- Indexes that keep a refresh from growing with what was removed from the CRM; may be run again at any time, by psql.
--
-- A refresh reads every client that is not deleted, and the companies, people, pipelines and stages that they refer to,
-- which it joins by hashing: no index makes that cheaper. What can grow without end is deleted clients.
--
-- CONCURRENTLY: the table is read and written meanwhile. Not inside a transaction.

-- Live clients without a look at deleted ones; used once those are many.
CREATE INDEX CONCURRENTLY IF NOT EXISTS ecosys_clientes_live ON clientes_kommo (id) WHERE deleted_at IS NULL;

-- A run that was broken off leaves an index that exists and is not used, but written to: it is made anew.
SELECT 'REINDEX INDEX CONCURRENTLY ' || indexrelid::regclass FROM pg_index
    WHERE indexrelid = to_regclass('ecosys_clientes_live') AND NOT indisvalid \gexec
