-- Indexes that keep the cost of a refresh from growing with history: it then reads the last days and one row per
-- tenant. Without them the worker reads whole tables; `ecosys-worker --check` says which are missing.
--
-- For MySQL 8 and MariaDB 10.11; may be run again at any time. Each index is built while the table remains readable and
-- writable (ALGORITHM=INPLACE, LOCK=NONE). An index of another name with the same leading columns works as well, but
-- is not looked for here. Of two indexes that begin with the same columns only one is needed: those made redundant are
-- named below.

-- Newest login of each tenant. Makes an index on tenant_id alone redundant.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'activity_log' AND index_name = 'ecosys_logins_by_tenant'),
               'DO 0', 'CREATE INDEX ecosys_logins_by_tenant ON activity_log (tenant_id, event, created_at) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Newest login of each user among the rows without a tenant. Makes an index on subject_id alone redundant.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'activity_log' AND index_name = 'ecosys_logins_by_user'),
               'DO 0', 'CREATE INDEX ecosys_logins_by_user ON activity_log (subject_id, event, tenant_id, created_at) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Logins of the last days, row by row.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'activity_log' AND index_name = 'ecosys_logins_by_time'),
               'DO 0', 'CREATE INDEX ecosys_logins_by_time ON activity_log (event, created_at, tenant_id, subject_id) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Newest entry of each tenant. This index and those like it make an index on tenant_id alone redundant.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'inventory_entries' AND index_name = 'ecosys_entries_by_tenant'),
               'DO 0', 'CREATE INDEX ecosys_entries_by_tenant ON inventory_entries (tenant_id, deleted_at, created_at) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Entries of the last days.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'inventory_entries' AND index_name = 'ecosys_entries_by_time'),
               'DO 0', 'CREATE INDEX ecosys_entries_by_time ON inventory_entries (deleted_at, created_at, tenant_id) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Newest departure of each tenant.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'inventory_outs' AND index_name = 'ecosys_outs_by_tenant'),
               'DO 0', 'CREATE INDEX ecosys_outs_by_tenant ON inventory_outs (tenant_id, deleted_at, created_at) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Departures of the last days.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'inventory_outs' AND index_name = 'ecosys_outs_by_time'),
               'DO 0', 'CREATE INDEX ecosys_outs_by_time ON inventory_outs (deleted_at, created_at, tenant_id) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Newest lead of each tenant.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'cards' AND index_name = 'ecosys_leads_by_tenant'),
               'DO 0', 'CREATE INDEX ecosys_leads_by_tenant ON cards (tenant_id, deleted_at, created_at) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Leads of the last days.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'cards' AND index_name = 'ecosys_leads_by_time'),
               'DO 0', 'CREATE INDEX ecosys_leads_by_time ON cards (deleted_at, created_at, tenant_id) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Newest message of each tenant.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'econversa_messages' AND index_name = 'ecosys_messages_by_tenant'),
               'DO 0', 'CREATE INDEX ecosys_messages_by_tenant ON econversa_messages (tenant_id, created_at) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Adverts of the last days.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'integrator_ads' AND index_name = 'ecosys_ads_by_time'),
               'DO 0', 'CREATE INDEX ecosys_ads_by_time ON integrator_ads (created_at, tenant_id, integrator_id) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Newest report of each tenant.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'reports' AND index_name = 'ecosys_reports_by_tenant'),
               'DO 0', 'CREATE INDEX ecosys_reports_by_tenant ON reports (tenant_id, created_at) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Contracts of the last days.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'contracts' AND index_name = 'ecosys_contracts_by_time'),
               'DO 0', 'CREATE INDEX ecosys_contracts_by_time ON contracts (created_at, tenant_id) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;
