"""What every database is before a scenario's script is run on it, as SQL for a superuser.

Functions that reach out of the database, tell of other trials, wait, or differ from run to run are taken from
everybody; the schema `moment` has stand-ins for those of time, which come before PostgreSQL's own in the search path.
What cannot be held still: object identifiers, and the system columns `xmin` and its kin.
"""

from __future__ import annotations

SEARCH_PATH = "public,moment,pg_catalog"

_FUNCTIONS = (
    # settings of the session, which hold the bounds
    "set_config",
    # time as it is
    "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday",
    "pg_postmaster_start_time", "pg_conf_load_time",
    # numbers that depend on what else the server does, and chance without a seed
    "txid_%", "pg_current_xact_id%", "pg_current_snapshot", "pg_snapshot_%", "pg_xact_%", "pg_current_wal_%",
    "pg_backend_pid", "pg_export_snapshot", "gen_random_uuid", "uuidv%", "pg_last_committed_xact",
    # other trials
    "pg_stat_%", "pg_lock_status", "pg_blocking_pids", "pg_safe_snapshot_blocking_pids", "pg_tablespace_databases",
    "pg_database_size", "pg_tablespace_size", "pg_cancel_backend", "pg_terminate_backend", "pg_prepared_xact",
    "pg_show_replication_origin_status", "pg_get_replication_slots", "pg_notification_queue_usage", "pg_cursor",
    # waiting, locks and messages beyond a call
    "pg_sleep%", "pg_advisory_%", "pg_try_advisory_%", "pg_notify", "pg_listening_channels",
    "pg_logical_emit_message",
    # large objects, which no table's privileges cover, and files
    "lo_%", "lowrite", "loread", "pg_read_%", "pg_ls_%", "pg_stat_file", "pg_file_%", "pg_control_%",
    "pg_import_system_collations", "pg_switch_wal", "pg_create_restore_point", "pg_hba_file_rules",
    "pg_ident_file_mappings", "pg_config", "pg_show_all_file_settings", "pg_get_shmem_allocations",
    "pg_get_backend_memory_contexts", "pg_log_backend_memory_contexts", "pg_current_logfile",
    "inet_server_%", "inet_client_%", "database_to_xml%", "pg_collation_actual_version",
)  # fmt: skip
_RELATIONS = (
    "pg_database", "pg_roles", "pg_user", "pg_group", "pg_auth_members", "pg_db_role_setting", "pg_shdepend",
    "pg_shdescription", "pg_shseclabel", "pg_locks", "pg_prepared_xacts", "pg_stat%", "pg_largeobject_metadata",
    "pg_replication%", "pg_subscription", "pg_settings", "pg_config", "pg_file_settings", "pg_tablespace",
    "pg_available_extension%", "pg_shmem_allocations", "pg_cursors", "pg_user_mappings",
)  # fmt: skip


def _listed(patterns: tuple[str, ...]) -> str:
    # An underscore stands for itself.
    return ", ".join("'" + pattern.replace("_", "\\_") + "'" for pattern in patterns)


FOUNDATION = f"""
DO $do$
DECLARE each record;
BEGIN
  FOR each IN SELECT p.oid::regprocedure AS named FROM pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'a', 'w')
    AND p.proname LIKE ANY (ARRAY[{_listed(_FUNCTIONS)}])
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', each.named);
  END LOOP;
  FOR each IN SELECT c.oid::regclass AS named FROM pg_class c
    WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v')
    AND c.relname LIKE ANY (ARRAY[{_listed(_RELATIONS)}])
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', each.named);
  END LOOP;
END
$do$;
REVOKE ALL ON LANGUAGE plpgsql FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""  # noqa: S608 - made of the names above
"""For a fresh database, once a server."""


def moment(now: str) -> str:
    """The schema `moment`, whose functions stand still at `now` (`2026-01-05 09:00:00`)."""
    zoned, plain, date, time = (
        f"timestamptz '{now}+00'", f"timestamp '{now}'", f"date '{now[:10]}'", f"time '{now[11:]}'",
    )  # fmt: skip
    made = ["CREATE SCHEMA moment", "GRANT USAGE ON SCHEMA moment TO PUBLIC"]
    functions = [
        *((name, "", "timestamptz", zoned) for name in (
            "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "current_timestamp",
        )),
        ("current_timestamp", "int", "timestamptz", zoned),
        ("localtimestamp", "", "timestamp", plain), ("localtimestamp", "int", "timestamp", plain),
        ("current_date", "", "date", date),
        ("current_time", "", "timetz", f"timetz '{now[11:]}+00'"),
        ("current_time", "int", "timetz", f"timetz '{now[11:]}+00'"),
        ("localtime", "", "time", time), ("localtime", "int", "time", time),
        ("timeofday", "", "text", f"to_char({zoned}, 'Dy Mon DD HH24:MI:SS YYYY') || ' UTC'"),
        ("age", "timestamptz", "interval", f"pg_catalog.age({date}::timestamptz, $1)"),
        ("age", "timestamp", "interval", f"pg_catalog.age({date}::timestamp, $1)"),
    ]  # fmt: skip
    made += [
        f'CREATE FUNCTION moment."{name}"({argument}) RETURNS {kind} LANGUAGE sql STABLE PARALLEL SAFE '
        f"AS $of$ SELECT {value} $of$"
        for name, argument, kind, value in functions
    ]
    made.append(
        "CREATE FUNCTION moment.gen_random_uuid() RETURNS uuid LANGUAGE sql VOLATILE AS $of$ SELECT "
        "overlay(overlay(md5(random()::text || random()::text) placing '4' from 13) "
        "placing to_hex(8 + floor(random() * 4)::int) from 17)::uuid $of$"
    )
    return ";\n".join(made)
