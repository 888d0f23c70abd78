-- The user with which the worker reads EcoSys: SELECT on the tables it reads, and nothing else. May be run again at any
-- time; it revokes anything else the user was granted. Run it in the EcoSys database as an administrator; then give the
-- user a password and unlock the account, as nobody can log in with it until then:
--
--   mysql DB_NAME_ECOSYS < roles.sql
--   ALTER USER 'ecosys_worker'@'%' IDENTIFIED BY '...' ACCOUNT UNLOCK;
--
-- Then set DB_USER_ECOSYS to ecosys_worker. Replace '%' by the worker's address if it is known.
CREATE USER IF NOT EXISTS 'ecosys_worker'@'%' ACCOUNT LOCK;

REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'ecosys_worker'@'%';
GRANT SELECT ON tenants TO 'ecosys_worker'@'%';
GRANT SELECT ON users TO 'ecosys_worker'@'%';
GRANT SELECT ON activity_log TO 'ecosys_worker'@'%';
GRANT SELECT ON inventory_entries TO 'ecosys_worker'@'%';
GRANT SELECT ON inventory_outs TO 'ecosys_worker'@'%';
GRANT SELECT ON cards TO 'ecosys_worker'@'%';
GRANT SELECT ON econversa_instance_configurations TO 'ecosys_worker'@'%';
GRANT SELECT ON econversa_messages TO 'ecosys_worker'@'%';
GRANT SELECT ON integrator_ads TO 'ecosys_worker'@'%';
GRANT SELECT ON reports TO 'ecosys_worker'@'%';
GRANT SELECT ON contracts TO 'ecosys_worker'@'%';
GRANT SELECT ON integrator_configurations TO 'ecosys_worker'@'%';
