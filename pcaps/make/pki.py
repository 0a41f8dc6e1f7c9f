#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes certificates, good and bad, for one capture; all DER is put together here, byte by byte, as no
library makes what breaks its rules. Keys are new at every run.

pki.py CAPTURE < LINES     for each line  NAME OPTION...  writes NAME.pem and NAME.key to this folder
pki.py --bundle FILE CAPTURE [PEM...]
                           puts these PEM files into FILE as what belongs to CAPTURE, in place of
                           what stood there for it

Lines are read in order, an issuer comes before what it signs. A word as an option is a flag:

  key=rsa[:BITS] pss ec[:CURVE] dsa[:BITS] ed25519 ed448 @NAME (the key of NAME)     (ec)
  issuer=NAME       who signs (itself)
  signer=NAME       whose key signs, where that is not the issuer's: a wrong signature
  digest=sha256 …   pss: RSA-PSS by an RSA key           from= to=  dates, UTC            (2020, 2099)
  cn=TEXT           commonName, Python escapes (a root, an issuer: its NAME and CAPTURE; else mx.example.com)
  as=NAME           the same subject as NAME             o=TEXT  organizationName (Example Test)
  dns= ip= email=   subjectAltName, commas, Python escapes (a leaf: DNS:mx.example.com)
  names=COUNT       that many more dNSNames              no=san,aki,…  leave these extensions out
  ca                basicConstraints CA, keyUsage        notca         basicConstraints without CA
  pathlen=N         permit= exclude=  name constraints   serial=N      decimal or 0x…, may be negative
  ku=WORDS eku=WORDS   key usage, extended key usage      unknown       an extension nobody knows
  critical=WORDS    these extensions are critical        size=BYTES    pad with an extension to this size
  v1                version 1, no extensions             time=general  GeneralizedTime also before 2050
  damage=WORD       see DAMAGE
  crl=NAMES         no certificate: the CRL of `issuer` with these revoked, NAME.pem (none: crl=-),
                    from=, of the day made=, good until to=, reason=N (6: on hold)
  explicit          policy constraints: an explicit policy is required
