"""What the job kind `flash` is made of: the disk (find), what it holds (ledger), who feeds it (door), the conversation (session)."""
