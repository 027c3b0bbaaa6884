/** A file of a secret key that may be given, and, once it is, what opens it. */
import { PasswordInput } from '@mantine/core';
import type { ComponentProps } from 'react';
import { FileField } from '../../components/FileField.tsx';

interface Props {
  what: ComponentProps<typeof FileField>['what'];
  words: { label: string; help: string; passphrase: string };
  path: string;
  passphrase: string;
  onPath: (text: string) => void;
  onPassphrase: (text: string) => void;
}

/** As a call takes it; null where none was given. */
export const givenKey = (path: string, passphrase: string) =>
  path ? { path, ...(passphrase ? { passphrase } : {}) } : null;

export function GivenKey({ what, words, path, passphrase, onPath, onPassphrase }: Props) {
  return (
    <>
      <FileField label={words.label} description={words.help} what={what} value={path} onChange={onPath} />
      {path && (
        <PasswordInput
          label={words.passphrase}
          value={passphrase}
          onChange={(e) => onPassphrase(e.currentTarget.value)}
        />
      )}
    </>
  );
}
