/** What is proven for each system the app is made for; the About box says it, and the README in the same words. */
export function systemsProven(): { system: string; built: string; started: string; walked: string }[] {
  return [
    { system: 'Linux x64 (unpacked, deb)', built: 'in tests', started: 'in tests', walked: 'in tests' },
    { system: 'Linux x64 (AppImage, tar.gz)', built: 'never run', started: 'never run', walked: 'never run' },
    { system: 'Windows x64 (NSIS)', built: 'never run', started: 'never run', walked: 'never run' },
    { system: 'macOS (dmg)', built: 'never run', started: 'never run', walked: 'never run' },
  ];
}
