#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""echoing.py HOST PORT: the SMTP server of Python's library, which quotes a command that it does not know, and
which here announces STARTTLS."""

import asyncore
import smtpd
import sys


class Channel(smtpd.SMTPChannel):
    def push(self, msg):
        if msg == "250 HELP":
            super().push("250-STARTTLS")
        super().push(msg)


class Server(smtpd.SMTPServer):
    channel_class = Channel

    def process_message(self, *message, **options):
        return None


Server((sys.argv[1], int(sys.argv[2])), None)
asyncore.loop()
