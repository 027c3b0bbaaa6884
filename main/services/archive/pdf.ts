/** Chromium writes the time of printing into a PDF, and nothing else that differs from one printing to the next. */

const DATES = /(\/(?:CreationDate|ModDate) \()(D:\d{14}[+\-Z][^)]{0,6})\)/g;

/** The same PDF with the time of the record in place of that of the printing, byte for byte as long: its table of places holds. */
export function normalisePdf(pdf: Buffer, asOf: string): Buffer {
  const time = asOf.replace(/[-:T]/g, '').slice(0, 14);
  const text = pdf.toString('latin1').replace(DATES, (_, head: string, date: string) => {
    const zone = date.length === 23 ? "+00'00'" : date.slice(16);
    return `${head}D:${time}${zone})`;
  });
  return Buffer.from(text, 'latin1');
}
