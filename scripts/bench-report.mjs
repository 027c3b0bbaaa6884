// The report's figures (spec W7): the hand-over archive of a box with a day of telemetry of four GPUs. Without report.pdf, whose
// time is Chromium's.
import { bar, begin, end, measure } from './bars.mjs';

begin();
const made = await measure('tests/bench/report.ts');
bar('archive with 24 h of 4 GPUs, made and signed', made?.seconds ?? null, { below: 5 }, 's', { digits: 2 });
bar('its size', made ? made.bytes / 1e6 : null, { below: 20 }, 'MB', { digits: 1 });
end();
