// The report's figures (spec W7): the hand-over archive of a box with a day of telemetry of four GPUs, with report.pdf.
import { bar, begin, end, measure } from './bars.mjs';
import { buildWindow } from './build-window.mjs';

await buildWindow();
begin();
const made = await measure('tests/bench/report.ts');
const whole = made && made.printed !== null;
const why = made?.noPdf ?? 'it failed';
bar(
  'full archive with 24 h of 4 GPUs, made, printed, signed',
  whole ? made.seconds : null,
  { below: 5 },
  's',
  {
    digits: 2,
    why,
  },
);
bar('its size', whole ? made.bytes / 1e6 : null, { below: 20 }, 'MB', { digits: 1, why });
if (whole)
  console.log(
    `of it: report.pdf ${made.printed.toFixed(2)} s, beside this process, which took ${made.cpuSeconds.toFixed(2)} s of a processor`,
  );
end();
