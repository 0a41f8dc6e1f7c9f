# SPDX-License-Identifier: Apache-2.0
"""What the tests share: capture files, packets, conversations, TAP output, running mailtap."""