"""

import base64
import datetime
import ipaddress
import random
import re
import shlex
import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa

# --- DER ---------------------------------------------------------------------------------------


def der(tag, *parts):
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts):
    return der(0x30, *parts)


def integer(number):
    size = 1
    while not -(1 << 8 * size - 1) <= number < 1 << 8 * size - 1:
        size += 1
    return der(0x02, number.to_bytes(size, "big", signed=True))


def octets(*parts):
    return der(0x04, *parts)


def bits(content, unused=0):
    return der(0x03, bytes([unused]), content)


def flags(numbers):
    """A named bit list: as few bits as hold the highest one set."""
    value = sum(1 << number for number in numbers)
    length = value.bit_length()
    size = (length + 7) // 8
    content = int(format(value, "b")[::-1].ljust(size * 8, "0") or "0", 2).to_bytes(size, "big")
    return bits(content, size * 8 - length)


def oid(text):
    arcs = [int(arc) for arc in text.split(".")]
    content = b""
    for arc in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        part = [arc & 0x7F]
        while arc := arc >> 7:
            part.append(0x80 | arc & 0x7F)
        content += bytes(reversed(part))
    return der(0x06, content)


def date(moment, form=None):
    """A Time as RFC 5280 has it: UTCTime until 2049 unless `form` is "general"."""
    if form != "general" and 1950 <= moment.year < 2050:
        return der(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return der(0x18, (f"{moment.year:04}" + moment.strftime("%m%d%H%M%SZ")).encode())


NULL = der(0x05)
TRUE = der(0x01, b"\xff")

# --- keys and signatures -----------------------------------------------------------------------

RSA, PSS, MGF1 = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
HASHES = {
    "md5": (hashes.MD5, "1.2.840.113549.2.5"),
    "sha1": (hashes.SHA1, "1.3.14.3.2.26"),
    "sha224": (hashes.SHA224, "2.16.840.1.101.3.4.2.4"),
    "sha256": (hashes.SHA256, "2.16.840.1.101.3.4.2.1"),
    "sha384": (hashes.SHA384, "2.16.840.1.101.3.4.2.2"),
    "sha512": (hashes.SHA512, "2.16.840.1.101.3.4.2.3"),
}
SIGNATURES = {
    "rsa": {"md5": "1.2.840.113549.1.1.4", "sha1": "1.2.840.113549.1.1.5",
            "sha224": "1.2.840.113549.1.1.14", "sha256": "1.2.840.113549.1.1.11",
            "sha384": "1.2.840.113549.1.1.12", "sha512": "1.2.840.113549.1.1.13"},
    "ec": {"sha1": "1.2.840.10045.4.1", "sha224": "1.2.840.10045.4.3.1", "sha256": "1.2.840.10045.4.3.2",
           "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"},
    "dsa": {"sha1": "1.2.840.10040.4.3", "sha256": "2.16.840.1.101.3.4.3.2"},
}  # fmt: skip
EDWARDS = {"ed25519": "1.3.101.112", "ed448": "1.3.101.113"}


class Key:
    """A key pair of one kind; knows its SubjectPublicKeyInfo, its PKCS #8 form, how it signs."""

    def __init__(self, text):
        self.kind, _, size = text.partition(":")
        if self.kind in ("rsa", "pss"):
            self.private = rsa.generate_private_key(65537, int(size or 2048))
        elif self.kind == "ec":
            curves = {name: curve for name, curve in vars(ec).items() if isinstance(curve, type)}
            self.private = ec.generate_private_key(curves[(size or "secp256r1").upper()]())
        elif self.kind == "dsa":
            self.private = dsa.generate_private_key(int(size or 2048))
        else:
            made = {"ed25519": ed25519.Ed25519PrivateKey, "ed448": ed448.Ed448PrivateKey}
            self.private = made[self.kind].generate()

    def spki(self):
        form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        made = self.private.public_key().public_bytes(*form)
        return self._as_pss(made)

    def pkcs8(self):
        form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
        return self._as_pss(self.private.private_bytes(*form, serialization.NoEncryption()))

    def _as_pss(self, made):
        """The same key under the algorithm id-RSASSA-PSS, without parameters."""
        plain = sequence(oid(RSA), NULL)
        if self.kind != "pss":
            return made
        start = made.index(plain)
        return sequence(made[:start].partition(b"\x30")[2][_length_size(made) :], sequence(oid(PSS)),
                        made[start + len(plain) :])  # fmt: skip

    def algorithm(self, digest, pss):
        if self.kind in EDWARDS:
            return sequence(oid(EDWARDS[self.kind]))
        if self.kind == "pss" or pss:
            hashed = sequence(oid(HASHES[digest][1]), NULL)
            size = HASHES[digest][0].digest_size
            return sequence(oid(PSS), sequence(
                der(0xA0, hashed), der(0xA1, sequence(oid(MGF1), hashed)), der(0xA2, integer(size))
            ))  # fmt: skip
        number = SIGNATURES[self.kind][digest]
        return sequence(oid(number), NULL) if self.kind == "rsa" else sequence(oid(number))

    def sign(self, data, digest, pss):
        if self.kind in EDWARDS:
            return self.private.sign(data)
        hashed = HASHES[digest][0]()
        if self.kind == "pss" or pss:
            return self.private.sign(data, padding.PSS(padding.MGF1(hashed), hashed.digest_size), hashed)
        if self.kind == "rsa":
            return self.private.sign(data, padding.PKCS1v15(), hashed)
        return self.private.sign(data, ec.ECDSA(hashed) if self.kind == "ec" else hashed)


def _length_size(made):
    """Octets of the length field of a DER element."""
    return 1 + (made[1] & 0x7F if made[1] & 0x80 else 0)


# --- names and extensions ----------------------------------------------------------------------


def unescape(text):
    """Text of an option as bytes: UTF-8, with Python's \\x00 and the like."""
    raw = text.encode().decode("latin-1")
    return raw.encode("latin-1").decode("unicode_escape").encode("latin-1")


def distinguished_name(*attributes):
    numbers = {"O": "2.5.4.10", "CN": "2.5.4.3"}
    return sequence(*(
        der(0x31, sequence(oid(numbers[kind]), der(0x0C, text))) for kind, text in attributes if text
    ))  # fmt: skip


