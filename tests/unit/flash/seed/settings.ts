/** First-boot settings for tests, with a key that ssh-keygen made. */
import type { FirstBoot } from '../../../../preload/contract/firstboot.ts';

export const KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPd3K+xNTYkzhrkoaWekglseLRly0Bh9YyIsqYSk4AJG kim@laptop';
export const DHCP: FirstBoot = { hostname: 'vc-0042', authorizedKeys: [KEY], address: null };
export const FIXED: FirstBoot = {
  ...DHCP,
  address: {
    card: 'enp5s0',
    address: '192.168.10.5/24',
    gateway: '192.168.10.1',
    dns: ['192.168.10.2', '9.9.9.9'],
  },
};
