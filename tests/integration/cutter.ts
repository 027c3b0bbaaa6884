/** A TCP relay that cuts each connection after so many bytes from the box: a link that breaks at a chosen place. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class Cutter {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** Connections that came, and those among them that their budget cut. */
  connections = 0;
  cuts = 0;

  /** `budget` says for each connection (from 0) after how many bytes it is cut; null lets it live. */
  private constructor(host: string, port: number, budget: (n: number) => number | null) {
    this.#server = createServer((near) => {
      let left = budget(this.connections++);
      const far = connect({ host, port });
      const end = () => {
        near.destroy();
        far.destroy();
      };
      for (const socket of [near, far]) {
        this.#open.add(socket);
        socket.on('error', end);
        socket.on('close', () => {
          this.#open.delete(socket);
          end();
        });
      }
      near.pipe(far);
      far.on('data', (data: Buffer) => {
        if (left === null || left > data.length) {
          if (left !== null) left -= data.length;
          near.write(data);
          return;
        }
        near.write(data.subarray(0, left));
        this.cuts += 1;
        // What was let through arrives; then the connection is reset, as by a pulled dongle.
        near.end(() => near.resetAndDestroy());
        far.destroy();
      });
    });
  }

  static async open(host: string, port: number, budget: (n: number) => number | null): Promise<Cutter> {
    const cutter = new Cutter(host, port, budget);
    await new Promise<void>((resolve) => cutter.#server.listen(0, '127.0.0.1', resolve));
    return cutter;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts what is open now. */
  cutAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  close(): void {
    this.cutAll();
    this.#server.close();
  }
}
