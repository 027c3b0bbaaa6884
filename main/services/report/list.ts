/** The reports of a box that lie in a folder already, by the names that makeReport gives them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface ReportFile {
  html: string;
  /** When it was made, as the name says it: `YYYY-MM-DD HH:MM:SS` of the laptop's clock. */
  made: string;
}

const STAMP = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)\.html$/;

/** Newest first; none where the folder is not there or cannot be read. */
export function listReports(folder: string, box: string): ReportFile[] {
  const prefix = `vault-cube-report-${box}-`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => ({ name, stamp: STAMP.exec(name.slice(prefix.length)) }))
    .flatMap(({ name, stamp }) => {
      if (!stamp) return [];
      const [, year, month, day, hour, minute, second] = stamp;
      return [{ html: join(folder, name), made: `${year}-${month}-${day} ${hour}:${minute}:${second}` }];
    })
    .sort((a, b) => b.made.localeCompare(a.made));
}
