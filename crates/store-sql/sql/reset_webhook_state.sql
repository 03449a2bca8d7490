UPDATE webhook_state SET failure_count = 0, failing_since = NULL WHERE webhook = ?1
