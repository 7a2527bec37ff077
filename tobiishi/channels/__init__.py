"""The LINE Official Accounts that are served: their secrets, holds, quotas and pace."""
