/** The process that makes and reads archives beside the window (services/apart.ts). One order, then it is ended. */
import { answerApart, type FromApart, type ToApart } from './services/apart.ts';
import type { Printed } from './services/archive.ts';

const { parentPort } = process;
let printed: (answer: Printed) => void = () => undefined;

parentPort.on('message', ({ data }: { data: ToApart }) => {
  if ('printed' in data) {
    const { printed: answer } = data;
    printed(answer.pdf ? { pdf: Buffer.from(answer.pdf) } : answer);
    return;
  }
  const send = (message: FromApart) => parentPort.postMessage(message);
  void answerApart(data.order, send, () => new Promise((resolve) => (printed = resolve)));
});
