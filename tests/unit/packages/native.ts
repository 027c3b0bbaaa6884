/** Which system a file's machine code is for, by the first bytes of the file. */
import { closeSync, openSync, readSync } from 'node:fs';

/** As Node names them: process.platform and process.arch. */
export interface System {
  platform: 'linux' | 'win32' | 'darwin' | 'other';
  arch: string;
}

const ELF: Record<number, string> = { 0x3e: 'x64', 0xb7: 'arm64', 0x03: 'ia32', 0x28: 'arm' };
const PE: Record<number, string> = { 0x8664: 'x64', 0xaa64: 'arm64', 0x14c: 'ia32' };
const MACH: Record<number, string> = { 0x01000007: 'x64', 0x0100000c: 'arm64' };

/** Null for anything but programs and libraries of Linux, Windows and macOS. */
export function systemOf(path: string): System | null {
  const bytes = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  try {
    if (readSync(file, bytes, 0, bytes.length, 0) < 64) return null;
  } finally {
    closeSync(file);
  }
  const named = (platform: System['platform'], arches: Record<number, string>, machine: number) => ({
    platform,
    arch: arches[machine] ?? `machine ${machine}`,
  });
  if (bytes.toString('latin1', 0, 4) === '\x7fELF') return named('linux', ELF, bytes.readUInt16LE(18));
  if (bytes.readUInt32LE(0) === 0xfeedfacf) return named('darwin', MACH, bytes.readUInt32LE(4));
  const pe = bytes.toString('latin1', 0, 2) === 'MZ' ? bytes.readUInt32LE(60) : bytes.length;
  if (pe + 6 <= bytes.length && bytes.toString('latin1', pe, pe + 4) === 'PE\0\0')
    return named('win32', PE, bytes.readUInt16LE(pe + 4));
  return null;
}
