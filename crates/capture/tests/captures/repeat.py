#!/usr/bin/env python3
"""Writes one long capture: the handshakes beside this file again and again, each round from a client address of its own.

repeat.py OUT PACKETS: for measuring (docs/benchmarks.md).
"""
import glob
import os
import struct
import sys

SERVERS = (4433, 3128, 8443)
ETHERNET, IPV4_TCP = 1, b"\x08\x00"


def packets():
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "*.pcap"))):
        data = open(path, "rb").read()
        if struct.unpack("<I", data[20:24])[0] != ETHERNET:
            continue
        at = 24
        while at < len(data):
            _, _, captured, length = struct.unpack("<IIII", data[at : at + 16])
            packet = data[at + 16 : at + 16 + captured]
            if packet[12:14] == IPV4_TCP and packet[23] == 6:
                yield length, packet
            at += 16 + captured


def main(out, wanted):
    known = list(packets())
    count = number = 0
    with open(out, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, ETHERNET))
        while count < wanted:
            number += 1
            client = struct.pack(">I", 0x0A000000 + number)
            for length, packet in known:
                source, destination = struct.unpack(">HH", packet[34:38])
                packet = bytearray(packet)
                if destination in SERVERS:
                    packet[26:30] = client
                elif source in SERVERS:
                    packet[30:34] = client
                count += 1
                file.write(struct.pack("<IIII", 1_800_000_000 + count // 500_000, count % 500_000 * 2, len(packet), length) + packet)


main(sys.argv[1], int(sys.argv[2]))
