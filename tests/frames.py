#!/usr/bin/env python3
"""Decodes frames. Written from docs/FRAMES.md alone, to find out whether that page says all; it shares no code with the library.

Reads lines from standard input, `key HEX`, `manifest HEX` and `frame HEX`, and prints what each frame says, a line of JSON each.
"""

import hashlib
import hmac
import json
import sys

MASK = (1 << 64) - 1


def permute(s, rounds):
    def rotate(x, by):
        return (x >> by | x << (64 - by)) & MASK

    for r in range(12 - rounds, 12):
        s[2] ^= (0xF - r) << 4 | r
        s[0] ^= s[4]
        s[4] ^= s[3]
        s[2] ^= s[1]
        t = [(~s[i] & MASK) & s[(i + 1) % 5] for i in range(5)]
        for i in range(5):
            s[i] ^= t[(i + 1) % 5]
        s[1] ^= s[0]
        s[0] ^= s[4]
        s[3] ^= s[2]
        s[2] ^= MASK
        s[0] ^= rotate(s[0], 19) ^ rotate(s[0], 28)
        s[1] ^= rotate(s[1], 61) ^ rotate(s[1], 39)
        s[2] ^= rotate(s[2], 1) ^ rotate(s[2], 6)
        s[3] ^= rotate(s[3], 10) ^ rotate(s[3], 17)
        s[4] ^= rotate(s[4], 7) ^ rotate(s[4], 41)


def ascon_open(key, nonce, associated, sealed, tag):
    """The plaintext, or None where the tag does not hold."""
    word = lambda b: int.from_bytes(b, "little")
    k = [word(key[:8]), word(key[8:])]
    s = [0x00001000808C0001, *k, word(nonce[:8]), word(nonce[8:])]
    permute(s, 12)
    s[3] ^= k[0]
    s[4] ^= k[1]
    if associated:
        padded = associated + b"\x01" + bytes(-(len(associated) + 1) % 16)
        for at in range(0, len(padded), 16):
            s[0] ^= word(padded[at : at + 8])
            s[1] ^= word(padded[at + 8 : at + 16])
            permute(s, 8)
    s[4] ^= 1 << 63
    plain = b""
    while len(sealed) >= 16:
        for i in (0, 1):
            c = word(sealed[8 * i : 8 * i + 8])
            plain += (s[i] ^ c).to_bytes(8, "little")
            s[i] = c
        permute(s, 8)
        sealed = sealed[16:]
    state = s[0].to_bytes(8, "little") + s[1].to_bytes(8, "little")
    last = bytes(a ^ b for a, b in zip(state, sealed))
    plain += last
    padded = last + b"\x01" + bytes(15 - len(last))
    s[0] ^= word(padded[:8])
    s[1] ^= word(padded[8:])
    s[2] ^= k[0]
    s[3] ^= k[1]
    permute(s, 12)
    expected = (s[3] ^ k[0]).to_bytes(8, "little") + (s[4] ^ k[1]).to_bytes(8, "little")
    return plain if hmac.compare_digest(expected[: len(tag)], tag) else None


def cbor(data, at=0):
    """The item at `at`, and where the next begins. Only what a manifest has."""
    major, low, at = data[at] >> 5, data[at] & 31, at + 1
    if major == 7:
        return {20: False, 21: True, 22: None}[low], at
    if low < 24:
        n = low
    else:
        size = 1 << (low - 24)
        n, at = int.from_bytes(data[at : at + size], "big"), at + size
    if major == 0:
        return n, at
    if major == 3:
        return data[at : at + n].decode(), at + n
    assert major == 4, major
    items = []
    for _ in range(n):
        item, at = cbor(data, at)
        items.append(item)
    return items, at


def bits(count):
    return (count - 1).bit_length()


