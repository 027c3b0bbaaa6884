"""What the job kind `flash_box` is made of: the disk (find), what it holds (ledger), who feeds it (door), the conversation (session)."""
