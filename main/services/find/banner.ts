/** Whether something is an SSH server: a TCP connection that is greeted, and nothing sent. */
import { createConnection } from 'node:net';

/** What a server says first, without its line end: `SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13`. */
const BANNER = /^(SSH-[12]\.[0-9]+-[\x20-\x7e]*)\r?\n/m;
/** RFC 4253 lets other lines come before it; past this many bytes it is something else. */
const MAX_BYTES = 8_192;

/** The banner, or null where nothing answers as an SSH server does within `ms`. Never rejects. */
export function sshBanner(host: string, port: number, ms: number): Promise<string | null> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = createConnection({ host, port });
    const timer = setTimeout(() => end(null), ms);
    const end = (banner: string | null) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(banner);
    };
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      heard += text;
      const banner = BANNER.exec(heard)?.[1];
      if (banner !== undefined) end(banner.trimEnd());
      else if (heard.length > MAX_BYTES) end(null);
    });
    socket.on('error', () => end(null));
    socket.on('close', () => end(null));
  });
}
