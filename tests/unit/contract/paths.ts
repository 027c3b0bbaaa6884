/** Paths that a bundle may have and may not; laptop and box are both held to them. */
export const SAFE = [
  'manifest.json',
  'apt/Packages.gz',
  'apt/libc6_2.39-0ubuntu8_amd64.deb',
  'wheels/a+b~c-1.0-py3-none-any.whl',
  'images/…/größer.tar',
  'a/..b/c..',
  '.hidden/x',
  'with space/x',
];

export const UNSAFE = [
  '',
  '/',
  '/etc/passwd',
  '//server/share',
  '..',
  '../x',
  'a/../../x',
  'a/..',
  'a/./b',
  './a',
  'a//b',
  'a/',
  'a\\b',
  '..\\x',
  'C:\\Windows\\x',
];