def general_names(options):
    made = [der(0x82, unescape(name)) for name in options.get("dns", "").split(",") if name]
    made += [der(0x82, b"host%04d.example.com" % n) for n in range(1, int(options.get("names", 0)) + 1)]
    made += [der(0x87, ipaddress.ip_address(a).packed) for a in options.get("ip", "").split(",") if a]
    made += [der(0x81, unescape(name)) for name in options.get("email", "").split(",") if name]
    return made


def subtree(text):
    """A GeneralSubtree: DNS name (perhaps with a leading dot), or a network as 192.0.2.0/24."""
    if "/" in text:
        network = ipaddress.ip_network(text)
        return sequence(der(0x87, network.network_address.packed, network.netmask.packed))
    return sequence(der(0x82, text.encode()))


USAGE = ["digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
         "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"]  # fmt: skip
PURPOSE = {
    "server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2", "code": "1.3.6.1.5.5.7.3.3",
    "email": "1.3.6.1.5.5.7.3.4", "ocsp": "1.3.6.1.5.5.7.3.9", "any": "2.5.29.37.0",
}  # fmt: skip
EXTENSIONS = {
    "ski": "2.5.29.14", "ku": "2.5.29.15", "san": "2.5.29.17", "bc": "2.5.29.19", "nc": "2.5.29.30",
    "aki": "2.5.29.35", "eku": "2.5.29.37", "policy": "2.5.29.36",
    # below 1.3.6.1.4.1.32473, which is for examples
    "unknown": "1.3.6.1.4.1.32473.1", "padding": "1.3.6.1.4.1.32473.2",
}  # fmt: skip
CRITICAL = {"bc", "ku", "nc", "policy"}


def key_identifier(key):
    digest = hashes.Hash(hashes.SHA1())
    digest.update(key.spki())
    return digest.finalize()


def extension_values(options, key, issuer_key, leaf):
    """Name -> value (DER), in the order of the certificate."""
    values = {}
    if "ca" in options or "notca" in options or leaf:
        content = [TRUE] if "ca" in options else []
        content += [integer(int(options["pathlen"]))] if "pathlen" in options else []
        values["bc"] = sequence(*content)
    usage = options.get("ku") or ("keyCertSign,cRLSign" if "ca" in options else "digitalSignature")
    if usage == "digitalSignature" and key.kind == "rsa":
        usage += ",keyEncipherment"
    values["ku"] = flags(USAGE.index(word) for word in usage.split(","))
    purposes = options.get("eku") or ("server,client" if leaf else "")
    if purposes:
        values["eku"] = sequence(*(oid(PURPOSE[word]) for word in purposes.split(",")))
    names = general_names(options)
    if names:
        values["san"] = sequence(*names)
    values["ski"] = octets(key_identifier(key))
    if issuer_key is not key:
        values["aki"] = sequence(der(0x80, key_identifier(issuer_key)))
    trees = [(0xA0, "permit"), (0xA1, "exclude")]
    made = [der(tag, *map(subtree, options[word].split(","))) for tag, word in trees if word in options]
    if made:
        values["nc"] = sequence(*made)
    if "explicit" in options:
        values["policy"] = sequence(der(0x80, b"\0"))
    if "unknown" in options:
        values["unknown"] = der(0x0C, b"an extension of an example")
    for name in options.get("no", "").split(","):
        values.pop(name, None)
    return values


def extension(name, value, critical):
    return sequence(oid(EXTENSIONS[name]), TRUE if critical else b"", octets(value))


# --- what can be wrong -------------------------------------------------------------------------


def replace_extension(name, value, critical=False):
    """A damage: the extension has this value."""

    def damage(parts):
        parts["extensions"][name] = extension(name, value, critical)

    return damage


def set_part(name, value):
    def damage(parts):
        parts[name] = value

    return damage


def again(name, value=None):
    """A damage: the extension stands there twice, the second perhaps with another value."""

    def damage(parts):
        made = parts["extensions"][name]
        parts["extensions"][name + " again"] = extension(name, value, False) if value else made

    return damage


def validity(first, second=der(0x17, b"491231235959Z")):
    return set_part("validity", sequence(first, second))


def good_from(text, tag=0x17):
    return validity(der(tag, text))


