# SPDX-License-Identifier: Apache-2.0
"""libopendkim by its C interface (dkim.h): signs messages, and verifies them with keys from a table instead of DNS."""

import ctypes
import tempfile

SET, TEMPORARY, SIGNED, QUERY_METHOD, QUERY_INFO = 1, 1, 4, 6, 7
QUERY_FILE = 1
FORMS = {"simple": 0, "relaxed": 1}
ALGORITHMS = {"rsa-sha256": 1}
PASSED, MATCHES = 4, 0


class OpenDkim:
    def __init__(self):
        self.opendkim = ctypes.CDLL("libopendkim.so.11")
        for function in ("dkim_init", "dkim_sign", "dkim_verify"):
            getattr(self.opendkim, function).restype = ctypes.c_void_p
        self.handle = ctypes.c_void_p(self.opendkim.dkim_init(None, None))

    def _option(self, option, value, size):
        if self.opendkim.dkim_options(self.handle, SET, option, value, ctypes.c_size_t(size)) != 0:
            raise OSError(f"libopendkim has no option {option}")

    def _feed(self, message, dkim):
        """Returns what the end of the message says."""
        for chunk in (message, None):
            status = self.opendkim.dkim_chunk(dkim, chunk, ctypes.c_size_t(len(chunk or b"")))
            if status != 0:
                return status
        return self.opendkim.dkim_eom(dkim, None)

    def sign(self, message, selector, domain, secret, forms):
        status = ctypes.c_int()
        dkim = ctypes.c_void_p(
            self.opendkim.dkim_sign(self.handle, b"1", None, secret, selector, domain, FORMS[forms[0]], FORMS[forms[1]],
                                   ALGORITHMS["rsa-sha256"], ctypes.c_ssize_t(-1), ctypes.byref(status))
        )  # fmt: skip
        if not dkim or self._feed(message, dkim) != 0:
            raise OSError("libopendkim does not sign")
        text, length = ctypes.c_char_p(), ctypes.c_size_t()
        self.opendkim.dkim_getsighdr_d(dkim, ctypes.c_size_t(16), ctypes.byref(text), ctypes.byref(length))
        field = ctypes.string_at(text, length.value)
        self.opendkim.dkim_free(dkim)
        return b"DKIM-Signature: " + field.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n" + message

    def verdicts(self, message, keys):
        """True or False for each signature, from the top."""
        with tempfile.NamedTemporaryFile("w") as table:
            table.write("".join(f"{name} {text}\n" for name, text in keys.items()))
            table.flush()
            method, path = ctypes.c_int(QUERY_FILE), table.name.encode()
            self._option(QUERY_METHOD, ctypes.byref(method), ctypes.sizeof(method))
            self._option(QUERY_INFO, ctypes.c_char_p(path), len(path))
            status = ctypes.c_int()
            dkim = ctypes.c_void_p(self.opendkim.dkim_verify(self.handle, b"1", None, ctypes.byref(status)))
            self._feed(message, dkim)
            found = self._found(dkim)
            self.opendkim.dkim_free(dkim)
        return found

    def _found(self, dkim):
        signatures, count = ctypes.POINTER(ctypes.c_void_p)(), ctypes.c_int()
        if self.opendkim.dkim_getsiglist(dkim, ctypes.byref(signatures), ctypes.byref(count)) != 0:
            return []
        found = []
        for number in range(count.value):
            signature = ctypes.c_void_p(signatures[number])
            self.opendkim.dkim_sig_process(dkim, signature)
            passed = self.opendkim.dkim_sig_getflags(signature) & PASSED != 0
            found.append(passed and self.opendkim.dkim_sig_getbh(signature) == MATCHES)
        return found
