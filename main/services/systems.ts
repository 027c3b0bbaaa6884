/** What is proven for each system the app is made for; the About box says it, and the README in the same words. */
export function systemsProven(): { system: string; built: string; started: string; walked: string }[] {
  const neverRun = { started: 'never run', walked: 'never run' };
  return [
    {
      system: 'Linux x64, from the source tree',
      built: 'in tests',
      started: 'in tests',
      walked: 'in tests, on the practice box',
    },
    {
      system: 'Linux x64, deb on Debian 12',
      built: 'in tests, with the development runtime',
      started: 'in tests, by an ordinary user, sandbox on',
      walked: 'in tests, on the practice box',
    },
    { system: 'Linux x64, tar.gz', built: 'once by hand', ...neverRun },
    { system: 'Linux x64, AppImage', built: 'never', ...neverRun },
    { system: 'Windows x64 (NSIS)', built: 'never', ...neverRun },
    { system: 'macOS (dmg)', built: 'never', ...neverRun },
  ];
}
