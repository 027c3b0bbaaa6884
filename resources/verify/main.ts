/** The script of the page that verifies an archive without the app. The same text runs twice: as the page, and beside it, where the work is done. */
import { z } from 'zod';
import { serve } from './beside.ts';
import { startPage } from './page.ts';

// The page's policy forbids code that is made from text, which the library would use to be faster.
z.config({ jitless: true });

if (typeof document === 'undefined') serve();
else startPage(document.currentScript?.textContent ?? '');
