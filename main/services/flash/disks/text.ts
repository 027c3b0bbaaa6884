/** Texts that a disk says of itself: made fit to be shown and compared. Pure. */

/** Control and format characters: a label could otherwise move the cursor of the terminal that lists it. */
const INVISIBLE = /[\p{Cc}\p{Cf}]+/gu;
/** NULs and the like as lsblk writes them where the bytes are no text. */
const HEX = /\\x[0-9a-f]{2}/gi;

/** A path or name as it is, with question marks for what could not be seen. */
export const visible = (text: string): string => text.replaceAll(INVISIBLE, '?');

/** One line of visible text; null where nothing is left. */
export function plain(text: string | null | undefined): string | null {
  const clean = (text ?? '').replaceAll(INVISIBLE, ' ').replaceAll(/\s+/g, ' ').trim();
  return clean === '' ? null : clean;
}

/** A serial as it is shown and compared; null where there is none. Cheap bridges pad theirs with blanks and NULs. */
export function cleanSerial(text: string | null | undefined): string | null {
  return plain((text ?? '').replaceAll(HEX, ' '));
}

const DIGITS = '0123456789ABCDEF'.repeat(4);

/**
 * Whether a serial is what adapters say that were given none: one character again and again, or digits in their order, at
 * least six of them (000000000000, 0123456789ABCDE, 123456789012). Another adapter of the kind says the same, so it would
 * pass a disk for the one that was chosen.
 */
export function isPlaceholder(serial: string): boolean {
  const bare = serial.toUpperCase().replaceAll(/[^0-9A-Z]/g, '');
  if (bare === '' || /^(.)\1*$/.test(bare)) return true;
  if (bare.length < 6) return false;
  const decimal = '1234567890'.repeat(5);
  return (
    DIGITS.startsWith(bare) ||
    DIGITS.slice(1).startsWith(bare) ||
    decimal.startsWith(bare) ||
    `0${decimal}`.startsWith(bare)
  );
}
