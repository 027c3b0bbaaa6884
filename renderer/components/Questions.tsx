/** What main waits for, one question at a time: a host key to compare, a reboot to allow, or a secret. */
import { useDesk } from '../stores/desk.ts';
import { HostKeyDialog } from './HostKeyDialog.tsx';
import { RebootDialog } from './RebootDialog.tsx';
import { SecretDialog } from './SecretDialog.tsx';

export function Questions() {
  const question = useDesk((s) => s.asks[0]);
  if (!question) return null;
  switch (question.kind) {
    case 'hostKey':
      return <HostKeyDialog key={question.ask} question={question} />;
    case 'reboot':
      return <RebootDialog key={question.ask} question={question} />;
    case 'secret':
      return <SecretDialog key={question.ask} question={question} />;
  }
}
