"""Step messages for LINE Official Accounts, on Temporal."""
