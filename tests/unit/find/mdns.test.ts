/** Multicast DNS messages: the answers are as avahi 0.8 sent them on a cable of the rig. */
import { describe, expect, it } from 'vitest';
import { parseAnswer, sshQuery } from '../../../main/services/find/mdns.ts';

const OVER_IPV4 = Buffer.from(
  'AACEAAABAAUAAAAABF9zc2gEX3RjcAVsb2NhbAAADAABwAwADAABAAAACgAKB3ZjLTAwNDLADMAtABAAAQAAAAoAAQDALQAhAAEAAAAKABAAAAAAABYHdmMtMDA0MsAWwFYAHAABAAAACgAQ/oAAAAAAAAAk0Zv//vpdHcBWAAEAAQAAAAoABMYSLgI=',
  'base64',
);
const OVER_IPV6 = Buffer.from(
  'AACEAAABAAQAAAAABF9zc2gEX3RjcAVsb2NhbAAADAABwAwADAABAAAACgAKB3ZjLTAwNDLADMAtABAAAQAAAAoAAQDALQAhAAEAAAAKABAAAAAAABYHdmMtMDA0MsAWwFYAHAABAAAACgAQ/oAAAAAAAAAk0Zv//vpdHQ==',
  'base64',
);

describe('multicast DNS', () => {
  it('asks one question that the answers repeat', () => {
    const question = sshQuery().subarray(12);
    expect(OVER_IPV4.subarray(12, 12 + question.length)).toEqual(question);
  });

  it('reads host, port and addresses out of a real answer', () => {
    const host = { host: 'vc-0042.local', port: 22 };
    const local = 'fe80::24d1:9bff:fefa:5d1d';
    expect(parseAnswer(OVER_IPV4)).toEqual([{ ...host, addresses: [local, '198.18.46.2'] }]);
    expect(parseAnswer(OVER_IPV6)).toEqual([{ ...host, addresses: [local] }]);
  });

  it('takes what is whole of an answer that ends anywhere', () => {
    for (let length = 0; length < OVER_IPV4.length; length++) {
      const found = parseAnswer(OVER_IPV4.subarray(0, length));
      expect(found.length).toBeLessThanOrEqual(1);
      for (const { host } of found) expect(host).toBe('vc-0042.local');
    }
  });

  it('comes to an end with a name that points at itself, and finds nothing in noise', () => {
    const header = [0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    expect(parseAnswer(Buffer.from([...header, 0xc0, 12, 0, 33, 0, 1]))).toEqual([]);
    expect(parseAnswer(Buffer.from([...header, ...Array<number>(300).fill(0x3f)]))).toEqual([]);
    expect(parseAnswer(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toEqual([]);
  });
});
