#!/usr/bin/env python3
"""Prints the vectors that test_chain.c holds, made with Python's hashlib and hmac and encodings written out by hand, so that
nothing of ov_proto takes part in them."""
import hashlib
import hmac

ORGANISATION = bytes(range(0x10, 0x20))
WRITER = bytes(range(0xA0, 0xB0))
KEY = bytes(range(0x40, 0x60))
ZERO_KEY = bytes(32)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def seq8(seq):
    return seq.to_bytes(8, "big")


def commitment(key, seq, payload):
    return mac(mac(key, b"overdracht salt 1", WRITER, seq8(seq)), payload)


def step(head, seq, header_hash, commit):
    return sha(head, seq8(seq), header_hash, commit)


def name(seq, tag):
    return b"\xc4\x1c" + WRITER + seq8(seq) + tag


def show(what, value):
    print(f"{what:24} {value.hex()}")


head = sha(b"overdracht 1", ORGANISATION, WRITER)
show("head 0", head)

# 1: creates a participant (kind 6) in scope 2 under the zero key; field 2 is its 32 bytes of key.
header = b"\x97\x02\xc0\x06\x01\xc0\xc0\xce\x69\x00\x00\x00"
payload = b"\x92\x81\x02\xc4\x20" + KEY + b"\x90"
show("header 1", header)
show("commitment 1", commitment(ZERO_KEY, 1, payload))
head = step(head, 1, sha(header), commitment(ZERO_KEY, 1, payload))
show("head 1", head)
first = name(1, head[:4])

# 2: creates a record of kind 20 about it, by the same author as participant, fields 3: -98 and 7: a text.
header = b"\x97\x02\xc0\x14\x01" + first + first + b"\xce\x69\x00\x00\x3c"
payload = b"\x92\x82\x03\xd0\x9e\x07\xa6rustig\x90"
show("payload 2", payload)
show("commitment 2", commitment(KEY, 2, payload))
head = step(head, 2, sha(header), commitment(KEY, 2, payload))
show("head 2", head)
second = name(2, head[:4])

# 3: edits record 2: field 7 is set anew and replaces the value of op 2.
header = b"\x97\x02" + second + b"\x14\x01" + first + b"\xc0\xce\x69\x00\x0e\x10"
payload = b"\x92\x81\x07\xa8onrustig\x91" + second
show("header hash 3", sha(header))
show("commitment 3", commitment(KEY, 3, payload))
head = step(head, 3, sha(header), commitment(KEY, 3, payload))
show("head 3", head)

show("sha256('')", sha())
show("hmac('', '')", mac(b""))
show("hmac(100 x 'k', 'abc')", mac(b"k" * 100, b"abc"))
