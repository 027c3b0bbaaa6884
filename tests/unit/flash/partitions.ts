/** Partition tables for tests, written after the UEFI specification and not after the reader. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { noise } from './images.ts';

export const MIB = 1024 * 1024;

/** Bit by bit, as the reader's is not. */
function crc(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit += 1) {
      const one = (c ^ (byte >>> bit)) & 1;
      c = (c >>> 1) ^ (one ? 0xedb88320 : 0);
    }
  return ~c >>> 0;
}

export const ESP = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
export const LINUX = '0fc63daf-8483-4772-8e79-3d69d8477de4';

function guid(text: string): Buffer {
  const [a = '', b = '', c = '', d = '', e = ''] = text.split('-');
  const turned = (hex: string) => Buffer.from(hex, 'hex').reverse();
  return Buffer.concat([turned(a), turned(b), turned(c), Buffer.from(d + e, 'hex')]);
}

export interface Partition {
  type: string;
  /** Bytes. */
  first: number;
  length: number;
  name?: string;
}

export interface Piece {
  at: number;
  bytes: Buffer;
}

/** Protective MBR and both copies of the table, as pieces of the disk. */
export function gpt(size: number, sector: 512 | 4096, partitions: readonly Partition[]): Piece[] {
  const sectors = size / sector;
  const entries = Buffer.alloc(128 * 128);
  for (const [i, { type, first, length, name = '' }] of partitions.entries()) {
    const at = i * 128;
    guid(type).copy(entries, at);
    entries.fill(i + 1, at + 16, at + 32);
    entries.writeBigUInt64LE(BigInt(first / sector), at + 32);
    entries.writeBigUInt64LE(BigInt((first + length) / sector - 1), at + 40);
    entries.write(name, at + 56, 'utf16le');
  }
  const tableSectors = entries.length / sector;
  const header = (own: number, other: number, entriesAt: number): Buffer => {
    const bytes = Buffer.alloc(sector);
    bytes.write('EFI PART', 'latin1');
    bytes.writeUInt32LE(0x00010000, 8);
    bytes.writeUInt32LE(92, 12);
    bytes.writeBigUInt64LE(BigInt(own), 24);
    bytes.writeBigUInt64LE(BigInt(other), 32);
    bytes.writeBigUInt64LE(BigInt(2 + tableSectors), 40);
    bytes.writeBigUInt64LE(BigInt(sectors - 2 - tableSectors), 48);
    bytes.fill(0x77, 56, 72);
    bytes.writeBigUInt64LE(BigInt(entriesAt), 72);
    bytes.writeUInt32LE(128, 80);
    bytes.writeUInt32LE(128, 84);
    bytes.writeUInt32LE(crc(entries), 88);
    bytes.writeUInt32LE(crc(bytes.subarray(0, 92)), 16);
    return bytes;
  };
  const mbr = Buffer.alloc(512);
  mbr[446 + 4] = 0xee;
  mbr.writeUInt32LE(1, 446 + 8);
  mbr.writeUInt32LE(Math.min(sectors - 1, 0xffffffff), 446 + 12);
  mbr.writeUInt16LE(0xaa55, 510);
  const last = sectors - 1;
  return [
    { at: 0, bytes: mbr },
    { at: sector, bytes: header(1, last, 2) },
    { at: 2 * sector, bytes: entries },
    { at: (last - tableSectors) * sector, bytes: entries },
    { at: last * sector, bytes: header(last, 1, last - tableSectors) },
  ];
}

export interface Made {
  size: number;
  /** Bytes; 512 where nothing is said. */
  sector?: 512 | 4096;
  partitions: readonly Partition[];
  /** Where there is data, in bytes; all else is holes. */
  data: readonly { at: number; length: number; seed: number }[];
}

/** A sparse raw image. */
export function writeDisk(path: string, { size, sector = 512, partitions, data }: Made): void {
  const fd = openSync(path, 'w');
  ftruncateSync(fd, size);
  for (const { at, bytes } of gpt(size, sector, partitions)) writeSync(fd, bytes, 0, bytes.length, at);
  for (const { at, length, seed } of data) {
    const block = noise(seed, Math.min(length, MIB));
    for (let done = 0; done < length; done += block.length) {
      // Each block another one, so that two chunks are never the same.
      block.writeUInt32LE(done / 4, 0);
      writeSync(fd, block, 0, Math.min(block.length, length - done), at + done);
    }
  }
  closeSync(fd);
}
