/** The files that a report's page is made of. The page that verifies without the app carries them in it (resources/verify/template.ts). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { productRoot } from '../paths.ts';

export const template = (name: 'page.html' | 'report.css' | 'report.js'): string =>
  readFileSync(join(productRoot(), 'resources/report', name), 'utf8');
