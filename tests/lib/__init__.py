"""What the tests share: capture files, packets, conversations, TAP output, running mailtap."""
