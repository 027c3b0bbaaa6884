/** What is proven for each system the app is made for; the About box says it, and the README in the same words. */
export function systemsProven(): { system: string; built: string; started: string; walked: string }[] {
  const never = { built: 'never', started: 'never run', walked: 'never run' };
  return [
    {
      system: 'Linux x64, from the source tree',
      built: 'in tests',
      started: 'in tests',
      walked: 'in tests, on the practice box',
    },
    { system: 'Linux x64 (deb, AppImage, tar.gz)', ...never },
    { system: 'Windows x64 (NSIS)', ...never },
    { system: 'macOS (dmg)', ...never },
  ];
}
