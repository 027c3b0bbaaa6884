/** What main waits for, one question at a time: a host key to compare, or a secret. */
import { useDesk } from '../stores/desk.ts';
import { HostKeyDialog } from './HostKeyDialog.tsx';
import { SecretDialog } from './SecretDialog.tsx';

export function Questions() {
  const question = useDesk((s) => s.asks[0]);
  if (!question) return null;
  return question.kind === 'hostKey' ? (
    <HostKeyDialog key={question.ask} question={question} />
  ) : (
    <SecretDialog key={question.ask} question={question} />
  );
}
