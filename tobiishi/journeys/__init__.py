"""Who walks through which scenario, and the ledger of every message that was sent there."""
