/** A private key in a file of this laptop, and what opens it. */
import { PasswordInput } from '@mantine/core';
import { FileField } from './FileField.tsx';

export function Passphrase({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  return (
    <PasswordInput
      label="Passphrase of the key"
      description="Leave it empty where the key has none."
      value={value}
      onChange={(e) => onChange(e.currentTarget.value)}
    />
  );
}

interface Props {
  path: string;
  passphrase: string;
  onPath: (text: string) => void;
  onPassphrase: (text: string) => void;
}

export function KeyFile({ path, passphrase, onPath, onPassphrase }: Props) {
  return (
    <>
      <FileField label="Private key" what="privateKey" value={path} onChange={onPath} />
      <Passphrase value={passphrase} onChange={onPassphrase} />
    </>
  );
}