class Field:
    def __init__(self, encoded):
        self.name, self.optional, _, values = encoded
        kind = values[0]
        if kind == 0:
            self.values = values[1]
        elif kind == 1:
            self.values = [False, True]
        elif kind == 2:
            self.values = range(values[1], values[2] + 1)
        else:
            self.values = [o if o < 4 else (4 + o % 4) << (o // 4 - 1) for o in range(124)]
        self.count = len(self.values) + self.optional

    def value(self, ordinal):
        if ordinal >= self.count:
            raise ValueError("out of domain")
        if self.optional and ordinal == 0:
            return None
        return self.values[ordinal - self.optional]


class Manifest:
    def __init__(self, data):
        form, _, self.project, self.version, self.seconds, self.fingerprint, events, metrics = cbor(data)[0]
        assert form == 2, form
        self.events = [(name, [Field(field) for field in fields]) for name, _, fields in events]
        self.metrics = [(name, kind, [Field(label) for label in labels]) for name, _, kind, labels in metrics]


def version_mark(version):
    x = 0xCBF29CE484222325
    for byte in len(version.encode()).to_bytes(4, "little") + version.encode():
        x = (x ^ byte) * 0x100000001B3 & MASK
    x = (x ^ x >> 33) * 0xFF51AFD7ED558CCD & MASK
    x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return ((x ^ x >> 33) & 0xFFFFFF).to_bytes(3, "little")


class Bits:
    def __init__(self, data):
        self.number, self.left = int.from_bytes(data, "little"), 8 * len(data)

    def fixed(self, width):
        if width > self.left:
            raise ValueError("the stream ends in a record")
        value = self.number & (1 << width) - 1
        self.number >>= width
        self.left -= width
        return value

    def universal(self):
        zeros = 0
        while self.fixed(1) == 0:
            zeros += 1
        if zeros > 31:
            raise ValueError("a number is too large")
        n = (1 << zeros | self.fixed(zeros)) - 1
        return n

    def signed(self):
        n = self.universal()
        return n // 2 if n % 2 == 0 else -(n + 1) // 2

    def is_over(self):
        return self.left < 8 and self.number == 0


REASONS = ["queue_full", "store_full", "expired", "corrupt", "refused", "undeliverable", "out_of_domain"]


def records(manifest, data):
    stream, said = Bits(data), []
    events, metrics = manifest.events, manifest.metrics
    while not said or not stream.is_over():
        if said:
            time += stream.signed()
        else:
            time = shift = 0
            while True:
                byte = stream.fixed(8)
                time |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            if byte == 0 and shift > 7:
                raise ValueError("the base has another form")
        if not 0 <= time < 1 << 31:
            raise ValueError("a time is too large")
        selector = stream.fixed(bits(len(events) + len(metrics)))
        if selector == 0:
            what = {"event": events[0][0], "reason": REASONS[stream.fixed(3)], "count": stream.universal()}
            if what["count"] >= 1 << 20:
                raise ValueError("out of domain")
        elif selector < len(events):
            name, fields = events[selector]
            what = {"event": name}
            for field in fields:
                value = field.value(stream.fixed(bits(field.count)))
                if value is not None:
                    what[field.name] = value
        else:
            name, kind, labels = metrics[selector - len(events)]
            cells = 44 if kind == 1 else 1
            for label in labels:
                cells *= label.count
            cell = stream.fixed(bits(cells))
            if cell >= cells:
                raise ValueError("out of domain")
            what = {"metric": name}
            if kind == 1:
                cell, what["class"] = divmod(cell, 44)
            for label in reversed(labels):
                cell, ordinal = divmod(cell, label.count)
                what[label.name] = label.value(ordinal)
            what["count"] = stream.universal() + 1
            what["steps"] = stream.universal()
        said.append({"time": time, **what})
    return said


class Decoder:
    def __init__(self):
        self.boots, self.manifests = {}, {}

    def key(self, data):
        derive = lambda label, message=b"": hmac.new(data, label + b"\0" + message, hashlib.sha256).digest()
        self.seal = derive(b"automagik-telemetry frames seal")[:16]
        self.hint = lambda boot: derive(b"automagik-telemetry frames hint", boot)[:2]

    def manifest(self, data):
        manifest = Manifest(data)
        self.manifests[manifest.fingerprint & 0xFFFFFFFF] = manifest

    def frame(self, data):
        first = data[0]
        kind = ["hello", "data", "ack", "once", "ask"][first >> 3 & 7]
        if first & 7 != 1 or first >> 7:
            raise ValueError("unknown version")
        if kind == "ask":
            return {"kind": kind, "session": data[1:].hex()}
        names_boot = kind in ("hello", "once")
        clear = (11 if names_boot else 5) + (2 if first >> 6 & 1 else 0)
        head, sealed, tag = data[:clear], data[clear:-8], data[-8:]
        if names_boot:
            boots = [data[1:9]]
            low = int.from_bytes(data[9:11], "little")
            if clear == 13 and data[11:13] != self.hint(boots[0]):
                raise ValueError("another device's key")
        else:
            boots = [boot for boot in self.boots if boot[:2] == data[1:3]]
            low = int.from_bytes(data[3:5], "little")
        for boot in boots:
            expected = self.boots.get(boot, {"next": 0})["next"]
            nearest = expected + (low - expected + 32768) % 65536 - 32768
            for sequence in (nearest + rounds * 65536 for rounds in (0, 1, -1, 2)):
                if not 0 <= sequence < 1 << 32:
                    continue
                way = b"\x80" if kind == "ack" else b"\0"
                nonce = boot + sequence.to_bytes(4, "little") + way + bytes(3)
                plain = ascon_open(self.seal, nonce, head[:3] + head[-2:], sealed, tag)
                if plain is not None:
                    return self.opened(kind, boot, sequence, plain)
        raise ValueError("no key opens it")

    def opened(self, kind, boot, sequence, plain):
        said = {"kind": kind, "boot": boot.hex(), "sequence": sequence}
        if kind == "ack":
            return said
        known = self.boots.setdefault(boot, {"next": 0})
        count = 1
        if kind != "data":
            statement, plain = plain[:26], plain[26:]
            known["manifest"] = manifest = self.manifests[int.from_bytes(statement[:4], "little")]
            start = int.from_bytes(statement[23:], "little")
            said["project"] = manifest.project
            said["version"] = manifest.version if statement[4:7] == version_mark(manifest.version) else None
            said["pseudonym"] = statement[7:23].hex()
            said["start"] = None if start == 0xFFFFFF else start
        if kind != "hello":
            said["records"] = records(known["manifest"], plain)
            count = len(said["records"])
        known["next"] = max(known["next"], sequence + count)
        return said


def main():
    decoder = Decoder()
    for line in sys.stdin:
        what, _, data = line.strip().partition(" ")
        if what in ("key", "manifest"):
            getattr(decoder, what)(bytes.fromhex(data))
        elif what == "frame":
            try:
                said = decoder.frame(bytes.fromhex(data))
            except (ValueError, IndexError, KeyError) as error:
                said = {"refused": str(error)}
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