def in_extensions(change):
    def damage(parts):
        parts["extensions"] = {"all": change(b"".join(parts["extensions"].values()))}

    return damage


def boolean_one(parts):
    """critical is TRUE, but not as DER writes it."""
    name, value = "ku", flags([0])
    parts["extensions"][name] = sequence(oid(EXTENSIONS[name]), der(0x01, b"\x01"), octets(value))


def default_written(parts):
    """critical FALSE is written out, which DER forbids."""
    name, value = "ku", flags([0])
    parts["extensions"][name] = sequence(oid(EXTENSIONS[name]), der(0x01, b"\x00"), octets(value))


def off_the_curve(parts):
    p256 = sequence(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7"))
    parts["spki"] = sequence(p256, bits(b"\x04" + b"\1" * 64))


def unknown_key(parts):
    parts["spki"] = sequence(sequence(oid("1.3.6.1.4.1.32473.3")), bits(b"\x04" * 65))


def even_modulus(parts):
    parts["spki"] = sequence(sequence(oid(RSA), NULL), bits(sequence(integer(1 << 2047), integer(65537))))


def negative_modulus(parts):
    parts["spki"] = sequence(sequence(oid(RSA), NULL), bits(sequence(integer(-(1 << 2047) + 1), integer(3))))


def no_modulus(parts):
    parts["spki"] = sequence(sequence(oid(RSA), NULL), bits(b""))


OTHER_ALGORITHM = sequence(oid(SIGNATURES["ec"]["sha384"]))
LONG_LENGTH = b"\x02\x82\x00\x01\x07"  # INTEGER 7, its length in two octets more than needed

# Before the signature is made: on the parts of the certificate.
DAMAGE = {
    "version-4": set_part("version", der(0xA0, integer(3))),
    "version-1-with-extensions": set_part("version", b""),
    "version-1-written": set_part("version", der(0xA0, integer(0))),
    "serial-padded": set_part("serial", der(0x02, b"\0\0\x07")),
    "serial-empty": set_part("serial", der(0x02)),
    "length-not-minimal": set_part("serial", LONG_LENGTH),
    "no-serial": set_part("serial", b""),
    "issuer-empty": set_part("issuer", sequence()),
    "name-without-value": set_part("subject", sequence(der(0x31, sequence(oid("2.5.4.3"))))),
    "algorithms-differ": set_part("outer", OTHER_ALGORITHM),
    "algorithm-unknown": set_part("algorithm", sequence(oid("1.3.6.1.4.1.32473.4"))),
    "time-without-seconds": good_from(b"2001010000Z"),
    "time-with-offset": good_from(b"200101000000+0100"),
    "time-with-fraction": good_from(b"20200101000000.5Z", 0x18),
    "time-month-13": good_from(b"201301000000Z"),
    "time-february-30": good_from(b"200230000000Z"),
    "time-second-60": good_from(b"200101000060Z"),
    "time-not-a-time": good_from(b"20200101000000Z", 0x0C),
    "time-letters": good_from(b"20O1O1OOOOOOZ"),
    "time-empty": good_from(b""),
    "time-before-2050-general": validity(der(0x17, b"200101000000Z"), der(0x18, b"20491231235959Z")),
    "point-off-curve": off_the_curve,
    "key-unknown": unknown_key,
    "key-even-modulus": even_modulus,
    "key-negative-modulus": negative_modulus,
    "key-empty": no_modulus,
    "extension-twice": again("san"),
    "extension-twice-different": again("san", sequence(der(0x82, b"other.example.com"))),
    "unknown-extension-twice": again("unknown"),
    "san-empty": replace_extension("san", sequence()),
    "san-garbage": replace_extension("san", b"\x0c\x03abc"),
    "san-trailing": replace_extension("san", sequence(der(0x82, b"mx.example.com")) + b"\0\0"),
    "san-cut-short": replace_extension("san", b"\x30\x20\x82\x0emx.example.com"),
    "san-ip-five-bytes": replace_extension("san", sequence(der(0x87, b"\xc0\0\x02\x19\0"))),
    "bc-garbage": replace_extension("bc", b"\x30\x03\x01\x01", True),
    "bc-pathlen-without-ca": replace_extension("bc", sequence(integer(0)), True),
    "ku-empty": replace_extension("ku", bits(b""), True),
    "ku-garbage": replace_extension("ku", b"\x04\x01\x80", True),
    "eku-empty": replace_extension("eku", sequence()),
    "boolean-one": boolean_one,
    "default-written": default_written,
    "extensions-empty": in_extensions(lambda made: b""),
    "extensions-not-sequences": in_extensions(lambda made: der(0x0C, made)),
    "oid-empty": in_extensions(lambda made: made + sequence(der(0x06), octets(b"x"))),
    "oid-unfinished": in_extensions(lambda made: made + sequence(der(0x06, b"\x2a\x86"), octets(b"x"))),
    "extra-field": set_part("end", der(0xA9, b"extra")),
    "issuer-unique-id": set_part("unique", der(0x81, b"\0unique")),
}


def indefinite(made):
    """BER: the outer SEQUENCE has no length but an end."""
    content = made[1 + _length_size(made) :]
    return b"\x30\x80" + content + b"\0\0"


def flip(made):
    """One bit of the signature is another."""
    return made[:-1] + bytes([made[-1] ^ 1])


# After the signature: on the DER as a whole.
DAMAGE_AFTER = {
    "cut-short": lambda made: made[: len(made) * 2 // 3],
    "trailing": lambda made: made + b"\0",
    "two-in-one": lambda made: made + made,
    "indefinite": indefinite,
    "empty-sequence": lambda made: sequence(),
    "empty": lambda made: b"",
    "pem": lambda made: pem("CERTIFICATE", made).encode(),
    "random": lambda made: random.Random(7).randbytes(600),
    "nested": lambda made: nest(1000),
    "signature-flipped": flip,
}


def nest(depth):
    """SEQUENCE in SEQUENCE in SEQUENCE …"""
    made = b""
    for _ in range(depth):
        made = sequence(made)
    return made


# --- certificates ------------------------------------------------------------------------------


def moment(text):
    """An option's date, "2020" or "2020-05-01", as a UTC time of day 0."""
    year, month, day = (text.split("-") + ["1", "1"])[:3]
    if year == "9999":
        return datetime.datetime(9999, 12, 31, 23, 59, 59)
    return datetime.datetime(int(year), int(month), int(day))


def subject(name, options, capture, leaf):
    text = options.get("cn", "mx.example.com" if leaf else f"{name} {capture}")
    organization = options.get("o", "" if leaf else "Example Test")
    return distinguished_name(("O", unescape(organization)), ("CN", unescape(text)))


class Authority:
    """All certificates of a capture as they are made: name -> key, subject."""

    def __init__(self, capture):
        self.capture = capture
        self.keys, self.subjects, self.serials = {}, {}, {}
        self.random = random.SystemRandom()

    def make(self, name, options):
        if "crl" in options:
            Path(f"{name}.pem").write_text(pem("X509 CRL", self.crl(options)))
            return
        leaf = "ca" not in options and "notca" not in options
        if leaf and not {"dns", "ip", "email", "names"} & options.keys() and "san" not in options.get("no", ""):
            options["dns"] = "mx.example.com"
        wanted = options.get("key", "ec")
        self.keys[name] = self.keys[wanted[1:]] if wanted[0] == "@" else Key(wanted)
        other = options.get("as")
        self.subjects[name] = self.subjects[other] if other else subject(name, options, self.capture, leaf)
        made = self.certificate(name, options, leaf)
        Path(f"{name}.der").write_bytes(made)
        Path(f"{name}.pem").write_text(pem("CERTIFICATE", made))
        Path(f"{name}.key").write_text(pem("PRIVATE KEY", self.keys[name].pkcs8()))

    def certificate(self, name, options, leaf):
        issuer = options.get("issuer", name)
        signer = self.keys[options.get("signer", issuer)]
        digest = options.get("digest", "sha256")
        extensions = {
            word: extension(word, value, word in options.get("critical", "").split(",") or word in CRITICAL)
            for word, value in extension_values(options, self.keys[name], self.keys[issuer], leaf).items()
        }
        form = options.get("time")
        self.serials[name] = int(options.get("serial") or str(self.random.getrandbits(126)), 0)
        algorithm = signer.algorithm(digest, "pss" in options)
        parts = {
            "version": der(0xA0, integer(2)),
            "serial": integer(self.serials[name]),
            "algorithm": algorithm,
            "issuer": self.subjects[issuer],
            "validity": sequence(
                date(moment(options.get("from", "2020")), form), date(moment(options.get("to", "2099")), form)
            ),
            "subject": self.subjects[name],
            "spki": self.keys[name].spki(),
            "unique": b"",
            "extensions": {} if "v1" in options else extensions,
            "end": b"",
            "outer": algorithm,
        }
        if "v1" in options:
            parts["version"] = b""
        sign = lambda data: signer.sign(data, digest, "pss" in options)  # noqa: E731
        return self.finished(parts, options, sign)

    def finished(self, parts, options, sign):
        """The parts, damaged as asked, put together and signed."""
        damage = options.get("damage")
        if damage in DAMAGE:
            before = parts["algorithm"]
            DAMAGE[damage](parts)
            if parts["algorithm"] is not before:
                parts["outer"] = parts["algorithm"]
        elif damage and damage not in DAMAGE_AFTER:
            raise SystemExit(f"pki.py: no damage is named {damage}")
        made = assembled(parts, sign)
        if "size" in options:
            missing = int(options["size"]) - len(made)
            for _ in range(9):  # lengths of lengths, signatures of changing length: until it fits
                parts["extensions"]["padding"] = extension("padding", bytes(missing), False)
                made = assembled(parts, sign)
                missing += int(options["size"]) - len(made)
        return DAMAGE_AFTER[damage](made) if damage in DAMAGE_AFTER else made

    def crl(self, options):
        issuer = options["issuer"]
        signer = self.keys[options.get("signer", issuer)]
        digest = options.get("digest", "sha256")
        since = date(moment(options.get("from", "2021")))
        reason = sequence(oid("2.5.29.21"), octets(der(0x0A, bytes([int(options.get("reason", 0))]))))
        revoked = [
            sequence(integer(self.serials[name]), since, sequence(reason) if "reason" in options else b"")
            for name in options["crl"].split(",") if name != "-"
        ]  # fmt: skip
        number = sequence(oid("2.5.29.20"), octets(integer(1)))
        key = sequence(oid("2.5.29.35"), octets(sequence(der(0x80, key_identifier(self.keys[issuer])))))
        algorithm = signer.algorithm(digest, False)
        signed = sequence(
            integer(1), algorithm, self.subjects[issuer], date(moment(options.get("made", "2022"))),
            date(moment(options.get("to", "2099"))), sequence(*revoked) if revoked else b"",
            der(0xA0, sequence(key, number)),
        )  # fmt: skip
        return sequence(signed, algorithm, bits(signer.sign(signed, digest, False)))


def assembled(parts, sign):
    extensions = b"".join(parts["extensions"].values())
    wrapped = der(0xA3, sequence(extensions)) if parts["extensions"] else b""
    order = ["version", "serial", "algorithm", "issuer", "validity", "subject", "spki", "unique"]
    tbs = sequence(*(parts[name] for name in order), wrapped, parts["end"])
    return sequence(tbs, parts["outer"], bits(sign(tbs)))


def pem(label, made):
    text = base64.encodebytes(made).decode().replace("\n", "")
    lines = "\n".join(re.findall(".{1,64}", text))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


# --- the run -----------------------------------------------------------------------------------


def bundle(path, capture, files):
    """Sections of a PEM file begin with a line "# CAPTURE"."""
    text = path.read_text() if path.exists() else ""
    sections = dict(re.findall(r"^# (\S+)\n((?:[^#].*\n)*)", text, re.MULTILINE))
    sections.pop(capture, None)
    if files:
        sections[capture] = "".join(Path(file).read_text() for file in files)
    path.write_text("".join(f"# {name}\n{sections[name]}" for name in sorted(sections)))


def main():
    if sys.argv[1:2] == ["--bundle"]:
        bundle(Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
        return
    authority = Authority(sys.argv[1])
    for line in sys.stdin:
        words = shlex.split(line, comments=True)
        if words:
            authority.make(words[0], {k: v for k, _, v in (word.partition("=") for word in words[1:])})


if __name__ == "__main__":
    main()
